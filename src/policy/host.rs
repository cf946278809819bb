//! A host as rules see it, and how it breaks one.

use std::collections::BTreeSet;

use crate::glob::matches;
use crate::name::RoleName;
use crate::postfix::configuration::Configuration;
use crate::state::{DesiredService, File, Want};
use crate::thing::Thing;

/// A host, as rules see it.
pub struct PolicyHost<'a> {
    /// Its roles.
    pub roles: &'a [RoleName],
    /// What the modules of its roles provide.
    pub provides: BTreeSet<&'a str>,
    /// What it must have.
    pub wanted: &'a DesiredService,
    /// The configuration that this makes, as far as it is known without the host.
    pub configuration: Configuration<'a>,
}

/// How a host breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The thing that breaks it; none where something is missing.
    pub thing: Option<Thing>,
    /// What is wrong, as a clause: `` `mynetworks` has `0.0.0.0/0` ``.
    pub what: String,
}

impl Violation {
    pub(super) fn of(thing: &Thing, what: impl Into<String>) -> Self {
        Self {
            thing: Some(thing.clone()),
            what: what.into(),
        }
    }

    pub(super) fn missing(what: impl Into<String>) -> Self {
        Self {
            thing: None,
            what: what.into(),
        }
    }
}

/// The managed files whose paths match.
pub(super) fn files<'a>(
    host: &PolicyHost<'a>,
    pattern: &str,
) -> impl Iterator<Item = (Thing, &'a File)> {
    host.wanted.files.iter().filter_map(move |(path, want)| {
        let Want::Present(file) = want else {
            return None;
        };
        matches(pattern, path.as_str()).then(|| (Thing::File(path.clone()), file))
    })
}
