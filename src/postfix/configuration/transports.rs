//! The transports that parameters and tables name, and those among them that master.cf does not have.

use std::collections::BTreeSet;

use super::{Configuration, RunningService, TableTexts, ValueSource, View, table_results};
use crate::name::ServiceName;
use crate::postfix::catalogue::restrictions;
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

/// Parameters with tables whose results are `transport:nexthop` (transport(5)).
const TABLES: [&str; 5] = [
    "address_verify_transport_maps",
    "fallback_transport_maps",
    "mailbox_transport_maps",
    "sender_dependent_default_transport_maps",
    "transport_maps",
];

/// The parameters of the domains for which Postfix uses a transport.
const DOMAINS: [(&str, &str); 3] = [
    ("local_transport", "mydestination"),
    ("relay_transport", "relay_domains"),
    ("virtual_transport", "virtual_mailbox_domains"),
];

/// A use of a transport.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransportUse {
    /// The transport: a service of master.cf with the type `unix`.
    pub transport: String,
    /// What names it: `relay_transport`, `master.cf:smtp/inet:content_filter`, `hash:/etc/postfix/transport`.
    pub named_by: String,
    /// Whether main.cf, master.cf or a table names it, and not only a default.
    pub is_set: bool,
}

impl Configuration<'_> {
    /// The transports that mail may be given to and that master.cf does not have. `texts` gives the text of tables; a table
    /// whose text it does not know counts as empty. None are missing if master.cf is not known.
    #[must_use]
    pub fn missing_transports(self, texts: TableTexts<'_>) -> BTreeSet<TransportUse> {
        let Some(services) = self.services() else {
            return BTreeSet::new();
        };
        let has = |transport: &str| {
            services
                .iter()
                .any(|service| service.name.parts() == (transport, "unix"))
        };
        let mut uses = self.main().used_transports("");
        for service in &services {
            uses.append(&mut self.service(&service.name).own_transports(&service.name));
        }
        for view in self.views_of_values(&services) {
            uses.extend(view.transports_of_tables(texts));
        }
        uses.retain(|used| !has(&used.transport));
        uses
    }

    /// The tables, by the words that name them, whose results may be transports.
    #[must_use]
    pub fn tables_naming_transports(self) -> BTreeSet<String> {
        let services = self.services().unwrap_or_default();
        let views = self.views_of_values(&services);
        views
            .flat_map(|view| view.tables_naming_transports())
            .collect()
    }

    /// The views whose values can differ: that of main.cf, and those of the services with options.
    fn views_of_values<'s>(self, services: &'s [RunningService]) -> impl Iterator<Item = View<'s>>
    where
        Self: 's,
    {
        let this: Configuration<'s> = self;
        let with_options = services.iter().filter(|service| service.has_options);
        let views = with_options.map(move |service| this.service(&service.name));
        std::iter::once(this.main()).chain(views)
    }
}

impl View<'_> {
    /// The transports in the parameters of main.cf that Postfix uses, defaults included.
    fn used_transports(&self, prefix: &str) -> BTreeSet<TransportUse> {
        let mut uses = BTreeSet::new();
        for name in ONE {
            let Some((transport, is_set)) = self.transport(name) else {
                continue;
            };
            if self.is_used(name, is_set) {
                uses.insert(TransportUse {
                    transport,
                    named_by: format!("{prefix}{name}"),
                    is_set,
                });
            }
        }
        uses
    }

    /// The transports in the options of a service.
    fn own_transports(&self, service: &ServiceName) -> BTreeSet<TransportUse> {
        let own = |name: &&str| {
            let value = self.get(name);
            value.is_ok_and(|value| value.source == ValueSource::Option)
        };
        let named = ONE.into_iter().filter(own).filter_map(|name| {
            Some(TransportUse {
                transport: self.transport(name)?.0,
                named_by: format!("master.cf:{service}:{name}"),
                is_set: true,
            })
        });
        named.collect()
    }

    /// The transport in a parameter, and whether main.cf or master.cf sets it; none if it is empty or not known.
    fn transport(&self, name: &str) -> Option<(String, bool)> {
        let source = self.get(name).ok()?.source;
        let transport = transport_of(&self.expanded(name).text.ok()?)?;
        let is_set = matches!(source, ValueSource::Option | ValueSource::MainCf);
        Some((transport, is_set))
    }

    /// Whether mail may be given to the transport of a parameter. The transport of an address class is used if the class has
    /// domains, and those of address verification are judged only if they are set.
    fn is_used(&self, name: &str, is_set: bool) -> bool {
        if name.starts_with("address_verify_") {
            return is_set;
        }
        let domains = DOMAINS
            .into_iter()
            .find(|(transport, _)| *transport == name);
        domains.is_none_or(|(_, domains)| {
            let set = self.get(domains).map(|value| value.source);
            let text = self.expanded(domains).text;
            // A default that follows another parameter (`$mydestination`, `$virtual_mailbox_maps`) adds no domains of its own.
            let counts =
                name == "local_transport" || set.is_ok_and(|source| source != ValueSource::Default);
            counts && text.map_or(is_set, |text| !split_list(&text).is_empty())
        })
    }

    /// The transports in the results of tables, and in the `FILTER` actions of access tables and header checks.
    fn transports_of_tables(&self, texts: TableTexts<'_>) -> BTreeSet<TransportUse> {
        let mut uses = BTreeSet::new();
        let mut add = |result: &str, table: &str| {
            if let Some(transport) = transport_of(result) {
                uses.insert(TransportUse {
                    transport,
                    named_by: table.to_owned(),
                    is_set: true,
                });
            }
        };
        for name in TABLES {
            for table in self.tables(name).unwrap_or_default() {
                for result in table_results::of(&table, texts).results {
                    add(&result, &table.to_string());
                }
            }
        }
        for name in self.filtering() {
            for table in self.tables(name).unwrap_or_default() {
                for filter in table_results::of(&table, texts).filters {
                    add(&filter, &table.to_string());
                }
            }
        }
        uses
    }

    fn tables_naming_transports(&self) -> BTreeSet<String> {
        let names = TABLES.into_iter().chain(self.filtering());
        let tables = names.filter_map(|name| self.tables(name).ok()).flatten();
        tables.map(|table| table.to_string()).collect()
    }

    /// The parameters whose tables may have `FILTER` actions (access(5), header_checks(5)).
    fn filtering(&self) -> impl Iterator<Item = &'static str> {
        const CHECKS: [&str; 5] = [
            "body_checks",
            "header_checks",
            "milter_header_checks",
            "mime_header_checks",
            "nested_header_checks",
        ];
        restrictions::LISTS.into_iter().chain(CHECKS)
    }
}

/// The transport of a `transport:nexthop`; none if only the nexthop is set, or if it is known only for each address.
fn transport_of(text: &str) -> Option<String> {
    let transport = text.split(':').next().unwrap_or_default().trim();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let named = !transport.is_empty()
        && transport.bytes().all(is_name)
        && !transport.eq_ignore_ascii_case("dunno");
    named.then(|| transport.to_owned())
}
