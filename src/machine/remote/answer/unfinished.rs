//! What an observation finds of `murder` itself: its ledger, and what is unfinished.

use super::head::Head;
use crate::history::{Generation, HistoryEntry};
use crate::ledger::{Journal, Ledger, LedgerError};
use crate::machine::MachineError;
use crate::machine::remote::apply::program;
use crate::machine::remote::errors::{excerpt, failure};
use crate::machine::remote::paths::{JOURNAL, LAST, LEDGER};
use crate::secret::Secrets;
use crate::state::{Lock, Remark};

/// The ledger, if there is one.
pub(super) fn ledger(head: &Head<'_>, secrets: &Secrets) -> Result<Option<Ledger>, MachineError> {
    let Some(text) = head.texts.get(LEDGER) else {
        // An empty file exists although no line of it was sent.
        return match head.hashes.contains_key(LEDGER) {
            true => Err(refused(
                "its ledger",
                LEDGER,
                &LedgerError::Damaged("it is empty".to_owned()),
            )),
            false => Ok(None),
        };
    };
    Ledger::from_bytes(text)
        .map(Some)
        .map_err(|error| refused("its ledger", LEDGER, &scrubbed(error, secrets)))
}

/// What a reader of JSON says may quote the text.
fn scrubbed(error: LedgerError, secrets: &Secrets) -> LedgerError {
    match error {
        LedgerError::Damaged(why) => LedgerError::Damaged(secrets.scrub(&why)),
        other => other,
    }
}

fn refused(what: &str, path: &str, error: &LedgerError) -> MachineError {
    failure(format!("{what} {path} {error}"), None, error.hint())
}

/// The lock, if its file exists.
pub(super) fn lock(head: &Head<'_>, secrets: &Secrets) -> Option<Lock> {
    let word = head.words.get("lock")?;
    let (state, process) = word.split_once(' ').unwrap_or((word, ""));
    Some(Lock {
        held: state == "held",
        holder: head
            .words
            .get("holder")
            .map(|holder| secrets.scrub(&excerpt(holder.as_bytes())))
            .unwrap_or_default(),
        process: process.parse().ok(),
    })
}

/// The journal, whether or not its writer lives.
pub(super) fn journal(head: &Head<'_>, secrets: &Secrets) -> Option<Journal> {
    let journal: Journal = serde_json::from_slice(head.texts.get(JOURNAL)?).ok()?;
    Some(Journal {
        by: secrets.scrub(&journal.by),
        at: secrets.scrub(&journal.at),
        ..journal
    })
}

/// The files of applies that died before they wrote a journal; none while an apply holds the lock, whose own they may be.
pub(super) fn leftovers(head: &Head<'_>, held: bool) -> Vec<String> {
    if held {
        return Vec::new();
    }
    let paths = head.words.get("leftovers").copied().unwrap_or_default();
    paths
        .split_whitespace()
        .map(|path| excerpt(path.as_bytes()))
        .collect()
}

/// The ledger that dead runs were about to write. If several died one after the other, the newest one counts. It knew
/// the earlier ones but may have been about to drop their entries, so entries that only those have are kept too.
///
/// # Errors
/// If a newer `murder` wrote one: this program cannot know what that apply made.
pub(super) fn pending(head: &Head<'_>, journal: &Journal) -> Result<Option<Ledger>, MachineError> {
    // The apply ended; only its cleanup is left.
    if journal.phase == "finished" {
        return Ok(None);
    }
    let own = format!("{}.json", journal.run);
    let written = head.texts.get(LEDGER);
    if written.is_some() && head.pending.get(own.as_str()) == written {
        return Ok(None);
    }
    let mut ledgers = Vec::new();
    for (name, text) in &head.pending {
        match Ledger::from_bytes(text) {
            Ok(ledger) => ledgers.push(ledger),
            Err(error @ LedgerError::Format(_)) => {
                return Err(refused("the ledger of an unfinished apply", name, &error));
            }
            // Its run died while it wrote it, and so before its first change.
            Err(LedgerError::Damaged(_)) => {}
        }
    }
    ledgers.sort_by(|left, right| began(left).cmp(&began(right)));
    let Some(mut youngest) = ledgers.pop() else {
        return Ok(None);
    };
    for older in ledgers.into_iter().rev() {
        for (service, older) in older.services {
            let younger = youngest.services.entry(service).or_default();
            for (thing, managed) in older.managed {
                younger.managed.entry(thing).or_insert(managed);
            }
            for (source, sha256) in older.indexes {
                younger.indexes.entry(source).or_insert(sha256);
            }
        }
    }
    Ok(Some(youngest))
}

