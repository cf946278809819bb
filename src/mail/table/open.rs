//! Opens the lookup tables that a value names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::answer::{KeyLookup, LookupError, UnknownTable};
use super::cidr::CidrTable;
use super::compound::{PipeTable, UnionTable};
use super::fixed::{AccountTable, FixedTable, StaticTable};
use super::ldap::LdapTable;
use super::ldap_settings::LdapSettings;
use super::names::{ListMember, MatchStyle, NameList};
use super::pattern::{PatternSyntax, PatternTable};
use super::recorded::{LookupLog, RecordedTable};
use crate::postfix::catalogue::{table_files, tables};
use crate::postfix::configuration::View;
use crate::postfix::split_list;

/// A lookup table with the word that names it, as `hash:/etc/postfix/transport`.
#[derive(Clone)]
pub struct OpenTable {
    /// The word.
    pub word: String,
    /// Its content.
    pub content: Arc<dyn KeyLookup>,
}

/// The word alone: many parameters name the same table, and it may be large.
impl fmt::Debug for OpenTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.word)
    }
}

/// The tables that each parameter names.
pub type TablesByParameter = BTreeMap<String, Vec<OpenTable>>;

/// The texts of a host's files, and the tables that were opened from them.
#[derive(Debug, Default)]
pub struct HostTables {
    files: HashMap<String, String>,
    /// The files that newaliases(1) reads, whose lines have another form than those of postmap(1).
    alias_files: BTreeSet<String>,
    opened: HashMap<String, Arc<dyn KeyLookup>>,
    used: TablesByParameter,
    log: Arc<LookupLog>,
}

impl HostTables {
    /// The tables of a host with these files, each a path with its text.
    #[must_use]
    pub fn new(files: HashMap<String, String>) -> Self {
        Self {
            files,
            alias_files: BTreeSet::new(),
            opened: HashMap::new(),
            used: BTreeMap::new(),
            log: Arc::default(),
        }
    }

    /// The same, where `alias_maps` and `alias_database` of main.cf name the alias files (aliases(5)), beside the system's own.
    #[must_use]
    pub fn with_alias_files(mut self, main_cf: View<'_>) -> Self {
        let values = ["alias_maps", "alias_database"].map(|name| main_cf.expanded(name).text);
        let named = values.into_iter().flatten();
        let named = named.flat_map(|value| tables::read(&value));
        let indexed = named.filter(|table| table_files::has_index(&table.kind));
        self.alias_files = indexed.map(|table| table.name).collect();
        self.alias_files.insert("/etc/aliases".to_owned());
        self
    }

    /// The tables of a parameter, in their order. It is remembered which parameter uses them.
    pub fn of_parameter(&mut self, parameter: &str, value: &str) -> Vec<OpenTable> {
        let tables = self.all(value);
        let used = self.used.entry(parameter.to_owned()).or_default();
        for table in &tables {
            if used.iter().all(|known| known.word != table.word) {
                used.push(table.clone());
            }
        }
        tables
    }

    /// The accounts in whose homes the host has a file `.forward` or one like `.forward+lists`, as far as its files are known.
    #[must_use]
    pub fn forwarding_accounts(&self) -> BTreeSet<String> {
        let account = |path: &String| {
            let (home, file) = path.rsplit_once('/')?;
            let account = match home {
                "/root" => "root",
                home => home.strip_prefix("/home/")?,
            };
            file.starts_with(".forward").then(|| account.to_owned())
        };
        self.files.keys().filter_map(account).collect()
    }

    /// The record of the lookups in these tables.
    #[must_use]
    pub fn log(&self) -> Arc<LookupLog> {
        Arc::clone(&self.log)
    }

    /// The tables by the parameters that use them, and all that were opened.
    #[must_use]
    pub fn into_used(self) -> (TablesByParameter, Vec<Arc<dyn KeyLookup>>) {
        (self.used, self.opened.into_values().collect())
    }

