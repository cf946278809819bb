//! The head of an answer: sections of lines, which may hold any bytes of a host's files.

use std::collections::{BTreeMap, BTreeSet};

use super::table_lines::TableLines;
use crate::machine::remote::paths::{JOURNAL, LAST, LEDGER, PENDING};
use crate::name::{RemotePath, TableType, UserName};

/// What stat(1) says of one path, the link followed.
#[derive(Debug, Clone)]
pub(in crate::machine::remote) struct Stat {
    /// `st_mode`, whole.
    pub mode: u32,
    /// Owner's name; the number where the name is none that a program of the host takes for it.
    pub owner: String,
    /// Group's name, in the same way.
    pub group: String,
    /// Owner's number.
    pub user: u32,
    /// Group's number.
    pub group_id: u32,
    /// Bytes.
    pub size: u64,
    /// Modification time, seconds since the epoch.
    pub mtime: i64,
    /// Time of the last change of the inode. 0 where the host does not say it.
    pub ctime: i64,
    /// Inode number. 0 where the host does not say it.
    pub inode: u64,
}

impl Stat {
    /// A path and what stat(1) says of it.
    pub fn read(line: &str) -> Option<(String, Self)> {
        let mut parts = line.splitn(5, ' ');
        let mut next = || parts.next().unwrap_or_default();
        let (mode, size, times, path) = (next(), next(), next(), next());
        // A host without a key adds what tells whether the file was touched.
        let mut times = times.split('/');
        let mtime = times.next().unwrap_or_default();
        let mut touched = || times.next().unwrap_or("0");
        let (ctime, inode) = (touched(), touched());
        // Names of users and groups may have blanks, and no colon (passwd(5)).
        let owners = match next() {
            "" => "root:root 0:0",
            other => other,
        };
        let (names, ids) = owners.rsplit_once(' ').unwrap_or_default();
        let (owner, group) = names.split_once(':').unwrap_or_default();
        let (user, group_id) = ids.split_once(':').unwrap_or_default();
        let (Ok(mode), Ok(size), Ok(mtime), Ok(ctime), Ok(inode), Ok(user), Ok(group_id)) = (
            u32::from_str_radix(mode, 16),
            size.parse(),
            mtime.parse(),
            ctime.parse(),
            inode.parse(),
            user.parse(),
            group_id.parse(),
        ) else {
            return None;
        };
        let stat = Self {
            mode,
            owner: name_or_number(owner, user),
            group: name_or_number(group, group_id),
            user,
            group_id,
            size,
            mtime,
            ctime,
            inode,
        };
        Some((path.to_owned(), stat))
    }

    /// The type bits of `st_mode` (inode(7)) as a word; none for a regular file.
    pub fn other(&self) -> Option<&'static str> {
        match self.mode & 0o170_000 {
            0o100_000 => None,
            0o040_000 => Some("a directory"),
            0o140_000 => Some("a socket"),
            0o010_000 => Some("a FIFO"),
            0o020_000 | 0o060_000 => Some("a device"),
            _ => Some("no regular file"),
        }
    }
}

/// The head of an answer, section by section.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    pub words: BTreeMap<&'a str, &'a str>,
    pub texts: BTreeMap<&'static str, Vec<u8>>,
    /// The file that the last line of `texts` was of.
    text_of: &'a [u8],
    pub hashes: BTreeMap<&'a str, &'a str>,
    pub stats: BTreeMap<String, Stat>,
    pub links: BTreeMap<&'a str, &'a str>,
    pub types: BTreeSet<String>,
    pub defaults: Vec<&'a str>,
    pub postfix: &'a str,
    /// The ledgers that unfinished runs were about to write, by file name.
    pub pending: BTreeMap<&'a str, Vec<u8>>,
    /// What is out of the ordinary with files that parameters name.
    pub faults: Vec<&'a str>,
    /// Tables that were read or asked, each with its lines.
    pub tables: Vec<TableLines<'a>>,
    /// Path and first line of each file of the history.
    pub history: Vec<(&'a str, &'a str)>,
}

/// The texts of the host, by the name that it puts before the first line of each.
const TEXTS: [&str; 7] = [
    "main.cf",
    "master.cf",
    "/etc/postfix/main.cf",
    "/etc/postfix/master.cf",
    LEDGER,
    JOURNAL,
    LAST,
];

/// What the host says in the place of a hash that the question had.
const AS_EXPECTED: &str = "-";

