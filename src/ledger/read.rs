//! A ledger's file, read in each format that this program knows.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Applied, KeptFacts, LAST_GENERATION, LEDGER_VERSION, Ledger, Managed, ServiceLedger};
use crate::name::RemotePath;
use crate::service::Service;
use crate::thing::Thing;

/// Why bytes are no ledger that this program can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// A newer `murder` wrote it.
    #[error(
        "has format {format}, and this murder ({version}) reads formats 1 to {LEDGER_VERSION}",
        format = .0,
        version = env!("CARGO_PKG_VERSION")
    )]
    Format(u32),
    /// It is not what any `murder` writes.
    #[error("cannot be read: {0}")]
    Damaged(String),
}

impl LedgerError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Format(_) => "use the `murder` that wrote it, or a newer one",
            Self::Damaged(_) => {
                "restore it from a backup; if you move it away, the next apply counts as the first one"
            }
        }
    }
}

impl Ledger {
    /// Reads a ledger's file. One of format 1 becomes what format 2 says of the same host.
    ///
    /// # Errors
    /// [`LedgerError`] where the format is another one, or the bytes are damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        #[derive(Deserialize)]
        struct Format {
            version: u32,
        }
        let damaged = |error: serde_json::Error| LedgerError::Damaged(error.to_string());
        let Format { version } = serde_json::from_slice(bytes).map_err(damaged)?;
        let ledger: Self = match version {
            1 => serde_json::from_slice(bytes)
                .map(|first: FirstFormat| first.into())
                .map_err(damaged)?,
            LEDGER_VERSION => serde_json::from_slice(bytes).map_err(damaged)?,
            other => return Err(LedgerError::Format(other)),
        };
        if ledger.generation > LAST_GENERATION {
            return Err(LedgerError::Damaged(format!(
                "no murder counts to generation {}",
                ledger.generation
            )));
        }
        Ok(ledger)
    }

    /// The bytes of its file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        // A ledger is a tree of strings and numbers: it always serialises.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }
}

/// Format 1, which knew Postfix alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstFormat {
    #[serde(rename = "version")]
    _version: u32,
    murder: String,
    generation: u64,
    managed: BTreeMap<Thing, Managed>,
    #[serde(default)]
    indexes: BTreeMap<RemotePath, String>,
    #[serde(default)]
    told: Option<String>,
    #[serde(default)]
    applied: Option<Applied>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    facts: Option<KeptFacts>,
}

impl From<FirstFormat> for Ledger {
    fn from(first: FirstFormat) -> Self {
        let postfix = ServiceLedger {
            managed: first.managed,
            indexes: first.indexes,
            activated: first.told,
            holds: BTreeMap::new(),
        };
        Self {
            version: LEDGER_VERSION,
            murder: first.murder,
            generation: first.generation,
            services: [(Service::POSTFIX, postfix)].into(),
            applied: first.applied,
            hosts: first.hosts,
            facts: first.facts,
            host_key: None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const FIRST: &str = r#"{"version":1,"murder":"example.org","generation":3,
        "managed":{"main.cf:relayhost":{"origin":{"adopted":{"value":"[b]"}},"value":"[a]"}},
        "indexes":{"/etc/postfix/transport":"00"},"told":"33",
        "applied":{"by":"a@b","at":"2026-01-01T00:00:00Z","revision":"r"},
        "hosts":["backend[1:3].example.org"]}"#;

    #[test]
    fn format_1_is_read_and_written_as_format_2() {
        let ledger = Ledger::from_bytes(FIRST.as_bytes()).unwrap();
        let postfix = ledger.service(&Service::POSTFIX);
        assert_eq!(postfix.activated.as_deref(), Some("33"));
        assert_eq!(postfix.indexes.len(), 1);
        assert_eq!(postfix.managed.len(), 1);
        assert_eq!(ledger.applied.as_ref().unwrap().by, "a@b");
        let bytes = ledger.to_bytes();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains("\"version\": 2"), "{text}");
        assert!(text.contains("\"postfix\": {"), "{text}");
        assert!(!text.contains("host_key") && !text.contains("plan_digest"));
        assert_eq!(Ledger::from_bytes(&bytes).unwrap(), ledger);
    }

    #[test]
    fn places_are_kept_for_the_host_key_and_the_digest_of_the_plan() {
        let mut ledger = Ledger::from_bytes(FIRST.as_bytes()).unwrap();
        ledger.host_key = Some(crate::ledger::PinningKey::new("k3y".to_owned()));
        ledger.applied.as_mut().unwrap().plan_digest = Some("d1g3st".to_owned());
        let bytes = ledger.to_bytes();
        assert_eq!(Ledger::from_bytes(&bytes).unwrap(), ledger);
        assert!(!format!("{ledger:?}").contains("k3y"));
    }

    #[test]
    fn a_newer_format_is_refused_and_both_versions_are_named() {
        let error = Ledger::from_bytes(br#"{"version":3,"whatever":[]}"#).unwrap_err();
        assert_eq!(error, LedgerError::Format(3));
        let text = error.to_string();
        assert!(
            text.contains("format 3") && text.contains("formats 1 to 2"),
            "{text}"
        );
        assert!(text.contains(env!("CARGO_PKG_VERSION")), "{text}");
        assert!(error.hint().contains("newer"));
    }

    #[test]
    fn what_is_no_ledger_is_damaged() {
        for text in ["", "nonsense", "{}", r#"{"version":2}"#, r#"{"version":1}"#] {
            let error = Ledger::from_bytes(text.as_bytes()).unwrap_err();
            assert!(matches!(error, LedgerError::Damaged(_)), "{text}: {error}");
        }
        // A service of a later murder is not dropped unseen.
        let text = r#"{"version":2,"murder":"x","generation":1,"services":{"cyrus":{}}}"#;
        let error = Ledger::from_bytes(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("`cyrus`"), "{error}");
    }
}
