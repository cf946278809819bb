//! What every transport offers: it runs one program on a host and returns its output and exit.

use zeroize::Zeroizing;

use crate::exchange::MachineError;
use crate::task::Task;
use crate::transport::limits::ExchangeLimits;

/// One program to run on a host.
#[derive(Debug)]
pub struct ProgramRequest {
    /// The command line, simple enough for any login shell (csh, fish): `exec sh -s`. The transport puts `sudo` or
    /// `doas` before it.
    pub command: String,
    /// All of standard input.
    pub stdin: Zeroizing<Vec<u8>>,
    /// When the exchange ends, whether or not the program has.
    pub limits: ExchangeLimits,
}

/// The output of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramResponse {
    /// Standard output, with banners and whatever else the host adds.
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
    /// By a signal; its name without `SIG`.
    Signal(String),
    /// Unknown, because the connection ended first; the reason.
    Lost(String),
    /// Unknown, because `murder` ended the exchange: it exceeded a limit, and which one.
    Overrun(String),
}

/// A way to run a program on a host as root: ssh2, the system's ssh, or here.
pub trait Shell: Send {
    /// Runs one program, on the same connection as the one before it.
    ///
    /// # Errors
    /// `Unreachable` where the connection or the login fails, `Unfit` where the login cannot become root.
    fn exchange(&mut self, request: &ProgramRequest) -> Result<ProgramResponse, MachineError>;

    /// The same as a task. By default it blocks its thread.
    fn exchanging<'a>(
        &'a mut self,
        request: &'a ProgramRequest,
    ) -> Task<'a, Result<ProgramResponse, MachineError>> {
        Box::pin(async move { self.exchange(request) })
    }
}
