//! The catalogue of main.cf parameters: their names, releases and the values that they accept.
//!
//! Postfix accepts any name and any text in main.cf. `postfix check` and `postfix reload` accept a value that is not a
//! number where one is needed; the program that reads it then stops with a fatal error, and mail stops. The catalogue
//! finds such values before. Its table (`parameters.tsv`) comes from Postfix's documentation and sources.
//! Distributions backport parameters, so the list of a live host overrides the catalogue.

mod directories;
mod endpoint;
mod keywords;
mod meaning;
mod names;
mod networks;
mod problem;
mod table;
mod table_syntax;
mod value;

mod accounts;
pub mod definitions;

pub mod guards;
pub mod lists;

pub mod restrictions;

pub mod table_files;

pub mod tables;

use std::collections::BTreeSet;

pub use endpoint::check_policy_server;
pub use meaning::{amount, same_meaning, tls_strictness};
pub use names::check_service;
pub use names::is_own;
pub use names::is_placeholder;
pub use names::nearest;
pub use names::needed_names;
pub use names::needs_restart;
pub use names::referenced_names;
pub use names::service_parameter;

pub use problem::Problem;
pub use table_syntax::check_table;

use table::Kind;
use table::row;

/// Checks a value: a Postfix program that reads a wrong one stops with a fatal error.
///
/// A name that the catalogue does not have passes, because its value is text. A value with a `$` passes too, because it
/// depends on other parameters: check it after expansion.
///
/// # Errors
/// The first problem found.
pub fn check(name: &str, value: &str) -> Result<(), Problem> {
    // A name without a kind may be a parameter of a service: `lmtp_destination_concurrency_limit`.
    let kinds = row(name)
        .filter(|row| row.kind.is_some())
        .or_else(|| service_parameter(name).and_then(|(_, suffix)| table::suffix_row(suffix)));
    if let Some(kinds) = kinds {
        value::check(name, value, kinds)?;
    }
    endpoint::check(name, value)?;
    networks::check(name, value)?;
    accounts::check(name, value)?;
    directories::check(name, value)?;
    table_syntax::check(name, value)
}

/// Whether Postfix expands the `$name` references of a parameter when it reads main.cf. It keeps a few parameters as they
/// are and later replaces names of another kind in them, such as `$user` and `$rbl_code`.
#[must_use]
pub fn is_expanded(name: &str) -> bool {
    row(name).is_none_or(|row| !row.raw)
}

/// The kind of value that a parameter accepts. Postfix programs stop with a fatal error at any other value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A whole number.
    Number,
    /// A whole number with or without a unit of time.
    Time,
    /// `yes` or `no`.
    YesOrNo,
}

/// The kind of value that a parameter accepts; none if it accepts text, or is not in the catalogue.
#[must_use]
pub fn takes(name: &str) -> Option<Takes> {
    let own = row(name).and_then(|row| row.kind);
    let of_service = || table::suffix_row(service_parameter(name)?.1)?.kind;
    match own.or_else(of_service)? {
        Kind::Integer | Kind::Long => Some(Takes::Number),
        Kind::Time => Some(Takes::Time),
        Kind::Boolean => Some(Takes::YesOrNo),
        Kind::Text => None,
    }
}

/// The default value of a built-in parameter in Postfix 3.7; none if it depends on the machine.
#[must_use]
pub fn default_value(name: &str) -> Option<&'static str> {
    crate::postfix::defaults::value(name)
}

/// The names of the built-in parameters of Postfix 3.7, in order.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    let own = crate::postfix::defaults::all().keys().copied();
    let of_machine = crate::postfix::defaults::OF_THE_MACHINE;
    let all: BTreeSet<&str> = own.chain(of_machine).collect();
    all.into_iter()
}

/// The least and the largest number that a parameter accepts, in seconds for a time. None means no limit except that of
/// the number type.
#[must_use]
pub fn limits(name: &str) -> (i64, Option<i64>) {
    let own = row(name).filter(|row| row.kind.is_some());
    let of_service = || table::suffix_row(service_parameter(name)?.1);
    own.or_else(of_service).map_or((i64::MIN, None), |row| {
        let most = match row.kind {
            Some(Kind::Long) => row.most,
            _ => Some(row.most.unwrap_or(i64::from(i32::MAX))),
        };
        (row.least, most)
    })
}

/// The problem with using a parameter in a Postfix version: the documentation says that it is newer, or was removed.
/// Distributions backport parameters, so only the host's own list is certain.
#[must_use]
pub fn version_problem(name: &str, version: &str) -> Option<Problem> {
    let row = row(name)?;
    let there = version_number(version);
    if let Some(removed) = row.removed
        && there >= version_number(removed)
    {
        return Some(Problem {
            summary: format!("`{name}` was removed from Postfix in version {removed}"),
            detail: None,
            hint: Some("remove it".to_owned()),
            word: None,
        });
    }
    let since = row.since?;
    (there < version_number(since) && !table::is_backported(name, there)).then(|| Problem {
        summary: format!("`{name}` exists only since Postfix {since}"),
        detail: None,
        hint: Some("remove it, or upgrade Postfix on this host".to_owned()),
        word: None,
    })
}

/// Whether a release has a built-in parameter, according to the catalogue.
pub(crate) fn is_in_release(name: &str, release: [u32; 3]) -> bool {
    let Some(row) = row(name) else {
        return true;
    };
    let since = row.since.map(version_number);
    let removed = row.removed.map(version_number);
    removed.is_none_or(|removed| release < removed)
        && (since.is_none_or(|since| release >= since) || table::is_backported(name, release))
}

/// The numbers of a version, for comparison. `3.7.11-rc1` gives the same as `3.7.11`.
pub(crate) fn version_number(version: &str) -> [u32; 3] {
    let mut parts = version
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

/// Whether the catalogue has the name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    row(name).is_some()
}

/// Every name of the catalogue, in order.
#[must_use]
pub fn names() -> BTreeSet<&'static str> {
    table::rows().map(|row| row.name).collect()
}

#[cfg(test)]
mod tests;
