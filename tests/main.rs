//! One test binary; each module tells one story.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

// What the running program lets others see of it.
mod guard;
// Every report is as its schema says.
mod reports;
// Laws of the house: dependencies, changelog, documents.
mod architecture;
// Our postconf against the real one.
mod postconf;
// Wrong manifests, each with the message it must give.
mod cases;
// Values that Postfix would die of, judged beforehand.
mod values;
// Hosts of ranges that are also written by themselves.
mod ranges;
// What an editor is told of a manifest.
mod schema;
// What `check` and `explain` say of manifests that work.
mod lints;
// Each file is opened once.
mod load;
mod mail_change;
// Lookup tables of each type against the real postmap.
mod mail_diff;
mod mail_saved;
mod postmap;
// Cyrus over LMTP on TCP.
mod lmtp;
// The keys of `ldap:` in the tables of each host.
mod directory;
// The shipped modules and what they render.
mod modules;
// Real sshd on loopback, real ssh clients.
mod ssh;
// Functions of the sh programs, without a host.
mod shell;
// The sh programs under dash, bash and BusyBox.
mod remote;
// Hosts in the styles of real sites: each note and refusal.
mod styles;
// From hosts that run to a manifest.
mod import;
// Plans and applies on sandboxes, through the program itself.
mod sandbox;
// What becomes of folded values and comments.
mod layout;
mod ldap;
// Signals in the middle of verbs that only read.
mod interrupted;
// What a host remembers: history, rollback, unlock, release.
mod history;
// What a host says of itself is data about that host alone.
mod forged;
// The format of the ledger, older and newer.
mod ledger;
// Plans as files: saved, shown, applied.
mod saved;
// What two manifests want differently, and by which line.
mod diff;
// What a run tells while it runs.
mod events;
// Live files, and plans from them.
mod live;
// Several runners: shards, waves, one report.
mod shards;
// Manifests and sandboxes of strangers.
mod strangers;
// The problems of a manifest for forges.
mod findings;
// No secret is printed or kept.
mod taint;
// Rules that every host must keep.
mod planted;
mod policies;
// Where secrets come from.
mod secrets;
// `--untrusted`, and what the operator names.
mod untrusted;
// What a stranger says steers nothing.
mod printed;
mod program;
// How plans read: groups, ranges, no text twice.
mod reading;
// What the tests of mail routes share.
mod routes;
// Consents with hosts, interrupted applies.
mod consents;
// Reports that a slow reader or a signal cuts.
mod cut_off;
// Where mail goes, without a host.
mod trace;
// What is wrong with routes and directories.
mod verify;
// What docs/findings.md promises.
mod finding_pages;
// Failures that were seen in the field.
mod known_failures;
// Verbs, flags, exit codes, output.
mod verbs;
// The files below docs/integrations.
mod integrations;
mod pipelines;
