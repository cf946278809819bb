//! The lines about hosts that their neighbours remember and the manifest does not name any more.

use super::line::{Line, Tone};
use crate::plan::Plan;

/// Two lines for each orphaned host: the fact, and what to do.
#[must_use]
pub fn of_orphans(plan: &Plan) -> Vec<Line> {
    let lines = |(orphan, neighbours): (_, Vec<_>)| {
        let remember = match neighbours.as_slice() {
            [one] => format!("the ledger of {one} names"),
            more => format!("the ledgers of {} hosts name", more.len()),
        };
        let text =
            format!("{orphan} is orphaned: {remember} it, and the manifest does not any more");
        let help = format!(
            "      help: if it still exists, put it back into the manifest (with `state: retired`, if it is to go); if not: `murder forget {orphan} --gone`"
        );
        [Line::new(Tone::Warning, text), Line::new(Tone::Plain, help)]
    };
    plan.orphans().into_iter().flat_map(lines).collect()
}
