//! Why a host, or the way to it, failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::secret::Secrets;

/// Why something failed on a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// What went wrong, in one line.
    pub summary: String,
    /// The host's own words, with secrets masked.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    /// The same without secrets in the host's own words.
    #[must_use]
    pub fn scrubbed(self, secrets: &Secrets) -> Self {
        Self {
            detail: self.detail.map(|detail| secrets.scrub(&detail)),
            ..self
        }
    }

    /// The same without secrets in any word: for what a connection says, where the host's words stand in the summary.
    #[must_use]
    pub fn scrubbed_whole(self, secrets: &Secrets) -> Self {
        let scrub = |text: String| secrets.scrub(&text);
        Self {
            summary: scrub(self.summary),
            detail: self.detail.map(scrub),
            hint: self.hint.map(scrub),
        }
    }
}

/// Why a machine gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineError {
    /// It could not be reached (network, key, login): exit code 4.
    #[error("{}", .0.summary)]
    Unreachable(Failure),
    /// It was reached, and cannot be used (no sudo, no Postfix, an answer that makes no sense): exit code 3.
    #[error("{}", .0.summary)]
    Unfit(Failure),
    /// The connection was lost after the host had received the whole plan; it completes the apply on its own.
    #[error("{}", .0.summary)]
    Detached(Failure),
}

impl MachineError {
    /// What went wrong.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        match self {
            Self::Unreachable(failure) | Self::Unfit(failure) | Self::Detached(failure) => failure,
        }
    }

    /// The same with another failure.
    #[must_use]
    pub fn map(self, change: impl FnOnce(Failure) -> Failure) -> Self {
        match self {
            Self::Unreachable(failure) => Self::Unreachable(change(failure)),
            Self::Unfit(failure) => Self::Unfit(change(failure)),
            Self::Detached(failure) => Self::Detached(change(failure)),
        }
    }
}
