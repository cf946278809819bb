//! Makes text visible: what a host, a manifest or a file's name says must not steer a terminal, and must not look like
//! something else there, in JSON, or in the log of a pipeline.

use std::fmt::Write as _;

use crate::name::is_hidden;

/// Each hidden character, line ends included, as `\u{1b}`; a tab stays.
#[must_use]
pub fn visible(text: &str) -> String {
    escape(text, |c| c == '\t')
}

/// The same for a text of several lines: line ends stay, and no line is a command of a pipeline, see [`printed`].
#[must_use]
pub fn visible_lines(text: &str) -> String {
    inert(escape(text, |c| matches!(c, '\t' | '\n')))
}

/// A whole text as it is printed, whoever wrote its parts: hidden characters are visible, but for tabs, line ends and, with
/// `colors`, the colours of a terminal (ECMA-48, SGR). No line is a command that a pipeline would take from its log:
///
/// - `::error::` of GitHub, at the begin of a line, after blanks too: it gets a mark before it;
/// - `##[error]` and `##vso[…]` of GitHub, Azure and TeamCity, anywhere in a line: the second sign is written as
///   `\u{23}`.
#[must_use]
pub fn printed(text: &str, colors: bool) -> String {
    if !colors || !text.contains('\u{1b}') {
        return visible_lines(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, from) = rest.split_at(at);
        shown.push_str(&escape(before, |c| matches!(c, '\t' | '\n')));
        let length = color_length(from);
        if let Some((color, after)) = from.split_at_checked(length).filter(|_| length > 0) {
            shown.push_str(color);
            rest = after;
        } else {
            shown.push_str("\\u{1b}");
            rest = from.get(1..).unwrap_or_default();
        }
    }
    shown.push_str(&escape(rest, |c| matches!(c, '\t' | '\n')));
    inert(shown)
}

/// The length of the colour that a text begins with: `ESC [ 1 ; 33 m`. 0 where it begins with something else.
fn color_length(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\u{1b}[") else {
        return 0;
    };
    let digits = rest
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b';')
        .count();
    match rest.as_bytes().get(digits) {
        Some(b'm') => "\u{1b}[".len() + digits + 1,
        _ => 0,
    }
}

/// Takes the effect from commands of pipelines, see [`printed`].
fn inert(shown: String) -> String {
    let shown = match shown.contains("##") {
        true => defused(&shown, r"\u{23}"),
        false => shown,
    };
    if !shown.contains("::") {
        return shown;
    }
    let marked = shown.split('\n').map(|line| match begins_command(line) {
        true => format!("| {line}"),
        false => line.to_owned(),
    });
    marked.collect::<Vec<_>>().join("\n")
}

/// Whether a line begins with `::`, after blanks and colours.
fn begins_command(line: &str) -> bool {
    let mut rest = line;
    loop {
        rest = rest.trim_start();
        match color_length(rest) {
            0 => return rest.starts_with("::"),
            length => rest = rest.get(length..).unwrap_or_default(),
        }
    }
}

/// A text in which `##word[` has `sign` in the place of its second `#`.
fn defused(text: &str, sign: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find("##") {
        let (before, from) = rest.split_at(at + 1);
        shown.push_str(before);
        let word = from.strip_prefix('#').unwrap_or_default();
        let word = word.trim_start_matches(|c: char| c.is_ascii_alphanumeric());
        if word.starts_with('[') {
            shown.push_str(sign);
            rest = from.get(1..).unwrap_or_default();
        } else {
            rest = from;
        }
    }
    shown.push_str(rest);
    shown
}

/// JSON with each hidden character beyond ASCII as `\uXXXX`, and without commands of pipelines: for a program the same, for
/// a terminal and a log without effect. serde_json escapes those of ASCII itself, but for DEL.
#[must_use]
pub fn visible_json(json: &str) -> String {
    // Outside of its strings, JSON has no such sign, and no line of it begins with a colon.
    let json = &*defused(json, r"\u0023");
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
        for (text, shown) in [
            ("a\n  ::error::x\nb ::", "a\n|   ::error::x\nb ::"),
            ("##[error]y", r"#\u{23}[error]y"),
            ("a ##vso[task.x]y", r"a #\u{23}vso[task.x]y"),
            ("###VSO[", r"##\u{23}VSO["),
            ("##teamcity[x", r"#\u{23}teamcity[x"),
            ("## title [x]", "## title [x]"),
            ("\r::error::x", r"\r::error::x"),
        ] {
            assert_eq!(visible_lines(text), shown);
            assert_eq!(printed(text, true), shown);
            assert_eq!(printed(shown, false), shown, "twice is once");
        }
        let json = visible_json(r#"{"a": "x ##vso[y"}"#);
        assert_eq!(json, r#"{"a": "x #\u0023vso[y"}"#);
        let read: serde_json::Value = serde_json::from_str(&json).unwrap_or_default();
        assert_eq!(read["a"], "x ##vso[y");
    }

    #[test]
    fn colours_are_printed_and_nothing_else_of_a_terminal() {
        let green = "\u{1b}[1;32m+ x\u{1b}[0m\n";
        assert_eq!(printed(green, true), green);
        assert_eq!(printed(green, false), "\\u{1b}[1;32m+ x\\u{1b}[0m\n");
        for (text, shown) in [
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{1b}[1;", "\\u{1b}[1;"),
            ("\u{1b}", "\\u{1b}"),
            ("\u{1b}]52;c;x\u{7}ä", "\\u{1b}]52;c;x\\u{7}ä"),
            ("\u{1b}[0m ::error::", "| \u{1b}[0m ::error::"),
            ("\u{1b}\u{1b}[0mä\u{202e}", "\\u{1b}\u{1b}[0mä\\u{202e}"),
        ] {
            assert_eq!(printed(text, true), shown);
        }
    }
}
