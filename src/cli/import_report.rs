//! What `murder import` prints of the hosts: a row for each, and what the modules would do in another way.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::exchange::MachineError;
use crate::import::outcome::{HostRow, Imported};
use crate::import::seen::SeenHost;
use crate::manifest::range;
use crate::name::HostName;

/// Hosts of which `murder` manages other instances of Postfix, which an import does not describe.
pub(super) fn on_instances(text: &mut String, hosts: &[SeenHost]) {
    for host in hosts {
        let _ = writeln!(
            text,
            "{}: not imported: an earlier apply manages its instance {}, and an import describes the default instance alone\n    \
             help: keep the manifest that manages it; `murder release {} all PATH` stops managing the host",
            host.name,
            host.managed_instances().join(", "),
            host.name
        );
    }
}

pub(super) fn rejected(
    text: &mut String,
    failed: &BTreeMap<HostName, MachineError>,
    twice: &[SeenHost],
    others: &[SeenHost],
) {
    // Writing to a String does not fail.
    for (host, error) in failed {
        let word = match error {
            MachineError::Unreachable(_) => "unreachable",
            MachineError::Unfit(_) | MachineError::Detached(_) => "failed",
        };
        let failure = error.clone().into_failure();
        let _ = writeln!(text, "{host}: not imported, {word}: {}", failure.summary);
        if let Some(detail) = failure.detail {
            let _ = writeln!(text, "    {}", detail.replace('\n', "\n    "));
        }
        if let Some(hint) = failure.hint {
            let _ = writeln!(text, "    help: {hint}");
        }
    }
    for host in twice {
        let typed = &host.typed;
        let _ = writeln!(
            text,
            "{typed}: not imported: it is `{}`, which was read already",
            host.name
        );
    }
    for host in others {
        let owner = host
            .live
            .ledger
            .as_ref()
            .map_or("", |ledger| ledger.murder.as_str());
        let _ = writeln!(
            text,
            "{}: not imported: its ledger belongs to the murder `{owner}`\n    help: import the hosts of `{owner}` by themselves",
            host.name
        );
    }
}

pub(super) fn rows(text: &mut String, imported: &Imported) {
    // Hosts of which the same is said are one row.
    let mut groups: Vec<(Vec<&HostName>, &HostRow)> = Vec::new();
    for (name, row) in &imported.hosts {
        let same = |known: &&mut (Vec<&HostName>, &HostRow)| {
            known.1.roles == row.roles
                && known.1.pending == row.pending
                && known.1.not_managed == row.not_managed
                && known.1.notes == row.notes
        };
        match groups.iter_mut().find(same) {
            Some((names, _)) => names.push(name),
            None => groups.push((vec![name], row)),
        }
    }
    for (names, row) in groups {
        let shown = range::compact(names.iter().copied()).join(", ");
        let why = match row.reasons.is_empty() {
            true => "nothing on it says what it is".to_owned(),
            false => row.reasons.join(", "),
        };
        let of = match names.as_slice() {
            [_] => String::new(),
            [first, ..] => format!(" (as on {first})"),
            [] => String::new(),
        };
        let _ = writeln!(text, "{shown}: {}: {why}{of}", row.roles.join(", "));
        for note in &row.notes {
            let _ = writeln!(text, "    note: {note}");
        }
        for (thing, why) in &row.not_managed {
            let _ = writeln!(text, "    not managed: {thing}: {why}");
        }
        for pending in &row.pending {
            let _ = writeln!(text, "    the next plan is not empty: {pending}");
        }
    }
}

/// The rows that are worth a look at once; the rest is counted.
const ADVICE: usize = 12;

pub(super) fn advice(text: &mut String, imported: &Imported) {
    if imported.advice.is_empty() {
        return;
    }
    let worst = imported.advice.iter().filter(|(row, _)| row.is_fault());
    let worst: Vec<_> = worst.take(ADVICE).collect();
    if !worst.is_empty() {
        let _ = writeln!(
            text,
            "\nKept as it is; the modules do it in another way (the worst first):"
        );
    }
    for (advice, hosts) in &worst {
        let shown = range::compact(hosts).join(", ");
        let _ = writeln!(text, "  yours: {} ({shown})", advice.yours);
        let _ = writeln!(text, "    recommended: {}", advice.recommended);
        let _ = writeln!(text, "    why: {}", advice.why);
        let _ = writeln!(text, "    to take it over: {}", advice.line);
    }
    let rest = imported.advice.len() - worst.len();
    let _ = match (worst.is_empty(), rest) {
        (_, 0) => Ok(()),
        (true, 1) => writeln!(
            text,
            "\nThe modules do 1 thing in another way: it is in RECOMMENDED.md beside the manifest."
        ),
        (true, _) => writeln!(
            text,
            "\nThe modules do {rest} things in another way: they are in RECOMMENDED.md beside the manifest."
        ),
        (false, _) => writeln!(
            text,
            "  … and {rest} more: all are in RECOMMENDED.md beside the manifest"
        ),
    };
}
