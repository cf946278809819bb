//! The flags that say how to reach hosts, and which refusals to lift.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::Selection;
use crate::secret_source::SourceOptions;
use crate::session::options::{Consent, Reach, UNREACHABLE, UNVERIFIED};
use crate::session::path_policy::PathPolicy;

/// How many hosts a run works on at the same time, unless `--parallel` says it.
pub(super) const PARALLEL: usize = 32;

/// How hosts are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reaching hosts")]
pub struct ReachArguments {
    /// Use folders below DIR in place of real hosts: needs no root, no network and no Postfix. Without DIR,
    /// it uses `murder-sandbox` in the current folder.
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "murder-sandbox", conflicts_with_all = ["local", "accept_new"])]
    pub sandbox: Option<PathBuf>,
    /// Apply to this machine itself, without ssh.
    #[arg(long, conflicts_with = "accept_new")]
    pub local: bool,
    /// Accept and record the key of a host that is not in known_hosts, as OpenSSH's `accept-new` does.
    #[arg(long)]
    pub accept_new: bool,
    /// How many hosts to work on at the same time.
    #[arg(long, value_name = "N", default_value_t = PARALLEL, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub parallel: usize,
    /// Run the programs that the manifest names as sources of secrets.
    #[arg(long)]
    pub allow_commands: bool,
}

/// The refusals that the user lifts. Each has a flag of its own, for all hosts, or with a pattern for those whose name matches;
/// there is no `--force`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Consent")]
pub struct ConsentArguments {
    /// Replace files that differ and values that the host set itself, where `murder` did not write them; their previous state is kept.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub adopt: Vec<String>,
    /// Take over hosts that another murder manages.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub take_over: Vec<String>,
    /// Allow a plan that deletes more than the limit of the manifest.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_delete: Vec<String>,
    /// Delete, restore or roll back things that were changed on the host since the last apply.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_overwrite: Vec<String>,
    /// Stop and start Postfix for parameters that a reload does not change.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_restart: Vec<String>,
    /// Apply a plan although mail is refused or waits after it because of the configuration as a whole.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_fault: Vec<String>,
    /// Apply a plan although mail is refused for good, thrown away, bounces or loops because of it, by the directory that `plan --ldif` or
    /// `--directory` was given.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_bounce: Vec<String>,
    /// With `--host` or `--wave`: apply hosts that only lose things before hosts that are left out have their additions.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_early_removal: Vec<String>,
    /// Apply a manifest whose git commit does not descend from the one that the host has.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_older: Vec<String>,
    /// Continue if an LDAP server does not answer.
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub allow_unverified: Vec<String>,
    /// Continue without hosts whose name matches, if they cannot be reached (repeatable).
    #[arg(long, value_name = "GLOB")]
    pub allow_unreachable: Vec<String>,
}

impl ReachArguments {
    /// The same, for the session.
    #[must_use]
    pub fn options(&self) -> Reach {
        Reach {
            sandbox: self.sandbox.clone(),
            local: self.local,
            accept_new: self.accept_new,
            parallel: self.parallel,
            untrusted: false,
            files_unread: false,
            from_live_file: false,
            sources: SourceOptions {
                commands: self.allow_commands,
            },
            paths: PathPolicy::default(),
            without_holds: false,
            reason: None,
            seen: None,
        }
    }

    /// The same for the hosts of a selection, by what its flags say of the manifest.
    #[must_use]
    pub fn of_selection(&self, selection: &Selection) -> Reach {
        Reach {
            untrusted: selection.untrusted,
            paths: selection.paths(),
            ..self.options()
        }
    }
}

impl ConsentArguments {
    /// The flags that were given, with the patterns of hosts that each holds for: what a saved plan records.
    #[must_use]
    pub fn flags(&self) -> BTreeMap<String, Vec<String>> {
        let given = [
            ("--adopt", &self.adopt),
            ("--take-over", &self.take_over),
            ("--allow-delete", &self.allow_delete),
            ("--allow-overwrite", &self.allow_overwrite),
            ("--allow-restart", &self.allow_restart),
            ("--allow-fault", &self.allow_fault),
            ("--allow-bounce", &self.allow_bounce),
            ("--allow-early-removal", &self.allow_early_removal),
            ("--allow-older", &self.allow_older),
            (UNVERIFIED, &self.allow_unverified),
            (UNREACHABLE, &self.allow_unreachable),
        ];
        let given = given.into_iter().filter(|(_, hosts)| !hosts.is_empty());
        given
            .map(|(flag, hosts)| (flag.to_owned(), hosts.clone()))
            .collect()
    }

    /// The same, for the session.
    #[must_use]
    pub fn options(&self) -> Consent {
        Consent::of(self.flags())
    }
}
