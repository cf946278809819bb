//! Why `apply` does not apply a host's plan without a word from the user.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One reason why `apply` refuses a host's plan. A plan always has all of them: flags decide
/// whether `apply` goes on, and never what a plan says or does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// The rule.
    pub kind: RefusalKind,
    /// What and why, in one line.
    pub summary: String,
}

/// The rules by which `apply` refuses.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// A file that is not empty and differs, or a value that the host itself set, was there before `murder` and is replaced.
    Adopt,
    /// The ledger of the host belongs to another murder.
    TakeOver,
    /// More is deleted than a plan usually deletes.
    Delete,
    /// A thing that was changed on the host since the last apply is deleted, restored or rolled back.
    Overwrite,
    /// Postfix is stopped and started.
    Restart,
    /// The host's Postfix has no parameter of a name that the manifest sets.
    UnknownParameter,
    /// Users other than root can exchange a file that is written or deleted.
    ExposedFile,
    /// After the plan, mail is refused, waits or bounces, or strangers relay, because of the configuration as a whole, and it was not so before.
    Fault,
    /// Mail is refused for good, thrown away, bounces or loops after the plan or while hosts are applied, and did not before.
    Bounce,
    /// The host only loses things, and hosts that this apply leaves out have additions that come first.
    EarlyRemoval,
    /// The manifest's revision does not descend from the one that the host has.
    Older,
}

impl RefusalKind {
    /// The flag that lifts it; none where the manifest must change.
    #[must_use]
    pub fn flag(self) -> Option<&'static str> {
        match self {
            Self::Adopt => Some("--adopt"),
            Self::TakeOver => Some("--take-over"),
            Self::Delete => Some("--allow-delete"),
            Self::Overwrite => Some("--allow-overwrite"),
            Self::Restart => Some("--allow-restart"),
            Self::UnknownParameter | Self::ExposedFile => None,
            Self::Fault => Some("--allow-fault"),
            Self::Bounce => Some("--allow-bounce"),
            Self::EarlyRemoval => Some("--allow-early-removal"),
            Self::Older => Some("--allow-older"),
        }
    }
}
