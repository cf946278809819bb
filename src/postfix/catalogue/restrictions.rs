//! The words of access restriction lists (postconf(5), `smtpd_…_restrictions`).
//!
//! If a list has a word that smtpd(8) does not know, it answers `451 4.3.5 Server configuration error` to every client.
//! `postfix check` does not report such a word.

use crate::nearest::nearest_of;
use crate::postfix::split_list;

/// Restrictions without an argument, including older names of some.
const PLAIN: [&str; 45] = [
    "check_recipient_maps",
    "check_relay_domains",
    "defer",
    "defer_if_permit",
    "defer_if_reject",
    "defer_unauth_destination",
    "permit",
    "permit_auth_destination",
    "permit_inet_interfaces",
    "permit_mx_backup",
    "permit_mynetworks",
    "permit_naked_ip_address",
    "permit_sasl_authenticated",
    "permit_tls_all_clientcerts",
    "permit_tls_clientcerts",
    "reject",
    "reject_authenticated_sender_login_mismatch",
    "reject_invalid_helo_hostname",
    "reject_invalid_hostname",
    "reject_known_sender_login_mismatch",
    "reject_maps_rbl",
    "reject_multi_recipient_bounce",
    "reject_non_fqdn_helo_hostname",
    "reject_non_fqdn_hostname",
    "reject_non_fqdn_recipient",
    "reject_non_fqdn_sender",
    "reject_plaintext_session",
    "reject_sender_login_mismatch",
    "reject_unauth_destination",
    "reject_unauth_pipelining",
    "reject_unauthenticated_sender_login_mismatch",
    "reject_unknown_address",
    "reject_unknown_client",
    "reject_unknown_client_hostname",
    "reject_unknown_forward_client_hostname",
    "reject_unknown_helo_hostname",
    "reject_unknown_hostname",
    "reject_unknown_recipient_domain",
    "reject_unknown_reverse_client_hostname",
    "reject_unknown_sender_domain",
    "reject_unlisted_recipient",
    "reject_unlisted_sender",
    "reject_unverified_recipient",
    "reject_unverified_sender",
    "warn_if_reject",
];

/// Restrictions whose argument is a table.
const WITH_TABLE: [&str; 24] = [
    "check_address_map",
    "check_ccert_access",
    "check_client_a_access",
    "check_client_access",
    "check_client_mx_access",
    "check_client_ns_access",
    "check_etrn_access",
    "check_helo_a_access",
    "check_helo_access",
    "check_helo_mx_access",
    "check_helo_ns_access",
    "check_recipient_a_access",
    "check_recipient_access",
    "check_recipient_mx_access",
    "check_recipient_ns_access",
    "check_reverse_client_hostname_a_access",
    "check_reverse_client_hostname_access",
    "check_reverse_client_hostname_mx_access",
    "check_reverse_client_hostname_ns_access",
    "check_sasl_access",
    "check_sender_a_access",
    "check_sender_access",
    "check_sender_mx_access",
    "check_sender_ns_access",
];

/// Restrictions whose argument is a domain.
const WITH_DOMAIN: [&str; 9] = [
    "permit_dnswl_client",
    "permit_rhswl_client",
    "reject_rbl",
    "reject_rbl_client",
    "reject_rhsbl_client",
    "reject_rhsbl_helo",
    "reject_rhsbl_recipient",
    "reject_rhsbl_reverse_client",
    "reject_rhsbl_sender",
];

/// The argument of a restriction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Argument {
    Nothing,
    Table,
    Domain,
    Server,
    Seconds,
}

/// The contents of a list of restrictions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List {
    /// The tables, each as the list has it.
    pub tables: Vec<String>,
    /// The policy servers, each as the list has it.
    pub servers: Vec<String>,
    /// Words that are not restrictions of Postfix: a restriction class of the host, or a mistake.
    pub unknown: Vec<String>,
    /// Restrictions without their argument, with a description of the argument: `a table`.
    pub incomplete: Vec<(String, &'static str)>,
}

/// The ending of the names of restriction lists.
pub(super) const END: &str = "_restrictions";

/// A parameter with this ending that is not a list: it sets which list smtpd(8) evaluates first.
pub(super) const ORDER: &str = "smtpd_relay_before_recipient_restrictions";

/// A list of restrictions whose name has another ending.
pub(super) const REWRITE_CLIENTS: &str = "local_header_rewrite_clients";

/// The lists of restrictions of smtpd(8) (postconf(5)).
pub const LISTS: [&str; 8] = [
    "smtpd_client_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
    "smtpd_etrn_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_sender_restrictions",
];

/// Whether a parameter is a list of restrictions.
#[must_use]
pub fn is_list(name: &str) -> bool {
    name.ends_with(END) && name != ORDER || name == REWRITE_CLIENTS
}

/// The restrictions that smtpd(8) never evaluates, because the list has an unconditional result before them: the word with
/// that result, and the first one after it.
#[must_use]
pub fn dead(value: &str) -> Option<(String, String)> {
    let words = split_list(value);
    let ends = |at: usize| {
        let ends = matches!(
            words.get(at)?.to_ascii_lowercase().as_str(),
            "permit" | "reject" | "defer"
        );
        let warned = at > 0 && words.get(at - 1)?.eq_ignore_ascii_case("warn_if_reject");
        (ends && !warned).then(|| words.get(at + 1)).flatten()
    };
    (0..words.len()).find_map(|at| Some((words.get(at)?.clone(), ends(at)?.clone())))
}

