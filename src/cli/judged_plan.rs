//! Plans the selected hosts, and judges the plan by a directory if one is given.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::error::CliError;
use super::mail_change::{JudgedPlan, MailArguments, MailReport};
use super::reach::ReachArguments;
use super::terminal::Terminal;
use super::{Selection, open, selection, untrusted};
use crate::load::LoadedMurder;
use crate::plan::Plan;
use crate::session::freeze;
use crate::session::options::{Consent, Reach};
use crate::session::rollout_order::RolloutOrder;

/// Plans the selected hosts for a verb that only reads them, and prints the manifest's warnings. Also gives what the plan
/// means for mail, if a directory is given.
///
/// # Errors
/// If the manifest is wrong, a pattern of the consent matches no host, `--untrusted` forbids to contact its hosts, or a secret cannot be read. No host was contacted.
pub fn difference(
    selected: &Selection,
    reach: &ReachArguments,
    mail: &MailArguments,
    consent: &Consent,
    terminal: &Terminal,
) -> Result<(Plan, Option<MailReport>), CliError> {
    let (loaded, hosts) = open::hosts(selected, terminal)?;
    selection::allowed(loaded.murder.hosts.keys(), consent)?;
    let reach = mail.watching(reach.of_selection(selected), &loaded.murder, terminal)?;
    untrusted::refuse_hosts(&loaded, &reach)?;
    if let Some((policy, freeze)) = freeze::running(&loaded.murder.policies, SystemTime::now()) {
        terminal.say(&freeze::words(policy, freeze));
    }
    let planner = open::planner(&loaded, &hosts, &reach, terminal)?;
    let murder = &loaded.murder;
    let mut plan = open::plan(murder, &hosts, &*planner, reach.parallel, terminal);
    let mail = judged(&loaded, &mut plan, mail, &reach, terminal)?;
    Ok((plan, mail))
}

/// Judges the plan of the selected hosts by the directory, if one is given.
///
/// # Errors
/// As [`MailArguments::judge`].
pub fn judged(
    loaded: &LoadedMurder,
    plan: &mut Plan,
    mail: &MailArguments,
    reach: &Reach,
    terminal: &Terminal,
) -> Result<Option<MailReport>, CliError> {
    let judged = JudgedPlan {
        loaded,
        rest: Plan::new(plan.murder.clone(), BTreeMap::new()),
        plan,
        order: &RolloutOrder::of_manifest(loaded),
        canary: None,
        goes_on: false,
    };
    mail.judge(judged, reach, terminal)
}
