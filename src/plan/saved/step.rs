//! The steps of a saved plan: those of a plan, with the numbers of texts and with pins in place of hashes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::desired::SavedDesired;
use super::pin::{Pin, Pins, SavedValue};
use super::texts::{TextId, Texts};
use super::unseal::PlanDamage;
use crate::name::{Mode, Parameter, RemotePath, TableType};
use crate::plan::{Cause, Change, FileState, IndexReason, ReloadReason, Step, Withheld};
use crate::secret::mask;
use crate::service::Service;
use crate::state::Probes;
use crate::thing::Thing;

/// A file in a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedFileState {
    /// Its masked text. None if the host did not send it, or if it is not shown.
    pub text: Option<TextId>,
    /// The pin of its bytes, secrets included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
    /// Owner's name.
    pub owner: String,
    /// Group's name.
    pub group: String,
    /// Permission bits.
    pub mode: Mode,
    /// Whether its text holds a secret.
    pub secret: bool,
    /// Why its text is not shown, although the host sent it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Withheld>,
    /// The file that the path leads to, if it is a symbolic link or a directory on the way is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// One step of a saved plan. What it expects to find is its precondition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case", deny_unknown_fields)]
pub enum SavedStep {
    /// The leftovers of an apply that did not end are removed.
    Sweep {
        /// Its run.
        run: String,
    },
    /// A file is created or updated.
    File {
        /// Of which service.
        service: Service,
        /// Where.
        path: RemotePath,
        /// What.
        change: Change<SavedFileState>,
        /// Whether its bytes stay as they are: only its owner, group or mode change.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        same_bytes: bool,
        /// Why.
        cause: Cause,
    },
    /// An index is built.
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
    /// A service entry, field, option (master.cf), or parameter (main.cf).
    Value {
        /// Of which service.
        service: Service,
        /// Which.
        thing: Thing,
        /// What.
        change: Change<SavedValue>,
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
        before: SavedFileState,
        /// Why.
        cause: Cause,
        /// The type of the index that is deleted with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// What turns the steps of one host into those of a saved plan.
pub(super) struct Saving<'a> {
    pub texts: &'a mut Texts,
    pub pins: &'a Pins,
}

impl Saving<'_> {
    pub fn step(&mut self, step: &Step) -> SavedStep {
        match step.clone() {
            Step::File {
                service,
                path,
                change,
                cause,
                ..
            } => SavedStep::File {
                same_bytes: matches!(&change, Change::Update { before, after } if before.sha256 == after.sha256),
                change: self.file_change(&path, &change),
                service,
                path,
                cause,
            },
            Step::Value {
                service,
                thing,
                change,
                cause,
            } => SavedStep::Value {
                service,
                change: self.value_change(&thing, &change),
                thing,
                cause,
            },
            Step::Delete {
                service,
                path,
                before,
                cause,
                index_type,
            } => SavedStep::Delete {
                before: self.live_file(&path, &before),
                service,
                path,
                cause,
                index_type,
            },
            Step::Index {
                service,
                source,
                table_type,
                aliases,
                reason,
            } => SavedStep::Index {
                service,
                source,
                table_type,
                aliases,
                reason,
            },
            Step::Sweep { run } => SavedStep::Sweep { run },
            Step::Check { service } => SavedStep::Check { service },
            Step::Reload { service, reason } => SavedStep::Reload { service, reason },
            Step::Restart {
                service,
                parameters,
            } => SavedStep::Restart {
                service,
                parameters,
            },
            Step::Probe { service, probes } => SavedStep::Probe { service, probes },
            Step::TakeOver { service, thing } => SavedStep::TakeOver { service, thing },
            Step::Release { service, thing } => SavedStep::Release { service, thing },
        }
    }

    fn value_change(&self, thing: &Thing, change: &Change<String>) -> Change<SavedValue> {
        let mut saved = change.map(|value| self.pins.value(thing, value));
        // Both sides of a masked change would read the same.
        if let (
            Change::Update { before, after },
            Change::Update {
                before: old,
                after: new,
            },
        ) = (&mut saved, change)
            && before.text == after.text
            && old != new
        {
            mask::CHANGED.clone_into(&mut after.text);
        }
        saved
    }

