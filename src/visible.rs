//! Makes text visible: what a host, a manifest or a file's name says must not steer a terminal, and must not look like
//! something else there, in JSON, or in the log of a pipeline.

use std::fmt::Write as _;

use crate::name::is_hidden;

/// Each hidden character, line ends included, as `\u{1b}`; a tab stays.
#[must_use]
pub fn visible(text: &str) -> String {
    escape(text, |c| c == '\t')
}

/// The same for a text of several lines: line ends stay. A line that a pipeline would take for a command
/// (`::error::` of GitHub, `##[error]` of Azure) gets a mark before it.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    let shown = escape(text, |c| matches!(c, '\t' | '\n'));
    if !shown.contains("::") && !shown.contains("##[") {
        return shown;
    }
    let marked = shown.split('\n').map(|line| {
        let begin = line.trim_start();
        if begin.starts_with("::") || begin.starts_with("##[") {
            format!("| {line}")
        } else {
            line.to_owned()
        }
    });
    marked.collect::<Vec<_>>().join("\n")
}

/// JSON with each hidden character beyond ASCII as `\uXXXX`: for a program the same, for a terminal visible.
/// serde_json escapes those of ASCII itself, but for DEL.
#[must_use]
pub fn visible_json(json: &str) -> String {
    let hides = |c: char| is_hidden(c) && (!c.is_ascii() || c == '\u{7f}');
    if !json.contains(hides) {
        return json.to_owned();
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if hides(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String does not fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A text of the same length in bytes without hidden characters beyond ASCII, for what counts in bytes.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) && !c.is_ascii() {
            shown.extend(std::iter::repeat_n('?', c.len_utf8()));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn escape(text: &str, stays: impl Fn(char) -> bool) -> String {
    let hides = |c: char| is_hidden(c) && !stays(c);
    if !text.contains(hides) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if hides(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const HIDDEN: [char; 14] = [
        '\u{1b}',
        '\u{7f}',
        '\u{9b}',
        '\u{61c}',
        '\u{200b}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{e0001}',
        '\u{e007f}',
    ];

    #[test]
    fn hidden_characters_are_shown_everywhere() {
        for c in HIDDEN {
            let text = format!("a{c}b");
            for shown in [visible(&text), visible_lines(&text)] {
                assert_eq!(shown, format!("a{}b", c.escape_default()));
            }
            let json = serde_json::to_string(&text).unwrap_or_default();
            let shown = visible_json(&json);
            assert!(!shown.contains(is_hidden), "{shown}");
            assert_eq!(
                serde_json::from_str::<String>(&shown).ok(),
                Some(text.clone())
            );
            assert_eq!(masked(&text).len(), text.len());
        }
        assert_eq!(visible("ä ö\tß–„x“"), "ä ö\tß–„x“");
    }

    #[test]
    fn no_line_of_a_stranger_is_a_command_of_a_pipeline() {
        assert_eq!(visible("a\n::error::x"), "a\\n::error::x");
        assert_eq!(
            visible_lines("a\n  ::error::x\n##[error]y\nb ::"),
            "a\n|   ::error::x\n| ##[error]y\nb ::"
        );
    }
}
