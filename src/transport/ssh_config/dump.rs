//! `ssh -G`: the configuration as the system's own ssh understands it.

use std::process::Command;
use std::time::Duration;

use super::{Environment, Settings, Tokens, Unsupported, not_followed, set};
use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::transport::child;
use crate::transport::shell::ProgramExit;

/// How long `ssh -G` may take. A `Match exec` of the configuration may run a program.
const TIME: Duration = Duration::from_secs(30);

/// Asks; none where there is no `ssh`.
pub(super) fn run_ssh(
    alias: &str,
    user: Option<&str>,
    port: Option<u16>,
    environment: &Environment,
) -> Result<Option<Settings>, MachineError> {
    let mut command = Command::new("ssh");
    command.arg("-G");
    if let Some(config) = &environment.config {
        command.arg("-F").arg(config);
    }
    if let Some(user) = user {
        command.arg("-l").arg(user);
    }
    if let Some(port) = port {
        command.arg("-p").arg(port.to_string());
    }
    let response = match child::run(command.arg("--").arg(alias), TIME) {
        Ok(response) => response,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error.to_string())),
    };
    match &response.exit {
        ProgramExit::Code(0) => {
            let text = String::from_utf8_lossy(&response.stdout);
            parse(alias, &text, environment).map(Some)
        }
        ProgramExit::Lost(why) | ProgramExit::Overrun(why) => Err(failed(why)),
        _ => Err(failed(String::from_utf8_lossy(&response.stderr).trim())),
    }
}

fn failed(detail: &str) -> MachineError {
    MachineError::Unreachable(Failure {
        summary: "`ssh -G` cannot read the SSH configuration".to_owned(),
        detail: Some(detail.to_owned()),
        hint: None,
    })
}

/// Reads `keyword value` lines.
pub(super) fn parse(
    alias: &str,
    text: &str,
    environment: &Environment,
) -> Result<Settings, MachineError> {
    let mut settings = Settings::default();
    let tokens = Tokens { alias, environment };
    for line in text.lines() {
        let Some((keyword, value)) = line.split_once(' ') else {
            continue;
        };
        // `ssh -G` has followed these already, and prints them still.
        if matches!(keyword, "canonicalizehostname" | "addressfamily") && value != "inet6" {
            continue;
        }
        let arguments: Vec<String> = value.split(' ').map(str::to_owned).collect();
        set(&mut settings, keyword, &arguments, &tokens).map_err(|()| {
            let unsupported = Unsupported {
                keyword: keyword.to_owned(),
                place: format!("the SSH configuration of {alias}"),
            };
            not_followed(&unsupported, "and neither does libssh2")
        })?;
    }
    Ok(settings)
}
