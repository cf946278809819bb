//! The files and tables that parameters name and nothing manages: what a host is asked about them, and what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::digest::sha256_hex;
use crate::name::RemotePath;

/// The files and tables that parameters name and nothing manages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct References {
    /// Files that Postfix programs open as root.
    pub files: BTreeSet<RemotePath>,
    /// Files that user postfix opens.
    pub of_postfix: BTreeSet<RemotePath>,
    /// Tables that are asked for keys, by the word that names them in a value.
    pub asked: BTreeMap<String, BTreeSet<String>>,
    /// Tables whose source is read, by that word.
    pub read: BTreeSet<String>,
}

impl References {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds others.
    pub fn extend(&mut self, others: Self) {
        self.files.extend(others.files);
        self.of_postfix.extend(others.of_postfix);
        self.read.extend(others.read);
        for (table, keys) in others.asked {
            self.asked.entry(table).or_default().extend(keys);
        }
    }

    /// Whether all of the others are among them.
    #[must_use]
    pub fn cover(&self, others: &Self) -> bool {
        let asked = |(table, keys): (&String, &BTreeSet<String>)| {
            let own = self.asked.get(table);
            own.is_some_and(|own| own.is_superset(keys))
        };
        self.files.is_superset(&others.files)
            && self.of_postfix.is_superset(&others.of_postfix)
            && self.read.is_superset(&others.read)
            && others.asked.iter().all(asked)
    }

    /// The lines by which a host is asked about them, except for those about texts: what it keeps for the next
    /// observation.
    #[must_use]
    pub fn kept_lines(&self) -> String {
        let mut lines = String::new();
        for path in &self.files {
            let _ = writeln!(lines, "f {path}");
        }
        for path in &self.of_postfix {
            let _ = writeln!(lines, "p {path}");
        }
        for (table, keys) in &self.asked {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let _ = writeln!(lines, "q {table} {}", keys.join(" "));
        }
        lines
    }

    /// All lines by which a host is asked about them.
    #[must_use]
    pub fn lines(&self) -> String {
        let mut lines = self.kept_lines();
        for table in &self.read {
            let _ = writeln!(lines, "t {table}");
        }
        lines
    }

    /// The digest of what a host keeps. None if that is nothing.
    #[must_use]
    pub fn digest(&self) -> Option<String> {
        let lines = self.kept_lines();
        (!lines.is_empty()).then(|| sha256_hex(lines.as_bytes())[..16].to_owned())
    }
}

/// Which files and tables a host has answered about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReferencesAnswered {
    /// None.
    #[default]
    Nothing,
    /// Those that it keeps since the last apply, whose list has this digest.
    Kept(String),
    /// Those that it was asked about.
    Asked(Box<References>),
}

/// What a host says of the files and tables that parameters name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveReferences {
    /// About which it says something.
    pub answered: ReferencesAnswered,
    /// What is wrong with a file, or with a directory on the way to one that user postfix opens: a clause such as `does
    /// not exist`.
    pub faults: BTreeMap<String, String>,
}

impl LiveReferences {
    /// Whether the host has answered about all of these.
    #[must_use]
    pub fn cover(&self, references: &References) -> bool {
        match &self.answered {
            _ if references.is_empty() => true,
            ReferencesAnswered::Nothing => false,
            ReferencesAnswered::Kept(digest) => {
                references.read.is_empty() && references.digest().as_ref() == Some(digest)
            }
            ReferencesAnswered::Asked(asked) => asked.cover(references),
        }
    }

    /// Adds what an observation of another service of the host says. About files and tables that only one of them has
    /// answered about, the host is asked again.
    pub fn add(&mut self, more: Self) {
        if self.answered != more.answered {
            self.answered = ReferencesAnswered::Nothing;
        }
        self.faults.extend(more.faults);
    }

    /// The files among these that the host says cannot be opened.
    #[must_use]
    pub fn unopened(&self, references: &References) -> BTreeSet<String> {
        let of_root = references.files.iter().map(|path| (path, false));
        let all = of_root.chain(references.of_postfix.iter().map(|path| (path, true)));
        all.filter(|(path, of_postfix)| self.fault(path, *of_postfix).is_some())
            .map(|(path, _)| path.to_string())
            .collect()
    }

    /// What is wrong with a file, with the path of the file or directory that is at fault.
    #[must_use]
    pub fn fault<'a>(
        &'a self,
        path: &'a RemotePath,
        of_postfix: bool,
    ) -> Option<(&'a str, &'a str)> {
        let path = path.as_str();
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        let directories = ends.map(|end| &path[..end]).filter(|_| of_postfix);
        let mut ways = directories.chain([path]);
        ways.find_map(|way| Some((way, self.faults.get(way)?.as_str())))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::new(text).unwrap()
    }

    #[test]
    fn a_kept_list_answers_only_for_itself() {
        let mut references = References::default();
        let mut live = LiveReferences::default();
        assert!(live.cover(&references) && references.digest().is_none());
        references.files.insert(path("/etc/ssl/a.pem"));
        assert!(!live.cover(&references));
        live.answered = ReferencesAnswered::Kept(references.digest().unwrap());
        assert!(live.cover(&references));
        let mut more = references.clone();
        more.read.insert("hash:/etc/postfix/x".to_owned());
        assert!(!live.cover(&more), "a text is not kept");
        assert_eq!(more.digest(), references.digest());
        live.answered = ReferencesAnswered::Asked(Box::new(more.clone()));
        assert!(live.cover(&more) && live.cover(&references));
        more.of_postfix.insert(path("/x"));
        assert!(!live.cover(&more));
    }

    #[test]
    fn a_directory_on_the_way_is_a_fault_for_user_postfix_alone() {
        let mut live = LiveReferences::default();
        let shut = "user postfix cannot enter it".to_owned();
        live.faults.insert("/etc/ssl/private".to_owned(), shut);
        let key = path("/etc/ssl/private/a/b.key");
        assert_eq!(live.fault(&key, false), None);
        assert_eq!(live.fault(&key, true).unwrap().0, "/etc/ssl/private");
    }
}
