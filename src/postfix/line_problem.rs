//! Faults in single lines of main.cf and master.cf.

/// A fault in a line of main.cf or master.cf: Postfix warns of it, or stops with a fatal error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// The line, counted from 1.
    pub line: usize,
    /// The kind of fault.
    pub kind: LineProblemKind,
    /// What is wrong, as a sentence without a full stop.
    pub text: String,
}

/// The kinds of [`LineProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineProblemKind {
    /// Not `name = value` in main.cf: every Postfix program stops with a fatal error. Not an entry in master.cf: master(8)
    /// stops with one.
    Malformed,
    /// An option in braces without `=`: its service stops with a fatal error at each start.
    BadOption,
    /// The first logical line begins with white space: Postfix skips it and what continues it.
    LeadingBlank,
    /// A second entry with another value: the last one wins.
    Duplicate,
}
