//! A machine: eyes ([`Look`]) and hands ([`Act`]) on one host, one exchange each.
//!
//! `plan` holds a `&mut dyn Look`, which cannot write, by its type. Four machines: `ssh` (ssh2),
//! `openssh` (the system's ssh), `local`, which all run the same POSIX sh programs of [`remote`],
//! and `sandbox`, a folder.

pub mod remote;
pub mod sandbox;
// Becoming root: the words before the program.
mod become_root;
// What every way to a host reads of this workstation.
pub mod files;
// Who a host is.
pub mod known_hosts;
// This host itself.
pub mod local;
// The system's ssh.
pub mod openssh;
// A way to run a program: which one, and what all three share.
pub mod shell;
// The ssh2 crate.
pub mod ssh;
// What ssh_config(5) says of a host.
pub mod ssh_config;

use std::time::Duration;

use zeroize::Zeroizing;

use crate::tasks::Task;

pub use crate::exchange::{
    Ending, Expects, Failure, FileOrder, HistoryOrder, HistoryQuestion, KnownFacts, LedgerOrder,
    Observed, Orders, Performed, Questions, RestoreOrder, Tell,
};

/// Why a machine gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// It could not be reached (network, key, login): exit code 4.
    #[error("{}", .0.summary)]
    Unreachable(Failure),
    /// It was reached and something there does not serve (no sudo, no Postfix, garbage): exit code 3.
    #[error("{}", .0.summary)]
    Unfit(Failure),
    /// The connection died after the payload was whole on the host: it finishes by itself.
    #[error("{}", .0.summary)]
    Detached(Failure),
}

/// Eyes: reads a host, writes nothing there, not even a temporary file.
pub trait Look: Send {
    /// One exchange.
    ///
    /// # Errors
    /// [`MachineError`] where there is no answer that can be understood.
    fn observe(&mut self, questions: &Questions) -> Result<Observed, MachineError>;

    /// The same as a task; one that never waits where a machine has nothing else.
    fn observing<'a>(
        &'a mut self,
        questions: &'a Questions,
    ) -> Task<'a, Result<Observed, MachineError>> {
        Box::pin(async move { self.observe(questions) })
    }
}

/// Hands: changes a host, whole or not at all.
pub trait Act: Look {
    /// One exchange.
    ///
    /// # Errors
    /// [`MachineError`] where no report came back.
    fn perform(&mut self, orders: &Orders) -> Result<Performed, MachineError>;
}

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
