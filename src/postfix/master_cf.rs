//! master.cf.

/// master.cf as text and as Postfix understands it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MasterCf {}
