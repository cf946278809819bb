//! A live file: what `murder observe` found on the hosts, so that a plan can be made without keys and without secrets.
//!
//! It may be published under the same rules as a saved plan. Its digest detects accidents; its text is as hostile as that of
//! a host, and is read with the same limits.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::exchange::{
    Failure, HostRecord, LIVE_FORMAT as FORMAT, MachineError, OtherFile, PLAN_FORMAT, sealed,
    unsealed,
};
use crate::ledger::Ledger;
use crate::machine::recorded::Recorded;
use crate::name::HostName;
use crate::plan::{activation_by, is_loaded};
use crate::service::Service;
use crate::state::{Desired, Live};

/// The version of the format, `MAJOR.MINOR`.
const FORMAT_VERSION: &str = "1.0";
/// What the ledger of a service says that has not loaded what it has now: no hash.
const NOT_LOADED: &str = "not loaded";

/// What was found on the hosts of a murder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LiveFileDocument {
    /// `murder-live`.
    pub format: String,
    /// `MAJOR.MINOR`.
    pub format_version: String,
    /// The `murder` that made it, with its version.
    pub made_by: String,
    /// The manifest's `murder`.
    pub murder: String,
    /// By host.
    pub hosts: BTreeMap<HostName, HostObservation>,
}

/// The same with the digest, for the schema.
#[derive(JsonSchema)]
#[schemars(title = "A live file of murder", deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is used")]
struct SealedLiveFile {
    /// `sha256:` and SHA-256 of all bytes of the file but these digits.
    digest: String,
    /// `murder-live`.
    format: String,
    /// `MAJOR.MINOR`.
    format_version: String,
    /// The `murder` that made it, with its version.
    made_by: String,
    /// The manifest's `murder`.
    murder: String,
    /// By host.
    hosts: BTreeMap<HostName, HostObservation>,
}

/// What became of the observation of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostObservation {
    /// It answered.
    Observed(Box<HostRecord>),
    /// It could not be reached.
    Unreachable(Failure),
    /// It was reached, and could not be understood or compared.
    Failed(Failure),
}

/// The JSON Schema of a live file.
#[must_use]
pub fn live_schema() -> serde_json::Value {
    schemars::schema_for!(SealedLiveFile).to_value()
}

/// Why a file is no live file that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LiveFileDamage {
    /// Its bytes are not those that were written.
    #[error("was edited: its digest does not match")]
    Edited,
    /// It has nothing in it.
    #[error("is empty")]
    Empty,
    /// It begins as a live file does.
    #[error("is not whole: its end is missing")]
    CutOff,
    /// It is something else.
    #[error("is no live file: it is {}", .0.words())]
    Other(OtherFile),
    /// Another `murder` wrote it, or it is something else.
    #[error(
        "has format {format}, and this murder ({version}) reads {FORMAT} {FORMAT_VERSION}",
        format = .0,
        version = env!("CARGO_PKG_VERSION")
    )]
    Format(String),
    /// It is whole, and this `murder` cannot use what it says.
    #[error("cannot be read: {0}")]
    Damaged(String),
}

impl LiveFileDamage {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Format(_) => {
                "use the `murder` that made it, or make a new one with `murder observe --out FILE`"
            }
            Self::Other(OtherFile::SavedPlan) => {
                "`murder show FILE` shows a plan; make a live file with `murder observe --out FILE`"
            }
            Self::Edited | Self::Empty | Self::CutOff | Self::Other(_) | Self::Damaged(_) => {
                "make a new one with `murder observe --out FILE`"
            }
        }
    }
}

impl LiveFileDocument {
    /// A live file of these hosts.
    #[must_use]
    pub fn new(murder: String, hosts: BTreeMap<HostName, HostObservation>) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION.to_owned(),
            made_by: format!("murder {}", env!("CARGO_PKG_VERSION")),
            murder,
            hosts,
        }
    }

    /// The bytes of its file, and their digest.
    ///
    /// # Errors
    /// None that a document can cause; serde's, passed on.
    pub fn to_bytes(&self) -> Result<(Vec<u8>, String), serde_json::Error> {
        serde_json::to_vec(self).map(|document| sealed(&document))
    }

    /// Reads a live file.
    ///
    /// # Errors
    /// [`LiveFileDamage`] where it was edited, has another format, or cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LiveFileDamage> {
        #[derive(Deserialize)]
        struct Versioned {
            format: String,
            format_version: String,
        }
        let damaged = |error: serde_json::Error| LiveFileDamage::Damaged(error.to_string());
        let (document, _) = unsealed(bytes).ok_or_else(|| match OtherFile::of(bytes) {
            OtherFile::Empty => LiveFileDamage::Empty,
            OtherFile::CutOff => LiveFileDamage::CutOff,
            OtherFile::LiveFile => LiveFileDamage::Edited,
            other => LiveFileDamage::Other(other),
        })?;
        let said: Versioned = serde_json::from_slice(&document).map_err(damaged)?;
        if said.format == PLAN_FORMAT {
            return Err(LiveFileDamage::Other(OtherFile::SavedPlan));
        }
        if said.format != FORMAT || said.format_version != FORMAT_VERSION {
            let format = format!("{} {}", said.format, said.format_version);
            return Err(LiveFileDamage::Format(format));
        }
        let document: Self = serde_json::from_slice(&document).map_err(damaged)?;
        for (host, observation) in &document.hosts {
            let HostObservation::Observed(record) = observation else {
                continue;
            };
            for ledger in record.ledger.iter().chain(&record.pending) {
                // As strict as with a ledger that comes from the host.
                Ledger::from_bytes(&ledger.to_bytes()).map_err(|error| {
                    LiveFileDamage::Damaged(format!("the ledger of `{host}` {error}"))
                })?;
            }
        }
        Ok(document)
    }

    /// A host as it was observed.
    ///
    /// # Errors
    /// If the file does not have it, or it could not be observed.
    pub fn machine(&self, host: &HostName) -> Result<Recorded, MachineError> {
        match self.hosts.get(host) {
            Some(HostObservation::Observed(record)) => Ok(Recorded::new(live_of(record))),
            Some(HostObservation::Unreachable(failure)) => {
                Err(MachineError::Unreachable(failure.clone()))
            }
            Some(HostObservation::Failed(failure)) => Err(MachineError::Unfit(failure.clone())),
            None => Err(MachineError::Unfit(Failure {
                summary: "the live file does not have this host".to_owned(),
                detail: None,
                hint: Some(
                    "observe it, once it is in the manifest: `murder observe --out FILE`"
                        .to_owned(),
                ),
            })),
        }
    }
}

/// The record of a host; `desired` says where its files hold secrets.
#[must_use]
pub fn record_of(desired: &Desired, live: &Live) -> HostRecord {
    let ledgers = live.ledger.iter();
    let services = ledgers.flat_map(|ledger| &ledger.services);
    let loaded = services.filter(|(name, service)| is_loaded(name, service, live));
    let loaded: Vec<Service> = loaded.map(|(name, _)| name.clone()).collect();
    HostRecord::of(desired, live, loaded.into_iter().collect())
}

/// The live state of a record.
fn live_of(record: &HostRecord) -> Live {
    let mut live = record.live();
    let Some(mut ledger) = live.ledger.take() else {
        return live;
    };
    for (name, service) in &mut ledger.services {
        if service.activated.is_some() {
            let by_now = activation_by(name, service, &live);
            let loaded = record.loaded.contains(name);
            service.activated = Some(if loaded {
                by_now
            } else {
                NOT_LOADED.to_owned()
            });
        }
    }
    live.ledger = Some(ledger);
    live
}
