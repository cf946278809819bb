//! Hosts by the system's own `ssh`, for what libssh2 does not support: host certificates, FIDO keys, Kerberos,
//! `ProxyCommand`.
//!
//! `ssh` checks known_hosts and reads its configuration itself. One master connection lives as long as the object; its
//! socket is in a folder that only this user can enter. Each exchange is a channel of it, so only the first needs a
//! handshake. With `BatchMode`, `ssh` never asks for anything.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use async_io::block_on;

use crate::access::Access;
use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::name::HostName;
use crate::transport::become_root::Escalation;
use crate::transport::child;
use crate::transport::conversation::Conversation;
use crate::transport::limits::{LOGIN_TIMEOUTS, beginning};
use crate::transport::options::ConnectOptions;
use crate::transport::penalties;
use crate::transport::shell::{ProgramExit, ProgramRequest, ProgramResponse, Shell};

/// The exit code of `ssh` if it failed itself (ssh(1), EXIT STATUS), and also if a signal ended the program.
const OWN_FAILURE: i32 = 255;

/// How long an idle master connection lives if `murder` was killed and cannot end it.
const ORPHAN_LIFE: Duration = Duration::from_secs(600);

/// How long a master connection may take to end.
const STOP: Duration = Duration::from_secs(10);

/// See the module.
#[derive(Debug)]
pub struct OpenSsh {
    arguments: Vec<String>,
    address: String,
    /// Holds the socket; deleted with the object.
    folder: tempfile::TempDir,
    timeout: Duration,
    escalation: Escalation,
    connected: bool,
}

impl OpenSsh {
    /// Connects and logs in.
    pub(in crate::transport) fn connect(
        name: &HostName,
        access: &Access,
        options: &ConnectOptions,
        escalation: Escalation,
    ) -> Result<Self, MachineError> {
        if access.password.is_some() {
            return Err(unreachable(
                "the system's `ssh` cannot take a password from `murder`".to_owned(),
                "",
                "use a key or an agent, or `ssh: {client: ssh2}`",
            ));
        }
        let folder = tempfile::Builder::new()
            .prefix("murder-")
            .tempdir()
            .map_err(|error| {
                unreachable(
                    "cannot create a temporary folder for the SSH connection".to_owned(),
                    &error.to_string(),
                    "check `TMPDIR`",
                )
            })?;
        let address = access.address.clone().unwrap_or_else(|| name.to_string());
        let mut shell = Self {
            arguments: arguments(access, options, &folder)?,
            address,
            folder,
            timeout: access.connect_timeout,
            escalation,
            connected: false,
        };
        // The system's `ssh` knows the port; one address has one sshd nearly always.
        // Behind a jump host, that one may be the sshd that refuses: all hosts behind it count together.
        let first = access.jump.as_deref().unwrap_or(&shell.address);
        let server = format!("{first} by ssh");
        let user = access.user.as_deref().unwrap_or_default();
        let attempt = block_on(options.penalties.begin(&server, user));
        let waited = attempt.waited;
        match shell.start_master() {
            Ok(()) => {
                attempt.succeeded();
                Ok(shell)
            }
            Err((cost, error)) => {
                if let Some(cost) = cost {
                    attempt.failed(cost, None);
                }
                Err(penalties::explained(error, waited))
            }
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("s")
    }

    /// Starts the master connection. With `-f`, `ssh` forks after the login: its exit means that the master is ready.
    ///
    /// # Errors
    /// What a failure costs at an sshd with penalties, if it met one, and the error.
    fn start_master(&mut self) -> Result<(), (Option<Duration>, MachineError)> {
        let mut command = self.ssh();
        command
            .args(["-f", "-N", "-M", "-o"])
            .arg(format!("ControlPersist={}", ORPHAN_LIFE.as_secs()))
            .args(["--", &self.address]);
        // Several addresses, a proxy command and the login each take time.
        let time = self.timeout.saturating_mul(LOGIN_TIMEOUTS);
        let response =
            child::run(&mut command, time).map_err(|error| (None, not_started(&error)))?;
        match response.exit {
            ProgramExit::Code(0) => {
                self.connected = true;
                Ok(())
            }
            ProgramExit::Lost(why) | ProgramExit::Overrun(why) => Err((
                None,
                unreachable(
                    format!("cannot connect to {} by ssh", self.address),
                    &why,
                    "check that sshd runs there and that no firewall blocks the port",
                ),
            )),
            _ => {
                let words = String::from_utf8_lossy(&response.stderr);
                Err((cost(&words), refused(&self.address, &words)))
            }
        }
    }

    fn ssh(&self) -> Command {
        let mut command = Command::new("ssh");
        command.args(&self.arguments).arg("-S").arg(self.socket());
        command
    }

    fn stop_master(&mut self) {
        if !self.connected {
            return;
        }
        self.connected = false;
        let mut command = self.ssh();
        command.args(["-O", "exit", "--", &self.address]);
        let _ = child::run(&mut command, STOP);
    }
}

impl Drop for OpenSsh {
    fn drop(&mut self) {
        self.stop_master();
    }
}

impl Shell for OpenSsh {
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        // The connection may have died. Nothing has started yet, so a new one loses nothing.
        if !self.socket().exists() {
            // Whoever logged in once has no failed login to count.
            self.start_master().map_err(|(_, error)| error)?;
        }
        let sudo_prompt = self.escalation.sudo_prompt();
        let mut command = self.ssh();
        command
            .args(["-o", "ControlMaster=no", "--", &self.address])
            .arg(sudo_prompt.line(&request.command));
        let child = child::spawn(&mut command).map_err(|error| not_started(&error))?;
        let response = child::converse(child, Conversation::new(request, sudo_prompt))?;
        let stderr = String::from_utf8_lossy(&response.stderr);
        let broken = [
            "mux_client",
            "Broken pipe",
            "closed by remote host",
            "Timeout, server",
        ];
        if response.exit == ProgramExit::Code(OWN_FAILURE)
            && broken.iter().any(|word| stderr.contains(word))
        {
            let why = stderr.lines().last().unwrap_or_default().to_owned();
            return Ok(ProgramResponse {
                exit: ProgramExit::Lost(why),
                ..response
            });
        }
        Ok(response)
    }
}