    /// The tables of an expanded list, in their order.
    pub fn all(&mut self, value: &str) -> Vec<OpenTable> {
        let words = split_list(value).into_iter();
        words
            .map(|word| OpenTable {
                content: Arc::new(RecordedTable {
                    word: word.clone(),
                    content: self.open(&word),
                    log: Arc::clone(&self.log),
                }),
                word,
            })
            .collect()
    }

    /// A list of names, files and tables, expanded.
    pub fn names(&mut self, value: &str, style: MatchStyle) -> NameList {
        let members = split_list(value).into_iter().flat_map(|word| {
            let is_exception = word.starts_with('!');
            let word = word.trim_start_matches('!');
            let members = self.members(word);
            members
                .into_iter()
                .map(move |member| (member, is_exception))
                .collect::<Vec<_>>()
        });
        NameList {
            members: members.collect(),
            style,
        }
    }

    fn members(&mut self, word: &str) -> Vec<ListMember> {
        if word.starts_with('/') {
            return match self.files.get(word) {
                Some(text) => {
                    let names = text.lines().filter(|line| !line.starts_with('#'));
                    let names = names.flat_map(split_list);
                    names
                        .map(|name| ListMember::Name(name.to_lowercase()))
                        .collect()
                }
                None => vec![ListMember::Unknown(unread(word))],
            };
        }
        // An address in brackets has colons, and is no table.
        let is_table = !word.starts_with('[') && word.contains(':');
        vec![if is_table {
            ListMember::Table(self.open(word))
        } else {
            ListMember::Name(word.to_lowercase())
        }]
    }

    /// The content of a table by its word.
    pub fn open(&mut self, word: &str) -> Arc<dyn KeyLookup> {
        if let Some(known) = self.opened.get(word) {
            return Arc::clone(known);
        }
        let content = self.read(word);
        self.opened.insert(word.to_owned(), Arc::clone(&content));
        content
    }

    fn read(&mut self, word: &str) -> Arc<dyn KeyLookup> {
        let unknown = |reason: String| -> Arc<dyn KeyLookup> {
            Arc::new(UnknownTable(LookupError::NotModelled(reason)))
        };
        let Some((kind, name)) = word.split_once(':') else {
            return unknown(format!("`{word}` is not a lookup table"));
        };
        match kind {
            "proxy" | "debug" => self.open(name),
            "static" => {
                let value = name
                    .strip_prefix('{')
                    .and_then(|name| name.strip_suffix('}'));
                Arc::new(StaticTable(value.map_or(name, str::trim).to_owned()))
            }
            "inline" => match FixedTable::from_inline(name) {
                Some(table) => Arc::new(table),
                None => unknown(format!("`{word}` is not modelled")),
            },
            "fail" => Arc::new(UnknownTable(LookupError::Temporary(format!(
                "`{word}` fails"
            )))),
            "unix" if name == "passwd.byname" => Arc::new(AccountTable),
            "unionmap" | "pipemap" => {
                let inner = name
                    .strip_prefix('{')
                    .and_then(|name| name.strip_suffix('}'));
                let tables: Vec<Arc<dyn KeyLookup>> = split_list(inner.unwrap_or_default())
                    .iter()
                    .map(|word| self.open(word))
                    .collect();
                if kind == "unionmap" {
                    Arc::new(UnionTable(tables))
                } else {
                    Arc::new(PipeTable(tables))
                }
            }
            // Lines within the word (regexp_table(5), pcre_table(5), cidr_table(5): "INLINE SPECIFICATION").
            "regexp" | "pcre" | "cidr" if name.starts_with('{') => match inline_lines(name) {
                Some(text) => self.read_file(kind, word, &text),
                None => unknown(format!("`{word}` is not modelled")),
            },
            "hash" | "btree" | "lmdb" | "cdb" | "dbm" | "sdbm" | "texthash" | "regexp" | "pcre"
            | "cidr" | "ldap" => match self.files.get(name).cloned() {
                Some(text) => self.read_file(kind, name, &text),
                None => unknown(unread(name)),
            },
            other => unknown(format!("tables of type `{other}` are not modelled")),
        }
    }

