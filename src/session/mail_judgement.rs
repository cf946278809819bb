//! Judges a plan by a directory: what it means for mail, and what `apply` refuses because of that.

use super::early_removal::refuse_early_removals;
use super::mail_change::Turns;
use super::mail_states::MailStates;
use super::options::Consent;
use super::remaining::remaining;
use super::rollout::ApplyTurns;
use super::rollout_order::RolloutOrder;
use crate::directory::Directory;
use crate::load::LoadedMurder;
use crate::name::HostName;
use crate::plan::mail_change::MailChange;
use crate::plan::{Plan, Refusal, RefusalKind, Verdict};
use crate::report::mail_change;
use crate::verify::Attributes;

/// What a plan is judged by.
#[derive(Debug, Clone, Copy)]
pub struct MailEvidence<'a> {
    /// The manifest.
    pub loaded: &'a LoadedMurder,
    /// The hosts before and after.
    pub states: &'a MailStates,
    /// The directory.
    pub directory: &'a Directory,
    /// What tables can tell apart.
    pub attributes: &'a Attributes,
    /// The order of the hosts.
    pub order: &'a RolloutOrder,
    /// How many hosts of each wave go first.
    pub canary: Option<usize>,
    /// Whether later waves begin although a host failed.
    pub goes_on: bool,
    /// The plans of the hosts that are left out.
    pub rest: &'a Plan,
}

/// Says what a plan means for mail, and adds to it what `apply` refuses because of that.
#[must_use]
pub fn judge(plan: &mut Plan, by: MailEvidence<'_>) -> MailChange {
    let waves = waves(plan, by);
    let mut change = by.states.change(
        by.directory,
        by.attributes,
        Turns {
            waves: &waves,
            goes_on: by.goes_on,
        },
    );
    let rest = by.rest.hosts.iter();
    let pending = rest.filter(|(_, host)| matches!(host.verdict, Verdict::Changes(_)));
    change.left_out = pending.map(|(name, _)| name.to_string()).collect();
    if let Some(summary) = mail_change::refusal(&change) {
        refuse_everywhere(plan, &summary);
    }
    let hosts = by.loaded.murder.hosts.values();
    for (host, summary) in remaining(hosts, by.directory, by.attributes) {
        refuse(plan, &host, summary);
    }
    refuse_early_removals(plan, by.rest, by.order);
    change
}

/// Refuses each host with changes, because of what mail may lose.
pub fn refuse_everywhere(plan: &mut Plan, summary: &str) {
    let hosts: Vec<HostName> = plan.hosts.keys().cloned().collect();
    for host in hosts {
        refuse(plan, &host, summary.to_owned());
    }
}

fn refuse(plan: &mut Plan, host: &HostName, summary: String) {
    let verdict = plan.hosts.get_mut(host).map(|host| &mut host.verdict);
    if let Some(Verdict::Changes(changes)) = verdict {
        changes.refusals.push(Refusal {
            kind: RefusalKind::Bounce,
            summary,
        });
    }
}

/// The hosts with changes, wave by wave.
fn waves(plan: &Plan, by: MailEvidence<'_>) -> Vec<Vec<HostName>> {
    let consent = Consent::default();
    let turns = ApplyTurns::new(by.order, plan, &consent, by.canary);
    turns.waves().map(<[HostName]>::to_vec).collect()
}

/// Takes out of a plan what an earlier judgement refuses.
pub fn forget_judgement(plan: &mut Plan) {
    for host in plan.hosts.values_mut() {
        if let Verdict::Changes(changes) = &mut host.verdict {
            let is_judged = |kind| matches!(kind, RefusalKind::Bounce | RefusalKind::EarlyRemoval);
            changes.refusals.retain(|one| !is_judged(one.kind));
        }
    }
}
