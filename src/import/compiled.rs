//! A manifest in the making, compiled: the murder that its text means, and what each host must have.

use std::collections::BTreeMap;
use std::path::Path;

use crate::compile::{Compiler, ModuleTemplates};
use crate::diagnostic::{Diagnostic, Severity, Sources};
use crate::load;
use crate::manifest::{self, Text};
use crate::model::{self, Meaning, Murder};
use crate::module::{self, Library, Modules};
use crate::secret::{LocalFile, Secret, SecretSource, Secrets};

/// The shipped modules, read once.
#[derive(Debug)]
pub struct Shipped {
    /// The modules.
    pub modules: Modules,
    parsed: ModuleTemplates,
}

/// A manifest that is whole.
#[derive(Debug)]
pub struct DraftMurder {
    /// What it means.
    pub murder: Murder,
    /// The texts of the secrets that it refers to.
    pub secrets: Secrets,
}

impl Shipped {
    /// Reads them.
    #[must_use]
    pub fn read() -> Self {
        let files = module::embedded();
        let mut sources = Sources::default();
        let mut library = Library::new(&files, &[], "modules", &mut sources);
        library.read(|_| true, &mut sources);
        let modules = library.into_modules();
        Self {
            parsed: ModuleTemplates::new(&modules),
            modules,
        }
    }

    /// What the texts of a manifest mean. `files` are the templates beside it, and `secrets` the texts of its secrets by
    /// their file.
    ///
    /// # Errors
    /// What is wrong with the manifest, with places in its texts, which are numbered from 0.
    pub fn murder(
        &self,
        texts: &[&str],
        files: &BTreeMap<String, String>,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<DraftMurder, Vec<Diagnostic>> {
        let mut sources = Sources::default();
        let texts: Vec<Text<'_>> = texts
            .iter()
            .map(|text| Text {
                source: sources.add("murder.yaml", *text),
                text,
            })
            .collect();
        let parsed = manifest::parse(&texts, &[]);
        let mut problems = parsed.problems;
        let Some(manifest) = parsed.manifest else {
            return Err(problems);
        };
        let context = model::Context {
            roles: &load::roles(&self.modules, &<_>::default()),
            templates: files,
            folder: Path::new(""),
        };
        let resolved = model::resolve(&manifest, &context);
        problems.extend(resolved.problems);
        match resolved.meaning {
            Meaning::Whole(murder) if !problems.iter().any(is_error) => {
                let secrets = texts_of(&murder, secrets);
                Ok(DraftMurder { murder, secrets })
            }
            _ => {
                problems.retain(is_error);
                Err(problems)
            }
        }
    }

    /// A compiler for a murder.
    ///
    /// # Errors
    /// What is wrong with its templates.
    pub fn compiler<'a>(&'a self, murder: &'a Murder) -> Result<Compiler<'a>, Vec<Diagnostic>> {
        Compiler::with_parsed(murder, &self.modules, Some(&self.parsed))
    }
}

fn is_error(problem: &Diagnostic) -> bool {
    problem.level == Severity::Error
}

fn texts_of(murder: &Murder, known: &BTreeMap<String, Secret>) -> Secrets {
    let mut secrets = Secrets::default();
    for (name, (source, _)) in &murder.secrets {
        if let SecretSource::File(LocalFile::Path(path)) = source
            && let Some(secret) = known.get(&path.display().to_string())
        {
            secrets.insert(name.clone(), secret.clone());
        }
    }
    secrets
}
