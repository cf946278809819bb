//! What a host says of its queue of mails.

use super::head::Head;
use crate::state::Remark;

/// The host counts no further; each count above it means "more".
const MOST: u32 = 10_000;

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
    let (deferred, active) = head.words.get("queues")?.split_once(' ')?;
    let (deferred, active): (u32, u32) = (deferred.parse().ok()?, active.parse().ok()?);
    if deferred == 0 && active == 0 {
        return None;
    }
    Some(Remark {
        text: format!(
            "queue: {} deferred, {} active",
            shown(deferred),
            shown(active)
        ),
        hint: None,
    })
}

fn shown(count: u32) -> String {
    if count > MOST {
        format!("{MOST}+")
    } else {
        count.to_string()
    }
}
