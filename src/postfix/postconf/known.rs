//! The parameters that postconf knows on one host, each with its class and its default.

use std::collections::BTreeMap;

use crate::postfix::configuration::{Release, ReleaseDefault};
use crate::postfix::defaults;
use crate::postfix::master_cf::MasterEntry;

/// The class of a parameter, as postconf(1) `-C` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Builtin,
    Service,
    User,
    /// Of an older release: shown only if it is set, or if the command line names it.
    Obsolete,
}

/// Each known name with its class and its default; no default if it depends on the machine.
pub(super) type Known = BTreeMap<Vec<u8>, (Class, Option<Vec<u8>>)>;

/// The built-in parameters, and those of the services of master.cf.
pub(super) fn known(entries: &[MasterEntry], release: Release) -> Known {
    let mut known = Known::new();
    for (name, default) in release.parameters() {
        let default = match default {
            ReleaseDefault::Text(value) => Some(value.as_bytes().to_vec()),
            ReleaseDefault::Unknown if name == "mail_version" => {
                Some(release.to_string().into_bytes())
            }
            _ => None,
        };
        known.insert(name.as_bytes().to_vec(), (Class::Builtin, default));
    }
    for name in defaults::OBSOLETE {
        known.insert(
            name.as_bytes().to_vec(),
            (Class::Obsolete, Some(Vec::new())),
        );
    }
    for entry in entries {
        for (suffix, default) in defaults::of_service(entry.word(7)) {
            let name = [entry.word(0), b"_", suffix.as_bytes()].concat();
            let default = format!("${default}").into_bytes();
            known
                .entry(name)
                .and_modify(|(class, _)| *class = Class::Service)
                .or_insert((Class::Service, Some(default)));
        }
    }
    known
}
