//! Names that this host's Postfix may not have: of other versions, and of services.

use std::collections::BTreeSet;

use super::{Found, Values, diagnostic};
use crate::diagnostic::Level;
use crate::postfix::catalogue;
use crate::thing::Thing;

/// The services of Debian's master.cf; a host may have more.
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

/// The names of the services that the host has as far as anybody can tell without it.
pub(super) fn services<'a>(values: &Values<'a>) -> BTreeSet<&'a str> {
    let own = values.all.keys().filter_map(|thing| match thing {
        Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
            Some(service.parts().0)
        }
        _ => None,
    });
    OF_DEBIAN.into_iter().chain(own).collect()
}

/// Distributions backport: the documentation's version is a guess, and the host's own list of
/// names is not.
pub(super) fn version(values: &Values<'_>, thing: &Thing, name: &str, found: &mut Found) {
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
        .hint("`murder plan` asks the host; `facts: {postfix_version: …}` says it beforehand")
    };
    found.by_facts(facts, thing, said);
}

/// A service's parameter without its service: a guess too, until the host has been looked at.
pub(super) fn service(
    values: &Values<'_>,
    thing: &Thing,
    name: &str,
    services: &BTreeSet<&str>,
    found: &mut Found,
) {
    if let Err(problem) = catalogue::check_service(name, services) {
        let mut said = diagnostic(problem).at((values.place)(thing), "");
        said.level = Level::Warning;
        if said.hint.is_none() {
            said.hint = Some(
                "add the service under `services`; where the host has it already, `murder plan` sees it"
                    .to_owned(),
            );
        }
        found.guesses.push(said);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postfix::MasterCf;

    #[test]
    fn the_services_are_those_of_the_sandbox() {
        let text = include_str!("../../machine/sandbox/master.cf");
        let master_cf = MasterCf::parse(text.as_bytes());
        let names: BTreeSet<String> = master_cf
            .services()
            .iter()
            .map(crate::postfix::Entry::name)
            .collect();
        let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(names, BTreeSet::from(OF_DEBIAN));
    }
}
