//! Changes that a package manager made: dpkg(1) by its log, rpm(8) by that of dnf.

use super::time;
use crate::exchange::Evidence;

/// Seconds by which the log of an rpm package may be away from the change: it has the end of each package only.
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

/// `2026-11-29T10:02:11+0000 SUBDEBUG Upgraded: postfix-2:3.8.1-5.el9.x86_64`.
fn of_rpm(evidence: &Evidence) -> Vec<PackageRun> {
    let run = |line: &String| {
        let mut words = line.split_whitespace();
        let time = time::iso(words.next()?, evidence.offset)?;
        let action = words
            .find(|word| word.ends_with(':'))?
            .trim_end_matches(':');
        let package = words.next()?;
        let name = package.rsplitn(3, '-').nth(2)?;
        Some(PackageRun {
            name: name.to_owned(),
            action: action.to_ascii_lowercase(),
            begin: time - RPM,
            end: time + RPM,
        })
    };
    evidence.rpm.iter().filter_map(run).collect()
}
