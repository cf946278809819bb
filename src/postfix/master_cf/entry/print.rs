//! An entry as postconf(1) prints it: one column, or all of them, folded or not.

use super::{COLUMN_NAMES, COLUMNS, COMMAND, MasterEntry, is_option, takes_value};
use crate::postfix::text::BLANKS;

/// The offset at which postconf starts each column.
const COLUMN_GOALS: [usize; COLUMNS] = [0, 11, 17, 25, 33, 41, 49, 57];
/// The width that postconf folds lines to.
const LINE_LIMIT: usize = 80;
const INDENT: &[u8] = b"    ";

impl MasterEntry {
    /// One column as text. The command includes its arguments, in braces where they need them.
    pub(crate) fn column(&self, column: usize) -> Vec<u8> {
        let mut text = self.word(column).to_vec();
        if column == COMMAND {
            for part in self.parts(&mut <[u8]>::to_vec) {
                text.push(b' ');
                text.extend_from_slice(&part.text);
            }
        }
        text
    }

    /// The command's arguments as postconf groups them: an option and its value are one part.
    fn parts(&self, expand: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut among_options = true;
        let mut at = COLUMNS;
        while let Some(word) = self.words.get(at) {
            at += 1;
            if among_options && is_option(word) {
                let Some(value) = self.words.get(at).filter(|_| takes_value(word)) else {
                    parts.push(Part::plain(word.clone()));
                    continue;
                };
                at += 1;
                let value = if word == b"-o" {
                    expand(value)
                } else {
                    value.clone()
                };
                let value = braced(value);
                parts.push(Part {
                    width: word.len() + 1 + value.len(),
                    text: [word.as_slice(), b" ", &value].concat(),
                    own_line: true,
                });
                continue;
            }
            // postconf puts no braces around the first word after the options, even if it has blanks.
            let text = if among_options {
                word.clone()
            } else {
                braced(word.clone())
            };
            among_options = false;
            parts.push(Part {
                width: word.len(),
                text,
                own_line: false,
            });
        }
        parts
    }

    /// The entry as `postconf -M` prints it, folded as `postconf -Mf` does; with its line end.
    pub(crate) fn print(&self, fold: bool, expand: &mut dyn FnMut(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut text: Vec<u8> = Vec::new();
        for (column, goal) in COLUMN_GOALS.iter().enumerate() {
            if !text.is_empty() {
                text.push(b' ');
                while text.len() < *goal {
                    text.push(b' ');
                }
            }
            text.extend_from_slice(self.word(column));
        }
        let width = text.len();
        self.print_parts(&mut text, width, fold, 2, expand);
        text.push(b'\n');
        text
    }

    /// One column as `postconf -F` prints it, without its line end.
    pub(crate) fn print_column(
        &self,
        column: usize,
        hide_name: bool,
        fold: bool,
        expand: &mut dyn FnMut(&[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let mut text: Vec<u8> = Vec::new();
        let mut width = 0;
        if !hide_name {
            text.extend_from_slice(self.word(0));
            text.push(b'/');
            text.extend_from_slice(self.word(1));
            text.push(b'/');
            text.extend_from_slice(COLUMN_NAMES[column].as_bytes());
            text.extend_from_slice(b" = ");
            width = text.len();
            if width + self.word(column).len() > LINE_LIMIT {
                text.push(b'\n');
                text.extend_from_slice(INDENT);
                width = INDENT.len();
            }
        }
        text.extend_from_slice(self.word(column));
        width += self.word(column).len();
        if column == COMMAND {
            self.print_parts(&mut text, width, fold, 0, expand);
        }
        text
    }

    /// `extra` is the number of columns that postconf adds to an option's width when it checks whether the option fits.
    fn print_parts(
        &self,
        text: &mut Vec<u8>,
        mut width: usize,
        fold: bool,
        extra: usize,
        expand: &mut dyn FnMut(&[u8]) -> Vec<u8>,
    ) {
        for part in self.parts(expand) {
            let mut wanted = part.width;
            if part.own_line {
                width = LINE_LIMIT;
                wanted += extra;
            }
            if width > INDENT.len() {
                if !fold || width + 1 + wanted < LINE_LIMIT {
                    text.push(b' ');
                    width += 1;
                } else {
                    text.push(b'\n');
                    text.extend_from_slice(INDENT);
                    width = INDENT.len();
                }
            }
            width += part.text.len();
            text.extend_from_slice(&part.text);
            if part.own_line {
                width = LINE_LIMIT;
            }
        }
    }
}

/// A part of the command that folding keeps on one line.
struct Part {
    text: Vec<u8>,
    /// The width that postconf counts for it.
    width: usize,
    /// Whether it is an option with its value, which folding puts on a line of its own.
    own_line: bool,
}

impl Part {
    fn plain(text: Vec<u8>) -> Self {
        Self {
            width: text.len(),
            text,
            own_line: false,
        }
    }
}

fn braced(word: Vec<u8>) -> Vec<u8> {
    if word.iter().any(|byte| BLANKS.contains(byte)) {
        [b"{", word.as_slice(), b"}"].concat()
    } else {
        word
    }
}
