//! The proof of an import: the manifest compiled by the facts of each host, and compared with what the host has.

use super::assembly::Assembly;
use super::compiled::DraftMurder;
use super::seen::SeenHost;
use crate::compile::Compiler;
use crate::every_core::on_every_core;
use crate::name::HostName;
use crate::plan::{DiffInput, Step, Verdict, diff};

/// What the next plan does on a host but take over: nothing, or what is named.
#[must_use]
pub fn prove(assembly: &Assembly<'_>, murder: &DraftMurder) -> Vec<(HostName, Vec<String>)> {
    let compiler = match assembly.shipped.compiler(&murder.murder) {
        Ok(compiler) => compiler,
        Err(problems) => {
            let why: Vec<String> = problems
                .into_iter()
                .map(|problem| problem.summary)
                .collect();
            let failed = |host: &SeenHost| (host.name.clone(), why.clone());
            return assembly.hosts.iter().map(failed).collect();
        }
    };
    on_every_core(assembly.hosts, |host| {
        (host.name.clone(), of_host(host, &compiler, murder))
    })
}

fn of_host(host: &SeenHost, compiler: &Compiler<'_>, murder: &DraftMurder) -> Vec<String> {
    let compiled = match compiler.compile(&host.name, &host.live.facts) {
        Ok(compiled) => compiled,
        Err(problems) => {
            return problems
                .into_iter()
                .map(|problem| problem.summary)
                .collect();
        }
    };
    let verdict = diff(DiffInput {
        murder: &murder.murder.name,
        desired: &compiled.desired,
        live: &host.live,
        secrets: &murder.secrets,
        known: None,
        hosts: &[],
        keep: murder.murder.keep,
        rollback: None,
    });
    match verdict.verdict {
        Verdict::Converged | Verdict::Maintenance(_) => Vec::new(),
        Verdict::Changes(plan) => {
            let steps = plan.steps.iter().filter_map(step);
            let refusals = plan.refusals.iter().map(|refusal| refusal.summary.clone());
            steps.chain(refusals).collect()
        }
        Verdict::Unreachable { error } | Verdict::Failed { error } => vec![error.summary],
    }
}

/// A step in a few words; none if only the ledger changes.
fn step(step: &Step) -> Option<String> {
    Some(match step {
        Step::TakeOver { .. } | Step::Release { .. } => return None,
        Step::Sweep { run } => format!("removes what the run {run} left"),
        Step::File { path, .. } => format!("writes `{path}`"),
        Step::Index { source, .. } => {
            format!("builds the index of `{source}`, which is missing or older than its source")
        }
        Step::Value { thing, .. } => format!("sets `{thing}`"),
        Step::Check { .. } => "runs `postfix check`".to_owned(),
        Step::Reload { .. } => "reloads Postfix".to_owned(),
        Step::Restart { .. } => "restarts Postfix".to_owned(),
        Step::Probe { .. } => "asks the probe addresses".to_owned(),
        Step::Delete { path, .. } => format!("deletes `{path}`"),
    })
}
