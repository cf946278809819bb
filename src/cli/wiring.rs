//! Where the verbs meet the machines: the one place that knows both.

use std::collections::BTreeMap;

use super::Selection;
use super::reach::{Consent, Reach};
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::model::Murder;
use crate::name::{HostName, RoleName};
use crate::plan::{HostPlan, HostVerdict};
use crate::report::Outcome;

/// A manifest that was read without errors.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub murder: Murder,
    /// Each module's `after`.
    pub after: BTreeMap<RoleName, Vec<RoleName>>,
}

/// Reads hosts. Called from many threads, for one host each.
pub trait Eyes: Sync {
    /// Observes a host and compares; `say` tells what it is at.
    fn look(&self, host: &HostName, say: &dyn Fn(&str)) -> HostVerdict;
}

/// Changes hosts.
pub trait Hands: Eyes {
    /// Does what the plan says, looks again, and says how the host stands. Words of the host come scrubbed.
    fn change(&self, host: &HostName, plan: &HostPlan, say: &dyn Fn(&str)) -> Outcome;
}

/// Reads and resolves the manifest; its problems and warnings go to standard error.
///
/// # Errors
/// Where there is an error among them; it has been said.
pub fn load(_selection: &Selection, terminal: &Terminal) -> Result<Loaded, Said> {
    terminal.error(&missing().summary);
    Err(Said)
}

/// What reads the hosts of a murder, and cannot write.
///
/// # Errors
/// What keeps any host from being reached at all: a secret that cannot be read, a sandbox that cannot be made.
pub fn eyes(_loaded: &Loaded, _reach: &Reach) -> Result<Box<dyn Eyes>, Vec<Diagnostic>> {
    Err(vec![missing()])
}

/// What reads and changes them.
///
/// # Errors
/// As [`eyes`].
pub fn hands(
    _loaded: &Loaded,
    _reach: &Reach,
    _consent: &Consent,
) -> Result<Box<dyn Hands>, Vec<Diagnostic>> {
    Err(vec![missing()])
}

/// An error that has been said already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said;

fn missing() -> Diagnostic {
    Diagnostic::error("this build has no loader and no machines yet")
}
