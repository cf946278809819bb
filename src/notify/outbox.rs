//! The state file: what is open, and which messages are not delivered yet.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::notice::{Notice, NoticeKind};
use crate::digest::sha256_hex;
use crate::name::HostName;
use crate::replace_file::replace;

/// The format of the state file.
const VERSION: u32 = 1;

/// One message, the same for all targets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its idempotency key: a repeat has the same.
    pub key: String,
    /// The murder.
    pub murder: String,
    /// When it was made: RFC 3339, UTC.
    pub at: String,
    /// The figures of the run, as a sentence.
    pub summary: String,
    /// What is new.
    pub new: Vec<Notice>,
    /// What is clean again.
    pub cleared: Vec<Notice>,
    /// The targets that have not taken it yet.
    pub pending: BTreeSet<String>,
}

/// What the state file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "NotificationState")]
struct Kept {
    /// The version of this form.
    version: u32,
    /// Counts the messages.
    messages: u64,
    /// By fingerprint.
    open: BTreeMap<String, Notice>,
    /// The oldest first.
    outbox: Vec<Message>,
}

/// The JSON Schema of the state file (`murder schema state`).
#[must_use]
pub fn state_schema() -> serde_json::Value {
    schemars::schema_for!(Kept).to_value()
}

/// What a run found.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// The murder.
    pub murder: &'a str,
    /// When: RFC 3339, UTC.
    pub at: &'a str,
    /// The figures, as a sentence.
    pub summary: String,
    /// The notices, by fingerprint.
    pub notices: BTreeMap<String, Notice>,
    /// The hosts that answered.
    pub answered: BTreeSet<HostName>,
    /// All hosts of the manifest.
    pub hosts: BTreeSet<HostName>,
}

/// The state file of a run. While it is open no other run changes it.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    kept: Kept,
    _lock: std::fs::File,
}

/// The version alone, which each form has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Reads a state.
fn read(bytes: &[u8]) -> io::Result<Kept> {
    let damaged = |error: serde_json::Error| {
        io::Error::other(format!(
            "it is damaged ({error}); move it away: then what is open is told once more"
        ))
    };
    let Version { version } = serde_json::from_slice(bytes).map_err(damaged)?;
    if version != VERSION {
        return Err(io::Error::other(format!(
            "it has format {version}, and this murder reads {VERSION}; use the murder that wrote it, or another file"
        )));
    }
    serde_json::from_slice(bytes).map_err(damaged)
}

impl StateFile {
    /// Opens the state, waiting for another run to end. A file that does not exist is an empty state.
    ///
    /// # Errors
    /// If it cannot be read or locked, or is not a state file of this version.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let lock = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(PathBuf::from(beside))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive)?;
        let kept = match std::fs::read(path) {
            Ok(bytes) => read(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Kept {
                version: VERSION,
                ..Kept::default()
            },
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            kept,
            _lock: lock,
        })
    }

    /// Compares what a run found with what is open, and puts a message for the targets into the outbox where something is new or
    /// clean again.
    ///
    /// # Errors
    /// If the file cannot be written; then nothing is changed.
    pub fn note(&mut self, seen: &Seen<'_>, targets: &BTreeSet<String>) -> io::Result<()> {
        let before = self.kept.clone();
        let (new, cleared) = self.kept.advance(seen);
        if !(new.is_empty() && cleared.is_empty()) {
            self.kept.messages += 1;
            let print = format!(
                "{}\0{}\0{:?}",
                seen.murder, self.kept.messages, self.kept.open
            );
            let number = self.kept.messages;
            let key = format!("murder-{number}-{}", &sha256_hex(print.as_bytes())[..16]);
            self.kept.outbox.push(Message {
                key,
                murder: seen.murder.to_owned(),
                at: seen.at.to_owned(),
                summary: seen.summary.clone(),
                new,
                cleared,
                pending: targets.clone(),
            });
        }
        if self.kept == before {
            return Ok(());
        }
        self.save().inspect_err(|_| self.kept = before)
    }

    /// Sends what is in the outbox, the oldest first, and gives what went wrong. A target that fails gets nothing more in this run.
    ///
    /// # Errors
    /// If the file cannot be written: then a message may be repeated, with the same key.
    pub fn deliver(
        &mut self,
        send: &mut dyn FnMut(&str, &Message) -> Result<(), String>,
    ) -> io::Result<Vec<String>> {
        let (mut failed, mut words) = (BTreeSet::new(), Vec::new());
        for at in 0..self.kept.outbox.len() {
            let Some(message) = self.kept.outbox.get(at).cloned() else {
                break;
            };
            for target in message
                .pending
                .iter()
                .filter(|one| !failed.contains(*one))
                .cloned()
                .collect::<Vec<_>>()
            {
                match send(&target, &message) {
                    Ok(()) => {
                        if let Some(message) = self.kept.outbox.get_mut(at) {
                            message.pending.remove(&target);
                        }
                        self.save()?;
                    }
                    Err(why) => {
                        words.push(format!("the notification to {target} failed: {why}"));
                        failed.insert(target);
                    }
                }
            }
        }
        let before = self.kept.outbox.len();
        self.kept
            .outbox
            .retain(|message| !message.pending.is_empty());
        if self.kept.outbox.len() != before {
            self.save()?;
        }
        Ok(words)
    }

    fn save(&self) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(&self.kept).map_err(io::Error::other)?;
        replace(&self.path, &bytes, Some(0o600))
    }
}

