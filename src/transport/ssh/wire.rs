//! The socket below a session, and waiting for it.
//!
//! A session is never in blocking mode: there libssh2 has a time limit for each call only, and a peer that sends a
//! byte now and then never reaches it. Here every wait is a [`Wire::ready`] with one deadline for the whole step, and
//! the thread serves other hosts meanwhile.

use std::future::{Future as _, poll_fn};
use std::io;
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_io::{Async, Timer};
use blocking::unblock;
use libssh2_sys::LIBSSH2_ERROR_EAGAIN;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use ssh2::{BlockDirections, ErrorCode, Session};

use super::errors;
use crate::exchange::MachineError;

/// How long a connection is quiet before the kernel sends a keepalive probe. A firewall forgets quiet connections,
/// and a person may read a plan for long before the answer.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long sent bytes may stay without acknowledgement before the peer counts as dead.
const USER_TIMEOUT_MILLISECONDS: u32 = 60_000;

/// A socket that the program can wait for, with a deadline.
#[derive(Debug)]
pub(super) struct Wire {
    socket: Async<Socket>,
    alarm: Mutex<Alarm>,
}

/// The timer of a wire.
///
/// Setting a timer costs three system calls, as it wakes the thread that waits for events. So it is set again only
/// where it would go off after the deadline; a wait may end early.
#[derive(Debug)]
struct Alarm {
    timer: Timer,
    at: Option<Instant>,
}

impl Alarm {
    /// Ensures that it goes off at `deadline` or earlier.
    fn set(&mut self, deadline: Instant) {
        if self.at.is_none_or(|at| at > deadline) {
            self.timer.set_at(deadline);
            self.at = Some(deadline);
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let gone_off = Pin::new(&mut self.timer).poll(context).map(|_| ());
        if gone_off.is_ready() {
            self.at = None;
        }
        gone_off
    }
}

/// A TCP connection, or a tunnel through a jump host.
#[derive(Debug)]
pub(super) enum Socket {
    /// Direct.
    Tcp(TcpStream),
    /// Our end of a socket pair. A thread copies between the other end and the jump host.
    Tunnel(UnixStream),
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Tunnel(stream) => stream.as_fd(),
        }
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Wire {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl Wire {
    /// Registers a socket for waiting.
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        Ok(Self {
            socket: Async::new(socket)?,
            alarm: Mutex::new(Alarm {
                timer: Timer::never(),
                at: None,
            }),
        })
    }

    /// Waits until the socket is ready for one of `flags`, and at most until `deadline`. It may return early: the
    /// caller tries again, and checks the deadline itself.
    pub(super) async fn ready(&self, flags: PollFlags, deadline: Instant) {
        self.alarm().set(deadline);
        let mut readable = flags
            .contains(PollFlags::IN)
            .then(|| self.socket.readable());
        let mut writable = flags
            .contains(PollFlags::OUT)
            .then(|| self.socket.writable());
        poll_fn(|context| {
            if let Some(wait) = &mut readable
                && Pin::new(wait).poll(context).is_ready()
            {
                return Poll::Ready(());
            }
            if let Some(wait) = &mut writable
                && Pin::new(wait).poll(context).is_ready()
            {
                return Poll::Ready(());
            }
            self.alarm().poll(context)
        })
        .await;
    }

    fn alarm(&self) -> MutexGuard<'_, Alarm> {
        self.alarm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects by TCP, to each address of the name in turn.
    pub(super) async fn connect(
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Arc<Self>, MachineError> {
        let addresses = addresses(host, port)
            .await
            .map_err(|error| errors::name_not_resolved(host, &error))?;
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            if Instant::now() >= deadline {
                last = io::ErrorKind::TimedOut.into();
                break;
            }
            match connect_to(&address, deadline).await {
                Ok(wire) => return Ok(wire),
                Err(error) => last = error,
            }
        }
        Err(errors::connection_failed(host, port, &last))
    }

    /// Shuts the socket down, so that whatever libssh2 still sends at its end returns at once.
    pub(super) fn cut(&self) {
        let _ = match self.socket.get_ref() {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Socket::Tunnel(stream) => stream.shutdown(Shutdown::Both),
        };
    }
}

/// The addresses of a name. A text that is an address needs no resolver.
async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = host.to_owned();
    unblock(move || Ok((host.as_str(), port).to_socket_addrs()?.collect())).await
}

