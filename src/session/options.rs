//! How a run reaches its hosts, and which refusals its user lifts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::path_policy::PathPolicy;
use super::watched_hosts::WatchedHosts;
use crate::glob::matches;
use crate::name::HostName;
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
    /// No secret of a file is read: files with one are compared as far as their masked texts go.
    pub files_unread: bool,
    /// No host is reached, as a live file takes its place: no secret of a login is read, and no facts are kept.
    pub from_live_file: bool,
    /// Which sources of secrets the operator allows.
    pub sources: SourceOptions,
    /// Which files it may manage.
    pub paths: PathPolicy,
    /// Whether hosts are compared as if all their holds had ended.
    pub without_holds: bool,
    /// Why hosts are changed, in the words of the user: for their history.
    pub reason: Option<String>,
    /// Where what observations find is kept, for what a plan means for mail.
    pub seen: Option<WatchedHosts>,
}

impl Reach {
    /// The same for hosts that are only read: no secret of a file is needed.
    #[must_use]
    pub fn without_file_secrets(&self) -> Self {
        Self {
            files_unread: true,
            ..self.clone()
        }
    }
}

/// The refusals that the user lifts: by flag, the patterns of the hosts that it holds for. Each refusal has a flag of its
/// own; there is no `--force`.
#[derive(Debug, Clone, Default)]
pub struct Consent {
    flags: BTreeMap<String, Vec<String>>,
}

/// Continues if an LDAP server does not answer.
pub const UNVERIFIED: &str = "--allow-unverified";
/// Continues without a host that cannot be reached.
pub const UNREACHABLE: &str = "--allow-unreachable";

impl Consent {
    /// Those of flags, each with the patterns of hosts that it holds for.
    #[must_use]
    pub fn of(flags: BTreeMap<String, Vec<String>>) -> Self {
        Self { flags }
    }

    /// These, and the flags that were given when a plan was saved.
    #[must_use]
    pub fn with(mut self, recorded: &BTreeMap<String, Vec<String>>) -> Self {
        for (flag, patterns) in recorded {
            let of_flag = self.flags.entry(flag.clone()).or_default();
            of_flag.extend(patterns.iter().cloned());
        }
        self
    }

    /// Each flag with its patterns.
    pub fn flags(&self) -> impl Iterator<Item = (&str, &[String])> {
        let flags = self.flags.iter();
        flags.map(|(flag, patterns)| (flag.as_str(), patterns.as_slice()))
    }

    /// Whether a refusal of this kind is lifted on a host.
    #[must_use]
    pub fn lifts(&self, host: &HostName, kind: RefusalKind) -> bool {
        kind.flag().is_some_and(|flag| self.holds(flag, host))
    }

    /// Whether an LDAP server of a host need not answer.
    #[must_use]
    pub fn unverified(&self, host: &HostName) -> bool {
        self.holds(UNVERIFIED, host)
    }

    /// Whether a host may be unreachable.
    #[must_use]
    pub fn unreachable(&self, host: &HostName) -> bool {
        self.holds(UNREACHABLE, host)
    }

    fn holds(&self, flag: &str, host: &HostName) -> bool {
        let mut patterns = self.flags.get(flag).into_iter().flatten();
        patterns.any(|pattern| matches(pattern, host.as_str()))
    }
}
