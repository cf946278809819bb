//! A manifest that was read without errors, with what its hosts are compiled from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::revision::{Ancestry, ancestry};
use super::{Loaded, revision};
use crate::compile::Compiler;
use crate::diagnostic::{Diagnostic, Sources};
use crate::model::Murder;
use crate::module::Modules;
use crate::name::{HostName, RoleName};
use crate::state::Desired;

/// A manifest that was read without errors.
#[derive(Debug)]
pub struct LoadedMurder {
    /// What it means.
    pub murder: Murder,
    /// Each module's `after`.
    pub after: BTreeMap<RoleName, Vec<RoleName>>,
    /// The texts that it was read from.
    pub sources: Sources,
    /// The modules, the shipped ones and those beside the manifest.
    pub modules: Modules,
    /// Warnings about it, in the order of the texts.
    pub warnings: Vec<Diagnostic>,
    folder: PathBuf,
    files: BTreeSet<PathBuf>,
    revision: OnceLock<String>,
    ancestries: Mutex<BTreeMap<String, Ancestry>>,
}

impl Loaded {
    /// The manifest, if there is no error among its diagnostics.
    ///
    /// # Errors
    /// What was read, unchanged, where there is one.
    pub fn into_murder(self) -> Result<LoadedMurder, Box<Self>> {
        if self.failed() {
            return Err(Box::new(self));
        }
        let Some(murder) = self.murder else {
            return Err(Box::new(self));
        };
        let modules = self.modules.0.iter();
        Ok(LoadedMurder {
            murder,
            after: modules
                .map(|(role, module)| (role.clone(), module.after.clone()))
                .collect(),
            sources: self.sources,
            modules: self.modules,
            warnings: self.diagnostics,
            folder: self.folder,
            files: self.files,
            revision: OnceLock::new(),
            ancestries: Mutex::default(),
        })
    }
}

impl LoadedMurder {
    /// The git commit of the manifest, see [`revision`](super::revision()). It is read when the first ledger or
    /// history needs it: git takes longer than observing a host, and a plan needs no revision.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.revision
            .get_or_init(|| revision(&self.folder, &self.files))
    }

    /// How the manifest's commit relates to another one; git is asked once for each.
    #[must_use]
    pub fn ancestry(&self, commit: &str) -> Ancestry {
        let mut known = self
            .ancestries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let asked = || ancestry(&self.folder, commit);
        *known.entry(commit.to_owned()).or_insert_with(asked)
    }

    /// What the manifest wants of a host, by the facts that it states; none where it does not compile.
    #[must_use]
    pub fn desired(&self, host: &HostName) -> Option<Desired> {
        let facts = &self.murder.hosts.get(host)?.facts;
        let compiler = Compiler::new(&self.murder, &self.modules).ok()?;
        Some(compiler.compile(host, facts).ok()?.desired)
    }
}
