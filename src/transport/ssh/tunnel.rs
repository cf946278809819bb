//! A connection through a jump host: a thread copies between a channel of its session and a socket pair.
//!
//! libssh2 needs a socket below each session, and a session belongs to one thread. The thread owns the session of the
//! jump host, and ends when either side ends.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use ssh2::Channel;

use super::connection::Connection;
use super::errors;
use super::hop::Hop;
use super::wire::{Socket, Wire, again, complete, interest};
use crate::exchange::MachineError;
use crate::transport::child::wait;

/// How long the tunnel is quiet before a keepalive message to the jump host.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Bytes that are buffered in each direction.
const BUFFER: usize = 64 * 1024;

/// Connects to `hop` through the jump host `jump`, whose connection the tunnel takes over.
pub(super) async fn open(
    jump: &Hop,
    hop: &Hop,
    connection: Connection,
    deadline: Instant,
) -> Result<Arc<Wire>, MachineError> {
    let channel = complete(&connection.session, &connection.wire, deadline, || {
        connection
            .session
            .channel_direct_tcpip(&hop.address, hop.port, None)
    })
    .await
    .map_err(|error| errors::jump_refused(hop, jump, &error.to_string()))?;
    let failed = |error: std::io::Error| errors::jump_refused(hop, jump, &error.to_string());
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    theirs.set_nonblocking(true).map_err(failed)?;
    let mut tunnel = Tunnel {
        connection,
        channel,
        stream: theirs,
        inward: Buffered::default(),
        outward: Buffered::default(),
        eof_sent: false,
    };
    std::thread::Builder::new()
        .name(format!("tunnel to {hop}"))
        .spawn(move || {
            tunnel.pump();
            let _ = tunnel.stream.shutdown(std::net::Shutdown::Both);
        })
        .map_err(failed)?;
    let wire = Wire::new(Socket::Tunnel(ours)).map_err(failed)?;
    Ok(Arc::new(wire))
}

/// Bytes that were read from one side and not yet written to the other.
#[derive(Default)]
struct Buffered {
    bytes: Vec<u8>,
    sent: usize,
    ended: bool,
}

impl Buffered {
    fn unsent(&self) -> &[u8] {
        self.bytes.get(self.sent..).unwrap_or_default()
    }

    fn fill(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.sent = 0;
    }
}

struct Tunnel {
    connection: Connection,
    channel: Channel,
    stream: UnixStream,
    /// From the host to us.
    inward: Buffered,
    /// From us to the host.
    outward: Buffered,
    eof_sent: bool,
}

/// The operation of the channel that has sent a part of a packet, and must be called again before any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HalfSent {
    No,
    Read,
    Write,
    Eof,
}

impl Tunnel {
    fn pump(&mut self) {
        let mut buffer = vec![0; BUFFER];
        let mut half_sent = HalfSent::No;
        self.connection.session.set_keepalive(true, 15);
        loop {
            half_sent = match self.turn(half_sent, &mut buffer) {
                Ok(half_sent) => half_sent,
                // One side has ended. Closing both tells the other.
                Err(()) => return,
            };
            let all_carried = self.inward.ended && self.inward.unsent().is_empty();
            // The session through the tunnel never ends one direction alone: it is over.
            if all_carried || self.outward.ended || self.connection.wire.flooded() {
                return;
            }
            self.wait_for_either(half_sent);
        }
    }

    fn turn(&mut self, half_sent: HalfSent, buffer: &mut [u8]) -> Result<HalfSent, ()> {
        if half_sent == HalfSent::Read && self.read_channel(buffer)? {
            return Ok(HalfSent::Read);
        }
        if half_sent == HalfSent::Eof && self.send_eof()? {
            return Ok(HalfSent::Eof);
        }
        loop {
            if self.outward.unsent().is_empty() && !self.outward.ended {
                match self.stream.read(buffer) {
                    Ok(0) => self.outward.ended = true,
                    Ok(count) => self.outward.fill(buffer.get(..count).unwrap_or_default()),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => return Err(()),
                }
            }
            if self.outward.unsent().is_empty() {
                break;
            }
            match self.channel.write(self.outward.unsent()) {
                Ok(0) => break,
                Ok(count) => self.outward.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.is_half_sent() {
                        return Ok(HalfSent::Write);
                    }
                    break;
                }
                Err(_) => return Err(()),
            }
        }
        if self.outward.ended
            && self.outward.unsent().is_empty()
            && !self.eof_sent
            && self.send_eof()?
        {
            return Ok(HalfSent::Eof);
        }
        loop {
            while !self.inward.unsent().is_empty() {
                match self.stream.write(self.inward.unsent()) {
                    Ok(count) => self.inward.sent += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(HalfSent::No),
                    Err(_) => return Err(()),
                }
            }
            if self.inward.ended {
                return Ok(HalfSent::No);
            }
            if self.read_channel(buffer)? {
                return Ok(HalfSent::Read);
            }
            if self.inward.unsent().is_empty() {
                return Ok(HalfSent::No);
            }
        }
    }

    /// Reads once into `inward`. True if it has sent a part of a packet.
    fn read_channel(&mut self, buffer: &mut [u8]) -> Result<bool, ()> {
        match self.channel.read(buffer) {
            Ok(0) => {
                self.inward.ended = self.channel.eof();
                Ok(false)
            }
            Ok(count) => {
                self.connection.wire.delivered(count);
                self.inward.fill(buffer.get(..count).unwrap_or_default());
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(self.is_half_sent()),
            Err(_) => Err(()),
        }
    }

    fn send_eof(&mut self) -> Result<bool, ()> {
        match self.channel.send_eof() {
            Ok(()) => {
                self.eof_sent = true;
                Ok(false)
            }
            Err(error) if again(&error) => Ok(self.is_half_sent()),
            Err(_) => Err(()),
        }
    }

    fn is_half_sent(&self) -> bool {
        interest(&self.connection.session).contains(PollFlags::OUT)
    }

    fn wait_for_either(&self, half_sent: HalfSent) {
        // While this side has no room, the other is not read; otherwise poll would return at once.
        let backed_up = !self.inward.unsent().is_empty();
        let window_full = !self.outward.unsent().is_empty();
        let mut session = match half_sent {
            HalfSent::No if backed_up && !window_full => PollFlags::empty(),
            HalfSent::No => PollFlags::IN,
            _ => PollFlags::OUT,
        };
        let mut stream = PollFlags::empty();
        if half_sent == HalfSent::No && self.outward.unsent().is_empty() && !self.outward.ended {
            stream |= PollFlags::IN;
        }
        if half_sent == HalfSent::No && backed_up {
            stream |= PollFlags::OUT;
        }
        let wire = &self.connection.wire;
        let carried = wire.carry(session.contains(PollFlags::IN));
        if carried.inward || (half_sent != HalfSent::No && !carried.outward_waits) {
            return;
        }
        if carried.outward_waits {
            session |= PollFlags::OUT;
        }
        let mut fds = [
            PollFd::from_borrowed_fd(wire.peer(), session),
            PollFd::from_borrowed_fd(self.stream.as_fd(), stream),
        ];
        let started = Instant::now();
        let _ = wait(&mut fds, KEEPALIVE);
        if half_sent == HalfSent::No && started.elapsed() >= KEEPALIVE {
            let _ = self.connection.session.keepalive_send();
        }
    }
}
