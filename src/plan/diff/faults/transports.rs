//! Transports that a parameter or a table names and that master.cf does not have: qmgr(8) keeps the mail for them in the
//! queue, with `mail transport unavailable`.

use std::collections::BTreeMap;

use crate::postfix::configuration::TransportUse;

use super::{Fault, Faults, Side};

/// The commands of the services that a Postfix usually has.
const COMMANDS: [(&str, &str); 9] = [
    ("discard", "discard"),
    ("error", "error"),
    ("lmtp", "lmtp"),
    ("local", "local"),
    ("relay", "smtp"),
    ("retry", "error"),
    ("smtp", "smtp"),
    ("smtps", "smtp"),
    ("virtual", "virtual"),
];

pub(super) fn missing(side: &Side<'_>) -> Faults {
    let mut by_transport: BTreeMap<String, Vec<TransportUse>> = BTreeMap::new();
    for used in side.configuration.missing_transports(side.texts) {
        let uses = by_transport.entry(used.transport.clone()).or_default();
        uses.push(used);
    }
    let faults = by_transport.into_iter().map(|(transport, uses)| {
        let set: Vec<&TransportUse> = uses.iter().filter(|used| used.is_set).collect();
        let is_default = set.is_empty();
        let shown = if is_default { uses.iter().collect() } else { set };
        let names: Vec<String> = shown.iter().map(|used| format!("`{}`", used.named_by)).collect();
        let verb = if names.len() == 1 { "names" } else { "name" };
        let fault = Fault {
            text: format!(
                "master.cf has no service `{transport}/unix`, which {} {verb}: mail that is given to it waits \
                 (`mail transport unavailable`)",
                names.join(" and ")
            ),
            hint: hint(&transport),
            is_default,
            about: uses.iter().map(|used| used.named_by.clone()).collect(),
            stays: false,
        };
        (format!("transport {transport}"), fault)
    });
    faults.collect()
}

fn hint(transport: &str) -> String {
    let known = COMMANDS.into_iter().find(|(name, _)| *name == transport);
    let command = known.map_or("…", |(_, command)| command);
    format!(
        "add it with `services: {{{transport}/unix: {{command: {command}}}}}`, or name a service that the host has"
    )
}
