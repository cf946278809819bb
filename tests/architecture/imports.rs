//! Which file of `src` takes names from which: `use` and qualified paths, each resolved to the file that defines the name.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use super::tokens::Token;

/// A path of names, as a `use` or an expression has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// Its names: `crate`, `plan`, `Step`.
    pub segments: Vec<String>,
    /// The line of its last name.
    pub line: usize,
}

/// One name that a `use` brings into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Import {
    path: Path,
    /// The name inside the file; `*` brings all.
    name: String,
    /// Whether the file hands the name on (`pub use`).
    is_public: bool,
}

/// The names of one module.
#[derive(Default)]
struct Module {
    file: String,
    children: BTreeSet<String>,
    items: BTreeSet<String>,
    imports: Vec<Import>,
}

/// What a path leads to.
enum Target {
    Module(String),
    /// The file that defines the item.
    Item(String),
}

/// All modules of the crate by their path.
pub struct Crate(BTreeMap<String, Module>);

/// One file takes a name from another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arrow {
    pub from: String,
    pub to: String,
    pub name: String,
}

/// The names of a file's code.
#[derive(Default)]
struct Names {
    imports: Vec<Import>,
    /// Qualified paths outside of imports.
    paths: Vec<Path>,
    /// Single words outside of imports.
    words: BTreeSet<String>,
}

/// All paths of a file: each leaf of each `use`, and each qualified path.
pub fn paths(tokens: &[Token]) -> Vec<Path> {
    let names = names(tokens);
    let imports = names.imports.into_iter().map(|import| import.path);
    names.paths.into_iter().chain(imports).collect()
}

fn names(tokens: &[Token]) -> Names {
    let mut names = Names::default();
    let mut at = 0;
    while at < tokens.len() {
        let next = tokens.get(at + 1).map_or("", |token| token.text.as_str());
        // `impl Trait + use<'a>` imports nothing.
        if tokens[at].text == "use" && next != "<" {
            let is_public = match at.checked_sub(1).map(|before| tokens[before].text.as_str()) {
                Some("pub") => true,
                Some(")") => tokens[..at]
                    .iter()
                    .rev()
                    .take(12)
                    .any(|token| token.text == "pub"),
                _ => false,
            };
            at = tree(tokens, at + 1, &[], is_public, &mut names.imports);
            continue;
        }
        names.words.insert(tokens[at].text.clone());
        if is_name(&tokens[at].text) && next == "::" {
            let mut segments = vec![tokens[at].text.clone()];
            while tokens.get(at + 1).is_some_and(|token| token.text == "::")
                && tokens.get(at + 2).is_some_and(|token| is_name(&token.text))
            {
                at += 2;
                segments.push(tokens[at].text.clone());
            }
            let line = tokens[at].line;
            names.paths.push(Path { segments, line });
        }
        at += 1;
    }
    names
}

