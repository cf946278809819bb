//! What `murder trace --live` learns from the hosts on the way: the routes by what they have, and what their tables answer.

use std::collections::BTreeSet;

use super::directory::DirectoryArguments;
use super::error::CliError;
use super::terminal::Terminal;
use super::{ask, open};
use crate::load::LoadedMurder;
use crate::mail::{Entry, LiveTrace, MailMurder, MailTrace};
use crate::name::HostName;
use crate::session::live_tables::{HostLookups, LiveTables};
use crate::session::mail_states::MailStates;
use crate::session::options::Reach;
use crate::session::routes::CompiledMurder;

/// A murder in which addresses were traced by the manifest.
pub(super) struct TracedMurder<'a> {
    /// Where the directory comes from.
    pub(super) directory: &'a DirectoryArguments,
    /// How the hosts are reached.
    pub(super) reach: Reach,
    pub(super) loaded: &'a LoadedMurder,
    pub(super) murder: &'a CompiledMurder,
    /// Where the mail enters.
    pub(super) entry: Entry,
}

impl TracedMurder<'_> {
    /// What the hosts on the way of each trace have. `lookups` are those of the traces.
    ///
    /// # Errors
    /// If a login's secret or the directory cannot be read.
    pub(super) fn live(
        &self,
        traces: &[MailTrace],
        lookups: &[HostLookups],
        terminal: &Terminal,
    ) -> Result<Vec<LiveTrace>, CliError> {
        let reach = &self.reach;
        let routes = self.routes(traces, reach, terminal)?;
        let passphrase = Box::new(ask::passphrase);
        // The warnings were printed when the hosts were observed.
        let (tables, _) = LiveTables::ask(self.loaded, self.murder, reach, lookups, passphrase)
            .map_err(|error| CliError::session(error, &self.loaded.sources))?;
        let all = traces.iter().zip(routes).zip(lookups);
        let all = all.map(|((trace, route), lookups)| {
            LiveTrace::new(trace, route, tables.agreements(lookups))
        });
        Ok(all.collect())
    }

    /// The routes by what the hosts on the way have. Each host is observed once; one that gives no answer counts as the manifest
    /// wants it.
    fn routes(
        &self,
        traces: &[MailTrace],
        reach: &Reach,
        terminal: &Terminal,
    ) -> Result<Vec<MailTrace>, CliError> {
        let (loaded, mut routes) = (self.loaded, traces.to_vec());
        let seen = reach.seen.clone().unwrap_or_default();
        let (present, _) = open::contactable(loaded);
        let mut known = BTreeSet::new();
        loop {
            let on_way = self.hosts(&routes);
            let is_new = |host: &&HostName| on_way.contains(*host) && !known.contains(*host);
            let new: Vec<HostName> = present.iter().filter(is_new).cloned().collect();
            // `--local` reaches this machine alone.
            if new.is_empty() || reach.local && !known.is_empty() {
                return Ok(routes);
            }
            let planner = open::planner(loaded, &new, reach, terminal)?;
            let murder = &loaded.murder;
            _ = open::plan(murder, &new, &*planner, reach.parallel, terminal);
            known.extend(new);
            let states = MailStates::of_plan(loaded, self.murder, &seen);
            let (mail, attributes) = (states.before(), states.attributes());
            let Some(entry) = self.entry_of(&mail) else {
                return Ok(routes);
            };
            let source = self.directory;
            let directory = source.read(loaded, &attributes, reach.sources, terminal)?;
            let addresses = traces.iter().map(|trace| trace.address.as_str());
            let again = addresses.map(|address| mail.trace(address, entry, &directory));
            routes = again.collect();
        }
    }

    /// The hosts on the way.
    fn hosts(&self, routes: &[MailTrace]) -> BTreeSet<&HostName> {
        let hops = routes.iter().flat_map(|route| &route.hops);
        let places = hops.filter_map(|hop| self.murder.places.get(&hop.host));
        places.map(|(host, _)| host).collect()
    }

    /// Where the mail enters among other states of the same hosts.
    fn entry_of(&self, mail: &MailMurder) -> Option<Entry> {
        let (Entry::Smtp(at, _) | Entry::Submit(at)) = self.entry;
        let at = mail.host(&self.murder.mail.hosts.get(at)?.name)?;
        Some(match self.entry {
            Entry::Smtp(_, client) => Entry::Smtp(at, client),
            Entry::Submit(_) => Entry::Submit(at),
        })
    }
}
