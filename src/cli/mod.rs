//! The command line: takes arguments, prints text, and returns an exit code. Only this module prints.

pub mod apply;
pub mod apply_plan;
pub mod ask;
pub mod check;
pub mod command_line;
pub mod completions;
pub mod confirm;
pub mod diff;
pub mod diff_mail;
pub mod directory;
pub mod drift;
pub mod error;
pub mod event_stream;
pub mod exit;
pub mod explain;
pub mod forget;
mod guard;
pub mod history;
pub mod hold;
pub mod import;
mod import_report;
mod import_targets;
pub mod init;
pub mod judged_plan;
mod live_trace;
pub mod mail_change;
pub mod manifest_arguments;
pub mod notify;
pub mod observe;
pub mod open;
pub mod output;
pub mod panics;
pub mod plan;
pub mod plan_file;
pub mod postconf;
pub mod progress;
pub mod reach;
pub mod release;
pub mod render;
pub mod report;
pub mod rollback;
pub mod save;
pub mod saved_judgement;
pub mod schema;
pub mod selection;
pub mod shard;
pub mod show;
pub mod signals;
pub mod terminal;
pub mod trace;
pub mod unlock;
pub mod untrusted;
pub mod verify;
mod verify_baseline;

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use self::manifest_arguments::AdditionArguments;
use crate::fleet::Shard;
use crate::load::{LinkScope, is_plan_file};
use crate::session::path_policy::PathPolicy;
use crate::visible::printed;

/// Declarative applier for the Postfix side of a Cyrus IMAP murder.
#[derive(Debug, Parser)]
#[command(name = "murder", version, max_term_width = 100, after_help = exit::TABLE)]
pub struct Cli {
    /// How much is printed, and whether in colour.
    #[command(flatten)]
    pub talk: terminal::Talk,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a commented manifest to begin with; asks six questions, or takes flags.
    Init(init::InitArguments),
    /// Read hosts that run, and write a manifest that describes them; changes nothing on them.
    Import(import::ImportArguments),
    /// Check the manifest and report all its problems; contacts no host.
    Check(check::CheckArguments),
    /// Write the desired files of each host; contacts no host.
    Render(render::RenderArguments),
    /// Show which line of the manifest or of a module sets a value, and what it overrides.
    Explain(explain::ExplainArguments),
    /// Show where mail for an address goes, hop by hop, by manifest and directory; contacts no host.
    Trace(trace::TraceArguments),
    /// Find loops, lost and bouncing mail, and mistakes of the directory: every address, from every place; contacts no host.
    Verify(verify::VerifyArguments),
    /// Show what two manifests, or two git revisions of one, want differently, and by which line; contacts no host.
    Diff(diff::DiffArguments),
    /// Read the hosts into a file, from which `plan --live` plans without keys and secrets; changes nothing.
    Observe(observe::ObserveArguments),
    /// Show what an apply would change on each host; changes nothing.
    Plan(plan::PlanArguments),
    /// Show a saved plan as `plan` printed it; contacts no host.
    Show(show::ShowArguments),
    /// Show the plan, ask for confirmation, and change the hosts.
    Apply(apply::ApplyArguments),
    /// Plan for cron: no output and 0, or exit code 2 if something was changed on a host or Postfix does not run.
    Drift(drift::DriftArguments),
    /// List the applies of a host, or of all hosts by time: when, by whom, from which revision, and what changed.
    History(history::HistoryArguments),
    /// Restore an earlier generation of a host: show the plan, ask for confirmation, and change the host.
    Rollback(rollback::RollbackArguments),
    /// Keep a thing as it is on a host for a while: `apply` leaves it, `drift` counts it as held.
    Hold(hold::HoldArguments),
    /// End a hold.
    Unhold(hold::UnholdArguments),
    /// Show who holds a host's lock, and remove the temporary files of an interrupted apply.
    Unlock(unlock::UnlockArguments),
    /// Take a host that no longer exists out of the ledgers of its neighbours.
    Forget(forget::ForgetArguments),
    /// Stop managing a host, or one thing on it; the configuration stays as it is.
    Release(release::ReleaseArguments),
    /// Merge the reports of several runners into one; contacts no host.
    Report(report::ReportArguments),
    /// Print the JSON Schema of the manifest, or of another document that is read or written.
    Schema(schema::SchemaArguments),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArguments),
    /// Our own postconf(1), as the sandbox uses it, with Postfix's own options: for tests and comparison.
    #[command(disable_help_flag = true, hide = true)]
    Postconf {
        /// Options and names as postconf(1) takes them; `-c DIR` says where. `--release VERSION` before them means the postconf of that
        /// release of Postfix.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

/// The manifest and the selected hosts, for each verb that takes several hosts.
#[derive(Debug, Clone, Args)]
pub struct Selection {
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// Select only hosts whose name matches (repeatable).
    #[arg(long, value_name = "GLOB")]
    pub host: Vec<String>,
    /// Select only hosts with this role (repeatable).
    #[arg(long, value_name = "ROLE")]
    pub role: Vec<String>,
    /// Select only hosts of this site (repeatable).
    #[arg(long, value_name = "SITE")]
    pub site: Vec<String>,
    /// Leave out hosts whose name matches (repeatable).
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// What the operator adds to the manifest.
    #[command(flatten)]
    pub added: AdditionArguments,
    /// Keep the rules of this policy: a file, or `builtin:safe` (repeatable).
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<String>,
    /// See [`StrangerArguments`]; verbs that do not flatten these trust the manifest.
    #[arg(skip)]
    pub untrusted: bool,
    /// The hosts of one of several runners; for the verbs that flatten [`shard::ShardArguments`].
    #[arg(skip)]
    pub shard: Option<Shard>,
}

/// For the verbs that can do their work without trust in the manifest.
#[derive(Debug, Clone, Copy, Args)]
pub struct StrangerArguments {
    /// The manifest may be a stranger's: read no secret and nothing outside of its folder, run no command,
    /// contact no host.
    #[arg(long)]
    pub untrusted: bool,
}

impl StrangerArguments {
    /// How far links of the manifest are followed.
    #[must_use]
    pub fn links(self) -> LinkScope {
        if self.untrusted {
            LinkScope::OwnFolder
        } else {
            LinkScope::Anywhere
        }
    }
}

impl Selection {
    /// How far links of the manifest are followed.
    #[must_use]
    pub fn links(&self) -> LinkScope {
        let untrusted = self.untrusted;
        StrangerArguments { untrusted }.links()
    }

    /// The same selection of a manifest that may be a stranger's.
    #[must_use]
    pub fn of_stranger(&self, stranger: StrangerArguments) -> Self {
        Self {
            untrusted: stranger.untrusted,
            ..self.clone()
        }
    }

    /// The same selection, of which one runner takes its part.
    #[must_use]
    pub fn of_shard(self, arguments: shard::ShardArguments) -> Self {
        Self {
            shard: arguments.shard,
            ..self
        }
    }

    /// Which files the manifest may manage.
    #[must_use]
    pub fn paths(&self) -> PathPolicy {
        self.added.paths()
    }
}

/// Runs the program with this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    guard::guard();
    panics::report_by_place();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error).into(),
    };
    let mut terminal = terminal::Terminal::new(&cli.talk);
    // Cron sends all output as mail.
    terminal.quiet |= matches!(cli.verb, Verb::Drift(_)) && !terminal.verbose;
    match cli.verb.changes_hosts() {
        Some(false) => signals::end_reading(&terminal),
        Some(true) => signals::end_before_changes(&terminal),
        None => {}
    }
    match cli.verb.run(&terminal) {
        Ok(exit) => exit,
        Err(error) => error.print(&terminal),
    }
    .into()
}

