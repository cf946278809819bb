//! What verbs print on standard output: in which form, and with which exit code.

use std::fmt;

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::exit::Exit;
use super::signals;
use super::terminal::Terminal;
use crate::outcome::ApplyResult;
use crate::plan::Plan;
use crate::report::forge::Forge;
use crate::report::markdown::Markdown;
use crate::report::{self, Detail, Summary};
use crate::visible::visible_json;

/// The forms of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
    /// For reviews.
    Markdown,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs: versioned, without secrets.
    Json,
}

impl Format {
    /// The same as the form of a plan.
    fn of_plan(self) -> PlanOutput {
        PlanOutput {
            format: match self {
                Self::Text => PlanFormat::Text,
                Self::Json => PlanFormat::Json,
            },
            diff: Diff::Summary,
            limit: None,
        }
    }
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct PlanOutput {
    /// The format of the plan.
    #[arg(long, value_enum, default_value_t = PlanFormat::Text)]
    pub format: PlanFormat,
    /// How much of each file is shown.
    #[arg(long, value_enum, value_name = "MUCH", default_value_t = Diff::Context)]
    pub diff: Diff,
    /// With `--format markdown`: the longest text, in bytes, or where it is posted: github, gitlab, bitbucket or azure.
    /// What is too long is left out, and named.
    #[arg(long, value_name = "FORGE|BYTES")]
    pub limit: Option<Forge>,
}

impl PlanOutput {
    /// A plan in the form that was asked for. `command` is the one that shows all of it. `mail` is the text about mail, which
    /// [`super::mail_change::with_mail`] adds to the other forms.
    ///
    /// # Errors
    /// If it cannot be serialised, or `--limit` is given for another format than Markdown.
    pub fn plan(
        self,
        plan: &Plan,
        command: &str,
        mail: Option<&str>,
        terminal: &Terminal,
    ) -> Result<String, CliError> {
        self.check()?;
        match self.format {
            PlanFormat::Markdown => {
                let command = self.with_diff(command);
                let how = Markdown {
                    detail: self.diff.into(),
                    forge: self.limit,
                    command: &command,
                    mail,
                };
                written(|text| report::markdown::write_plan(plan, &how, text))
            }
            PlanFormat::Text => text_of_plan(plan, self.diff.into(), terminal.color_out),
            PlanFormat::Json => serialised(report::json::of_plan(plan)),
        }
    }

    /// A command that shows the report, with as much of each file.
    #[must_use]
    pub fn with_diff(self, command: &str) -> String {
        let much = match self.diff {
            Diff::Context => return command.to_owned(),
            Diff::Summary => "summary",
            Diff::Full => "full",
        };
        format!("{command} --diff={much}")
    }

    /// That the flags agree.
    ///
    /// # Errors
    /// If `--limit` is given for another format than Markdown.
    pub fn check(self) -> Result<(), CliError> {
        if self.limit.is_some() && self.format != PlanFormat::Markdown {
            return Err(CliError::message(
                "`--limit` is for `--format markdown` alone",
            ));
        }
        Ok(())
    }
}

/// How much of each file is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Diff {
    /// No contents of files.
    Summary,
    /// The changed lines, with three lines around them.
    Context,
    /// Whole files.
    Full,
}

impl From<Diff> for Detail {
    fn from(diff: Diff) -> Self {
        match diff {
            Diff::Summary => Self::Summary,
            Diff::Context => Self::Context,
            Diff::Full => Self::Full,
        }
    }
}

/// A plan as text for people.
///
/// # Errors
/// None that a plan can cause.
pub fn text_of_plan(plan: &Plan, detail: Detail, color: bool) -> Result<String, CliError> {
    written(|text| report::text::write_plan(plan, detail, color, text))
}

/// What keeps hosts of a plan from being applied, and the summary of the plan, as text.
///
/// # Errors
/// If the text cannot be written.
pub fn text_of_obstacles(plan: &Plan, detail: Detail, color: bool) -> Result<String, CliError> {
    written(|text| report::text::write_obstacles(plan, detail, color, text))
}

