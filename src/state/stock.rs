//! What the distribution's package wrote is no setting of the site: the lines of its main.cf and master.cf, and what
//! debconf(7) makes of the host's names.

use std::sync::LazyLock;

use super::facts::Facts;
use super::live::{PostfixLive, part_of};
use crate::name::ServiceName;
use crate::postfix::catalogue::lists;
use crate::postfix::configuration::{Configuration, ConfigurationFiles, Release, ReleaseDefault};
use crate::postfix::{DEBIAN_MASTER_CF, MasterCf, MasterEntry, split_list};
use crate::thing::{Field, Thing};

/// Lines of main.cf that the packages of Debian, Red Hat and SUSE write, and that are not the built-in default.
const OF_PACKAGES: [(&str, &str); 23] = [
    ("alias_database", "hash:/etc/aliases"),
    ("alias_maps", "hash:/etc/aliases"),
    ("append_dot_mydomain", "no"),
    ("biff", "no"),
    ("inet_interfaces", "localhost"),
    ("mailbox_size_limit", "0"),
    ("mydestination", "$myhostname, localhost.$mydomain"),
    // postmulti(1) writes it for a new instance.
    ("master_service_disable", "inet"),
    ("myorigin", "/etc/mailname"),
    ("recipient_delimiter", "+"),
    (
        "smtpd_relay_restrictions",
        "permit_mynetworks permit_sasl_authenticated defer_unauth_destination",
    ),
    ("smtp_tls_CAfile", "/etc/pki/tls/certs/ca-bundle.crt"),
    ("smtp_tls_CApath", "/etc/pki/tls/certs"),
    ("smtp_tls_CApath", "/etc/ssl/certs"),
    ("smtp_tls_security_level", "may"),
    (
        "smtp_tls_session_cache_database",
        "btree:${data_directory}/smtp_scache",
    ),
    ("smtpd_tls_cert_file", "/etc/pki/tls/certs/postfix.pem"),
    (
        "smtpd_tls_cert_file",
        "/etc/ssl/certs/ssl-cert-snakeoil.pem",
    ),
    ("smtpd_tls_key_file", "/etc/pki/tls/private/postfix.key"),
    (
        "smtpd_tls_key_file",
        "/etc/ssl/private/ssl-cert-snakeoil.key",
    ),
    ("smtpd_tls_security_level", "may"),
    (
        "smtpd_tls_session_cache_database",
        "btree:${data_directory}/smtpd_scache",
    ),
    ("smtpd_use_tls", "yes"),
];

/// Lines of main.cf that SUSE's package alone writes, with the table type of its release. On other hosts a person wrote them.
const OF_SUSE: [(&str, &str); 7] = [
    ("canonical_maps", "hash:/etc/postfix/canonical"),
    ("mynetworks_style", "subnet"),
    ("relocated_maps", "hash:/etc/postfix/relocated"),
    (
        "sender_canonical_maps",
        "hash:/etc/postfix/sender_canonical",
    ),
    (
        "smtpd_recipient_restrictions",
        "permit_mynetworks,reject_unauth_destination",
    ),
    ("smtpd_sender_restrictions", "hash:/etc/postfix/access"),
    ("virtual_alias_maps", "hash:/etc/postfix/virtual"),
];

/// Parameters whose value the packages write anew themselves: paths, users, and the release's level.
const OF_THE_INSTALLATION: [&str; 20] = [
    "command_directory",
    "compatibility_level",
    "daemon_directory",
    "data_directory",
    "debug_peer_level",
    "debugger_command",
    "html_directory",
    "mail_owner",
    "mailq_path",
    "manpage_directory",
    "meta_directory",
    "newaliases_path",
    "queue_directory",
    "readme_directory",
    "sample_directory",
    "sendmail_path",
    "setgid_group",
    "shlib_directory",
    "smtpd_banner",
    "unknown_local_recipient_reject_code",
];

/// What is known of the package that a host's Postfix comes from.
#[derive(Debug, Clone, Copy)]
pub struct Stock<'a> {
    facts: &'a Facts,
    postfix: &'a PostfixLive,
}

impl<'a> Stock<'a> {
    /// The package of a host with these facts.
    #[must_use]
    pub fn new(facts: &'a Facts, postfix: &'a PostfixLive) -> Self {
        Self { facts, postfix }
    }

    /// Whether a live value is what the distribution's package wrote, or the built-in default.
    #[must_use]
    pub fn wrote(&self, thing: &Thing, value: &str) -> bool {
        match thing {
            Thing::Parameter(name) => self.is_stock_parameter(name.as_str(), value),
            // master(8) does not run with a private inet service: what it had was no choice.
            Thing::Field(_, Field::Private) => true,
            Thing::Field(service, _) | Thing::Option(service, _) => {
                let part = debian_entry(service).and_then(|entry| part_of(&entry, thing));
                let default = match thing {
                    Thing::Field(_, field) => Some(field.default_of(service.parts().1).to_owned()),
                    _ => None,
                };
                // Other distributions have Debian's entries without its chroot.
                part.as_deref() == Some(value)
                    || default.as_deref() == Some(value)
                    || is_unchrooted(thing, value)
            }
            Thing::Service(service) => {
                debian_entry(service).is_some_and(|entry| entry.line() == value)
            }
            Thing::File(_) => false,
        }
    }

