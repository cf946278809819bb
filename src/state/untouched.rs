//! Whether an instance of Postfix has no job in mail: it is as its package, its installer and postmulti(1) leave it.

use std::collections::{BTreeMap, BTreeSet};

use super::live::{Live, LiveService, PostfixLive, part_of};
use super::stock::{Stock, debian_entry};
use crate::ledger::{Managed, Origin, Previous};
use crate::name::ServiceName;
use crate::postfix::configuration::{Configuration, ConfigurationFiles, Release};
use crate::postfix::{MainCf, MasterEntry, split_list};
use crate::service::Service;
use crate::thing::{Field, Thing};

/// Parameters for which an installer asks, or that postmulti(1) sets, or that limit time and space: a value of their own gives a
/// host no job. `relayhost` says where the mail of the host itself goes.
const ANSWERS: [&str; 19] = [
    "authorized_submit_users",
    "delay_warning_time",
    "home_mailbox",
    "inet_interfaces",
    "inet_protocols",
    "mailbox_command",
    "mailbox_size_limit",
    "master_service_disable",
    "message_size_limit",
    "multi_instance_directories",
    "multi_instance_enable",
    "multi_instance_group",
    "multi_instance_name",
    "multi_instance_wrapper",
    "mydomain",
    "myhostname",
    "mynetworks",
    "recipient_delimiter",
    "relayhost",
];

/// The things that an apply was about to change when it ended, with what they were before.
type Began<'a> = BTreeMap<&'a Thing, &'a Managed>;

impl Live {
    /// Whether a service is as it was installed, and no host of mail for these domains. What a first apply that did not end has
    /// changed so far does not count: what was there before does. A host with a ledger has a job, unless somebody installed its
    /// configuration anew: what the ledger remembers is more than a package writes.
    #[must_use]
    pub fn is_untouched(&self, service: &Service, domains: &BTreeSet<&str>) -> bool {
        let Some(LiveService::Postfix(postfix)) = self.services.get(service) else {
            return false;
        };
        let began = self.pending.as_ref().filter(|_| self.ledger.is_none());
        let began: Began<'_> = began.map_or_else(BTreeMap::new, |pending| {
            pending.service(service).managed.iter().collect()
        });
        let found = PostfixLive {
            main_cf: main_cf_before(postfix, &began),
            ..postfix.clone()
        };
        let stock = Stock::new(&self.facts, &found);
        let managed = self.ledger.iter();
        let managed = managed.flat_map(|ledger| &ledger.service(service).managed);
        let mut managed = managed.filter_map(|(thing, managed)| match thing {
            Thing::Parameter(name) => Some((name.as_str(), managed.value.as_deref()?)),
            _ => None,
        });
        let had_job = managed.any(|(name, value)| !is_installed(&stock, name, value));
        if self.ledger.is_some() && !had_job {
            return false;
        }
        let mut parameters = found.main_cf.iter();
        let entries = found.master_cf.services();
        parameters.all(|(name, value)| is_installed(&stock, name, value))
            && entries.iter().all(|entry| is_idle(&stock, entry, &began))
            && !is_for(&found, &self.facts.postfix_version, domains)
    }
}

/// main.cf as it was before an apply that did not end.
fn main_cf_before(postfix: &PostfixLive, began: &Began<'_>) -> MainCf {
    let own = postfix.main_cf.iter();
    let mut values: BTreeMap<String, String> = own
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (thing, managed) in began {
        if let Thing::Parameter(name) = thing {
            match before(managed) {
                Some(value) => values.insert(name.to_string(), value.to_owned()),
                None => values.remove(name.as_str()),
            };
        }
    }
    let lines = values
        .iter()
        .map(|(name, value)| format!("{name} = {value}\n"));
    MainCf::parse(lines.collect::<String>().as_bytes())
}

/// What a thing was before it was managed; none if it was not there.
fn before(managed: &Managed) -> Option<&str> {
    match &managed.origin {
        Origin::Adopted(Previous::Value(value)) => Some(value),
        Origin::Adopted(Previous::File { .. }) | Origin::Created => None,
    }
}

fn is_installed(stock: &Stock<'_>, name: &str, value: &str) -> bool {
    // The type of the index differs between distributions.
    let is_aliases = ["alias_maps", "alias_database"].contains(&name)
        && ["hash", "lmdb", "btree", "cdb"]
            .iter()
            .any(|kind| value.strip_prefix(kind) == Some(":/etc/aliases"));
    ANSWERS.contains(&name)
        || is_aliases
        || name
            .parse()
            .is_ok_and(|name| stock.wrote(&Thing::Parameter(name), value))
}

/// Whether an entry of master.cf does for mail what that of a package does. A transport that packages do not have is reached by no
/// parameter that they set.
fn is_idle(stock: &Stock<'_>, entry: &MasterEntry, began: &Began<'_>) -> bool {
    let Ok(service) = ServiceName::new(format!("{}/{}", entry.name(), entry.kind())) else {
        return false;
    };
    let is_program = |word| entry.command().split_whitespace().next() == Some(word);
    if debian_entry(&service).is_none() || is_program("pipe") {
        return entry.kind() == "unix";
    }
    let options = entry.option_names().into_iter();
    let options = options.map(|name| Thing::Option(service.clone(), name));
    let command = Thing::Field(service.clone(), Field::Command);
    options.chain([command]).all(|thing| {
        let value = match began.get(&thing) {
            Some(managed) => before(managed).map(str::to_owned),
            None => part_of(entry, &thing),
        };
        value.is_none_or(|value| stock.wrote(&thing, &value))
    })
}

/// Whether it is the last host of mail for one of these domains, as where an installer was told a domain as the mail name.
fn is_for(postfix: &PostfixLive, version: &str, domains: &BTreeSet<&str>) -> bool {
    let files = ConfigurationFiles {
        main_cf: &postfix.main_cf,
        master_cf: &postfix.master_cf,
    };
    let release = Release::new(version);
    let configuration = Configuration::new(&files, release, &postfix.environment);
    let own = configuration.main().expanded("mydestination").text;
    own.is_ok_and(|own| {
        let mut own = split_list(&own).into_iter();
        own.any(|word| domains.contains(word.to_lowercase().as_str()))
    })
}

#[cfg(test)]
mod tests;
