//! Reads secrets from where they are kept, at the moment when they are needed: each source once, all at the same time,
//! each with a limit of time and size.

mod age;
mod command;
mod file;
mod sops;
mod vault;
mod vault_answer;

pub use file::check_secret_files;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use zeroize::Zeroizing;

use crate::diagnostic::{Diagnostic, Span};
use crate::model::Murder;
use crate::secret::{Body, Secret, SecretName, SecretSource, Secrets, VaultSource};

/// The largest text that can hold a secret, in bytes.
const MOST: u64 = 64 << 10;

/// Sources that are read at the same time.
const AT_ONCE: usize = 16;

/// What the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceOptions {
    /// Whether the programs that the manifest names may run (`--allow-commands`).
    pub commands: bool,
}

/// The text of a secret, or why there is none. The problem has no place yet.
type Text = Result<Zeroizing<String>, Diagnostic>;

/// One source, with the secrets that come from it and the places that name it.
struct Wanted<'a> {
    source: &'a SecretSource,
    names: Vec<(&'a SecretName, Option<Span>)>,
}

/// Reads the secrets of these names. Gives those that could be read, and the problems of the others: each names the key,
/// its place, the source and what to do, and never a value.
#[must_use]
pub fn read_secrets(
    murder: &Murder,
    which: &BTreeSet<SecretName>,
    options: SourceOptions,
) -> (Secrets, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for name in which {
        match murder.secrets.get(name) {
            Some((source, at)) => want(&mut wanted, source, name, Some(*at)),
            None => problems.push(Diagnostic::error(format!("there is no secret `{name}`"))),
        }
    }
    let (secrets, more) = read_wanted(&wanted, options);
    problems.extend(more);
    (secrets, problems)
}

/// Reads secrets that a saved plan names, each from its source; none where the plan does not say it.
#[must_use]
pub fn secrets_of(
    sources: &BTreeMap<SecretName, Option<SecretSource>>,
    options: SourceOptions,
) -> (Secrets, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for (name, source) in sources {
        match source {
            Some(source) => want(&mut wanted, source, name, None),
            None => problems.push(Diagnostic::error(format!(
                "the plan does not say where the secret `{name}` comes from"
            ))),
        }
    }
    let (secrets, more) = read_wanted(&wanted, options);
    problems.extend(more);
    (secrets, problems)
}

fn want<'a>(
    wanted: &mut Vec<Wanted<'a>>,
    source: &'a SecretSource,
    name: &'a SecretName,
    at: Option<Span>,
) {
    match wanted.iter_mut().find(|one| one.source == source) {
        Some(one) => one.names.push((name, at)),
        None => wanted.push(Wanted {
            source,
            names: vec![(name, at)],
        }),
    }
}