/// When the run that wrote a ledger began.
fn began(ledger: &Ledger) -> Option<&str> {
    ledger.applied.as_ref().map(|applied| applied.at.as_str())
}

/// The entries of the history, oldest first, and a remark for each one that cannot be read. An entry newer than the
/// ledger belongs to a run that died before it wrote its ledger.
pub(super) fn entries(
    head: &Head<'_>,
    ledger: Option<&Ledger>,
    secrets: &Secrets,
) -> (Vec<HistoryEntry>, Vec<Remark>) {
    let last = ledger.map_or(0, |ledger| ledger.generation);
    let (mut entries, mut remarks) = (Vec::new(), Vec::new());
    for (path, line) in &head.history {
        match HistoryEntry::from_bytes(line.as_bytes()) {
            Ok(mut entry) if entry.generation <= last => {
                entry.applied.by = secrets.scrub(&entry.applied.by);
                entry.applied.at = secrets.scrub(&entry.applied.at);
                entries.push(entry);
            }
            Ok(_) => {}
            Err(error) => {
                let mut remark = error.remark(path);
                remark.text = secrets.scrub(&remark.text);
                remarks.push(remark);
            }
        }
    }
    entries.sort_by_key(|entry| entry.generation);
    (entries, remarks)
}

/// One generation, from the text of its file.
pub(super) fn generation(text: &str, secrets: &Secrets) -> Result<Box<Generation>, MachineError> {
    Generation::from_bytes(text.as_bytes())
        .map(Box::new)
        .map_err(|error| {
            failure(
                secrets.scrub(&error.to_string()),
                None,
                "choose another generation: `murder history` lists them",
            )
        })
}

/// Remarks about earlier applies: about one that failed after it had changed something, until an apply is done; about any
/// other only if its client lost the connection before the report.
pub(super) fn earlier(head: &Head<'_>, secrets: &Secrets) -> Option<Remark> {
    let text = String::from_utf8_lossy(head.texts.get(LAST)?);
    let fields = |name: &'static str| {
        text.lines()
            .filter_map(move |line| line.strip_prefix(name))
            .map(move |rest| match name {
                // These are words of the program that applied, and the others are the host's.
                "summary " | "hint " => secrets.scrub_beside(rest, program()),
                "ending " => rest.to_owned(),
                _ => secrets.scrub(rest),
            })
            .map(|rest| excerpt(rest.trim().as_bytes()))
            .filter(|rest| !rest.is_empty())
    };
    let field = |name| fields(name).next().unwrap_or_default();
    let summary = field("summary ");
    let ending = match field("ending ").as_str() {
        "done" => "was completed after its client had lost the connection".to_owned(),
        "putback" => format!("failed: {summary}"),
        "halfway" => format!("was left half-way: {summary}"),
        _ => format!("changed nothing: {summary}"),
    };
    // Only the first lines of the host's output.
    let words: Vec<String> = fields("| ").take(3).collect();
    let words = match words.is_empty() {
        true => String::new(),
        false => format!(" ({})", words.join("; ")),
    };
    Some(Remark {
        text: format!(
            "the apply by {} at {} {ending}{words}",
            field("by "),
            field("at "),
        ),
        hint: Some(field("hint ")).filter(|hint| !hint.is_empty()),
    })
}
