//! Selects hosts: `--host`, `--role`, `--site`, `--exclude`.

use std::collections::{BTreeMap, BTreeSet};

use super::Selection;
use super::error::CliError;
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::glob::matches;
use crate::model::{Host, Murder};
use crate::name::{HostName, RoleName};
use crate::nearest::nearest;
use crate::session::options::Consent;

/// The selected hosts: those that match one of each flag that is given (`--host`, `--role`, `--site`), without those
/// that match an `--exclude`.
///
/// # Errors
/// One for each pattern that matches nothing, because a misspelt one would select other hosts, and one if no host is
/// left.
pub fn select(murder: &Murder, selection: &Selection) -> Result<Vec<HostName>, Vec<Diagnostic>> {
    let errors = unmatched(&murder.hosts, selection);
    if !errors.is_empty() {
        return Err(errors);
    }
    let hosts = murder.hosts.values();
    let chosen: Vec<HostName> = hosts
        .filter(|host| is_selected(host, selection))
        .map(|host| host.name.clone())
        .collect();
    if chosen.is_empty() {
        return Err(vec![
            Diagnostic::error("the selection matches no hosts").hint(
                "each of `--host`, `--role` and `--site` matches a host, but no host matches all of them, \
                 or `--exclude` removes the rest",
            ),
        ]);
    }
    Ok(match selection.shard {
        Some(shard) => shard.of(chosen),
        None => chosen,
    })
}

/// Checks that each pattern matches one of these hosts.
///
/// # Errors
/// One for each pattern that matches nothing.
pub fn check_hosts(
    patterns: &[String],
    hosts: &BTreeSet<&HostName>,
) -> Result<(), Vec<Diagnostic>> {
    let names = hosts.iter().map(|name| name.as_str()).collect();
    let mut errors = Vec::new();
    missing("--host", "host", patterns, &names, &mut errors);
    match errors.is_empty() {
        true => Ok(()),
        false => Err(errors),
    }
}

/// The same among the hosts of a saved plan, which has their roles.
///
/// # Errors
/// As [`select`].
pub fn select_saved(
    hosts: &BTreeMap<&HostName, &Vec<RoleName>>,
    selection: &Selection,
) -> Result<Vec<HostName>, Vec<Diagnostic>> {
    let names = hosts.keys().map(|name| name.as_str()).collect();
    let roles = hosts.values().flat_map(|roles| roles.iter());
    let roles = roles.map(|role| role.as_str()).collect();
    let mut errors = Vec::new();
    for (flag, noun, patterns, words) in [
        ("--host", "host", &selection.host, &names),
        ("--role", "role of any host", &selection.role, &roles),
        ("--exclude", "host", &selection.exclude, &names),
    ] {
        missing(flag, noun, patterns, words, &mut errors);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let any = |patterns: &[String], word: &str| patterns.iter().any(|one| matches(one, word));
    let chosen = hosts.iter().filter(|(name, roles)| {
        let mut roles = roles.iter();
        (selection.host.is_empty() || any(&selection.host, name.as_str()))
            && (selection.role.is_empty() || roles.any(|role| any(&selection.role, role.as_str())))
            && !any(&selection.exclude, name.as_str())
    });
    let chosen: Vec<HostName> = chosen.map(|(name, _)| (*name).clone()).collect();
    match chosen.is_empty() {
        true => Err(vec![Diagnostic::error("the selection matches no hosts")]),
        false => Ok(chosen),
    }
}

/// An error for each pattern of the selection that matches nothing.
fn unmatched(hosts: &BTreeMap<HostName, Host>, selection: &Selection) -> Vec<Diagnostic> {
    let names: BTreeSet<&str> = hosts.keys().map(HostName::as_str).collect();
    let roles = hosts.values().flat_map(|host| &host.roles);
    let roles: BTreeSet<&str> = roles.map(|role| role.as_str()).collect();
    let sites = hosts.values().filter_map(|host| host.site.as_ref());
    let sites: BTreeSet<&str> = sites.map(|site| site.as_str()).collect();
    let mut errors = Vec::new();
    for (flag, noun, patterns, words) in [
        ("--host", "host", &selection.host, &names),
        ("--role", "role of any host", &selection.role, &roles),
        ("--site", "site of any host", &selection.site, &sites),
        ("--exclude", "host", &selection.exclude, &names),
    ] {
        missing(flag, noun, patterns, words, &mut errors);
    }
    errors
}

/// Whether a selection includes a host. A flag that is not given includes every host.
fn is_selected(host: &Host, selection: &Selection) -> bool {
    let any = |patterns: &[String], word: &str| patterns.iter().any(|one| matches(one, word));
    let has_role = |patterns: &[String]| host.roles.iter().any(|role| any(patterns, role.as_str()));
    let site = host.site.as_ref();
    (selection.host.is_empty() || any(&selection.host, host.name.as_str()))
        && (selection.role.is_empty() || has_role(&selection.role))
        && (selection.site.is_empty()
            || site.is_some_and(|site| any(&selection.site, site.as_str())))
        && !any(&selection.exclude, host.name.as_str())
}

/// Checks that each pattern of a consent matches a host; `*`, which a flag without a pattern has, may match none.
///
/// # Errors
/// One for each pattern that matches nothing: the host it was intended for would be refused, or stop the apply.
pub fn allowed<'a>(
    hosts: impl IntoIterator<Item = &'a HostName>,
    consent: &Consent,
) -> Result<(), CliError> {
    let names = hosts.into_iter().map(HostName::as_str).collect();
    let mut errors = Vec::new();
    for (flag, patterns) in consent.flags() {
        let named: Vec<_> = patterns.iter().filter(|one| *one != "*").cloned().collect();
        missing(flag, "host", &named, &names, &mut errors);
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(CliError::arguments(errors))
    }
}

