//! `murder`: a declarative applier for the Postfix side of a Cyrus IMAP murder.
//!
//! The order of the modules is the direction of the dependencies: a module uses only
//! those declared above it, and `tests/architecture.rs` enforces that.

// Names that are valid by their type, secrets that cannot be printed, and places in a source.
pub mod name;

pub mod lmtp;

pub mod visible;

pub mod nearest;

pub mod glob;

pub mod calendar;

pub mod thing;

pub mod service;

pub mod secret;

pub mod diagnostic;

pub mod digest;

pub mod every_core;

// Postfix's own files, read, edited and compared as Postfix does.
pub mod postfix;

// An LDAP directory as data.
pub mod directory;

// How a host is reached; what it records for `murder`, what it must have, and what it has.
pub mod access;

pub mod ledger;

pub mod state;

pub mod history;

// What goes to a host and what comes back.
pub mod exchange;

// Pure core: text to manifest, manifest to murder, murder to desired, difference to plan.
pub mod manifest;

pub mod policy;

pub mod model;

pub mod module;

pub mod compile;

pub mod plan;

pub mod comparison;

pub mod outcome;

// Who changed a host.
pub mod attribution;

pub mod mail;

pub mod verify;

pub mod report;

// Shell: files, machines, many hosts at once, one run, and the terminal.
pub mod root_folder;

pub mod program;

pub mod http;

pub mod replace_file;

pub mod secret_source;

pub mod load;

pub mod directory_source;

pub mod task;

pub mod transport;

pub mod machine;

pub mod fleet;

pub mod session;

pub mod import;

pub mod notify;

pub mod cli;
