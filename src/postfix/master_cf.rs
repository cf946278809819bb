//! master.cf.

/// master.cf as text and as Postfix understands it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MasterCf {}

impl MasterCf {
    /// Reads master.cf.
    #[must_use]
    pub fn parse(_text: &[u8]) -> Self {
        Self {}
    }
}
