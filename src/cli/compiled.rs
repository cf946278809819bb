//! Every host compiled before any is contacted, on every core.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use crate::compile::Compiled;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Host, HostState, Murder};
use crate::name::HostName;

/// Compiles hosts, and gives what there is to say of them: warnings, and errors where there are any, in the
/// order of `hosts`. With `guesses` also what only holds if the hosts are as their facts say; without, they
/// will be asked.
#[must_use]
pub fn problems(
    compile: impl Fn(&Host) -> Result<Compiled, Vec<Diagnostic>> + Sync,
    murder: &Murder,
    hosts: &[HostName],
    guesses: bool,
) -> Vec<Diagnostic> {
    let of = |name: &HostName| {
        let Some(host) = murder.hosts.get(name) else {
            return Vec::new();
        };
        match compile(host) {
            Ok(mut compiled) => {
                if guesses {
                    compiled.warnings.append(&mut compiled.guesses);
                }
                compiled.warnings
            }
            Err(problems) => problems,
        }
    };
    let mut found: Vec<Diagnostic> = on_every_core(hosts, of).into_iter().flatten().collect();
    // A host may go only where no other routes to it, be the others meant in this run or not.
    let going: BTreeSet<Span> = hosts
        .iter()
        .filter_map(|name| murder.hosts.get(name))
        .filter(|host| host.state == HostState::Retired)
        .map(|host| host.at)
        .collect();
    if !going.is_empty() {
        let meant: BTreeSet<&HostName> = hosts.iter().collect();
        let others: Vec<HostName> = murder
            .hosts
            .keys()
            .filter(|name| !meant.contains(name))
            .cloned()
            .collect();
        let problems = on_every_core(&others, of).into_iter().flatten();
        found.extend(
            problems.filter(|problem| problem.related.iter().any(|(at, _)| going.contains(at))),
        );
    }
    found
}

/// Items that are done sooner than a thread for them has begun.
const FEW: usize = 16;

/// Does `work` for each item, on every core where there are many. The order of the results is that of the items,
/// whatever the cores did.
#[must_use]
pub fn on_every_core<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() <= FEW {
        return items.iter().map(work).collect();
    }
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = items.len().div_ceil(cores).max(1);
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = items
            .chunks(share)
            .map(|items| scope.spawn(move || items.iter().map(work).collect::<Vec<R>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| match thread.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    })
}
