//! `murder import`: from hosts that run to a manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::ask;
use super::error::CliError;
use super::exit::Exit;
use super::import_report;
use super::import_targets;
use super::output;
use super::progress::Progress;
use super::selection;
use super::terminal::Terminal;
use crate::access::Become;
use crate::diagnostic::Diagnostic;
use crate::exchange::MachineError;
use crate::fleet::Event;
use crate::import::compiled::Shipped;
use crate::import::look;
use crate::import::outcome::{self, Imported};
use crate::import::seen::SeenHost;
use crate::import::targets::{Login, Targets};
use crate::import::write;
use crate::name::{HostName, RoleName};
use crate::secret_source::SourceOptions;
use crate::session::Session;
use crate::session::options::Reach;
use crate::session::path_policy::PathPolicy;

/// Arguments of `murder import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// The hosts: names, addresses, ranges such as `backend[1:3].example.org`, or patterns of `Host` lines in `~/.ssh/config`.
    /// With `--from`, `--sandbox` or `--inventory` all hosts there if none are given, and patterns of those.
    #[arg(value_name = "HOST", required_unless_present_any = ["from", "sandbox", "inventory"])]
    pub hosts: Vec<String>,
    /// The folder for the manifest. It must not exist.
    #[arg(long, value_name = "DIR", default_value = "murder", value_hint = clap::ValueHint::DirPath)]
    pub out: PathBuf,
    /// Read copies of the hosts' /etc/postfix instead: DIR/HOST/main.cf, or DIR/HOST/etc/postfix/main.cf.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sandbox", "accept_new", "user", "become_method"])]
    pub from: Option<PathBuf>,
    /// Use folders below DIR in place of real hosts.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["accept_new", "user", "become_method"])]
    pub sandbox: Option<PathBuf>,
    /// Read the hosts of an Ansible inventory, INI or YAML; with hosts and patterns beside it only those that match.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "sandbox"], value_hint = clap::ValueHint::FilePath)]
    pub inventory: Option<PathBuf>,
    /// The role of a host, where its configuration does not say it, or says another one (repeatable).
    #[arg(long, value_name = "HOST=ROLE")]
    pub role: Vec<String>,
    /// Log in as this user.
    #[arg(long, value_name = "USER", help_heading = "Reaching hosts")]
    pub user: Option<String>,
    /// How root is become on the hosts.
    #[arg(long = "become", value_enum, value_name = "METHOD", default_value_t = BecomeMethod::None, help_heading = "Reaching hosts")]
    pub become_method: BecomeMethod,
    /// Accept and record the key of a host that is not in known_hosts, as OpenSSH's `accept-new` does.
    #[arg(long, help_heading = "Reaching hosts")]
    pub accept_new: bool,
    /// How many hosts to read at the same time.
    #[arg(long, value_name = "N", default_value = "32", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024), help_heading = "Reaching hosts")]
    pub parallel: usize,
}

/// How root is become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BecomeMethod {
    /// The login is root's.
    None,
    /// By sudo, without a password.
    Sudo,
    /// By doas, without a password.
    Doas,
}

/// Runs the verb.
///
/// # Errors
/// If the arguments are wrong, no host can be imported, or the folder exists or cannot be written.
pub fn run(arguments: &ImportArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    if arguments.out.symlink_metadata().is_ok() {
        return Err(exists(&arguments.out));
    }
    let login = login(arguments);
    let given = roles(arguments)?;
    let read = read(arguments, &login, terminal)?;
    let given = by_name(given, &read.hosts)?;
    let mut exit = read.exit;
    let (hosts, twice) = once(read.hosts);
    let (hosts, others) = of_one_murder(hosts);
    let (on_instances, hosts): (Vec<SeenHost>, Vec<SeenHost>) = hosts
        .into_iter()
        .partition(|host| !host.managed_instances().is_empty());
    if !(twice.is_empty() && others.is_empty() && on_instances.is_empty()) {
        exit = exit.or(Exit::Failed);
    }
    let mut text = String::new();
    import_report::rejected(&mut text, &read.failed, &twice, &others);
    import_report::on_instances(&mut text, &on_instances);
    if hosts.is_empty() {
        text.push_str("\nno host was imported, and nothing was written\n");
        output::print_text(&text, terminal)?;
        return Ok(exit.or(Exit::Refused));
    }
    let imported = outcome::import(&hosts, &given, &login);
    let whole = imported.hosts.values().all(|row| row.pending.is_empty());
    write::write_new(&arguments.out, &imported.folder).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => exists(&arguments.out),
        _ => CliError::message(format!(
            "cannot write `{}`: {error}",
            arguments.out.display()
        )),
    })?;
    import_report::rows(&mut text, &imported);
    import_report::advice(&mut text, &imported);
    ending(&mut text, arguments, &imported, whole);
    output::deliver(Ok(text), exit, terminal)
}