impl Verb {
    /// Whether it changes hosts after it has read them and shown what it will do. None of a verb that a signal ends without a word.
    fn changes_hosts(&self) -> Option<bool> {
        match self {
            Self::Check(_)
            | Self::Explain(_)
            | Self::Trace(_)
            | Self::Verify(_)
            | Self::Diff(_)
            | Self::Observe(_)
            | Self::Plan(_)
            | Self::Show(_)
            | Self::History(_)
            | Self::Report(_)
            | Self::Drift(_)
            | Self::Schema(_) => Some(false),
            Self::Apply(_) | Self::Rollback(_) | Self::Release(_) => Some(true),
            _ => None,
        }
    }

    fn run(&self, terminal: &terminal::Terminal) -> Result<exit::Exit, error::CliError> {
        match self {
            Self::Init(arguments) => init::run(arguments, terminal),
            Self::Import(arguments) => import::run(arguments, terminal),
            Self::Check(arguments) => check::run(arguments, terminal),
            Self::Render(arguments) => render::run(arguments, terminal),
            Self::Explain(arguments) => explain::run(arguments, terminal),
            Self::Trace(arguments) => trace::run(arguments, terminal),
            Self::Verify(arguments) => verify::run(arguments, terminal),
            Self::Diff(arguments) => diff::run(arguments, terminal),
            Self::Observe(arguments) => observe::run(arguments, terminal),
            Self::Plan(arguments) => plan::run(arguments, terminal),
            Self::Show(arguments) => show::run(arguments, terminal),
            Self::Apply(arguments) if is_plan_file(&arguments.selection.path) => {
                apply_plan::run(arguments, terminal)
            }
            Self::Apply(arguments) => apply::run(arguments, terminal),
            Self::Drift(arguments) => drift::run(arguments, terminal),
            Self::History(arguments) => history::run(arguments, terminal),
            Self::Rollback(arguments) => rollback::run(arguments, terminal),
            Self::Hold(arguments) => hold::run(arguments, terminal),
            Self::Unhold(arguments) => hold::end(arguments, terminal),
            Self::Unlock(arguments) => unlock::run(arguments, terminal),
            Self::Forget(arguments) => forget::run(arguments, terminal),
            Self::Release(arguments) => release::run(arguments, terminal),
            Self::Report(arguments) => report::run(arguments, terminal),
            Self::Schema(arguments) => schema::run(arguments, terminal),
            Self::Completions(arguments) => completions::run(arguments, terminal),
            Self::Postconf { arguments } => postconf::run(arguments, terminal),
        }
    }
}

/// Prints what clap reports. Help and version are data; the rest is wrong usage with exit code 1, because clap's own
/// code 2 means pending changes here.
fn usage(error: &clap::Error) -> exit::Exit {
    if error.use_stderr() {
        // A pipeline may put the name of a branch or a file of a stranger into the arguments.
        let color = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let text = match color {
            true => error.render().ansi().to_string(),
            false => error.render().to_string(),
        };
        // Standard error may be closed, and no other stream could report that.
        let _ = write!(std::io::stderr().lock(), "{}", printed(&text, color));
        exit::Exit::Refused
    } else {
        // A reader that has closed the pipe is no error.
        let _ = error.print();
        exit::Exit::Done
    }
}
