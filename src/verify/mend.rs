//! Findings from the faults of classes: one for each entry, in words, with what to do.

use std::collections::{BTreeMap, HashMap};

use super::audit::Audit;
use super::classes::ClassId;
use super::code::FindingCode;
use super::faults::ClassFault;
use super::finding::Finding;
use super::judge::ClassResult;
use super::probes::GAP_HELP;
use crate::directory::EntryId;

/// Makes findings of the faults: one for each code, hosts and reason, with all the addresses that it concerns.
#[must_use]
pub fn class_findings(
    results: &[ClassResult],
    members: &HashMap<ClassId, Vec<(String, EntryId)>>,
    audit: &Audit<'_>,
) -> Vec<Finding> {
    let mut groups: BTreeMap<(FindingCode, &[String], &str), FaultGroup<'_>> = BTreeMap::new();
    for result in results {
        let Some(members) = members.get(&result.class) else {
            continue;
        };
        for fault in &result.faults {
            let key = (fault.code, fault.hosts.as_slice(), fault.why.as_str());
            let group = groups.entry(key).or_insert_with(|| FaultGroup {
                fault,
                members: Vec::new(),
            });
            group.members.extend(members);
        }
    }
    let groups = groups.into_values();
    groups.map(|group| group.finding(audit)).collect()
}

/// A fault, and all the addresses that have it with their entries.
struct FaultGroup<'a> {
    fault: &'a ClassFault,
    members: Vec<&'a (String, EntryId)>,
}

impl FaultGroup<'_> {
    fn finding(mut self, audit: &Audit<'_>) -> Finding {
        let (murder, directory) = (audit.murder, audit.directory);
        self.members
            .sort_unstable_by(|left, right| (left.1, &left.0).cmp(&(right.1, &right.0)));
        let fault = self.fault;
        let code = fault.code;
        let first = self.members.first().map_or("", |(address, _)| address);
        let shown = match self.members.len() {
            0 | 1 => format!("`{first}`"),
            2 => format!("`{first}` and 1 more address"),
            count => format!("`{first}` and {} more addresses", count - 1),
        };
        let place = fault.place.words(murder);
        let hosts = fault.hosts.join("`, `");
        let text = match code {
            FindingCode::NotModelled => {
                let extended = match fault.extension.is_empty() {
                    true => "",
                    false => " with an extension",
                };
                format!(
                    "mail for {shown}{extended} is not modelled on `{hosts}`: {}",
                    fault.why
                )
            }
            _ => format!(
                "{shown}: {} (seen at {place}; `{hosts}`): {}",
                what(code),
                fault.why
            ),
        };
        let seen = extended(first, &fault.extension);
        let entries: Vec<EntryId> = self.members.iter().map(|(_, entry)| *entry).collect();
        let help = match code {
            FindingCode::ForwardCycle => audit.without_cycles(&entries),
            _ => None,
        };
        let help = help.unwrap_or_else(|| self::help(code).to_owned());
        let mut finding = Finding::new(code, text, help).seen(&seen, fault.place.entry);
        finding.hosts.clone_from(&fault.hosts);
        let mut last = None;
        for (address, entry) in self.members {
            finding.addresses.push(address.clone());
            if last != Some(entry) {
                finding.entries.push(directory.dn(*entry).to_owned());
            }
            last = Some(entry);
        }
        finding
    }
}

/// An address with an extension.
fn extended(address: &str, extension: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => format!("{local}{extension}@{domain}"),
        None => address.to_owned(),
    }
}

/// What becomes of mail, after the address.
fn what(code: FindingCode) -> &'static str {
    match code {
        FindingCode::Loop => "mail loops between hosts",
        FindingCode::Backscatter => "mail is accepted from the Internet and then bounces",
        FindingCode::MapsDisagree => "accepted by one table and not routed by another one",
        FindingCode::Undeliverable => "mail is not delivered",
        FindingCode::NoSuchMailbox => "Cyrus gets an alias, which is no mailbox",
        FindingCode::BouncesInMove => {
            "mail is refused for good where a mailbox may have just moved from"
        }
        FindingCode::DuplicateDelivery => "one mailbox gets the message twice",
        FindingCode::ForwardCycle => "the address expands without end",
        FindingCode::ExtensionLost => "mail is delivered, and with an extension it is not",
        _ => "not as it must be",
    }
}

/// What to do about a fault of a route.
fn help(code: FindingCode) -> &'static str {
    match code {
        FindingCode::Loop => {
            "let each host accept only what it delivers itself or sends to a host that refuses unknown recipients: on a backend, the \
             same filter in `local_recipient_maps` and `transport_maps`"
        }
        FindingCode::Backscatter => {
            "let both hosts know the same recipients: with the modules the same `aliases`, `groups` and `dynamic_groups`, else the \
             same filters in `relay_recipient_maps`"
        }
        FindingCode::MapsDisagree => {
            "use the same filter in the tables that accept recipients (`relay_recipient_maps`, `local_recipient_maps`, \
             `virtual_alias_maps`) and in those that route them (`transport_maps`)"
        }
        FindingCode::Undeliverable => "mend the entry or the table that the trace names at its end",
        FindingCode::NoSuchMailbox => {
            "compare `mail` alone in the table that gives mail to Cyrus, and rewrite aliases in `virtual_alias_maps`"
        }
        FindingCode::BouncesInMove => {
            "set `unknown_local_recipient_reject_code = 450` (or `unknown_relay_recipient_reject_code`) on the backend"
        }
        FindingCode::DuplicateDelivery => {
            "take one of the two addresses out of the group or the forwarding"
        }
        FindingCode::ForwardCycle => {
            "remove one address of the cycle: from the entries, or from the tables of `virtual_alias_maps`"
        }
        FindingCode::ExtensionLost => {
            "set the same `recipient_delimiter` on each host of the route, and let its tables find addresses without extension"
        }
        FindingCode::NotModelled => GAP_HELP,
        _ => "see the page of this code: `murder explain`",
    }
}