/// The arguments of the master and of each exchange. The manifest precedes the user's configuration.
fn arguments(
    access: &Access,
    options: &ConnectOptions,
    folder: &tempfile::TempDir,
) -> Result<Vec<String>, MachineError> {
    let ssh = access;
    let mut arguments: Vec<String> = ["-T", "-a", "-x", "-e", "none"].map(str::to_owned).into();
    let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
    option("ClearAllForwardings=yes".to_owned());
    option("RemoteCommand=none".to_owned());
    if let Some(key) = &ssh.host_key {
        let file = folder.path().join("known_hosts");
        write(&file, &format!("* {key}\n"), "`ssh.host_key`")?;
        option(format!("UserKnownHostsFile={}", file.display()));
        option("GlobalKnownHostsFile=none".to_owned());
        option("StrictHostKeyChecking=yes".to_owned());
    }
    if ssh.identity_file.is_some() {
        option("IdentitiesOnly=yes".to_owned());
    }
    if let Some(port) = ssh.port {
        option(format!("Port={port}"));
    }
    if let Some(user) = &ssh.user {
        option(format!("User={user}"));
    }
    let mut config = options.environment.config.clone();
    if let Some(jump) = &ssh.jump {
        option(format!("ProxyJump={jump}"));
        let file = folder.path().join("config");
        write(&file, &for_all_hops(access, options), "`ssh.jump`")?;
        config = Some(file);
    } else {
        every_hop(access, options).into_iter().for_each(option);
    }
    if let Some(config) = config {
        arguments.extend(["-F".to_owned(), config.display().to_string()]);
    }
    Ok(arguments)
}

