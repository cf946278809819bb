//! How a run reaches its hosts, and which refusals its user lifts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::path_policy::PathPolicy;
use crate::plan::RefusalKind;
use crate::secret_source::SourceOptions;

/// How hosts are reached.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Folders below this one take the place of machines.
    pub sandbox: Option<PathBuf>,
    /// The one host is this machine itself.
    pub local: bool,
    /// Whether the key of a host that known_hosts does not have is accepted and written down.
    pub accept_new: bool,
    /// How many hosts at once.
    pub parallel: usize,
    /// The manifest may be a stranger's: no secret is read.
    pub untrusted: bool,
    /// Which sources of secrets the operator allows.
    pub sources: SourceOptions,
    /// Which files it may manage.
    pub paths: PathPolicy,
    /// Why hosts are changed, in the words of the user: for their history.
    pub reason: Option<String>,
}

/// The refusals that the user lifts. Each refusal has a flag of its own; there is no `--force`.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    /// Replace files that differ and values that the host set itself, where `murder` did not write them; their previous
    /// state is kept.
    pub adopt: bool,
    /// Take hosts over from another murder's ledger.
    pub take_over: bool,
    /// Allow a plan that deletes more than the limit.
    pub allow_delete: bool,
    /// Delete, restore or roll back things that were changed on the host since the last apply.
    pub allow_overwrite: bool,
    /// Stop and start Postfix for parameters that a reload does not reach.
    pub allow_restart: bool,
    /// Apply a plan after which mail is refused or waits because of the configuration as a whole.
    pub allow_fault: bool,
    /// Apply a manifest whose revision does not descend from the one that the host has.
    pub allow_older: bool,
    /// Continue if an LDAP server does not answer.
    pub allow_unverified: bool,
    /// Patterns of hosts that may be unreachable.
    pub allow_unreachable: Vec<String>,
}

impl Consent {
    /// These, and the flags that were given when a plan was saved, each with the patterns of hosts that it holds for.
    #[must_use]
    pub fn with(mut self, recorded: &BTreeMap<String, Vec<String>>) -> Self {
        let given = |flag: &str| recorded.contains_key(flag);
        self.adopt |= given("--adopt");
        self.take_over |= given("--take-over");
        self.allow_delete |= given("--allow-delete");
        self.allow_overwrite |= given("--allow-overwrite");
        self.allow_restart |= given("--allow-restart");
        self.allow_fault |= given("--allow-fault");
        self.allow_older |= given("--allow-older");
        self.allow_unverified |= given("--allow-unverified");
        let hosts = recorded.get("--allow-unreachable").into_iter().flatten();
        self.allow_unreachable.extend(hosts.cloned());
        self
    }

    /// Whether a refusal of this kind is lifted.
    #[must_use]
    pub fn lifts(&self, kind: RefusalKind) -> bool {
        match kind {
            RefusalKind::Adopt => self.adopt,
            RefusalKind::TakeOver => self.take_over,
            RefusalKind::Delete => self.allow_delete,
            RefusalKind::Overwrite => self.allow_overwrite,
            RefusalKind::Restart => self.allow_restart,
            RefusalKind::UnknownParameter | RefusalKind::ExposedFile => false,
            RefusalKind::Fault => self.allow_fault,
            RefusalKind::Older => self.allow_older,
        }
    }
}
