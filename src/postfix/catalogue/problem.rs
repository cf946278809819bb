//! A problem that the catalogue finds in a name or a value.

/// A problem with a name or a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, in one line; lower case, no full stop.
    pub summary: String,
    /// The consequence.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// The word of the value that has the problem; none if it is the whole value.
    pub word: Option<String>,
}
