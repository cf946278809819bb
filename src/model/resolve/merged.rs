//! `ldap:` of a murder and of a site, read as one.

use crate::manifest::Node;

/// One key as the nearest of several `ldap:` says it, with the path of that `ldap:`.
pub(super) struct Merged<'n, 'p>(pub(super) &'n [(&'n Node, &'p str)]);

impl<'n, 'p> Merged<'n, 'p> {
    pub(super) fn get(&self, key: &str) -> Option<(&'n Node, &'p str)> {
        self.0
            .iter()
            .find_map(|(node, place)| Some((node.get(key)?, *place)))
    }

    /// A key of `tls`, `sasl` or `prefixes`, which are merged key by key as well.
    pub(super) fn within(&self, section: &str, key: &str) -> Option<&'n Node> {
        self.0
            .iter()
            .find_map(|(node, _)| node.get(section)?.get(key))
    }

    /// Whether the `ldap:` of that path says the key, as the nearest one that does.
    pub(super) fn is_of(&self, key: &str, place: &str) -> bool {
        self.get(key).is_some_and(|(_, nearest)| nearest == place)
    }

    pub(super) fn tls(&self, key: &str) -> Option<&'n Node> {
        self.within("tls", key)
    }

    pub(super) fn text(&self, key: &str) -> Option<&'n str> {
        self.get(key).and_then(|(node, _)| node.text())
    }
}
