//! Which hosts are meant: `--host`, `--role`, `--site`, `--exclude`.

use std::collections::{BTreeMap, BTreeSet};

use super::Selection;
use crate::diagnostic::Diagnostic;
use crate::model::{Host, Murder};
use crate::name::HostName;
use crate::nearest::nearest;

/// The hosts that a selection means: those that match one of the `--host` (where there are any),
/// one of the `--role`, and one of the `--site`, without the `--exclude`.
///
/// # Errors
/// One for each word that matches nothing (a slip there would silently mean other hosts), and one
/// where no host is left.
pub fn select(murder: &Murder, selection: &Selection) -> Result<Vec<HostName>, Vec<Diagnostic>> {
    select_hosts(&murder.hosts, selection)
}

fn select_hosts(
    hosts: &BTreeMap<HostName, Host>,
    selection: &Selection,
) -> Result<Vec<HostName>, Vec<Diagnostic>> {
    let names: BTreeSet<&str> = hosts.keys().map(HostName::as_str).collect();
    let roles: BTreeSet<&str> = hosts
        .values()
        .flat_map(|host| host.roles.iter().map(|role| role.as_str()))
        .collect();
    let sites: BTreeSet<&str> = hosts
        .values()
        .filter_map(|host| host.site.as_ref().map(|site| site.as_str()))
        .collect();
    let mut errors = Vec::new();
    missing("--host", "host", &selection.host, &names, &mut errors);
    missing(
        "--role",
        "role on a host",
        &selection.role,
        &roles,
        &mut errors,
    );
    missing(
        "--site",
        "site of a host",
        &selection.site,
        &sites,
        &mut errors,
    );
    missing("--exclude", "host", &selection.exclude, &names, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let any = |patterns: &[String], word: &str| patterns.iter().any(|one| matches(one, word));
    let chosen: Vec<HostName> = hosts
        .values()
        .filter(|host| {
            let role = host
                .roles
                .iter()
                .any(|role| any(&selection.role, role.as_str()));
            let site = host
                .site
                .as_ref()
                .is_some_and(|site| any(&selection.site, site.as_str()));
            (selection.host.is_empty() || any(&selection.host, host.name.as_str()))
                && (selection.role.is_empty() || role)
                && (selection.site.is_empty() || site)
                && !any(&selection.exclude, host.name.as_str())
        })
        .map(|host| host.name.clone())
        .collect();
    if chosen.is_empty() {
        return Err(vec![
            Diagnostic::error("no host is meant by this selection").hint(
                "each of `--host`, `--role`, `--site` matches something, but no host matches them all, \
                 or `--exclude` leaves none",
            ),
        ]);
    }
    Ok(chosen)
}

/// That each `--allow-unreachable` means a host at all.
///
/// # Errors
/// One for each word that matches nothing: the host that it was meant for would stop the apply at its wave.
pub fn allowed(murder: &Murder, patterns: &[String]) -> Result<(), Vec<Diagnostic>> {
    let names = murder.hosts.keys().map(HostName::as_str).collect();
    let mut errors = Vec::new();
    missing("--allow-unreachable", "host", patterns, &names, &mut errors);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// The one host of that name.
///
/// # Errors
/// Where the text is no host's name, or the murder has no such host.
pub fn named<'a>(murder: &'a Murder, text: &str) -> Result<&'a Host, Diagnostic> {
    let name = HostName::new(text).map_err(|error| Diagnostic::error(error.to_string()))?;
    murder.hosts.get(&name).ok_or_else(|| {
        let known: Vec<&str> = murder.hosts.keys().map(HostName::as_str).collect();
        let problem = Diagnostic::error(format!("there is no host `{name}`"));
        match nearest(name.as_str(), &known) {
            Some(near) => problem.hint(format!("did you mean `{near}`?")),
            None => problem.hint("`murder render` shows all hosts"),
        }
    })
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
        errors.push(match nearest(pattern.as_str(), &words) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None if words.is_empty() => error,
            None => {
                let some: Vec<&str> = words.iter().copied().take(5).collect();
                let more = if words.len() > some.len() {
                    ", …"
                } else {
                    ""
                };
                error.hint(format!("there are: {}{more}", some.join(", ")))
            }
        });
    }
}

/// Whether a shell-like pattern (`*`, `?`, `[a-c1]`, `[!x]`) matches a whole word; letters match in either case.
#[must_use]
pub fn matches(pattern: &str, word: &str) -> bool {
    let pattern: Vec<char> = pattern.to_ascii_lowercase().chars().collect();
    let word: Vec<char> = word.to_ascii_lowercase().chars().collect();
    // One place to go back to is enough: a later `*` can take over whatever an earlier one took.
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < word.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, seen));
            at += 1;
            continue;
        }
        if let Some(next) = one(&pattern, at, word[seen]) {
            at = next;
            seen += 1;
            continue;
        }
        let Some((back, taken)) = star else {
            return false;
        };
        star = Some((back, taken + 1));
        at = back + 1;
        seen = taken + 1;
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Where the pattern goes on after it matched one character at `at`; none where it does not.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => {
            let length = pattern[at + 1..].iter().position(|c| *c == ']')?;
            let set = &pattern[at + 1..at + 1 + length];
            let (set, negated) = match set.split_first() {
                Some(('!' | '^', rest)) => (rest, true),
                _ => (set, false),
            };
            let range =
                |part: &[char]| matches!(part, [low, '-', high] if (*low..=*high).contains(&c));
            let within = set.contains(&c) || set.windows(3).any(range);
            (within != negated).then_some(at + length + 2)
        }
        other => (*other == c).then_some(at + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_words() {
        for (pattern, word, expected) in [
            ("backend*", "backend1.example.org", true),
            ("*", "x", true),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "a.example.org.net", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("backend?", "backend1", true),
            ("backend?", "backend12", false),
            ("backend[1-3]", "backend2", true),
            ("backend[1-3]", "backend4", false),
            ("backend[!1-3]", "backend4", true),
            ("Backend1", "backend1", true),
            ("backend", "backend1", false),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, word), expected, "{pattern} on {word}");
        }
    }
}
