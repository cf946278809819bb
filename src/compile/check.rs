//! What can be said of the final values: their kinds, and the tables that they open.

use std::collections::BTreeMap;

use super::Work;
use crate::diagnostic::Diagnostic;
use crate::name::{RemotePath, TableType};
use crate::postfix::catalogue;
use crate::state::Want;
use crate::thing::Thing;

impl Work<'_> {
    /// Values are one line: postconf(1) takes no line ends. What the catalogue knows of a
    /// parameter must fit too: Postfix finds a wrong number only when mail comes.
    pub(super) fn check_values(&mut self) {
        for (thing, want) in &self.compiled.desired.values {
            let Want::Present(value) = want else { continue };
            let at = self
                .compiled
                .origins
                .get(thing)
                .and_then(|origins| origins.first())
                .map_or(self.host.at, |origin| origin.at);
            if value.contains(['\n', '\r', '\0']) {
                self.problems.push(
                    Diagnostic::error(format!("the value of `{thing}` has a line end"))
                        .at(at, "")
                        .hint("write it on one line, or fold it with `>-`"),
                );
                continue;
            }
            let (Thing::Parameter(name) | Thing::Option(_, name)) = thing else {
                continue;
            };
            if let Err(problem) =
                catalogue::check(name.as_str(), value, &self.facts.postfix_version)
            {
                let mut said = Diagnostic::error(problem.summary).at(at, "");
                said.detail = problem.detail;
                said.hint = problem.hint;
                self.problems.push(said);
            }
        }
    }

    /// Finds which of the files are opened as tables, and as what, from the values that name them.
    pub(super) fn find_tables(&mut self) {
        let mut opened: BTreeMap<RemotePath, TableType> = BTreeMap::new();
        for want in self.compiled.desired.values.values() {
            if let Want::Present(value) = want {
                opened.extend(tables(value));
            }
        }
        for (path, want) in &mut self.compiled.desired.files {
            if let Want::Present(file) = want
                && let Some(kind) = opened.get(path)
            {
                file.table = Some(kind.clone());
            }
        }
    }
}

/// Every `type:/path` in a value, without the `proxy:` before it. Where the type is a `$parameter`,
/// only the host knows it, and the table is not named here.
pub(super) fn tables(value: &str) -> Vec<(RemotePath, TableType)> {
    let mut found = Vec::new();
    for (at, _) in value.match_indices(":/") {
        let kind: String = value[..at]
            .chars()
            .rev()
            .take_while(|character| character.is_ascii_alphanumeric() || *character == '_')
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect();
        if value[..at - kind.len()].ends_with('$') {
            continue;
        }
        let path: String = value[at + 1..]
            .chars()
            .take_while(|character| !character.is_whitespace() && !",{}()".contains(*character))
            .collect();
        if let (Ok(kind), Ok(path)) = (TableType::new(kind), RemotePath::new(path))
            && kind.as_str() != "unix"
        {
            found.push((path, kind));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_behind_proxy_and_in_lists() {
        let found = tables("proxy:ldap:/etc/postfix/a.cf, hash:/etc/postfix/b lmtp:unix:/run/x");
        let texts: Vec<String> = found
            .iter()
            .map(|(path, kind)| format!("{kind}:{path}"))
            .collect();
        assert_eq!(texts, ["ldap:/etc/postfix/a.cf", "hash:/etc/postfix/b"]);
    }

    #[test]
    fn a_type_that_only_the_host_knows_is_not_guessed() {
        assert_eq!(tables("$default_database_type:/etc/postfix/a"), []);
    }
}
