//! Holds a tree against the grammar, and finds everything that does not fit in one walk.

use std::time::Duration;

use crate::diagnostic::{Diagnostic, Scope, Span};
use crate::manifest::grammar;
use crate::manifest::node::{Kind, MapEntry, Node};
use crate::manifest::scalar::{duration, integer, shown, switch};
use crate::manifest::shape::{Record, Rule, Shape};
use crate::name::is_hidden;
use crate::nearest;
use crate::secret::Body;

/// Everything about `node`, which is `what`, that the `shape` does not allow. `complete` is false where a part could not
/// be read: then a missing key is no problem. A problem with an unknown key, or below one of [`THINGS`], has the scope
/// of a value.
#[must_use]
pub fn check(node: &Node, shape: &Shape, what: &str, complete: bool) -> Vec<Diagnostic> {
    let mut checker = Checker {
        complete,
        problems: Vec::new(),
        within: 0,
    };
    checker.value(node, shape, what);
    checker.problems
}

/// The maps of a layer whose entries are independent: an error in one says nothing about the others.
const THINGS: [&str; 4] = ["settings", "services", "files", "vars"];

struct Checker {
    complete: bool,
    problems: Vec<Diagnostic>,
    /// How many maps of [`THINGS`] enclose the value that is being checked.
    within: usize,
}

impl Checker {
    fn say(&mut self, problem: Diagnostic) {
        self.problems.push(match self.within {
            0 => problem,
            _ => problem.scope(Scope::Value),
        });
    }

    /// Checks a value; `place` is its key.
    fn value(&mut self, node: &Node, shape: &Shape, place: &str) {
        if THINGS.contains(&place) && fits(node, shape) {
            self.within += 1;
            self.fitting(node, shape, place);
            self.within -= 1;
        } else {
            self.fitting(node, shape, place);
        }
    }

    fn fitting(&mut self, node: &Node, shape: &Shape, place: &str) {
        match shape {
            Shape::Any => self.anything(node),
            Shape::Nullable(meaning, shape) => {
                if !node.is_null() {
                    self.value(node, shape, place);
                } else if is_empty(node) && !meaning.is_empty() {
                    self.say(
                        Diagnostic::error(format!("`{place}` has no value"))
                            .at(node.span, "nothing follows the colon")
                            .hint(format!(
                                "write `null` if it {meaning}, or `\"\"` for an empty text"
                            )),
                    );
                }
            }
            Shape::Either(shapes) => match shapes.iter().find(|shape| fits(node, shape)) {
                Some(shape) => self.value(node, shape, place),
                None => self.mismatch(node, shape, place),
            },
            _ if !fits(node, shape) => self.mismatch(node, shape, place),
            Shape::Text(rule) => {
                let text = node.text().unwrap_or_default();
                if self.one_line(text, node.span, place) {
                    self.rule(text, rule, node.span);
                }
            }
            Shape::Block => self.block(node),
            Shape::Integer(least, most) => self.integer(node, *least, *most, place),
            Shape::Switch => {
                if switch(node).is_none() {
                    self.mismatch(node, shape, place);
                }
            }
            Shape::Duration => self.duration(node, shape, place),
            Shape::OneOf(words) => self.one_of(node, words, place),
            Shape::Secret => self.secret(node, place),
            Shape::List(shape) => {
                for node in node.list() {
                    self.value(node, shape, place);
                }
            }
            Shape::Map(rule, shape) => {
                for entry in node.entries() {
                    self.entry(entry, rule, shape, place);
                }
            }
            Shape::Record(record) => self.record(node, record, place),
        }
    }

    fn mismatch(&mut self, node: &Node, shape: &Shape, place: &str) {
        let problem = Diagnostic::error(format!(
            "`{place}` takes {}, not {}",
            shape.description(),
            node.description()
        ))
        .at(node.span, format!("this is {}", node.description()));
        let hint = self.mismatch_hint(node, shape);
        self.say(problem.hint(hint.unwrap_or_else(|| shape.hint())));
    }