/// Connects without blocking the thread, which the standard library cannot do.
async fn connect_to(address: &SocketAddr, deadline: Instant) -> io::Result<Arc<Wire>> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    let begun = rustix::net::connect(&socket, address);
    let stream = TcpStream::from(socket);
    tune(&stream);
    let wire = Arc::new(Wire::new(Socket::Tcp(stream))?);
    match begun {
        Ok(()) => return Ok(wire),
        Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    loop {
        wire.ready(PollFlags::OUT, deadline).await;
        rustix::net::sockopt::socket_error(&wire)??;
        // A socket without an error may still be connecting.
        match rustix::net::getpeername(&wire) {
            Ok(_) => return Ok(wire),
            Err(Errno::NOTCONN) if Instant::now() < deadline => {}
            Err(Errno::NOTCONN) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "connection timed out",
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sets `TCP_NODELAY`, as each step of the handshake would otherwise wait for a delayed acknowledgement, and
/// keepalives. Errors are ignored: a socket without these options works too.
fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_socket_keepalive(stream, true);
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::net::sockopt::set_tcp_keepidle(stream, KEEPALIVE);
        let _ = rustix::net::sockopt::set_tcp_keepintvl(stream, KEEPALIVE);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, USER_TIMEOUT_MILLISECONDS);
    }
}

/// Whether the call must be repeated once the socket is ready.
pub(super) fn again(error: &ssh2::Error) -> bool {
    error.code() == ErrorCode::Session(LIBSSH2_ERROR_EAGAIN)
}

/// What a session waits for: to read, to write, or both.
pub(super) fn interest(session: &Session) -> PollFlags {
    match session.block_directions() {
        BlockDirections::Outbound => PollFlags::OUT,
        BlockDirections::Both => PollFlags::IN | PollFlags::OUT,
        BlockDirections::Inbound | BlockDirections::None => PollFlags::IN,
    }
}

/// Why a step of libssh2 failed.
#[derive(Debug)]
pub(super) enum StepError {
    /// The deadline has passed.
    TimedOut,
    /// libssh2 returned an error.
    Failed(ssh2::Error),
}

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut => f.write_str("timed out"),
            Self::Failed(error) => f.write_str(error.message()),
        }
    }
}

/// Repeats a step of libssh2 until it is complete.
pub(super) async fn complete<T>(
    session: &Session,
    wire: &Arc<Wire>,
    deadline: Instant,
    mut step: impl FnMut() -> Result<T, ssh2::Error>,
) -> Result<T, StepError> {
    loop {
        match step() {
            Ok(value) => return Ok(value),
            Err(error) if again(&error) => {}
            Err(error) => return Err(StepError::Failed(error)),
        }
        if Instant::now() >= deadline {
            return Err(StepError::TimedOut);
        }
        wire.ready(interest(session), deadline).await;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use async_io::block_on;

    use super::*;

    #[test]
    fn a_wait_ends_at_its_own_deadline_whatever_the_one_before_had() {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let wire = Wire::new(Socket::Tunnel(ours)).unwrap();
        let waits_until = |deadline: Instant| {
            // As every caller does: a wait may end early, and is repeated then.
            while Instant::now() < deadline {
                block_on(wire.ready(PollFlags::IN, deadline));
            }
        };
        let start = Instant::now();
        let hour = start + Duration::from_secs(3600);
        // The socket can be written to, so this one ends at once and leaves its timer set.
        block_on(wire.ready(PollFlags::IN | PollFlags::OUT, hour));
        for milliseconds in [40, 20, 60] {
            waits_until(start + Duration::from_millis(milliseconds));
        }
        peer.write_all(b"x").unwrap();
        block_on(wire.ready(PollFlags::IN, hour));
        assert!(start.elapsed() < Duration::from_secs(60));
    }
}
