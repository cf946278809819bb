//! What every transport offers: it runs one program on a host and returns its output and exit.

use std::time::Duration;

use zeroize::Zeroizing;

use crate::exchange::MachineError;
use crate::task::Task;

/// One program run on a host: what the three real machines have in common.
#[derive(Debug)]
pub struct ProgramRequest {
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
pub struct ProgramResponse {
    /// Standard output, with whatever noise the host adds.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// How the program ended.
    pub exit: ProgramExit,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramExit {
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
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError>;

    /// The same as a task; one that never waits where a shell has nothing else.
    fn exchanging<'a>(
        &'a mut self,
        request: &'a ProgramRequest,
    ) -> Task<'a, Result<ProgramResponse, MachineError>> {
        Box::pin(async move { self.exchange(request) })
    }
}
