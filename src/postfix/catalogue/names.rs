//! Which names there are: Postfix's own, those of services, and the user's.

use std::collections::BTreeSet;

use super::problem::Problem;
use super::table::SUFFIXES;
use super::table::row;
use super::table::rows;
use crate::nearest::nearest_of;
use crate::postfix::expand;

/// How like a name must be to be suggested (0 to 1).
const LIKENESS: f32 = 0.75;

/// What a live master does not take over on reload but only after stop and start
/// (`master_vars.c`, MAILLOG_README), beside those that the table marks.
const RESTART: [&str; 3] = ["config_directory", "maillog_file", "queue_directory"];

/// Checks that the service of a service's parameter is there.
///
/// `services` are the names of the host's services (`lmtp`, `smtp-amavis`). Names that are no
/// service's pass.
///
/// # Errors
/// The problem, with the nearest right name as its hint.
pub fn check_service(name: &str, services: &BTreeSet<&str>) -> Result<(), Problem> {
    if row(name).is_some() {
        return Ok(());
    }
    let Some((service, suffix)) = service_parameter(name) else {
        return Ok(());
    };
    if services.contains(service) {
        return Ok(());
    }
    Err(Problem {
        summary: format!("`{name}` belongs to a service `{service}` that master.cf does not have"),
        detail: Some("Postfix would warn of an unused parameter and ignore it".to_owned()),
        hint: nearest_of(service, services.iter().copied(), LIKENESS)
            .map(|service| format!("did you mean `{service}_{suffix}`?")),
    })
}

/// Whether a name is only postconf(5)'s way of speaking of a service's parameter:
/// `transport_recipient_limit` stands for `smtp_recipient_limit` and its kin.
#[must_use]
pub fn is_placeholder(name: &str) -> bool {
    super::table::is_placeholder(name)
}

/// Takes `SERVICE_destination_concurrency_limit` and its kin apart: the service and what
/// follows its name.
#[must_use]
pub fn service_parameter(name: &str) -> Option<(&str, &'static str)> {
    // The longest suffix first: `x_transport_rate_delay` is no `destination_…`, but
    // `x_destination_recipient_limit` also ends in `recipient_limit`.
    SUFFIXES
        .iter()
        .filter_map(|suffix| {
            let service = name.strip_suffix(suffix)?.strip_suffix('_')?;
            (!service.is_empty()).then_some((service, *suffix))
        })
        .min_by_key(|(service, _)| service.len())
}

/// The name of the catalogue that is most like this one, if any is.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(name, rows().map(|row| row.name), LIKENESS)
}

/// Whether a change of this parameter needs Postfix to be stopped and started: on reload
/// the master logs "ignoring … change" and goes on with the old value.
#[must_use]
pub fn needs_restart(name: &str) -> bool {
    RESTART.contains(&name) || row(name).is_some_and(|row| row.restart)
}

/// The names that a value needs: those whose absence it provides for (`${name?…}`, `${name:…}`) are not among them.
#[must_use]
pub fn needed_names(value: &str) -> BTreeSet<String> {
    let mut names = referenced_names(value);
    names.retain(|name| {
        ["?", ":"]
            .iter()
            .all(|sign| !value.contains(&format!("${{{name}{sign}")))
    });
    names
}

/// Whether Postfix has a parameter of that name by itself, or may have it for some service.
#[must_use]
pub fn is_own(name: &str) -> bool {
    row(name).is_some() || service_parameter(name).is_some()
}

/// The names that a value refers to: `$name`, `${name}`, and inside `${name?{…}:{…}}`.
#[must_use]
pub fn referenced_names(value: &str) -> BTreeSet<String> {
    expand::names(value.as_bytes())
}
