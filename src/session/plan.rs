//! Plans many hosts in parallel.

use std::collections::BTreeMap;

use super::worker::Planner;
use crate::fleet::{self, Event, NotRun, Stop, Width};
use crate::name::HostName;
use crate::plan::{Failure, HostVerdict, Plan, Verdict};

/// Observes and compares the hosts, at most `parallel` at once. `on_event` gets the progress, where it is wanted.
#[must_use]
pub fn plan_hosts(
    murder: &str,
    hosts: &[HostName],
    planner: &(impl Planner + ?Sized),
    parallel: usize,
    on_event: Option<&mut dyn FnMut(Event)>,
) -> Plan {
    let width = Width {
        parallel,
        threads: planner.threads(parallel.min(hosts.len())),
    };
    // An observation may be interrupted at any moment, so nothing here requests a stop.
    let results = fleet::run_tasks(
        hosts,
        width,
        &Stop::new(),
        |host, say| Box::pin(async move { planner.plan(host, &|words| say.at(words)).await }),
        on_event,
    );
    let verdicts: BTreeMap<HostName, HostVerdict> = results
        .into_iter()
        .map(|(host, result)| (host, result.unwrap_or_else(not_run)))
        .collect();
    Plan {
        murder: murder.to_owned(),
        hosts: verdicts,
    }
}

fn not_run(why: NotRun) -> HostVerdict {
    let words = match why {
        NotRun::Stopped | NotRun::Failures => "stopped before its turn".to_owned(),
        NotRun::Panicked(words) | NotRun::NoThread(words) => words,
    };
    HostVerdict {
        verdict: Verdict::Failed {
            error: own_fault(words),
        },
        remarks: Vec::new(),
        stopped: false,
    }
}

/// A bug of the program itself, on one host.
#[must_use]
pub fn own_fault(words: String) -> Failure {
    Failure {
        summary: "internal error of `murder`".to_owned(),
        detail: Some(words),
        hint: Some("please report this as a bug, with the text above".to_owned()),
    }
}
