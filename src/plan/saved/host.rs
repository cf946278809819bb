//! One host in a saved plan.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access::SavedAccess;
use super::desired::SavedDesired;
use super::facts::SavedFacts;
use super::ledger::SavedLedger;
use super::pin::Pins;
use super::step::{SavedStep, Saving};
use super::texts::Texts;
use super::unseal::PlanDamage;
use crate::exchange::Expects;
use crate::ledger::{LEDGER_VERSION, Ledger};
use crate::name::{HostName, RoleName, ServiceName};
use crate::plan::{Failure, HeldThing, HostPlan, HostVerdict, Refusal, Verdict};
use crate::secret::mask::mask_secrets;
use crate::service::Service;
use crate::state::{Desired, Live, Maintenance, Queue, Remark};

/// What a saved plan says of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedHost {
    /// The verdict.
    pub verdict: SavedVerdict,
    /// What else the user should know.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Whether Postfix does not run there, although the host is not being retired.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
    /// The things that stay as they are, whatever the manifest says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldThing>,
    /// Hosts that its ledger names and the manifest does not any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<HostName>,
    /// How many mails its Postfix has in its queue. None where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// Its roles.
    pub roles: Vec<RoleName>,
    /// How it is reached.
    pub access: SavedAccess,
}

/// A verdict of a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SavedVerdict {
    /// Desired and live state agree.
    Converged,
    /// They differ.
    Changes(Box<SavedChanges>),
    /// The host is in maintenance: it was not contacted, so the difference is unknown.
    Maintenance(Maintenance),
    /// The host could not be reached, so the difference is unknown.
    Unreachable(Failure),
    /// The host was reached, and could not be understood or planned.
    Failed(Failure),
}

/// What has to be done on one host, and everything that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedChanges {
    /// The steps, in order.
    pub steps: Vec<SavedStep>,
    /// Why `apply` refuses it, unless flags lift all of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// Entries of master.cf that are written whole, with every step on a part of them: their lines.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entries: BTreeMap<Service, BTreeMap<ServiceName, String>>,
    /// What the host must have.
    pub desired: SavedDesired,
    /// The facts by which that was compiled.
    pub facts: SavedFacts,
    /// Its ledger when the plan was made. None if it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<SavedLedger>,
    /// Whether the host keeps a ledger afterwards.
    pub keeps_ledger: bool,
    /// How many generations the host keeps.
    pub keep: u32,
    /// Whether values that may hold secrets are pinned by the host's key. It has none before its first apply.
    pub keyed: bool,
}

/// What one host was compared by: what a saved plan keeps beside the verdict.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What the host must have.
    pub desired: Desired,
    /// The facts by which it was compiled.
    pub facts: SavedFacts,
    /// The pins of its values.
    pub pins: Pins,
    /// Its ledger.
    pub ledger: Option<Ledger>,
}

impl Compared {
    /// What a host was compared by.
    #[must_use]
    pub fn of(desired: &Desired, live: &Live) -> Self {
        Self {
            desired: desired.clone(),
            facts: SavedFacts::of(&live.facts),
            pins: Pins::of(live),
            ledger: live.ledger.clone(),
        }
    }
}

impl SavedChanges {
    /// A host's plan as it is saved, with its texts among `texts`.
    #[must_use]
    pub fn of(plan: &HostPlan, compared: &Compared, texts: &mut Texts) -> Self {
        let pins = &compared.pins;
        let mut saving = Saving { texts, pins };
        Self {
            steps: plan.steps.iter().map(|step| saving.step(step)).collect(),
            refusals: plan.refusals.clone(),
            entries: plan.entries.clone(),
            desired: SavedDesired::of(&compared.desired, texts),
            facts: compared.facts.clone(),
            ledger: compared
                .ledger
                .as_ref()
                .map(|ledger| SavedLedger::of(ledger, pins)),
            keeps_ledger: plan.keeps_ledger,
            keep: plan.keep,
            keyed: pins.is_keyed(),
        }
    }

