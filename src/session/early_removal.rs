//! Removals that a part of an apply would do before additions on hosts that it leaves out.

use super::rollout_order::RolloutOrder;
use crate::fleet::{Phase, phase_of};
use crate::name::HostName;
use crate::plan::{HostVerdict, Plan, Refusal, RefusalKind, Verdict};

/// How many hosts a sentence names.
const NAMED: usize = 4;

/// Refuses to change the hosts of `plan` that only lose things, or are retired, while a host of `rest` has additions. In an apply
/// of all hosts these come first ([`crate::fleet::waves`]).
pub fn refuse_early_removals(plan: &mut Plan, rest: &Plan, order: &RolloutOrder) {
    let adds = |(_, host): &(&HostName, &HostVerdict)| phase_of(&host.verdict) == Some(Phase::Adds);
    let later: Vec<_> = rest.hosts.iter().filter(adds).collect();
    let is_known = |host: &HostVerdict| matches!(host.verdict, Verdict::Changes(_));
    let (outstanding, unknown): (Vec<_>, Vec<_>) =
        later.into_iter().partition(|(_, host)| is_known(host));
    let names = |hosts: &[(&HostName, &HostVerdict)]| -> Vec<String> {
        hosts.iter().map(|(name, _)| name.to_string()).collect()
    };
    let Some(why) = why(&names(&outstanding), &names(&unknown)) else {
        return;
    };
    for (name, host) in &mut plan.hosts {
        let is_retired = order.hosts.get(name).is_some_and(|(_, retired)| *retired);
        let removes = phase_of(&host.verdict) == Some(Phase::Removes) || is_retired;
        if let Verdict::Changes(changes) = &mut host.verdict
            && removes
        {
            changes.refusals.push(Refusal {
                kind: RefusalKind::EarlyRemoval,
                summary: why.clone(),
            });
        }
    }
}

/// Why, and what to do: which hosts have additions, and which could not be read.
fn why(outstanding: &[String], unknown: &[String]) -> Option<String> {
    let listed = |hosts: &[String]| {
        let named: Vec<String> = hosts
            .iter()
            .take(NAMED)
            .map(|one| format!("`{one}`"))
            .collect();
        match hosts.len().checked_sub(NAMED) {
            Some(1) => format!("{} and 1 more host", named.join(", ")),
            Some(more @ 2..) => format!("{} and {more} more hosts", named.join(", ")),
            _ => named.join(", "),
        }
    };
    let flags = |hosts: &[String]| -> String {
        let flags: Vec<String> = hosts.iter().map(|one| format!(" --host {one}")).collect();
        flags.concat()
    };
    match (outstanding.len(), unknown.len()) {
        (0, 0) => None,
        (0, _) => Some(format!(
            "this host only loses things, and it is not known whether additions on {} are outstanding: not observed",
            listed(unknown)
        )),
        (more, _) => {
            let how = match more <= NAMED {
                true => format!("run `murder apply{}`", flags(outstanding)),
                false => "apply them".to_owned(),
            };
            Some(format!(
                "this host only loses things, and additions on {} are outstanding: {how} first, or apply all hosts together",
                listed(outstanding)
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_and_the_command_are_named() {
        let names = |count: usize| -> Vec<String> {
            (1..=count).map(|number| format!("b{number}.x")).collect()
        };
        assert_eq!(why(&[], &[]), None);
        let two = why(&names(2), &names(1)).unwrap_or_default();
        let words = "additions on `b1.x`, `b2.x` are outstanding: run `murder apply --host b1.x --host b2.x` first";
        assert!(two.contains(words), "{two}");
        let many = why(&names(9), &[]).unwrap_or_default();
        assert!(
            many.contains("`b4.x` and 5 more hosts are outstanding: apply them first"),
            "{many}"
        );
        let unknown = why(&[], &names(1)).unwrap_or_default();
        assert!(
            unknown.contains("whether additions on `b1.x` are outstanding"),
            "{unknown}"
        );
    }
}
