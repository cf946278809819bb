//! Runs waves one after the other: canaries, batches, pauses, and the limit of failures.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Event, NotRun, Phase, Stop, Wave, run};
use crate::model::Rollout;
use crate::name::{HostName, RoleName};

/// Hosts that are applied at the same time, and the pause after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Which.
    pub hosts: Vec<HostName>,
    /// What for.
    pub phase: Phase,
    /// Waited after it, before the next batch.
    pub pause: Duration,
}

/// The limits of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Hosts at once.
    pub parallel: usize,
    /// How many hosts may fail before no further batch begins.
    pub max_fail: usize,
}

/// Cuts waves into batches: within a wave the hosts of each role with a `rollout` go by
/// themselves, its canaries first, then `serial` at a time with its pause between; all hosts without
/// one go before them, side by side. `canary` (from the command line) counts for every role.
#[must_use]
pub fn batches(
    waves: &[Wave],
    roles: &BTreeMap<HostName, Vec<RoleName>>,
    rollout: &BTreeMap<RoleName, Rollout>,
    canary: Option<usize>,
) -> Vec<Batch> {
    let mut batches = Vec::new();
    for wave in waves {
        // By the first of a host's roles that has a rollout; none sorts first.
        let mut groups: BTreeMap<Option<&RoleName>, Vec<HostName>> = BTreeMap::new();
        for host in &wave.hosts {
            let mut of_host = roles.get(host).into_iter().flatten();
            let role = of_host.find(|role| rollout.contains_key(*role));
            groups.entry(role).or_default().push(host.clone());
        }
        for (role, hosts) in groups {
            let rollout = role.and_then(|role| rollout.get(role));
            let own = rollout.and_then(|rollout| rollout.canary).map(as_count);
            let serial = rollout.and_then(|rollout| rollout.serial).map(as_count);
            let pause = rollout.map_or(Duration::ZERO, |rollout| rollout.pause);
            let first = canary.or(own).unwrap_or(0).min(hosts.len());
            let (canaries, rest) = hosts.split_at(first);
            let chunks = [canaries, rest]
                .into_iter()
                .filter(|hosts| !hosts.is_empty())
                .flat_map(|hosts| hosts.chunks(serial.unwrap_or(hosts.len()).max(1)));
            batches.extend(chunks.map(|hosts| Batch {
                hosts: hosts.to_vec(),
                phase: wave.phase,
                pause,
            }));
        }
    }
    // The last batch has no pause.
    if let Some(last) = batches.last_mut() {
        last.pause = Duration::ZERO;
    }
    batches
}

fn as_count(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Does `work` for the hosts of each batch side by side, batch after batch. Hosts of one batch do
/// not stop each other; no later batch begins once more than `max_fail` hosts failed, a stop is requested, or `hold`, which
/// gets the turns so far after the pause of a batch, gives a reason.
pub fn roll<T, W>(
    batches: &[Batch],
    limits: Limits,
    stop: &Stop,
    work: W,
    failed: impl Fn(&T) -> bool,
    hold: impl Fn(&BTreeMap<HostName, Result<T, NotRun>>) -> Option<NotRun>,
    mut on_event: impl FnMut(Event),
) -> BTreeMap<HostName, Result<T, NotRun>>
where
    T: Send,
    W: Fn(&HostName, &dyn Fn(&str)) -> T + Sync,
{
    let mut turns = BTreeMap::new();
    let mut failures = 0;
    let mut held = None;
    for (number, batch) in batches.iter().enumerate() {
        let why = if failures > limits.max_fail {
            Some(NotRun::Failures)
        } else if stop.is_requested() {
            Some(NotRun::Stopped)
        } else {
            if number > 0 && held.is_none() {
                held = hold(&turns);
            }
            held.clone()
        };
        if let Some(why) = why {
            let hosts = batch.hosts.iter();
            turns.extend(hosts.map(|host| (host.clone(), Err(why.clone()))));
            continue;
        }
        let results = run(&batch.hosts, limits.parallel, stop, &work, &mut on_event);
        for (host, result) in results {
            failures += usize::from(match &result {
                Ok(result) => failed(result),
                Err(NotRun::Panicked(_) | NotRun::NoThread(_)) => true,
                Err(NotRun::Stopped | NotRun::Failures | NotRun::Held(_)) => false,
            });
            turns.insert(host, result);
        }
        if failures <= limits.max_fail {
            stop.sleep(batch.pause);
        }
    }
    turns
}
