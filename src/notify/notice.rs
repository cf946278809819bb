//! What is worth a notification, each with a fingerprint.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attribution::HostNotes;
use crate::digest::sha256_hex;
use crate::name::HostName;
use crate::plan::{
    Cause, Change, FileState, HostPlan, HostVerdict, IndexReason, Plan, Step, Verdict,
};
use crate::secret::mask;
use crate::thing::Thing;
use crate::visible::visible;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A thing was changed on the host.
    Drifted,
    /// Postfix does not run.
    Stopped,
    /// A hold ends within a day.
    HoldEnds,
    /// A host that its neighbours remember is no longer in the manifest.
    Orphaned,
    /// The maintenance of a host was due to end.
    MaintenanceOverdue,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// The host.
    #[schemars(with = "String")]
    pub host: HostName,
    /// The thing, or `postfix`.
    pub thing: String,
    /// A sentence, without values and mail addresses.
    pub text: String,
}

impl Notice {
    /// Whether its end is told too.
    #[must_use]
    pub fn ends_with_a_notice(&self) -> bool {
        self.kind != NoticeKind::HoldEnds
    }

    /// Whether it is about the same thing as another one.
    #[must_use]
    pub fn is_about(&self, other: &Self) -> bool {
        (self.kind, &self.host, &self.thing) == (other.kind, &other.host, &other.thing)
    }
}

/// The times of a run (RFC 3339, UTC).
#[derive(Debug, Clone, Copy)]
pub struct Times<'a> {
    /// When it is.
    pub now: &'a str,
    /// The end of a hold before this time is announced.
    pub soon: &'a str,
}

/// The notices of a plan, by fingerprint.
#[must_use]
pub fn notices(
    plan: &Plan,
    notes: &BTreeMap<HostName, HostNotes>,
    times: Times<'_>,
) -> BTreeMap<String, Notice> {
    let mut found = BTreeMap::new();
    for (host, verdict) in &plan.hosts {
        of_host(
            host,
            verdict,
            notes.get(host),
            times,
            &mut |value, notice| {
                let print = format!("{:?}\0{host}\0{}\0{value}", notice.kind, notice.thing);
                found.insert(sha256_hex(print.as_bytes()), notice);
            },
        );
    }
    for orphan in plan.orphans().into_keys() {
        let print = format!("orphaned\0{orphan}");
        let notice = Notice {
            kind: NoticeKind::Orphaned,
            host: orphan.clone(),
            thing: "host".to_owned(),
            text:
                "orphaned: its neighbours remember it, and the manifest does not name it any more"
                    .to_owned(),
        };
        found.insert(sha256_hex(print.as_bytes()), notice);
    }
    found
}

fn of_host(
    host: &HostName,
    verdict: &HostVerdict,
    notes: Option<&HostNotes>,
    times: Times<'_>,
    add: &mut dyn FnMut(String, Notice),
) {
    let notice = |kind, thing: String, text: String| Notice {
        kind,
        host: host.clone(),
        thing,
        text: without_addresses(&visible(&text)),
    };
    if let Verdict::Changes(plan) = &verdict.verdict
        && plan.is_drifted()
    {
        for (value, thing, text) in changes(plan, notes) {
            add(value, notice(NoticeKind::Drifted, thing, text));
        }
    }
    if let Verdict::Maintenance(one) = &verdict.verdict
        && one.is_overdue(times.now)
    {
        let text = format!("its maintenance was due to end at {}", one.until);
        let kind = NoticeKind::MaintenanceOverdue;
        add(
            one.until.clone(),
            notice(kind, "maintenance".to_owned(), text),
        );
    }
    if verdict.stopped {
        let text = "Postfix does not run".to_owned();
        add(
            String::new(),
            notice(NoticeKind::Stopped, "postfix".to_owned(), text),
        );
    }
    for held in verdict
        .held
        .iter()
        .filter(|held| held.hold.until.as_str() <= times.soon)
    {
        let thing = held.service.shown(&held.thing);
        let until = held.hold.until.clone();
        let text = format!("{thing}: its hold ends at {until}; then the next apply sets it");
        add(until, notice(NoticeKind::HoldEnds, thing, text));
    }
}

/// Each change on a host: what tells it from another one, its thing, and a sentence.
fn changes(plan: &HostPlan, notes: Option<&HostNotes>) -> Vec<(String, String, String)> {
    let drifted = plan.steps.iter().filter_map(drifted);
    let told = drifted.map(|(thing, value)| {
        let mut known = notes.into_iter().flat_map(|notes| &notes.changes);
        let change = known.find(|change| change.thing == thing);
        let text = match change {
            Some(change) => change.sentence(),
            None => format!("{thing}: changed on the host"),
        };
        // A value that may be secret is told apart by the time of its change.
        let at = || change.and_then(|change| change.at.clone());
        (value.or_else(at).unwrap_or_default(), thing, text)
    });
    told.collect()
}

/// The thing of a step that undoes a change on the host, and the value there. None for a value that may be secret.
fn drifted(step: &Step) -> Option<(String, Option<String>)> {
    match step {
        Step::File {
            path,
            change,
            cause: Cause::Drift,
            ..
        } => {
            let value = match change {
                Change::Create { .. } => Some("absent".to_owned()),
                Change::Update { before, .. } | Change::Delete { before } => state(before),
            };
            Some((path.to_string(), value))
        }
        Step::Delete {
            path,
            before,
            cause: Cause::Drift,
            ..
        } => Some((path.to_string(), state(before))),
        Step::Value {
            service,
            thing,
            change,
            cause: Cause::Drift,
        } => {
            let name = match thing {
                Thing::Parameter(name) | Thing::Option(_, name) => name.as_str(),
                Thing::File(_) | Thing::Service(_) | Thing::Field(..) => "",
            };
            let value = match change {
                Change::Create { .. } => "absent".to_owned(),
                Change::Update { before, .. } | Change::Delete { before } => {
                    mask::mask_value(name, before)
                }
            };
            Some((service.shown(thing), Some(value)))
        }
        Step::Index { source, reason, .. } if *reason != IndexReason::SourceChanges => {
            Some((format!("the index of {source}"), None))
        }
        Step::Value { .. } | Step::File { .. } | Step::Delete { .. } => None,
        _ => None,
    }
}

/// What tells a state of a file from another one. None if its text may hold a secret.
fn state(file: &FileState) -> Option<String> {
    let open = !file.secret && file.withheld.is_none() && file.mode.bits() & 0o004 != 0;
    let text = file.text.as_deref().filter(|_| open)?;
    Some(format!(
        "{} {}:{} {text}",
        file.mode, file.owner, file.group
    ))
}

/// A text in which each word with an `@` is only counted: notifications list no mail address.
pub(super) fn without_addresses(text: &str) -> String {
    let word = |word: &str| {
        if word.contains('@') {
            "(an address)".to_owned()
        } else {
            word.to_owned()
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
