//! Checks the lines of alias files (aliases(5)): postalias(1) skips a wrong one, and mail to its name is refused.

use super::work::Work;
use crate::diagnostic::Diagnostic;
use crate::name::RemotePath;
use crate::postfix::alias_problems;
use crate::postfix::catalogue::{table_files, tables};
use crate::state::Want;
use crate::thing::Thing;

/// The system's alias file, which Postfix uses by default.
const SYSTEM: &str = "/etc/aliases";

impl Work<'_> {
    /// Finds the wrong lines of alias files.
    pub(super) fn check_alias_files(&mut self) {
        let mut problems = Vec::new();
        for (path, want) in &self.compiled.wanted().files {
            let Want::Present(file) = want else { continue };
            if !self.is_alias_file(path) {
                continue;
            }
            let place = self.place(path);
            let wrong = alias_problems(&file.body.masked());
            problems.extend(wrong.into_iter().map(|wrong| {
                Diagnostic::error(format!(
                    "line {} of `{path}`: {}",
                    wrong.line, wrong.problem
                ))
                .at(place, "")
                .hint("write `name: address`, as in aliases(5)")
            }));
        }
        self.problems.append(&mut problems);
    }

    /// Whether the manifest, a module or a default names a file as an alias file.
    fn is_alias_file(&self, path: &RemotePath) -> bool {
        let named = |name: &str, value: &str| {
            matches!(name, "alias_maps" | "alias_database")
                && tables::read(value)
                    .iter()
                    .any(|table| table.name == path.as_str() && table_files::has_index(&table.kind))
        };
        let mut values = self.compiled.wanted().values.iter();
        let by_value = values.any(|(thing, want)| match (thing, want) {
            (Thing::Parameter(name), Want::Present(value)) => named(name.as_str(), value),
            _ => false,
        });
        by_value || path.as_str() == SYSTEM
    }
}
