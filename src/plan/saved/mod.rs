//! A plan as a value: a file that is reviewed, signed off, and applied exactly.
//!
//! The file is one JSON document: its digest, a header, and a body. The body is a pure function of manifest, facts and
//! live state: it has no clock, no user and no order of arrival, so that the same input gives the same bytes. It may be
//! published: texts are masked, and no hash of bytes that may hold a secret is in it. Such bytes are pinned by the key of
//! their host ([`Pin`]). A reader of the file needs no manifest: how each host is reached, what it must have, and the order
//! of the waves are in it.

mod access;
mod compare;
mod desired;
mod facts;
mod host;
mod judgement;
mod ledger;
mod pin;
mod schema;
mod step;
mod texts;
mod unseal;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use access::{SavedAccess, SavedBecome};
pub use desired::{SavedDesired, SavedDesiredService, SavedFile, SavedNote, SavedPiece};
pub use facts::{SavedFacts, SavedParameters};
pub use host::{Compared, SavedChanges, SavedHost, SavedVerdict};
pub use judgement::{DirectoryKind, SavedJudgement};
pub use ledger::{SavedEntry, SavedLedger, SavedOrigin};
pub use pin::{Identity, Pin, Pins, SavedValue};
pub use schema::plan_schema;
pub use step::{SavedFileState, SavedStep};
pub use texts::{TextId, Texts};
pub use unseal::{PlanDamage, is_no_manifest, is_saved_plan};

use super::{OwnNames, Plan, RefusalKind};
use crate::glob::matches;
use crate::model::Rollout;
use crate::name::{HostName, RoleName};
use crate::secret::{SecretName, SecretSource};

/// What the file says that it is.
pub const FORMAT: &str = crate::exchange::PLAN_FORMAT;
/// The version of the format, `MAJOR.MINOR`.
pub const FORMAT_VERSION: &str = "1.0";

/// A plan that is saved, or was.
#[derive(Debug, Clone)]
pub struct SavedPlan {
    /// What it was made from.
    pub header: PlanHeader,
    /// What it says.
    pub body: PlanBody,
    /// The texts of its files.
    pub texts: Texts,
    /// SHA-256 of all bytes of its file but these digits. Empty before it is written.
    pub digest: String,
}

/// What a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanHeader {
    /// The `murder` that made it, with its version.
    pub made_by: String,
    /// The git commit of the manifest. None where it is not known.
    pub revision: Option<String>,
    /// Whether files of the manifest were not committed.
    pub dirty: bool,
    /// The refusals that were lifted when it was made: the flag, and the patterns of hosts that it holds for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub consents: BTreeMap<String, Vec<String>>,
    /// What it means for mail. None where it was not judged by a directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<SavedJudgement>,
}

/// What a plan says: the same bytes for the same manifest, facts and live state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanBody {
    /// The manifest's `murder`.
    pub murder: String,
    /// The hosts of the murder as their ledgers keep them, as names and ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roster: Vec<String>,
    /// For each role, the roles that are applied before it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub after: BTreeMap<RoleName, Vec<RoleName>>,
    /// How the hosts of a role are taken in turn.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rollout: BTreeMap<RoleName, SavedRollout>,
    /// Where the secrets come from that its files and logins name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "BTreeMap<String, SecretSource>")]
    pub secrets: BTreeMap<SecretName, SecretSource>,
    /// What it says of each host.
    pub hosts: BTreeMap<HostName, SavedHost>,
    /// What is each host's own besides its name. Hosts that differ in nothing else are shown together.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_names: BTreeMap<HostName, OwnNames>,
}

/// How the hosts of a role are taken in turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedRollout {
    /// How many at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
    /// Seconds between batches.
    pub pause: u64,
    /// How many go first, alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<u32>,
    /// By how many the deferred mails of one of them may rise before no further hosts begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_deferred: Option<u32>,
}