/// Says which patterns of consents match no host of a saved plan. That lifts nothing and is no error, as the pipeline of a
/// murder names hosts that a plan of some of them does not have.
pub fn say_unmatched<'a>(
    hosts: impl IntoIterator<Item = &'a HostName>,
    consent: &Consent,
    terminal: &Terminal,
) {
    let names: Vec<&str> = hosts.into_iter().map(HostName::as_str).collect();
    for (flag, patterns) in consent.flags() {
        for pattern in patterns.iter().filter(|one| *one != "*") {
            if !names.iter().any(|name| matches(pattern, name)) {
                terminal.say(&format!(
                    "note: `{flag} {pattern}` matches no host of this plan, and lifts nothing"
                ));
            }
        }
    }
}

/// The host of that name.
///
/// # Errors
/// If the text is not a host name, or the murder has no such host.
pub fn named<'a>(murder: &'a Murder, text: &str) -> Result<&'a Host, Diagnostic> {
    let name = HostName::new(text).map_err(|error| Diagnostic::error(error.to_string()))?;
    murder.hosts.get(&name).ok_or_else(|| {
        let problem = Diagnostic::error(format!("`{name}` is not a host of this murder"));
        let known: Vec<&str> = murder.hosts.keys().map(HostName::as_str).collect();
        with_known(problem, name.as_str(), &known)
    })
}

/// A problem with a name that is none of those that are known: with the nearest one, or some of them.
#[must_use]
pub fn with_known(problem: Diagnostic, name: &str, known: &[&str]) -> Diagnostic {
    match nearest(name, known) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None if known.is_empty() => problem,
        None => {
            let some: Vec<&str> = known.iter().copied().take(5).collect();
            let more = if known.len() > some.len() {
                ", …"
            } else {
                ""
            };
            problem.hint(format!("known: {}{more}", some.join(", ")))
        }
    }
}

fn missing(
    flag: &str,
    noun: &str,
    patterns: &[String],
    words: &BTreeSet<&str>,
    errors: &mut Vec<Diagnostic>,
) {
    for pattern in patterns {
        if words.iter().any(|word| matches(pattern, word)) {
            continue;
        }
        let error = Diagnostic::error(format!("`{flag} {pattern}` matches no {noun}"));
        let words: Vec<&str> = words.iter().copied().collect();
        errors.push(with_known(error, pattern, &words));
    }
}
