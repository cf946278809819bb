//! What the ledger records and the manifest no longer names: `murder` deletes what it created, restores
//! what it adopted, and leaves alone what the manifest lists under `leave`.

use crate::ledger::{Managed, Origin, Previous};
use crate::name::RemotePath;
use crate::state::{LiveFile, LiveState};
use crate::thing::Thing;

use super::super::{Cause, Change, FileState, Refusal, RefusalKind, Step};
use super::adopted;
use super::draft::Draft;
use super::file_state::before;
use super::ownership::same;
use super::services::stays;

impl Draft<'_> {
    /// Compares what the ledger records and the manifest no longer names.
    pub(super) fn unmanaged(&mut self) {
        let cause = if self.input.desired.retired {
            Cause::Retired
        } else if self.input.rollback.is_some() {
            Cause::AbsentInGeneration
        } else {
            Cause::Unnamed
        };
        for (thing, managed) in self.ownership.all() {
            if self.is_wanted(thing) {
                continue;
            }
            if self.is_left(thing) {
                self.release(thing);
                continue;
            }
            match thing {
                Thing::File(path) => self.unmanage_file(path, managed, cause),
                // Its entry is deleted whole, with every field and option.
                Thing::Field(service, _) | Thing::Option(service, _)
                    if self.entry_goes(&Thing::Service(service.clone())) =>
                {
                    // The entry's own step covers it.
                }
                _ => self.unmanage_value(thing, managed, cause),
            }
        }
    }

    /// Whether the manifest leaves alone the thing, or the whole entry that it is a part of.
    pub(super) fn is_left(&self, thing: &Thing) -> bool {
        let whole = match thing {
            Thing::Field(service, _) | Thing::Option(service, _) => {
                Some(Thing::Service(service.clone()))
            }
            _ => None,
        };
        let leave = &self.desired.leave;
        leave.contains(thing) || whole.is_some_and(|whole| leave.contains(&whole))
    }

    /// Whether the manifest or a module still names the thing.
    fn is_wanted(&self, thing: &Thing) -> bool {
        if self.input.desired.retired {
            return false;
        }
        match thing {
            Thing::File(path) => self.desired.files.contains_key(path),
            // `own_entries` manages it while the manifest names a part of it.
            Thing::Service(_) => {
                self.desired.values.contains_key(thing) || self.managed.contains_key(thing)
            }
            _ => self.desired.values.contains_key(thing),
        }
    }

    /// Whether an entry that an apply created is no longer in the manifest.
    fn entry_goes(&self, service: &Thing) -> bool {
        self.ownership
            .managed(service)
            .is_some_and(|managed| managed.origin == Origin::Created)
            && !self.is_wanted(service)
    }

    /// A step that removes a thing from the ledger. A thing that is not in it needs none.
    fn release(&mut self, thing: &Thing) {
        if !self.ownership.has(thing) {
            return;
        }
        self.ledger_only.push(Step::Release {
            service: self.service.clone(),
            thing: thing.clone(),
        });
    }

    fn unmanage_file(&mut self, path: &RemotePath, managed: &Managed, cause: Cause) {
        let thing = Thing::File(path.clone());
        let mut wanted = self.input.desired.files();
        if !self.input.desired.retired && wanted.any(|(other, _)| other == path) {
            // Another service of the host takes it over.
            self.release(&thing);
            return;
        }
        let live = match self.live_file(path).clone() {
            LiveFile::Present(state) => Some(state),
            LiveFile::Absent | LiveFile::Other(_) => None,
        };
        match (&managed.origin, &live) {
            (Origin::Created, None) | (Origin::Adopted(Previous::Value(_)), _) => {
                self.release(&thing);
            }
            (Origin::Created, Some(state)) => {
                let applied = self.ownership.applied(&thing, Some(&state.sha256));
                self.refuse_overwrite(&thing, applied, "delete");
                self.delete_file(path, state, cause);
            }
            (Origin::Adopted(before), live) => {
                if self.is_original(&thing, managed, live.as_ref()) {
                    self.release(&thing);
                } else {
                    self.restore_file(path, live.as_ref(), before, cause);
                }
            }
        }
    }

    /// Whether an adopted file needs no restoring: it is as it was before the first apply, or no apply has
    /// ever changed it.
    fn is_original(&self, thing: &Thing, managed: &Managed, live: Option<&LiveState>) -> bool {
        let Origin::Adopted(before) = &managed.origin else {
            return false;
        };
        let sha256 = live.map(|state| state.sha256.as_str());
        live.is_some_and(|state| adopted::previous(state) == *before)
            || (adopted::is_as_adopted(managed)
                && self.ownership.recorded(thing) == Some(managed)
                && !self.ownership.is_unrecorded(thing, sha256))
    }

    /// A step that gives a file its content and permissions of before the first apply.
    fn restore_file(
        &mut self,
        path: &RemotePath,
        live: Option<&LiveState>,
        original: &Previous,
        cause: Cause,
    ) {
        let Previous::File {
            sha256,
            owner,
            group,
            mode,
        } = original
        else {
            return;
        };
        let thing = Thing::File(path.clone());
        let now = live.map(|state| state.sha256.clone());
        let applied = self.ownership.applied(&thing, now.as_deref());
        self.refuse_overwrite(&thing, applied, "restore the original of");
        self.expected_files.insert(path.clone(), now);
        let after = FileState {
            text: None,
            sha256: sha256.clone(),
            owner: owner.clone(),
            group: group.clone(),
            mode: *mode,
            secret: false,
            withheld: None,
            link: live.and_then(|state| state.link.clone()),
        };
        let change = match live {
            None => Change::Create { after },
            Some(state) => Change::Update {
                before: before(path, state, None, None, None),
                after,
            },
        };
        self.files.push(Step::File {
            service: self.service.clone(),
            path: path.clone(),
            change,
            cause,
            file: None,
        });
        self.rebuild_index(path);
    }

    /// A step that builds the index of a table that is restored, if it has one.
    fn rebuild_index(&mut self, path: &RemotePath) {
        if let Some(table_type) = self.index_type(path) {
            self.index_steps.push(Step::Index {
                service: self.service.clone(),
                source: path.clone(),
                aliases: self.alias_type(path).is_some(),
                table_type,
                reason: super::super::IndexReason::SourceChanges,
            });
        }
    }

    fn unmanage_value(&mut self, thing: &Thing, managed: &Managed, cause: Cause) {
        let live = self.live.value(thing);
        let applied = self.ownership.applied(thing, live.as_deref());
        let change = match (&managed.origin, live) {
            (Origin::Created, None) => return self.release(thing),
            (Origin::Created, Some(before)) if stays(thing, &before) => {
                return self.release(thing);
            }
            (Origin::Created, Some(before)) => {
                self.refuse_overwrite(thing, applied, "delete");
                Change::Delete { before }
            }
            (Origin::Adopted(Previous::Value(previous)), live) => {
                if live
                    .as_ref()
                    .is_some_and(|live| same(thing, live, previous))
                {
                    return self.release(thing);
                }
                self.refuse_overwrite(thing, applied, "restore the original of");
                let after = previous.clone();
                match live {
                    None => Change::Create { after },
                    Some(before) => Change::Update { before, after },
                }
            }
            (Origin::Adopted(Previous::File { .. }), _) => return self.release(thing),
        };
        self.push_value(thing.clone(), change, cause);
    }

    /// Refuses to `action` (a verb) a thing that was changed on the host since the last apply. `applied` says
    /// whether it is as an apply left it.
    pub(super) fn refuse_overwrite(&mut self, thing: &Thing, applied: bool, action: &str) {
        if !applied {
            let since = match &self.input.live.ledger {
                Some(ledger) => format!("generation {}", ledger.generation),
                None => "the last apply".to_owned(),
            };
            self.refusals.push(Refusal {
                summary: format!(
                    "this plan would {action} `{}`, which was changed on the host since {since}",
                    self.service.shown(thing)
                ),
                kind: RefusalKind::Overwrite,
            });
        }
    }
}
