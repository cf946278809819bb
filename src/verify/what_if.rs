//! What becomes of mail while something does not run: a host, an LDAP server, or all of a site.

use super::judge::{ClassResult, PlaceOutcome};
use super::places::EntryPlace;
use crate::mail::EndAction;
use crate::plan::mail_change::WorseMail;

/// Something that does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFailure {
    /// Its name.
    pub name: String,
    /// The hosts that do not run.
    pub hosts: Vec<usize>,
    /// The LDAP servers that do not run.
    pub servers: Vec<String>,
}

/// What a failure does to mail, in addresses. An address is counted once, for the worst that happens to it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FailureEffect {
    /// Mail waits that was delivered.
    pub deferred: usize,
    /// Mail bounces, is refused for good, or is thrown away, that was not.
    pub bounced: usize,
    /// Mail loops that did not.
    pub looped: usize,
    /// The model cannot tell, and could.
    pub not_modelled: usize,
    /// Some addresses whose mail bounces or loops.
    pub examples: Vec<String>,
}

/// How many examples are kept.
const EXAMPLES: usize = 5;

impl FailureEffect {
    /// Whether mail is only late: the promise of each failure.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.bounced == 0 && self.looped == 0
    }

    /// Adds the effect on further classes.
    pub fn join(&mut self, other: Self) {
        self.deferred += other.deferred;
        self.bounced += other.bounced;
        self.looped += other.looped;
        self.not_modelled += other.not_modelled;
        self.examples.extend(other.examples);
        self.examples.truncate(EXAMPLES);
    }

    /// Adds a class of addresses: as it is without the failure, and with it. `shut` has the doors to the Internet if none of them
    /// takes mail any more: then what they delivered waits at its senders, who try again.
    pub fn add(
        &mut self,
        before: &ClassResult,
        after: &[(EntryPlace, PlaceOutcome)],
        shut: &[EntryPlace],
        (count, example): (usize, &str),
    ) {
        let worse = after.iter().filter_map(|(place, now)| {
            let known = before.outcomes.iter().find(|(known, _)| known == place);
            known.and_then(|(_, then)| worse(then, now))
        });
        let mut came_in = before
            .outcomes
            .iter()
            .filter(|(place, then)| shut.contains(place) && then.verdict == EndAction::Delivered);
        let waits = came_in.next().map(|_| WorseMail::Deferred);
        let Some(worst) = worse.chain(waits).max() else {
            return;
        };
        match worst {
            WorseMail::Deferred => self.deferred += count,
            WorseMail::NotModelled => self.not_modelled += count,
            WorseMail::ShutOut | WorseMail::Refused | WorseMail::Discarded | WorseMail::Bounced => {
                self.bounced += count
            }
            WorseMail::Looped => self.looped += count,
        }
        if worst.is_loss() && self.examples.len() < EXAMPLES {
            self.examples.push(example.to_owned());
        }
    }
}

/// What becomes worse. For its sender, mail that the first host refuses for good has bounced.
fn worse(then: &PlaceOutcome, now: &PlaceOutcome) -> Option<WorseMail> {
    WorseMail::between(then, now).map(|worse| match worse {
        WorseMail::Refused => WorseMail::Bounced,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_for_the_worse_is_told() {
        let outcome = |verdict, is_refused_for_good| PlaceOutcome {
            verdict,
            is_refused_for_good,
        };
        use EndAction::{Bounced, Deferred, Delivered, Loop, Refused};
        for (then, now, expected) in [
            (outcome(Delivered, false), outcome(Delivered, false), None),
            (
                outcome(Delivered, false),
                outcome(Deferred, false),
                Some(WorseMail::Deferred),
            ),
            (
                outcome(Delivered, false),
                outcome(Refused, false),
                Some(WorseMail::Deferred),
            ),
            (
                outcome(Delivered, false),
                outcome(Refused, true),
                Some(WorseMail::Bounced),
            ),
            (outcome(Refused, true), outcome(Refused, true), None),
            (
                outcome(Deferred, false),
                outcome(Bounced, false),
                Some(WorseMail::Bounced),
            ),
            (
                outcome(Delivered, false),
                outcome(Loop, false),
                Some(WorseMail::Looped),
            ),
            (outcome(Bounced, false), outcome(Deferred, false), None),
        ] {
            assert_eq!(worse(&then, &now), expected, "{then:?} {now:?}");
        }
    }
}
