//! What becomes worse for mail between two outcomes: after a change, on the way to it, or while something does not run.

use super::judge::PlaceOutcome;
use crate::mail::EndAction;
use crate::plan::mail_change::WorseMail;

impl WorseMail {
    /// What becomes worse between two outcomes at the same place.
    #[must_use]
    pub fn between(then: &PlaceOutcome, now: &PlaceOutcome) -> Option<Self> {
        if now.is_refused_for_good && !then.is_refused_for_good {
            return Some(Self::Refused);
        }
        if now.verdict == then.verdict {
            return None;
        }
        match now.verdict {
            EndAction::Loop => Some(Self::Looped),
            EndAction::Bounced => Some(Self::Bounced),
            EndAction::NotModelled => Some(Self::NotModelled),
            EndAction::Deferred | EndAction::Refused if then.verdict == EndAction::Delivered => {
                Some(Self::Deferred)
            }
            _ => None,
        }
    }
}
