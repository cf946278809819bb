//! The transports of master.cf that parameters name.

use std::collections::{BTreeMap, BTreeSet};

use super::{ExpandError, View};
use crate::postfix::split_list;

/// Parameters whose value is `transport` or `transport:nexthop` (postconf(5)).
const ONE: [&str; 12] = [
    "address_verify_default_transport",
    "address_verify_local_transport",
    "address_verify_relay_transport",
    "address_verify_virtual_transport",
    "best_mx_transport",
    "content_filter",
    "default_transport",
    "fallback_transport",
    "local_transport",
    "mailbox_transport",
    "relay_transport",
    "virtual_transport",
];

/// The parameter whose value is a list of transports.
const LIST: &str = "defer_transports";

/// The transports that parameters name, each with the parameters; and the parameters whose value is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transports {
    /// The parameters that name a transport, by its name.
    pub named: BTreeMap<String, BTreeSet<&'static str>>,
    /// Why a parameter's transport is not known.
    pub unknown: Vec<(&'static str, ExpandError)>,
}

impl View<'_> {
    /// The transports that parameters name, defaults included. Those that tables give as results are not among them.
    #[must_use]
    pub fn transports(&self) -> Transports {
        let mut found = Transports::default();
        for name in ONE.into_iter().chain([LIST]) {
            match self.expanded(name).text {
                Ok(text) if name == LIST => {
                    for transport in split_list(&text) {
                        found.named.entry(transport).or_default().insert(name);
                    }
                }
                Ok(text) => {
                    let transport = text.split(':').next().unwrap_or_default().trim();
                    if !transport.is_empty() {
                        found
                            .named
                            .entry(transport.to_owned())
                            .or_default()
                            .insert(name);
                    }
                }
                Err(why) => found.unknown.push((name, why)),
            }
        }
        found
    }
}
