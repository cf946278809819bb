//! Reads hosts: with one connection and two exchanges each, over SSH, in a sandbox, or in copies of their configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::seen::{CONFIGURATION, CYRUS_FILES, SeenHost};
use super::targets::{Login, Targets};
use crate::exchange::{Failure, MachineError, Questions};
use crate::fleet::{self, Event, NotRun, Stop, Width};
use crate::module::Modules;
use crate::name::{HostName, RemotePath};
use crate::plan::unreadable;
use crate::session::Session;
use crate::session::own_fault::own_fault;
use crate::state::{Facts, Live, LiveFile, LiveService};

/// Bytes of a file that is copied for `--from`; a larger one is no text of a configuration.
const MOST_BYTES: u64 = 8 << 20;

/// The files that any module may write, and those of Cyrus: what the first exchange asks for.
fn usual_files(modules: &Modules) -> BTreeMap<RemotePath, Option<String>> {
    let of_modules = modules.0.values().flat_map(|module| module.files.keys());
    let of_cyrus = CYRUS_FILES
        .iter()
        .filter_map(|path| RemotePath::new(*path).ok());
    let paths: BTreeSet<RemotePath> = of_modules.cloned().chain(of_cyrus).collect();
    paths.into_iter().map(|path| (path, None)).collect()
}

/// Reads hosts, at most `parallel` at once. `on_event` gets the progress, where it is wanted.
#[must_use]
pub fn look_at_all(
    session: &Session,
    targets: &Targets,
    modules: &Modules,
    parallel: usize,
    on_event: Option<&mut dyn FnMut(Event)>,
) -> BTreeMap<HostName, Result<SeenHost, MachineError>> {
    let usual = &usual_files(modules);
    let hosts: &Vec<HostName> = &targets.keys().cloned().collect();
    // An observation may be interrupted at any moment, so nothing here requests a stop.
    let results = fleet::run_tasks(
        hosts,
        Width {
            parallel,
            threads: parallel.min(hosts.len()),
        },
        &Stop::new(),
        |host, say| {
            Box::pin(async move {
                say.at("connecting");
                let login = targets.get(host).unwrap_or(&Login::PLAIN);
                look_at(session, host, login, usual).await
            })
        },
        on_event,
    );
    let found = results.into_iter().map(|(host, result)| {
        let seen = result.unwrap_or_else(|why| Err(MachineError::Unfit(own_fault(words(why)))));
        (host, seen)
    });
    found.collect()
}

fn words(why: NotRun) -> String {
    match why {
        NotRun::Stopped | NotRun::Failures | NotRun::Held(_) => {
            "stopped before its turn".to_owned()
        }
        NotRun::Panicked(words) | NotRun::NoThread(words) => words,
    }
}

async fn look_at(
    session: &Session,
    typed: &HostName,
    login: &Login,
    usual: &BTreeMap<RemotePath, Option<String>>,
) -> Result<SeenHost, MachineError> {
    let mut machine = session
        .connect(typed, &login.access(), &Facts::debian())
        .await?;
    let mut asked = Questions {
        files: usual.clone(),
        known: session.known(typed),
        ..Questions::default()
    };
    let first = machine.observing(&asked).await?;
    if let Some(failure) = unreadable(&first.live) {
        return Err(MachineError::Unfit(failure));
    }
    let mut seen = named(typed, login, first.live);
    // Which tables there are is known only after main.cf and master.cf.
    // The first exchange leaves out comments, in which other tools sign what they write.
    let whole = CONFIGURATION
        .iter()
        .filter_map(|path| RemotePath::new(*path).ok());
    let mut further: BTreeMap<_, _> = whole.map(|path| (path, None)).collect();
    for (path, (_, table)) in seen.table_files() {
        let Ok(path) = RemotePath::new(path) else {
            continue;
        };
        if let Some(suffix) = crate::name::TableType::new(table.kind.as_str())
            .ok()
            .and_then(|kind| kind.index_suffix())
        {
            asked
                .indexes
                .extend(RemotePath::new(format!("{path}{suffix}")));
        }
        if !seen.live.files.contains_key(&path) {
            further.insert(path, None);
        }
    }
    asked.files = further;
    asked.known = first.known;
    let second = machine.observing(&asked).await?;
    if !is_same(&seen.live, &second.live) {
        return Err(MachineError::Unfit(Failure {
            summary: "its configuration changed while it was read".to_owned(),
            detail: None,
            hint: Some("run the import again".to_owned()),
        }));
    }
    seen.live.files.extend(second.live.files);
    seen.live.indexes.extend(second.live.indexes);
    Ok(seen)
}

/// Whether main.cf and master.cf are the same in two observations.
fn is_same(first: &Live, second: &Live) -> bool {
    let hashes = |live: &Live| -> Vec<(String, String)> {
        let services = live.services.values();
        services
            .map(|LiveService::Postfix(postfix)| {
                (
                    postfix.main_cf_sha256.clone(),
                    postfix.master_cf_sha256.clone(),
                )
            })
            .collect()
    };
    hashes(first) == hashes(second)
}

