//! Carries one program to a host and one answer back: over ssh2, by the system's `ssh`, or on this host.
//!
//! A transport knows how to log in and become root. It knows nothing of Postfix.

// Becoming root: sudo and doas.
mod become_root;
// A child process and its three streams.
mod child;
// Waiting no longer than until a deadline.
mod deadline;
// Files of this workstation that every connection needs.
pub mod client_files;
// Choosing the transport.
mod connect;
// The state of one exchange.
mod conversation;
// Host keys.
pub mod known_hosts;
// How much a host may send, and for how long.
pub mod limits;
mod memory;
// This host itself.
pub mod local;
// The system's ssh.
pub mod openssh;
// Options of all connections of a run.
mod options;
// What failed logins cost at a server.
mod penalties;
// Passphrases of keys, each asked for once.
mod passphrases;
// What sudo and doas refuse.
mod refusal;
// The interface of all transports.
mod shell;
// The ssh2 crate.
pub mod ssh;
// ssh_config(5).
pub mod ssh_config;

pub use connect::{connect, connecting};
pub use limits::ExchangeLimits;
pub use options::ConnectOptions;
pub use passphrases::{AskPassphrase, Passphrases};
pub use penalties::Penalties;
pub use shell::{ProgramExit, ProgramRequest, ProgramResponse, Shell};