/// Reads one tree of a `use` and returns the place behind it.
fn tree(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    is_public: bool,
    imports: &mut Vec<Import>,
) -> usize {
    let mut segments = before.to_vec();
    loop {
        match tokens[at].text.as_str() {
            "::" => at += 1,
            "{" => {
                at += 1;
                while tokens[at].text != "}" {
                    at = match tokens[at].text.as_str() {
                        "," => at + 1,
                        _ => tree(tokens, at, &segments, is_public, imports),
                    };
                }
                return at + 1;
            }
            word if word == "*" || is_name(word) => {
                let line = tokens[at].line;
                segments.push(word.to_owned());
                at += 1;
                if tokens[at].text == "::" {
                    continue;
                }
                let mut name = word.to_owned();
                if tokens[at].text == "as" {
                    name.clone_from(&tokens[at + 1].text);
                    at += 2;
                }
                if word == "self" && segments.len() > 1 {
                    segments.pop();
                }
                if name == "self" {
                    name = segments.last().cloned().unwrap_or_default();
                }
                let path = Path { segments, line };
                imports.push(Import {
                    path,
                    name,
                    is_public,
                });
                return at;
            }
            other => panic!(
                "a `use` that is not understood, line {}: {other}",
                tokens[at].line
            ),
        }
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The items that a file defines at its top level: keyword, name, whether `pub` as a whole, line.
pub fn items(tokens: &[Token]) -> Vec<(&str, &str, bool, usize)> {
    const KINDS: [&str; 8] = [
        "fn", "struct", "enum", "union", "trait", "type", "const", "static",
    ];
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut start = 0;
    for (at, token) in tokens.iter().enumerate() {
        let text = |back: usize| {
            tokens
                .get(at + back)
                .map_or("", |token| token.text.as_str())
        };
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            kind if depth == 0 && KINDS.contains(&kind) && is_name(text(1)) && text(1) != "fn" => {
                let is_public = tokens[start..at]
                    .windows(2)
                    .any(|two| two[0].text == "pub" && two[1].text != "(")
                    || (at > start && tokens[at - 1].text == "pub");
                items.push((kind, text(1), is_public, token.line));
            }
            "macro_rules" if depth == 0 => items.push(("macro", text(2), false, token.line)),
            _ => {}
        }
        if depth == 0 && matches!(token.text.as_str(), ";" | "}" | "]") {
            start = at + 1;
        }
    }
    items
}

impl Crate {
    pub fn new(sources: &[Source]) -> Self {
        let mut modules: BTreeMap<String, Module> = BTreeMap::new();
        for source in sources.iter().filter(|source| source.path != "src/main.rs") {
            let imports = names(&source.tokens).imports;
            let mut items: BTreeSet<String> = items(&source.tokens)
                .into_iter()
                .map(|(_, name, _, _)| name.to_owned())
                .collect();
            let three = source.tokens.windows(3);
            let children: BTreeSet<String> = three
                .filter(|three| three[0].text == "mod")
                .map(|three| {
                    assert_eq!(
                        three[2].text, ";",
                        "{}:{}: production code has one module a file",
                        source.path, three[0].line
                    );
                    three[1].text.clone()
                })
                .collect();
            items.retain(|item| !children.contains(item));
            let module = Module {
                file: source.path.clone(),
                children,
                items,
                imports,
            };
            modules.insert(source.module.clone(), module);
        }
        Self(modules)
    }

    /// Where a path leads that the code of a module names; none where it leaves the crate.
    fn resolve(&self, module: &str, segments: &[String], depth: usize) -> Option<Target> {
        let mut current = module.to_owned();
        let mut rest = segments;
        let first = segments.first()?.as_str();
        // A chain of re-exports that is longer than this is a ring.
        if depth > 16 {
            return None;
        }
        if matches!(first, "crate" | "murder" | "self" | "super") {
            if matches!(first, "crate" | "murder") {
                current.clear();
            }
            while let Some(word @ ("crate" | "murder" | "self" | "super")) =
                rest.first().map(String::as_str)
            {
                if word == "super" {
                    current = current
                        .rsplit_once("::")
                        .map_or("", |(up, _)| up)
                        .to_owned();
                }
                rest = &rest[1..];
            }
        } else if !self.knows(&current, first) {
            return None;
        }
        while let Some(name) = rest.first() {
            let module = &self.0[&current];
            rest = &rest[1..];
            if module.children.contains(name) {
                current = match current.as_str() {
                    "" => name.clone(),
                    parent => format!("{parent}::{name}"),
                };
                continue;
            }
            if module.items.contains(name) {
                return Some(Target::Item(module.file.clone()));
            }
            match self.imported(&current, name, depth)? {
                Target::Module(found) => current = found,
                item => return Some(item),
            }
        }
        Some(Target::Module(current))
    }

    /// Whether a name of a module leads into the crate.
    fn knows(&self, module: &str, name: &str) -> bool {
        let module = &self.0[module];
        module.children.contains(name)
            || module.items.contains(name)
            || module.imports.iter().any(|import| import.name == name)
    }

    /// What a name is that a module has by an import.
    fn imported(&self, module: &str, name: &str, depth: usize) -> Option<Target> {
        let imports = &self.0[module].imports;
        if let Some(import) = imports.iter().find(|import| import.name == name) {
            // `use name::Item` inside of what is called `name` itself would ask for itself.
            return self.resolve(module, &import.path.segments, depth + 1);
        }
        imports
            .iter()
            .filter(|import| import.name == "*")
            .find_map(|import| {
                let segments = &import.path.segments;
                let whole = self.resolve(module, &segments[..segments.len() - 1], depth + 1)?;
                let Target::Module(found) = whole else {
                    return None;
                };
                (found != module)
                    .then(|| self.resolve(&found, &["self".to_owned(), name.to_owned()], depth + 1))
                    .flatten()
            })
    }

    /// Every arrow from this file's production code to another file.
    ///
    /// A name that a file only hands on (`pub use`) makes none: whoever takes it from there has an arrow to the file
    /// that defines it. Methods are called without their file's name and make none either.
    pub fn arrows(&self, source: &Source) -> BTreeSet<Arrow> {
        let module = match source.path.as_str() {
            "src/main.rs" => "",
            _ => source.module.as_str(),
        };
        let names = names(&source.tokens);
        let mut paths = names.paths;
        paths.extend(
            names
                .imports
                .into_iter()
                .filter(|import| !import.is_public || names.words.contains(&import.name))
                .map(|import| import.path),
        );
        let mut arrows = BTreeSet::new();
        for path in paths {
            if let Some(Target::Item(to)) = self.resolve(module, &path.segments, 0)
                && to != source.path
            {
                arrows.insert(Arrow {
                    from: source.path.clone(),
                    to,
                    name: path.segments.last().cloned().unwrap_or_default(),
                });
            }
        }
        arrows
    }
}

/// Whether an arrow leads from a module's own file to a file of one of its submodules.
fn leads_inside(arrow: &Arrow) -> bool {
    let folder = arrow
        .from
        .trim_end_matches("mod.rs")
        .trim_end_matches(".rs");
    let folder = folder.trim_end_matches('/');
    let inside = arrow.to.strip_prefix(folder);
    inside.is_some_and(|rest| rest.starts_with('/'))
}

/// The groups of files that reach each other in a ring, each in order.
///
/// That a module uses its own submodules is left out: they are parts of it, and build on the types of its own file.
pub fn cycles(arrows: &BTreeSet<Arrow>) -> Vec<BTreeSet<String>> {
    let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for arrow in arrows.iter().filter(|arrow| !leads_inside(arrow)) {
        next.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    let reach = |start: &str| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = next.get(start).into_iter().flatten().copied().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file) {
                open.extend(next.get(file).into_iter().flatten());
            }
        }
        seen
    };
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        next.keys().map(|file| (*file, reach(file))).collect();
    let mut cycles = BTreeSet::new();
    for (file, there) in &reached {
        if there.contains(file) {
            let back = |other: &&&str| reached.get(**other).is_some_and(|seen| seen.contains(file));
            cycles.insert(
                there
                    .iter()
                    .filter(back)
                    .map(|file| (*file).to_owned())
                    .collect(),
            );
        }
    }
    cycles.into_iter().collect()
}

