//! What a user should know about a host beside its differences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something about a host that is no difference but that the user should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    /// The fact.
    pub text: String,
    /// What to do about it; a command where there is one.
    pub hint: Option<String>,
}
