//! What follows from the changes: check, reload or restart, probe.

use std::collections::BTreeSet;

use crate::name::Parameter;
use crate::postfix::catalogue;
use crate::state::{Remark, Running};
use crate::thing::Thing;

use super::super::reload_hash::activation_by;
use super::super::{Refusal, RefusalKind, ReloadReason, Step};
use super::Draft;
use crate::state::live_value;

impl Draft<'_> {
    /// The parameters that take effect only when Postfix is started: those that change now, and
    /// those that an unfinished apply changed.
    fn restart(&self) -> Vec<Parameter> {
        let changes_now = self.settings.iter().filter_map(|step| match step {
            Step::Value { thing, .. } => Some(thing),
            _ => None,
        });
        let changed_then = self.managed.keys().filter(|thing| {
            let value = live_value(self.at.live, thing);
            self.ours.is_unrecorded(thing, value.as_deref())
        });
        let names: BTreeSet<&Parameter> = changes_now
            .chain(changed_then)
            .filter_map(|thing| match thing {
                Thing::Parameter(name) if catalogue::needs_restart(name.as_str()) => Some(name),
                _ => None,
            })
            .collect();
        names.into_iter().cloned().collect()
    }

    /// What is said of a Postfix that does not run. One that is out of service need not.
    fn say_stopped(&mut self, touched: bool) {
        let (text, hint) = if self.dead_journal().is_some() || self.ours.is_unfinished() {
            (
                "Postfix does not run here; an apply that did not end may have stopped it, and the next one does not start it",
                "look at its log, and start it: `postfix start`",
            )
        } else if touched {
            (
                "Postfix does not run here; its configuration is changed all the same, and it stays stopped",
                "start it when the host is ready: `postfix start`",
            )
        } else if self.at.desired.retired {
            return;
        } else {
            (
                "Postfix does not run here",
                "start it where the host shall serve: `postfix start`",
            )
        };
        self.remarks.push(Remark {
            text: text.to_owned(),
            hint: Some(hint.to_owned()),
        });
    }

    pub(super) fn effects(&mut self, touched: bool) -> Vec<Step> {
        // A folder has nobody to tell.
        if self.at.live.running == Running::NotHere {
            return Vec::new();
        }
        if self.at.live.running == Running::No {
            self.say_stopped(touched);
        }
        let restart = self.restart();
        let loaded_otherwise = self.ours.ledger().is_some_and(|ledger| {
            let activated = ledger.activated.as_ref();
            activated.is_some_and(|hash| *hash != activation_by(ledger, self.at.live))
        });
        // How far an apply came that did not end, nobody knows; telling once more does no harm.
        let pending = loaded_otherwise || self.ours.is_unfinished();
        if !touched && !pending {
            return Vec::new();
        }
        let mut steps = vec![Step::Check {
            service: self.service.clone(),
        }];
        if self.at.live.running == Running::No {
            steps.retain(|_| touched);
            return steps;
        }
        if restart.is_empty() {
            steps.push(Step::Reload {
                service: self.service.clone(),
                reason: if touched {
                    ReloadReason::ConfigurationChanges
                } else {
                    ReloadReason::NotToldYet
                },
            });
        } else {
            let names: Vec<String> = restart.iter().map(|name| format!("`{name}`")).collect();
            self.refusals.push(Refusal {
                summary: format!(
                    "{} takes effect only when Postfix is stopped and started",
                    names.join(", ")
                ),
                kind: RefusalKind::Restart,
            });
            steps.push(Step::Restart {
                service: self.service.clone(),
                parameters: restart,
            });
        }
        steps.push(Step::Probe {
            service: self.service.clone(),
            probes: self.at.desired.probes.clone(),
        });
        steps
    }
}