    fn is_stock_parameter(&self, name: &str, value: &str) -> bool {
        let release = Release::new(&self.facts.postfix_version);
        let is = |other: &str| lists::same(name, other, value);
        let default = match release.default_value(name) {
            ReleaseDefault::Text(text) => is(text),
            ReleaseDefault::OfTheMachine | ReleaseDefault::Missing | ReleaseDefault::Unknown => {
                false
            }
        };
        let of_a_package = OF_PACKAGES
            .iter()
            .any(|(known, text)| *known == name && is(text));
        let is_suse = ["suse", "sles"]
            .iter()
            .any(|word| self.facts.distribution.contains(word));
        let of_suse = is_suse
            && OF_SUSE.iter().any(|(known, text)| {
                *known == name && (is(text) || is(&text.replace("hash:", "lmdb:")))
            });
        default
            || of_suse
            || is_empty_list(name, value)
            || of_a_package
            || OF_THE_INSTALLATION.contains(&name)
            || self.is_of_debconf(name, value)
    }

    /// Whether a value is what debconf(7) makes of the host's names.
    fn is_of_debconf(&self, name: &str, value: &str) -> bool {
        let environment = &self.postfix.environment;
        let hostname = environment.hostname.as_deref().unwrap_or_default();
        let short = hostname.split('.').next().unwrap_or_default();
        let mail_name = environment.mail_name.as_deref().unwrap_or_default();
        let own = |word: &str| {
            let is = |other: &str| !other.is_empty() && word.eq_ignore_ascii_case(other);
            is(hostname) || is(short) || is(mail_name)
        };
        let files = ConfigurationFiles {
            main_cf: &self.postfix.main_cf,
            master_cf: &self.postfix.master_cf,
        };
        let release = Release::new(&self.facts.postfix_version);
        let configuration = Configuration::new(&files, release, environment);
        let myhostname = configuration.main().expanded("myhostname").text;
        match name {
            "myhostname" => {
                own(value) || value.starts_with(&format!("{short}.local")) && !short.is_empty()
            }
            "myorigin" => own(value),
            "mydestination" => split_list(value).iter().all(|word| {
                word == "$myhostname"
                    || word == "localhost.$mydomain"
                    || word == "localdomain"
                    || word.starts_with("localhost")
                    || own(word)
                    || myhostname
                        .as_ref()
                        .is_ok_and(|name| name.eq_ignore_ascii_case(word))
            }),
            "mynetworks" => split_list(value).iter().all(|word| {
                word.starts_with("127.")
                    || word.starts_with("[::1]")
                    || word.starts_with("[::ffff:127.")
            }),
            _ => false,
        }
    }
}

/// Whether a value is a list without members, from which nothing can go. An empty list of recipients accepts all of them, and
/// empty restrictions permit: they say something.
fn is_empty_list(name: &str, value: &str) -> bool {
    value.trim().is_empty()
        && lists::is_list(name)
        && !name.ends_with("_recipient_maps")
        && !name.ends_with("_restrictions")
}

/// Whether a part is the chroot column as distributions other than Debian have it.
fn is_unchrooted(thing: &Thing, value: &str) -> bool {
    matches!(thing, Thing::Field(_, Field::Chroot)) && value == "n"
}

/// The entry of Debian's master.cf.
#[must_use]
pub fn debian_entry(service: &ServiceName) -> Option<MasterEntry> {
    static DEBIAN: LazyLock<MasterCf> =
        LazyLock::new(|| MasterCf::parse(DEBIAN_MASTER_CF.as_bytes()));
    DEBIAN.service(service)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::postfix::MainCf;
    use crate::postfix::configuration::HostEnvironment;
    use crate::state::Running;

    /// What SUSE's sysconfig writes there was set by a person elsewhere, and a plan must not replace it unasked.
    #[test]
    fn a_line_of_one_distribution_is_a_setting_on_another() {
        let postfix = PostfixLive {
            main_cf: MainCf::default(),
            master_cf: MasterCf::default().into(),
            main_cf_sha256: String::new(),
            master_cf_sha256: String::new(),
            environment: HostEnvironment::default(),
            running: Running::Yes,
            queue: None,
        };
        for (distribution, value, is_stock) in [
            ("debian", "hash:/etc/postfix/virtual", false),
            ("rhel", "hash:/etc/postfix/virtual", false),
            ("opensuse-leap", "hash:/etc/postfix/virtual", true),
            ("sles", "lmdb:/etc/postfix/virtual", true),
            ("sles", "hash:/etc/postfix/other", false),
        ] {
            let mut facts = Facts::debian();
            distribution.clone_into(&mut facts.distribution);
            let thing = Thing::Parameter("virtual_alias_maps".parse().unwrap());
            let stock = Stock::new(&facts, &postfix);
            assert_eq!(
                stock.wrote(&thing, value),
                is_stock,
                "{distribution} {value}"
            );
        }
    }
}