impl From<&Rollout> for SavedRollout {
    fn from(rollout: &Rollout) -> Self {
        Self {
            serial: rollout.serial,
            pause: rollout.pause.as_secs(),
            canary: rollout.canary,
            max_deferred: rollout.max_deferred,
        }
    }
}

impl From<&SavedRollout> for Rollout {
    fn from(saved: &SavedRollout) -> Self {
        Self {
            serial: saved.serial,
            pause: Duration::from_secs(saved.pause),
            canary: saved.canary,
            max_deferred: saved.max_deferred,
        }
    }
}

impl PlanHeader {
    /// The revision as ledgers have it: the commit, with `-dirty` where files were not committed; empty if it is not known.
    #[must_use]
    pub fn revision_text(&self) -> String {
        let commit = self.revision.clone().unwrap_or_default();
        match self.dirty {
            true => commit + "-dirty",
            false => commit,
        }
    }

    /// Whether a refusal was lifted on a host when the plan was made.
    #[must_use]
    pub fn lifts(&self, host: &HostName, kind: RefusalKind) -> bool {
        let patterns = kind.flag().and_then(|flag| self.consents.get(flag));
        let mut patterns = patterns.into_iter().flatten();
        patterns.any(|pattern| matches(pattern, host.as_str()))
    }
}

impl SavedPlan {
    /// The bytes of its file, and their digest.
    ///
    /// # Errors
    /// None that a plan can cause; serde's, passed on.
    pub fn to_bytes(&self) -> Result<(Vec<u8>, String), serde_json::Error> {
        unseal::sealed(self)
    }

    /// Reads a plan's file.
    ///
    /// # Errors
    /// [`PlanDamage`] where it was edited, has another format, or cannot be read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanDamage> {
        unseal::unsealed(bytes)
    }

    /// The plan, to show it. It holds no hashes, so no orders can be made of it.
    ///
    /// # Errors
    /// Where it names a text that it does not have.
    pub fn shown(&self) -> Result<Plan, PlanDamage> {
        let hosts = self.body.hosts.iter();
        Ok(Plan {
            murder: self.body.murder.clone(),
            hosts: hosts
                .map(|(name, host)| Ok((name.clone(), host.shown(&self.texts)?)))
                .collect::<Result<_, PlanDamage>>()?,
            own_names: self.body.own_names.clone(),
        })
    }
}

/// The document of a plan's file, without the digest before it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanDocument {
    /// `murder-plan`.
    format: String,
    /// `MAJOR.MINOR`.
    format_version: String,
    /// What it was made from.
    header: PlanHeader,
    /// What it says.
    body: PlanBody,
    /// The texts of its files; steps and bodies name them by their places, counted from 0.
    texts: Vec<Arc<str>>,
}

/// The same with the digest, for the schema.
#[derive(JsonSchema)]
#[schemars(title = "A saved plan of murder", deny_unknown_fields)]
#[allow(dead_code, reason = "only its schema is used")]
struct SealedDocument {
    /// `sha256:` and SHA-256 of all bytes of the file but these digits.
    digest: String,
    /// `murder-plan`.
    format: String,
    /// `MAJOR.MINOR`.
    format_version: String,
    /// What it was made from.
    header: PlanHeader,
    /// What it says.
    body: PlanBody,
    /// The texts of its files; steps and bodies name them by their places, counted from 0.
    texts: Vec<String>,
}

impl PlanDocument {
    fn of(plan: &SavedPlan) -> Self {
        Self {
            format: FORMAT.to_owned(),
            format_version: FORMAT_VERSION.to_owned(),
            header: plan.header.clone(),
            body: plan.body.clone(),
            texts: plan.texts.all().to_vec(),
        }
    }

    fn plan(self, digest: String) -> SavedPlan {
        SavedPlan {
            header: self.header,
            body: self.body,
            texts: Texts::of(self.texts),
            digest,
        }
    }
}
