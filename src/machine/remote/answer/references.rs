//! What a host says of the files and tables that parameters name and nothing manages.

use std::collections::BTreeMap;

use super::head::{Head, Stat};
use super::table_lines::TableLines;
use crate::machine::Questions;
use crate::machine::remote::access_checks::{groups, may_enter, may_read};
use crate::secret::Secrets;
use crate::state::{LiveReferences, LiveTable, ReferencesAnswered};

/// The bytes of a table's source that a host sends at most; one of this length may be cut.
const TABLE_CAP: usize = 64 * 1024;

/// What is wrong with the files, and about which the host has answered.
pub(super) fn references(head: &Head<'_>, questions: &Questions) -> LiveReferences {
    let digest = head.words.get("references").copied().unwrap_or_default();
    let answered = match &questions.references {
        Some(asked) => ReferencesAnswered::Asked(Box::new(asked.clone())),
        None if digest.is_empty() => ReferencesAnswered::Nothing,
        None => ReferencesAnswered::Kept(digest.to_owned()),
    };
    let groups = groups(head.postfix);
    let faults = head.faults.iter().filter_map(|line| {
        let (kind, line) = line.split_once(' ')?;
        if let Some(path) = line.strip_prefix("- ") {
            return Some((path.to_owned(), "does not exist".to_owned()));
        }
        let (path, stat) = Stat::read(line)?;
        let directory = stat.other() == Some("a directory");
        let (owner, group) = (&stat.owner, &stat.group);
        let seen = format!("({:04o} {owner}:{group})", stat.mode & 0o7777);
        let fault = match (kind, directory) {
            ("f", _) => format!("is {}", stat.other()?),
            (_, true) if may_enter(&stat, &groups) => return None,
            (_, true) => format!("cannot be entered by user postfix {seen}"),
            (_, false) if may_read(&stat, &groups) => return None,
            (_, false) => format!("cannot be read by user postfix {seen}"),
        };
        Some((path, fault))
    });
    LiveReferences {
        answered,
        faults: faults.collect(),
    }
}

/// What the tables say, by the word that names them.
pub(super) fn tables(head: &Head<'_>, secrets: &Secrets) -> BTreeMap<String, LiveTable> {
    let mut tables = BTreeMap::new();
    for found in &head.tables {
        let table = table(found, secrets);
        // A text says more than answers about keys.
        if found.kind == "t" || !tables.contains_key(found.table) {
            tables.insert(found.table.to_owned(), table);
        }
    }
    tables
}

fn table(found: &TableLines<'_>, secrets: &Secrets) -> LiveTable {
    let mut answers: BTreeMap<String, Option<String>> = BTreeMap::new();
    let (mut text, mut sent) = (String::new(), 0);
    for line in &found.lines {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "!" => return LiveTable::NotRead(secrets.scrub(rest)),
            "+" => {
                let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
                answers.insert(key.to_ascii_lowercase(), Some(secrets.scrub(value)));
            }
            "-" => {
                answers.insert(rest.to_ascii_lowercase(), None);
            }
            _ => {
                let line = line.strip_prefix(found.path());
                if let Some(line) = line.and_then(|line| line.strip_prefix(':')) {
                    text.push_str(&secrets.scrub(line));
                    text.push('\n');
                }
                sent += line.map_or(0, str::len) + found.path().len() + 1;
            }
        }
    }
    if sent >= TABLE_CAP {
        return LiveTable::NotRead("its source is larger than 64 KiB".to_owned());
    }
    if found.kind == "t" {
        return LiveTable::Text(text);
    }
    // Lines with some of the keys in them: a line that continues another one is not sent as its part.
    if answers.is_empty() {
        return LiveTable::some_lines(found.table, &text, &found.keys);
    }
    LiveTable::Answers(answers)
}
