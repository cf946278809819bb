//! What the lookup tables say that nothing manages, as far as an observation read or asked them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::postfix::{logical_texts, split_list};

/// What a lookup table says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableAnswer {
    /// The table has the key, with this value (it may be empty).
    Yes(String),
    /// The table does not have the key.
    No,
    /// It is not known; why, as a clause in lower case.
    NotJudged(String),
}

/// A lookup table as an observation found it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LiveTable {
    /// The text of its source file.
    Text(String),
    /// The host asked it for some keys: the value of each. None where the table does not have the key.
    Answers(BTreeMap<String, Option<String>>),
    /// It was neither read nor asked; why, as a clause in lower case.
    NotRead(String),
}

impl LiveTable {
    /// A table of whose source only the lines with some of these keys are known.
    #[must_use]
    pub fn some_lines(table: &str, text: &str, keys: &[&str]) -> Self {
        let value_of = |key: &&str| {
            let mut found = match is_list(table) {
                true => split_list(text)
                    .into_iter()
                    .map(|word| (word, String::new()))
                    .collect(),
                false => lines(text).collect::<Vec<_>>(),
            };
            found.retain(|(word, _)| word.eq_ignore_ascii_case(key));
            found.pop().map(|(_, value)| value)
        };
        let answers = keys
            .iter()
            .map(|key| (key.to_ascii_lowercase(), value_of(key)));
        Self::Answers(answers.collect())
    }
}

/// Whether each line of a table's source is one or more members of a list. Such a table is a path without a type.
fn is_list(table: &str) -> bool {
    table.starts_with('/')
}

/// A member of a list without its negation, as an observation names tables.
fn name_of(table: &str) -> &str {
    table.trim_start_matches('!')
}

/// What a table says of a key, among the tables that an observation read or asked: [`super::Live::table_says`].
pub(super) fn says(tables: &BTreeMap<String, LiveTable>, table: &str, key: &str) -> TableAnswer {
    let key = key.to_ascii_lowercase();
    let Some(known) = tables.get(name_of(table)) else {
        return not_asked();
    };
    match known {
        LiveTable::Text(_) if is_list(name_of(table)) => {
            let members = members(tables, table).unwrap_or_default();
            match members
                .iter()
                .any(|member| member.eq_ignore_ascii_case(&key))
            {
                true => TableAnswer::Yes(String::new()),
                false => TableAnswer::No,
            }
        }
        LiveTable::Text(text) => lines(text)
            .find(|(found, _)| found.eq_ignore_ascii_case(&key))
            .map_or(TableAnswer::No, |(_, value)| TableAnswer::Yes(value)),
        LiveTable::Answers(answers) => match answers.get(&key) {
            Some(Some(value)) => TableAnswer::Yes(value.clone()),
            Some(None) => TableAnswer::No,
            None => not_asked(),
        },
        LiveTable::NotRead(why) => TableAnswer::NotJudged(why.clone()),
    }
}

/// The members that a table adds to a list: [`super::Live::table_members`].
pub(super) fn members(
    tables: &BTreeMap<String, LiveTable>,
    table: &str,
) -> Result<Vec<String>, String> {
    match tables.get(name_of(table)) {
        Some(LiveTable::Text(text)) if is_list(name_of(table)) => {
            let lines = logical_texts(text.as_bytes()).into_iter();
            Ok(lines.flat_map(|line| split_list(&line)).collect())
        }
        Some(LiveTable::Text(text)) => Ok(lines(text).map(|(key, _)| key).collect()),
        Some(LiveTable::Answers(_)) => Err("the table can only be asked for keys".to_owned()),
        Some(LiveTable::NotRead(why)) => Err(why.clone()),
        None => Err(NOT_ASKED.to_owned()),
    }
}

const NOT_ASKED: &str = "the host was not asked about it";

fn not_asked() -> TableAnswer {
    TableAnswer::NotJudged(NOT_ASKED.to_owned())
}

/// The lines of a table's source (postmap(1), cidr_table(5)): the first word is the key, the rest the value.
fn lines(text: &str) -> impl Iterator<Item = (String, String)> {
    let lines = logical_texts(text.as_bytes()).into_iter();
    lines.map(|line| {
        let line = line.trim();
        let (key, value) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        (key.to_owned(), value.trim().to_owned())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_table_is_a_key_and_a_value() {
        let text = "# comment\nExample.org  OK\n\nexample.net a\n  # not the end\n  b\n";
        let found: Vec<_> = lines(text).collect();
        assert_eq!(found[0], ("Example.org".to_owned(), "OK".to_owned()));
        assert_eq!(found[1].0, "example.net");
        assert!(found[1].1.ends_with('b'), "{found:?}");
        assert_eq!(found.len(), 2);
    }
}
