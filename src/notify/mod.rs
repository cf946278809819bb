//! Notifications of `drift`: one for each distinct drift, and one when it is clean again.
//!
//! What is open and what is not delivered yet is kept in one state file. A message is written there before it is sent, and leaves
//! it after its target took it: a run that is killed at any moment loses none, and the next run repeats it with the same
//! key. A message names hosts and things; it has no value, no text of a file and no mail address.

mod body;
mod notice;
mod outbox;
mod send;
mod target;

pub use body::notification_schema;
pub use notice::{Notice, NoticeKind, Times, notices};
pub use outbox::{Message, Seen, StateFile, state_schema};
pub use send::Sender;
pub use target::{NotifyTarget, TargetKind};
