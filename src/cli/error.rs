//! The error of a verb: what is printed, and the exit code.

use super::exit::Exit;
use super::terminal::Terminal;
use crate::diagnostic::{Diagnostic, Sources};
use crate::name::HostName;
use crate::plan::{Failure, Verdict};
use crate::report::line::write_all;
use crate::report::outcome_words::failure_word;
use crate::report::steps;
use crate::session::SessionError;

/// The error of a verb. [`super::main`] prints it.
#[derive(Debug)]
pub struct CliError {
    exit: Exit,
    problem: Problem,
}

/// What is printed.
#[derive(Debug)]
enum Problem {
    /// The manifest, its secrets or the arguments are wrong.
    Input {
        diagnostics: Vec<Diagnostic>,
        sources: Sources,
    },
    /// A host did not do what was asked.
    Host {
        host: HostName,
        word: &'static str,
        failure: Failure,
    },
    /// A line in the words of another program.
    Verbatim(String),
}

impl CliError {
    /// The manifest or the arguments are wrong, and nothing was contacted; places are in `sources`.
    #[must_use]
    pub fn input(diagnostics: Vec<Diagnostic>, sources: &Sources) -> Self {
        Self::refused(Problem::Input {
            diagnostics,
            sources: sources.clone(),
        })
    }

    /// Arguments are wrong: problems that have no place in a file.
    #[must_use]
    pub fn arguments(diagnostics: Vec<Diagnostic>) -> Self {
        Self::input(diagnostics, &Sources::default())
    }

    /// A problem in one line.
    #[must_use]
    pub fn message(text: impl Into<String>) -> Self {
        Self::arguments(vec![Diagnostic::error(text)])
    }

    /// A line that is printed as it is.
    #[must_use]
    pub fn verbatim(text: impl Into<String>) -> Self {
        Self::refused(Problem::Verbatim(text.into()))
    }

    /// A host did not do what was asked; `word` names the state in short, such as `unreachable`.
    #[must_use]
    pub fn host(host: &HostName, word: &'static str, failure: Failure, exit: Exit) -> Self {
        Self {
            exit,
            problem: Problem::Host {
                host: host.clone(),
                word,
                failure,
            },
        }
    }

    /// The error of a session; places are in `sources`.
    #[must_use]
    pub fn session(error: SessionError, sources: &Sources) -> Self {
        match error {
            SessionError::Input(diagnostics) => Self::input(diagnostics, sources),
            SessionError::Host(host, error) => {
                let exit = Exit::of_verdict(&Verdict::from(error.clone()), Exit::Done);
                let word = failure_word(exit == Exit::Unreachable);
                Self::host(&host, word, error.into_failure(), exit)
            }
        }
    }

    /// The same error with `exit`, if that is the more serious exit code.
    #[must_use]
    pub fn or(self, exit: Exit) -> Self {
        Self {
            exit: self.exit.or(exit),
            ..self
        }
    }

    fn refused(problem: Problem) -> Self {
        Self {
            exit: Exit::Refused,
            problem,
        }
    }

    /// The exit code that it has.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Prints it to standard error, and gives the exit code.
    #[must_use]
    pub fn print(&self, terminal: &Terminal) -> Exit {
        match &self.problem {
            Problem::Input {
                diagnostics,
                sources,
            } => terminal.diagnostics(diagnostics, sources),
            Problem::Host {
                host,
                word,
                failure,
            } => {
                let lines = steps::of_failure(word, failure);
                let mut text = format!("{host}\n");
                // Writing into a String cannot fail.
                let _ = write_all(&lines, &mut text, terminal.color_err);
                terminal.report(&text);
            }
            Problem::Verbatim(text) => terminal.report(text),
        }
        self.exit
    }
}
