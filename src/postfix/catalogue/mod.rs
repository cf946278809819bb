//! The catalogue of main.cf parameters: which there are, since when, and what they take.
//!
//! Postfix accepts any name and any text in main.cf; `postfix check` and `postfix reload`
//! are content with a number that is none, and then the program that reads it dies and
//! mail stops. The catalogue knows beforehand. It was read off Postfix's documentation and
//! sources (`parameters.tsv`). Distributions backport, so a live host has the last word on
//! names.

mod names;
mod problem;
mod table;
mod value;
// Words of a fixed set.
mod words;

pub mod restrictions;

pub mod tables;

use std::collections::BTreeSet;

pub use names::check_service;
pub use names::is_own;
pub use names::is_placeholder;
pub use names::nearest;
pub use names::needed_names;
pub use names::needs_restart;
pub use names::referenced_names;
pub use names::service_parameter;

pub use problem::Problem;

use table::Kind;
use table::row;

/// Checks a value that the programs of Postfix would die of.
///
/// Names that the catalogue does not have pass: their values are text. A value with a `$`
/// passes too, because it depends on other parameters; what it comes to is for its reader to find.
///
/// # Errors
/// The first problem found.
pub fn check(name: &str, value: &str) -> Result<(), Problem> {
    // A name without a kind of its own may be a service's: `lmtp_destination_concurrency_limit`.
    let kinds = row(name)
        .filter(|row| row.kind.is_some())
        .or_else(|| service_parameter(name).and_then(|(_, suffix)| table::suffix_row(suffix)));
    match kinds {
        Some(kinds) => value::check(name, value, kinds),
        None => Ok(()),
    }
}

/// Whether a parameter's `$name` are expanded with main.cf when Postfix reads it. Some are kept
/// as they stand, and filled in later with names of another kind: `$user`, `$rbl_code`.
#[must_use]
pub fn is_expanded(name: &str) -> bool {
    row(name).is_none_or(|row| !row.raw)
}

/// What the programs of Postfix can read as a parameter's value, where they die of anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A whole number.
    Number,
    /// A whole number with or without a unit of time.
    Time,
    /// `yes` or `no`.
    YesOrNo,
}

/// What a parameter takes; none where it is text, or not in the catalogue.
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

/// A built-in parameter's default value (Postfix 3.7's), where it is the same on every machine.
#[must_use]
pub fn default_value(name: &str) -> Option<&'static str> {
    crate::postfix::defaults::value(name)
}

/// The names that Postfix 3.7 has by itself, in order.
pub fn built_in() -> impl Iterator<Item = &'static str> {
    let own = crate::postfix::defaults::all().keys().copied();
    let of_machine = crate::postfix::defaults::OF_THE_MACHINE;
    let all: BTreeSet<&str> = own.chain(of_machine).collect();
    all.into_iter()
}

/// The least and the largest number that a parameter may be, in seconds for a time; none where there is no limit
/// but that of the program's own numbers.
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

/// What the documentation says against a parameter in a Postfix version: not yet there, or no
/// longer. Distributions backport, so only a host can say whether it is right.
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
        });
    }
    let since = row.since?;
    (there < version_number(since) && !table::is_backported(name, there)).then(|| Problem {
        summary: format!("`{name}` exists only since Postfix {since}"),
        detail: None,
        hint: Some("remove it, or upgrade Postfix on this host".to_owned()),
    })
}

/// Whether a release has a parameter by itself, as far as the catalogue knows it.
pub(crate) fn is_in_release(name: &str, release: [u32; 3]) -> bool {
    let Some(row) = row(name) else {
        return true;
    };
    let since = row.since.map(version_number);
    let removed = row.removed.map(version_number);
    removed.is_none_or(|removed| release < removed)
        && (since.is_none_or(|since| release >= since) || table::is_backported(name, release))
}

/// The number of a version for comparison; `3.7.11` also when it is `3.7.11-rc1`.
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
