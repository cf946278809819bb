//! Compiles every host before any is contacted, on every core: finds their problems, and keeps what they must have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::SessionError;
use super::facts_cache::facts_cache;
use super::options::Reach;
use crate::compile::{Compiled, Compiler};
use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::every_core::on_every_core;
use crate::load::{self, LoadedMurder};
use crate::machine::KnownFacts;
use crate::model::{Host, HostState, Murder};
use crate::name::HostName;
use crate::state::Desired;

/// How many compiled hosts are kept for the observation; more would need too much memory.
const PRECOMPILED_AT_ONCE: usize = 1024;

/// A host as it was compiled before any was contacted.
#[derive(Debug)]
pub struct Precompiled {
    /// Its facts of the last run, by which it was compiled; without them the facts of the manifest were used.
    pub known: Option<KnownFacts>,
    /// What it must have by these facts.
    pub desired: Desired,
}

/// A compiler, and the hosts that it has compiled.
pub struct Prepared<'a> {
    /// The compiler.
    pub compiler: Compiler<'a>,
    /// The selected hosts, the first [`PRECOMPILED_AT_ONCE`] of them.
    pub hosts: BTreeMap<HostName, Precompiled>,
    /// Warnings about the manifest.
    pub warnings: Vec<Diagnostic>,
}

/// Prepares the compiler, and compiles every host once, so that every problem is known before a host is contacted.
/// A host is compiled with its facts of the last run. If there are none, or if it does not compile with them, it is
/// compiled with the facts of the manifest.
///
/// # Errors
/// [`SessionError::Input`] where a host of the manifest does not compile.
pub fn precompile<'a>(
    loaded: &'a LoadedMurder,
    meant: &[HostName],
    reach: &Reach,
) -> Result<Prepared<'a>, SessionError> {
    let cache = facts_cache(reach);
    let meant: BTreeSet<&HostName> = meant.iter().take(PRECOMPILED_AT_ONCE).collect();
    let precompiled = Mutex::default();
    let keep = |host: &Host, known, desired| {
        let mut precompiled: MutexGuard<'_, BTreeMap<_, _>> =
            precompiled.lock().unwrap_or_else(PoisonError::into_inner);
        precompiled.insert(host.name.clone(), Precompiled { known, desired });
    };
    let mut problems = Vec::new();
    let compiler = match Compiler::new(&loaded.murder, &loaded.modules) {
        Ok(compiler) => Some(compiler),
        Err(found) => {
            problems = found;
            None
        }
    };
    if let Some(compiler) = &compiler {
        let hosts: Vec<HostName> = loaded.murder.hosts.keys().cloned().collect();
        let compile = |host: &Host| {
            if !meant.contains(&host.name) {
                return reach.paths.judge(compiler.compile(&host.name, &host.facts));
            }
            let known = cache.as_ref().and_then(|cache| cache.get(&host.name));
            let facts = known.as_ref().map_or(&host.facts, |known| &known.facts);
            match reach.paths.judge(compiler.compile(&host.name, facts)) {
                Ok(mut compiled) => {
                    keep(host, known, std::mem::take(&mut compiled.desired));
                    Ok(compiled)
                }
                Err(_) if known.is_some() => {
                    reach.paths.judge(compiler.compile(&host.name, &host.facts))
                }
                Err(problems) => Err(problems),
            }
        };
        problems.extend(compile_problems(
            compile,
            &loaded.murder,
            &hosts,
            reach.sandbox.is_some(),
        ));
    }
    load::tidy(&mut problems);
    let Some(compiler) = compiler.filter(|_| !problems.iter().any(is_error)) else {
        return Err(SessionError::Input(problems));
    };
    let precompiled = precompiled
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    Ok(Prepared {
        compiler,
        hosts: precompiled,
        warnings: problems,
    })
}

fn is_error(problem: &Diagnostic) -> bool {
    problem.level == Severity::Error
}

/// Compiles `hosts`, and gives their warnings and errors in the order of `hosts`. With `guesses` the warnings
/// include those that hold only if the hosts are as the manifest's facts say.
#[must_use]
pub fn compile_problems(
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
    // A host may be retired only if no other host routes to it, selected in this run or not.
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
