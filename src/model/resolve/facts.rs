//! What `facts:` and `probe:` of a layer say.

use std::collections::BTreeSet;

use crate::manifest::Node;
use crate::state::{Facts, Probes};

/// The addresses of a `probe:`.
pub(super) fn probes(node: Option<&Node>) -> Probes {
    let texts = |key: &str| {
        let nodes = node
            .and_then(|node| node.get(key))
            .map_or(&[][..], Node::list);
        nodes
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect()
    };
    Probes {
        accept: texts("accept"),
        refuse: texts("refuse"),
    }
}

/// Lays what a `facts:` says over what is known.
pub(super) fn lay_facts(facts: &mut Facts, node: &Node) {
    let text = |key: &str| node.get(key).and_then(Node::text);
    let table = |key: &str| text(key).and_then(|text| text.parse().ok());
    if let Some(version) = text("postfix_version") {
        version.clone_into(&mut facts.postfix_version);
    }
    if let Some(types) = node.get("table_types") {
        facts.table_types = types
            .list()
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect::<BTreeSet<_>>()
            .into();
    }
    if let Some(kind) = table("default_database_type") {
        // A host that says nothing of its indexes builds them in its default type.
        facts.index_type = crate::name::TableType::clone(&kind);
        facts.default_database_type = kind;
    }
    if let Some(kind) = table("index_type") {
        facts.index_type = kind;
    }
    if let Some(distribution) = text("distribution") {
        distribution.clone_into(&mut facts.distribution);
    }
    if let Some(socket) = text("lmtp_socket").and_then(|text| text.parse().ok()) {
        facts.lmtp_socket = socket;
    }
}
