//! Reads the answer to an observation, which may hold any bytes.

mod facts;
mod files;
#[cfg(test)]
mod fuzz;
pub(super) mod head;
pub(super) mod instance;
mod queues;
mod references;
mod table_lines;
mod unfinished;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use files::was_moving;
use head::Head;

use super::access_checks;
use super::errors::failure;
use super::frame::Frame;
use super::observe::OWN_CAP;
use super::paths::{self, JOURNAL, LAST, LEDGER, PATHS, PENDING};
use super::ways::Way;
use crate::history::{Generation, HistoryEntry};
use crate::ledger::{Journal, Ledger};
use crate::machine::{HistoryQuestion, KnownFacts, MachineError, Observed, Questions};
use crate::name::RemotePath;
use crate::secret::Secrets;
use crate::service::Service;
use crate::state::{ExposingDirectory, Facts, Live, LiveFile, LiveService, Lock, Remark};

/// Reads a whole answer; no word of it shows one of the secrets.
pub(super) fn understand(
    frame: &Frame<'_>,
    questions: &Questions,
    service: &Service,
    secrets: &Secrets,
) -> Result<Observed, MachineError> {
    let head = Head::read(frame.head).with_expected(&questions.files);
    let folder = service.folder();
    refuse_unfit(&head)?;
    refuse_own_files(&head, &folder)?;
    let ledger = unfinished::ledger(&head, secrets)?;
    let (postfix, facts) = instance::observed(&head, &folder, questions, ledger.as_ref())?;
    let texts = files::streamed(&head, frame.body)?;
    let lock = unfinished::lock(&head, secrets);
    let held = lock.as_ref().is_some_and(|lock| lock.held);
    let journal = unfinished::journal(&head, secrets);
    // While its writer runs, a journal belongs to an apply that has not ended yet.
    let dead = journal.as_ref().filter(|_| !held);
    let pending = dead.map(|journal| unfinished::pending(&head, journal));
    let pending = pending.transpose()?.flatten();
    let paths = paths(questions, [&ledger, &pending]);
    refuse_closed(&head, &folder, &paths)?;
    let records = records(&head, &texts, questions.history, ledger.as_ref(), secrets)?;
    let mut remarks =
        access_checks::remarks(&folder, &questions.sockets, &head.stats, head.postfix);
    remarks.extend(unfinished::earlier(&head, secrets));
    if let Some(lock) = lock.as_ref().filter(|lock| lock.held) {
        remarks.push(another_apply(lock, journal.as_ref()));
    }
    remarks.extend(records.remarks.into_iter().chain(recorded(&head)));
    remarks.extend(queues::remark(&head));
    let live = Live {
        services: [(service.clone(), LiveService::Postfix(postfix))].into(),
        default_instance: instance::default_beside(&head, service),
        exposed: exposed(&head, &folder, &paths),
        configuration_links: configuration_links(&head, &folder),
        files: live_files(&head, &texts, paths)?,
        indexes: live_indexes(&head, questions),
        unsound_indexes: unsound_indexes(&head),
        tables: references::tables(&head, secrets),
        references: references::references(&head, questions),
        ledger,
        ledger_sha256: head.hashes.get(LEDGER).map(|hash| (*hash).to_owned()),
        journal,
        pending,
        lock,
        leftovers: unfinished::leftovers(&head, held),
        last_words: head.texts.contains_key(LAST),
        remarks,
        facts: facts.clone(),
    };
    let mut observed = Observed {
        live,
        known: Some(known(&head, facts)),
        entries: records.entries,
        generation: records.generation,
    };
    observed.resolve_hashes(questions);
    Ok(observed)
}

/// The facts with the identity of what they were found on.
fn known(head: &Head<'_>, facts: Facts) -> KnownFacts {
    let identity = head.words.get("identity").copied().unwrap_or_default();
    KnownFacts {
        identity: identity.to_owned(),
        facts,
    }
}

