//! The tables that services open by way of proxymap(8), and what keeps proxymap(8) from opening them.

use std::cell::LazyCell;
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

/// The parameters of one of the two services of proxymap(8).
struct ProxyWords {
    /// The parameter with the service's name.
    service: &'static str,
    /// The list of tables that it may open.
    list: &'static str,
}

const READ: ProxyWords = ProxyWords {
    service: "proxymap_service_name",
    list: "proxy_read_maps",
};

const WRITE: ProxyWords = ProxyWords {
    service: "proxywrite_service_name",
    list: "proxy_write_maps",
};

/// One of the two services of proxymap(8).
struct Proxy {
    /// Its name in master.cf.
    name: String,
    /// The service. None where master.cf lacks it.
    runs: Option<RunningProxy>,
}

/// A service of proxymap(8) that master(8) runs.
struct RunningProxy {
    chroot: bool,
    /// The list of tables that it may open, with its name in main.cf.
    list: &'static str,
    /// Whether main.cf or master.cf sets the list.
    is_set: bool,
    /// The tables of the list, as far as they are known.
    allowed: BTreeSet<Table>,
    /// Whether all of them are known.
    all_known: bool,
}

impl Configuration<'_> {
    /// The tables that services open by way of proxymap(8), and that cannot be opened; empty if master.cf is not known.
    #[must_use]
    pub fn denied_tables(self) -> BTreeSet<DeniedTable> {
        let Some(services) = self.services() else {
            return BTreeSet::new();
        };
        let (mut denied, mut seen) = (BTreeSet::new(), BTreeSet::new());
        // Each is read at most once: expanding `proxy_read_maps` costs more than all else here.
        let running = &services;
        let proxy = |words| LazyCell::new(move || self.proxy(words, running));
        let (read, write) = (proxy(&READ), proxy(&WRITE));
        for service in &services {
            // Services of one program without options open the same tables.
            if !service.has_options && !seen.insert(&service.program) {
                continue;
            }
            let view = self.service(&service.name);
            let reads = view.proxied_by(&service.program);
            let reads = reads.into_iter().map(|(name, table)| (&read, name, table));
            let writes = view.caches(&service.program);
            let writes = writes
                .into_iter()
                .map(|(name, table)| (&write, name, table));
            for (proxy, parameter, table) in reads.chain(writes) {
                if !table.proxied {
                    continue;
                }
                if let Some(problem) = proxy.as_ref().and_then(|proxy| proxy.problem(&table)) {
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

    /// One of the two services of proxymap(8), and the tables that it may open. None where its name is not known.
    fn proxy(self, words: &ProxyWords, services: &[RunningService]) -> Option<Proxy> {
        let name = self.main().expanded(words.service).text.ok()?;
        let service = services
            .iter()
            .find(|service| service.name.parts() == (&name, "unix"));
        let runs = service.map(|service| {
            let view = self.service(&service.name);
            let allowed = view.list(words.list);
            RunningProxy {
                chroot: service.chroot,
                list: words.list,
                is_set: view.is_set(words.list),
                allowed: allowed
                    .known
                    .iter()
                    .flat_map(|word| tables::read(word))
                    .collect(),
                all_known: allowed.unknown.is_empty(),
            }
        });
        Some(Proxy { name, runs })
    }
}

impl Proxy {
    /// What keeps it from opening a table.
    fn problem(&self, table: &Table) -> Option<ProxyProblem> {
        let Some(runs) = &self.runs else {
            return Some(ProxyProblem::NoService(self.name.clone()));
        };
        if !runs.allowed.contains(table) {
            return runs.all_known.then_some(ProxyProblem::NotAllowed {
                list: runs.list,
                is_set: runs.is_set,
            });
        }
        let by_path = table.name.starts_with('/');
        (runs.chroot && by_path).then(|| ProxyProblem::Chrooted(self.name.clone()))
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
