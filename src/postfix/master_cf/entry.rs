//! One master.cf entry: eight columns, and the arguments after them (master(5)).

pub(super) mod parts;
mod print;

use crate::name::Parameter;
use crate::postfix::text::BLANKS;
use crate::postfix::text::lossy;
use crate::postfix::text::out_of_braces;
use crate::postfix::text::split_name_value;
use crate::postfix::text::words_in_braces;
use crate::thing::Field;

/// Columns that every entry has; the eighth is the command's name.
pub(crate) const COLUMNS: usize = 8;
/// The column of the command.
pub(crate) const COMMAND: usize = COLUMNS - 1;

/// The names of the columns as postconf(1) `-F` has them.
pub(crate) const COLUMN_NAMES: [&str; COLUMNS] = [
    "service",
    "type",
    "private",
    "unprivileged",
    "chroot",
    "wakeup",
    "process_limit",
    "command",
];

/// One service of master.cf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterEntry {
    /// The columns, then the command's arguments. Each option is two words, `-o` and `name=value`, without braces.
    words: Vec<Vec<u8>>,
}

impl MasterEntry {
    /// Parses a logical line. The second value holds complaints after which Postfix continues.
    ///
    /// # Errors
    /// The fault at which Postfix stops with a fatal error.
    pub(crate) fn parse(line: &[u8]) -> Result<(Self, Vec<String>), String> {
        let words = owned(words_in_braces(line, BLANKS));
        if words.len() < COLUMNS {
            return Err("bad field count".to_owned());
        }
        let mut entry = Self { words };
        entry.check()?;
        let complaints = entry.normalise();
        Ok((entry, complaints))
    }

    /// The service's name: `lmtp`, `127.0.0.1:10025`.
    #[must_use]
    pub fn name(&self) -> String {
        lossy(self.word(0))
    }

    /// The service's type: `unix`.
    #[must_use]
    pub fn kind(&self) -> String {
        lossy(self.word(1))
    }

    /// One column, as `postconf -F` shows it; the command with its arguments.
    #[must_use]
    pub fn field(&self, field: Field) -> String {
        lossy(&self.column(column_of(field)))
    }

    /// The value of `-o name=value`; the last one wins.
    #[must_use]
    pub fn option(&self, name: &Parameter) -> Option<String> {
        self.options()
            .into_iter()
            .rfind(|(option, _)| *option == name.as_str().as_bytes())
            .map(|(_, value)| lossy(value))
    }

    /// The value of `-o name=value` borrowed from the entry; none if it is not UTF-8.
    pub(crate) fn option_text(&self, name: &str) -> Option<&str> {
        let mut options = self.options().into_iter();
        let (_, value) = options.rfind(|(option, _)| *option == name.as_bytes())?;
        std::str::from_utf8(value).ok()
    }