/// The state of each path, with its text if the host sent it.
fn live_files(
    head: &Head<'_>,
    texts: &BTreeMap<&str, String>,
    paths: BTreeSet<RemotePath>,
) -> Result<BTreeMap<RemotePath, LiveFile>, MachineError> {
    let files = paths.into_iter().map(|path| {
        let file = files::live_file(head, &path, texts.get(path.as_str()))?;
        Ok((path, file))
    });
    files.collect()
}

/// The indexes that the host names as of another text.
fn unsound_indexes(head: &Head<'_>) -> BTreeSet<RemotePath> {
    let paths = head.words.get("unsound").copied().unwrap_or_default();
    paths.split(' ').flat_map(RemotePath::new).collect()
}

/// The state of each index that was asked for.
fn live_indexes(head: &Head<'_>, questions: &Questions) -> BTreeMap<RemotePath, LiveFile> {
    let indexes = questions.indexes.iter();
    let indexes = indexes.map(|path| (path.clone(), files::live_index(head, path)));
    indexes.collect()
}

/// What the host answered about its history.
#[derive(Default)]
struct Records {
    entries: Vec<HistoryEntry>,
    generation: Option<Box<Generation>>,
    remarks: Vec<Remark>,
}

/// The answer about the history.
///
/// # Errors
/// Where the generation that was asked for cannot be read.
fn records(
    head: &Head<'_>,
    texts: &BTreeMap<&str, String>,
    question: Option<HistoryQuestion>,
    ledger: Option<&Ledger>,
    secrets: &Secrets,
) -> Result<Records, MachineError> {
    let mut records = Records::default();
    match question {
        Some(HistoryQuestion::Entries) => {
            (records.entries, records.remarks) = unfinished::entries(head, ledger, secrets);
        }
        Some(HistoryQuestion::Generation(number)) => {
            let text = texts.get(paths::history(number).as_str());
            records.generation = text
                .map(|text| unfinished::generation(text, secrets))
                .transpose()?;
        }
        None => {}
    }
    Ok(records)
}

/// Refuses a host on which a file that `murder` must read, and no plan names, is not regular or too large: without it,
/// the host would seem to have none.
fn refuse_own_files(head: &Head<'_>, folder: &str) -> Result<(), MachineError> {
    const OWN: [&str; 6] = ["main.cf", "master.cf", LEDGER, JOURNAL, LAST, PATHS];
    let own = |path: &str| OWN.contains(&path) || path.starts_with(PENDING);
    for (path, stat) in head.stats.iter().filter(|(path, _)| own(path)) {
        let path = match path.contains('/') {
            true => path.clone(),
            false => format!("{folder}/{path}"),
        };
        let is = match stat.other() {
            Some(other) => other,
            None if stat.size > OWN_CAP => "larger than 8 MiB",
            None => continue,
        };
        return Err(failure(
            format!("`{path}` is {is}, and was not read"),
            None,
            "find out what put it there, and restore the file from a backup",
        ));
    }
    Ok(())
}

/// The remark about a sudo that records what goes through it: secrets go through it, too.
fn recorded(head: &Head<'_>) -> Option<Remark> {
    let path = head.words.get("recorded")?;
    Some(Remark {
        text: format!("sudo may record what `murder` sends, secrets included: see `log_input` and `log_output` in {path}"),
        hint: Some(
            "switch it off for the user that `murder` logs in as: `Defaults:USER !log_input, !log_output`".to_owned(),
        ),
    })
}

/// The remark about an apply of another run that is still working.
fn another_apply(lock: &Lock, journal: Option<&Journal>) -> Remark {
    let text = match journal {
        Some(journal) => format!(
            "another apply is running: started by {} at {} (run {})",
            journal.by, journal.at, journal.run
        ),
        None => format!("another apply is running, {}", lock.holder),
    };
    Remark {
        text,
        hint: Some("plan again when it has ended".to_owned()),
    }
}

