//! A session that is logged in, and the socket below it.

use std::sync::Arc;
use std::time::Instant;

use ssh2::{Channel, Session};

use super::wire::{Wire, complete};

/// A channel's window in bytes. A large one lets 64 MB pass with few adjustments. It takes memory only while the
/// other side sends faster than we read.
const WINDOW: u32 = 2 * 1024 * 1024;

/// Bytes in one packet, as in OpenSSH.
const PACKET: u32 = 32 * 1024;

/// See the module.
pub(super) struct Connection {
    pub(super) session: Session,
    pub(super) wire: Arc<Wire>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // It sends no disconnect message (RFC 4253, 11.1): the end of the stream says the same, and one more packet
        // for each host costs a hundredth of an observation.
        self.wire.cut();
    }
}

impl Connection {
    /// Opens a channel for one program.
    ///
    /// # Errors
    /// The reason, where the server opens none before `deadline`.
    pub(super) async fn open_channel(&self, deadline: Instant) -> Result<Channel, String> {
        complete(&self.session, &self.wire, deadline, || {
            self.session.channel_open("session", WINDOW, PACKET, None)
        })
        .await
        .map_err(|error| error.to_string())
    }
}