/// The options for the host and its jump hosts, as in the ssh2 client: `ssh` asks nothing, and the key of the host may
/// open the jump host.
fn every_hop(access: &Access, options: &ConnectOptions) -> Vec<String> {
    let ssh = access;
    let strict = if options.accept_new {
        "accept-new"
    } else {
        "yes"
    };
    let mut settings: Vec<String> = [
        "BatchMode=yes",
        "PermitLocalCommand=no",
        "UpdateHostKeys=no",
        "ServerAliveInterval=15",
    ]
    .map(str::to_owned)
    .into();
    settings.push(format!(
        "ConnectTimeout={}",
        ssh.connect_timeout.as_secs().max(1)
    ));
    settings.push(format!("StrictHostKeyChecking={strict}"));
    if let Some(file) = &ssh.known_hosts {
        settings.push(format!("UserKnownHostsFile=\"{}\"", file.display()));
    }
    if let Some(file) = &ssh.identity_file {
        settings.push(format!("IdentityFile=\"{}\"", file.display()));
    }
    if let Some(agent) = &options.environment.agent {
        settings.push(format!("IdentityAgent=\"{}\"", agent.display()));
    }
    settings
}

/// The same options as a configuration file: `ssh` passes that, and no option of its command line, to the `ssh` that it
/// starts for a jump host. It includes the user's and the system's files, since `-F` replaces them.
fn for_all_hops(access: &Access, options: &ConnectOptions) -> String {
    let includes = match &options.environment.config {
        Some(config) => vec![format!("\"{}\"", config.display())],
        None => vec!["~/.ssh/config".to_owned(), "/etc/ssh/ssh_config".to_owned()],
    };
    every_hop(access, options)
        .into_iter()
        .chain(includes.iter().map(|file| format!("Include {file}")))
        .map(|line| line + "\n")
        .collect()
}

fn write(file: &Path, text: &str, what: &str) -> Result<(), MachineError> {
    std::fs::write(file, text).map_err(|error| {
        unreachable(
            format!("cannot write {what} for ssh"),
            &error.to_string(),
            "check `TMPDIR`",
        )
    })
}

fn unreachable(summary: String, detail: &str, hint: &str) -> MachineError {
    MachineError::Unreachable(Failure {
        summary,
        detail: Some(detail.to_owned()).filter(|text| !text.is_empty()),
        hint: Some(hint.to_owned()),
    })
}

fn not_started(error: &std::io::Error) -> MachineError {
    unreachable(
        "cannot start the system's `ssh`".to_owned(),
        &error.to_string(),
        "install it (openssh-client), or use `ssh: {client: ssh2}`",
    )
}

/// What a failed connection costs at an sshd with penalties, by the words of `ssh`; none where it met no sshd.
fn cost(words: &str) -> Option<Duration> {
    let has = |needle: &str| words.contains(needle);
    if has("Permission denied") || has("Too many authentication failures") {
        Some(penalties::REFUSED_LOGIN)
    } else if has("Host key verification failed") || has("REVOKED HOST KEY") {
        Some(penalties::NO_LOGIN)
    } else {
        None
    }
}

/// The error for what `ssh` printed, and what to do about it.
fn refused(address: &str, words: &str) -> MachineError {
    let words = beginning(words);
    let has = |needle: &str| words.contains(needle);
    let (what, hint) = if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        (
            "has another key than known_hosts",
            "if the host was reinstalled, remove the old line; if not, an attacker may intercept the connection",
        )
    } else if has("REVOKED HOST KEY") || has("is marked as revoked") {
        (
            "has a key that known_hosts revokes",
            "do not connect: a revoked key may be known to an attacker",
        )
    } else if has("Host key verification failed") {
        (
            "is not in any known_hosts file",
            "compare its fingerprint, then run once with `--accept-new`, or set `ssh.host_key`",
        )
    } else if has("Permission denied") || has("Too many authentication failures") {
        (
            "does not accept the login",
            "set `ssh.identity_file`, or load the key into the agent",
        )
    } else if has("UNKNOWN port") {
        (
            "cannot be reached through its jump host",
            "run `ssh` to the jump host with the same login: `ssh` hides here what the jump host said",
        )
    } else if has("Could not resolve hostname") {
        ("has no address", "set `ssh.address`")
    } else if has("Connection refused") {
        ("refuses connections", "check that sshd runs there")
    } else {
        (
            "cannot be reached by ssh",
            "run `ssh` to it with the same login",
        )
    };
    unreachable(format!("{address} {what}"), &words, hint)
}
