//! What the ledger remembers and nobody names any more: deleted where `murder` created it, given
//! back where it was found, left alone where the manifest says so.

use crate::ledger::{Managed, Origin, Previous};
use crate::name::RemotePath;
use crate::state::LiveFile;
use crate::thing::Thing;

use super::super::{Cause, Change, FileState, Refusal, RefusalKind, Step};
use super::services::stays;
use super::{Draft, adopted, same};
use crate::state::live_value;

impl Draft<'_> {
    pub(super) fn unnamed(&mut self) {
        let cause = if self.at.desired.retired {
            Cause::Retired
        } else if self.at.rollback.is_some() {
            Cause::AbsentInGeneration
        } else {
            Cause::Unnamed
        };
        for (thing, managed) in self.ours.all() {
            if self.named(thing) {
                continue;
            }
            if self.at.desired.leave.contains(thing) {
                self.release(thing);
                continue;
            }
            match thing {
                Thing::File(path) => self.unnamed_file(path, managed, cause),
                // Its entry goes whole, with every field and option.
                Thing::Field(service, _) | Thing::Option(service, _)
                    if self.service_goes(&Thing::Service(service.clone())) =>
                {
                    // Nothing to do, and nothing to show: the entry's own step says it.
                }
                _ => self.unnamed_value(thing, managed, cause),
            }
        }
    }

    /// Whether the manifest or a module still names the thing.
    fn named(&self, thing: &Thing) -> bool {
        if self.at.desired.retired {
            return false;
        }
        match thing {
            Thing::File(path) => self.at.desired.files.contains_key(path),
            // Taken along by `new_services` while any part of it is named.
            Thing::Service(_) => {
                self.at.desired.values.contains_key(thing) || self.managed.contains_key(thing)
            }
            _ => self.at.desired.values.contains_key(thing),
        }
    }

    fn service_goes(&self, service: &Thing) -> bool {
        self.ours
            .managed(service)
            .is_some_and(|managed| managed.origin == Origin::Created)
            && !self.named(service)
    }

    /// The ledger forgets a thing; one that never stood in it needs no step.
    fn release(&mut self, thing: &Thing) {
        if !self.ours.has(thing) {
            return;
        }
        self.ledger_only.push(Step::Release {
            service: self.service.clone(),
            thing: thing.clone(),
        });
    }

    fn unnamed_file(&mut self, path: &RemotePath, managed: &Managed, cause: Cause) {
        let thing = Thing::File(path.clone());
        let live = match self.live_file(path).clone() {
            LiveFile::Present(state) => Some(state),
            LiveFile::Absent | LiveFile::Other(_) => None,
        };
        let live_sha = live.as_ref().map(|state| state.sha256.as_str());
        let ours = self.ours.made(&thing, live_sha);
        match &managed.origin {
            Origin::Created => match &live {
                None => self.release(&thing),
                Some(state) => {
                    self.somebody_else(&thing, ours, "deleted");
                    self.delete_file(path, state, cause);
                }
            },
            Origin::Adopted(Previous::File {
                sha256,
                owner,
                group,
                mode,
            }) => {
                if live.as_ref().is_some_and(|state| {
                    state.sha256 == *sha256
                        && state.owner == *owner
                        && state.group == *group
                        && state.mode == *mode
                }) {
                    self.release(&thing);
                    return;
                }
                // No apply ever changed it, and so none has anything to take back.
                if adopted::is_as_found(managed)
                    && self.ours.recorded(&thing) == Some(managed)
                    && !self.ours.is_unrecorded(&thing, live_sha)
                {
                    self.release(&thing);
                    return;
                }
                self.somebody_else(&thing, ours, "given back as it was before `murder`");
                self.expects
                    .files
                    .insert(path.clone(), live_sha.map(str::to_owned));
                let after = FileState {
                    text: None,
                    sha256: sha256.clone(),
                    owner: owner.clone(),
                    group: group.clone(),
                    mode: *mode,
                    secret: false,
                };
                let change = match &live {
                    None => Change::Create { after },
                    Some(state) => Change::Update {
                        before: super::files::before(path, state, None, None),
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
            Origin::Adopted(Previous::Value(_)) => self.release(&thing),
        }
    }

    /// A table that is given back gets its index anew, where it has one.
    fn rebuild_index(&mut self, path: &RemotePath) {
        if let Some(table_type) = self.index_type(path) {
            self.index_steps.push(Step::Index {
                service: self.service.clone(),
                source: path.clone(),
                table_type,
                reason: super::super::IndexReason::SourceChanges,
            });
        }
    }

    fn unnamed_value(&mut self, thing: &Thing, managed: &Managed, cause: Cause) {
        let live = live_value(self.at.live, thing);
        let ours = self.ours.made(thing, live.as_deref());
        let change = match (&managed.origin, live) {
            (Origin::Created, None) => return self.release(thing),
            (Origin::Created, Some(before)) if stays(thing, &before) => {
                return self.release(thing);
            }
            (Origin::Created, Some(before)) => {
                self.somebody_else(thing, ours, "deleted");
                Change::Delete { before }
            }
            (Origin::Adopted(Previous::Value(previous)), live) => {
                if live.as_ref().is_some_and(|live| same(live, previous)) {
                    return self.release(thing);
                }
                self.somebody_else(thing, ours, "given back as it was before `murder`");
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

    /// A thing that is to go, but that is not as we left it, needs a word from the user.
    pub(super) fn somebody_else(&mut self, thing: &Thing, ours: bool, what: &str) {
        if !ours {
            self.refusals.push(Refusal {
                summary: format!(
                    "`{thing}` is to be {what}, and somebody else changed it since the last apply"
                ),
                kind: RefusalKind::Overwrite,
            });
        }
    }
}