fn read_wanted(wanted: &[Wanted<'_>], options: SourceOptions) -> (Secrets, Vec<Diagnostic>) {
    let mut secrets = Secrets::default();
    let mut problems = Vec::new();
    let texts = read_all(wanted, options);
    for (place, one) in wanted.iter().enumerate() {
        for (name, at) in &one.names {
            let text = texts.get(&place).cloned().unwrap_or_else(|| {
                Err(Diagnostic::error("internal error of `murder`")
                    .hint("please report this as a bug"))
            });
            match text.and_then(|text| fit(name, &text)) {
                Ok(secret) => secrets.insert((*name).clone(), secret),
                Err(problem) => problems.push(match at {
                    Some(at) => problem.at(*at, format!("the secret `{name}` is read from here")),
                    None => Diagnostic {
                        summary: format!("{}, for the secret `{name}`", problem.summary),
                        ..problem
                    },
                }),
            }
        }
    }
    (secrets, problems)
}

/// What is read by one thread: places in the list of what is wanted.
enum Job {
    One(usize),
    /// Of one Vault server, which takes one login.
    Vault(Vec<usize>),
}

fn jobs(wanted: &[Wanted<'_>]) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    let mut servers: Vec<(&VaultSource, Vec<usize>)> = Vec::new();
    for (place, one) in wanted.iter().enumerate() {
        match one.source {
            SecretSource::Vault(vault) => {
                match servers
                    .iter_mut()
                    .find(|(other, _)| other.server == vault.server)
                {
                    Some((_, places)) => places.push(place),
                    None => servers.push((vault, vec![place])),
                }
            }
            _ => jobs.push(Job::One(place)),
        }
    }
    jobs.extend(servers.into_iter().map(|(_, places)| Job::Vault(places)));
    jobs
}

fn read_all(wanted: &[Wanted<'_>], options: SourceOptions) -> BTreeMap<usize, Text> {
    let jobs = jobs(wanted);
    let done: Mutex<BTreeMap<usize, Text>> = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let texts = read_job(job, wanted, options);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.extend(texts);
        }
    };
    let slow = jobs.iter().any(|job| match job {
        Job::One(place) => wanted.get(*place).is_some_and(|one| is_slow(one.source)),
        Job::Vault(_) => true,
    });
    if slow {
        std::thread::scope(|scope| {
            for _ in 0..jobs.len().min(AT_ONCE) {
                scope.spawn(work);
            }
        });
    } else {
        work();
    }
    done.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn read_job(job: &Job, wanted: &[Wanted<'_>], options: SourceOptions) -> Vec<(usize, Text)> {
    match job {
        Job::One(place) => wanted
            .get(*place)
            .map(|one| (*place, read(one.source, options)))
            .into_iter()
            .collect(),
        Job::Vault(places) => {
            let sources: Vec<&VaultSource> = places
                .iter()
                .filter_map(|place| match wanted.get(*place)?.source {
                    SecretSource::Vault(vault) => Some(vault),
                    _ => None,
                })
                .collect();
            let texts = vault::read(&sources);
            places.iter().copied().zip(texts).collect()
        }
    }
}

/// Whether reading it may wait for a program or a server.
fn is_slow(source: &SecretSource) -> bool {
    match source {
        SecretSource::Command(_)
        | SecretSource::Age(_)
        | SecretSource::Sops(_)
        | SecretSource::Vault(_) => true,
        SecretSource::File(_)
        | SecretSource::Env(_)
        | SecretSource::Credential(_)
        | SecretSource::Literal(_) => false,
    }
}

fn read(source: &SecretSource, options: SourceOptions) -> Text {
    match source {
        SecretSource::File(file) => file::read(file),
        SecretSource::Env(name) => file::variable(name).map(Zeroizing::new),
        SecretSource::Credential(name) => file::credential(name),
        SecretSource::Command(command) => command::read(command, options),
        SecretSource::Age(age) => age::read(age),
        SecretSource::Sops(sops) => sops::read(sops),
        SecretSource::Vault(vault) => {
            let mut texts = vault::read(&[vault]);
            texts
                .pop()
                .unwrap_or_else(|| Err(Diagnostic::error("internal error of `murder`")))
        }
        SecretSource::Literal(secret) => Ok(Zeroizing::new(secret.expose().to_owned())),
    }
}

/// The text as a secret.
fn fit(name: &SecretName, text: &str) -> Result<Secret, Diagnostic> {
    match unfit(text) {
        None => Ok(Secret::new(text.to_owned())),
        Some(why) => Err(Diagnostic::error(format!("the secret `{name}` {why}"))
            .hint("store it as one line of text, without blanks at its ends")),
    }
}

/// Why a text cannot be a secret: Postfix would cut or misread it. None where it can.
fn unfit(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        Some("is empty")
    } else if text.contains(['\n', '\r', '\0']) {
        Some("has a line break")
    } else if text.trim() != text {
        Some("begins or ends with a blank, which Postfix would cut")
    } else if text.chars().any(char::is_control) || Body::reserved(text) {
        Some("has a control character")
    } else {
        None
    }
}

/// The text that a program or a file gave: UTF-8, without the one line end behind it.
fn text_of(bytes: &[u8], what: &str) -> Text {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Diagnostic::error(format!("{what} is not UTF-8 text"))
            .hint("store it as one line of UTF-8 text")
    })?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Zeroizing::new(text.to_owned()))
}

/// The first lines of a program's error messages.
fn first_lines(messages: &str) -> String {
    let lines = messages
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let text: Vec<&str> = lines.take(10).collect();
    text.join("\n").chars().take(900).collect()
}

#[cfg(test)]
mod tests;
