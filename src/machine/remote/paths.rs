//! Where `murder` keeps its own files on a host.

/// What `murder` manages there, as JSON.
pub(super) const LEDGER: &str = "/var/lib/murder/ledger.json";
/// The beginning of the names of ledgers that a run is about to write; the run's name and `.json` follow.
pub(super) const PENDING: &str = "/var/lib/murder/pending.";
/// The run that is at work, or that ended before its end.
pub(super) const JOURNAL: &str = "/var/lib/murder/journal.json";
/// The report of the last run, until a client has read it.
pub(super) const LAST: &str = "/var/lib/murder/last";

/// The paths of the managed files, one a line, for an observation that cannot read JSON.
pub(super) const PATHS: &str = "/var/lib/murder/paths";

/// The file of one generation.
pub(super) fn history(generation: u64) -> String {
    format!("/var/lib/murder/history/{generation}.json")
}
