//! The arguments that say which manifest a verb reads, once for all verbs.

use std::path::PathBuf;

use clap::Args;

use crate::session::path_policy::PathPolicy;

/// The manifest, for the verbs that take one host.
#[derive(Debug, Clone, Args)]
pub struct ManifestArguments {
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Merge this file into the manifest; its values win (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
}

/// What the operator adds to the manifest.
#[derive(Debug, Clone, Default, Args)]
pub struct AdditionArguments {
    /// Merge this file into the manifest; its values win (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// Let the manifest manage files whose path matches, outside of /etc/postfix too (repeatable).
    #[arg(long, value_name = "GLOB")]
    pub allow_path: Vec<String>,
}

impl AdditionArguments {
    /// Which files the manifest may manage.
    #[must_use]
    pub fn paths(&self) -> PathPolicy {
        PathPolicy {
            allow: self.allow_path.clone(),
        }
    }
}
