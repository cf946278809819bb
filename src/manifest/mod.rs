//! The manifest as text: YAML becomes a tree in which every value knows its place, and the
//! grammar that says which values each key takes.
//!
//! Nothing here knows what a manifest means; that is `model`'s work. A [`Manifest`] may refer
//! to hosts and roles that do not exist.

mod checker;
mod folder;
mod grammar;
pub mod module_form;
mod node;
mod overlay;
pub mod range;
mod requires;
pub(crate) mod rule;
mod scalar;
mod schema;
mod secrecy;
mod shape;
mod yaml;

pub use grammar::defaults;
pub use node::{Kind, MapEntry, Node};
pub use scalar::{duration, integer, shown, switch};
pub use schema::schema;

use crate::diagnostic::{Diagnostic, Scope, SourceId, Span};
use crate::manifest::shape::Shape;

/// A manifest as it was written, overlays laid over it.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its keys.
    pub root: Node,
}

/// One text of a manifest.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// Its number among the sources.
    pub source: SourceId,
    /// The text itself.
    pub text: &'a str,
}

/// What [`parse`] found.
#[derive(Debug)]
pub struct ParsedManifest {
    /// The manifest, wherever there is one to look at, also a wrong one: what it says can then be
    /// resolved in the same run, and its other problems found too. None where a text is no YAML.
    pub manifest: Option<Manifest>,
    /// Everything that is wrong with the texts by themselves; only the version where the manifest requires another
    /// `murder`.
    pub problems: Vec<Diagnostic>,
    /// The places of secrets in the texts. The caller masks them before it shows a line.
    pub secrets: Vec<Span>,
}

/// Reads the files of a manifest and the overlays, in their order.
#[must_use]
pub fn parse(files: &[Text<'_>], overlays: &[Text<'_>]) -> ParsedManifest {
    let mut problems = Vec::new();
    let mut secrets = Vec::new();
    let mut whole = true;
    let mut read = |texts: &[Text<'_>]| {
        let mut trees = Vec::new();
        for text in texts {
            let before = problems.len();
            let tree = yaml::parse(text.source, text.text, &mut problems);
            match &tree {
                Some(tree) => secrecy::in_tree(tree, &mut secrets),
                None => secrecy::in_lines(*text, &mut secrets),
            }
            match tree {
                Some(tree) if matches!(tree.kind, Kind::Map(_)) => trees.push(tree),
                Some(tree) => problems.push(not_a_map(&tree)),
                None => {
                    for problem in problems.iter_mut().skip(before) {
                        problem.scope = Scope::Text;
                    }
                }
            }
        }
        whole &= trees.len() == texts.len();
        trees
    };
    let trees = read(files);
    let overlays = read(overlays);
    let mut manifest = None;
    if let Some(mut root) = folder::join(trees, &mut problems) {
        for overlay in overlays {
            overlay::lay(&mut root, overlay, &mut problems);
        }
        if let Some(refusal) = requires::refusal(&root, env!("CARGO_PKG_VERSION")) {
            return ParsedManifest {
                manifest: None,
                problems: vec![refusal],
                secrets,
            };
        }
        let shape = Shape::Record(&grammar::MANIFEST);
        problems.extend(checker::check(&root, &shape, "the manifest", whole));
        manifest = whole.then_some(Manifest { root });
    }
    ParsedManifest {
        manifest,
        problems,
        secrets,
    }
}

/// Reads a file of policies: its tree, and everything that is wrong with it.
#[must_use]
pub fn parse_policy(text: Text<'_>) -> (Option<Node>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let tree = yaml::parse(text.source, text.text, &mut problems);
    if let Some(tree) = &tree {
        let shape = Shape::Record(&grammar::POLICY_FILE);
        problems.extend(checker::check(tree, &shape, "the policy", true));
    }
    (tree, problems)
}

fn not_a_map(tree: &Node) -> Diagnostic {
    Diagnostic::error("the manifest is not a map of keys")
        .scope(Scope::Text)
        .at(tree.span, format!("this is {}", tree.description()))
        .hint("begin with `version: 1`")
}

impl Manifest {
    /// The templates that `files:` name, as written, each with its first place.
    #[must_use]
    pub fn templates(&self) -> Vec<(&str, Span)> {
        let layers = ["modules", "sites", "hosts"]
            .iter()
            .filter_map(|section| self.root.get(section))
            .flat_map(|section| section.entries().iter().map(|entry| &entry.value))
            .chain(self.root.get("defaults"));
        let mut found: std::collections::BTreeMap<&str, Span> = std::collections::BTreeMap::new();
        for file in layers
            .filter_map(|layer| layer.get("files"))
            .flat_map(Node::entries)
        {
            if let Some(template) = file.value.get("template")
                && let Some(name) = template.text()
            {
                found.entry(name).or_insert(template.span);
            }
        }
        found.into_iter().collect()
    }

    /// The roles that it names anywhere, as written: of hosts, sites and defaults, and in `modules:`.
    #[must_use]
    pub fn roles(&self) -> std::collections::BTreeSet<&str> {
        let sections = ["sites", "hosts"]
            .iter()
            .filter_map(|section| self.root.get(section));
        let layers = sections
            .flat_map(|section| section.entries().iter().map(|entry| &entry.value))
            .chain(self.root.get("defaults"));
        let given = layers
            .filter_map(|layer| layer.get("roles"))
            .flat_map(|roles| roles.list().iter().filter_map(Node::text));
        let modules = self.root.get("modules").map_or(&[][..], Node::entries);
        given
            .chain(modules.iter().map(|entry| entry.key.as_str()))
            .collect()
    }
}
