//! One row of the table of what the modules would do in another way.

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Advice {
    /// How bad it is; the lowest number is the worst.
    pub rank: u8,
    /// What the hosts have.
    pub yours: String,
    /// What a module has.
    pub recommended: String,
    /// Why.
    pub why: String,
    /// What to do in the manifest.
    pub line: String,
}

impl Advice {
    /// The rank of a difference of which no harm is known.
    pub const HARMLESS: u8 = 9;

    /// Whether mail is lost, bounced or delayed, or a secret is open.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.rank < Self::HARMLESS
    }
}
