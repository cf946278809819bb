//! Secrets that a program of the client prints.

use std::io;
use std::process::Command;

use super::{MOST, SourceOptions, Text, text_of};
use crate::diagnostic::Diagnostic;
use crate::program::{Bounds, Ended, run};
use crate::secret::CommandSource;

/// Runs the program, if the operator allows it. Its error messages are not shown, as they may hold the secret.
pub(super) fn read(source: &CommandSource, options: SourceOptions) -> Text {
    let shown = source.argv.join(" ");
    if !options.commands {
        return Err(
            Diagnostic::error(format!("the command `{shown}` is not run"))
                .detail("a manifest may name any program")
                .hint("read the command, and allow the manifest's commands by `--allow-commands`"),
        );
    }
    let Some((program, arguments)) = source.argv.split_first() else {
        return Err(Diagnostic::error("the command of a secret has no words"));
    };
    let bounds = Bounds {
        time: source.timeout,
        bytes: MOST,
    };
    let by_hand = || "run it by hand: it must print the secret as one line, and end with status 0";
    match run(Command::new(program).args(arguments), b"", bounds) {
        Ended::Done { status, output, .. } if status.success() => {
            text_of(&output, &format!("the output of `{shown}`"))
        }
        Ended::Done { status, .. } => Err(Diagnostic::error(format!(
            "the command `{shown}` failed: {status}"
        ))
        .detail("its error messages are not shown, as they may hold a secret")
        .hint(by_hand())),
        Ended::NotStarted(error) => Err(not_started(program, &error)),
        Ended::TimedOut => Err(Diagnostic::error(format!(
            "the command `{shown}` did not end within {:?}",
            source.timeout
        ))
        .hint(
            "write `command: {argv: […], timeout: 60s}` if it needs more time; it gets no input",
        )),
        Ended::TooMuch => Err(Diagnostic::error(format!(
            "the command `{shown}` printed more than {MOST} bytes"
        ))
        .hint(by_hand())),
    }
}

/// A program that cannot be started.
pub(super) fn not_started(program: &str, error: &io::Error) -> Diagnostic {
    let problem = Diagnostic::error(format!("the program `{program}` cannot be started"))
        .detail(error.to_string());
    match error.kind() {
        io::ErrorKind::NotFound => {
            problem.hint(format!("install `{program}`, or add its folder to PATH"))
        }
        _ => problem.hint(format!("make `{program}` a program that your user may run")),
    }
}
