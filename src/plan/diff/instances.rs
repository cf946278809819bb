//! Instances of Postfix beside the default one: whether postmulti(1) knows them.

use std::collections::BTreeSet;

use crate::exchange::Failure;
use crate::ledger::Ledger;
use crate::postfix::configuration::{Configuration, ConfigurationFiles, HostEnvironment, Release};
use crate::postfix::split_list;
use crate::service::Service;
use crate::state::{DefaultInstance, Desired, Live, Remark};

use super::super::Step;
use super::draft::Draft;

/// The services that a plan is about: those that the host must have, and those that a ledger names. Without any, the
/// default instance of Postfix.
pub(super) fn concerned(desired: &Desired, live: &Live) -> BTreeSet<Service> {
    let ledgers = live.ledger.iter().chain(&live.pending);
    let recorded = ledgers.flat_map(Ledger::things).map(|(service, _)| service);
    let mut services: BTreeSet<Service> =
        desired.services.keys().chain(recorded).cloned().collect();
    if services.is_empty() {
        services.insert(Service::POSTFIX);
    }
    services
}

/// The steps that forget what the ledger has of a service that no longer exists on the host.
pub(super) fn forget_service(service: &Service, live: &Live) -> Vec<Step> {
    let recorded = live.ledger.iter().flat_map(Ledger::things);
    recorded
        .filter(|(of, _)| *of == service)
        .map(|(service, thing)| Step::Release {
            service: service.clone(),
            thing: thing.clone(),
        })
        .collect()
}

/// The remark about a service that no longer exists on the host.
pub(super) fn gone(service: &Service) -> Remark {
    Remark {
        text: format!(
            "the instance `{service}` of Postfix no longer exists on the host: its entries in the ledger are released"
        ),
        hint: None,
    }
}

impl Draft<'_> {
    /// Checks that postmulti(1) knows the instance.
    pub(super) fn listed(&self) -> Result<(), Failure> {
        let (Some(_), Some(default)) = (
            self.service.named_instance(),
            &self.input.live.default_instance,
        ) else {
            return Ok(());
        };
        let folder = self.service.folder();
        let environment = HostEnvironment::default();
        let files = files_of(default);
        let listed = self
            .configuration_of(&files, &environment)
            .main()
            .expanded("multi_instance_directories");
        let listed = listed.text.map(|text| split_list(&text).contains(&folder));
        if listed == Ok(false) {
            return Err(unlisted(&self.service));
        }
        Ok(())
    }

    /// Warns where postmulti(1) does not start the instance after the plan.
    pub(super) fn enabled(&mut self) {
        if self.service.named_instance().is_none() {
            return;
        }
        let settings = self.planned_settings();
        let enabled = self
            .configuration(&settings)
            .main()
            .expanded("multi_instance_enable");
        if enabled.text.is_ok_and(|text| text != "yes") {
            self.remarks.push(Remark {
                text: format!(
                    "the instance `{}` is not enabled: `postfix start` does not start it (multi_instance_enable)",
                    self.service
                ),
                hint: Some(format!("run `postmulti -i {} -e enable` on the host", self.service)),
            });
        }
    }

    pub(super) fn configuration_of<'s>(
        &self,
        files: &'s ConfigurationFiles<'s>,
        environment: &'s HostEnvironment,
    ) -> Configuration<'s> {
        let release = Release::new(&self.input.live.facts.postfix_version);
        Configuration::new(files, release, environment)
    }
}

pub(super) fn files_of(default: &DefaultInstance) -> ConfigurationFiles<'_> {
    ConfigurationFiles {
        main_cf: &default.main_cf,
        master_cf: &default.master_cf,
    }
}

fn unlisted(service: &Service) -> Failure {
    let folder = service.folder();
    Failure {
        summary: format!(
            "`multi_instance_directories` in /etc/postfix/main.cf does not list {folder}: postmulti(1) does not manage \
             the instance, and postqueue(1) and postdrop(1) refuse it"
        ),
        detail: None,
        hint: Some(format!(
            "run on the host as root: `postmulti -e init; postmulti -I {service} -e import config_directory={folder}`"
        )),
    }
}
