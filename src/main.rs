//! The `murder` program: the exit code of what `cli` says.

use std::process::ExitCode;

fn main() -> ExitCode {
    murder::cli::main()
}
