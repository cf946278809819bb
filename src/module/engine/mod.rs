//! Tera, prepared once for all modules and asked once for each host.
//!
//! Values, conditions and files are all templates. What holds no `{{` or `{%` is kept as it is
//! and never reaches Tera, which is most of a module.

mod add;
mod budget;
mod refused;
mod tera_errors;

pub(crate) use self::add::{check_names, value_name, when_name};

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use tera::{Context, Tera};

use super::{Module, filters, names, spend};
use crate::diagnostic::{Diagnostic, Span};
use crate::name::is_hidden;
use crate::secret::Body;
use budget::Guarded;

/// The names that a template may use by themselves.
const ROOTS: [&str; 4] = ["murder", "host", "vars", "facts"];

/// Every template of a run, parsed and linted.
#[derive(Debug, Clone)]
pub struct Engine {
    tera: Tera,
    parts: BTreeMap<String, Part>,
    /// Names and texts that Tera does not have yet.
    waiting: Vec<(String, String)>,
}

/// The place of a template's text.
#[derive(Debug, Clone)]
struct Part {
    /// Where it begins.
    at: Span,
    /// Whether byte offsets in the template are offsets in the source: not so in YAML scalars.
    exact: bool,
    /// Whether it may read `host`. Only what surely does not is rendered once for many hosts.
    reads_host: bool,
    /// The text itself, where there is nothing in it to render.
    plain: Option<String>,
    /// The calls that Tera's text has, and this one has not.
    calls: Guarded,
}

