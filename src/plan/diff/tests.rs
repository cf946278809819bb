//! The difference between desired and live state, case by case.
#![allow(clippy::unwrap_used, clippy::panic)]

mod adopted;
mod as_found;
mod effects;
mod exposed;
mod faults;
mod files;
mod forged;
mod members;
mod ports;
mod reach;
mod recorded;
mod refusals;
mod relaying;
mod released;
mod services;
mod unfinished;
mod unmanaged;
mod unusable;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use super::super::Cause;
use super::super::reload_hash::activation_after;
use super::*;
use crate::digest::sha256_hex;
use crate::ledger::{Managed, Origin, ServiceLedger};
use crate::name::{Mode, Parameter, RemotePath, TableType, UserName};
use crate::plan::{Change, IndexReason, ReloadReason};
use crate::postfix::configuration::HostEnvironment;
use crate::postfix::{MainCf, MasterCf};
use crate::secret::{Body, Secret, SecretName, Secrets};
use crate::state::{Facts, File, LiveFile, LiveReferences, LiveState, PostfixLive, Want};
use crate::thing::{Field, Thing};

const MASTER: &str = "smtp inet n - y - - smtpd\nlmtp unix - - y - - lmtp\n  -o syslog_name=postfix/x\n\
     cleanup unix n - y - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - y - - trivial-rewrite\n";

/// A master.cf with these lines, and those that no Postfix can do without.
fn master_cf(lines: &str) -> MasterCf {
    let needed = &MASTER[MASTER.find("cleanup").unwrap()..];
    let own = lines.replace(needed, "");
    MasterCf::parse(format!("{own}{needed}").as_bytes())
}

fn parameter(name: &str) -> Thing {
    Thing::Parameter(Parameter::new(name).unwrap())
}

fn path(text: &str) -> RemotePath {
    RemotePath::new(text).unwrap()
}

fn file(body: Body) -> File {
    File {
        body,
        owner: UserName::new("root").unwrap(),
        group: UserName::new("postfix").unwrap(),
        mode: Mode::from_bits(0o640),
        index: None,
        table: None,
    }
}

fn state(text: &str) -> LiveState {
    LiveState {
        sha256: sha256_hex(text.as_bytes()),
        owner: "root".into(),
        group: "postfix".into(),
        mode: Mode::from_bits(0o640),
        size: text.len() as u64,
        mtime: 100,
        ctime: 100,
        inode: 1,
        link: None,
        private: true,
        text: Some(text.to_owned()),
    }
}

/// A host and what is wanted of it, to be bent by each test.
struct Bench {
    desired: Desired,
    live: Live,
    secrets: Secrets,
    rollback: bool,
}

impl Bench {
    fn new(main_cf: &str) -> Self {
        // Without it smtpd(8) does not run at compatibility level 0, and each plan says so.
        let guard = match main_cf.contains("_restrictions") {
            true => "",
            false => "smtpd_relay_restrictions = reject_unauth_destination\n",
        };
        let main_cf = &format!("{main_cf}{guard}");
        let postfix = PostfixLive {
            main_cf: MainCf::parse(main_cf.as_bytes()),
            master_cf: MasterCf::parse(MASTER.as_bytes()).into(),
            main_cf_sha256: sha256_hex(main_cf.as_bytes()),
            master_cf_sha256: sha256_hex(MASTER.as_bytes()),
            environment: HostEnvironment::default(),
            running: Running::Yes,
            queue: None,
        };
        Self {
            desired: Desired::default(),
            live: Live {
                facts: Facts::debian(),
                services: [(Service::POSTFIX, LiveService::Postfix(postfix))].into(),
                default_instance: None,
                files: BTreeMap::new(),
                indexes: BTreeMap::new(),
                unsound_indexes: BTreeSet::new(),
                tables: BTreeMap::new(),
                references: LiveReferences::default(),
                ledger: None,
                ledger_sha256: None,
                journal: None,
                pending: None,
                lock: None,
                leftovers: Vec::new(),
                exposed: BTreeMap::new(),
                configuration_links: BTreeMap::new(),
                last_words: false,
                remarks: Vec::new(),
            },
            secrets: Secrets::default(),
            rollback: false,
        }
    }

    /// Postfix as the host has it, to be changed.
    fn postfix_live(&mut self) -> &mut PostfixLive {
        let LiveService::Postfix(postfix) = self.live.services.get_mut(&Service::POSTFIX).unwrap();
        postfix
    }

    fn want(mut self, name: &str, value: &str) -> Self {
        self.desired
            .postfix_mut()
            .values
            .insert(parameter(name), Want::Present(value.to_owned()));
        self
    }

    fn want_file(mut self, at: &str, file: File) -> Self {
        self.desired
            .postfix_mut()
            .files
            .insert(path(at), Want::Present(file));
        self
    }

    fn has_file(mut self, at: &str, state: LiveState) -> Self {
        self.live.files.insert(path(at), LiveFile::Present(state));
        self
    }

    fn ledger(mut self, ledger: Ledger) -> Self {
        self.live.ledger = Some(ledger);
        self
    }

    fn verdict(&self) -> HostVerdict {
        self.compared().0
    }

    /// What the host must still be asked about.
    fn lacking(&self) -> Option<References> {
        self.compared().1
    }

    fn compared(&self) -> (HostVerdict, Option<References>) {
        compare(DiffInput {
            known: None,
            murder: "example.org",
            desired: &self.desired,
            live: &self.live,
            secrets: &self.secrets,
            hosts: &[],
            keep: crate::history::KEPT,
            rollback: self.rollback.then_some(1),
        })
    }

    fn plan(&self) -> HostPlan {
        match self.verdict().verdict {
            Verdict::Changes(plan) => *plan,
            other => panic!("no changes: {other:?}"),
        }
    }
}

fn ledger(managed: &[(Thing, Origin, Option<&str>)]) -> Ledger {
    let mut postfix = ServiceLedger {
        managed: managed
            .iter()
            .map(|(thing, origin, value)| {
                (
                    thing.clone(),
                    Managed {
                        origin: origin.clone(),
                        value: value.map(str::to_owned),
                        access: None,
                    },
                )
            })
            .collect(),
        ..ServiceLedger::default()
    };
    postfix.activated = Some(activation_after(&postfix));
    Ledger {
        version: LEDGER_VERSION,
        murder: "example.org".into(),
        generation: 1,
        services: [(Service::POSTFIX, postfix)].into(),
        applied: None,
        hosts: Vec::new(),
        facts: None,
        host_key: None,
    }
}

/// What a ledger says of Postfix.
fn postfix(ledger: &Ledger) -> &ServiceLedger {
    ledger.service(&Service::POSTFIX)
}

/// The same, to be changed.
fn postfix_mut(ledger: &mut Ledger) -> &mut ServiceLedger {
    ledger.services.get_mut(&Service::POSTFIX).unwrap()
}

/// Whether a flag that lifts refusals of this kind lifts all that a plan has.
fn is_lifted(plan: &HostPlan, kind: RefusalKind) -> bool {
    !plan.refusals.is_empty() && plan.refusals.iter().all(|refusal| refusal.kind == kind)
}

fn flags(plan: &HostPlan) -> Vec<Option<&'static str>> {
    plan.refusals
        .iter()
        .map(|refusal| refusal.kind.flag())
        .collect()
}
