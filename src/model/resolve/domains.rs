//! The mail domains, their aliases, and names that are not hosts of the murder.

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Node;
use crate::model::Domain;
use crate::model::resolve::Resolver;
use crate::model::resolve::hints::with_nearest;
use crate::name::HostName;

impl Resolver<'_> {
    /// The domains in their order: a list of names, or a map.
    pub(super) fn domains(&mut self) -> Vec<Domain> {
        let Some(node) = self.root.get("domains") else {
            return Vec::new();
        };
        let mut found: Vec<(Domain, Span, Option<Span>)> = Vec::new();
        let listed = node
            .list()
            .iter()
            .filter_map(|node| Some((node.text()?, node.span, None)));
        let mapped = node
            .entries()
            .iter()
            .map(|entry| (entry.key.as_str(), entry.at, Some(&entry.value)));
        for (name, at, more) in listed.chain(mapped) {
            let Ok(name) = HostName::new(name) else {
                continue;
            };
            if let Some((_, first, _)) = found.iter().find(|(domain, ..)| domain.name == name) {
                self.say(
                    Diagnostic::error(format!("the domain `{name}` is named twice"))
                        .at(at, "again")
                        .related(*first, "first here")
                        .hint("keep one of the two"),
                );
                continue;
            }
            let text = |key: &str| more.and_then(|more| more.get(key));
            let alias = text("alias_of");
            let domain = Domain {
                name,
                base: text("base").and_then(Node::text).map(str::to_owned),
                alias_of: alias
                    .and_then(Node::text)
                    .and_then(|name| HostName::new(name).ok()),
            };
            found.push((domain, at, alias.map(|alias| alias.span)));
        }
        if found.is_empty() {
            self.say(
                Diagnostic::error("the manifest has no mail domains")
                    .at(node.span, "this is empty")
                    .hint("add at least one, as in `[example.org]`"),
            );
        }
        self.alias_domains(&found);
        found.into_iter().map(|(domain, ..)| domain).collect()
    }

    pub(super) fn alias_domains(&mut self, domains: &[(Domain, Span, Option<Span>)]) {
        for (domain, _, at) in domains {
            let (Some(target), Some(at)) = (&domain.alias_of, at) else {
                continue;
            };
            let problem = match domains.iter().find(|(other, ..)| other.name == *target) {
                _ if *target == domain.name => {
                    Diagnostic::error(format!("`{target}` is an alias of itself"))
                        .at(*at, "is the same domain")
                        .hint("name the domain that holds the addresses, or leave `alias_of` out")
                }
                None => {
                    let names = domains.iter().map(|(domain, ..)| domain.name.as_str());
                    with_nearest(
                        Diagnostic::error(format!("`{target}` is not a domain of this murder"))
                            .at(*at, "not in `domains`"),
                        target.as_str(),
                        names,
                        "add it under `domains`",
                    )
                }
                Some((other, there, _)) => {
                    let Some(end) = &other.alias_of else {
                        continue;
                    };
                    Diagnostic::error(format!("`{target}` is an alias, too"))
                        .at(*at, "an alias of an alias")
                        .related(*there, format!("is an alias of `{end}`"))
                        .hint(format!("write `alias_of: {end}`"))
                }
            };
            self.say(problem);
        }
    }

    pub(super) fn external(&mut self) -> Vec<HostName> {
        let nodes = self.root.get("external").map_or(&[][..], Node::list);
        nodes
            .iter()
            .filter_map(|node| HostName::new(node.text()?).ok())
            .collect()
    }
}
