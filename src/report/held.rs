//! The lines of the things that a host holds.

use super::line::{Line, Tone};
use crate::plan::HeldThing;
use crate::secret::mask;
use crate::state::Maintenance;

/// The line of a host that is in maintenance.
#[must_use]
pub fn of_maintenance(one: &Maintenance) -> Line {
    let reason = mask::mask_secrets(&one.reason);
    let text = format!(
        "  = in maintenance until {} ({reason}): not contacted",
        one.until
    );
    Line::new(Tone::Warning, text)
}

/// A line for each thing that the host holds.
#[must_use]
pub fn of_held(held: &[HeldThing]) -> Vec<Line> {
    let line = |one: &HeldThing| {
        let (thing, hold) = (one.service.shown(&one.thing), &one.hold);
        let differs = if one.differs {
            ""
        } else {
            "; it is as the manifest says"
        };
        let reason = mask::mask_secrets(&hold.reason);
        let text = format!(
            "  = hold {thing} until {} ({reason}; by {}{differs})",
            hold.until, hold.by
        );
        Line::new(Tone::Warning, text)
    };
    held.iter().map(line).collect()
}
