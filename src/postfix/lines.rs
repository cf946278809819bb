//! Physical lines for postconf's editor, and logical lines for a reader of configuration files.
//!
//! A logical line begins in the first column; lines that begin with white space continue
//! it; comments and blank lines are skipped and do not end it (postconf(5)).

use super::text::is_space;
use super::text::until_nul;

/// The physical lines of a file as postconf's editor reads them: with their line ends, and each cut at its first NUL.
///
/// A NUL therefore also cuts the line's end, and the next line is joined to this one. Before Postfix 3.8 a last line
/// without a line end gets none either, so that an edit appends to the line itself. Postfix does both;
/// [`apply_edits`](super::apply_edits) prevents the latter.
pub(crate) struct PhysicalLines<'a> {
    rest: &'a [u8],
}

impl<'a> PhysicalLines<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// The next byte, which stays unread.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next line.
    pub(crate) fn next_line(&mut self) -> Option<&'a [u8]> {
        self.take().map(until_nul)
    }

    fn take(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = self
            .rest
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        // Postfix uses the last byte of a line, as a signed character, for its status. A last line without a line end that
        // ends in 0xff therefore reads as the end of the file.
        (line.last() != Some(&0xff)).then_some(line)
    }
}

/// Whether a line is empty or a comment.
pub(crate) fn is_filler(line: &[u8]) -> bool {
    line.iter()
        .find(|byte| !is_space(**byte))
        .is_none_or(|byte| *byte == b'#')
}

/// One logical line, or text at a place where one must begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogicalLine {
    /// Its text, joined, without line ends, cut at the first NUL.
    pub(crate) text: Vec<u8>,
    /// Its first physical line, counted from 1.
    pub(crate) first: usize,
    /// Its last physical line.
    pub(crate) last: usize,
    /// Whether it begins with white space: Postfix warns and skips all of it.
    pub(crate) dropped: bool,
}

/// Joins the lines of a configuration file.
pub(crate) fn logical_lines(text: &[u8]) -> Vec<LogicalLine> {
    let mut lines: Vec<LogicalLine> = Vec::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        // A NUL is not a blank here: the line is cut at its first NUL only after the check for a comment.
        if is_filler(line) {
            continue;
        }
        let number = number + 1;
        match lines.last_mut() {
            Some(open) if is_space(line[0]) => {
                open.text.extend_from_slice(line);
                open.last = number;
            }
            _ => lines.push(LogicalLine {
                text: line.to_vec(),
                first: number,
                last: number,
                dropped: is_space(line[0]),
            }),
        }
    }
    for line in &mut lines {
        let length = until_nul(&line.text).len();
        line.text.truncate(length);
    }
    lines
}

/// Whether two texts have the same logical lines, in any order and with any blanks. In main.cf the blanks around the first
/// `=` of a line do not count either.
pub(crate) fn same_logical_lines(one: &[u8], other: &[u8], is_main_cf: bool) -> bool {
    let lines = |text: &[u8]| {
        let lines = logical_lines(text).into_iter();
        let mut lines: Vec<Vec<u8>> = lines.map(|line| plain(&line.text, is_main_cf)).collect();
        lines.sort_unstable();
        lines
    };
    lines(one) == lines(other)
}

/// A line with one blank in place of several.
fn plain(line: &[u8], is_main_cf: bool) -> Vec<u8> {
    let joined = |line: &[u8]| {
        let words = line.split(|byte| is_space(*byte));
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        words.join(&b' ')
    };
    match line.iter().position(|byte| *byte == b'=') {
        Some(at) if is_main_cf => [joined(&line[..at]), joined(&line[at + 1..])].join(&b'='),
        _ => joined(line),
    }
}

/// The texts of the logical lines; those that begin with white space, which Postfix skips, are left out.
pub(crate) fn logical_texts(text: &[u8]) -> Vec<String> {
    let lines = logical_lines(text).into_iter();
    lines
        .filter(|line| !line.dropped)
        .map(|line| String::from_utf8_lossy(&line.text).into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &[u8]) -> Vec<(String, usize, usize, bool)> {
        logical_lines(text)
            .into_iter()
            .map(|line| {
                let text = String::from_utf8(line.text).unwrap_or_default();
                (text, line.first, line.last, line.dropped)
            })
            .collect()
    }

    #[test]
    fn comments_and_blank_lines_do_not_end_a_logical_line() {
        assert_eq!(
            texts(b"a = b\n# c\n\n  d\n\t#e\n f\ng = h"),
            [
                ("a = b  d f".to_owned(), 1, 6, false),
                ("g = h".to_owned(), 7, 7, false)
            ]
        );
    }

    #[test]
    fn a_first_line_with_leading_blanks_is_dropped_with_what_continues_it() {
        assert_eq!(
            texts(b"  a = b\n  c\nd = e\n"),
            [
                ("  a = b  c".to_owned(), 1, 2, true),
                ("d = e".to_owned(), 3, 3, false)
            ]
        );
    }

    #[test]
    fn the_editor_sees_nul_and_missing_line_ends_as_postconf_does() {
        let mut lines = PhysicalLines::new(b"a\0b\nc");
        assert_eq!(lines.next_line(), Some(&b"a"[..]));
        assert_eq!(lines.next_line(), Some(&b"c"[..]));
        assert_eq!(lines.next_line(), None);
        assert_eq!(PhysicalLines::new(b"a\xff").next_line(), None);
    }
}