    fn mismatch_hint(&self, node: &Node, shape: &Shape) -> Option<String> {
        match (shape, &node.kind) {
            (Shape::Switch, Kind::Scalar { text, plain }) => {
                let truth = match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" | "true" | "1" => "true",
                    "no" | "off" | "n" | "false" | "0" => "false",
                    _ => return None,
                };
                Some(if *plain && truth != text {
                    format!("write `{truth}`: YAML 1.2 reads `{text}` as text")
                } else {
                    format!("write `{truth}`, without quotes")
                })
            }
            (Shape::List(_), Kind::Scalar { text, .. }) if !text.is_empty() && text.len() < 60 => {
                Some(format!("write `[{text}]`"))
            }
            (Shape::Either(shapes), Kind::List(_))
                if shapes.iter().any(|shape| matches!(shape, Shape::Text(_))) =>
            {
                Some("write the list as one text, as in main.cf: `a, b`; or add to the list of the next layer with `append`".to_owned())
            }
            (Shape::Duration, _) => Some("a number with `ms`, `s`, `m` or `h`".to_owned()),
            _ => None,
        }
    }

    fn rule(&mut self, text: &str, rule: &Rule, span: Span) {
        if let Err(why) = (rule.check)(text) {
            self.say(
                Diagnostic::error(format!("`{}` is not {}", shown(text), rule.what))
                    .at(span, why)
                    .hint(rule.hint),
            );
        }
    }

    /// Refuses what no configuration file can hold on one line.
    fn one_line(&mut self, text: &str, span: Span, place: &str) -> bool {
        if text.contains(['\n', '\r']) {
            self.say(
                Diagnostic::error(format!("the text of `{place}` has a line break"))
                    .at(span, "must be one line")
                    .detail(
                        "main.cf, master.cf and tables would read the next line as another entry",
                    )
                    .hint("fold long texts with `>-`"),
            );
            return false;
        }
        if text.chars().any(is_hidden) || Body::reserved(text) {
            self.say(
                Diagnostic::error(format!("the text of `{place}` has a control character"))
                    .at(span, "has it")
                    .hint("remove it; use a space in place of a tab"),
            );
            return false;
        }
        true
    }

    fn block(&mut self, node: &Node) {
        let text = node.text().unwrap_or_default();
        let control = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
        if text.chars().any(control) || Body::reserved(text) {
            self.say(
                Diagnostic::error("the file's text has a control character")
                    .at(node.span, "has it")
                    .hint("remove it; only line ends and tabs are allowed"),
            );
        }
    }

    fn integer(&mut self, node: &Node, least: u64, most: u64, place: &str) {
        let text = node.text().unwrap_or_default();
        let Some(number) = integer(text) else {
            self.say(
                Diagnostic::error(format!("`{}` is not a whole number", shown(text)))
                    .at(node.span, format!("`{place}` takes decimal digits only"))
                    .hint(Shape::Integer(least, most).hint()),
            );
            return;
        };
        if !(least..=most).contains(&number) {
            let wanted = if least == most {
                format!("`{place}` must be {least}")
            } else {
                format!("`{place}` must be {least} to {most}")
            };
            self.say(
                Diagnostic::error(format!("{number} is out of range"))
                    .at(node.span, wanted)
                    .hint(Shape::Integer(least, most).hint()),
            );
        }
    }

    fn duration(&mut self, node: &Node, shape: &Shape, place: &str) {
        /// A week; whatever takes longer is a slip.
        const MOST: Duration = Duration::from_secs(7 * 24 * 3600);
        let text = node.text().unwrap_or_default();
        match duration(text) {
            None => {
                let problem = Diagnostic::error(format!("`{}` is not a time", shown(text))).at(
                    node.span,
                    format!("`{place}` takes {}", shape.description()),
                );
                self.say(match integer(text) {
                    Some(_) => problem.hint(format!("add the unit: `{text}s`")),
                    None => problem.hint("a number with `ms`, `s`, `m` or `h`"),
                });
            }
            Some(time) if time > MOST => {
                self.say(
                    Diagnostic::error(format!("`{text}` is out of range"))
                        .at(node.span, "this is longer than a week")
                        .hint("write a week (`168h`) at most"),
                );
            }
            Some(_) => {}
        }
    }

    fn one_of(&mut self, node: &Node, words: &[(&str, &str)], place: &str) {
        let text = node.text().unwrap_or_default();
        if words.iter().any(|(word, _)| *word == text) {
            return;
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let problem = Diagnostic::error(format!("`{}` is not a value of `{place}`", shown(text)))
            .at(node.span, format!("must be one of {}", all.join(", ")));
        self.say(match nearest::nearest(text, all.iter().copied()) {
            Some(nearest) => problem.hint(format!("did you mean `{nearest}`?")),
            None => problem.hint(format!("write one of `{}`", all.join("`, `"))),
        });
    }

    fn secret(&mut self, node: &Node, place: &str) {
        match &node.kind {
            Kind::Scalar { text, .. } => {
                // Never `shown`: this text is the secret.
                if text.contains(['\n', '\r']) || text.chars().any(char::is_control) {
                    self.say(
                        Diagnostic::error(format!("the secret `{place}` has a line break"))
                            .at(node.span, "must be one line")
                            .hint("write it on one line, or better into a file: `{file: PATH}`"),
                    );
                } else if text.is_empty() || text.trim() != text || Body::reserved(text) {
                    self.say(
                        Diagnostic::error(format!(
                            "the secret `{place}` is empty, or begins or ends with a blank"
                        ))
                        .at(node.span, "Postfix would strip the blank")
                        .hint("write it without blanks at its ends, or better into a file: `{file: PATH}`"),
                    );
                }
            }
            Kind::Map(entries) => {
                let before = self.problems.len();
                self.record(node, &grammar::SECRET, place);
                if self.problems.len() == before && entries.len() != 1 {
                    self.say(
                        Diagnostic::error(format!("`{place}` takes exactly one source"))
                            .at(node.span, format!("this has {}", entries.len()))
                            .hint(format!("write one of `{}`", sources())),
                    );
                }
            }
            Kind::List(_) => {}
        }
    }

    fn record(&mut self, node: &Node, record: &Record, place: &str) {
        for entry in node.entries() {
            if let Some(field) = record.fields.iter().find(|field| field.key == entry.key) {
                self.value(&entry.value, &field.shape, &entry.key);
            } else if let Some((rule, shape)) = record.others
                && ((rule.check)(&entry.key).is_ok() || !record.resembles(&entry.key))
            {
                self.entry(entry, rule, shape, place);
            } else if !(record.extensions && entry.key.starts_with("x-")) {
                self.unknown_key(record, &entry.key, entry.at, place);
            }
        }
        if !self.complete {
            return;
        }
        for field in record.fields {
            if field.required && node.get(field.key).is_none() {
                self.say(
                    Diagnostic::error(format!("{} lacks `{}`", quoted(place), field.key))
                        .at(node.span, "here")
                        .hint(format!("add `{}`: {}", field.key, field.doc)),
                );
            }
        }
    }

    /// Checks an entry whose key the user chose.
    fn entry(&mut self, entry: &MapEntry, rule: &Rule, shape: &Shape, place: &str) {
        if self.one_line(&entry.key, entry.at, place) {
            self.rule(&entry.key, rule, entry.at);
        }
        self.value(&entry.value, shape, &entry.key);
    }

    fn unknown_key(&mut self, record: &Record, key: &str, at: Span, place: &str) {
        if let Some((_, summary, hint)) = record.traps.iter().find(|(trap, ..)| *trap == key) {
            let problem = Diagnostic::error(*summary).at(at, "this key").hint(*hint);
            self.say(problem.scope(Scope::Value));
            return;
        }
        let problem = Diagnostic::error(format!("unknown key `{}`", shown(key)))
            .at(at, format!("{} has no such key", quoted(place)));
        let hint = record.nearest(key);
        let problem = problem.scope(Scope::Value);
        self.say(problem.hint(hint.unwrap_or_else(|| {
            if record.extensions {
                "remove it; for YAML anchors, use a key that begins with `x-`".to_owned()
            } else {
                "remove it; `murder schema` and docs/manifest.md list all keys".to_owned()
            }
        })));
    }

    /// Checks what no place of a manifest can hold.
    fn anything(&mut self, node: &Node) {
        match &node.kind {
            Kind::Scalar { text, .. } => {
                self.one_line(text, node.span, "vars");
            }
            Kind::List(nodes) => nodes.iter().for_each(|node| self.anything(node)),
            Kind::Map(entries) => {
                for entry in entries {
                    self.one_line(&entry.key, entry.at, "vars");
                    self.anything(&entry.value);
                }
            }
        }
    }
}

/// Whether a value is of the kind (text, list, map) that a shape takes.
fn fits(node: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Nullable(_, shape) => node.is_null() || fits(node, shape),
        Shape::Either(shapes) => shapes.iter().any(|shape| fits(node, shape)),
        Shape::List(_) => matches!(node.kind, Kind::List(_)),
        Shape::Map(..) | Shape::Record(_) => matches!(node.kind, Kind::Map(_)),
        Shape::Secret => !node.is_null() && !matches!(node.kind, Kind::List(_)),
        _ => node.text().is_some(),
    }
}

/// The kinds of sources of secrets.
fn sources() -> String {
    let kinds = grammar::SECRET.fields.iter();
    kinds
        .map(|field| field.key)
        .collect::<Vec<_>>()
        .join("`, `")
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.kind, Kind::Scalar { text, .. } if text.is_empty())
}

fn quoted(place: &str) -> String {
    if place.contains(' ') {
        place.to_owned()
    } else {
        format!("`{}`", shown(place))
    }
}
