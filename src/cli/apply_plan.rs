//! `murder apply FILE`: shows a saved plan, asks for confirmation, and carries it out exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::apply::{ApplyArguments, PlannedApply, refuse_frozen};
use super::error::CliError;
use super::exit::Exit;
use super::plan_file::PlanFileArguments;
use super::shard::of_wave;
use super::terminal::Terminal;
use super::{Selection, ask, confirm, save, saved_judgement, selection, show};
use crate::diagnostic::{Diagnostic, Sources};
use crate::load;
use crate::name::HostName;
use crate::plan::Plan;
use crate::plan::saved::{SavedHost, SavedPlan, SavedVerdict};
use crate::report::host_names;
use crate::session::older;
use crate::session::rollout_order::RolloutOrder;
use crate::session::saved::{PlanApplier, PlanUse};
use crate::session::signature::{Signature, SignatureSource, verify};
use crate::session::trust::unknown_addresses;

/// Runs the verb on a saved plan.
///
/// # Errors
/// If no host was contacted, or standard output cannot be written.
pub fn run(arguments: &ApplyArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let file = &arguments.selection.path;
    confirm::may_ask(arguments.yes, "murder show")?;
    let flags = &arguments.plan_file;
    let bytes = load::read_plan(file).map_err(|problem| CliError::arguments(vec![problem]))?;
    let saved = SavedPlan::from_bytes(&bytes).map_err(|damage| show::unusable(file, &damage))?;
    let signer = signer(flags, file, &bytes)?;
    expected(&saved, flags)?;
    let order = RolloutOrder::of_saved(&saved);
    let wave = arguments.part.chosen(&order, arguments.canary)?;
    let is_judged = arguments.mail.given().is_some();
    let hosts = selected(&saved, &arguments.selection, is_judged)?;
    let hosts = arguments.part.hosts(wave.as_ref(), hosts);
    freeze(arguments, terminal)?;
    let consent = arguments.consent.options();
    selection::say_unmatched(saved.body.hosts.keys(), &consent, terminal);
    let consent = consent.with(&saved.header.consents);
    let reach = arguments.reach();
    let how = PlanUse {
        base: save::absolute(flags.base.as_deref())?,
        consent: consent.clone(),
        trusted: signer.is_some() || flags.trust_plan,
    };
    if !how.trusted && reach.sandbox.is_none() && !reach.local {
        let unknown = unknown_addresses(&saved, &hosts);
        if !unknown.is_empty() {
            return Err(CliError::arguments(unknown));
        }
    }
    say_what(&saved, signer.as_deref(), terminal);
    let ask = Box::new(ask::passphrase);
    let (applier, warnings) = PlanApplier::new(&saved, &hosts, &reach, how, ask)
        .map_err(|error| CliError::session(error, &Sources::default()))?;
    terminal.diagnostics(&warnings, &Sources::default());
    let plan = of_hosts(show::shown(&saved, file)?, &hosts);
    let (mut plan, _) = of_wave(wave.as_ref(), plan);
    let mail = saved_judgement::of(&saved, &mut plan, &order, arguments, terminal)?;
    let events = arguments.events(&plan.murder, plan.hosts.len(), terminal);
    let planned = PlannedApply {
        mail,
        plan: &plan,
        order: &order,
        consent: &consent,
        events: events.as_ref(),
        is_saved: true,
    };
    say_unknown(&plan, terminal);
    let exit = planned.apply(&applier, arguments, terminal)?;
    if exit == Exit::Done {
        say_retired(&saved, &plan, terminal);
    }
    Ok(exit)
}

/// Names the hosts that are retired now, while the ledgers of hosts that the plan does not change name them still: a saved plan
/// writes to no host but those that it changes.
fn say_retired(saved: &SavedPlan, plan: &Plan, terminal: &Terminal) {
    let is_converged = |host: &SavedHost| matches!(host.verdict, SavedVerdict::Converged);
    if !saved.body.hosts.values().any(is_converged) {
        return;
    }
    for (name, host) in &saved.body.hosts {
        let retired = host.changes().is_some_and(|changes| !changes.keeps_ledger);
        if retired && plan.hosts.contains_key(name) {
            terminal.report(&format!(
                "warning: {name} is retired, and ledgers of hosts that this plan does not change may still name it: `murder apply` of the \
                 manifest takes it out of them, or `murder forget {name} --gone` once the manifest no longer has it"
            ));
        }
    }
}

