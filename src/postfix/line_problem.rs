//! Faults in single lines of main.cf and master.cf.

/// A fault in a line of main.cf or master.cf that Postfix warns about or dies of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// The line, counted from 1.
    pub line: usize,
    /// What kind.
    pub kind: LineProblemKind,
    /// What is wrong, as a sentence without a full stop.
    pub text: String,
}

/// The kinds of [`LineProblem`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineProblemKind {
    /// No `name = value` in main.cf: every Postfix program dies. No entry in master.cf: master(8) dies.
    Malformed,
    /// An option in braces without its `=`: the service that has it dies whenever it starts.
    BadOption,
    /// The first logical line begins with white space: Postfix skips it and what continues it.
    LeadingBlank,
    /// A second entry with another value: the last one wins.
    Duplicate,
}
