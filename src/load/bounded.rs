//! Runs a program of this client, of which only the output counts.

use std::process::Command;

pub(super) use crate::program::Bounds;
use crate::program::{self, Ended};

/// What a program printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Printed {
    /// All of it; the program ended with success.
    Whole(Vec<u8>),
    /// More than was allowed; the program was killed.
    TooMuch,
}

/// Runs a program with `input` on its standard input. Gives nothing where it cannot be started, fails, or takes too long.
pub(super) fn run(command: &mut Command, input: &[u8], bounds: Bounds) -> Option<Printed> {
    match program::run(command, input, bounds) {
        Ended::Done { status, output, .. } if status.success() => {
            Some(Printed::Whole(output.to_vec()))
        }
        Ended::TooMuch => Some(Printed::TooMuch),
        Ended::Done { .. } | Ended::NotStarted(_) | Ended::TimedOut => None,
    }
}