    /// The whole entry on one line with one blank between words, in a form that `postconf -M` accepts.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line: Vec<u8> = self.words[..COMMAND.min(self.words.len())].join(&b' ');
        line.push(b' ');
        line.extend(self.column(COMMAND));
        lossy(&line)
    }

    pub(crate) fn word(&self, at: usize) -> &[u8] {
        self.words.get(at).map_or(b"", Vec::as_slice)
    }

    pub(crate) fn matches(&self, name: &[u8], kind: &[u8]) -> bool {
        self.word(0) == name && self.word(1) == kind
    }

    /// All `-o name=value`, in their order.
    pub(crate) fn options(&self) -> Vec<(&[u8], &[u8])> {
        let mut found = Vec::new();
        self.walk_options(|flag, value| {
            if flag == b"-o"
                && let Ok(pair) = split_name_value(value)
            {
                found.push(pair);
            }
        });
        found
    }

    fn walk_options<'a>(&'a self, mut see: impl FnMut(&'a [u8], &'a [u8])) {
        let mut at = COLUMNS;
        while let Some(flag) = self.words.get(at)
            && is_option(flag)
        {
            if takes_value(flag)
                && let Some(value) = self.words.get(at + 1)
            {
                see(flag, value);
                at += 1;
            }
            at += 1;
        }
    }

    /// Replaces a column. Replacing the command also replaces its arguments.
    ///
    /// # Errors
    /// The fault at which Postfix stops with a fatal error.
    pub(crate) fn set_column(
        &mut self,
        column: usize,
        value: &[u8],
    ) -> Result<Vec<String>, String> {
        let mut complaints = Vec::new();
        if column == COMMAND {
            self.words.truncate(COMMAND);
            self.words.extend(owned(words_in_braces(value, BLANKS)));
            if self.words.len() < COLUMNS {
                return Err("the command is empty".to_owned());
            }
            complaints = self.normalise();
        } else if let Some(word) = self.words.get_mut(column) {
            *word = value.to_vec();
        }
        self.check()?;
        Ok(complaints)
    }

    /// Sets every `-o name=…`, or adds one after the last option.
    pub(crate) fn set_option(&mut self, name: &[u8], value: &[u8]) {
        let setting = [name, b"=", value].concat();
        let (found, end) = self.find_option(name);
        if found.is_empty() {
            self.words
                .splice(end..end, [b"-o".to_vec(), setting.clone()]);
        }
        for at in found {
            self.words[at + 1].clone_from(&setting);
        }
    }

    /// Removes every `-o name=…`.
    pub(crate) fn remove_option(&mut self, name: &[u8]) {
        let (found, _) = self.find_option(name);
        for at in found.into_iter().rev() {
            self.words.drain(at..at + 2);
        }
    }

    /// The positions of `-o name=…`, and the position after the last option.
    fn find_option(&self, name: &[u8]) -> (Vec<usize>, usize) {
        let mut found = Vec::new();
        let mut at = COLUMNS;
        while let Some(flag) = self.words.get(at)
            && is_option(flag)
        {
            if takes_value(flag)
                && let Some(value) = self.words.get(at + 1)
            {
                let rest = value.strip_prefix(name);
                if flag == b"-o" && rest.is_some_and(|rest| rest.first() == Some(&b'=')) {
                    found.push(at);
                }
                at += 1;
            }
            at += 1;
        }
        // An option that needs a value and has none: the loop ends one past the last word.
        (found, at.min(self.words.len()))
    }

    /// Checks the columns that postconf(1) checks, with its messages.
    fn check(&self) -> Result<(), String> {
        let bad = |column: usize| {
            Err(format!(
                "invalid {} field \"{}\"",
                COLUMN_NAMES[column],
                lossy(self.word(column))
            ))
        };
        if !matches!(
            self.word(1),
            b"inet" | b"unix" | b"fifo" | b"pass" | b"unix-dgram"
        ) {
            return bad(1);
        }
        for column in 2..=4 {
            if !matches!(self.word(column), b"y" | b"n" | b"-") {
                return bad(column);
            }
        }
        let wakeup = self.word(5);
        let wakeup = wakeup.strip_suffix(b"?").unwrap_or(wakeup);
        if wakeup != b"-" && !wakeup.iter().all(u8::is_ascii_digit) {
            return bad(5);
        }
        if self.word(6) != b"-" && !self.word(6).iter().all(u8::is_ascii_digit) {
            return bad(6);
        }
        Ok(())
    }

    /// Normalizes the arguments: `-vo a=b`, `-oa=b` and `-o { a = b }` become `-o`, `a=b`; other words lose their braces.
    fn normalise(&mut self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut at = COLUMNS;
        while let Some(word) = self.words.get(at)
            && is_option(word)
        {
            // "-vo" is "-v" and "-o": an `o` that is not the first letter begins an option.
            if let Some(split) = word.iter().skip(2).position(|byte| *byte == b'o') {
                let rest = [b"-", &word[split + 2..]].concat();
                self.words[at].truncate(split + 2);
                self.words.insert(at + 1, rest);
            }
            if !takes_value(&self.words[at]) {
                at += 1;
                continue;
            }
            if self.words[at].len() > 2 {
                let value = self.words[at].split_off(2);
                self.words.insert(at + 1, value);
            }
            let names_a_value = self.words[at].get(1) == Some(&b'o');
            at += 1;
            if let Some(value) = self.words.get_mut(at)
                && value.first() == Some(&b'{')
            {
                let (inner, complaint) = out_of_braces(value);
                complaints.extend(complaint);
                let inner = inner.to_vec();
                *value = match split_name_value(&inner) {
                    Ok((name, setting)) if names_a_value => [name, b"=", setting].concat(),
                    Err(why) => {
                        complaints.push(format!("{why}: \"{}\"", lossy(&inner)));
                        inner
                    }
                    Ok(_) => inner,
                };
            }
            at += 1;
        }
        for word in self.words.iter_mut().skip(at) {
            if word.first() == Some(&b'{') {
                let (inner, complaint) = out_of_braces(word);
                complaints.extend(complaint);
                *word = inner.to_vec();
            }
        }
        complaints
    }
}

/// The column of a field.
pub(crate) fn column_of(field: Field) -> usize {
    COLUMN_NAMES
        .iter()
        .position(|name| *name == field.as_str())
        .unwrap_or(COMMAND)
}

fn owned(words: Vec<&[u8]>) -> Vec<Vec<u8>> {
    words.into_iter().map(<[u8]>::to_vec).collect()
}

fn is_option(word: &[u8]) -> bool {
    word.first() == Some(&b'-') && word != b"--"
}

/// Whether an option takes a value. `-` alone takes one too, because C's `strchr` finds the NUL at the end of its string.
fn takes_value(option: &[u8]) -> bool {
    matches!(option.get(1), Some(b'o') | None)
}
