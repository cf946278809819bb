//! `murder render`: the desired files of each host, with every secret masked.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use super::selection::select;
use super::terminal::Terminal;
use super::{Selection, StrangerArguments, output, untrusted};
use crate::compile::{Compiled, Compiler};
use crate::diagnostic::Diagnostic;
use crate::every_core::on_every_core;
use crate::load::{self, Loaded};
use crate::name::HostName;
use crate::root_folder::{RootFolder, WriteOptions};
use crate::state::Want;

/// Arguments of `murder render`.
#[derive(Debug, Args)]
pub struct RenderArguments {
    /// The manifest and the selected hosts.
    #[command(flatten)]
    pub selection: Selection,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
    /// Write the files below this folder, in a folder for each host, instead of to standard output.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// Runs the verb.
///
/// # Errors
/// If there is an error in the manifest, or the files cannot be written.
pub fn run(arguments: &RenderArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let selection = &arguments.selection.of_stranger(arguments.stranger);
    let mut loaded = load::load_with(&selection.path, &selection.added.overlay, selection.links());
    load::add_policies(&mut loaded, &selection.policy);
    let hosts = compiled(&mut loaded, selection);
    if loaded.failed() {
        return Err(CliError::input(loaded.diagnostics, &loaded.sources));
    }
    terminal.diagnostics(&loaded.diagnostics, &loaded.sources);
    untrusted::say_unread(loaded.murder.as_ref(), selection, terminal);
    match &arguments.out {
        Some(folder) => tree(folder, &hosts).map_err(|error| unwritable(folder, &error))?,
        None => output::print_text(&stream(&hosts), terminal)?,
    }
    Ok(Exit::Done)
}

fn unwritable(folder: &Path, error: &io::Error) -> CliError {
    let hint = match error.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "choose another folder: a file with this name, or a part of its path, exists"
        }
        _ => "check that the folder is writable and that its disk has free space",
    };
    let problem = Diagnostic::error(format!("cannot write to `{}`: {error}", folder.display()));
    CliError::arguments(vec![problem.hint(hint)])
}

/// Compiles the selected hosts with the facts of the manifest, and adds the problems to the diagnostics.
fn compiled(loaded: &mut Loaded, selection: &Selection) -> Vec<(HostName, Compiled)> {
    let Some(murder) = &loaded.murder else {
        return Vec::new();
    };
    let paths = selection.paths();
    let mut hosts = Vec::new();
    let mut found: Vec<Diagnostic> = Vec::new();
    match (
        select(murder, selection),
        Compiler::new(murder, &loaded.modules),
    ) {
        (Ok(names), Ok(compiler)) => {
            let results = on_every_core(&names, |name| {
                let host = murder.hosts.get(name)?;
                Some(paths.judge(compiler.compile(name, &host.facts)))
            });
            for (name, result) in names.into_iter().zip(results) {
                match result {
                    Some(Ok(mut compiled)) => {
                        found.append(&mut compiled.warnings);
                        found.append(&mut compiled.guesses);
                        hosts.push((name, compiled));
                    }
                    Some(Err(problems)) => found.extend(problems),
                    None => {}
                }
            }
        }
        (Err(problems), _) | (_, Err(problems)) => found = problems,
    }
    loaded.diagnostics.extend(found);
    load::tidy(&mut loaded.diagnostics);
    hosts
}

/// One file for each file of a host below its own folder, and `settings` for the rest.
fn tree(folder: &Path, hosts: &[(HostName, Compiled)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let folder = RootFolder::open(folder)?;
    on_every_core(hosts, |(name, compiled)| {
        tree_of_host(&folder, Path::new(name.as_str()), compiled)
    })
    .into_iter()
    .collect()
}

fn tree_of_host(folder: &RootFolder, name: &Path, compiled: &Compiled) -> io::Result<()> {
    folder.create_folders(name)?;
    // A link in the tree must not lead out of the folder of its host.
    let root = folder.beneath(name)?;
    let options = WriteOptions::default();
    for (path, want) in compiled.desired.files() {
        if let Want::Present(file) = want {
            let text = file.body.masked();
            root.write(Path::new(path.as_str()), text.as_bytes(), options)?;
        }
    }
    let settings = settings(compiled);
    root.write(Path::new("settings"), settings.as_bytes(), options)
}

fn stream(hosts: &[(HostName, Compiled)]) -> String {
    let mut text = String::new();
    for (name, compiled) in hosts {
        // Writing to a String does not fail.
        let _ = writeln!(text, "# host {name}\n{}", settings(compiled));
        for (path, want) in compiled.desired.files() {
            let _ = match want {
                Want::Present(file) => {
                    writeln!(
                        text,
                        "## {name}:{path} ({} {}:{})\n{}",
                        file.mode,
                        file.owner,
                        file.group,
                        file.body.masked()
                    )
                }
                Want::Absent => writeln!(text, "## {name}:{path} (absent)\n"),
            };
        }
    }
    text
}

/// The managed things of main.cf and master.cf, one on each line.
fn settings(compiled: &Compiled) -> String {
    let mut text = String::new();
    if compiled.desired.retired {
        text.push_str("# retired: `murder` deletes what it created and restores what it adopted\n");
    }
    for (service, wanted) in &compiled.desired.services {
        for (thing, want) in &wanted.values {
            let thing = service.shown(thing);
            // Writing to a String does not fail.
            let _ = match want {
                Want::Present(value) => writeln!(text, "{thing} = {value}"),
                Want::Absent => writeln!(text, "# {thing} is not set"),
            };
        }
        for thing in &wanted.leave {
            let _ = writeln!(text, "# {} is left alone", service.shown(thing));
        }
    }
    text
}