/// The hosts as they were read.
struct ReadHosts {
    hosts: Vec<SeenHost>,
    failed: BTreeMap<HostName, MachineError>,
    exit: Exit,
}

/// Reads the hosts that are meant.
fn read(
    arguments: &ImportArguments,
    login: &Login,
    terminal: &Terminal,
) -> Result<ReadHosts, CliError> {
    let copies = copies(arguments)?;
    let targets = import_targets::targets(
        &arguments.hosts,
        arguments.inventory.as_deref(),
        arguments.from.as_deref().or(arguments.sandbox.as_deref()),
        login,
    )?;
    let names: Vec<HostName> = targets.keys().cloned().collect();
    let sandbox = match &copies {
        Some(copies) => {
            copy(arguments, &names, copies.path())?;
            Some(copies.path().to_owned())
        }
        None => arguments.sandbox.clone(),
    };
    if let Some(folder) = &sandbox {
        missing(folder, &names)?;
    }
    let mut read = ReadHosts {
        hosts: Vec::new(),
        failed: BTreeMap::new(),
        exit: Exit::Done,
    };
    for (name, result) in look(arguments, sandbox, &targets, terminal) {
        match result {
            Ok(mut host) => {
                if copies.is_some() {
                    look::assume_owners(&mut host);
                }
                read.hosts.push(host);
            }
            Err(error) => {
                read.exit = read.exit.or(exit_of(&error));
                read.failed.insert(name, error);
            }
        }
    }
    Ok(read)
}

/// The roles that the user gives, by the names that hosts have in the manifest.
fn by_name(
    given: BTreeMap<HostName, Vec<RoleName>>,
    hosts: &[SeenHost],
) -> Result<BTreeMap<HostName, Vec<RoleName>>, CliError> {
    let mut found = BTreeMap::new();
    for (name, roles) in given {
        let host = hosts
            .iter()
            .find(|host| host.name == name || host.typed == name);
        let Some(host) = host else {
            return Err(CliError::message(format!(
                "`--role` names `{name}`, which is none of the hosts that were read"
            )));
        };
        found.insert(host.name.clone(), roles);
    }
    Ok(found)
}

fn exists(folder: &Path) -> CliError {
    let problem = Diagnostic::error(format!("`{}` exists already", folder.display()));
    CliError::arguments(vec![
        problem.hint("choose another folder with `--out DIR`: nothing is overwritten"),
    ])
}

fn copies(arguments: &ImportArguments) -> Result<Option<tempfile::TempDir>, CliError> {
    match arguments.from {
        Some(_) => tempfile::tempdir()
            .map(Some)
            .map_err(|error| CliError::message(format!("cannot make a temporary folder: {error}"))),
        None => Ok(None),
    }
}

fn roles(arguments: &ImportArguments) -> Result<BTreeMap<HostName, Vec<RoleName>>, CliError> {
    let known = Shipped::read();
    let mut found: BTreeMap<HostName, Vec<RoleName>> = BTreeMap::new();
    for text in &arguments.role {
        let parts = text.split_once('=');
        let parsed = parts
            .and_then(|(host, role)| Some((HostName::new(host).ok()?, RoleName::new(role).ok()?)));
        let Some((host, role)) = parsed else {
            let problem = Diagnostic::error(format!("`{text}` is not `HOST=ROLE`"));
            return Err(CliError::arguments(vec![problem]));
        };
        if !known.modules.0.contains_key(&role) {
            let roles: Vec<&str> = known.modules.0.keys().map(RoleName::as_str).collect();
            let problem = Diagnostic::error(format!("unknown role `{role}`"));
            return Err(CliError::arguments(vec![
                problem.hint(format!("the roles are: {}", roles.join(", "))),
            ]));
        }
        found.entry(host).or_default().push(role);
    }
    Ok(found)
}

fn copy(arguments: &ImportArguments, hosts: &[HostName], into: &Path) -> Result<(), CliError> {
    let Some(from) = &arguments.from else {
        return Ok(());
    };
    for host in hosts {
        if !from.join(host.as_str()).is_dir() {
            return Err(no_folder(from, host));
        }
        look::copy_host(from, host, into).map_err(|error| {
            CliError::message(format!("cannot read the copy of `{host}`: {error}"))
        })?;
    }
    Ok(())
}

