//! The types of which [`grammar`](super::grammar) is made: which values a key of a manifest takes.
//!
//! One table serves the checker, which finds every problem, and the JSON Schema.

use crate::nearest;

/// What a value may be.
#[derive(Debug)]
pub enum Shape {
    /// Text of one line that a rule accepts.
    Text(&'static Rule),
    /// Text of any number of lines.
    Block,
    /// A whole number between two ends, both included.
    Integer(u64, u64),
    /// `true` or `false`.
    Switch,
    /// A number with its unit: `10s`.
    Duration,
    /// One of these words, each with what it means.
    OneOf(&'static [(&'static str, &'static str)]),
    /// A secret: where it comes from, or (with a warning) its text.
    Secret,
    /// A list.
    List(&'static Shape),
    /// A map with keys of the user's own.
    Map(&'static Rule, &'static Shape),
    /// A map with the keys of a record.
    Record(&'static Record),
    /// This, or `null`, which means that the thing does this (`must not be there`). Without a
    /// meaning, the value may also be missing.
    Nullable(&'static str, &'static Shape),
    /// The first of these whose kind (text, list, map) is the value's.
    Either(&'static [Shape]),
    /// Anything: whoever reads it knows.
    Any,
}

/// A map with known keys.
#[derive(Debug)]
pub struct Record {
    /// Its name, for the schema.
    pub name: &'static str,
    /// The keys.
    pub fields: &'static [KeySpec],
    /// Keys that people try, and what to tell them: key, what is wrong, what to do.
    pub traps: &'static [(&'static str, &'static str, &'static str)],
    /// Keys of which only one may be given: in an overlay, each replaces the others.
    pub alternatives: &'static [&'static str],
    /// Whether keys beginning with `x-` are passed over: a place for anchors.
    pub extensions: bool,
    /// What keys of the user's own may be beside these, and their values. No such key may be one of `fields`.
    pub others: Option<(&'static Rule, &'static Shape)>,
}

/// One key of a record.
#[derive(Debug)]
pub struct KeySpec {
    /// The key.
    pub key: &'static str,
    /// Its value.
    pub shape: Shape,
    /// What it is for.
    pub doc: &'static str,
    /// Whether the record is incomplete without it.
    pub required: bool,
    /// What it is where nothing gives it.
    pub default: Option<DefaultValue>,
}

/// What a key is where nothing gives it.
#[derive(Debug, Clone, Copy)]
pub enum DefaultValue {
    /// A text, or one of several words.
    Text(&'static str),
    /// A number.
    Number(u32),
    /// `true` or `false`.
    Switch(bool),
    /// A time in seconds.
    Seconds(u64),
    /// A file mode.
    Mode(u32),
}

impl std::fmt::Display for DefaultValue {
    /// As the manifest has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
            Self::Switch(truth) => write!(f, "{truth}"),
            Self::Seconds(seconds) => write!(f, "{seconds}s"),
            Self::Mode(bits) => write!(f, "{bits:04o}"),
        }
    }
}

impl KeySpec {
    /// The same key with a default.
    pub(super) const fn or(mut self, default: DefaultValue) -> Self {
        self.default = Some(default);
        self
    }

    /// What it is for, and its default.
    #[must_use]
    pub fn description(&self) -> String {
        match &self.default {
            Some(default) => format!("{} Default: `{default}`.", self.doc),
            None => self.doc.to_owned(),
        }
    }
}

/// What a text must look like.
pub struct Rule {
    /// What it is, with its article: `a host name`.
    pub what: &'static str,
    /// What to write instead of a wrong one.
    pub hint: &'static str,
    /// Checks a text, and says what is wrong with it.
    pub check: fn(&str) -> Result<(), String>,
}

/// A key that may be left out.
pub(super) const fn key(key: &'static str, shape: Shape, doc: &'static str) -> KeySpec {
    KeySpec {
        key,
        shape,
        doc,
        required: false,
        default: None,
    }
}

/// A key that must be given.
pub(super) const fn must(key: &'static str, shape: Shape, doc: &'static str) -> KeySpec {
    KeySpec {
        key,
        shape,
        doc,
        required: true,
        default: None,
    }
}

/// A record of these keys, with nothing else to it.
pub(super) const fn record(name: &'static str, fields: &'static [KeySpec]) -> Record {
    Record {
        name,
        fields,
        traps: &[],
        alternatives: &[],
        extensions: false,
        others: None,
    }
}

impl Record {
    /// The known key that a misspelt one means, as a hint.
    pub(super) fn nearest(&self, key: &str) -> Option<String> {
        nearest::hint(key, self.fields.iter().map(|field| field.key))
    }

    /// Whether a key looks like one of the known ones.
    pub(super) fn resembles(&self, key: &str) -> bool {
        self.nearest(key).is_some()
    }
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }
}

impl Shape {
    /// What to write in place of a value of another kind.
    #[must_use]
    pub fn hint(&self) -> String {
        let words = |words: Vec<&str>| format!("write one of `{}`", words.join("`, `"));
        match self {
            Self::Text(rule) => rule.hint.to_owned(),
            Self::Block => "write a text; one of several lines stands below `|`".to_owned(),
            Self::Integer(least, most) if least == most => format!("write `{least}`"),
            Self::Integer(least, most) => {
                format!("write a number from {least} to {most}, in plain digits")
            }
            Self::Switch => "write `true` or `false`, without quotes".to_owned(),
            Self::Duration => "write a number with `ms`, `s`, `m` or `h`, as in `10s`".to_owned(),
            Self::OneOf(all) => words(all.iter().map(|(word, _)| *word).collect()),
            Self::Secret => {
                "write where it is read from, such as `{file: PATH}` or `{env: NAME}`".to_owned()
            }
            Self::List(_) => {
                "write a list, as in `[a, b]`, or lines that begin with `- `".to_owned()
            }
            Self::Map(rule, _) => format!("write `key: value` below it; each key is {}", rule.what),
            Self::Record(record) => {
                let keys: Vec<&str> = record.fields.iter().map(|field| field.key).collect();
                let mut hint = format!(
                    "write `key: value` below it, with keys of `{}`",
                    keys.join("`, `")
                );
                for field in record.fields.iter().filter(|field| field.required) {
                    if let Self::OneOf(all) = &field.shape {
                        let all: Vec<&str> = all.iter().map(|(word, _)| *word).collect();
                        hint.push_str(&format!(
                            "; `{}` is one of `{}`",
                            field.key,
                            all.join("`, `")
                        ));
                    }
                }
                hint
            }
            Self::Nullable(_, shape) => shape.hint(),
            Self::Either(shapes) => {
                let all: Vec<String> = shapes.iter().map(Self::hint).collect();
                all.join("; or ")
            }
            Self::Any => "leave it out".to_owned(),
        }
    }

    /// What it is, for people.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Text(rule) => rule.what.to_owned(),
            Self::Block => "text".to_owned(),
            Self::Integer(..) => "a whole number".to_owned(),
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Duration => "a time such as `10s`".to_owned(),
            Self::OneOf(words) => {
                let words: Vec<String> =
                    words.iter().map(|(word, _)| format!("`{word}`")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Secret => "a secret such as `{file: PATH}` or `{env: NAME}`".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Map(..) | Self::Record(_) => "a map".to_owned(),
            Self::Nullable(_, shape) => format!("{} or `null`", shape.description()),
            Self::Either(shapes) => {
                let all: Vec<String> = shapes.iter().map(Self::description).collect();
                all.join(" or ")
            }
            Self::Any => "anything".to_owned(),
        }
    }
}
