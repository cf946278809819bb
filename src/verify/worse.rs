//! What becomes worse for mail between two outcomes: after a change, on the way to it, or while something does not run.

use super::judge::PlaceOutcome;
use crate::mail::EndAction;
use crate::plan::mail_change::WorseMail;

impl WorseMail {
    /// What becomes worse between two outcomes at the same place. Mail that looped or bounced is not worse off where it is refused,
    /// and mail that looped is not where it bounces: its sender is told sooner.
    #[must_use]
    pub fn between(then: &PlaceOutcome, now: &PlaceOutcome) -> Option<Self> {
        let was_lost = [EndAction::Bounced, EndAction::Loop].contains(&then.verdict);
        if now.is_refused_for_good && !then.is_refused_for_good && !was_lost {
            return Some(Self::Refused);
        }
        if now.verdict == then.verdict {
            return None;
        }
        match now.verdict {
            EndAction::Loop => Some(Self::Looped),
            EndAction::Bounced if then.verdict != EndAction::Loop => Some(Self::Bounced),
            EndAction::Discarded
                if [EndAction::Delivered, EndAction::Deferred].contains(&then.verdict) =>
            {
                Some(Self::Discarded)
            }
            EndAction::NotModelled => Some(Self::NotModelled),
            EndAction::Deferred | EndAction::Refused if then.verdict == EndAction::Delivered => {
                Some(Self::Deferred)
            }
            _ => None,
        }
    }
}
