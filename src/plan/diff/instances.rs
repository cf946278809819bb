//! Instances of Postfix beside the default one: whether postmulti(1) knows them, and whose ports they share.

use std::collections::BTreeSet;

use crate::exchange::Failure;
use crate::ledger::Ledger;
use crate::name::ServiceName;
use crate::postfix::configuration::{
    Configuration, ConfigurationFiles, HostEnvironment, Listener, ListensOn, Release,
    SetValues as _, View,
};
use crate::postfix::{MasterEntry, split_list};
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

    /// Warns of each port on which the default instance listens too. Both start, since Postfix sets SO_REUSEPORT, and the
    /// kernel gives each connection to one of them.
    pub(super) fn shared_ports(&mut self) {
        let Some(default) = &self.input.live.default_instance else {
            return;
        };
        let files = files_of(default);
        let theirs = self.configuration_of(&files, &self.live.environment);
        let names = names_in(default.master_cf.services());
        let theirs = enabled_listeners(theirs.main(), &names);
        let settings = self.planned_settings();
        let names = names_in(settings.entries().unwrap_or_default());
        let ours = enabled_listeners(self.configuration(&settings).main(), &names);
        let mut remarks = Vec::new();
        for own in &ours {
            let Some(other) = theirs.iter().find(|other| clash(own, other)) else {
                continue;
            };
            remarks.push(Remark {
                text: format!(
                    "`{}` of the instance `{}` and `{}` of the default instance listen on the same port and address: \
                     each connection goes to one of the two by chance",
                    own.service, self.service, other.service
                ),
                hint: Some(
                    "give one of them another address (`settings: {inet_interfaces: …}`) or another port".to_owned(),
                ),
            });
        }
        self.remarks.append(&mut remarks);
    }

    fn configuration_of<'s>(
        &self,
        files: &'s ConfigurationFiles<'s>,
        environment: &'s HostEnvironment,
    ) -> Configuration<'s> {
        let release = Release::new(&self.input.live.facts.postfix_version);
        Configuration::new(files, release, environment)
    }
}

fn files_of(default: &DefaultInstance) -> ConfigurationFiles<'_> {
    ConfigurationFiles {
        main_cf: &default.main_cf,
        master_cf: &default.master_cf,
    }
}

fn names_in(entries: &[MasterEntry]) -> Vec<ServiceName> {
    let names = entries
        .iter()
        .map(|entry| format!("{}/{}", entry.name(), entry.kind()));
    names
        .filter_map(|name| ServiceName::new(name).ok())
        .collect()
}

/// The listeners that `master_service_disable` (postconf(5)) leaves.
fn enabled_listeners(main: View<'_>, names: &[ServiceName]) -> Vec<Listener> {
    let disabled = main.expanded("master_service_disable").text;
    let disabled = split_list(&disabled.unwrap_or_default());
    let is_enabled = |listener: &Listener| {
        let name = listener.service.to_string();
        !disabled.iter().any(|one| one == "inet" || *one == name)
    };
    let mut listeners = main.listeners(names);
    listeners.retain(is_enabled);
    listeners
}

/// Whether two listeners surely have a port and an address in common. What depends on a name is not judged.
fn clash(one: &Listener, other: &Listener) -> bool {
    let (Some(left), Some(right)) = (addresses(one), addresses(other)) else {
        return false;
    };
    let all = |addresses: &[String]| addresses.iter().any(|address| address == "all");
    number(&one.port) == number(&other.port)
        && (all(&left) || all(&right) || left.iter().any(|address| right.contains(address)))
}

/// The addresses of a listener, or `all`; none where a name stands for them.
fn addresses(listener: &Listener) -> Option<Vec<String>> {
    let list = match &listener.on {
        ListensOn::Address(address) => vec![address.clone()],
        ListensOn::Interfaces(text) => split_list(text.as_ref().ok()?),
    };
    let mut addresses = Vec::new();
    for word in list {
        match word.as_str() {
            "loopback-only" | "localhost" => {
                addresses.extend(["127.0.0.1".to_owned(), "::1".to_owned()]);
            }
            "all" => addresses.push(word),
            _ => {
                let bare = word.trim_matches(['[', ']']);
                let address: std::net::IpAddr = bare.parse().ok()?;
                addresses.push(match address.is_unspecified() {
                    true => "all".to_owned(),
                    false => address.to_string(),
                });
            }
        }
    }
    Some(addresses)
}

/// The number of a port that Postfix's own master.cf names (services(5)).
fn number(port: &str) -> &str {
    match port {
        "smtp" => "25",
        "smtps" | "submissions" => "465",
        "submission" => "587",
        other => other,
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