    fn file_change(
        &mut self,
        path: &RemotePath,
        change: &Change<FileState>,
    ) -> Change<SavedFileState> {
        match change {
            Change::Create { after } => Change::Create {
                after: self.new_file(after),
            },
            Change::Update { before, after } => Change::Update {
                before: self.live_file(path, before),
                after: self.new_file(after),
            },
            Change::Delete { before } => Change::Delete {
                before: self.live_file(path, before),
            },
        }
    }

    /// A file as it is on the host.
    fn live_file(&mut self, path: &RemotePath, state: &FileState) -> SavedFileState {
        let hidden = state.secret || state.text.is_none() || state.withheld.is_some();
        let pin = self.pins.file(path, &state.sha256, hidden);
        self.file(state, pin)
    }

    /// A file as the plan makes it.
    fn new_file(&mut self, state: &FileState) -> SavedFileState {
        let pin = self.pins.bytes(&state.sha256);
        self.file(state, pin)
    }

    fn file(&mut self, state: &FileState, pin: Option<Pin>) -> SavedFileState {
        SavedFileState {
            text: state.text.as_deref().map(|text| self.texts.add(text)),
            pin,
            owner: state.owner.clone(),
            group: state.group.clone(),
            mode: state.mode,
            secret: state.secret,
            withheld: state.withheld,
            link: state.link.clone(),
        }
    }
}

impl SavedStep {
    /// The step as a plan has it, to show it. Nothing can be ordered by it: the hashes of its files are not known.
    ///
    /// # Errors
    /// Where it names a text that the plan does not have.
    pub(super) fn shown(&self, texts: &Texts, desired: &SavedDesired) -> Result<Step, PlanDamage> {
        Ok(match self.clone() {
            Self::Sweep { run } => Step::Sweep { run },
            Self::File {
                service,
                path,
                change,
                same_bytes,
                cause,
            } => Step::File {
                file: desired.file(&service, &path, texts)?,
                change: shown_change(&change, same_bytes, texts)?,
                service,
                path,
                cause,
            },
            Self::Index {
                service,
                source,
                table_type,
                aliases,
                reason,
            } => Step::Index {
                service,
                source,
                table_type,
                aliases,
                reason,
            },
            Self::Value {
                service,
                thing,
                change,
                cause,
            } => Step::Value {
                service,
                thing,
                change: change.map(|value| value.text.clone()),
                cause,
            },
            Self::Check { service } => Step::Check { service },
            Self::Reload { service, reason } => Step::Reload { service, reason },
            Self::Restart {
                service,
                parameters,
            } => Step::Restart {
                service,
                parameters,
            },
            Self::Probe { service, probes } => Step::Probe { service, probes },
            Self::Delete {
                service,
                path,
                before,
                cause,
                index_type,
            } => Step::Delete {
                before: before.shown("", texts)?,
                service,
                path,
                cause,
                index_type,
            },
            Self::TakeOver { service, thing } => Step::TakeOver { service, thing },
            Self::Release { service, thing } => Step::Release { service, thing },
        })
    }
}

fn shown_change(
    change: &Change<SavedFileState>,
    same_bytes: bool,
    texts: &Texts,
) -> Result<Change<FileState>, PlanDamage> {
    // Who shows a plan asks only whether the two are the same.
    let new = if same_bytes { "before" } else { "after" };
    Ok(match change {
        Change::Create { after } => Change::Create {
            after: after.shown(new, texts)?,
        },
        Change::Update { before, after } => Change::Update {
            before: before.shown("before", texts)?,
            after: after.shown(new, texts)?,
        },
        Change::Delete { before } => Change::Delete {
            before: before.shown("before", texts)?,
        },
    })
}

impl SavedFileState {
    fn shown(&self, bytes: &str, texts: &Texts) -> Result<FileState, PlanDamage> {
        let text = self.text.map(|number| texts.named(number)).transpose()?;
        Ok(FileState {
            text: text.map(str::to_owned),
            sha256: bytes.to_owned(),
            owner: self.owner.clone(),
            group: self.group.clone(),
            mode: self.mode,
            secret: self.secret,
            withheld: self.withheld,
            link: self.link.clone(),
        })
    }
}