/// A sandbox makes a folder for a host that it does not have, and an import must not invent one.
fn missing(folder: &Path, hosts: &[HostName]) -> Result<(), CliError> {
    let missing = hosts
        .iter()
        .find(|host| !folder.join(host.as_str()).is_dir());
    missing.map_or(Ok(()), |host| Err(no_folder(folder, host)))
}

fn no_folder(folder: &Path, host: &HostName) -> CliError {
    let problem = Diagnostic::error(format!("`{}` has no folder `{host}`", folder.display()));
    let folders = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = folders.filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = folders
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    CliError::arguments(vec![selection::with_known(
        problem,
        host.as_str(),
        &folders,
    )])
}

fn look(
    arguments: &ImportArguments,
    sandbox: Option<PathBuf>,
    targets: &Targets,
    terminal: &Terminal,
) -> BTreeMap<HostName, Result<SeenHost, MachineError>> {
    let reach = Reach {
        without_holds: false,
        reason: None,
        seen: None,
        sandbox,
        local: false,
        accept_new: arguments.accept_new,
        parallel: arguments.parallel,
        untrusted: false,
        files_unread: false,
        from_live_file: false,
        paths: PathPolicy::default(),
        sources: SourceOptions::default(),
    };
    let session = Session::new(&reach, Box::new(ask::passphrase));
    let modules = Shipped::read().modules;
    let mut progress = Progress::new(terminal, "reading", targets.len());
    let listens = progress.listens();
    let mut show = |event: Event| progress.show(&event);
    look::look_at_all(
        &session,
        targets,
        &modules,
        arguments.parallel,
        listens.then_some(&mut show),
    )
}

/// How hosts are reached that say nothing else.
fn login(arguments: &ImportArguments) -> Login {
    Login {
        user: arguments.user.clone(),
        become_: match arguments.become_method {
            BecomeMethod::None => Become::No,
            BecomeMethod::Sudo => Become::Sudo(None),
            BecomeMethod::Doas => Become::Doas,
        },
        ..Login::PLAIN
    }
}

fn exit_of(error: &MachineError) -> Exit {
    match error {
        MachineError::Unreachable(_) => Exit::Unreachable,
        MachineError::Unfit(_) | MachineError::Detached(_) => Exit::Failed,
    }
}

/// Hosts of different names in the arguments may be the same machine: the first one counts.
fn once(hosts: Vec<SeenHost>) -> (Vec<SeenHost>, Vec<SeenHost>) {
    let mut names = BTreeSet::new();
    hosts
        .into_iter()
        .partition(|host| names.insert(host.name.clone()))
}

/// The hosts of the murder that most of them belong to, and of none; and the others.
fn of_one_murder(hosts: Vec<SeenHost>) -> (Vec<SeenHost>, Vec<SeenHost>) {
    let owner = |host: &SeenHost| {
        host.live
            .ledger
            .as_ref()
            .map(|ledger| ledger.murder.clone())
    };
    let most = crate::import::connection::most_common(hosts.iter().filter_map(owner));
    hosts
        .into_iter()
        .partition(|host| owner(host).is_none() || owner(host) == most)
}

fn ending(text: &mut String, arguments: &ImportArguments, imported: &Imported, whole: bool) {
    let folder = outcome::shown(&arguments.out);
    let hosts = imported.hosts.len();
    let plural = if hosts == 1 { "" } else { "s" };
    let _ = writeln!(
        text,
        "\n{folder}/ describes {hosts} host{plural} of the murder `{}`.",
        imported.murder
    );
    let _ = match whole {
        true => writeln!(
            text,
            "The next plan changes nothing but the ledger of each host."
        ),
        false => writeln!(text, "The next plan is not empty on the hosts above."),
    };
    let secrets = imported.folder.secrets.len();
    if secrets > 0 {
        let plural = if secrets == 1 { "" } else { "s" };
        let _ = writeln!(
            text,
            "{folder}/secrets/ has {secrets} secret{plural}, which only you can read and git ignores."
        );
    }
    let sandbox = arguments
        .sandbox
        .as_ref()
        .map(|folder| format!(" --sandbox {}", outcome::shown(folder)));
    let _ = writeln!(
        text,
        "next: murder plan {folder}{}",
        sandbox.unwrap_or_default()
    );
}
