//! Paths that exclude each other: a file where another one needs a directory, or where
//! a table's index comes to lie.

use std::collections::BTreeMap;

use super::work::Work;
use crate::diagnostic::{Diagnostic, Span};
use crate::name::RemotePath;
use crate::state::{File, Want};
use crate::thing::Thing;

impl Work<'_> {
    /// Finds what would fail only when it is applied.
    pub(super) fn check_paths(&mut self) {
        let files = &self.compiled.wanted().files;
        let indexes: BTreeMap<String, &RemotePath> = files
            .iter()
            .filter_map(|(path, want)| Some((index_of(path, want)?, path)))
            .collect();
        let mut problems = Vec::new();
        for (path, want) in files {
            if let Some(table) = indexes.get(path.as_str()) {
                problems.push(self.clash(
                    (path, "the path of the index"),
                    (table, "the table"),
                    format!("`{path}` is a managed file, and the index of the table `{table}`"),
                    "give one of the two another path: postmap(1) writes the index beside the table",
                ));
            }
            // What must not be there needs no directory.
            if matches!(want, Want::Absent) {
                continue;
            }
            for above in above(path.as_str()) {
                let named = RemotePath::new(above).ok();
                let owner = named.as_ref().and_then(|one| files.get_key_value(one));
                if let Some(other) = owner
                    .map(|(path, _)| path)
                    .or_else(|| indexes.get(above).copied())
                {
                    let summary = match files.get(other) {
                        Some(Want::Absent) => {
                            format!("`{above}` must not exist, but is the directory of `{path}`")
                        }
                        _ => {
                            format!("`{above}` cannot be both a file and the directory of `{path}`")
                        }
                    };
                    problems.push(self.clash(
                        (path, "this file is below it"),
                        (other, "the other path"),
                        summary,
                        "give one of the two another path",
                    ));
                }
            }
        }
        self.problems.append(&mut problems);
    }

    fn clash(
        &self,
        one: (&RemotePath, &str),
        other: (&RemotePath, &str),
        summary: String,
        hint: &str,
    ) -> Diagnostic {
        Diagnostic::error(summary)
            .at(self.place(one.0), one.1)
            .related(self.place(other.0), other.1)
            .hint(hint)
    }

    /// Where a file is named.
    pub(super) fn place(&self, path: &RemotePath) -> Span {
        let origins = self.compiled.origins.get(&Thing::File(path.clone()));
        origins
            .and_then(|origins| origins.first())
            .map_or(self.host.at, |origin| origin.at)
    }
}

/// The path of the index beside a table.
fn index_of(path: &RemotePath, want: &Want<File>) -> Option<String> {
    let Want::Present(file) = want else {
        return None;
    };
    let suffix = file.index.as_ref()?.index_suffix()?;
    Some(format!("{path}{suffix}"))
}

/// The directories above a path, the nearest first, without the root.
fn above(path: &str) -> impl Iterator<Item = &str> {
    let cuts = path.rmatch_indices('/').map(|(at, _)| &path[..at]);
    cuts.filter(|above| !above.is_empty())
}
