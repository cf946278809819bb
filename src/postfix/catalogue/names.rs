//! Parameter names: built-in ones, those of services, and the user's own.

use std::collections::BTreeSet;

use super::problem::Problem;
use super::table::SUFFIXES;
use super::table::row;
use super::table::rows;
use crate::nearest::nearest_of;
use crate::postfix::expand;

/// The least similarity (0 to 1) at which a name is suggested.
const LIKENESS: f32 = 0.75;

/// Parameters that master(8) reads only at start, not on reload (`master_vars.c`, MAILLOG_README), in addition to those
/// that the table marks.
const RESTART: [&str; 3] = ["config_directory", "maillog_file", "queue_directory"];

/// Checks that the host has the service to which a parameter such as `lmtp_recipient_limit` belongs.
///
/// `services` are the names of the host's services (`lmtp`, `smtp-amavis`). A name that does not belong to a service passes.
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
        detail: Some("Postfix would ignore it, and warn of an unused parameter".to_owned()),
        hint: nearest_of(service, services.iter().copied(), LIKENESS)
            .map(|service| format!("did you mean `{service}_{suffix}`?")),
        word: None,
    })
}

/// Whether a name is only a placeholder of postconf(5): `transport_recipient_limit` means `smtp_recipient_limit`,
/// `lmtp_recipient_limit` and so on.
#[must_use]
pub fn is_placeholder(name: &str) -> bool {
    super::table::is_placeholder(name)
}

/// Splits a parameter of a service, such as `SERVICE_destination_concurrency_limit`, into the service and the suffix
/// after its name; none if the name has no such suffix.
#[must_use]
pub fn service_parameter(name: &str) -> Option<(&str, &'static str)> {
    // The longest suffix wins: `x_destination_recipient_limit` also ends in `recipient_limit`.
    SUFFIXES
        .iter()
        .filter_map(|suffix| {
            let service = name.strip_suffix(suffix)?.strip_suffix('_')?;
            (!service.is_empty()).then_some((service, *suffix))
        })
        .min_by_key(|(service, _)| service.len())
}

/// The name in the catalogue that is most similar to this one, if one is similar enough.
#[must_use]
pub fn nearest(name: &str) -> Option<&'static str> {
    nearest_of(name, rows().map(|row| row.name), LIKENESS)
}

/// Whether a change of this parameter takes effect only when Postfix is stopped and started. On reload master(8) logs
/// "ignoring … change" and keeps the old value.
#[must_use]
pub fn needs_restart(name: &str) -> bool {
    RESTART.contains(&name) || row(name).is_some_and(|row| row.restart)
}

/// The names that a value needs: names that it refers to, without those that may be unset (`${name?…}`, `${name:…}`).
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

/// Whether the name is a built-in parameter, or a parameter that some service may have.
#[must_use]
pub fn is_own(name: &str) -> bool {
    row(name).is_some() || service_parameter(name).is_some()
}

/// The names that a value refers to: `$name`, `${name}`, and those inside `${name?{…}:{…}}`.
#[must_use]
pub fn referenced_names(value: &str) -> BTreeSet<String> {
    expand::names(value.as_bytes())
}
