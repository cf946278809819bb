//! The flags of `apply` that are about a saved plan.

use std::path::PathBuf;

use clap::Args;

use crate::session::signature::SignatureSource;

/// The flags of `apply` that are about a saved plan.
#[derive(Debug, Args)]
#[command(next_help_heading = "Saved plan")]
pub struct PlanFileArguments {
    /// The folder from which relative paths in a saved plan resolve. Default: the current folder.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub base: Option<PathBuf>,
    /// With `--ldif` or `--directory` and a saved plan: the manifest that it was made from. Default: the current folder.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    pub manifest: Option<PathBuf>,
    /// Apply a saved plan only if its digest is this one.
    #[arg(long, value_name = "DIGEST")]
    pub expect_digest: Option<String>,
    /// Apply a saved plan only if it was made from this git commit, without changes that were not committed.
    #[arg(long, value_name = "REV")]
    pub expect_revision: Option<String>,
    /// Apply a saved plan only if one of these signers (ssh-keygen(1), ALLOWED SIGNERS) signed it.
    #[arg(long, value_name = "ALLOWED_SIGNERS", value_hint = clap::ValueHint::FilePath)]
    pub require_signature: Option<PathBuf>,
    /// The signer that must have signed the saved plan. Default: any of them.
    #[arg(long, value_name = "NAME", requires = "require_signature")]
    pub identity: Option<String>,
    /// Where the signature is: a file, or an environment variable (`env:NAME`). Default: FILE.sig.
    #[arg(long, value_name = "FILE|env:NAME", requires = "require_signature")]
    pub signature: Option<SignatureSource>,
    /// Trust what a saved plan without a verified signature says about addresses and keys of hosts.
    #[arg(long)]
    pub trust_plan: bool,
}

impl PlanFileArguments {
    /// The first of these flags that was given: they mean nothing for a manifest.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--base", self.base.is_some()),
            ("--manifest", self.manifest.is_some()),
            ("--expect-digest", self.expect_digest.is_some()),
            ("--expect-revision", self.expect_revision.is_some()),
            ("--require-signature", self.require_signature.is_some()),
            ("--trust-plan", self.trust_plan),
        ];
        flags
            .iter()
            .find(|(_, given)| *given)
            .map(|(flag, _)| *flag)
    }
}
