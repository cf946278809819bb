//! Changes that a package manager made: dpkg(1) by its log, rpm(8) by those of dnf(8), dnf5(8), yum(8) and zypper(8).

use super::time;
use crate::exchange::Evidence;

/// Seconds by which a log of rpm packages may be away from the change: it has one time for each package.
const RPM: i64 = 5;

/// What a package manager did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackageRun {
    /// The package.
    pub name: String,
    /// `upgrade`, `configure` and the like.
    pub action: String,
    begin: i64,
    end: i64,
}

/// What was done to a package at a time; one whose name begins with `postfix` goes first.
pub(super) fn at(time: i64, evidence: &Evidence) -> Option<PackageRun> {
    let mut runs = of_dpkg(evidence);
    runs.extend(of_rpm(evidence));
    runs.retain(|run| (run.begin..=run.end).contains(&time));
    runs.sort_by_key(|run| !run.name.starts_with("postfix"));
    runs.into_iter().next()
}

/// Each action of dpkg(1), from its line to the last status of the same package (dpkg(1), `--log`).
fn of_dpkg(evidence: &Evidence) -> Vec<PackageRun> {
    let mut runs: Vec<PackageRun> = Vec::new();
    for line in &evidence.dpkg {
        let mut words = line.split_whitespace();
        let mut next = || words.next().unwrap_or_default();
        let Some(time) = time::local(next(), next()) else {
            continue;
        };
        let time = time - evidence.offset;
        let (action, first, second) = (next(), next(), next());
        let name = |word: &str| word.split(':').next().unwrap_or_default().to_owned();
        match action {
            "install" | "upgrade" | "configure" | "remove" | "purge" | "trigproc" => {
                runs.push(PackageRun {
                    name: name(first),
                    action: action.to_owned(),
                    begin: time,
                    end: time,
                });
            }
            "status" => {
                if let Some(run) = runs.last_mut().filter(|run| run.name == name(second)) {
                    run.end = run.end.max(time);
                }
            }
            _ => {}
        }
    }
    runs
}

/// What was done to packages of rpm(8), by the logs of dnf(8), dnf5(8), yum(8) and zypper(8).
fn of_rpm(evidence: &Evidence) -> Vec<PackageRun> {
    let run = |line: &String| {
        let known = of_zypper(line, evidence).or_else(|| of_dnf5(line, evidence));
        let (time, action, name) = known.or_else(|| of_dnf(line, evidence))?;
        Some(PackageRun {
            name,
            action,
            begin: time - RPM,
            end: time + RPM,
        })
    };
    evidence.rpm.iter().filter_map(run).collect()
}

/// `2026-11-29T10:02:11+0000 [814] INFO RPM callback install start "postfix-2:3.9.0-1.fc42.x86_64" total 3` of dnf5.
fn of_dnf5(line: &str, evidence: &Evidence) -> Option<(i64, String, String)> {
    let (time, rest) = time::of_log(line, evidence.now, evidence.offset)?;
    let (_, rest) = rest.split_once(" RPM callback ")?;
    let (action, rest) = rest.split_once(' ')?;
    let package = rest.split('"').nth(1)?;
    let name = package.rsplitn(3, '-').nth(2)?;
    let is_change = matches!(action, "install" | "uninstall");
    is_change.then(|| (time, action.to_owned(), name.to_owned()))
}

/// `2026-11-29T10:02:11+0000 SUBDEBUG Upgrade: postfix-2:3.8.1-5.el9.x86_64` of dnf, and
/// `Nov 29 10:02:11 Updated: 2:postfix-2.10.1-9.el7.x86_64` of yum.
fn of_dnf(line: &str, evidence: &Evidence) -> Option<(i64, String, String)> {
    let (time, rest) = time::of_log(line, evidence.now, evidence.offset)?;
    let mut words = rest.split_whitespace();
    let action = words
        .find(|word| word.ends_with(':'))?
        .trim_end_matches(':');
    let package = words.next()?;
    // yum writes the epoch first.
    let package = match package.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => package,
    };
    let name = package.rsplitn(3, '-').nth(2)?;
    Some((time, action.to_ascii_lowercase(), name.to_owned()))
}

/// `2026-11-29 10:02:11|install|postfix|3.8.4-150600.3.2|x86_64||repo|CHECKSUM|`, in local time.
fn of_zypper(line: &str, evidence: &Evidence) -> Option<(i64, String, String)> {
    let mut columns = line.split('|').map(str::trim);
    let (date, clock) = columns.next()?.split_once(' ')?;
    let time = time::local(date, clock)? - evidence.offset;
    let action = columns.next()?;
    let is_change = matches!(action, "install" | "remove");
    let name = columns
        .next()
        .filter(|name| is_change && !name.is_empty())?;
    Some((time, action.to_owned(), name.to_owned()))
}
