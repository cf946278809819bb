//! Hosts over the ssh2 crate: no process for each host, and one connection for all exchanges of a run.
//!
//! A session is never in blocking mode, in which libssh2 can lock up or wait for ever. Each wait has a deadline, and
//! one thread serves the sessions of many hosts meanwhile.

mod connection;
mod dial;
mod errors;
mod exec;
mod handshake;
mod hop;
pub(in crate::transport) mod key_file;
pub(in crate::transport) mod limits;
mod login;
mod relay;
mod route;
mod tcp;
mod tunnel;
mod wire;

use std::time::Instant;

use async_io::block_on;
use ssh2::Channel;

use crate::access::Access;
use crate::exchange::MachineError;
use crate::name::HostName;
use crate::secret::Secrets;
use crate::task::Task;
use crate::transport::become_root::Escalation;
use crate::transport::conversation::Conversation;
use crate::transport::options::ConnectOptions;
use crate::transport::shell::{ProgramExit, ProgramRequest, ProgramResponse, Shell};
use connection::Connection;
use dial::dial;
use exec::{Program, ProgramError};
use hop::Hop;
pub use limits::HandshakeLimits;
use route::Route;

/// A host over ssh2.
pub struct Ssh {
    route: Route,
    options: ConnectOptions,
    escalation: Escalation,
    connection: Option<Connection>,
}

impl std::fmt::Debug for Ssh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ssh")
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}

impl Ssh {
    /// Connects and logs in.
    pub(in crate::transport) async fn connect(
        name: &HostName,
        access: &Access,
        options: &ConnectOptions,
        secrets: &Secrets,
        escalation: Escalation,
    ) -> Result<Self, MachineError> {
        let mut ssh = Self {
            route: route::route(name, access, options, secrets).await?,
            options: options.clone(),
            escalation,
            connection: None,
        };
        ssh.connection = Some(dial(&ssh.route, options).await?);
        Ok(ssh)
    }

    /// Opens a channel on the present connection, or on a new one if that fails. The connection may have died while a
    /// person read the plan, and before the program starts nothing is lost.
    async fn channel(&mut self, deadline: Instant) -> Result<(Channel, &Connection), MachineError> {
        if let Some(connection) = self.connection.take()
            && let Ok(channel) = connection.open_channel(deadline).await
        {
            return Ok((channel, self.connection.insert(connection)));
        }
        let connection = dial(&self.route, &self.options).await?;
        let deadline = Instant::now() + self.target().timeout;
        match connection.open_channel(deadline).await {
            Ok(channel) => Ok((channel, self.connection.insert(connection))),
            Err(detail) => Err(errors::command_refused(self.target(), &detail)),
        }
    }

    fn target(&self) -> &Hop {
        self.route.rest.last().unwrap_or(&self.route.first)
    }

    /// Runs one program on a channel of its own.
    async fn converse(
        &mut self,
        request: &ProgramRequest,
    ) -> Result<ProgramResponse, MachineError> {
        let sudo_prompt = self.escalation.sudo_prompt();
        let command = sudo_prompt.line(&request.command);
        let deadline = Instant::now() + self.target().timeout;
        let (channel, connection) = self.channel(deadline).await?;
        let mut conversation = Conversation::new(request, sudo_prompt);
        let program = Program::new(
            &connection.session,
            &connection.wire,
            channel,
            command,
            &mut conversation,
        );
        match program.run().await {
            Ok(exit) => {
                // The rest of a broken exchange must not reach the next one.
                if matches!(exit, ProgramExit::Lost(_) | ProgramExit::Overrun(_)) {
                    self.connection = None;
                }
                conversation.finish(exit)
            }
            Err(ProgramError::Refused(detail)) => {
                self.connection = None;
                Err(errors::command_refused(self.target(), &detail))
            }
            Err(ProgramError::Ended(error)) => {
                self.connection = None;
                Err(error)
            }
        }
    }
}

impl Shell for Ssh {
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError> {
        block_on(self.converse(request))
    }

    fn exchanging<'a>(
        &'a mut self,
        request: &'a ProgramRequest,
    ) -> Task<'a, Result<ProgramResponse, MachineError>> {
        Box::pin(self.converse(request))
    }
}
