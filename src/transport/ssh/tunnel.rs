//! A way through a jump host: a channel of its session, pumped into a socket pair by a thread.
//!
//! libssh2 wants a descriptor below each session, and a session belongs to one thread. The thread owns the jump
//! host's session whole, and ends when either side does.

use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use ssh2::Channel;

use super::Line;
use super::errors;
use super::hop::Hop;
use super::wire::{Socket, Wire, again, interest, through};
use crate::exchange::MachineError;
use crate::transport::child::wait;

/// While nothing flows, the jump host hears from us this often.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// Bytes in flight in either direction.
const BUFFER: usize = 64 * 1024;

/// Opens the way from the jump host `through_hop` to `hop`.
pub(super) async fn dig(
    through_hop: &Hop,
    hop: &Hop,
    line: Line,
    deadline: Instant,
) -> Result<Arc<Wire>, MachineError> {
    let channel = through(&line.session, &line.wire, deadline, || {
        line.session
            .channel_direct_tcpip(&hop.address, hop.port, None)
    })
    .await
    .map_err(|stuck| errors::no_tunnel(hop, through_hop, &stuck.to_string()))?;
    let failed = |error: std::io::Error| errors::no_tunnel(hop, through_hop, &error.to_string());
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    theirs.set_nonblocking(true).map_err(failed)?;
    let mut tunnel = Tunnel {
        line,
        channel,
        stream: theirs,
        inward: Pipe::default(),
        outward: Pipe::default(),
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

/// Bytes that one side has given and the other not yet taken.
#[derive(Default)]
struct Pipe {
    bytes: Vec<u8>,
    taken: usize,
    over: bool,
}

impl Pipe {
    fn waiting(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    fn fill(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.taken = 0;
    }
}

struct Tunnel {
    line: Line,
    channel: Channel,
    stream: UnixStream,
    /// From the host to us.
    inward: Pipe,
    /// From us to the host.
    outward: Pipe,
    eof_sent: bool,
}

/// Which operation of the channel has a packet half sent, and must be called again alone.
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
        self.line.session.set_keepalive(true, 15);
        loop {
            half_sent = match self.turn(half_sent, &mut buffer) {
                Ok(half_sent) => half_sent,
                // Either side is gone; both ends learn it by the cut.
                Err(()) => return,
            };
            if self.inward.over && self.inward.waiting().is_empty() {
                return;
            }
            self.sleep(half_sent);
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
            if self.outward.waiting().is_empty() && !self.outward.over {
                match self.stream.read(buffer) {
                    Ok(0) => self.outward.over = true,
                    Ok(count) => self.outward.fill(buffer.get(..count).unwrap_or_default()),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => return Err(()),
                }
            }
            if self.outward.waiting().is_empty() {
                break;
            }
            match self.channel.write(self.outward.waiting()) {
                Ok(0) => break,
                Ok(count) => self.outward.taken += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if self.is_half_sent() {
                        return Ok(HalfSent::Write);
                    }
                    break;
                }
                Err(_) => return Err(()),
            }
        }
        if self.outward.over
            && self.outward.waiting().is_empty()
            && !self.eof_sent
            && self.send_eof()?
        {
            return Ok(HalfSent::Eof);
        }
        loop {
            while !self.inward.waiting().is_empty() {
                match self.stream.write(self.inward.waiting()) {
                    Ok(count) => self.inward.taken += count,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(HalfSent::No),
                    Err(_) => return Err(()),
                }
            }
            if self.inward.over {
                return Ok(HalfSent::No);
            }
            if self.read_channel(buffer)? {
                return Ok(HalfSent::Read);
            }
            if self.inward.waiting().is_empty() {
                return Ok(HalfSent::No);
            }
        }
    }

    /// Reads once into `inward`; true where a packet of it is half sent.
    fn read_channel(&mut self, buffer: &mut [u8]) -> Result<bool, ()> {
        match self.channel.read(buffer) {
            Ok(0) => {
                self.inward.over = self.channel.eof();
                Ok(false)
            }
            Ok(count) => {
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
        interest(&self.line.session).contains(PollFlags::OUT)
    }

    fn sleep(&self, half_sent: HalfSent) {
        // What has no room here is not read there: or the poll would never sleep.
        let backed_up = !self.inward.waiting().is_empty();
        let window_full = !self.outward.waiting().is_empty();
        let session = match half_sent {
            HalfSent::No if backed_up && !window_full => PollFlags::empty(),
            HalfSent::No => PollFlags::IN,
            _ => PollFlags::OUT,
        };
        let mut stream = PollFlags::empty();
        if half_sent == HalfSent::No && self.outward.waiting().is_empty() && !self.outward.over {
            stream |= PollFlags::IN;
        }
        if half_sent == HalfSent::No && backed_up {
            stream |= PollFlags::OUT;
        }
        let mut fds = [
            PollFd::from_borrowed_fd(self.line.wire.as_fd(), session),
            PollFd::from_borrowed_fd(self.stream.as_fd(), stream),
        ];
        let started = Instant::now();
        let _ = wait(&mut fds, KEEPALIVE);
        if half_sent == HalfSent::No && started.elapsed() >= KEEPALIVE {
            let _ = self.line.session.keepalive_send();
        }
    }
}
