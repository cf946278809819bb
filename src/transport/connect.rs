//! Connects to a host by the transport that its access names.

use async_io::block_on;

use super::become_root::Escalation;
use super::local::Local;
use super::openssh::OpenSsh;
use super::options::ConnectOptions;
use super::shell::Shell;
use super::ssh::Ssh;
use crate::access::{Access, SshClient};
use crate::exchange::MachineError;
use crate::name::HostName;
use crate::secret::Secrets;

/// Connects to a host and logs in.
///
/// # Errors
/// `Unreachable` where the connection, the check of the host key or the login fails; `Unfit` where a secret is missing.
pub fn connect(
    name: &HostName,
    access: &Access,
    options: &ConnectOptions,
    secrets: &Secrets,
) -> Result<Box<dyn Shell>, MachineError> {
    block_on(connecting(name, access, options, secrets))
}

/// The same as a task.
///
/// # Errors
/// As [`connect`].
pub async fn connecting(
    name: &HostName,
    access: &Access,
    options: &ConnectOptions,
    secrets: &Secrets,
) -> Result<Box<dyn Shell>, MachineError> {
    let escalation = Escalation::new(&access.become_, secrets)?;
    if options.local {
        return Ok(Box::new(Local::new(escalation)));
    }
    Ok(match access.client {
        SshClient::OpenSsh => Box::new(OpenSsh::connect(name, access, options, escalation)?),
        SshClient::Ssh2 => {
            Box::new(Ssh::connect(name, access, options, secrets, escalation).await?)
        }
    })
}
