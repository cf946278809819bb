//! `murder rollback HOST`: an earlier generation becomes what the host must have.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::apply::{self, Format};
use super::exit::Exit;
use super::plan::Diff;
use super::reach::{Consent, Reach};
use super::single::{self, ConfirmOptions, Single, SingleHostError};
use super::terminal::Terminal;
use super::wiring::{AlreadyReported, Loaded};
use crate::exchange::HistoryQuestion;
use crate::history::{before_last, manifest_revision, revision_of_rollback};
use crate::name::HostName;
use crate::plan::HostVerdict;
use crate::report::history::History;
use crate::secret::SecretName;
use crate::state::{Desired, Want};
use crate::tasks::block_on;

/// Arguments of `murder rollback`.
#[derive(Debug, Args)]
#[command(
    after_help = "Going back is an apply of what the host was then: shown as a plan, asked for, \
                  recorded as a generation of its own, and undone by going forward again. Files \
                  get today's secrets. The manifest does not change: its next apply undoes a \
                  rollback, unless the manifest is put back too.\n\nExit codes are those of `apply`."
)]
pub struct Arguments {
    /// The host.
    pub host: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// The generation to go back to (`murder history` lists them); 0 is the host as it was before
    /// murder came. Without this: the one before the last change.
    #[arg(long, value_name = "N")]
    pub to: Option<u64>,
    /// Lay this file over the manifest (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// Do not ask; needed where there is no terminal.
    #[arg(long)]
    pub yes: bool,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How much of each file the plan shows.
    #[arg(long, value_enum, value_name = "MUCH", default_value_t = Diff::Context)]
    pub diff: Diff,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: Reach,
    /// What is consented to.
    #[command(flatten)]
    pub consent: Consent,
}

/// Where a rollback goes.
struct Target {
    number: u64,
    desired: Desired,
    /// What its ledger said of the manifest.
    revision: String,
}

/// Runs the verb.
#[must_use]
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    if !apply::may_ask(arguments.yes, "murder history", terminal) {
        return Exit::Refused;
    }
    match single::load(
        &arguments.host,
        &arguments.path,
        &arguments.overlay,
        terminal,
    ) {
        Ok((loaded, host)) => go(&loaded, &host, arguments, terminal),
        Err(AlreadyReported) => Exit::Refused,
    }
}

fn go(loaded: &Loaded, host: &HostName, arguments: &Arguments, terminal: &Terminal) -> Exit {
    let Ok(mut single) = Single::new(loaded, host, &arguments.reach, terminal) else {
        return Exit::Refused;
    };
    let looked = target(&mut single, arguments, terminal).and_then(|target| {
        let verdict = look(&mut single, &target)?;
        Ok((Some(target), verdict))
    });
    let (target, verdict) = match looked {
        Ok(looked) => looked,
        Err(SingleHostError::AlreadyReported) => return Exit::Refused,
        Err(SingleHostError::Machine(error)) => (None, single::without_answer(error)),
    };
    let plan = single.plan(verdict);
    let manner = ConfirmOptions {
        consent: &arguments.consent,
        yes: arguments.yes,
        format: arguments.format,
        diff: arguments.diff,
    };
    let (exit, changed) = single::confirm_and_apply(&plan, &manner, terminal, |plan| {
        let unverified = arguments.consent.allow_unverified;
        let revision = target
            .as_ref()
            .map_or("", |target| target.revision.as_str());
        single.change(plan, unverified, revision, &|contact, host, machine| {
            let Some(target) = &target else {
                return Ok(HostVerdict {
                    verdict: crate::plan::Verdict::Converged,
                    remarks: Vec::new(),
                    stopped: false,
                });
            };
            let desired = |_: &_| Ok(target.desired.clone());
            let surveyed = block_on(contact.survey(host, contact.known(host), machine, &desired))?;
            Ok(contact.way_back(&surveyed, target.number))
        })
    });
    if let Some(target) = target.filter(|_| changed) {
        terminal.say(&next(host, &target));
    }
    exit
}