/// Reads a list of restrictions. Words with a `$` are skipped: they depend on other parameters.
#[must_use]
pub fn read(value: &str) -> List {
    let mut list = List::default();
    let mut words = split_list(value).into_iter().peekable();
    while let Some(word) = words.next() {
        if word.starts_with(['$', '{']) {
            continue;
        }
        // A table alone means the `check_…_access` restriction of the list.
        if word.contains(':') {
            list.tables.push(word);
            continue;
        }
        let Some(argument) = argument_of(&word.to_ascii_lowercase()) else {
            list.unknown.push(word);
            continue;
        };
        if argument == Argument::Nothing {
            continue;
        }
        match words.next_if(|next| argument.is(next)) {
            Some(table) if argument == Argument::Table && !table.starts_with('$') => {
                list.tables.push(table);
            }
            Some(server) if argument == Argument::Server && !server.starts_with('$') => {
                list.servers.push(server);
            }
            Some(_) => {}
            None => {
                list.incomplete.push((word, argument.what()));
                // The next word is the wrong argument, unless it is a restriction itself.
                words.next_if(|next| !is_known(next) && nearest(next).is_none());
            }
        }
    }
    list
}

/// The restriction of which a word is certainly a misspelling.
#[must_use]
pub fn nearest(word: &str) -> Option<&'static str> {
    /// The similarity of `permit_mynetwork` is 0.97. Names of classes often resemble restrictions, so the limit is high.
    const LIKENESS: f32 = 0.85;
    like(word, LIKENESS)
}

/// The restriction of which a word may be a misspelling.
#[must_use]
pub fn similar(word: &str) -> Option<&'static str> {
    const LIKENESS: f32 = 0.7;
    like(word, LIKENESS)
}

fn like(word: &str, likeness: f32) -> Option<&'static str> {
    let all = PLAIN
        .into_iter()
        .chain(WITH_TABLE)
        .chain(WITH_DOMAIN)
        .chain(["check_policy_service", "sleep"]);
    nearest_of(&word.to_ascii_lowercase(), all, likeness)
}

fn is_known(word: &str) -> bool {
    argument_of(&word.to_ascii_lowercase()).is_some()
}

fn argument_of(word: &str) -> Option<Argument> {
    match word {
        "check_policy_service" => Some(Argument::Server),
        "sleep" => Some(Argument::Seconds),
        _ if PLAIN.contains(&word) => Some(Argument::Nothing),
        _ if WITH_TABLE.contains(&word) => Some(Argument::Table),
        _ if WITH_DOMAIN.contains(&word) => Some(Argument::Domain),
        _ => None,
    }
}

impl Argument {
    /// Whether a word may be the argument. A `$name` may always be.
    fn is(self, word: &str) -> bool {
        word.starts_with('$')
            || match self {
                Self::Nothing => false,
                Self::Table => word.contains(':'),
                Self::Server => word.contains(':') || word.starts_with('{'),
                Self::Domain => !is_known(word),
                Self::Seconds => word.bytes().all(|byte| byte.is_ascii_digit()),
            }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Table => "a table, as in `hash:/etc/postfix/access`",
            Self::Domain => "a DNS list's domain, as in `zen.spamhaus.org`",
            Self::Server => "a policy server, as in `unix:private/policy`",
            Self::Seconds => "a number of seconds",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_list_has_nothing_unknown() {
        let list = read(
            "permit_mynetworks, reject_rbl_client zen.spamhaus.org=127.0.0.[2..11], $mine,\n \
             check_client_access hash:/a check_policy_service { inet:h:1, timeout=1s },\
             warn_if_reject Reject_Unauth_Destination sleep 1 check_helo_access $helo cidr:/b reject",
        );
        assert_eq!(list.unknown, [""; 0]);
        assert_eq!(list.incomplete, []);
        assert_eq!(list.tables, ["hash:/a", "cidr:/b"]);
    }

    #[test]
    fn what_is_behind_an_unconditional_result_is_dead() {
        let behind = |list: &str| dead(list).map(|(end, next)| format!("{end} {next}"));
        assert_eq!(
            behind("permit_mynetworks, reject, permit_sasl_authenticated").as_deref(),
            Some("reject permit_sasl_authenticated")
        );
        assert_eq!(
            behind("permit, warn_if_reject reject").as_deref(),
            Some("permit warn_if_reject")
        );
        assert_eq!(behind("warn_if_reject reject, permit"), None);
        assert_eq!(behind("check_client_access hash:/a, permit"), None);
    }

    #[test]
    fn misspelt_and_incomplete_words_are_found() {
        let untyped = read("check_client_access /etc/postfix/access, permit");
        assert_eq!((untyped.incomplete.len(), untyped.unknown.len()), (1, 0));
        let list = read("permit_mynetwork, check_client_access, reject_rbl_client reject");
        assert_eq!(list.unknown, ["permit_mynetwork"]);
        let words: Vec<&str> = list
            .incomplete
            .iter()
            .map(|(word, _)| word.as_str())
            .collect();
        assert_eq!(words, ["check_client_access", "reject_rbl_client"]);
        assert_eq!(nearest("permit_mynetwork"), Some("permit_mynetworks"));
        assert_eq!(
            nearest("reject_unauth_destinaton"),
            Some("reject_unauth_destination")
        );
        assert_eq!(nearest("greylisting"), None);
    }
}
