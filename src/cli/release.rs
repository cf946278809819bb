//! `murder release HOST [THING]`: manage it no more, and touch nothing else.

use std::path::PathBuf;

use clap::Args;

use super::apply::{self, Format};
use super::contact::Session;
use super::exit::Exit;
use super::explain;
use super::plan::Diff;
use super::reach::{Consent, Reach};
use super::single::{self, ConfirmOptions, Single, SingleHostError};
use super::terminal::Terminal;
use super::wiring::{AlreadyReported, Loaded};
use crate::exchange::HistoryQuestion;
use crate::history::Snapshot;
use crate::ledger::Ledger;
use crate::name::HostName;
use crate::nearest::nearest;
use crate::plan::{HostVerdict, Verdict, forgets, release};
use crate::state::{Desired, Live};
use crate::thing::Thing;

/// The word for every thing of a host, where PATH follows.
const ALL: &str = "all";

/// Arguments of `murder release`.
#[derive(Debug, Args)]
#[command(
    after_help = "Only the ledger changes. Without a THING the whole host is released: its ledger \
                  goes, with its history and the texts that adopted files had before `murder` \
                  (/var/lib/murder/adopted).\n\nWhat the manifest still names is taken over again \
                  by its next apply; `leave:` keeps it out, and `state: retired` with an apply \
                  gives things back instead of releasing them.\n\nExit codes are those of `apply`."
)]
pub struct Arguments {
    /// The host.
    pub host: String,
    /// The thing, as `explain` takes it: `relayhost`, `/etc/postfix/transport`, `lmtp/unix` with
    /// its fields and options. Left out, or `all` where PATH follows: the whole host.
    #[arg(default_value = ALL, hide_default_value = true)]
    pub thing: String,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Lay this file over the manifest (repeatable).
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// Do not ask; needed where there is no terminal.
    #[arg(long)]
    pub yes: bool,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: Reach,
}

/// Runs the verb.
#[must_use]
pub fn run(arguments: &Arguments, terminal: &Terminal) -> Exit {
    if !apply::may_ask(arguments.yes, "murder history", terminal) {
        return Exit::Refused;
    }
    let which = match arguments.thing.as_str() {
        ALL => None,
        text => match explain::thing(text) {
            Ok(thing) => Some(thing),
            Err(error) => {
                terminal.error(&format!("{error}; {}", whole_host(arguments)));
                return Exit::Refused;
            }
        },
    };
    match single::load(
        &arguments.host,
        &arguments.path,
        &arguments.overlay,
        terminal,
    ) {
        Ok((loaded, host)) => let_go(&loaded, &host, which.as_ref(), arguments, terminal),
        Err(AlreadyReported) => Exit::Refused,
    }
}

/// A path in the place of the thing is the slip to expect.
fn whole_host(arguments: &Arguments) -> String {
    format!(
        "for the whole host with a manifest elsewhere: `murder release {} {ALL} {}`",
        arguments.host, arguments.thing
    )
}

