//! Names of main.cf parameters: a misspelt one is silently ignored by Postfix, and so an error here.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Kind, Node};
use crate::model::resolve::Resolver;
use crate::postfix::catalogue;
use crate::postfix::catalogue::definitions;

/// The names that a manifest may use.
pub(super) struct Parameters<'a> {
    /// The user's own: those that a value refers to (postconf(5): `$name`, `${name}`).
    own: BTreeSet<&'a str>,
    /// Those that may define a database that a value names (`ldap:people`).
    defining: BTreeSet<String>,
}

impl<'a> Parameters<'a> {
    /// Collects the references in every value of a manifest.
    pub(super) fn of(root: &'a Node) -> Self {
        let mut own = BTreeSet::new();
        let mut defining = BTreeSet::new();
        collect(root, &mut |text| {
            references(text, &mut own);
            if text.contains(':') {
                defining.extend(definitions::parameters(text));
            }
        });
        restriction_classes(root, &mut own);
        Self { own, defining }
    }
}

/// Calls `see` with every text of a manifest.
fn collect<'a>(node: &'a Node, see: &mut dyn FnMut(&'a str)) {
    match &node.kind {
        Kind::Scalar { text, .. } => see(text),
        Kind::List(nodes) => nodes.iter().for_each(|node| collect(node, see)),
        Kind::Map(entries) => {
            for entry in entries {
                collect(&entry.value, see);
            }
        }
    }
}

/// The words of `smtpd_restriction_classes`, which name parameters without a `$`.
fn restriction_classes<'a>(node: &'a Node, names: &mut BTreeSet<&'a str>) {
    match &node.kind {
        Kind::Scalar { .. } => {}
        Kind::List(nodes) => nodes
            .iter()
            .for_each(|node| restriction_classes(node, names)),
        Kind::Map(entries) => {
            for entry in entries {
                if entry.key == "smtpd_restriction_classes" {
                    words(&entry.value, names);
                }
                restriction_classes(&entry.value, names);
            }
        }
    }
}

fn words<'a>(node: &'a Node, names: &mut BTreeSet<&'a str>) {
    match &node.kind {
        Kind::Scalar { text, .. } => names.extend(text.split([',', ' ', '\t'])),
        Kind::List(nodes) => nodes.iter().for_each(|node| words(node, names)),
        Kind::Map(entries) => entries.iter().for_each(|entry| words(&entry.value, names)),
    }
}

fn references<'a>(text: &'a str, names: &mut BTreeSet<&'a str>) {
    for part in text.split('$').skip(1) {
        let part = part.trim_start_matches(['{', '(']);
        let end = part
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(part.len());
        if end > 0 {
            names.insert(&part[..end]);
        }
    }
}

impl Resolver<'_> {
    /// Whether a parameter holds the password of a database that main.cf defines.
    pub(super) fn defines_password(&self, name: &str) -> bool {
        definitions::is_password(name) && self.parameters.defining.contains(name)
    }

    /// Refuses a name that no Postfix knows and no value refers to.
    pub(super) fn known_parameter(&mut self, name: &str, at: Span) {
        if catalogue::is_placeholder(name) {
            self.say(
                Diagnostic::error(format!(
                    "`{name}` is not a parameter, but a pattern for several"
                ))
                .at(at, "Postfix would ignore it")
                .detail("postconf(5) writes `transport` in place of a service's name")
                .hint(format!(
                    "write the service's name: `{}`",
                    name.replacen("transport", "smtp", 1)
                )),
            );
            return;
        }
        // Whether a service's parameter has its service, only compiling knows.
        if catalogue::is_own(name)
            || self.parameters.own.contains(name)
            || self.parameters.defining.contains(name)
        {
            return;
        }
        let problem = Diagnostic::error(format!("unknown Postfix parameter `{name}`"))
            .at(at, "Postfix would ignore it");
        self.say(match catalogue::nearest(name) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("for a parameter of your own, let a value use it as `$name`"),
        });
    }
}
