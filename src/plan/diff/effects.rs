//! The steps that follow from changes: check, reload or restart, probe.

use std::collections::BTreeSet;

use crate::name::Parameter;
use crate::postfix::catalogue;
use crate::state::{Remark, Running};
use crate::thing::Thing;

use super::super::reload_hash::is_loaded;
use super::super::{Refusal, RefusalKind, ReloadReason, Step};
use super::draft::Draft;

impl Draft<'_> {
    /// The changed parameters that take effect only when Postfix starts, with those that an unfinished apply
    /// changed.
    fn restart(&self) -> Vec<Parameter> {
        let changes_now = self.settings.iter().filter_map(|step| match step {
            Step::Value { thing, .. } => Some(thing),
            _ => None,
        });
        let changed_then = self.managed.keys().filter(|thing| {
            let value = self.live.value(thing);
            self.ownership.is_unrecorded(thing, value.as_deref())
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

    /// Remarks that Postfix does not run, unless the host is being retired and nothing changes.
    fn remark_stopped(&mut self, touched: bool) {
        let postfix = match self.service.named_instance() {
            None => "Postfix".to_owned(),
            Some(name) => format!("the instance `{}` of Postfix", name.as_str()),
        };
        let (text, hint) = if self.input.live.dead_journal().is_some()
            || self.ownership.is_unfinished()
        {
            (
                "does not run here; an apply that did not end may have stopped it, and the next apply does not start it",
                "read its log, then start it",
            )
        } else if touched {
            (
                "does not run here; this plan changes its configuration and does not start it",
                "start it when the host is ready",
            )
        } else if self.input.desired.retired {
            return;
        } else {
            ("does not run here", "if the host must serve mail, start it")
        };
        self.remarks.push(Remark {
            text: format!("{postfix} {text}"),
            hint: Some(format!("{hint}: `{}`", self.service.start_command())),
        });
    }

    /// The steps that follow; `touched` says whether the plan changes anything that the service reads.
    pub(super) fn effects(&mut self, touched: bool) -> Vec<Step> {
        // A sandbox has no Postfix to reload.
        if self.live.running == Running::NotHere {
            return Vec::new();
        }
        if self.live.running == Running::No {
            self.remark_stopped(touched);
        }
        let restart = self.restart();
        let loaded_otherwise = self.ownership.ledger().is_some_and(|ledger| {
            ledger.activated.is_some() && !is_loaded(&self.service, ledger, self.input.live)
        });
        // Whether an apply that did not end reloaded Postfix is unknown. Another reload does no harm.
        let pending = loaded_otherwise || self.ownership.is_unfinished();
        if !touched && !pending {
            return Vec::new();
        }
        let mut steps = vec![Step::Check {
            service: self.service.clone(),
        }];
        if self.live.running == Running::No {
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
            probes: self.desired.probes.clone(),
        });
        steps
    }
}
