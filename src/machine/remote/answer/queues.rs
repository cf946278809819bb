//! What a host says of its queue of mails.

use super::head::Head;
use crate::state::{Queue, Remark};

/// How many mails wait and are being delivered. None if the host does not say.
pub(super) fn queue(head: &Head<'_>) -> Option<Queue> {
    let (deferred, active) = head.words.get("queues")?.split_once(' ')?;
    Some(Queue {
        deferred: deferred.parse().ok()?,
        active: active.parse().ok()?,
    })
}

/// A remark about mails that wait or are being delivered, or about a missing queue directory. None if the queue is empty, or
/// the host does not say.
pub(super) fn remark(head: &Head<'_>) -> Option<Remark> {
    if let Some(directory) = head.words.get("no-queue") {
        return Some(Remark {
            text: format!("`queue_directory` does not exist: {directory}; Postfix cannot start"),
            hint: Some(
                "correct `queue_directory` in main.cf, or mount its file system; Postfix creates the folders below it"
                    .to_owned(),
            ),
        });
    }
    queue(head)?.remark()
}
