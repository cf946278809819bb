//! Options by which the smtpd(8) that the role depends on accepts recipients without asking the tables that the manifest sets.

use std::collections::BTreeSet;

use crate::name::{Parameter, ServiceName};
use crate::plan::diff::draft::Draft;
use crate::postfix::configuration::{RunningService, SwitchedOff, ValueSource, View};
use crate::state::{Remark, Want};
use crate::thing::Thing;

use super::{Fault, Faults, Side};

/// The tables by which smtpd(8) knows recipients.
const RECIPIENTS: [&str; 3] = [
    "local_recipient_maps",
    "relay_recipient_maps",
    "virtual_mailbox_maps",
];

/// The tables by which cleanup(8) rewrites recipients.
const REWRITING: [&str; 3] = [
    "canonical_maps",
    "recipient_canonical_maps",
    "virtual_alias_maps",
];

impl Draft<'_> {
    /// What switches off checks and tables that the manifest sets, of the services that the role depends on.
    pub(super) fn unchecked_recipients(&self, side: &Side<'_>) -> Faults {
        let mut faults = Faults::new();
        for name in self.depended_on(side) {
            let view = side.configuration.service(&name);
            if let Some(table) = self.counts_on(&RECIPIENTS, &view)
                && let Some(off) = view.accepts_unlisted()
            {
                let fault = self.fault_of(&name, &view, &off, &format!(
                    "smtpd(8) accepts recipients that `{table}` lacks, and their mail bounces to senders that may be forged"
                ));
                faults.insert(format!("unlisted {name}"), fault);
            }
            if let Some(table) = self.counts_on(&REWRITING, &view)
                && let Some(off) = view.leaves_addresses()
            {
                let fault = self.fault_of(&name, &view, &off, &format!(
                    "`{table}` has no effect on mail that arrives there, and no `content_filter` gives it back to another service"
                ));
                faults.insert(format!("unmapped {name}"), fault);
            }
        }
        faults
    }

    /// A host that must know its recipients and accepts all of its local domains.
    pub(super) fn unknown_local(&self, side: &Side<'_>) -> Option<Remark> {
        let name = self.depended_on(side).into_iter().find(|name| {
            let view = side.configuration.service(name);
            self.counts_on(&RECIPIENTS, &view).is_some() && view.accepts_all_local()
        })?;
        let domains = side.configuration.service(&name).expanded("mydestination");
        Some(Remark {
            text: format!(
                "`local_recipient_maps` is empty for `{name}`: smtpd(8) accepts every recipient of `{}`, and mail for those that do not exist bounces to senders that may be forged",
                domains.text.unwrap_or_default()
            ),
            hint: Some(
                "remove it from the host, or set `settings: {local_recipient_maps: \"proxy:unix:passwd.byname $alias_maps\"}`"
                    .to_owned(),
            ),
        })
    }

    fn depended_on(&self, side: &Side<'_>) -> Vec<ServiceName> {
        let services = side.configuration.services().unwrap_or_default();
        let is_ours = |one: &&RunningService| {
            one.program == "smtpd" && self.is_depended_on(one, &services, side)
        };
        let ours = services.iter().filter(is_ours);
        ours.map(|service| service.name.clone()).collect()
    }

    /// The first parameter with tables that the manifest sets and that a service uses.
    fn counts_on(&self, names: &[&'static str], view: &View<'_>) -> Option<&'static str> {
        let is_set = |name: &&&str| {
            let thing = Parameter::new(**name).map(Thing::Parameter);
            let set = thing.is_ok_and(|thing| {
                matches!(self.desired.values.get(&thing), Some(Want::Present(_)))
            });
            set && view.expanded(name).text.is_ok_and(|text| !text.is_empty())
        };
        names.iter().find(is_set).copied()
    }

    fn fault_of(
        &self,
        service: &ServiceName,
        view: &View<'_>,
        off: &SwitchedOff,
        effect: &str,
    ) -> Fault {
        let SwitchedOff { parameter, value } = off;
        let is_option = view
            .get(parameter)
            .is_ok_and(|value| value.source == ValueSource::Option);
        let (place, hint) = if is_option {
            (
                format!("`{service}` in master.cf has `-o {parameter}` with `{value}`"),
                format!(
                    "remove it with `services: {{{service}: {{options: {{{parameter}: null}}}}}}`"
                ),
            )
        } else {
            (
                format!("main.cf has `{parameter}` with `{value}`, which `{service}` uses"),
                format!("remove it with `settings: {{{parameter}: null}}`"),
            )
        };
        Fault {
            text: format!("{place}: {effect}"),
            hint: format!("{hint}, or say there what it must be"),
            is_default: false,
            about: BTreeSet::new(),
            // What the manifest itself sets is asked for once.
            stays: !self.sets(service, parameter, is_option),
        }
    }

    fn sets(&self, service: &ServiceName, parameter: &str, is_option: bool) -> bool {
        let Ok(parameter) = Parameter::new(parameter) else {
            return false;
        };
        let thing = match is_option {
            true => Thing::Option(service.clone(), parameter),
            false => Thing::Parameter(parameter),
        };
        self.desired.values.contains_key(&thing)
    }
}
