//! Why a search has no result.

/// Why a search has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchError {
    /// No entry has the name of the base (noSuchObject).
    NoSuchObject,
    /// The base is not a distinguished name (invalidDNSyntax).
    BadName,
}