    fn read_file(&mut self, kind: &str, path: &str, text: &str) -> Arc<dyn KeyLookup> {
        match kind {
            "regexp" => Arc::new(PatternTable::read(path, text, PatternSyntax::Posix)),
            "pcre" => Arc::new(PatternTable::read(path, text, PatternSyntax::Perl)),
            "cidr" => match CidrTable::read(path, text) {
                Some(table) => Arc::new(table),
                None => Arc::new(UnknownTable(LookupError::NotModelled(format!(
                    "a line of `{path}` is not modelled"
                )))),
            },
            "ldap" => {
                let domains = crate::postfix::MainCf::parse(text.as_bytes());
                let domains = domains
                    .get("domain")
                    .map(|list| self.names(list, MatchStyle::Exact));
                match LdapSettings::read(path, text, &|_| domains.clone()) {
                    Ok(settings) => Arc::new(LdapTable(settings)),
                    Err(error) => Arc::new(UnknownTable(error)),
                }
            }
            kind if table_files::has_index(kind) && self.alias_files.contains(path) => {
                Arc::new(FixedTable::from_aliases(path, text))
            }
            _ => Arc::new(FixedTable::from_text(path, text)),
        }
    }
}

/// The lines of `{ {line}, {line} }`; none if it has another form.
fn inline_lines(name: &str) -> Option<String> {
    let inner = name.strip_prefix('{')?.strip_suffix('}')?;
    let lines = split_list(inner);
    let lines = lines
        .iter()
        .map(|line| Some(line.strip_prefix('{')?.strip_suffix('}')?.trim()));
    let lines: Option<Vec<&str>> = lines.collect();
    Some(lines?.join("\n"))
}

fn unread(path: &str) -> String {
    format!("the text of `{path}` is not known: nothing of the manifest has it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;

    /// local(8), "USER-CONTROLLED FILES": `forward_path` is in the home of an account.
    #[test]
    fn accounts_with_forward_files_are_known_by_their_homes() {
        let paths = [
            "/root/.forward",
            "/home/ann/.forward+lists",
            "/home/bob/.bashrc",
            "/etc/.forward",
        ];
        let files = paths.map(|path| (path.to_owned(), String::new()));
        let accounts = HostTables::new(files.into()).forwarding_accounts();
        assert_eq!(accounts, ["ann", "root"].map(str::to_owned).into());
    }

    /// regexp_table(5), cidr_table(5): "INLINE SPECIFICATION".
    #[test]
    fn lines_may_be_in_the_word() {
        for (word, key, value) in [
            (
                "regexp:{{/^5(.4.4 .*)$/ 4$1}}",
                "5.4.4 gone",
                Some("4.4.4 gone"),
            ),
            ("regexp:{ {/^a/ 1}, {/^b/ 2} }", "bx", Some("2")),
            ("regexp:{ {/^a/ 1}, {/^b/ 2} }", "c", None),
            (
                "cidr:{ {192.0.2.0/24 REJECT} }",
                "192.0.2.9",
                Some("REJECT"),
            ),
            (
                "pcre:{ {/^u\\d{2}@/ two, digits} }",
                "u12@example.org",
                Some("two, digits"),
            ),
        ] {
            let table = HostTables::default().open(word);
            let found = table.find(key, &Directory::default());
            let found = found.map(|answer| answer.map(|answer| answer.value));
            assert_eq!(found, Ok(value.map(str::to_owned)), "{word} {key}");
        }
        let bad = HostTables::default().open("regexp:{/^a/ 1}");
        assert!(bad.find("a", &Directory::default()).is_err());
    }
}
