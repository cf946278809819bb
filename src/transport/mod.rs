//! Carrying one program to a host and one answer back: over ssh2, the system's `ssh`, or on this host.
//!
//! A transport knows how to log in and become root. It knows nothing of Postfix.

// Becoming root: the words before the program.
mod become_root;
// A child process and its three streams.
mod child;
// What every connection reads of this workstation, once.
pub mod client_files;
// Connecting, by the transport that an access names.
mod connect;
// One exchange: what to write next, what was heard, when to give up.
mod conversation;
// Who a host is.
pub mod known_hosts;
// This host itself.
pub mod local;
// The system's ssh.
pub mod openssh;
// What holds for every connection of a run.
mod options;
// Passphrases of keys, asked for once.
mod passphrases;
// What a transport offers: one program in, one answer out.
mod shell;
// The ssh2 crate.
pub mod ssh;
// What ssh_config(5) says of a host.
pub mod ssh_config;

pub use connect::{connect, connecting};
pub use options::ConnectOptions;
pub use passphrases::{AskPassphrase, Passphrases};
pub use shell::{ProgramExit, ProgramRequest, ProgramResponse, Shell};
