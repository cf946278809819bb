//! The histories of many hosts at once.

use std::collections::BTreeMap;

use super::murder::MurderSession;
use super::own_fault::own_fault;
use crate::exchange::HistoryQuestion;
use crate::fleet::{self, NotRun, Stop, Width};
use crate::history::HistoryEntry;
use crate::machine::{MachineError, Questions};
use crate::name::HostName;
use crate::plan::Failure;

/// Asks each host for its history, at most `parallel` at once. The entries come oldest first.
#[must_use]
pub fn histories(
    contact: &MurderSession<'_>,
    hosts: &[HostName],
    parallel: usize,
) -> BTreeMap<HostName, Result<Vec<HistoryEntry>, MachineError>> {
    let questions = &Questions {
        history: Some(HistoryQuestion::Entries),
        ..Questions::default()
    };
    let width = Width {
        parallel,
        threads: parallel.min(hosts.len()),
    };
    let answers = fleet::run_tasks(
        hosts,
        width,
        &Stop::new(),
        |name, _| {
            Box::pin(async move {
                let host = contact.host(name)?;
                let mut machine = contact.connect(host).await?;
                Ok(machine.observing(questions).await?.entries)
            })
        },
        None,
    );
    let scrubbed = |error: MachineError| error.map(|failure| contact.session.scrub(failure));
    answers
        .into_iter()
        .map(|(host, answer)| {
            let answer = answer.unwrap_or_else(|why| Err(MachineError::Unfit(not_run(why))));
            (host, answer.map_err(scrubbed))
        })
        .collect()
}

pub(super) fn not_run(why: NotRun) -> Failure {
    match why {
        NotRun::Panicked(words) | NotRun::NoThread(words) => own_fault(words),
        NotRun::Stopped | NotRun::Failures | NotRun::Held(_) => {
            own_fault("stopped before its turn".to_owned())
        }
    }
}
