//! What becomes worse for mail between two outcomes: after a change, on the way to it, or while something does not run.

use super::judge::PlaceOutcome;
use crate::mail::EndAction;

/// What becomes worse, from bad to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorseMail {
    /// Mail waits.
    Deferred,
    /// The model cannot tell, and could.
    NotModelled,
    /// The first host refuses it for good.
    Refused,
    /// It bounces.
    Bounced,
    /// It loops.
    Looped,
}

impl WorseMail {
    /// All, from worst to bad.
    pub const ALL: [Self; 5] = [
        Self::Looped,
        Self::Bounced,
        Self::Refused,
        Self::NotModelled,
        Self::Deferred,
    ];

    /// Whether mail is lost for its sender.
    #[must_use]
    pub fn is_loss(self) -> bool {
        self >= Self::Refused
    }

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
