//! Tables of keys and values: `hash:`, `texthash:` and the like (postmap(1)), `inline:` and `static:`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::answer::{AnswerPlace, KeyLookup, LookupAnswer, LookupError, LookupResult};
use super::part::{PartVisitor, TablePart};
use crate::directory::Directory;
use crate::postfix::{inline_entries, logical_lines};

/// A table with keys in lower case.
#[derive(Default)]
pub struct FixedTable(HashMap<String, LookupAnswer>);

/// In the order of its keys, so that equal tables have equal texts.
impl fmt::Debug for FixedTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted: BTreeMap<_, _> = self.0.iter().collect();
        write!(out, "{sorted:?}")
    }
}

impl FixedTable {
    /// The table that postmap(1) makes of a text. Of lines with the same key the first counts, and lines without a value
    /// are left out.
    #[must_use]
    pub fn from_text(file: &str, text: &str) -> Self {
        let mut table = HashMap::new();
        for line in logical_lines(text.as_bytes()) {
            let place = AnswerPlace::Line(file.to_owned(), line.first);
            let line = String::from_utf8_lossy(&line.text).into_owned();
            let Some((key, value)) = split_key(&line) else {
                continue;
            };
            let answer = LookupAnswer {
                value: value.to_owned(),
                place,
            };
            table.entry(key.to_lowercase()).or_insert(answer);
        }
        Self(table)
    }

    /// The table that newaliases(1) makes of a text with lines `name: addresses` (aliases(5)).
    #[must_use]
    pub fn from_aliases(file: &str, text: &str) -> Self {
        let mut table = HashMap::new();
        for line in logical_lines(text.as_bytes()) {
            let place = AnswerPlace::Line(file.to_owned(), line.first);
            let line = String::from_utf8_lossy(&line.text).into_owned();
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let name = name.trim().trim_matches('"').to_lowercase();
            let answer = LookupAnswer {
                value: value.trim().to_owned(),
                place,
            };
            table.entry(name).or_insert(answer);
        }
        Self(table)
    }

    /// The table of `inline:{ key=value, { key = value } }`; none if the text has another form.
    #[must_use]
    pub fn from_inline(name: &str) -> Option<Self> {
        let mut table = HashMap::new();
        for (key, value) in inline_entries(name)? {
            let answer = LookupAnswer {
                value,
                place: AnswerPlace::Name,
            };
            table.insert(key.to_lowercase(), answer);
        }
        Some(Self(table))
    }
}

impl KeyLookup for FixedTable {
    fn find(&self, key: &str, _: &Directory) -> LookupResult {
        match self.0.get(key) {
            None if key.chars().any(char::is_uppercase) => {
                Ok(self.0.get(&key.to_lowercase()).cloned())
            }
            found => Ok(found.cloned()),
        }
    }

    fn parts(&self, _: bool, visit: PartVisitor<'_>) {
        visit(TablePart::Keys(self.0.keys().map(String::as_str).collect()));
    }
}

/// A table with one value for each key: `static:value`.
#[derive(Debug)]
pub struct StaticTable(pub String);

impl KeyLookup for StaticTable {
    fn find(&self, _: &str, _: &Directory) -> LookupResult {
        Ok(Some(LookupAnswer {
            value: self.0.clone(),
            place: AnswerPlace::Name,
        }))
    }

    fn parts(&self, _: bool, _: PartVisitor<'_>) {}
}

/// The accounts of a host. Only those that each Linux system has are known.
#[derive(Debug)]
pub struct AccountTable;

/// Accounts that each Linux system has.
const KNOWN: [&str; 8] = [
    "bin", "daemon", "lp", "mail", "man", "nobody", "root", "sys",
];

impl KeyLookup for AccountTable {
    fn parts(&self, _: bool, visit: PartVisitor<'_>) {
        visit(TablePart::Keys(KNOWN.to_vec()));
    }

    fn find(&self, key: &str, _: &Directory) -> LookupResult {
        // No account has `@` or `+` in its name (POSIX, "User Name").
        if key.contains(['@', '+']) {
            return Ok(None);
        }
        if KNOWN.contains(&key) {
            return Ok(Some(LookupAnswer {
                value: key.to_owned(),
                place: AnswerPlace::Name,
            }));
        }
        Err(LookupError::NotModelled(format!(
            "only the host knows whether it has an account `{key}`"
        )))
    }
}

/// The key and the value of a line. Blanks within quotes belong to the key.
fn split_key(line: &str) -> Option<(&str, &str)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut end = None;
    for (at, c) in line.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            c if c.is_ascii_whitespace() && !is_quoted => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let (key, value) = line.split_at(end?);
    let value = value.trim_ascii();
    (!key.is_empty() && !value.is_empty() && !is_quoted).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(table: &FixedTable, key: &str) -> Option<String> {
        let found = table.find(key, &Directory::default());
        found.ok().flatten().map(|answer| answer.value)
    }

    /// postmap(1), "TABLE FORMAT".
    #[test]
    fn postmap_reads_keys_and_values() {
        let text = "# x\nJohn@example.org  a b\n  c \njohn@example.org second\nnovalue\n\"a b\"@x y\n\"a\n";
        let table = FixedTable::from_text("/etc/postfix/t", text);
        for (key, value) in [
            ("john@example.org", Some("a b  c")),
            ("JOHN@example.org", Some("a b  c")),
            ("novalue", None),
            ("\"a b\"@x", Some("y")),
        ] {
            assert_eq!(values(&table, key).as_deref(), value, "{key}");
        }
        let found = table
            .find("\"a b\"@x", &Directory::default())
            .ok()
            .flatten();
        let line = AnswerPlace::Line("/etc/postfix/t".to_owned(), 6);
        assert_eq!(found.map(|answer| answer.place), Some(line));
    }

    /// postconf(5) and DATABASE_README, `inline`.
    #[test]
    fn inline_tables_are_read() {
        let table = FixedTable::from_inline("{ @a.org=@a.org, { b = c d } }").unwrap_or_default();
        assert_eq!(values(&table, "@a.org").as_deref(), Some("@a.org"));
        assert_eq!(values(&table, "b").as_deref(), Some("c d"));
        assert!(FixedTable::from_inline("{ a }").is_none());
    }
}
