//! Every host compiled before any is contacted: its problems are said, and what it must have is kept for the look.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::compiled;
use super::contact::facts_cache;
use super::reach::Reach;
use super::terminal::Terminal;
use super::wiring::{AlreadyReported, Loaded, say_all};
use crate::compile::Compiler;
use crate::diagnostic::Level;
use crate::load;
use crate::machine::KnownFacts;
use crate::model::Host;
use crate::name::HostName;
use crate::state::Desired;

/// Hosts that are compiled once for the problems and for the look; more would cost more memory than time.
const FORESEEN_AT_ONCE: usize = 1024;

/// A host as it was compiled before any was contacted.
#[derive(Debug)]
pub struct Precompiled {
    /// What it said of itself last time; by that it was compiled, or else by what the manifest states.
    pub known: Option<KnownFacts>,
    /// What it must have by that.
    pub desired: Desired,
}

/// Prepares the compiler, and compiles every host once: every problem is said before anything is contacted.
/// A folder is as the facts say that the manifest states; a host will say itself what it is like, and is
/// compiled by what it said last time, unless that is what does not fit.
///
/// # Errors
/// Where a host of the manifest does not compile; it has been said.
pub fn precompile<'a>(
    loaded: &'a Loaded,
    meant: &[HostName],
    reach: &Reach,
    terminal: &Terminal,
) -> Result<(Compiler<'a>, BTreeMap<HostName, Precompiled>), AlreadyReported> {
    let cache = facts_cache(reach);
    let meant: BTreeSet<&HostName> = meant.iter().take(FORESEEN_AT_ONCE).collect();
    let foreseen = Mutex::default();
    let keep = |host: &Host, known, desired| {
        let mut foreseen: MutexGuard<'_, BTreeMap<_, _>> =
            foreseen.lock().unwrap_or_else(PoisonError::into_inner);
        foreseen.insert(host.name.clone(), Precompiled { known, desired });
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
                return compiler.compile(&host.name, &host.facts);
            }
            let known = cache.as_ref().and_then(|cache| cache.get(&host.name));
            let facts = known.as_ref().map_or(&host.facts, |known| &known.facts);
            match compiler.compile(&host.name, facts) {
                Ok(mut compiled) => {
                    keep(host, known, std::mem::take(&mut compiled.desired));
                    Ok(compiled)
                }
                Err(_) if known.is_some() => compiler.compile(&host.name, &host.facts),
                Err(problems) => Err(problems),
            }
        };
        problems.extend(compiled::problems(
            compile,
            &loaded.murder,
            &hosts,
            reach.sandbox.is_some(),
        ));
    }
    load::tidy(&mut problems);
    say_all(&problems, &loaded.sources, terminal);
    if problems.iter().any(|problem| problem.level == Level::Error) {
        return Err(AlreadyReported);
    }
    let foreseen = foreseen
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    compiler
        .map(|compiler| (compiler, foreseen))
        .ok_or(AlreadyReported)
}