/// A host by its own full name, where the name that was typed is none.
fn named(typed: &HostName, login: &Login, live: Live) -> SeenHost {
    let is_address = typed.as_str().parse::<std::net::IpAddr>().is_ok();
    let mut host = SeenHost::new(typed.clone(), typed.clone(), login.clone(), live);
    if typed.as_str().contains('.') && !is_address {
        return host;
    }
    let hostname = host
        .postfix()
        .and_then(|postfix| postfix.environment.hostname.clone());
    let names = [hostname.unwrap_or_default(), host.expanded("myhostname")];
    let full = names.iter().find(|name| name.contains('.'));
    if let Some(name) = full.and_then(|name| HostName::new(name.as_str()).ok()) {
        host.login.address.get_or_insert_with(|| typed.to_string());
        host.name = name;
    }
    host
}

/// What is unfinished on a host: an apply that is at work or did not end, and other instances of Postfix.
#[must_use]
pub fn doubts(host: &SeenHost) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(journal) = host.live.dead_journal() {
        found.push(format!(
            "an apply by {} at {} did not end",
            journal.by, journal.at
        ));
    }
    if host.live.lock.as_ref().is_some_and(|lock| lock.held) {
        found.push("an apply is running there now".to_owned());
    }
    let others = host.expanded("multi_instance_directories");
    if !others.trim().is_empty() {
        found.push(format!(
            "it has several instances of Postfix: only the default one was imported, not {others}"
        ));
    }
    found
}

/// Other tools that sign the files which they write, by the file.
#[must_use]
pub fn other_tools(host: &SeenHost) -> Vec<String> {
    const TOOLS: [(&str, &str); 6] = [
        ("ansible", "Ansible"),
        ("puppet", "Puppet"),
        ("saltstack", "Salt"),
        ("managed by salt", "Salt"),
        ("generated by chef", "Chef"),
        ("cfengine", "CFEngine"),
    ];
    let mut texts = Vec::new();
    for (path, file) in &host.live.files {
        if let LiveFile::Present(state) = file {
            texts.push((path.as_str(), state.text.clone().unwrap_or_default()));
        }
    }
    let mut found = Vec::new();
    for (path, text) in texts {
        let comments = text
            .lines()
            .filter(|line| line.trim_start().starts_with('#'));
        let comments: String = comments
            .take(20)
            .collect::<Vec<_>>()
            .join("\n")
            .to_lowercase();
        if let Some((_, tool)) = TOOLS.iter().find(|(word, _)| comments.contains(word)) {
            found.push(format!("`{path}` is also written by {tool}"));
        }
    }
    found
}

/// The hosts of a folder with copies: its folders that have a main.cf, directly or in `etc/postfix`.
///
/// # Errors
/// If the folder cannot be read.
pub fn hosts_of_folder(folder: &Path) -> io::Result<Vec<HostName>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let has_main = ["main.cf", "etc/postfix/main.cf", "postfix/main.cf"]
            .iter()
            .any(|file| path.join(file).is_file());
        if let Ok(name) = HostName::new(name.as_ref())
            && has_main
        {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// Copies what `--from` has of a host into the form of a sandbox below `into`.
///
/// # Errors
/// If a file cannot be read or written.
pub fn copy_host(from: &Path, host: &HostName, into: &Path) -> io::Result<()> {
    let own = from.join(host.as_str());
    let target = into.join(host.as_str());
    if own.join("etc/postfix/main.cf").is_file() {
        return copy_folder(&own, &target, 0);
    }
    let nested = own.join("postfix");
    let source = match nested.join("main.cf").is_file() {
        true => nested,
        false => own,
    };
    copy_folder(&source, &target.join("etc/postfix"), 0)
}

fn copy_folder(from: &Path, into: &Path, depth: usize) -> io::Result<()> {
    /// `etc/postfix/ldap/x.cf`, and some more.
    const DEPTH: usize = 8;
    fs::create_dir_all(into)?;
    for entry in fs::read_dir(from)? {
        let path: PathBuf = entry?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        // A copy may have links, to files of its own or to none: the text is what counts.
        let Ok(seen) = fs::metadata(&path) else {
            continue;
        };
        if seen.is_dir() && depth < DEPTH {
            copy_folder(&path, &into.join(name), depth + 1)?;
        } else if seen.is_file() && seen.len() <= MOST_BYTES {
            let copy = into.join(name);
            fs::copy(&path, &copy)?;
            // Whether an index is older than its source is seen by their times.
            if let Ok(time) = seen.modified() {
                fs::File::open(&copy)?.set_modified(time)?;
            }
        }
    }
    Ok(())
}

/// Gives the files of a copy the owners that they have on most hosts: a copy does not keep them. A file that not every user can
/// read is readable by the group of user postfix.
pub fn assume_owners(host: &mut SeenHost) {
    for file in host.live.files.values_mut() {
        if let LiveFile::Present(state) = file {
            let for_group = state.mode.bits() & 0o044 == 0o040;
            state.owner = "root".to_owned();
            state.group = if for_group { "postfix" } else { "root" }.to_owned();
        }
    }
}
