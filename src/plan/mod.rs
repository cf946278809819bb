//! The difference between what a host has and what it must have, as a value.
//!
//! The serde form of these types is complete and reads back equal. It holds hashes of files that may hold secrets, so it
//! never leaves the program: [`saved`] has the form of a plan's file, and `report::json` makes the form to show.

mod cleanup;
mod condition;
mod diff;
mod direction;
mod generation;
mod hold;
mod live_texts;
pub mod mail_change;
mod orders;
mod own_names;
mod questions;
mod refusal;
mod release;
mod reload_hash;
pub mod saved;

pub use cleanup::sweep;
pub use condition::Condition;
pub use diff::{DiffInput, compare, diff, reads_alike, unreadable};
pub use direction::{Direction, direction};
pub use hold::{HeldThing, end_holds, hold_changes, with_hold};
pub use orders::{order_ledger, orders};
pub use own_names::OwnNames;
pub use questions::questions;
pub use refusal::{Refusal, RefusalKind};
pub use release::{forgets, release};
pub use reload_hash::{activation_after, activation_by, is_loaded};

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::exchange::{Expects, Failure, Run};
use crate::history::{KEPT, Snapshot};
use crate::ledger::Ledger;
use crate::name::{HostName, Parameter, RemotePath, ServiceName, TableType};
use crate::service::Service;
use crate::state::{File, Maintenance, Probes, Queue, References, Remark};
use crate::thing::Thing;

/// What happens to one thing. A thing that stays as it is is not in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Change<T> {
    /// It does not exist yet.
    Create {
        /// As the plan makes it.
        after: T,
    },
    /// It exists and differs.
    Update {
        /// As it is: also the step's precondition.
        before: T,
        /// As the plan makes it.
        after: T,
    },
    /// It must not exist.
    Delete {
        /// As it is.
        before: T,
    },
}

/// Why a thing changes. It is for the reader of a plan and changes no decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The manifest or a module changed.
    Wanted,
    /// It was changed on the host since the last apply.
    Drift,
    /// It is no longer in the manifest.
    Unnamed,
    /// The first apply replaces the host's own value.
    FirstContact,
    /// The host is retired.
    Retired,
    /// A rollback restores it: it is not managed now, and was in that generation.
    Restored,
    /// A rollback removes it: that generation does not have it.
    AbsentInGeneration,
}

impl<T> Change<T> {
    /// The same change, with each value replaced by `form` of it.
    #[must_use]
    pub fn map<'a, U>(&'a self, mut form: impl FnMut(&'a T) -> U) -> Change<U> {
        match self {
            Self::Create { after } => Change::Create { after: form(after) },
            Self::Update { before, after } => Change::Update {
                before: form(before),
                after: form(after),
            },
            Self::Delete { before } => Change::Delete {
                before: form(before),
            },
        }
    }
}

/// A file in a plan: its text only in masked form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Its masked text. None if the host did not send it.
    pub text: Option<String>,
    /// Hash of its bytes, for the precondition. Never shown: the bytes may hold a secret.
    pub sha256: String,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Permission bits.
    pub mode: crate::name::Mode,
    /// Whether its text holds a secret.
    pub secret: bool,
    /// Why its text is not shown, although the host sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
    /// The file that the path leads to, if it is a symbolic link or a directory on the way is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Why the text of a host's file is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// `murder` does not manage the file, and some users of the host cannot read it: so its text is not for those who read
    /// a plan.
    Private,
    /// The texts of all hosts together are too long to be kept.
    TooLong,
}

/// Why an index is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IndexReason {
    /// Its source changes in this plan.
    SourceChanges,
    /// It does not exist.
    Missing,
    /// It is older than its source, or was built from another source.
    Stale,
    /// It was written after the last apply, and has other entries than its source.
    OtherEntries,
}

/// Why Postfix is reloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReloadReason {
    /// This plan changes something that it reads.
    ConfigurationChanges,
    /// An earlier apply changed something and did not reload it.
    NotToldYet,
}

