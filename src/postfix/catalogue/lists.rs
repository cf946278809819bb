//! Parameters whose values are lists, in which Postfix reads blanks and commas alike.

use super::{restrictions, tables};
use crate::postfix::{same_value, split_list};

/// Lists of words that are not lookup tables. Their programs split them at `CHARS_COMMA_SP` (postconf(5)).
const WORDS: [&str; 26] = [
    "allow_mail_to_commands",
    "allow_mail_to_files",
    "alternate_config_directories",
    "canonical_classes",
    "debug_peer_list",
    "defer_transports",
    "export_environment",
    "fallback_relay",
    "import_environment",
    "inet_interfaces",
    "inet_protocols",
    "maps_rbl_domains",
    "masquerade_classes",
    "masquerade_domains",
    "multi_instance_directories",
    "non_smtpd_milters",
    "notify_classes",
    "parent_domain_matches_subdomains",
    "postscreen_dnsbl_sites",
    "propagate_unmatched_extensions",
    "proxy_interfaces",
    "relayhost",
    "smtp_fallback_relay",
    "smtpd_milters",
    "smtpd_restriction_classes",
    "smtpd_sasl_security_options",
];

/// Whether a parameter's value is a list: Postfix reads `a,b` and `a b` as the same.
#[must_use]
pub fn is_list(name: &str) -> bool {
    tables::holds_tables(name) || restrictions::is_list(name) || WORDS.contains(&name)
}

/// Whether a member of a list of domains, networks or clients matches everything.
#[must_use]
pub fn matches_everything(member: &str) -> bool {
    member.trim_start_matches("proxy:").starts_with("static:")
}

/// Whether Postfix reads two values of a parameter as the same.
#[must_use]
pub fn same(name: &str, left: &str, right: &str) -> bool {
    same_value(left, right) || is_list(name) && split_list(left) == split_list(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_are_layout_in_lists_only() {
        for (name, left, right, expected) in [
            (
                "mydestination",
                "$myhostname,localhost",
                "$myhostname, localhost",
                true,
            ),
            (
                "mydestination",
                "$myhostname, , localhost",
                "$myhostname localhost",
                true,
            ),
            ("mydestination", "a, b", "b, a", false),
            (
                "transport_maps",
                "inline:{a=b},hash:/x",
                "inline:{a=b} hash:/x",
                true,
            ),
            (
                "transport_maps",
                "inline:{a=b,c=d}",
                "inline:{a=b c=d}",
                false,
            ),
            (
                "smtpd_relay_restrictions",
                "permit_mynetworks,reject",
                "permit_mynetworks reject",
                true,
            ),
            ("inet_interfaces", "127.0.0.1,::1", "127.0.0.1  ::1", true),
            ("smtpd_banner", "a,b", "a, b", false),
            ("smtpd_banner", "a  b", "a b", true),
            ("mailbox_command", "/x -a a,b", "/x -a a b", false),
        ] {
            assert_eq!(
                same(name, left, right),
                expected,
                "{name}: {left} / {right}"
            );
        }
    }
}