impl Kept {
    /// What is new and what is clean again; `open` becomes what is open now. A host that did not answer stays as it was.
    fn advance(&mut self, seen: &Seen<'_>) -> (Vec<Notice>, Vec<Notice>) {
        let is_known = |print: &String| self.open.contains_key(print);
        let new = seen.notices.iter().filter(|(print, _)| !is_known(print));
        let new: Vec<Notice> = new.map(|(_, notice)| notice.clone()).collect();
        let mut open = seen.notices.clone();
        let mut cleared = Vec::new();
        for (print, notice) in &self.open {
            let is_silent =
                |host: &HostName| seen.hosts.contains(host) && !seen.answered.contains(host);
            let silent = match notice.kind {
                // What the manifest says needs no answer of the host.
                NoticeKind::MaintenanceOverdue => false,
                // Only its neighbours know of an orphaned host.
                NoticeKind::Orphaned => seen.hosts.iter().any(is_silent),
                _ => is_silent(&notice.host),
            };
            if silent {
                open.insert(print.clone(), notice.clone());
            } else if notice.ends_with_a_notice()
                && !seen.notices.values().any(|other| other.is_about(notice))
            {
                cleared.push(notice.clone());
            }
        }
        self.open = open;
        (new, cleared)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn notice(host: &str, thing: &str) -> Notice {
        Notice {
            kind: NoticeKind::Drifted,
            host: HostName::new(host).unwrap(),
            thing: thing.to_owned(),
            text: String::new(),
        }
    }

    fn seen(notices: &[(&str, &str, &str)], answered: &[&str]) -> Seen<'static> {
        let name = |host: &&str| HostName::new(*host).unwrap();
        Seen {
            murder: "m",
            at: "2026-11-29T10:00:00Z",
            summary: String::new(),
            notices: notices
                .iter()
                .map(|(print, host, thing)| ((*print).to_owned(), notice(host, thing)))
                .collect(),
            answered: answered.iter().map(name).collect(),
            hosts: ["a.x", "b.x"].iter().map(name).collect(),
        }
    }

    #[test]
    fn each_drift_is_told_once_and_its_end_once() {
        let mut kept = Kept::default();
        let both = ["a.x", "b.x"];
        let mut step = |notices: &[(&str, &str, &str)], answered: &[&str]| {
            let (new, cleared) = kept.advance(&seen(notices, answered));
            (new.len(), cleared.len())
        };
        assert_eq!(step(&[("1", "a.x", "t")], &both), (1, 0));
        assert_eq!(step(&[("1", "a.x", "t")], &both), (0, 0));
        // A host without an answer is not clean.
        assert_eq!(step(&[], &["b.x"]), (0, 0));
        // Another value of the same thing is a new drift, and nothing is clean yet.
        assert_eq!(step(&[("2", "a.x", "t")], &both), (1, 0));
        assert_eq!(step(&[], &both), (0, 1));
        assert_eq!(step(&[], &both), (0, 0));
    }

    #[test]
    fn a_message_stays_until_each_target_took_it_and_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let targets: BTreeSet<String> = ["json", "slack"].map(str::to_owned).into();
        let mut keys = Vec::new();
        for (round, fails) in [(0, Some("slack")), (1, Some("slack")), (2, None)] {
            let mut state = StateFile::open(&path).unwrap();
            let notices: &[_] = if round == 0 {
                &[("1", "a.x", "t")]
            } else {
                &[("1", "a.x", "t"), ("2", "b.x", "t")]
            };
            state
                .note(&seen(notices, &["a.x", "b.x"]), &targets)
                .unwrap();
            let words = state
                .deliver(&mut |target, message| {
                    if fails == Some(target) {
                        return Err("503".to_owned());
                    }
                    keys.push(format!("{target} {}", message.key));
                    Ok(())
                })
                .unwrap();
            assert_eq!(words.len(), usize::from(fails.is_some()));
        }
        let of = |target: &str| -> Vec<&str> {
            keys.iter()
                .filter_map(|key| key.strip_prefix(target))
                .collect()
        };
        assert_eq!(of("json ").len(), 2, "{keys:?}");
        assert_eq!(
            of("json "),
            of("slack "),
            "the same messages, in the same order"
        );
        assert!(StateFile::open(&path).unwrap().kept.outbox.is_empty());
    }
}
