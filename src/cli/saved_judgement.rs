//! What a saved plan means for mail when it is applied: judged again where a directory is given, else as it was judged.

use std::path::Path;
use std::time::SystemTime;

use super::apply::ApplyArguments;
use super::error::CliError;
use super::mail_change::{JudgedPlan, MailReport, NO_DIRECTORY, age};
use super::open;
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::load::{self, LoadedMurder};
use crate::name::HostName;
use crate::plan::Plan;
use crate::plan::saved::SavedPlan;
use crate::report::host_names;
use crate::session::mail_judgement::forget_judgement;
use crate::session::rollout_order::RolloutOrder;
use crate::session::watched_hosts::WatchedHosts;

/// What the part of a saved plan that is applied means for mail. With `--ldif`, `--directory` or `--ldap-uri` it is judged again,
/// by the manifest and all hosts as they are now; otherwise it says how old the judgement in the file is.
///
/// # Errors
/// If the manifest or the directory cannot be read, or the manifest is not the one that the plan was made from.
pub fn of(
    saved: &SavedPlan,
    plan: &mut Plan,
    order: &RolloutOrder,
    arguments: &ApplyArguments,
    terminal: &Terminal,
) -> Result<Option<MailReport>, CliError> {
    let mail = &arguments.mail;
    if mail.given().is_none() {
        // The file has addresses or has none.
        if mail.show_addresses {
            return Err(CliError::message(NO_DIRECTORY));
        }
        let Some(judgement) = &saved.header.mail else {
            return Ok(None);
        };
        terminal.say(&age(
            judgement,
            &arguments.selection.path,
            SystemTime::now(),
        ));
        say_left_out(saved, plan, terminal);
        return Ok(Some(MailReport::of_saved(judgement)));
    }
    let selection = &arguments.selection;
    let path = match arguments.plan_file.manifest.clone() {
        Some(path) => path,
        None if load::has_manifest(Path::new(".")) => ".".into(),
        None => return Err(no_manifest()),
    };
    let loaded = open::manifest(
        &path,
        &selection.added.overlay,
        selection.links(),
        &selection.policy,
        terminal,
    )?;
    same_revision(saved, &loaded)?;
    let reach = mail.watching(arguments.reach(), &loaded.murder, terminal)?;
    // The plan says what changes; how the hosts are now is seen here.
    let (hosts, _) = open::contactable(&loaded);
    let planner = open::planner(&loaded, &hosts, &reach.without_file_secrets(), terminal)?;
    let mut now = open::plan(&loaded.murder, &hosts, &*planner, reach.parallel, terminal);
    drop(planner);
    if let Some(seen) = &reach.seen {
        same_wishes(saved, plan, seen)?;
    }
    now.hosts.retain(|host, _| !plan.hosts.contains_key(host));
    forget_judgement(plan);
    let judged = JudgedPlan {
        loaded: &loaded,
        plan,
        rest: now,
        order,
        canary: arguments.canary,
        goes_on: arguments.max_fail > 0,
    };
    mail.judge(judged, &reach, terminal)
}

/// Names the hosts with changes that this apply leaves out, while the judgement in the file is of all.
fn say_left_out(saved: &SavedPlan, plan: &Plan, terminal: &Terminal) {
    let hosts = saved.body.hosts.iter();
    let left_out =
        hosts.filter(|(name, host)| host.changes().is_some() && !plan.hosts.contains_key(*name));
    let left_out: Vec<&HostName> = left_out.map(|(name, _)| name).collect();
    if !left_out.is_empty() {
        terminal.report(&format!(
            "warning: mail was judged with the changes of all hosts, and {} left out here: what this part means is not known without a directory",
            match left_out.len() {
                1 => format!("{} is", host_names::short(left_out)),
                _ => format!("{} are", host_names::short(left_out)),
            }
        ));
    }
}

/// Checks that the manifest has the git commit that the plan was made from, where both are known.
fn same_revision(saved: &SavedPlan, loaded: &LoadedMurder) -> Result<(), CliError> {
    let (made, now) = (saved.header.revision_text(), loaded.revision());
    match made.is_empty() || now.is_empty() || made == now {
        true => Ok(()),
        false => Err(another_manifest(format!(
            "the manifest is of revision {now}, and the plan was made from {made}"
        ))),
    }
}

/// Checks that the manifest wants of each host what the plan was made for.
fn same_wishes(saved: &SavedPlan, plan: &Plan, seen: &WatchedHosts) -> Result<(), CliError> {
    let seen = seen.all();
    let differs = |name: &&HostName| {
        let changes = saved.body.hosts.get(*name).and_then(|host| host.changes());
        let (Some(changes), Some(seen)) = (changes, seen.get(*name)) else {
            return false;
        };
        let wanted = changes.desired.desired(&saved.texts);
        wanted.is_ok_and(|wanted| !seen.must_have(&wanted))
    };
    match plan.hosts.keys().find(differs) {
        None => Ok(()),
        Some(host) => Err(another_manifest(format!(
            "the manifest wants other things of `{host}` than the plan"
        ))),
    }
}

/// The plan has what its hosts with changes must have, and neither the networks and roles of all hosts nor the login of the directory.
fn no_manifest() -> CliError {
    let problem = Diagnostic::error(
        "to judge a saved plan again needs the manifest that it was made from, and this folder has none",
    );
    CliError::arguments(vec![problem.hint("give it by `--manifest PATH`")])
}

fn another_manifest(problem: String) -> CliError {
    CliError::arguments(vec![Diagnostic::error(problem).hint(
        "give the manifest that the plan was made from (`--manifest PATH`), or make a new plan",
    )])
}
