//! Sources, places in them, and what there is to say about a place.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Group, Level as Look, Renderer, Snippet};

use crate::visible::{masked, visible, visible_lines};

/// One text that was read: a manifest file, a module, a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name as the user would type it.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
}

/// All texts of one run; a [`Span`] points into one of them.
#[derive(Debug, Clone, Default)]
pub struct Sources(Vec<Source>);

/// Which text of [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A stretch of bytes in one source. `start == end` points at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Sources {
    /// Adds a text.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.0.len()).unwrap_or(u32::MAX));
        self.0.push(Source {
            name: name.into(),
            text: text.into(),
        });
        id
    }

    /// Replaces the bytes of these places by `*`, so that a line with a secret can be shown.
    /// Line ends stay, and so does the place of everything else.
    pub fn mask(&mut self, places: &[Span]) {
        let mut by_source: std::collections::BTreeMap<u32, Vec<Range<usize>>> =
            std::collections::BTreeMap::new();
        for span in places {
            by_source
                .entry(span.source.0)
                .or_default()
                .push(span.start as usize..span.end as usize);
        }
        for (id, ranges) in by_source {
            let Some(source) = self.0.get_mut(id as usize) else {
                continue;
            };
            let mut bytes = source.text.as_bytes().to_vec();
            for range in ranges {
                let range = floor_boundary(&source.text, range.start)
                    ..floor_boundary(&source.text, range.end);
                for byte in bytes.get_mut(range).unwrap_or_default() {
                    if !matches!(byte, b'\n' | b'\r') {
                        *byte = b'*';
                    }
                }
            }
            source.text = String::from_utf8_lossy(&bytes).into();
        }
    }

    /// The text of that number.
    #[must_use]
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.0.get(id.0 as usize)
    }

    /// `file:line:column`, both counted from 1, columns in characters.
    #[must_use]
    pub fn place(&self, span: Span) -> Place {
        let Some(source) = self.get(span.source) else {
            return Place {
                file: String::new(),
                line: 0,
                column: 0,
            };
        };
        let at = floor_boundary(&source.text, span.start as usize);
        let before = &source.text[..at];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            file: source.name.clone(),
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The line of text that a span begins on, without its line end.
    #[must_use]
    pub fn line(&self, span: Span) -> &str {
        let Some(source) = self.get(span.source) else {
            return "";
        };
        let at = floor_boundary(&source.text, span.start as usize);
        let start = source.text[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = source.text[at..]
            .find('\n')
            .map_or(source.text.len(), |more| at + more);
        source.text[start..end].trim_end_matches('\r')
    }
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A place for people and for JSON.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// The source's name.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How bad it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing goes on with this.
    Error,
    /// It works, and the user should know.
    Warning,
}

/// How much of the input cannot be used because of an error. The later, the more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One value of one layer. Without it, the rest of the manifest means what it says.
    Value,
    /// What the manifest means as a whole. Its values can still be judged one by one.
    Manifest,
    /// A text that belongs to the manifest. References into it cannot be judged.
    Text,
    /// Everything: this `murder` is not the one that the manifest requires.
    Version,
}

/// One thing to say about the user's input.
///
/// `summary` is lower case, quotes words of the user in backticks, and ends without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub level: Severity,
    /// For an error, how much of the input it makes useless.
    pub scope: Scope,
    /// What is wrong, in one line.
    pub summary: String,
    /// Where, with a few words for the mark under the line (may be empty).
    pub at: Option<(Span, String)>,
    /// Other places that belong to it.
    pub related: Vec<(Span, String)>,
    /// Why it is wrong, where the summary does not say it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error of the whole manifest; [`scope`](Self::scope) narrows or widens that.
    #[must_use]
    pub fn error(summary: impl Into<String>) -> Self {
        Self {
            level: Severity::Error,
            scope: Scope::Manifest,
            summary: summary.into(),
            at: None,
            related: Vec::new(),
            detail: None,
            hint: None,
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(summary: impl Into<String>) -> Self {
        Self {
            level: Severity::Warning,
            ..Self::error(summary)
        }
    }

    /// Says how much of the input the error makes useless.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, span: Span, label: impl Into<String>) -> Self {
        self.at = Some((span, label.into()));
        self
    }

    /// Points at another place.
    #[must_use]
    pub fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related.push((span, label.into()));
        self
    }

    /// Says why.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The diagnostic as rustc would show it.
    #[must_use]
    pub fn render(&self, sources: &Sources, color: bool) -> String {
        let look = match self.level {
            Severity::Error => Look::ERROR,
            Severity::Warning => Look::WARNING,
        };
        let mut group = Group::with_title(look.primary_title(visible(&self.summary)));
        let mut places: Vec<(Span, &str, AnnotationKind)> = Vec::new();
        if let Some((span, label)) = &self.at {
            places.push((*span, label, AnnotationKind::Primary));
        }
        for (span, label) in &self.related {
            places.push((*span, label, AnnotationKind::Context));
        }
        // One snippet a source, in the order of first mention.
        let mut order: Vec<SourceId> = Vec::new();
        for (span, ..) in &places {
            if !order.contains(&span.source) {
                order.push(span.source);
            }
        }
        for id in order {
            let Some(source) = sources.get(id) else {
                continue;
            };
            let mut snippet = Snippet::source(masked(&source.text)).path(visible(&source.name));
            for (span, label, kind) in &places {
                if span.source == id {
                    let mut annotation = kind.span(inside(&source.text, *span));
                    if !label.is_empty() {
                        annotation = annotation.label(visible(label));
                    }
                    snippet = snippet.annotation(annotation);
                }
            }
            group = group.element(snippet);
        }
        if let Some(detail) = &self.detail {
            group = group.element(Look::NOTE.message(visible_lines(detail)));
        }
        if let Some(hint) = &self.hint {
            group = group.element(Look::HELP.message(visible_lines(hint)));
        }
        let renderer = if color {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }
}

/// The widest scope of the errors among diagnostics; none where none is an error.
#[must_use]
pub fn widest(diagnostics: &[Diagnostic]) -> Option<Scope> {
    let errors = diagnostics.iter();
    errors
        .filter(|one| one.level == Severity::Error)
        .map(|one| one.scope)
        .max()
}

/// A span that annotate-snippets can mark: inside the text, on character boundaries.
fn inside(text: &str, span: Span) -> Range<usize> {
    let start = floor_boundary(text, span.start as usize);
    let end = floor_boundary(text, (span.end as usize).max(start));
    start..end
}
