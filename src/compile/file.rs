//! Whole files.

use std::collections::BTreeSet;

use tera::Context;

use super::layer;
use super::work::{ValueOrigin, Work};
use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::defaults;
use crate::model::{ContentSpec, FileSpec, Layer};
use crate::module::value_name;
use crate::name::{Mode, RemotePath, UserName};
use crate::secret::Body;
use crate::state::{File, Want};
use crate::thing::Thing;

/// How a template that the manifest names is called among the templates.
pub(super) fn manifest_name(name: &str) -> String {
    format!("manifest {name}")
}

/// What the layers of one role say of a file.
struct RoleFile {
    role: usize,
    want: Want<File>,
    origins: Vec<ValueOrigin>,
}

impl Work<'_> {
    pub(super) fn files(&mut self) {
        let mut words: std::collections::BTreeMap<RemotePath, Vec<RoleFile>> = Default::default();
        let mut spoken: BTreeSet<RemotePath> = BTreeSet::new();
        for role in 0..self.roles.len() {
            self.module_files(role, &mut words, &mut spoken);
        }
        let named: Vec<RemotePath> = self.host.files.keys().cloned().collect();
        for path in named {
            if spoken.contains(&path) {
                continue;
            }
            let layers = self.host.files.get(&path);
            let mut by_role: Vec<(usize, Vec<Layer<FileSpec>>)> = Vec::new();
            for (role, held) in self.roles.iter().enumerate() {
                if layer::has_word(layers, &held.module.role) {
                    let chain = layer::of_role(layers, Some(&held.module.role));
                    by_role.push((role, chain.into_iter().cloned().collect()));
                }
            }
            if by_role.is_empty() {
                let chain = layer::of_role(layers, None);
                by_role.push((0, chain.into_iter().cloned().collect()));
            }
            for (role, chain) in by_role {
                if let Some(word) = self.manifest_word(&path, role, &chain, None) {
                    words.entry(path.clone()).or_default().push(word);
                }
            }
        }
        for (path, words) in words {
            self.take_file(path, words);
        }
    }

    /// What a module says, with the manifest's layers before it.
    fn module_files(
        &mut self,
        role: usize,
        words: &mut std::collections::BTreeMap<RemotePath, Vec<RoleFile>>,
        spoken: &mut BTreeSet<RemotePath>,
    ) {
        let Some(module) = self.roles.get(role).map(|role| role.module) else {
            return;
        };
        for (path, own) in &module.files {
            if !self.named(&Thing::File(path.clone()), role) {
                continue;
            }
            for (path, host_value) in self.copies(path, role) {
                spoken.insert(path.clone());
                let chain: Vec<Layer<FileSpec>> =
                    layer::of_role(self.host.files.get(&path), Some(&module.role))
                        .into_iter()
                        .cloned()
                        .collect();
                let word = if chain.is_empty() {
                    self.module_word(&path, role, own, host_value)
                } else {
                    self.manifest_word(&path, role, &chain, Some(own))
                };
                if let Some(word) = word {
                    words.entry(path).or_default().push(word);
                }
            }
        }
    }

    /// The paths of a file of a module: one for each directory with `per:`.
    fn copies(&self, path: &RemotePath, role: usize) -> Vec<(RemotePath, Option<tera::Value>)> {
        let Some(per) = self
            .roles
            .get(role)
            .and_then(|role| role.module.per.get(path))
        else {
            return vec![(path.clone(), None)];
        };
        self.copies
            .get(per)
            .into_iter()
            .flatten()
            .filter_map(|(suffix, value)| {
                let text = path.as_str();
                let (stem, end) = text
                    .strip_suffix(".cf")
                    .map_or((text, ""), |stem| (stem, ".cf"));
                let path = RemotePath::new(format!("{stem}{suffix}{end}")).ok()?;
                Some((path, Some(value.clone())))
            })
            .collect()
    }

    fn module_word(
        &mut self,
        path: &RemotePath,
        role: usize,
        own: &Layer<FileSpec>,
        host_value: Option<tera::Value>,
    ) -> Option<RoleFile> {
        let held = self.roles.get(role)?;
        let name = match &own.value {
            FileSpec::Present {
                content: ContentSpec::Template { name, .. },
                ..
            } => name.clone(),
            _ => value_name(held.module.role.as_str(), &Thing::File(path.clone())),
        };
        let rendered = match host_value {
            None => held.render(self.engine, &name),
            Some(value) => {
                let mut context: Context = held.context.clone();
                context.insert_value("host", value);
                self.engine.render(&name, &context)
            }
        };
        let text = self.keep(rendered)?;
        let want = self.file(path, &own.value, None, Body::from_rendered(&text), own.at)?;
        Some(RoleFile {
            role,
            want,
            origins: vec![file_origin(own)],
        })
    }

    /// What the nearest layer of the manifest says; the others are what it overrode.
    fn manifest_word(
        &mut self,
        path: &RemotePath,
        role: usize,
        chain: &[Layer<FileSpec>],
        own: Option<&Layer<FileSpec>>,
    ) -> Option<RoleFile> {
        let nearest = chain.first()?;
        let origins = chain.iter().chain(own).map(file_origin).collect();
        let want = match &nearest.value {
            FileSpec::Absent => Want::Absent,
            FileSpec::Present { content, .. } => {
                let body = match content {
                    ContentSpec::Literal(text) => Body::from_rendered(text),
                    ContentSpec::Template { name, .. } => {
                        let held = self.roles.get(role)?;
                        let rendered = held.render(self.engine, &manifest_name(name));
                        Body::from_rendered(&self.keep(rendered)?)
                    }
                };
                // A text that replaces a table's is a table's: Postfix opens its index.
                let table = chain
                    .iter()
                    .skip(1)
                    .chain(own)
                    .find_map(|below| below.value.table());
                self.file(path, &nearest.value, table, body, nearest.at)?
            }
        };
        Some(RoleFile {
            role,
            want,
            origins,
        })
    }

    fn keep<T>(&mut self, result: Result<T, Diagnostic>) -> Option<T> {
        result.map_err(|problem| self.problems.push(problem)).ok()
    }

    /// A file with its owner and mode, which are tight where there is a secret in it.
    fn file(
        &mut self,
        path: &RemotePath,
        spec: &FileSpec,
        below: Option<bool>,
        mut body: Body,
        at: Span,
    ) -> Option<Want<File>> {
        let FileSpec::Present {
            owner,
            group,
            mode,
            table,
            ..
        } = spec
        else {
            return Some(Want::Absent);
        };
        end_line(&mut body);
        let table = table.or(below).unwrap_or(defaults::FILE_TABLE);
        let mut group = group.clone();
        let mut default = Mode::from_bits(defaults::FILE_MODE);
        let secret = body.secrets().next().is_some();
        if secret && mode.is_none() {
            default = Mode::from_bits(0o640);
            if owner.as_str() == defaults::FILE_OWNER && group.as_str() == defaults::FILE_GROUP {
                group = UserName::new("postfix").ok()?;
            }
        }
        let mode = mode.unwrap_or(default);
        if secret && !mode.may_hold_secret() {
            self.problems.push(
                Diagnostic::error(format!("`{path}` holds a secret and has mode {mode}"))
                    .at(at, "")
                    .hint("write `mode: \"0640\"` and `group: postfix`, or a tighter mode"),
            );
            return None;
        }
        let index = (table && self.facts.index_type.index_suffix().is_some())
            .then(|| self.facts.index_type.clone());
        let opened = table.then(|| self.facts.index_type.clone());
        Some(Want::Present(File {
            body,
            owner: owner.clone(),
            group,
            mode,
            index,
            table: opened,
        }))
    }

    fn take_file(&mut self, path: RemotePath, mut words: Vec<RoleFile>) {
        let thing = Thing::File(path.clone());
        if words.is_empty() {
            return;
        }
        let first = words.remove(0);
        let here = self.host.at;
        for other in &words {
            if other.want != first.want
                && let (Some(one), Some(two)) =
                    (self.role_name(first.role), self.role_name(other.role))
            {
                let at = |word: &RoleFile| word.origins.first().map_or(here, |origin| origin.at);
                let problem = layer::conflict(
                    &thing,
                    (one, "one text", at(&first)),
                    (two, "another", at(other)),
                    here,
                );
                self.problems.push(problem);
                return;
            }
        }
        if let Some(winner) = first.origins.first()
            && self.is_left(&thing, &winner.level, winner.at)
        {
            return;
        }
        self.compiled.origins.insert(thing, first.origins);
        self.compiled.wanted_mut().files.insert(path, first.want);
    }
}

/// A text file ends with a line end; postmap(1) and cfg_parser want the last line whole.
fn end_line(body: &mut Body) {
    use crate::secret::Piece;
    match body.0.last_mut() {
        Some(Piece::Text(text)) if text.ends_with('\n') => {}
        Some(Piece::Text(text)) => text.push('\n'),
        Some(Piece::Secret(_)) => body.0.push(Piece::Text("\n".to_owned())),
        None => {}
    }
}

fn file_origin(layer: &Layer<FileSpec>) -> ValueOrigin {
    let value = match &layer.value {
        FileSpec::Absent => "null".to_owned(),
        FileSpec::Present { content, .. } => match content {
            ContentSpec::Literal(_) => "its content".to_owned(),
            ContentSpec::Template { name, .. } => format!("template {name}"),
        },
    };
    ValueOrigin {
        level: layer.level.clone(),
        at: layer.at,
        value,
        members: None,
    }
}
