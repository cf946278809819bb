//! Carrying one program to a host and one answer back: over ssh2, the system's `ssh`, or on this host.
//!
//! A transport knows how to log in and become root. It knows nothing of Postfix.

// Becoming root: the words before the program.
mod become_root;
// A child process and its three streams.
mod child;
// What every connection reads of this workstation, once.
pub mod client_files;
// Connecting, by the transport that an access names.
mod connect;
// One exchange: what to write next, what was heard, when to give up.
mod conversation;
// Who a host is.
pub mod known_hosts;
// This host itself.
pub mod local;
// The system's ssh.
pub mod openssh;
// What holds for every connection of a run.
mod options;
// Passphrases of keys, asked for once.
mod passphrases;
// The ssh2 crate.
pub mod ssh;
// What ssh_config(5) says of a host.
pub mod ssh_config;

use std::time::Duration;

use zeroize::Zeroizing;

use crate::exchange::MachineError;
use crate::task::Task;

pub use connect::{connect, connecting};
pub use options::ConnectOptions;
pub use passphrases::{AskPassphrase, Passphrases};

/// One program run on a host: what the three real machines have in common.
#[derive(Debug)]
pub struct Request {
    /// The exec line after becoming root, plain enough for any login shell (csh, fish): `exec sh -s`.
    /// The shell that carries it puts `sudo` or `doas` before it.
    pub command: String,
    /// Standard input, whole.
    pub stdin: Zeroizing<Vec<u8>>,
    /// Silence of this long ends the exchange.
    pub timeout: Duration,
}

/// What came back of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Standard output, with whatever noise the host adds.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// How the program ended.
    pub exit: Exit,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// With a code.
    Code(i32),
    /// By a signal, by name.
    Signal(String),
    /// The connection ended before it did.
    Lost(String),
}

/// A way to run a program on a host as root: ssh2, the system's ssh, or here.
pub trait Shell: Send {
    /// Runs one request on the same connection as the last.
    ///
    /// # Errors
    /// `Unreachable` where no connection or login is to be had, `Unfit` where root is not to be had.
    fn exchange(&mut self, request: &Request) -> Result<Response, MachineError>;

    /// The same as a task; one that never waits where a shell has nothing else.
    fn exchanging<'a>(
        &'a mut self,
        request: &'a Request,
    ) -> Task<'a, Result<Response, MachineError>> {
        Box::pin(async move { self.exchange(request) })
    }
}
