//! Where notifications go: `KIND:ADDRESS`.

use std::fmt;
use std::str::FromStr;

/// The kind of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// The whole message as JSON.
    Json,
    /// A Slack webhook, or one that takes the same form (Mattermost, Rocket.Chat).
    Slack,
    /// A generic webhook of Matrix' hookshot.
    Matrix,
    /// A check of healthchecks.io or of an own instance: pinged at the begin and the end of every run.
    Healthchecks,
    /// Alertmanager's API, version 2.
    Alertmanager,
    /// A mail by the local sendmail(1).
    Mail,
}

/// One target.
#[derive(Clone, PartialEq, Eq)]
pub struct NotifyTarget {
    /// How it is spoken to.
    pub kind: TargetKind,
    /// The URL, which may hold a secret, or a mail address.
    address: String,
}

impl NotifyTarget {
    /// The URL or address, or where it is read from.
    ///
    /// # Errors
    /// If it is in a file that cannot be read.
    pub fn address(&self) -> Result<String, String> {
        let Some(path) = self.address.strip_prefix("file:") else {
            return Ok(self.address.clone());
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read its address from {path}: {error}"))?;
        Ok(text.trim().to_owned())
    }
}

/// The address may hold a secret.
impl fmt::Debug for NotifyTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:***", self.kind.word())
    }
}

impl TargetKind {
    /// Its word on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Slack => "slack",
            Self::Matrix => "matrix",
            Self::Healthchecks => "healthchecks",
            Self::Alertmanager => "alertmanager",
            Self::Mail => "mail",
        }
    }
}

impl FromStr for NotifyTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, address) = text.split_once(':').unwrap_or((text, ""));
        let kinds = [
            TargetKind::Json,
            TargetKind::Slack,
            TargetKind::Matrix,
            TargetKind::Healthchecks,
            TargetKind::Alertmanager,
            TargetKind::Mail,
        ];
        let kind = kinds.into_iter().find(|kind| kind.word() == word);
        let Some(kind) = kind else {
            return Err(
                "the kind is none of json, slack, matrix, healthchecks, alertmanager, mail"
                    .to_owned(),
            );
        };
        let is_file = address
            .strip_prefix("file:")
            .is_some_and(|path| !path.is_empty());
        let is_url = ["http://", "https://"]
            .iter()
            .any(|scheme| address.len() > scheme.len() && address.starts_with(scheme));
        let is_mail = address.contains('@')
            && !address.starts_with('-')
            && address.bytes().all(|byte| byte.is_ascii_graphic());
        let fits = match kind {
            TargetKind::Mail => is_file || is_mail,
            _ => is_file || is_url,
        };
        if !fits {
            return Err(format!(
                "`{word}:` needs {} or file:PATH behind it",
                if kind == TargetKind::Mail {
                    "a mail address"
                } else {
                    "a URL (http or https)"
                }
            ));
        }
        Ok(Self {
            kind,
            address: address.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_target_is_a_kind_and_an_address() {
        for good in [
            "json:http://127.0.0.1:1/x",
            "slack:https://hooks.example.org/T/B/x",
            "slack:file:/run/x",
            "mail:ops@example.org",
        ] {
            let target: NotifyTarget = good.parse().unwrap();
            assert!(!format!("{target:?}").contains("example"), "{good}");
        }
        for bad in [
            "",
            "json",
            "json:",
            "json:ftp://x",
            "pager:http://x",
            "mail:ops",
            "mail:-t@x",
            "slack:file:",
        ] {
            assert!(bad.parse::<NotifyTarget>().is_err(), "{bad}");
        }
    }
}