#[test]
fn names_lead_to_the_file_that_defines_them() {
    let source = |path: &str, module: &str, text: &str| Source {
        path: path.to_owned(),
        text: text.to_owned(),
        module: module.to_owned(),
        tokens: super::tokens::tokens(text),
    };
    let sources = [
        source("src/lib.rs", "", "pub mod a; pub mod b;"),
        source(
            "src/a/mod.rs",
            "a",
            "mod c; mod d; pub use c::{Kept, self as see}; pub struct Own; fn f() { d::g() }",
        ),
        source(
            "src/a/c.rs",
            "a::c",
            "use super::Own; pub enum Kept { One } pub fn h() { format!(\"{}\", super::super::b::i()) }",
        ),
        source("src/a/d.rs", "a::d", "pub fn g() {}"),
        source(
            "src/b.rs",
            "b",
            "use crate::a::{self, see::h, *}; pub fn i() { std::fs::x(); a::Kept::One; h() }",
        ),
    ];
    let known = Crate::new(&sources);
    let arrows: BTreeSet<Arrow> = sources
        .iter()
        .flat_map(|source| known.arrows(source))
        .collect();
    let seen: Vec<(&str, &str, &str)> = arrows
        .iter()
        .map(|arrow| (arrow.from.as_str(), arrow.to.as_str(), arrow.name.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("src/a/c.rs", "src/a/mod.rs", "Own"),
            ("src/a/c.rs", "src/b.rs", "i"),
            ("src/a/mod.rs", "src/a/d.rs", "g"),
            ("src/b.rs", "src/a/c.rs", "One"),
            ("src/b.rs", "src/a/c.rs", "h"),
        ]
    );
    let files = |names: [&str; 2]| names.map(str::to_owned).into_iter().collect();
    assert_eq!(cycles(&arrows), [files(["src/a/c.rs", "src/b.rs"])]);
}
