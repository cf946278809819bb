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
use crate::mail::address::{internal, is_routed, quoted, split, with_extension};

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
    /// What to do if the form of each address is the reason.
    fn of_the_form(&self) -> Option<String> {
        let members = self.members.iter();
        let helps = members.map(|(address, _)| of_the_form(address, &self.fault.why));
        let helps: Option<Vec<String>> = helps.collect();
        helps?.into_iter().next()
    }

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
            FindingCode::Backscatter | FindingCode::MapsDisagree | FindingCode::Undeliverable => {
                self.of_the_form()
            }
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

/// What to do about an address that Postfix or Cyrus does not take as the entry has it, whatever the tables say; none if that is not
/// the reason.
fn of_the_form(address: &str, why: &str) -> Option<String> {
    let plain = internal(address);
    let external = quoted(&plain);
    if why.starts_with("501 5.1.3") || why.starts_with("5.1.3") {
        return Some(
            "give the entry an address that each host takes: in ASCII, without `-` at the begin, and without dots at an end or two in a row".to_owned(),
        );
    }
    if is_routed(split(&plain).0) {
        return Some(
            "give the entry an address without `%`, `!` and a second `@`: Postfix takes them for a route to another host, which strangers may not use".to_owned(),
        );
    }
    (external != address).then(|| {
        format!("write the address in the entry as Postfix looks it up, `{external}`, or choose another one")
    })
}

/// An address with an extension, if there is one.
fn extended(address: &str, extension: &str) -> String {
    match extension.is_empty() {
        true => address.to_owned(),
        false => with_extension(&internal(address), extension),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5321, 4.1.2; postconf(5), `allow_percent_hack`, `swap_bangpath`; how cleanup(8) and smtpd(8) look up what needs quotes.
    #[test]
    fn the_form_of_an_address_may_be_the_reason() {
        for (address, why, expected) in [
            ("ann@x.org", "550 5.1.1 unknown", None),
            ("o'brien+x@x.org", "550 5.1.1 unknown", None),
            ("-x@x.org", "501 5.1.3 Bad recipient", Some("in ASCII")),
            ("a%b@x.org", "454 4.7.1 denied", Some("a route")),
            ("\"a@b\"@x.org", "454 4.7.1 denied", Some("a route")),
            ("a(b@x.org", "5.1.1 unknown", Some("`\"a(b\"@x.org`")),
            ("\"dora\"@x.org", "5.1.1 unknown", Some("`dora@x.org`")),
            ("\"a b\"@x.org", "5.1.1 unknown", None),
        ] {
            let help = of_the_form(address, why);
            let has = |part: &str| help.as_ref().is_some_and(|help| help.contains(part));
            assert_eq!(help.is_some(), expected.is_some(), "{address}");
            assert!(expected.is_none_or(has), "{address}: {help:?}");
        }
    }
}