    /// The plan of the host, to show it. It holds no hashes, so no orders can be made of it.
    fn shown(&self, texts: &Texts) -> Result<HostPlan, PlanDamage> {
        let steps = self.steps.iter();
        let ledger = Ledger {
            version: LEDGER_VERSION,
            murder: String::new(),
            generation: self.ledger.as_ref().map_or(0, |one| one.generation) + 1,
            services: BTreeMap::new(),
            applied: None,
            hosts: Vec::new(),
            facts: None,
            host_key: None,
        };
        Ok(HostPlan {
            steps: steps
                .map(|step| step.shown(texts, &self.desired))
                .collect::<Result<_, PlanDamage>>()?,
            refusals: self.refusals.clone(),
            keeps_ledger: self.keeps_ledger,
            entries: self.entries.clone(),
            keep: self.keep,
            ..HostPlan::empty(ledger, Expects::default())
        })
    }
}

impl SavedHost {
    /// What a plan says of a host, as it is saved. `compared` is there for a host with changes.
    #[must_use]
    pub fn of(
        verdict: &HostVerdict,
        compared: Option<&Compared>,
        roles: Vec<RoleName>,
        access: SavedAccess,
        texts: &mut Texts,
    ) -> Self {
        let remark = |remark: &Remark| Remark {
            text: mask_secrets(&remark.text),
            hint: remark.hint.clone(),
        };
        Self {
            verdict: match (&verdict.verdict, compared) {
                (Verdict::Converged, _) => SavedVerdict::Converged,
                (Verdict::Changes(plan), Some(compared)) => {
                    SavedVerdict::Changes(Box::new(SavedChanges::of(plan, compared, texts)))
                }
                (Verdict::Changes(_), None) => SavedVerdict::Failed(not_compared()),
                (Verdict::Maintenance(one), _) => SavedVerdict::Maintenance(one.masked()),
                (Verdict::Unreachable { error }, _) => SavedVerdict::Unreachable(masked(error)),
                (Verdict::Failed { error }, _) => SavedVerdict::Failed(masked(error)),
            },
            remarks: verdict.remarks.iter().map(remark).collect(),
            stopped: verdict.stopped,
            held: verdict.held.clone(),
            orphans: verdict.orphans.clone(),
            queue: verdict.queue,
            roles,
            access,
        }
    }

    /// What the plan said of the host, to show it.
    ///
    /// # Errors
    /// Where it names a text that the plan does not have.
    pub fn shown(&self, texts: &Texts) -> Result<HostVerdict, PlanDamage> {
        Ok(HostVerdict {
            verdict: match &self.verdict {
                SavedVerdict::Converged => Verdict::Converged,
                SavedVerdict::Changes(changes) => Verdict::Changes(Box::new(changes.shown(texts)?)),
                SavedVerdict::Maintenance(one) => Verdict::Maintenance(one.clone()),
                SavedVerdict::Unreachable(error) => Verdict::Unreachable {
                    error: error.clone(),
                },
                SavedVerdict::Failed(error) => Verdict::Failed {
                    error: error.clone(),
                },
            },
            remarks: self.remarks.clone(),
            stopped: self.stopped,
            held: self.held.clone(),
            orphans: self.orphans.clone(),
            queue: self.queue,
        })
    }

    /// What has to be done on the host. None if there is nothing to do, or if it is not known.
    #[must_use]
    pub fn changes(&self) -> Option<&SavedChanges> {
        match &self.verdict {
            SavedVerdict::Changes(changes) => Some(changes),
            _ => None,
        }
    }
}

fn masked(error: &Failure) -> Failure {
    Failure {
        summary: mask_secrets(&error.summary),
        detail: error.detail.as_deref().map(mask_secrets),
        hint: error.hint.clone(),
    }
}

fn not_compared() -> Failure {
    Failure {
        summary: "what the host was compared by was not kept".to_owned(),
        detail: None,
        hint: Some("please report this as a bug".to_owned()),
    }
}
