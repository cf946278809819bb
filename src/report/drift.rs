//! What `drift` says: the hosts that need a person, why each thing differs, and the figures.
//!
//! The JSON form is that of a plan, whose `summary` and `hosts` have the conditions. The text leaves out hosts that only
//! wait for the next apply, unless they are asked for.

use std::fmt::{self, Write};

use super::line::{Line, Tone, count};
use super::{Detail, text};
use crate::plan::{Condition, Plan};

/// Whether the report shows a host of this condition.
#[must_use]
pub fn is_shown(condition: Condition, pending: bool) -> bool {
    match condition {
        Condition::Converged => false,
        Condition::Pending => pending,
        Condition::Drifted | Condition::Stopped | Condition::Unreachable | Condition::Failed => {
            true
        }
    }
}

/// The plan of the hosts that the report shows.
#[must_use]
pub fn shown(plan: &Plan, pending: bool) -> Plan {
    let mut plan = plan.clone();
    plan.hosts
        .retain(|_, host| is_shown(host.condition(), pending));
    plan
}

/// Writes the hosts that the report shows, and the figures of all.
///
/// # Errors
/// Those of `out`.
pub fn write(
    plan: &Plan,
    pending: bool,
    detail: Detail,
    color: bool,
    out: &mut impl Write,
) -> fmt::Result {
    for group in super::group::of_plan(&shown(plan, pending), detail) {
        text::write_group(&group, color, out)?;
    }
    Line::new(Tone::Title, sentence(plan)).write(out, color)
}

/// `5 hosts: 1 drifted, 2 pending, 2 converged`.
#[must_use]
pub fn sentence(plan: &Plan) -> String {
    let figures: Vec<String> = Condition::ALL
        .iter()
        .rev()
        .map(|condition| (plan.count(*condition), condition))
        .filter(|(number, _)| *number > 0)
        .map(|(number, condition)| format!("{number} {}", condition.word()))
        .collect();
    format!(
        "{}: {}",
        count(plan.hosts.len(), "host"),
        figures.join(", ")
    )
}
