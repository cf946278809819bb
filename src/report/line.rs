//! One line of a report: its tone and its text. Reports are built of lines first, so that equal
//! ones can be found, and coloured last, so that colour never decides anything.

use std::fmt::{self, Write};

use crate::visible::visible;

/// What a line is about; a colour where there are colours, nothing otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// A host's name, a summary.
    Title,
    /// Something comes.
    Added,
    /// Something goes.
    Removed,
    /// Something is different.
    Changed,
    /// Beside the point: diff headers, reasons.
    Faint,
    /// A person should look at it.
    Warning,
    /// It did not work.
    Failure,
}

impl Tone {
    /// The SGR parameters of ECMA-48 that terminals understand everywhere.
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Title => "1",
            Self::Added => "32",
            Self::Removed => "31",
            Self::Changed => "33",
            Self::Faint => "2",
            Self::Warning => "1;33",
            Self::Failure => "1;31",
        }
    }
}

/// One line, without its line end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// What it is about.
    pub tone: Tone,
    /// Its text.
    pub text: String,
}

impl Line {
    /// A line; control characters in `text` are made visible, so that a host's words cannot
    /// steer the reader's terminal.
    #[must_use]
    pub fn new(tone: Tone, text: impl AsRef<str>) -> Self {
        Self {
            tone,
            text: visible(text.as_ref()),
        }
    }

    /// Writes the line and its end.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut impl Write, color: bool) -> fmt::Result {
        let code = self.tone.code();
        if color && !code.is_empty() {
            writeln!(out, "\u{1b}[{code}m{}\u{1b}[0m", self.text)
        } else {
            writeln!(out, "{}", self.text)
        }
    }
}

/// Writes lines one after the other.
///
/// # Errors
/// Those of `out`.
pub fn write_all(lines: &[Line], out: &mut impl Write, color: bool) -> fmt::Result {
    lines.iter().try_for_each(|line| line.write(out, color))
}

/// `1 host`, `2 hosts`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else if let Some(stem) = noun.strip_suffix("index") {
        format!("{number} {stem}indexes")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_steer_the_terminal() {
        let line = Line::new(Tone::Plain, "a\u{1b}[2Jb\tc\u{202e}");
        assert_eq!(line.text, "a\\u{1b}[2Jb\tc\\u{202e}");
    }

    #[test]
    fn color_wraps_the_line_and_nothing_else() {
        let mut out = String::new();
        Line::new(Tone::Added, "+ x").write(&mut out, true).unwrap();
        Line::new(Tone::Plain, "y").write(&mut out, true).unwrap();
        Line::new(Tone::Added, "z").write(&mut out, false).unwrap();
        assert_eq!(out, "\u{1b}[32m+ x\u{1b}[0m\ny\nz\n");
    }
}
