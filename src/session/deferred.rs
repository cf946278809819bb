//! How many more mails may wait on a host after its apply: `rollout.<role>.max_deferred`.

use std::collections::BTreeMap;

use super::rollout_order::RolloutOrder;
use crate::name::HostName;
use crate::plan::{HostVerdict, Plan, Verdict};
use crate::state::Queue;

/// The limit of each host that has one.
#[derive(Debug)]
pub(super) struct DeferredLimits(BTreeMap<HostName, u32>);

impl DeferredLimits {
    /// The limits that the roles of the hosts have; the lowest one where several roles of a host have one.
    pub(super) fn of(order: &RolloutOrder) -> Self {
        let limit = |roles: &[_]| {
            let rollouts = roles.iter().filter_map(|role| order.rollout.get(role));
            rollouts.filter_map(|rollout| rollout.max_deferred).min()
        };
        let hosts = order.hosts.iter();
        Self(
            hosts
                .filter_map(|(name, (roles, _))| Some((name.clone(), limit(roles)?)))
                .collect(),
        )
    }

    /// Those of the hosts that have a limit.
    pub(super) fn watched(&self, hosts: impl Iterator<Item = HostName>) -> Vec<HostName> {
        hosts.filter(|host| self.0.contains_key(host)).collect()
    }

    /// A clause for each host on which more mails are deferred than its limit allows, compared with `before`, or on which they
    /// cannot be compared.
    pub(super) fn exceeded(&self, hosts: &[HostName], before: &Plan, now: &Plan) -> Vec<String> {
        let of_host = |host: &HostName| {
            let (limit, now) = (*self.0.get(host)?, now.hosts.get(host)?);
            judge(before.hosts.get(host)?, now, limit).map(|words| format!("{host}: {words}"))
        };
        hosts.iter().filter_map(of_host).collect()
    }
}

fn judge(before: &HostVerdict, now: &HostVerdict, limit: u32) -> Option<String> {
    if let Verdict::Unreachable { error } | Verdict::Failed { error } = &now.verdict
        && now.queue.is_none()
    {
        return Some(format!(
            "its deferred mails cannot be counted: {}",
            error.summary
        ));
    }
    let (Some(before), Some(now)) = (before.queue, now.queue) else {
        return Some("its deferred mails cannot be counted".to_owned());
    };
    if before.deferred > Queue::COUNTED {
        return Some(format!(
            "more than {} mails were deferred when the plan was made, so that it is not known how many more there are now",
            Queue::COUNTED
        ));
    }
    let more = now.deferred.saturating_sub(before.deferred);
    let at_least = match now.deferred > Queue::COUNTED {
        true => "at least ",
        false => "",
    };
    (more > limit).then(|| {
        format!(
            "{at_least}{} mails are deferred, {more} more than when the plan was made (`max_deferred: {limit}`)",
            now.deferred
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Failure;

    fn verdict(deferred: Option<u32>) -> HostVerdict {
        HostVerdict {
            queue: deferred.map(|deferred| Queue {
                deferred,
                active: 3,
            }),
            ..HostVerdict::of(Verdict::Converged)
        }
    }

    #[test]
    fn a_rise_by_more_than_the_limit_counts_and_so_does_what_is_not_known() {
        let judged = |before, now, limit| judge(&verdict(before), &verdict(now), limit);
        assert_eq!(judged(Some(5), Some(15), 10), None);
        assert_eq!(judged(Some(15), Some(0), 0), None);
        assert_eq!(
            judged(Some(5), Some(16), 10).as_deref(),
            Some("16 mails are deferred, 11 more than when the plan was made (`max_deferred: 10`)")
        );
        let most = Queue::COUNTED;
        assert_eq!(
            judged(Some(most), Some(most + 1), 0).as_deref(),
            Some(
                "at least 10001 mails are deferred, 1 more than when the plan was made (`max_deferred: 0`)"
            )
        );
        for unknown in [
            judged(Some(most + 1), Some(most + 1), 10_000),
            judged(None, Some(0), 0),
            judged(Some(0), None, 0),
        ] {
            assert!(unknown.is_some());
        }
        let gone = HostVerdict::of(Verdict::Unreachable {
            error: Failure {
                summary: "connection timed out".to_owned(),
                detail: None,
                hint: None,
            },
        });
        let words = judge(&verdict(Some(0)), &gone, 0);
        assert!(words.is_some_and(|words| words.ends_with("connection timed out")));
    }
}
