//! How hosts are reached, and what the user consents to.

use std::path::PathBuf;

use clap::Args;

use crate::plan::RefusalKind;

/// How hosts are reached.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Reaching hosts")]
pub struct Reach {
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
pub struct Consent {
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

impl Consent {
    /// Whether a refusal of this kind is lifted.
    #[must_use]
    pub fn lifts(&self, kind: RefusalKind) -> bool {
        match kind {
            RefusalKind::Adopt => self.adopt,
            RefusalKind::TakeOver => self.take_over,
            RefusalKind::Delete => self.allow_delete,
            RefusalKind::Overwrite => self.allow_overwrite,
            RefusalKind::Restart => self.allow_restart,
            RefusalKind::UnknownParameter => false,
        }
    }
}
