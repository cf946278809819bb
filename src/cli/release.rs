//! `murder release HOST [THING]`: stops managing it; the configuration stays.

use clap::Args;

use super::confirm::{self, ConfirmOptions, confirm_and_apply};
use super::error::CliError;
use super::exit::Exit;
use super::explain;
use super::manifest_arguments::ManifestArguments;
use super::open;
use super::output::{Diff, Format};
use super::reach::ReachArguments;
use super::terminal::Terminal;
use crate::load::LoadedMurder;
use crate::name::HostName;
use crate::session::SessionError;
use crate::session::one_host::without_answer;
use crate::session::options::Consent;
use crate::session::release::{self, ReleaseError};
use crate::state::Desired;
use crate::thing::Thing;

/// The word for the whole host, needed if PATH follows.
const ALL: &str = "all";

/// Arguments of `murder release`.
#[derive(Debug, Args)]
#[command(
    after_help = "Removes entries from the ledger; the values on the host stay. Without a THING it releases the \
                  whole host: it deletes the ledger, the history, and the saved texts of adopted files \
                  (/var/lib/murder/adopted).\n\nThe next apply takes over again what the manifest still \
                  sets; to prevent that, use `leave:` in the manifest. To restore the previous values \
                  instead, use `state: retired` and apply.\n\nExit codes are those of `apply`."
)]
pub struct ReleaseArguments {
    /// The host.
    pub host: String,
    /// The thing, as for `explain`: `relayhost`, `/etc/postfix/transport`, or `lmtp/unix` with its fields and
    /// options. For the whole host: leave it out, or write `all` if PATH follows.
    #[arg(default_value = ALL, hide_default_value = true)]
    pub thing: String,
    /// Which manifest.
    #[command(flatten)]
    pub manifest: ManifestArguments,
    /// Release without asking; needed if there is no terminal.
    #[arg(long)]
    pub yes: bool,
    /// The format of the report.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// How the host is reached.
    #[command(flatten)]
    pub reach: ReachArguments,
}

/// Runs the verb.
///
/// # Errors
/// If there is nothing to release, or the host cannot be released now. Nothing was changed.
pub fn run(arguments: &ReleaseArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    confirm::may_ask(arguments.yes, "murder history")?;
    let which =
        match arguments.thing.as_str() {
            ALL => None,
            text => Some(explain::thing(text).map_err(|error| {
                CliError::message(format!("{error}; {}", whole_host(arguments)))
            })?),
        };
    let which = which.as_ref();
    let (path, overlays) = (&arguments.manifest.path, &arguments.manifest.overlay);
    let (loaded, host) = open::one_host(&arguments.host, path, overlays, terminal)?;
    let reach = arguments.reach.options();
    let mut one_host = open::session_of_host(&loaded, &host, &reach, terminal)?;
    let verdict = match release::plan(&mut one_host, which) {
        Ok(verdict) => verdict,
        Err(ReleaseError::Unmanaged { thing, near }) => {
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => whole_host(arguments),
            };
            let text = format!("`{thing}` is not managed on {host}; {help}");
            return Err(CliError::message(text));
        }
        Err(ReleaseError::Session(SessionError::Host(_, error))) => without_answer(error),
        Err(ReleaseError::Session(error)) => {
            return Err(CliError::session(error, &loaded.sources));
        }
    };
    let plan = one_host.plan(verdict);
    let options = ConfirmOptions {
        consent: &Consent::default(),
        yes: arguments.yes,
        format: arguments.format,
        diff: Diff::Summary,
    };
    let (exit, changed) = confirm_and_apply(&plan, &options, terminal, |plan| {
        release::apply(&mut one_host, plan, which)
    })?;
    if changed {
        say_next(&loaded, &host, which, terminal);
    }
    Ok(exit)
}

/// A hint for a path that was given in the place of the thing.
fn whole_host(arguments: &ReleaseArguments) -> String {
    format!(
        "to release the whole host, with the manifest in that path: `murder release {} {ALL} {}`",
        arguments.host, arguments.thing
    )
}

/// Says what the next apply of the manifest will do.
fn say_next(loaded: &LoadedMurder, host: &HostName, which: Option<&Thing>, terminal: &Terminal) {
    let Some(desired) = loaded.desired(host) else {
        terminal.say(
            "The manifest does not compile, so `murder` cannot say what the next apply takes over.",
        );
        return;
    };
    if desired.retired {
        return;
    }
    match which {
        None => terminal.say(&format!(
            "The manifest still has {host}: the next `murder apply` takes the host over again. \
             To keep it released, remove it from the manifest, or use `--exclude {host}`."
        )),
        Some(thing) if names(&desired, thing) => terminal.say(&format!(
            "The manifest or a module still sets `{thing}`: the next `murder apply` takes it over \
             again. To keep it released, write under the host: `leave: [{}]`",
            written(thing)
        )),
        Some(_) => {}
    }
}

fn names(desired: &Desired, thing: &Thing) -> bool {
    match thing {
        Thing::File(path) => desired.files().any(|(of, _)| of == path),
        Thing::Service(whole) => desired.values().any(|(part, _)| match part {
            Thing::Service(of) | Thing::Field(of, _) | Thing::Option(of, _) => of == whole,
            _ => false,
        }),
        _ => desired.values().any(|(of, _)| of == thing),
    }
}

/// A thing in the form of `leave:`: a parameter's name, a path, or a service's `name/type`.
fn written(thing: &Thing) -> String {
    match thing {
        Thing::File(path) => path.to_string(),
        Thing::Parameter(name) => name.to_string(),
        Thing::Service(service) | Thing::Field(service, _) | Thing::Option(service, _) => {
            service.to_string()
        }
    }
}
