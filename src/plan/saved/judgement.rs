//! What a saved plan means for mail, by the directory of the time when it was made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::mail_change::MailChange;

/// Where a directory came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectoryKind {
    /// An export.
    Ldif,
    /// The LDAP servers.
    Ldap,
}

impl DirectoryKind {
    /// The words for it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Ldif => "an LDIF export",
            Self::Ldap => "the LDAP servers",
        }
    }
}

/// What a plan means for mail, as it was judged when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedJudgement {
    /// When: RFC 3339, UTC.
    pub at: String,
    /// By what.
    pub by: DirectoryKind,
    /// What it means. Addresses are in it only if `plan --show-addresses` asked for them.
    pub means: MailChange,
}
