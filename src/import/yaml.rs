//! A manifest as a tree, and its text in the style of the examples: short maps and lists on one line, long ones on several.

use std::fmt::Write as _;

/// Bytes that a line of a manifest may have.
pub const WIDTH: usize = 118;

/// A value of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Yaml {
    /// `null`.
    Null,
    /// A text.
    Text(String),
    /// A number or a switch.
    Plain(String),
    /// A list.
    List(Vec<Yaml>),
    /// A map, in order.
    Map(Vec<YamlEntry>),
}

/// A key of a map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct YamlEntry {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: Yaml,
    /// What the file says of it, in the line before it.
    pub comment: Option<String>,
}

impl Yaml {
    /// The value on one line; `null` where it cannot be.
    #[must_use]
    pub fn on_a_line(&self) -> String {
        flow(self).unwrap_or_else(|| "null".to_owned())
    }

    /// A scalar.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A list of scalars.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }

    /// A map of these keys.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| YamlEntry::new(key, value))
                .collect(),
        )
    }
}

impl YamlEntry {
    /// A key without a comment.
    #[must_use]
    pub fn new(key: impl Into<String>, value: Yaml) -> Self {
        Self {
            key: key.into(),
            value,
            comment: None,
        }
    }
}

/// The text of a map's keys. A value is on the line of its key where that has no more than `width` bytes.
#[must_use]
pub fn block(entries: &[YamlEntry], indent: usize, width: usize) -> String {
    let mut text = String::new();
    for entry in entries {
        add_entry(&mut text, entry, indent, width);
    }
    text
}

fn add_entry(text: &mut String, entry: &YamlEntry, indent: usize, width: usize) {
    let margin = " ".repeat(indent);
    if let Some(comment) = &entry.comment {
        for line in comment.lines() {
            // Writing to a String does not fail.
            let _ = writeln!(text, "{margin}# {}", harmless(line));
        }
    }
    let key = scalar(&entry.key, false);
    let _ = write!(text, "{margin}{key}:");
    let room = width.saturating_sub(indent + key.len() + 2);
    match &entry.value {
        Yaml::Text(value) if is_literal(value) => literal(text, value, indent + 2),
        Yaml::Map(entries) if entries.is_empty() => text.push_str(" {}\n"),
        Yaml::List(items) if items.is_empty() => text.push_str(" []\n"),
        value if flow(value).is_some_and(|flow| flow.len() <= room) => {
            let _ = writeln!(text, " {}", flow(value).unwrap_or_default());
        }
        Yaml::Map(entries) => {
            text.push('\n');
            text.push_str(&block(entries, indent + 2, width));
        }
        Yaml::List(items) => {
            text.push('\n');
            for item in items {
                list_item(text, item, indent + 2);
            }
        }
        Yaml::Text(value) if width > 0 && is_foldable(value) => {
            folded(text, value, indent + 2, width)
        }
        Yaml::Text(value) => {
            let _ = writeln!(text, " {}", scalar(value, false));
        }
        Yaml::Plain(value) => {
            let _ = writeln!(text, " {value}");
        }
        Yaml::Null => text.push_str(" null\n"),
    }
}

fn list_item(text: &mut String, item: &Yaml, indent: usize) {
    let margin = " ".repeat(indent);
    // Items of lists are scalars and short maps.
    let shown = flow(item).unwrap_or_else(|| "null".to_owned());
    let _ = writeln!(text, "{margin}- {shown}");
}

/// A value on one line; none where it has a comment or a text of several lines.
fn flow(value: &Yaml) -> Option<String> {
    match value {
        Yaml::Null => Some("null".to_owned()),
        Yaml::Plain(text) => Some(text.clone()),
        Yaml::Text(text) if is_literal(text) => None,
        Yaml::Text(text) => Some(scalar(text, true)),
        Yaml::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(flow).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Yaml::Map(entries) => {
            let entry = |entry: &YamlEntry| {
                let value = flow(&entry.value).filter(|_| entry.comment.is_none())?;
                Some(format!("{}: {value}", scalar(&entry.key, true)))
            };
            let entries: Option<Vec<String>> = entries.iter().map(entry).collect();
            Some(format!("{{{}}}", entries?.join(", ")))
        }
    }
}

/// Whether a text of one line may be written on several, which a reader joins with a blank each.
fn is_foldable(text: &str) -> bool {
    let starts_well = !text.starts_with([' ', '#', '|', '>', '-']);
    starts_well
        && !text.ends_with(' ')
        && !text.contains("  ")
        && text.matches(' ').count() > 1
        && text.chars().all(|c| !(c.is_control() || is_unprintable(c)))
}

fn folded(text: &mut String, value: &str, indent: usize, width: usize) {
    text.push_str(" >-\n");
    let margin = " ".repeat(indent);
    let mut line = String::new();
    for word in value.split(' ') {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > width {
            let _ = writeln!(text, "{margin}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(text, "{margin}{line}");
}

/// Whether a text is written as a block of lines.
fn is_literal(text: &str) -> bool {
    text.ends_with('\n')
        && text.len() > 1
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with("\n\n")
        && text
            .chars()
            .all(|c| c == '\n' || c == '\t' || !(c.is_control() || is_unprintable(c)))
        && text.lines().count() > 1
}

fn literal(text: &mut String, value: &str, indent: usize) {
    text.push_str(" |\n");
    let margin = " ".repeat(indent);
    for line in value.lines() {
        if line.is_empty() {
            text.push('\n');
        } else {
            let _ = writeln!(text, "{margin}{line}");
        }
    }
}

/// A scalar, quoted where it would mean something else without quotes.
fn scalar(text: &str, in_flow: bool) -> String {
    let plain = serde_yaml::to_string(text).unwrap_or_default();
    let plain = plain.trim_end_matches('\n');
    let breaks = plain.contains('\n') || plain.starts_with(['|', '>']);
    let breaks_flow =
        in_flow && !plain.starts_with(['"', '\'']) && plain.contains([',', '[', ']', '{', '}']);
    let unusual = text.chars().any(|c| c.is_control() || is_unprintable(c));
    // Words of a manifest are written without quotes, and numbers are taken as they are written.
    let is_word = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._+@/-".contains(&byte))
        && !["null", "Null", "NULL", "true", "false"].contains(&text)
        && text.as_bytes()[0].is_ascii_alphanumeric();
    if is_word && !is_boolean(text) && !looks_like_number(text) {
        text.to_owned()
    } else if breaks || breaks_flow || unusual || plain.starts_with('\'') {
        quoted(text)
    } else {
        plain.to_owned()
    }
}

fn is_boolean(text: &str) -> bool {
    ["yes", "no", "on", "off", "y", "n", "true", "false"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

fn looks_like_number(text: &str) -> bool {
    text.as_bytes()[0].is_ascii_digit()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || b"._+xo-e".contains(&byte))
        && text.matches('.').count() < 2
}

/// A text in double quotes, with the escapes of YAML.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() || is_unprintable(c) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Characters that change what a reader sees: direction marks, and those without width.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fffd}' | '\u{85}')
}

/// A line of a comment: text of a host must not end it.
fn harmless(line: &str) -> String {
    line.chars()
        .map(|c| match c.is_control() || is_unprintable(c) {
            true => '?',
            false => c,
        })
        .collect()
}
