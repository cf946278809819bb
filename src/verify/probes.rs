//! What is wrong with the configuration, whatever the directory has: open relays, unknown recipients, postmasters, system mail,
//! bounces.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::code::FindingCode;
use super::finding::Finding;
use super::places::{EntryPlace, PlaceKind};
use crate::directory::Directory;
use crate::mail::table::TablePart;
use crate::mail::{ClientAgent, EndAction, Entry, MailHost, MailMurder, MailTrace, SmtpClient};

/// A local part that no entry has.
const NOBODY: &str = "murder-verify-no-such-address";

/// What to do where the model cannot tell.
pub(super) const GAP_HELP: &str = "ask the host itself, as with `murder trace --live ADDRESS`; `murder explain not-modelled` says more";

/// A domain of strangers (RFC 2606).
const STRANGERS: &str = "stranger.example";

/// Questions to every host.
#[derive(Debug)]
pub struct MailProbes<'a> {
    /// The hosts.
    pub murder: &'a MailMurder,
    /// The directory.
    pub directory: &'a Directory,
    /// Where mail enters.
    pub places: &'a [EntryPlace],
    /// Addresses of clients that are in no network of the manifest.
    pub outsiders: &'a [IpAddr],
    /// The hosts that give mail to mailboxes over LMTP.
    pub give_to_mailboxes: &'a BTreeSet<usize>,
    /// What is known not to be modelled: the host and the reason.
    pub known_gaps: &'a BTreeSet<(&'a str, &'a str)>,
}

impl MailProbes<'_> {
    /// The findings.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for host in 0..self.murder.hosts.len() {
            findings.extend(self.open_relay(host));
        }
        let mut domains: Vec<&str> = self.murder.domains().collect();
        domains.sort_unstable();
        for place in self.places.iter().filter(|place| place.twin == place.host) {
            for domain in &domains {
                self.unknown(domain, place, &mut findings);
                self.postmaster(domain, place, &mut findings);
            }
            self.system_mail(place, &mut findings);
            findings.extend(self.endless_bounces(place));
        }
        let mut filters = Vec::new();
        for (at, host) in self.murder.hosts.iter().enumerate() {
            if host.abilities.holds_mailboxes || self.give_to_mailboxes.contains(&at) {
                findings.extend(self.moved_mailbox(host));
            }
            bad_filters(host, &mut filters);
        }
        findings.extend(filters);
        merged(findings)
    }

    pub(super) fn name(&self, host: usize) -> &str {
        self.murder.hosts.get(host).map_or("", |host| &host.name)
    }

    pub(super) fn trace(&self, address: &str, entry: Entry) -> MailTrace {
        self.murder.trace(address, entry, self.directory)
    }

    /// Whether a stranger can send to strangers.
    fn open_relay(&self, host: usize) -> Option<Finding> {
        self.murder.hosts.get(host)?.smtpd.as_ref()?;
        let domain = self.murder.domains().min().unwrap_or("example.org");
        let recipients = [
            format!("x@{STRANGERS}"),
            format!("x%{STRANGERS}@{domain}"),
            format!("{STRANGERS}!x@{domain}"),
        ];
        for client in self.outsiders {
            for recipient in &recipients {
                let entry = Entry::Smtp(host, SmtpClient::Address(*client));
                let trace = self.trace(recipient, entry);
                let leaves = trace.ends.iter().any(|end| {
                    end.action == EndAction::Delivered && end.recipient.ends_with(STRANGERS)
                });
                if leaves {
                    let name = self.name(host);
                    let text = format!("`{name}` relays for `{client}` to `{recipient}`");
                    let help = "let `mynetworks` have the hosts of the murder alone, and end `smtpd_relay_restrictions` \
                                with `reject_unauth_destination`";
                    let finding = Finding::new(FindingCode::OpenRelay, text, help);
                    return Some(finding.at(name).seen(recipient, entry));
                }
            }
        }
        None
    }

    /// What becomes of mail for an address that does not exist.
    fn unknown(&self, domain: &str, place: &EntryPlace, findings: &mut Vec<Finding>) {
        let address = format!("{NOBODY}@{domain}");
        let trace = self.trace(&address, place.entry);
        self.gap(&address, &trace, place, findings);
        let name = self.name(place.host);
        let verdict = trace.verdict();
        if verdict == EndAction::Loop {
            let text = format!("mail for unknown recipients of `{domain}` loops");
            let help = "let the internal MTA know the recipients of the mail domains, and answer 550 to all others \
                        (`relay_recipient_maps`, or `DOMAIN error:5.1.1 unknown` in its transport table)";
            let hosts: BTreeSet<&str> = trace.ends.iter().map(|end| end.host.as_str()).collect();
            let mut finding =
                Finding::new(FindingCode::Loop, text, help).seen(&address, place.entry);
            finding.hosts = hosts.into_iter().map(str::to_owned).collect();
            findings.push(finding);
        }
        let is_accepted = trace
            .reply
            .as_ref()
            .is_some_and(|reply| reply.is_accepted());
        let is_other = |recipient: &str| !recipient.starts_with(NOBODY);
        // A catch-all address has another recipient in the end.
        let is_caught = verdict == EndAction::Discarded
            || verdict == EndAction::Delivered
                && trace.ends.iter().all(|end| is_other(&end.recipient));
        if place.kind == PlaceKind::Outside && is_accepted && !is_caught {
            let text = format!(
                "`{name}` accepts unknown recipients of `{domain}`: their mail {}",
                becomes(verdict)
            );
            let help = "let the host know the recipients: `vars: {recipient_check: ldap}` of an internet MTA, else `relay_recipient_maps`";
            let finding = Finding::new(FindingCode::UnknownAccepted, text, help);
            findings.push(finding.at(name).seen(&address, place.entry));
        }
    }

    /// Says where the model cannot tell what becomes of mail for an address that no entry has.
    fn gap(
        &self,
        address: &str,
        trace: &MailTrace,
        place: &EntryPlace,
        findings: &mut Vec<Finding>,
    ) {
        if trace.verdict() != EndAction::NotModelled {
            return;
        }
        let gaps = trace.not_modelled.iter();
        let mut gaps = gaps.filter(|(host, why)| !self.known_gaps.contains(&(host, why)));
        if let Some((host, why)) = gaps.next() {
            let text = format!("mail for `{address}` is not modelled on `{host}`: {why}");
            let finding = Finding::new(FindingCode::NotModelled, text, GAP_HELP).at(host);
            findings.push(finding.of(address).seen(address, place.entry));
        }
    }

    fn postmaster(&self, domain: &str, place: &EntryPlace, findings: &mut Vec<Finding>) {
        if place.kind != PlaceKind::Outside {
            return;
        }
        let address = format!("postmaster@{domain}");
        let trace = self.trace(&address, place.entry);
        self.gap(&address, &trace, place, findings);
        let verdict = trace.verdict();
        if !matches!(verdict, EndAction::Delivered | EndAction::NotModelled)
            && !has_bad_filter(&trace)
        {
            let name = self.name(place.host);
            let text = format!(
                "mail for `{address}` that arrives at `{name}` {}",
                becomes(verdict)
            );
            let help = "give the address to an entry of the directory, or set `role_addresses` of the internal MTA \
                        (RFC 5321, section 4.5.1)";
            let finding = Finding::new(FindingCode::PostmasterUndeliverable, text, help);
            findings.push(finding.at(name).of(&address).seen(&address, place.entry));
        }
    }

    /// Mail that the host itself sends: cron to root, and bounces of that.
    fn system_mail(&self, place: &EntryPlace, findings: &mut Vec<Finding>) {
        if place.kind != PlaceKind::Submitted {
            return;
        }
        let name = self.name(place.host);
        let host = self.murder.hosts.get(place.host);
        let domain = host.map_or(name, |host| host.own_domain());
        for address in ["root".to_owned(), format!("root@{domain}")] {
            let trace = self.trace(&address, place.entry);
            self.gap(&address, &trace, place, findings);
            let code = match trace.verdict() {
                _ if has_bad_filter(&trace) => continue,
                EndAction::Loop => FindingCode::Loop,
                EndAction::Bounced | EndAction::Deferred => FindingCode::Undeliverable,
                _ => continue,
            };
            let text = format!(
                "mail of `{name}` to `{address}` {}",
                becomes(trace.verdict())
            );
            let help = "deliver mail for the host's own name there: `HOST local:` in its transport table, and an alias \
                        of root";
            let finding = Finding::new(code, text, help);
            findings.push(finding.at(name).of(&address).seen(&address, place.entry));
        }
    }

    /// Whether mail bounces if Cyrus does not have the mailbox any more.
    fn moved_mailbox(&self, host: &MailHost) -> Option<Finding> {
        let agents = &host.agents;
        let bounces = |(transport, client): (&String, &ClientAgent)| {
            let status = client.filtered("5.1.1 unknown mailbox", self.directory);
            agents.is_lmtp(transport)
                && !agents.soft.contains(transport)
                && status.is_ok_and(|status| status.starts_with('5'))
        };
        if !agents.clients.iter().any(bounces) {
            return None;
        }
        let text = format!(
            "`{}` returns mail for a mailbox that has just moved to another backend",
            host.name
        );
        let help = "set `lmtp_delivery_status_filter = regexp:FILE`, with the line `/^5(\\.1\\.1 .*)$/ 4$1`";
        Some(Finding::new(FindingCode::BouncesInMove, text, help).at(&host.name))
    }
}

