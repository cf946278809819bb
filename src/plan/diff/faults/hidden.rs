//! Options of master.cf that hide a managed parameter from a service that the role depends on: what main.cf has is of no
//! effect there.

use std::collections::BTreeSet;

use crate::name::{Parameter, ServiceName};
use crate::plan::diff::draft::Draft;
use crate::postfix::catalogue::lists;
use crate::postfix::configuration::{RunningService, is_same_port, reads};
use crate::thing::Thing;

use super::{Fault, Faults, Side};

impl Draft<'_> {
    /// The options that hide managed parameters, of the listener that other hosts reach and of the services behind it.
    pub(super) fn hidden(&self, side: &Side<'_>) -> Faults {
        let services = side.configuration.services().unwrap_or_default();
        let mut faults = Faults::new();
        for service in services.iter().filter(|service| service.has_options) {
            if !self.is_depended_on(service, &services, side) {
                continue;
            }
            let names = self.desired.values.keys().filter_map(|thing| match thing {
                Thing::Parameter(name) => Some(name),
                _ => None,
            });
            for name in names {
                if let Some(value) = self.hiding(service, name, side) {
                    let fault = fault(&service.name, name, &value);
                    faults.insert(format!("hidden {} {name}", service.name), fault);
                }
            }
        }
        faults
    }

    /// The value of an option of a service that hides a parameter and that the manifest does not set.
    fn hiding(
        &self,
        service: &RunningService,
        name: &Parameter,
        side: &Side<'_>,
    ) -> Option<String> {
        let option = Thing::Option(service.name.clone(), name.clone());
        if self.desired.values.contains_key(&option) || !reads(&service.program, name.as_str()) {
            return None;
        }
        let own = side
            .configuration
            .service(&service.name)
            .option(name.as_str())?;
        let view = side.configuration.service(&service.name);
        let (here, there) = (
            view.expanded(name.as_str()).text,
            side.configuration.main().expanded(name.as_str()).text,
        );
        let is_same = match (here, there) {
            (Ok(here), Ok(there)) => lists::same(name.as_str(), &here, &there),
            _ => false,
        };
        (!is_same).then(|| own.to_owned())
    }

    /// Whether the role depends on a service: it is the listener on a port that others must reach, smtpd(8) behind
    /// postscreen(8) there, or the cleanup(8) or trivial-rewrite(8) of all mail.
    pub(super) fn is_depended_on(
        &self,
        service: &RunningService,
        services: &[RunningService],
        side: &Side<'_>,
    ) -> bool {
        let listens = |one: &RunningService| {
            let listener = side.configuration.main().listener(&one.name);
            let ports = &self.desired.listens.ports;
            listener.is_some_and(|listener| {
                !listener.on.is_loopback()
                    && ports.iter().any(|port| is_same_port(port, &listener.port))
            })
        };
        let postscreen = || {
            let mut screens = services.iter().filter(|one| one.program == "postscreen");
            screens.any(listens)
        };
        match service.name.parts() {
            (_, "inet") => listens(service),
            (_, "pass") => service.program == "smtpd" && postscreen(),
            (name, "unix") => matches!(name, "cleanup" | "rewrite"),
            _ => false,
        }
    }
}

fn fault(service: &ServiceName, name: &Parameter, value: &str) -> Fault {
    Fault {
        text: format!(
            "`{service}` in master.cf has `-o {name}={value}`, which hides `{name}` of main.cf from the service that the role depends on"
        ),
        hint: format!(
            "remove it with `services: {{{service}: {{options: {{{name}: null}}}}}}`, or say there what it must be"
        ),
        is_default: false,
        about: BTreeSet::new(),
        stays: true,
    }
}
