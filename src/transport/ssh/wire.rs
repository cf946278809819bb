//! The socket below a session, and waiting for it.
//!
//! A session is never in blocking mode: there libssh2 has a time limit for each call only, and a peer that sends a
//! byte now and then never reaches it. Here every wait is a [`Wire::ready`] with one deadline for the whole step, and
//! the thread serves other hosts meanwhile.

use std::future::{Future as _, poll_fn};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use async_io::{Async, Timer};
use libssh2_sys::LIBSSH2_ERROR_EAGAIN;
use rustix::event::PollFlags;
use ssh2::{BlockDirections, ErrorCode, Session};

use super::errors;
use super::relay::{Carried, Relay};
use super::tcp;
use crate::exchange::MachineError;
use crate::transport::limits::{FLOOD, LOGIN, OVERHEAD};

/// A socket that the program can wait for, with a deadline. It is that of libssh2; a [`Relay`] connects it with the
/// peer's.
#[derive(Debug)]
pub(super) struct Wire {
    peer: Async<Socket>,
    session: UnixStream,
    relay: Mutex<Relay>,
    alarm: Mutex<Alarm>,
    /// The greeting of the peer: `SSH-2.0-…`.
    greeting: OnceLock<String>,
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

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => (&mut &*stream).read(buffer),
            Socket::Tunnel(stream) => (&mut &*stream).read(buffer),
        }
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => (&mut &*stream).write(bytes),
            Socket::Tunnel(stream) => (&mut &*stream).write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// libssh2 reads and writes its end of the relay.
impl AsRawFd for Wire {
    fn as_raw_fd(&self) -> RawFd {
        self.session.as_raw_fd()
    }
}

impl Wire {
    /// Registers a socket for waiting. The peer may send [`LOGIN`] bytes until [`Self::allow`].
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        let (relay, session) = Relay::new(LOGIN)?;
        Ok(Self {
            peer: Async::new(socket)?,
            session,
            relay: Mutex::new(relay),
            alarm: Mutex::new(Alarm {
                timer: Timer::never(),
                at: None,
            }),
            greeting: OnceLock::new(),
        })
    }

    /// Keeps the greeting of the peer.
    pub(super) fn greeted(&self, greeting: Option<&str>) {
        if let Some(text) = greeting {
            self.greeting.get_or_init(|| text.to_owned());
        }
    }

    /// The greeting of the peer, if its handshake came so far.
    pub(super) fn greeting(&self) -> Option<&str> {
        self.greeting.get().map(String::as_str)
    }

    /// Waits until libssh2's socket is ready for one of `flags`, and at most until `deadline`. It may return early: the
    /// caller tries again, and checks the deadline itself.
    ///
    /// It always lets other tasks run first: a peer that never stops sending must not hold them up.
    pub(super) async fn ready(&self, flags: PollFlags, deadline: Instant) {
        self.alarm().set(deadline);
        let reads = flags.contains(PollFlags::IN);
        let mut readable = reads.then(|| self.peer.readable());
        let mut writable = None;
        let mut first = true;
        poll_fn(|context| {
            loop {
                if self.alarm().poll(context).is_ready() {
                    return Poll::Ready(());
                }
                let readable_now = readable
                    .as_mut()
                    .is_some_and(|wait| Pin::new(wait).poll(context).is_ready());
                let carried = self.carry(readable_now);
                let has_room = flags.contains(PollFlags::OUT) && !carried.outward_waits;
                if carried.inward || has_room || self.relay().flooded() || self.relay().ended() {
                    if first && !readable_now {
                        first = false;
                        context.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    return Poll::Ready(());
                }
                first = false;
                if readable_now {
                    // Another reader of the same wire was faster.
                    readable = Some(self.peer.readable());
                    continue;
                }
                if !carried.outward_waits {
                    return Poll::Pending;
                }
                let wait = writable.get_or_insert_with(|| self.peer.writable());
                if Pin::new(wait).poll(context).is_pending() {
                    return Poll::Pending;
                }
                writable = None;
            }
        })
        .await;
    }

    /// Carries what can be carried without waiting.
    pub(super) fn carry(&self, reads: bool) -> Carried {
        self.relay().carry(self.peer.get_ref(), reads)
    }

    /// The peer's socket, for poll(2).
    pub(super) fn peer(&self) -> BorrowedFd<'_> {
        self.peer.as_fd()
    }

    /// Whether the peer has sent more than it may.
    pub(super) fn flooded(&self) -> bool {
        self.relay().flooded()
    }

    /// The login is over: from now on the peer may send [`OVERHEAD`] bytes in addition to [`Self::delivered`] ones.
    pub(super) fn logged_in(&self) {
        self.relay().allow(OVERHEAD);
    }

    /// Notes bytes that reached their reader. Each packet adds its own to them.
    pub(super) fn delivered(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let with_packets = count.saturating_add(count / 4).saturating_add(64);
        self.relay().allow_more(with_packets, OVERHEAD);
    }

    /// Connects by TCP, to each address of the name in turn.
    pub(super) async fn connect(
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Arc<Self>, MachineError> {
        let failed = |error| errors::connection_failed(host, port, &error);
        let stream = tcp::connect(host, port, deadline).await?;
        let wire = Self::new(Socket::Tcp(stream)).map_err(failed)?;
        Ok(Arc::new(wire))
    }

    /// Shuts the socket down, so that whatever libssh2 still sends at its end returns at once.
    pub(super) fn cut(&self) {
        let _ = match self.peer.get_ref() {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Socket::Tunnel(stream) => stream.shutdown(Shutdown::Both),
        };
        let _ = self.session.shutdown(Shutdown::Both);
    }

    fn relay(&self) -> MutexGuard<'_, Relay> {
        self.relay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alarm(&self) -> MutexGuard<'_, Alarm> {
        self.alarm.lock().unwrap_or_else(PoisonError::into_inner)
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
    /// The peer has sent more than it may.
    Flooded,
    /// libssh2 returned an error.
    Failed(ssh2::Error),
}

impl std::fmt::Display for StepError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TimedOut => f.write_str("timed out"),
            Self::Flooded => f.write_str(FLOOD),
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
        if wire.flooded() {
            return Err(StepError::Flooded);
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
    use std::time::Duration;

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