impl Engine {
    /// Parses every template of these modules, for the Postfix whose configuration is in `folder`; each problem is a diagnostic with its place.
    #[must_use]
    pub fn new<'a>(
        modules: impl Iterator<Item = &'a Module>,
        folder: &str,
    ) -> (Self, Vec<Diagnostic>) {
        let mut tera = Tera::new();
        // These are configuration files: nothing is HTML.
        tera.autoescape_on(Vec::<&str>::new());
        filters::register(&mut tera, folder);
        budget::register(&mut tera);
        let mut engine = Self {
            tera,
            parts: BTreeMap::new(),
            waiting: Vec::new(),
        };
        let mut problems = Vec::new();
        for module in modules {
            engine.add_module(module, &mut problems);
        }
        engine.settle(&mut problems);
        (engine, problems)
    }

    /// Gives Tera all that waits. At each gift it goes through all templates that it has, so there is
    /// one gift; only where that is refused do they come one by one, so that each bad one is named.
    pub fn settle(&mut self, problems: &mut Vec<Diagnostic>) {
        let waiting = std::mem::take(&mut self.waiting);
        let waiting = self.guarded(waiting, problems);
        if waiting.is_empty() {
            return;
        }
        let all = waiting.iter().map(|(name, text)| (name, text));
        if self.tera.add_raw_templates(all).is_err() {
            self.settle_each(&waiting, problems);
        }
        for (name, _) in &waiting {
            if let (Ok(used), Some(part)) =
                (self.tera.get_template_variables(name), self.parts.get(name))
                && !part.exact
            {
                let used: BTreeSet<&str> = used.into_iter().collect();
                let unknown = used.into_iter().filter(|root| !ROOTS.contains(root));
                problems.extend(unknown.map(|root| unknown_root(root, part.at)));
            }
            self.find_readers(name);
        }
    }

    /// The same templates with calls that count what they cost, without those that cannot be counted.
    fn guarded(
        &mut self,
        waiting: Vec<(String, String)>,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<(String, String)> {
        let mut guarded = Vec::with_capacity(waiting.len());
        for (name, text) in waiting {
            match (budget::guard(&text), self.parts.get_mut(&name)) {
                (Ok(calls), Some(part)) => {
                    guarded.push((name, calls.text.clone()));
                    part.calls = calls;
                }
                (Err(refused), Some(part)) => problems.push(
                    Diagnostic::error(format!("template: {}", refused.why))
                        .at(part.place(refused.at, refused.at), "")
                        .detail(format!("template `{name}`"))
                        .hint("see docs/modules.md for what a template may use"),
                ),
                (_, None) => {}
            }
        }
        guarded
    }

    /// Adds one text that was written in YAML; `at` is its place there. Tera has it once
    /// everything was told to [`settle`](Self::settle).
    pub fn add(
        &mut self,
        name: &str,
        text: &str,
        at: Span,
        vars: &BTreeSet<&str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        if Body::reserved(text) {
            problems.push(reserved(at));
        }
        let plain = ["{{", "{%", "{#"].iter().all(|open| !text.contains(open));
        self.parts.insert(
            name.to_owned(),
            Part {
                at,
                exact: false,
                reads_host: true,
                plain: plain.then(|| text.to_owned()),
                calls: Guarded::default(),
            },
        );
        if plain {
            return;
        }
        self.lint(name, text, vars, problems);
        self.waiting.push((name.to_owned(), text.to_owned()));
    }

    /// Adds a template file that the manifest names, with every variable of the run allowed.
    pub fn add_file(
        &mut self,
        name: &str,
        text: &str,
        at: Span,
        vars: &BTreeSet<&str>,
        problems: &mut Vec<Diagnostic>,
    ) {
        if !self.parts.contains_key(name) {
            self.add(name, text, at, vars, problems);
        }
    }

    fn lint(&self, name: &str, text: &str, vars: &BTreeSet<&str>, problems: &mut Vec<Diagnostic>) {
        let Some(part) = self.parts.get(name) else {
            return;
        };
        for unknown in names::unknown(text, vars) {
            let mut problem = Diagnostic::error(format!("`{}` does not exist", unknown.name)).at(
                part.place(unknown.at.start, unknown.at.end),
                "templates have no such name",
            );
            if !part.exact {
                problem = problem.detail(format!("in `{}`", text.trim()));
            }
            problems.push(match unknown.nearest {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint(
                    "a template sees `murder`, `host`, `vars` and `facts`; docs/modules.md has their keys",
                ),
            });
        }
    }

    /// Finds out whether a template, or one that it includes, reads `host` by any name.
    fn find_readers(&mut self, name: &str) {
        const SHARED: [&str; 3] = ["murder", "vars", "facts"];
        let shared = self
            .tera
            .get_template_variables(name)
            .is_ok_and(|used| used.iter().all(|root| SHARED.contains(root)));
        if let Some(part) = self.parts.get_mut(name) {
            part.reads_host = !shared;
        }
    }

    /// Whether what a template renders to may differ between hosts of the same facts and variables.
    /// A text with nothing to render counts as such too: it is as cheap to give as to remember.
    #[must_use]
    pub fn reads_host(&self, name: &str) -> bool {
        self.parts.get(name).is_none_or(|part| part.reads_host)
    }

    /// Renders a template by its name.
    ///
    /// # Errors
    /// A diagnostic with template, line and column.
    pub fn render(&self, name: &str, context: &Context) -> Result<String, Diagnostic> {
        let plain = self.parts.get(name).and_then(|part| part.plain.clone());
        let text = match plain {
            Some(text) => text,
            None => self.rendered(name, context)?,
        };
        match text
            .chars()
            .find(|c| is_hidden(*c) && !matches!(c, '\n' | '\t'))
        {
            None => Ok(text),
            Some(hidden) => Err(self.hidden(name, hidden)),
        }
    }

    fn rendered(&self, name: &str, context: &Context) -> Result<String, Diagnostic> {
        spend::begin();
        let mut text = Capped(Vec::new());
        self.tera
            .render_to(name, context, &mut text)
            .map_err(|error| self.diagnostic(&error, Some(name)))?;
        // Tera writes text only.
        Ok(String::from_utf8_lossy(&text.0).into_owned())
    }

    /// What a manifest's `content` must not hold, a template must not make either.
    fn hidden(&self, name: &str, hidden: char) -> Diagnostic {
        let problem = Diagnostic::error(format!(
            "template: it renders the character {}, which does not show as itself",
            hidden.escape_unicode()
        ))
        .detail(format!("template `{name}`"))
        .hint("write lines that end with a line feed alone, and text without control characters and direction marks");
        match self.parts.get(name) {
            Some(part) => problem.at(part.place(0, 0), ""),
            None => problem,
        }
    }
}

/// Bytes that a template may render to: the table of a hundred thousand hosts has less.
const MOST_BYTES: usize = 32 << 20;

/// Takes so many bytes and no more.
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MOST_BYTES {
            return Err(io::Error::other(format!(
                "it renders to more than {MOST_BYTES} bytes"
            )));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A template must not write the token of a secret itself: it could name any secret of the murder.
fn reserved(at: Span) -> Diagnostic {
    Diagnostic::error("template: it holds the character \\u{fdd0} or \\u{fdd1}")
        .at(at, "")
        .detail("`murder` marks the places of secrets with them")
        .hint("remove it")
}

fn unknown_root(root: &str, at: Span) -> Diagnostic {
    Diagnostic::error(format!("`{root}` does not exist"))
        .at(at, "templates have no such name")
        .hint("a template sees `murder`, `host`, `vars` and `facts`")
}

impl Part {
    fn place(&self, start: usize, end: usize) -> Span {
        let bytes = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        if self.exact {
            Span {
                source: self.at.source,
                start: bytes(start),
                end: bytes(end),
            }
        } else {
            self.at
        }
    }
}