#[allow(
    clippy::large_enum_variant,
    reason = "a host's plan has a few dozen steps, most of them files"
)]
/// One step of a host's plan. The order of the variants is the order of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// The leftovers of an apply that did not end are removed.
    Sweep {
        /// Its run, as its journal or its leftovers name it.
        run: String,
    },
    /// A file is created or updated.
    File {
        /// Of which service.
        service: Service,
        /// Where.
        path: RemotePath,
        /// What.
        change: Change<FileState>,
        /// Why.
        cause: Cause,
        /// What is written, with the places of its secrets. None for a file that is restored.
        file: Option<File>,
    },
    /// An index is built (postmap(1), or postalias(1) for an alias file).
    Index {
        /// Of which service.
        service: Service,
        /// The table's source.
        source: RemotePath,
        /// Its type.
        table_type: TableType,
        /// Whether its source is an alias file (aliases(5)).
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        aliases: bool,
        /// Why.
        reason: IndexReason,
    },
    /// A service entry, field, option (master.cf), or parameter (main.cf). Services come first.
    Value {
        /// Of which service.
        service: Service,
        /// Which.
        thing: Thing,
        /// What; a service entry is its line in one-blank form.
        change: Change<String>,
        /// Why.
        cause: Cause,
    },
    /// `postfix check`.
    Check {
        /// Of which service.
        service: Service,
    },
    /// `postfix reload`.
    Reload {
        /// Of which service.
        service: Service,
        /// Why.
        reason: ReloadReason,
    },
    /// Stop and start, for parameters that a reload does not reach.
    Restart {
        /// Of which service.
        service: Service,
        /// Which.
        parameters: Vec<Parameter>,
    },
    /// Addresses are asked over SMTP.
    Probe {
        /// Of which service.
        service: Service,
        /// The addresses.
        probes: Probes,
    },
    /// A file and its index are deleted, after the reload.
    Delete {
        /// Of which service.
        service: Service,
        /// Where.
        path: RemotePath,
        /// As it is.
        before: FileState,
        /// Why.
        cause: Cause,
        /// The type of the index that is deleted with it.
        index_type: Option<TableType>,
    },
    /// A thing that is already correct is recorded: only the ledger changes.
    TakeOver {
        /// Of which service.
        service: Service,
        /// Which.
        thing: Thing,
    },
    /// The entry of a thing is removed from the ledger; the thing stays as it is.
    Release {
        /// Of which service.
        service: Service,
        /// Which.
        thing: Thing,
    },
}

/// What has to be done on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostPlan {
    /// The steps, in order; never empty.
    pub steps: Vec<Step>,
    /// Why `apply` refuses it, unless flags lift all of these.
    pub refusals: Vec<Refusal>,
    /// The ledger as it will be, but for who applied and when: orders add that.
    pub ledger: Ledger,
    /// Whether the host keeps a ledger afterwards: not once it is retired and nothing is managed.
    pub keeps_ledger: bool,
    /// By service, entries of master.cf that are written whole, with every step on a part of them: their lines.
    pub entries: BTreeMap<Service, BTreeMap<ServiceName, String>>,
    /// Files whose present content the host keeps, to restore it one day.
    pub adopts: Vec<RemotePath>,
    /// Hashes that must still hold when the work begins.
    pub expects: Expects,
    /// What is wanted of the managed things, for the host's history. None if the host keeps no ledger
    /// afterwards, or if it is not known.
    pub snapshot: Option<Box<Snapshot>>,
    /// How many generations the host keeps, the new one included.
    pub keep: u32,
    /// The files and tables that parameters name afterwards, about which the host answers at the next observation without
    /// being asked. None if what it keeps of them stays.
    pub references: Option<References>,
    /// The paths among them that could not be opened when the plan was made.
    pub unopened: BTreeSet<String>,
}

impl HostPlan {
    /// A plan without a step, after which the host keeps `ledger`.
    #[must_use]
    pub fn empty(ledger: Ledger, expects: Expects) -> Self {
        Self {
            steps: Vec::new(),
            refusals: Vec::new(),
            ledger,
            keeps_ledger: true,
            entries: BTreeMap::new(),
            adopts: Vec::new(),
            expects,
            snapshot: None,
            keep: KEPT,
            references: None,
            unopened: BTreeSet::new(),
        }
    }

    /// Whether the plan changes more than the ledger.
    #[must_use]
    pub fn changes_host(&self) -> bool {
        self.steps
            .iter()
            .any(|step| !matches!(step, Step::TakeOver { .. } | Step::Release { .. }))
    }
}

/// What a plan says of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Desired and live state agree.
    Converged,
    /// They differ.
    Changes(Box<HostPlan>),
    /// The manifest says that the host is in maintenance: it was not contacted, so the difference is unknown.
    Maintenance(Maintenance),
    /// The host could not be reached, so the difference is unknown.
    Unreachable {
        /// Why, and what to do.
        error: Failure,
    },
    /// The host was reached, and could not be understood or planned.
    Failed {
        /// Why, and what to do.
        error: Failure,
    },
}

/// The plan of a whole murder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The manifest's `murder`.
    pub murder: String,
    /// The verdict and remarks of each host.
    pub hosts: BTreeMap<HostName, HostVerdict>,
    /// What else is each host's own. A report uses it to show hosts together that differ in nothing else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub own_names: BTreeMap<HostName, OwnNames>,
}

impl Plan {
    /// The plan without the refusals that `lifts` lifts, to show before it is applied.
    #[must_use]
    pub fn without_lifted(&self, lifts: impl Fn(&HostName, RefusalKind) -> bool) -> Self {
        let mut plan = self.clone();
        for (name, host) in &mut plan.hosts {
            if let Verdict::Changes(plan) = &mut host.verdict {
                plan.refusals.retain(|refusal| !lifts(name, refusal.kind));
            }
        }
        plan
    }
}

/// A verdict and its remarks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostVerdict {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// What else the user should know.
    pub remarks: Vec<Remark>,
    /// Whether Postfix does not run there, although the host is not being retired.
    pub stopped: bool,
    /// The things that stay as they are, whatever the manifest says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldThing>,
    /// Hosts that its ledger names and the manifest does not any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orphans: Vec<HostName>,
    /// How many mails its Postfix has in its queue. None where that is not known.
    #[serde(default)]
    pub queue: Option<Queue>,
}

#[cfg(test)]
pub(crate) mod tests;
