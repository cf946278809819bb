//! The `murder` program: returns the exit code of `cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    murder::cli::main()
}
