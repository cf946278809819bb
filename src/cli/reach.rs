//! The flags that say how hosts are reached, and what the user consents to.

use std::path::PathBuf;

use clap::Args;

use crate::session::options::{Consent, Reach};

/// How hosts are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reaching hosts")]
pub struct ReachArguments {
    /// Folders below DIR in place of machines: no root, no network, no Postfix. Without DIR they are
    /// below `murder-sandbox` in the current folder.
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = "murder-sandbox", conflicts_with_all = ["local", "accept_new"])]
    pub sandbox: Option<PathBuf>,
    /// This host itself, in place of ssh.
    #[arg(long, conflicts_with = "accept_new")]
    pub local: bool,
    /// Take the key of a host that known_hosts does not have, as OpenSSH's `accept-new`.
    #[arg(long)]
    pub accept_new: bool,
    /// Hosts at once.
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024))]
    pub parallel: usize,
}

/// What the user consents to. Each refusal has its own word; there is no `--force`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Consent")]
pub struct ConsentArguments {
    /// Replace files that differ and are not ours; their text is kept on the host.
    #[arg(long)]
    pub adopt: bool,
    /// Take hosts over from another murder's ledger.
    #[arg(long)]
    pub take_over: bool,
    /// Delete more than a plan usually does.
    #[arg(long)]
    pub allow_delete: bool,
    /// Delete, give back or roll back things that somebody else changed.
    #[arg(long)]
    pub allow_overwrite: bool,
    /// Stop and start Postfix for parameters that a reload does not reach.
    #[arg(long)]
    pub allow_restart: bool,
    /// Go on where LDAP does not answer.
    #[arg(long)]
    pub allow_unverified: bool,
    /// Go on without the hosts whose name matches, where they cannot be reached (repeatable).
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
        }
    }
}

impl ConsentArguments {
    /// The same, for the session.
    #[must_use]
    pub fn options(&self) -> Consent {
        Consent {
            adopt: self.adopt,
            take_over: self.take_over,
            allow_delete: self.allow_delete,
            allow_overwrite: self.allow_overwrite,
            allow_restart: self.allow_restart,
            allow_unverified: self.allow_unverified,
            allow_unreachable: self.allow_unreachable.clone(),
        }
    }
}