/// What the host was in the generation that is meant.
fn target(
    single: &mut Single<'_>,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<Target, SingleHostError> {
    let refuse = |words: &str| {
        terminal.error(words);
        SingleHostError::AlreadyReported
    };
    let host = &single.host.name;
    let observed = single.look(Some(HistoryQuestion::Entries))?;
    let Some(ledger) = observed.live.ledger else {
        return Err(refuse(&format!(
            "{host} has no ledger: murder manages nothing there, and there is nothing to go back to"
        )));
    };
    let number = match arguments.to {
        Some(number) => number,
        None => before_last(&observed.entries, ledger.generation).ok_or_else(|| {
            refuse(&format!(
                "no generation before the current one ({}) of {host} is kept; `--to 0` gives the \
                 host back as it was before murder came",
                ledger.generation
            ))
        })?,
    };
    if number == 0 {
        return Ok(Target {
            number,
            desired: Desired::default(),
            revision: revision_of_rollback(0, ""),
        });
    }
    // A file with a higher number is of an apply that did not come to its ledger.
    let kept = match number <= ledger.generation {
        true => {
            let question = HistoryQuestion::Generation(number);
            single.look(Some(question))?.generation
        }
        false => None,
    };
    let Some(generation) = kept else {
        let history = History::new(host, Some(&ledger), observed.entries);
        return Err(refuse(&history.missing(number)));
    };
    let (owner, ours) = (&generation.entry.murder, &single.contact.loaded.murder.name);
    if owner != ours {
        return Err(refuse(&format!(
            "generation {number} of {host} was made by the murder `{owner}`, not by `{ours}`: \
             go back to it with the manifest of `{owner}`"
        )));
    }
    let desired = generation.snapshot.desired();
    secrets(single, number, &desired, terminal)?;
    Ok(Target {
        number,
        desired,
        revision: revision_of_rollback(number, &generation.entry.applied.revision),
    })
}

/// Reads today's secrets for the files of then.
fn secrets(
    single: &mut Single<'_>,
    number: u64,
    desired: &Desired,
    terminal: &Terminal,
) -> Result<(), SingleHostError> {
    let mut needed: BTreeSet<SecretName> = BTreeSet::new();
    let mut lost = false;
    for (path, want) in &desired.files {
        let Want::Present(file) = want else { continue };
        for name in file.body.secrets() {
            if single.contact.loaded.murder.secrets.contains_key(name) {
                needed.insert(name.clone());
            } else {
                lost = true;
                terminal.error(&format!(
                    "`{path}` of generation {number} holds the secret `{name}`, which the manifest \
                     no longer has: put `{name}` back into it, or go back to another generation"
                ));
            }
        }
    }
    if lost {
        return Err(SingleHostError::AlreadyReported);
    }
    Ok(single.contact.read_secrets(&needed, terminal)?)
}

/// The difference between what the host has and what it had.
fn look(single: &mut Single<'_>, target: &Target) -> Result<HostVerdict, SingleHostError> {
    let looked = single.with(|contact, host, machine| {
        let desired = |_: &_| Ok(target.desired.clone());
        let surveyed = block_on(contact.survey(host, contact.known(host), machine, &desired))?;
        Ok(contact.way_back(&surveyed, target.number))
    })?;
    Ok(looked)
}

/// What a person must know afterwards: the manifest still says otherwise.
fn next(host: &HostName, target: &Target) -> String {
    let number = target.number;
    if number == 0 {
        return format!(
            "{host} is as it was before murder came. While the manifest has it, the next `murder \
             apply` takes it over again."
        );
    }
    let undone = format!(
        "{host} is what it was in generation {number}. The next `murder apply` of the manifest \
         undoes that, unless the manifest is put back too"
    );
    match manifest_revision(&target.revision) {
        "" => format!("{undone}; which revision it was then is not known."),
        revision => match revision.strip_suffix("-dirty") {
            None => format!("{undone}: `git checkout {revision} -- .` in its folder."),
            Some(commit) => format!(
                "{undone}: it was {commit} with changes that were not committed (`git checkout \
                 {commit} -- .` in its folder, and those)."
            ),
        },
    }
}