fn let_go(
    loaded: &Loaded,
    host: &HostName,
    which: Option<&Thing>,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Exit {
    let Ok(mut single) = Single::new(loaded, host, &arguments.reach, terminal) else {
        return Exit::Refused;
    };
    let looked = match planned(&mut single, which, arguments, terminal) {
        Ok(looked) => looked,
        Err(SingleHostError::AlreadyReported) => return Exit::Refused,
        Err(SingleHostError::Machine(error)) => single::without_answer(error),
    };
    let plan = single.plan(looked);
    let manner = ConfirmOptions {
        consent: &Consent::default(),
        yes: arguments.yes,
        format: arguments.format,
        diff: Diff::Summary,
    };
    let (exit, changed) = single::confirm_and_apply(&plan, &manner, terminal, |plan| {
        single.change(plan, false, loaded.revision(), &|contact, _, machine| {
            let live = machine.observe(&Default::default())?.live;
            Ok(HostVerdict {
                verdict: verdict(&live, which, None, contact),
                remarks: Vec::new(),
                stopped: false,
            })
        })
    });
    if changed {
        say_next(loaded, host, which, terminal);
    }
    exit
}

/// What is released, or why it cannot be.
fn planned(
    single: &mut Single<'_>,
    which: Option<&Thing>,
    arguments: &Arguments,
    terminal: &Terminal,
) -> Result<HostVerdict, SingleHostError> {
    let refuse = |words: &str| {
        terminal.error(words);
        SingleHostError::AlreadyReported
    };
    let host = &single.host.name;
    let live = single.look(None)?.live;
    if let Some(ledger) = &live.ledger {
        let ours = &single.contact.loaded.murder.name;
        if ledger.murder != *ours {
            return Err(refuse(&format!(
                "{host} belongs to the murder `{}`, not to `{ours}`: release it with its manifest",
                ledger.murder
            )));
        }
        if let Some(thing) = which
            && verdict(&live, which, None, &single.contact) == Verdict::Converged
        {
            return Err(refuse(&unmanaged(host, thing, ledger, arguments)));
        }
    }
    if let (None, None, Some(thing)) = (&live.ledger, &live.pending, which) {
        return Err(refuse(&format!(
            "nothing is managed on {host}: it has no ledger, so there is nothing to release of `{thing}`"
        )));
    }
    if live.pending.is_some() {
        return Err(refuse(&format!(
            "an apply of {host} did not end, and what it made is in no ledger yet: run `murder \
             apply` (or `murder rollback`) first, then release"
        )));
    }
    let last = match live.ledger.as_ref().filter(|_| which.is_some()) {
        None => None,
        Some(ledger) => {
            let question = HistoryQuestion::Generation(ledger.generation);
            single.look(Some(question))?.generation
        }
    };
    let mut remarks = live.remarks.clone();
    if which.is_none() && live.ledger.is_some() {
        let kept = single.look(Some(HistoryQuestion::Entries))?.entries.len();
        remarks.push(forgets(kept));
    }
    let snapshot = last.as_deref().map(|generation| &generation.snapshot);
    Ok(HostVerdict {
        verdict: verdict(&live, which, snapshot, &single.contact),
        remarks,
        // Nothing here is about Postfix.
        stopped: false,
    })
}

fn verdict(
    live: &Live,
    which: Option<&Thing>,
    last: Option<&Snapshot>,
    contact: &Session<'_>,
) -> Verdict {
    let keep = contact.loaded.murder.keep;
    match release(live, which, last, keep) {
        None => Verdict::Converged,
        Some(plan) => Verdict::Changes(Box::new(plan)),
    }
}

fn unmanaged(host: &HostName, thing: &Thing, ledger: &Ledger, arguments: &Arguments) -> String {
    let known: Vec<String> = ledger.managed.keys().map(Thing::to_string).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let near = nearest(&thing.to_string(), &known);
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => whole_host(arguments),
    };
    format!("`{thing}` is not managed on {host}; {help}")
}

/// What the manifest will make of it.
fn say_next(loaded: &Loaded, host: &HostName, which: Option<&Thing>, terminal: &Terminal) {
    let Some(desired) = loaded.desired(host) else {
        terminal
            .say("The manifest does not compile, so what its next apply takes over is not known.");
        return;
    };
    if desired.retired {
        return;
    }
    match which {
        None => terminal.say(&format!(
            "The manifest still has {host}: its next `murder apply` takes the host over again. \
             Take it out of the manifest, or leave it out with `--exclude {host}`."
        )),
        Some(thing) if names(&desired, thing) => terminal.say(&format!(
            "The manifest or a module still names `{thing}`: the next `murder apply` takes it over \
             again. To keep it out, write under the host: `leave: [{}]`",
            written(thing)
        )),
        Some(_) => {}
    }
}

fn names(desired: &Desired, thing: &Thing) -> bool {
    match thing {
        Thing::File(path) => desired.files.contains_key(path),
        Thing::Service(whole) => desired.values.keys().any(|part| match part {
            Thing::Service(of) | Thing::Field(of, _) | Thing::Option(of, _) => of == whole,
            _ => false,
        }),
        _ => desired.values.contains_key(thing),
    }
}

/// A thing as `leave:` has it: a parameter's name, a path, or a service's `name/type`.
fn written(thing: &Thing) -> String {
    match thing {
        Thing::File(path) => path.to_string(),
        Thing::Parameter(name) => name.to_string(),
        Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
            service.to_string()
        }
    }
}
