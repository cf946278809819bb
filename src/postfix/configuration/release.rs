//! The default values of one release of Postfix.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::postfix::{catalogue, defaults};

/// One default of releases beside 3.7.
struct Other {
    from: [u32; 3],
    before: [u32; 3],
    value: &'static str,
}

static OTHERS: LazyLock<BTreeMap<&'static str, Vec<Other>>> = LazyLock::new(|| {
    let mut others: BTreeMap<&str, Vec<Other>> = BTreeMap::new();
    let lines = include_str!("../defaults-other.tsv").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let mut columns = line.split('\t');
        let mut next = || columns.next().unwrap_or_default();
        let (name, from, before, value) = (next(), next(), next(), next());
        others.entry(name).or_default().push(Other {
            from: catalogue::version_number(from),
            before: match before {
                "" => [u32::MAX; 3],
                before => catalogue::version_number(before),
            },
            value,
        });
    }
    others
});

/// The release that `defaults-3.7.cf` was read from.
const KNOWN: [u32; 2] = [3, 7];

/// A release of Postfix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Release([u32; 3]);

/// The default of a parameter, before expansion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseDefault {
    /// This text.
    Text(&'static str),
    /// Made from what only the host knows.
    OfTheMachine,
    /// The release has no parameter of that name by itself.
    Missing,
    /// The release has the parameter, and its default is not known.
    Unknown,
}

impl Release {
    /// A release by its number, such as `3.7.11`.
    #[must_use]
    pub fn new(version: &str) -> Self {
        Self(catalogue::version_number(version))
    }

    /// The default of a built-in parameter.
    #[must_use]
    pub fn default_value(self, name: &str) -> ReleaseDefault {
        if defaults::OF_THE_MACHINE.contains(&name) {
            return ReleaseDefault::OfTheMachine;
        }
        let others = OTHERS.get(name).into_iter().flatten();
        let mut fitting = others.filter(|other| (other.from..other.before).contains(&self.0));
        if let Some(other) = fitting.next() {
            return ReleaseDefault::Text(other.value);
        }
        let known = defaults::value(name);
        // Of its own release the list itself says what there is, backports included.
        if self.0[..2] != KNOWN && !catalogue::is_in_release(name, self.0) {
            return ReleaseDefault::Missing;
        }
        match known {
            Some(value) => ReleaseDefault::Text(value),
            None if self.0[..2] != KNOWN && catalogue::is_known(name) => ReleaseDefault::Unknown,
            None if defaults::OBSOLETE.contains(&name) => ReleaseDefault::Text(""),
            None => ReleaseDefault::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(version: &str, name: &str) -> ReleaseDefault {
        Release::new(version).default_value(name)
    }

    #[test]
    fn a_release_has_its_own_defaults() {
        use ReleaseDefault::{Missing, OfTheMachine, Text, Unknown};
        for (version, name, expected) in [
            ("3.5.25", "smtpd_tls_protocols", Text("!SSLv2, !SSLv3")),
            ("3.6.0", "smtpd_tls_protocols", Text(">=TLSv1")),
            ("3.7.11", "smtpd_forbid_bare_newline", Text("no")),
            ("3.10.2", "smtpd_forbid_bare_newline", Text("normalize")),
            ("3.5.25", "respectful_logging", Missing),
            ("3.5.25", "postscreen_blacklist_action", Text("ignore")),
            ("3.7.11", "postscreen_blacklist_action", Text("")),
            ("3.7.11", "use_srv_lookup", Missing),
            ("3.8.4", "use_srv_lookup", Unknown),
            ("3.11.0", "myhostname", OfTheMachine),
            ("3.11.0", "relayhost", Text("")),
            ("3.7.11", "of_ones_own", Missing),
        ] {
            assert_eq!(text(version, name), expected, "{name} of {version}");
        }
    }
}