/// The files that the questions and the ledgers name.
fn paths(questions: &Questions, ledgers: [&Option<Ledger>; 2]) -> BTreeSet<RemotePath> {
    let mut paths: BTreeSet<RemotePath> = questions.files.keys().cloned().collect();
    for ledger in ledgers.into_iter().flatten() {
        paths.extend(ledger.files().cloned());
    }
    paths
}

/// The paths of main.cf and master.cf.
fn configuration_paths(folder: &str) -> impl Iterator<Item = RemotePath> {
    let names = ["main.cf", "master.cf"].into_iter();
    names.filter_map(move |name| RemotePath::new(format!("{folder}/{name}")).ok())
}

/// The files that users other than root can exchange, each with the directory that lets them.
fn exposed(
    head: &Head<'_>,
    folder: &str,
    paths: &BTreeSet<RemotePath>,
) -> BTreeMap<RemotePath, ExposingDirectory> {
    let paths = paths.iter().cloned().chain(configuration_paths(folder));
    let exposed = paths.filter_map(|path| {
        let way = Way::of(path.as_str(), &head.links);
        Some((path, way.exposing(&head.stats)?))
    });
    exposed.collect()
}

/// Where main.cf and master.cf lead to, if they are links.
fn configuration_links(head: &Head<'_>, folder: &str) -> BTreeMap<RemotePath, String> {
    let links = configuration_paths(folder).filter_map(|path| {
        let reached = Way::of(path.as_str(), &head.links).reached?;
        (reached != path.as_str()).then_some((path, reached))
    });
    links.collect()
}

/// Refuses a host where user postfix cannot search the configuration folder, or where the parent of a file is no directory.
fn refuse_closed(
    head: &Head<'_>,
    folder: &str,
    paths: &BTreeSet<RemotePath>,
) -> Result<(), MachineError> {
    if let Some(seen) = access_checks::is_shut(folder, &head.stats, head.postfix) {
        return Err(failure(
            format!(
                "mail stops at the next reload: user postfix cannot search `{folder}` ({seen})"
            ),
            None,
            format!("run `chmod 755 {folder}` there, and run again"),
        ));
    }
    if let Some((directory, kind)) = access_checks::no_directory(paths.iter(), &head.stats) {
        return Err(failure(
            format!("{directory} is {kind}, but must be a directory"),
            None,
            "move it away, and run again",
        ));
    }
    Ok(())
}

fn refuse_unfit(head: &Head<'_>) -> Result<(), MachineError> {
    if let Some(seconds) = head.words.get("late") {
        return Err(failure(
            format!(
                "the host did not answer all questions within {seconds} s, and ended what was still reading"
            ),
            None,
            "find out what is slow there: a file system that does not answer, a name service, very large files",
        ));
    }
    if let Some(tools) = head.words.get("missing") {
        return Err(missing_tools(tools));
    }
    if head.words.contains_key("unprivileged") {
        return Err(failure(
            "the login is not root on the host",
            None,
            "set `ssh: {user: root}` or `ssh: {become: {method: sudo}}` for this host",
        ));
    }
    if head
        .words
        .get("no-postfix")
        .is_some_and(|postconf| !postconf.is_empty())
    {
        return Err(failure(
            "/etc/postfix/main.cf does not exist or is not a file",
            None,
            "restore it from a backup, or reinstall the package `postfix`",
        ));
    }
    if head.words.contains_key("no-postfix") {
        return Err(failure(
            "Postfix is not installed: there is no `postconf`",
            None,
            "install the packages `postfix` and `postfix-ldap` there, and run again",
        ));
    }
    Ok(())
}

/// The error for programs that a host lacks, with the packages that have them.
pub(super) fn missing_tools(tools: &str) -> MachineError {
    let packages: BTreeSet<&str> = tools
        .split_whitespace()
        .map(|tool| match tool {
            "flock" | "setsid" => "util-linux",
            "grep" => "grep",
            _ => "coreutils",
        })
        .collect();
    let packages: Vec<&str> = packages.into_iter().collect();
    failure(
        format!("programs are missing on the host: {tools}"),
        None,
        format!("install the package {} there", packages.join(" and ")),
    )
}