/// Whether a table with a wrong filter decides, which is a finding of its own.
fn has_bad_filter(trace: &MailTrace) -> bool {
    let mut ends = trace.ends.iter();
    ends.any(|end| end.reason.contains("bad search filter"))
}

/// What becomes of mail, as a predicate.
fn becomes(verdict: EndAction) -> &'static str {
    match verdict {
        EndAction::Delivered => "is delivered",
        EndAction::Discarded => "is discarded",
        EndAction::Deferred => "waits",
        EndAction::Refused => "is refused",
        EndAction::Bounced => "bounces",
        EndAction::NotModelled => "is not modelled",
        EndAction::Loop => "loops",
    }
}

/// Tables whose filter is wrong.
fn bad_filters(host: &MailHost, findings: &mut Vec<Finding>) {
    let mut files = BTreeSet::new();
    for table in &host.opened {
        table.parts(false, &mut |part| {
            if let TablePart::Ldap(part) = part
                && part.filter == Err(true)
            {
                files.insert(part.file.to_owned());
            }
        });
    }
    for file in files {
        let text = format!(
            "`query_filter` in `{file}` is not a filter: each lookup fails, and mail waits"
        );
        let help = "write the filter on one line without `\\` at its end, with as many `)` as `(` (RFC 4515)";
        findings.push(Finding::new(FindingCode::BadFilter, text, help).at(&host.name));
    }
}

/// Findings with the same text are one, with all their hosts.
fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for finding in findings {
        let known = all
            .iter_mut()
            .find(|known| known.code == finding.code && known.text == finding.text);
        match known {
            Some(known) => {
                for host in finding.hosts {
                    if let Err(at) = known.hosts.binary_search(&host) {
                        known.hosts.insert(at, host);
                    }
                }
            }
            None => all.push(finding),
        }
    }
    all
}
