//! Carries bytes between the peer and libssh2, and counts those of the peer.
//!
//! libssh2 reads its socket until nothing is left, inside one call, and keeps packets that nothing asked for. A peer that
//! sends without end would never let such a call return, and fill the memory. So libssh2 has one end of a socket pair,
//! which holds little, and the relay fills the other end between two calls. It stops when the peer has sent more than
//! it was allowed.

use std::io::{self, ErrorKind, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;

/// Bytes that are carried at once.
const PIECE: usize = 32 * 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Relay {
    /// The other end of libssh2's socket.
    session: UnixStream,
    /// Bytes from the session that the peer has not taken yet.
    outward: Pending,
    /// Bytes from the peer that the session has not taken yet.
    inward: Pending,
    /// Bytes that the peer may still send.
    allowance: u64,
    flooded: bool,
    ended: bool,
}

/// What carrying has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carried {
    /// The session has something new to read: bytes, or the end.
    pub(super) inward: bool,
    /// Bytes of the session wait until the peer takes more.
    pub(super) outward_waits: bool,
}

impl Relay {
    /// Returns the relay, and the socket for libssh2.
    pub(super) fn new(allowance: u64) -> io::Result<(Self, UnixStream)> {
        let (session, ours) = UnixStream::pair()?;
        session.set_nonblocking(true)?;
        ours.set_nonblocking(true)?;
        let relay = Self {
            session,
            outward: Pending::default(),
            inward: Pending::default(),
            allowance,
            flooded: false,
            ended: false,
        };
        Ok((relay, ours))
    }

    /// Whether the peer has sent more than it was allowed.
    pub(super) fn flooded(&self) -> bool {
        self.flooded
    }

    /// Whether nothing more will come from the peer.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Sets how many bytes the peer may send from now on.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.allowance = bytes;
    }

    /// Allows more bytes, up to `most` at once.
    pub(super) fn allow_more(&mut self, bytes: u64, most: u64) {
        self.allowance = self.allowance.saturating_add(bytes).min(most);
    }

    /// Carries what can be carried without waiting. It reads from the peer only if `reads`.
    pub(super) fn carry<P>(&mut self, peer: &P, reads: bool) -> Carried
    where
        for<'a> &'a P: io::Read + io::Write,
    {
        let outward_waits = self.carry_outward(peer);
        let waited = self.inward.length();
        let room = self.inward.write_to(&mut &self.session);
        let inward = if waited > 0 {
            // Where there is no room, the session has not read what it has.
            reads || self.inward.length() < waited
        } else {
            reads && room && self.carry_inward(peer)
        };
        Carried {
            inward,
            outward_waits,
        }
    }

    fn carry_outward<P>(&mut self, mut peer: &P) -> bool
    where
        for<'a> &'a P: io::Read + io::Write,
    {
        let mut piece = [0; PIECE];
        loop {
            if !self.outward.write_to(&mut peer) {
                return true;
            }
            if self.outward.failed {
                self.end(Shutdown::Both);
                return false;
            }
            match (&self.session).read(&mut piece) {
                Ok(0) => return false,
                Ok(count) => self.outward.fill(piece.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }

    /// Carries one piece. True if the session has something new.
    fn carry_inward<P>(&mut self, mut peer: &P) -> bool
    where
        for<'a> &'a P: io::Read + io::Write,
    {
        if self.ended {
            return false;
        }
        let mut piece = [0; PIECE];
        match peer.read(&mut piece) {
            Ok(0) => self.end(Shutdown::Write),
            Ok(count) => {
                let size = u64::try_from(count).unwrap_or(u64::MAX);
                if size > self.allowance {
                    self.flooded = true;
                    return false;
                }
                self.allowance -= size;
                self.inward.fill(piece.get(..count).unwrap_or_default());
                self.inward.write_to(&mut &self.session);
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                return false;
            }
            Err(_) => self.end(Shutdown::Write),
        }
        true
    }

    /// Tells the session that the peer has gone.
    fn end(&mut self, how: Shutdown) {
        self.ended = true;
        let _ = self.session.shutdown(how);
    }
}

/// Bytes that one side has sent and the other has not taken.
#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    sent: usize,
    /// The other side takes nothing any more.
    failed: bool,
}

impl Pending {
    fn length(&self) -> usize {
        self.bytes.len().saturating_sub(self.sent)
    }

    fn fill(&mut self, bytes: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        self.sent = 0;
    }

    /// Writes as much as the other side takes. True if nothing is left.
    fn write_to(&mut self, other: &mut impl io::Write) -> bool {
        while let Some(rest) = self.bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match other.write(rest) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => {
                    self.failed = true;
                    self.sent = self.bytes.len();
                }
            }
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A relay, libssh2's end, and the two ends of the peer's connection.
    fn relay(allowance: u64) -> (Relay, UnixStream, UnixStream, UnixStream) {
        let (relay, session) = Relay::new(allowance).unwrap();
        let (ours, peer) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        peer.set_nonblocking(true).unwrap();
        (relay, session, ours, peer)
    }

    #[test]
    fn bytes_pass_both_ways_however_much_waits() {
        let (mut relay, mut session, ours, mut peer) = relay(u64::MAX);
        let large: Vec<u8> = (0..4_usize << 20).map(|i| (i % 251) as u8).collect();
        for inward in [true, false] {
            let (from, to) = if inward {
                (&mut peer, &mut session)
            } else {
                (&mut session, &mut peer)
            };
            let (mut sent, mut received) = (0, Vec::new());
            while received.len() < large.len() {
                sent += from.write(&large[sent..]).unwrap_or(0);
                relay.carry(&ours, true);
                let mut piece = [0; 100_000];
                let count = to.read(&mut piece).unwrap_or(0);
                received.extend_from_slice(&piece[..count]);
            }
            assert!(received == large);
        }
        drop(peer);
        assert!(relay.carry(&ours, true).inward && relay.ended());
        assert_eq!(session.read(&mut [0; 1]).unwrap(), 0);
    }

    #[test]
    fn a_peer_that_sends_more_than_it_may_is_read_no_further() {
        let (mut relay, mut session, ours, mut peer) = relay(10);
        peer.write_all(b"12345").unwrap();
        assert!(relay.carry(&ours, true).inward && !relay.flooded());
        relay.allow_more(100, 6);
        peer.write_all(b"1234567").unwrap();
        assert!(!relay.carry(&ours, true).inward && relay.flooded());
        let mut all = [0; 20];
        assert_eq!(session.read(&mut all).unwrap(), 5);
        assert!(session.read(&mut all).is_err());
    }
}
