//! The rules of Postfix, each as a table of cases under the manual page that it comes from.
//!
//! The answers are those of Postfix 3.7 with the same main.cf: its replies to RCPT, and the lines of its log.
#![allow(
    clippy::unwrap_used,
    reason = "literals of tests, and what is made of them"
)]

use std::collections::HashMap;

use super::{Entry, HostInput, LiveInput, MailMurder, SmtpClient};
use crate::directory::Directory;
use crate::name::HostName;
use crate::postfix::configuration::HostEnvironment;
use crate::postfix::{DEBIAN_MASTER_CF, MainCf, MasterCf};
use crate::service::Service;
use crate::state::{DesiredService, Facts};

// access(5), SMTPD_ACCESS_README.
mod access;
// ADDRESS_CLASS_README.
mod classes;
// `warn_if_reject`, `defer_if_permit`, `defer_if_reject`.
mod deferring;
// generic(5), and the filters of delivery statuses.
mod delivery;
// aliases(5), local(8).
mod local;
// RFC 5321.
mod malformed;
// master(5).
mod master;
// canonical(5), virtual(5), ADDRESS_REWRITING_README.
mod rewriting;
// Single rules of several pages.
mod small;
// Hosts that differ in names only.
mod twins;
// transport(5), relocated(5).
mod transport;

/// What the host of the cases has, unless a case sets it: `here.org` is local, the networks of 192.0.2 may relay.
const MAIN_CF: &str = "\
compatibility_level = 3.6
myhostname = host.here.org
mydestination = $myhostname, localhost, here.org
mynetworks = 127.0.0.0/8 192.0.2.0/24
recipient_delimiter = +
append_dot_mydomain = no
alias_maps =
local_recipient_maps =
relay_domains =
parent_domain_matches_subdomains =
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
";

/// A host with one main.cf, and the questions that the tables ask of it.
struct Rules(MailMurder);

impl Rules {
    /// A host with more lines in its main.cf.
    fn new(main_cf: &str) -> Self {
        Self::with_files(main_cf, &[])
    }

    /// The same, with the texts of files.
    fn with_files(main_cf: &str, files: &[(&str, &str)]) -> Self {
        Self::with_services(main_cf, DEBIAN_MASTER_CF, files)
    }

    /// The same, with another master.cf.
    fn with_services(main_cf: &str, master_cf: &str, files: &[(&str, &str)]) -> Self {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        let name = HostName::new("host.here.org").unwrap();
        let input = HostInput {
            name: &name,
            label: name.to_string(),
            service: &Service::Postfix(crate::service::Instance::default()),
            reached_by: name.as_str(),
            mailhost: name.as_str(),
            addresses: &["192.0.2.5".to_owned()],
            desired: &DesiredService::default(),
            facts: &Facts::debian(),
            abilities: super::HostAbilities::default(),
            live: Some(LiveInput {
                main_cf: &MainCf::parse(format!("{MAIN_CF}{}\n", dedented(main_cf)).as_bytes()),
                master_cf: &MasterCf::parse(master_cf.as_bytes()),
                environment: &HostEnvironment {
                    hostname: Some("host.here.org".to_owned()),
                    mail_name: Some("host.here.org".to_owned()),
                    ..HostEnvironment::default()
                },
                files: files.collect::<HashMap<_, _>>(),
            }),
        };
        Self(MailMurder::new(&[input], [], []))
    }

    /// The answer to RCPT from a client: `250 2.1.5`; `?` if it is not modelled.
    fn rcpt_from(&self, client: &str, recipient: &str) -> String {
        let client = SmtpClient::Address(client.parse().unwrap());
        let directory = Directory::default();
        let answer = self.0.rcpt(
            0,
            recipient,
            client,
            &directory,
            &super::Circumstances::default(),
        );
        answer.map_or("?".to_owned(), |answer| {
            format!("{} {}", answer.reply.code, answer.reply.enhanced)
        })
    }

    /// The answer to RCPT from outside.
    fn rcpt(&self, recipient: &str) -> String {
        self.rcpt_from("203.0.113.1", recipient)
    }

    /// The recipients after cleanup(8), with commas; the status if it does not take the message, `?` if it is not modelled.
    fn recipients(&self, recipient: &str) -> String {
        let host = &self.0.hosts[0];
        let directory = Directory::default();
        let rewritten = host
            .cleanup
            .rewrite(recipient, true, &host.resolver, &directory);
        match rewritten {
            Ok(rewritten) => rewritten.recipients.join(","),
            Err(super::table::LookupError::Temporary(why)) => {
                why.split(' ').next().unwrap_or_default().to_owned()
            }
            Err(super::table::LookupError::NotModelled(_)) => "?".to_owned(),
        }
    }

    /// Transport and next hop of an address; `?` if they are not modelled.
    fn route(&self, address: &str) -> String {
        let host = &self.0.hosts[0];
        let route = host.resolver.resolve(address, &Directory::default());
        route.map_or("?".to_owned(), |route| {
            format!("{}:{}", route.transport, route.nexthop)
        })
    }

    /// What becomes of mail by sendmail(1): `recipient via action`, one for each end.
    fn ends(&self, recipient: &str) -> Vec<String> {
        let trace = self
            .0
            .trace(recipient, Entry::Submit(0), &Directory::default());
        let ends = trace.ends.iter();
        ends.map(|end| format!("{} {} {}", end.recipient, end.via, end.action.word()))
            .collect()
    }
}

/// The lines of a main.cf, where settings may be indented.
fn dedented(main_cf: &str) -> String {
    let lines = main_cf.lines().map(|line| {
        let name = line
            .split_once(" =")
            .map_or("", |(name, _)| name.trim_start());
        let is_setting =
            !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if is_setting { line.trim_start() } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Compares a table of questions and answers with a function.
fn check(name: &str, ask: impl Fn(&str) -> String, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(question, expected)| {
            let found = ask(question);
            (found != *expected).then(|| format!("{question}: {found}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
}
