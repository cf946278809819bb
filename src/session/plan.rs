//! Plans many hosts in parallel.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::own_fault::own_fault;
use super::worker::Planner;
use crate::fleet::{self, Event, NotRun, Stop, Width};
use crate::model::Murder;
use crate::name::HostName;
use crate::plan::{HostVerdict, OwnNames, Plan, Verdict};

/// Bytes of texts of hosts that all plans of a run keep, to show them.
const KEPT_TEXTS: u64 = 256 << 20;

/// A host whose texts have no more bytes than this keeps them in any case.
const SHORT_TEXTS: u64 = 256 << 10;

/// Leaves a host's long texts out of its plan when those of other hosts have used up `left` bytes.
fn keep_texts(verdict: &mut HostVerdict, left: &mut u64) {
    let length = verdict.live_text_length();
    match left.checked_sub(length) {
        Some(rest) => *left = rest,
        None if length > SHORT_TEXTS => verdict.withhold_live_texts(),
        None => {}
    }
}

/// What is each host's own besides its name, as the murder has it; hosts that have no more are not in it.
#[must_use]
pub fn own_names<'a>(
    murder: &Murder,
    hosts: impl IntoIterator<Item = &'a HostName>,
) -> BTreeMap<HostName, OwnNames> {
    let hosts = hosts.into_iter().filter_map(|name| murder.hosts.get(name));
    let own = hosts.map(|host| {
        let is_other = |text: &&String| text.as_str() != host.name.as_str();
        let reached = host.ssh.address.iter().filter(is_other);
        let mut addresses: Vec<String> = Vec::new();
        for address in host.addresses.iter().chain(reached) {
            if !addresses.contains(address) {
                addresses.push(address.clone());
            }
        }
        let mailhost = (host.mailhost != host.name).then(|| host.mailhost.to_string());
        let own = OwnNames {
            mailhost,
            addresses,
        };
        (host.name.clone(), own)
    });
    own.filter(|(_, own)| *own != OwnNames::default()).collect()
}

/// Observes and compares the hosts, at most `parallel` at once. `on_event` gets the progress, where it is wanted.
#[must_use]
pub fn plan_hosts(
    murder: &str,
    hosts: &[HostName],
    planner: &(impl Planner + ?Sized),
    parallel: usize,
    on_event: Option<&mut dyn FnMut(Event)>,
) -> Plan {
    plan_hosts_with(murder, hosts, planner, parallel, on_event, &|_, _| ())
}

/// The same; `on_verdict` gets each verdict as it comes, on the thread of the host.
#[must_use]
pub fn plan_hosts_with(
    murder: &str,
    hosts: &[HostName],
    planner: &(impl Planner + ?Sized),
    parallel: usize,
    on_event: Option<&mut dyn FnMut(Event)>,
    on_verdict: &(dyn Fn(&HostName, &HostVerdict) + Sync),
) -> Plan {
    let width = Width {
        parallel,
        threads: planner.threads(parallel.min(hosts.len())),
    };
    let left = &Mutex::new(KEPT_TEXTS);
    // An observation may be interrupted at any moment, so nothing here requests a stop.
    let results = fleet::run_tasks(
        hosts,
        width,
        &Stop::new(),
        |host, say| {
            Box::pin(async move {
                let mut verdict = planner.plan(host, &|words| say.at(words)).await;
                let mut left = left.lock().unwrap_or_else(PoisonError::into_inner);
                keep_texts(&mut verdict, &mut left);
                drop(left);
                on_verdict(host, &verdict);
                verdict
            })
        },
        on_event,
    );
    let verdicts: BTreeMap<HostName, HostVerdict> = results
        .into_iter()
        .map(|(host, result)| (host, result.unwrap_or_else(not_run)))
        .collect();
    Plan::new(murder.to_owned(), verdicts)
}

fn not_run(why: NotRun) -> HostVerdict {
    let words = match why {
        NotRun::Stopped | NotRun::Failures | NotRun::Held(_) => {
            "stopped before its turn".to_owned()
        }
        NotRun::Panicked(words) | NotRun::NoThread(words) => words,
    };
    HostVerdict::of(Verdict::Failed {
        error: own_fault(words),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::ledger::{LEDGER_VERSION, Ledger};
    use crate::name::{Mode, RemotePath};
    use crate::plan::{Cause, Change, Expects, FileState, HostPlan, Step, Withheld};
    use crate::service::Service;

    /// A plan that updates a file whose text has so many bytes.
    fn verdict(length: usize) -> HostVerdict {
        let state = |text: String| FileState {
            text: Some(text),
            sha256: String::new(),
            owner: "root".to_owned(),
            group: "root".to_owned(),
            mode: Mode::from_bits(0o644),
            secret: false,
            withheld: None,
            link: None,
        };
        let step = Step::File {
            service: Service::POSTFIX,
            path: RemotePath::new("/etc/postfix/x").unwrap(),
            change: Change::Update {
                before: state("x".repeat(length)),
                after: state("after".to_owned()),
            },
            cause: Cause::Drift,
            file: None,
        };
        let ledger = Ledger {
            version: LEDGER_VERSION,
            murder: "m".to_owned(),
            generation: 1,
            services: BTreeMap::new(),
            applied: None,
            hosts: Vec::new(),
            facts: None,
            host_key: None,
        };
        let mut plan = HostPlan::empty(ledger, Expects::default());
        plan.steps.push(step);
        HostVerdict::of(Verdict::Changes(Box::new(plan)))
    }

    #[test]
    fn long_texts_of_many_hosts_are_not_all_kept_and_short_ones_are() {
        let mut left = 2 << 20;
        let mut keep = |length: usize| {
            let mut verdict = verdict(length);
            keep_texts(&mut verdict, &mut left);
            let text = serde_json::to_string(&verdict).unwrap();
            assert!(text.contains("\"after\""), "{text}");
            let withheld = serde_json::to_string(&Withheld::TooLong).unwrap();
            text.contains(&withheld)
        };
        assert!(!keep(1 << 20));
        assert!(keep(3 << 20));
        assert!(!keep(1 << 20));
        assert!(keep(1 << 20));
        assert!(!keep(1000));
    }
}