/// Respects the freezes of the operator's policies. Their rules were judged when the plan was made.
fn freeze(arguments: &ApplyArguments, terminal: &Terminal) -> Result<(), CliError> {
    let mut sources = Sources::default();
    let (policies, problems) = load::read_policies(&arguments.selection.policy, &mut sources);
    if !problems.is_empty() {
        return Err(CliError::input(problems, &sources));
    }
    refuse_frozen(&policies, arguments, terminal)
}

/// Verifies the signature, if one is required, and gives who signed.
fn signer(flags: &PlanFileArguments, file: &Path, plan: &[u8]) -> Result<Option<String>, CliError> {
    let Some(allowed) = &flags.require_signature else {
        return Ok(None);
    };
    let beside = || SignatureSource::File(PathBuf::from(format!("{}.sig", file.display())));
    let source = flags.signature.clone().unwrap_or_else(beside);
    let signature = Signature {
        allowed,
        identity: flags.identity.as_deref(),
        source: &source,
    };
    verify(&signature, plan)
        .map(Some)
        .map_err(|problem| CliError::arguments(vec![problem]))
}

/// Checks what the pipeline expects of the plan.
fn expected(saved: &SavedPlan, flags: &PlanFileArguments) -> Result<(), CliError> {
    let mut problems = Vec::new();
    if let Some(digest) = &flags.expect_digest
        && digest.strip_prefix("sha256:").unwrap_or(digest) != saved.digest
    {
        problems.push(
            Diagnostic::error(format!(
                "the plan has the digest sha256:{}, and not the expected {digest}",
                saved.digest
            ))
            .hint("apply the plan that was reviewed"),
        );
    }
    let revision = saved.header.revision_text();
    if let Some(expected) = &flags.expect_revision
        && (revision.is_empty() || *expected != revision)
    {
        let made = match revision.as_str() {
            "" => "an unknown revision".to_owned(),
            revision => format!("revision {revision}"),
        };
        problems.push(
            Diagnostic::error(format!(
                "the plan was made from {made}, and not from the expected {expected}"
            ))
            .hint("run the plan job again for that revision"),
        );
    }
    match problems.is_empty() {
        true => Ok(()),
        false => Err(CliError::arguments(problems)),
    }
}

/// The hosts of the plan that the selection matches.
fn selected(
    saved: &SavedPlan,
    selected: &Selection,
    is_judged: bool,
) -> Result<Vec<HostName>, CliError> {
    // A manifest by which mail is judged again may have overlays.
    let unfit = [
        ("--site", !selected.site.is_empty()),
        (
            "--overlay",
            !selected.added.overlay.is_empty() && !is_judged,
        ),
    ];
    if let Some((flag, _)) = unfit.iter().find(|(_, given)| *given) {
        return Err(CliError::message(format!(
            "`{flag}` is for a manifest, and `{}` is a saved plan",
            selected.path.display()
        )));
    }
    let hosts: BTreeMap<&HostName, _> = saved
        .body
        .hosts
        .iter()
        .map(|(name, host)| (name, &host.roles))
        .collect();
    selection::select_saved(&hosts, selected).map_err(CliError::arguments)
}

/// The plan of these hosts alone.
fn of_hosts(mut plan: Plan, hosts: &[HostName]) -> Plan {
    let selected: BTreeSet<&HostName> = hosts.iter().collect();
    plan.hosts.retain(|name, _| selected.contains(name));
    plan
}

/// Says of which hosts git does not know whether the plan takes a newer change back: they are as when it was made.
fn say_unknown(plan: &Plan, terminal: &Terminal) {
    let hosts = older::unknown(plan);
    if !hosts.is_empty() {
        terminal.report(&format!(
            "warning: it is unknown whether the plan's revision descends from what {} has: git had not the whole history \
             when the plan was made",
            host_names::short(hosts)
        ));
    }
}

fn say_what(saved: &SavedPlan, signer: Option<&str>, terminal: &Terminal) {
    let revision = match saved.header.revision_text().as_str() {
        "" => "an unknown revision".to_owned(),
        revision => format!("revision {revision}"),
    };
    let signed = signer.map_or(String::new(), |signer| format!(", signed by {signer}"));
    terminal.say(&format!(
        "saved plan of {revision} (sha256:{}){signed}",
        saved.digest
    ));
}
