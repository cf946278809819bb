//! Checks names that this host's Postfix may not have: those of other releases, of services, and of references.

use std::collections::{BTreeMap, BTreeSet};

use super::{Found, Values, diagnostic, parameter};
use crate::diagnostic::Diagnostic;
use crate::name::{Parameter, ServiceName};
use crate::nearest::is_slip;
use crate::postfix::catalogue;
use crate::postfix::configuration::ValueSource;
use crate::state::Want;
use crate::thing::{Field, Thing};

/// The services in Debian's master.cf. A host may have more.
const OF_DEBIAN: [&str; 30] = [
    "anvil",
    "bounce",
    "bsmtp",
    "cleanup",
    "defer",
    "discard",
    "error",
    "flush",
    "ifmail",
    "lmtp",
    "local",
    "maildrop",
    "mailman",
    "pickup",
    "postlog",
    "proxymap",
    "proxywrite",
    "qmgr",
    "relay",
    "retry",
    "rewrite",
    "scache",
    "scalemail-backend",
    "showq",
    "smtp",
    "tlsmgr",
    "trace",
    "uucp",
    "verify",
    "virtual",
];

/// The names of the services that the host has, as far as they are known without it.
pub(super) fn service_names<'a>(values: &Values<'a>) -> BTreeSet<&'a str> {
    let own = values.all.keys().filter_map(|thing| match thing {
        Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
            Some(service.parts().0)
        }
        _ => None,
    });
    OF_DEBIAN.into_iter().chain(own).collect()
}

/// Checks that the host's release has a parameter. Distributions backport parameters, so the catalogue's version is only a
/// guess; the host's own list of names is certain.
pub(super) fn check_release(values: &Values<'_>, thing: &Thing, name: &str, found: &mut Found) {
    let facts = values.facts;
    if facts.observed() && facts.parameters.contains(name) {
        return;
    }
    let Some(problem) = catalogue::version_problem(name, &facts.postfix_version) else {
        return;
    };
    let version = &facts.postfix_version;
    let said = diagnostic(problem).at((values.place)(thing), "");
    let said = if facts.observed() {
        said.detail(format!("this host has Postfix {version}, which ignores it"))
    } else {
        said.detail(format!(
            "Postfix {version} is assumed here, and ignores it unless the distribution has added it"
        ))
        .hint("run `murder plan`, which asks the host, or set `facts: {postfix_version: …}`")
    };
    found.error_or_guess(facts, thing, said);
}

/// Warns of a service's parameter without the service. It is a guess until the host was observed.
pub(super) fn check_service(
    values: &Values<'_>,
    thing: &Thing,
    name: &str,
    services: &BTreeSet<&str>,
    found: &mut Found,
) {
    if let Err(problem) = catalogue::check_service(name, services) {
        let mut said = diagnostic(problem).at((values.place)(thing), "");
        if said.hint.is_none() {
            said.hint = Some(
                "add the service under `services`; if the host has it already, `murder plan` finds it"
                    .to_owned(),
            );
        }
        found.guess(said);
    }
}

/// Warns of entries of master.cf that get fields or options but no command. They are right only if the host already has
/// them.
pub(super) fn check_entries(values: &Values<'_>, found: &mut Found) {
    let mut services: BTreeMap<&ServiceName, &Thing> = BTreeMap::new();
    for (thing, _) in values.present() {
        if let Thing::Field(service, _) | Thing::Option(service, _) = thing {
            services.entry(service).or_insert(thing);
        }
    }
    for (service, part) in services {
        let command = Thing::Field(service.clone(), Field::Command);
        if is_of_debian(service) || matches!(values.all.get(&command), Some(Want::Present(_))) {
            continue;
        }
        found.guess(
            Diagnostic::error(format!("`{service}` has no command, and Debian's master.cf has no such entry"))
                .at((values.place)(part), "")
                .detail("a new entry needs a command")
                .hint("set it, as in `command: smtpd`; if the host has the entry already, `murder plan` finds it"),
        );
    }
}

fn is_of_debian(service: &ServiceName) -> bool {
    match service.parts() {
        ("smtp", "inet") | ("postlog", "unix-dgram") => true,
        ("postlog", _) => false,
        (name, kind) => kind == "unix" && OF_DEBIAN.contains(&name),
    }
}

/// Checks that each `$name` refers to a parameter. Postfix uses an empty value for any other name without a message, and
/// mail may be lost. The host's own main.cf may set such a name, so that only a misspelt known name is an error.
pub(super) fn check_references(values: &Values<'_>, thing: &Thing, text: &str, found: &mut Found) {
    for name in catalogue::needed_names(text) {
        if catalogue::is_own(&name) || is_set(values, &name) {
            continue;
        }
        let said = Diagnostic::error(format!("`${name}` in `{thing}` refers to no parameter"))
            .at((values.place_of)(thing, &name), "")
            .detail("Postfix replaces it with nothing");
        let own = parameter(thing).map(Parameter::as_str);
        let slip =
            catalogue::nearest(&name).filter(|near| is_slip(&name, near) && Some(*near) != own);
        if let Some(near) = slip {
            found.error(thing, said.hint(format!("did you mean `${near}`?")));
        } else if !values.facts.observed() {
            found.guess(said.hint(format!(
                "set `{name}` under `settings`, or write `$$` for a `$`; if the host's main.cf sets it already, `murder plan` finds it"
            )));
        }
    }
}

/// Whether the desired state sets a parameter, in main.cf or for any service.
fn is_set(values: &Values<'_>, name: &str) -> bool {
    let settings = values.settings();
    let value = values.configuration(&settings).main().get(name);
    let in_main_cf = value.is_ok_and(|value| value.source == ValueSource::MainCf);
    let is_option =
        |thing: &Thing| matches!(thing, Thing::Option(_, option) if option.as_str() == name);
    in_main_cf || values.present().any(|(thing, _)| is_option(thing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postfix::MasterCf;

    #[test]
    fn the_services_are_those_of_debian() {
        let master_cf = MasterCf::parse(crate::postfix::DEBIAN_MASTER_CF.as_bytes());
        let names: BTreeSet<String> = master_cf
            .services()
            .iter()
            .map(crate::postfix::MasterEntry::name)
            .collect();
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(OF_DEBIAN));
        for entry in master_cf.services() {
            let service = format!("{}/{}", entry.name(), entry.kind());
            let service = service.parse();
            assert!(service.is_ok_and(|service| is_of_debian(&service)));
        }
    }
}