impl<'a> Head<'a> {
    pub fn read(bytes: &'a [u8]) -> Self {
        let mut head = Self::default();
        let mut section = "";
        let ends = memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]);
        let mut start = 0;
        for end in ends {
            let line = &bytes[start..end];
            start = end + 1;
            // A title. All other lines begin with a path or a number.
            if let Some(title) = line.strip_prefix(b"=") {
                let title = std::str::from_utf8(title).unwrap_or_default();
                let (word, value) = title.split_once(' ').unwrap_or((title, ""));
                section = word;
                if word == "table" {
                    head.tables.push(TableLines::titled(value));
                }
                head.words.insert(word, value.trim());
            } else if section == "texts" {
                head.text(line);
            } else if let Ok(line) = std::str::from_utf8(line) {
                head.line(section, line);
            }
        }
        head
    }

    /// Puts the hashes of `expected` where the host says that a file has it.
    pub fn with_expected(mut self, expected: &'a BTreeMap<RemotePath, Option<String>>) -> Self {
        self.hashes.retain(|path, hash| {
            if *hash != AS_EXPECTED {
                return true;
            }
            let known = expected.get(*path).and_then(Option::as_deref);
            known.inspect(|known| *hash = known).is_some()
        });
        self
    }

    /// A line of a text: `NAME:LINE`, or `:LINE` where it is of the same file as the line before it.
    fn text(&mut self, line: &'a [u8]) {
        let Some(colon) = memchr::memchr(b':', line) else {
            return;
        };
        if colon > 0 {
            self.text_of = &line[..colon];
        }
        let known = TEXTS.iter().find(|name| name.as_bytes() == self.text_of);
        let text = match (known, self.text_of.strip_prefix(PENDING.as_bytes())) {
            (Some(name), _) => self.texts.entry(name).or_default(),
            (None, Some(name)) => match std::str::from_utf8(name) {
                Ok(name) => self.pending.entry(name).or_default(),
                Err(_) => return,
            },
            (None, None) => return,
        };
        text.extend_from_slice(&line[colon + 1..]);
        text.push(b'\n');
    }

    fn line(&mut self, section: &str, line: &'a str) {
        match section {
            "hashes" => {
                if let Some((hash, path)) = line.split_once("  ") {
                    self.hashes.insert(path, hash);
                }
            }
            "stats" => self.stat(line),
            "links" => {
                if let Some((path, target)) = line.split_once(' ') {
                    self.links.insert(path, target);
                }
            }
            "types" if TableType::new(line.trim()).is_ok() => {
                self.types.insert(line.trim().to_owned());
            }
            "references" => self.faults.push(line),
            "table" => {
                if let Some(table) = self.tables.last_mut() {
                    table.lines.push(line);
                }
            }
            "defaults" => self.defaults.push(line),
            "history" => self.history.extend(line.split_once(' ')),
            "postfix" if line.starts_with("uid=") => self.postfix = line,
            _ => {}
        }
    }

    fn stat(&mut self, line: &str) {
        self.stats.extend(Stat::read(line));
    }
}

/// How an owner or a group is called: chown(1) must understand it, and find the same one. Names of a directory service
/// may have blanks and signs; one of digits alone looks like a number; and stat(1) says `UNKNOWN` of a number that has
/// no name.
fn name_or_number(name: &str, number: u32) -> String {
    let plain = UserName::new(name).is_ok() && !name.bytes().all(|b| b.is_ascii_digit());
    if plain && name != "UNKNOWN" {
        name.to_owned()
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_whose_name_cannot_be_used_has_a_number() {
        for (line, owner, group) in [
            ("81a4 1 2 /x root:root 0:0", "root", "root"),
            ("81a4 1 2 /x a b:domain users 7:8", "7", "8"),
            ("81a4 1 2 /x UNKNOWN:UNKNOWN 1001:1002", "1001", "1002"),
            ("81a4 1 2 /x 33:CORP\\joe 5:6", "5", "6"),
            ("81a4 1 2 /x x;reboot:-x 5:6", "5", "6"),
        ] {
            let text = format!("=stats\n{line}\n");
            let head = Head::read(text.as_bytes());
            let stat = head
                .stats
                .get("/x")
                .map(|stat| (&*stat.owner, &*stat.group));
            assert_eq!(stat, Some((owner, group)), "{line}");
        }
    }
}
