//! What the catalogue says against a name or a value.

/// What is wrong with a name or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line; lower case, no full stop.
    pub summary: String,
    /// Why that is bad.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}
