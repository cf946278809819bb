//! Where mail goes: how Postfix rewrites, validates, routes and delivers each address on each host, without asking one.

pub mod address;
mod agent;
mod cleanup;
mod hand_over;
mod host;
mod input;
mod local;
mod local_delivery;
mod maps;
mod murder;
mod nexthop;
mod rcpt;
mod reader;
mod reply;
mod resolve;
mod restrictions;
mod smtpd;
mod smtpd_access;
mod smtpd_recipient;
mod smtpd_settings;
mod stock;
pub mod table;
mod trace;
mod twins;
mod walk;

pub use cleanup::{Cleanup, Rewritten};
pub use host::MailHost;
pub use input::{HostAbilities, HostInput};
pub use maps::Hit;
pub use murder::MailMurder;
pub use reply::Reply;
pub use resolve::{Resolver, Route};
pub use smtpd::{RcptAnswer, SmtpClient};
pub use trace::{Arrival, EndAction, Hop, HopRoute, MailTrace, RouteEnd};
pub use walk::{Circumstances, Entry, RouteMemory};