/// Prints the outcomes of the hosts, and gives the exit code.
///
/// # Errors
/// If standard output cannot be written; the exit code of the hosts is kept if it is the more serious one.
pub fn applied(
    applied: &ApplyResult,
    plan: &Plan,
    format: Format,
    terminal: &Terminal,
) -> Result<Exit, CliError> {
    let exit = exit_of_applied(applied);
    // The summary of the plan has this already.
    if format == Format::Text && Summary::of(plan).is_converged() {
        return Ok(exit);
    }
    deliver(
        text_of_applied(applied, format.of_plan(), "", terminal),
        exit,
        terminal,
    )
}

/// The exit code of an apply.
#[must_use]
pub fn exit_of_applied(applied: &ApplyResult) -> Exit {
    match Exit::of_applied(applied) {
        Exit::Interrupted => interruption(),
        exit => exit,
    }
}

/// The exit code of a run that a signal ended.
#[must_use]
pub fn interruption() -> Exit {
    match signals::is_terminated() {
        true => Exit::Terminated,
        false => Exit::Interrupted,
    }
}

/// What an apply did, in the form that was asked for. `command` is the one that shows all of it.
///
/// # Errors
/// None that a report can cause.
pub fn text_of_applied(
    applied: &ApplyResult,
    look: PlanOutput,
    command: &str,
    terminal: &Terminal,
) -> Result<String, CliError> {
    match look.format {
        PlanFormat::Json => serialised(report::json::of_apply(applied)),
        PlanFormat::Text => written(|text| {
            let color = terminal.color_out;
            report::applied::write_apply(applied, terminal.verbose, color, text)
        }),
        PlanFormat::Markdown => {
            let how = Markdown {
                detail: look.diff.into(),
                forge: look.limit,
                command,
                mail: None,
            };
            written(|text| report::applied::write_markdown(applied, &how, text))
        }
    }
}

/// Prints what an interrupted apply has done. The program ends right after it, so errors of the output have no place to go.
pub fn interrupted(applied: &ApplyResult, format: Format, terminal: &Terminal) {
    let text = text_of_applied(applied, format.of_plan(), "", terminal);
    let _ = deliver(text, Exit::Interrupted, terminal);
}

/// Prints data, and gives `exit` back.
///
/// # Errors
/// If the data could not be made or standard output cannot be written; `exit` is kept if it is the more serious code.
pub fn deliver(
    text: Result<String, CliError>,
    exit: Exit,
    terminal: &Terminal,
) -> Result<Exit, CliError> {
    text.and_then(|text| print_text(&text, terminal))
        .map(|()| exit)
        .map_err(|error| error.or(exit))
}

/// Prints data for programs, as it is: what no stranger has a part in.
///
/// # Errors
/// If standard output cannot be written.
pub fn print(bytes: &[u8], terminal: &Terminal) -> Result<(), CliError> {
    terminal.print(bytes).map_err(|error| unwritable(&error))
}

/// Prints a text for people, or JSON that [`visible_json`] has made harmless.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_text(text: &str, terminal: &Terminal) -> Result<(), CliError> {
    terminal
        .print_text(text)
        .map_err(|error| unwritable(&error))
}

fn unwritable(error: &std::io::Error) -> CliError {
    CliError::message(format!("cannot write to standard output: {error}"))
}

/// A text that a function writes.
///
/// # Errors
/// Those of the function.
pub fn written(write: impl FnOnce(&mut String) -> fmt::Result) -> Result<String, CliError> {
    let mut text = String::new();
    write(&mut text).map_err(|error| CliError::message(error.to_string()))?;
    Ok(text)
}

/// JSON text; an error of serde_json as an error of the verb.
///
/// # Errors
/// Those of serde_json.
pub fn serialised(json: Result<String, serde_json::Error>) -> Result<String, CliError> {
    json.map(|json| visible_json(&json))
        .map_err(|error| CliError::message(error.to_string()))
}
