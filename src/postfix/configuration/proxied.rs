//! The tables that services open by way of proxymap(8), and what keeps proxymap(8) from opening them.

use std::collections::BTreeSet;

use super::services::RunningService;
use super::{Configuration, View, programs};
use crate::postfix::catalogue::tables::{self, Table};
use crate::postfix::split_list;

/// Why a table that a service opens by way of proxymap(8) cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProxyProblem {
    /// `proxy_read_maps` or `proxy_write_maps` lacks it: the service stops with a fatal error.
    NotAllowed {
        /// The list, with its name in main.cf.
        list: &'static str,
        /// Whether main.cf or master.cf sets the list.
        is_set: bool,
    },
    /// master.cf has no entry for proxymap(8) under this name: the service waits for it for ever.
    NoService(String),
    /// proxymap(8) runs in the chroot jail, where it does not find the table.
    Chrooted(String),
}

/// A table that a service opens by way of proxymap(8), and that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeniedTable {
    /// Why.
    pub problem: ProxyProblem,
    /// The table.
    pub table: Table,
    /// The parameter that names it.
    pub parameter: String,
    /// Whether main.cf or master.cf sets that parameter.
    pub is_set: bool,
    /// The program that opens it.
    pub program: String,
}

/// One of the two services of proxymap(8).
struct Proxy {
    /// The parameter with the service's name.
    service: &'static str,
    /// The list of tables that it may open.
    list: &'static str,
}

const READ: Proxy = Proxy {
    service: "proxymap_service_name",
    list: "proxy_read_maps",
};

const WRITE: Proxy = Proxy {
    service: "proxywrite_service_name",
    list: "proxy_write_maps",
};

impl Configuration<'_> {
    /// The tables that services open by way of proxymap(8), and that cannot be opened; empty if master.cf is not known.
    #[must_use]
    pub fn denied_tables(self) -> BTreeSet<DeniedTable> {
        let Some(services) = self.services() else {
            return BTreeSet::new();
        };
        let (mut denied, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for service in &services {
            // Services of one program without options open the same tables.
            if !service.has_options && !seen.insert(&service.program) {
                continue;
            }
            let view = self.service(&service.name);
            let reads = view.proxied_by(&service.program);
            let reads = reads.into_iter().map(|(name, table)| (READ, name, table));
            let writes = view.caches(&service.program);
            let writes = writes.into_iter().map(|(name, table)| (WRITE, name, table));
            for (proxy, parameter, table) in reads.chain(writes) {
                if !table.proxied {
                    continue;
                }
                if let Some(problem) = self.proxy_problem(&proxy, &table, &services) {
                    denied.insert(DeniedTable {
                        problem,
                        table,
                        parameter: parameter.to_owned(),
                        is_set: view.is_set(parameter),
                        program: service.program.clone(),
                    });
                }
            }
        }
        denied
    }

    fn proxy_problem(
        self,
        proxy: &Proxy,
        table: &Table,
        services: &[RunningService],
    ) -> Option<ProxyProblem> {
        let name = self.main().expanded(proxy.service).text.ok()?;
        let service = services
            .iter()
            .find(|service| service.name.parts() == (&name, "unix"));
        let Some(service) = service else {
            return Some(ProxyProblem::NoService(name));
        };
        let view = self.service(&service.name);
        let allowed = view.list(proxy.list);
        let has = |word: &String| tables::read(word).contains(table);
        if !allowed.known.iter().any(has) {
            if !allowed.unknown.is_empty() {
                return None;
            }
            return Some(ProxyProblem::NotAllowed {
                list: proxy.list,
                is_set: view.is_set(proxy.list),
            });
        }
        let by_path = table.name.starts_with('/');
        (service.chroot && by_path).then_some(ProxyProblem::Chrooted(name))
    }
}

impl View<'_> {
    /// The tables that a program opens by way of proxymap(8), by their parameters.
    fn proxied_by(&self, program: &str) -> Vec<(&'static str, Table)> {
        let names = programs::parameters_of(program).iter().copied();
        // Only a value with this word, or with a reference, can name such a table.
        let may = |name: &&str| {
            let value = self.get(name);
            value.is_ok_and(|value| value.text.contains("proxy:") || value.text.contains('$'))
        };
        let tables = names.filter(may).flat_map(|name| {
            let tables = self.tables(name).unwrap_or_default().into_iter();
            tables
                .filter(|table| table.proxied)
                .map(move |table| (name, table))
        });
        tables.collect()
    }

    /// The caches that a program opens for writing, by their parameters.
    fn caches(&self, program: &str) -> Vec<(&'static str, Table)> {
        let name = match program {
            "verify" => "address_verify_map",
            "postscreen" => "postscreen_cache_map",
            _ => return Vec::new(),
        };
        let names = Some(name).into_iter().filter(|name| self.is_set(name));
        let tables = names.filter_map(|name| {
            let text = self.expanded(name).text.ok()?;
            let words = split_list(&text);
            Some((name, tables::read(words.first()?).into_iter().next()?))
        });
        tables.collect()
    }
}
