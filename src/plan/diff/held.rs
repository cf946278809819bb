//! Things that are held: a plan leaves them as they are, and says so.

use super::draft::Draft;
use crate::ledger::Hold;
use crate::thing::Thing;

use super::super::{HeldThing, Step};

impl Draft<'_> {
    /// Takes the steps of held things out of the plan. Their entries in the ledger stay as they are.
    pub(super) fn hold(&mut self) {
        let Some(ledger) = self.ownership.ledger() else {
            return;
        };
        if self.input.rollback.is_some() {
            // Who goes back says so for each thing, also for one that is held.
            self.holds.clone_from(&ledger.holds);
            return;
        }
        for (thing, hold) in &ledger.holds {
            let differs = self.leave(thing);
            self.keep_entry(thing);
            self.holds.insert(thing.clone(), hold.clone());
            self.held.push(self.held_thing(thing, hold, differs));
        }
    }

    fn held_thing(&self, thing: &Thing, hold: &Hold, differs: bool) -> HeldThing {
        HeldThing {
            service: self.service.clone(),
            thing: thing.clone(),
            hold: hold.clone(),
            differs,
        }
    }

    /// Removes the steps and refusals about a thing. True if a step would have changed it.
    fn leave(&mut self, held: &Thing) -> bool {
        let lists = [
            &mut self.files,
            &mut self.index_steps,
            &mut self.entry_steps,
            &mut self.settings,
            &mut self.deletes,
            &mut self.ledger_only,
        ];
        let mut differs = false;
        for steps in lists {
            steps.retain(|step| {
                let leaves = concerns(step, held);
                let is_recorded = matches!(step, Step::TakeOver { .. } | Step::Release { .. });
                differs |= leaves && !is_recorded;
                !leaves
            });
        }
        let quoted = format!("`{held}`");
        self.refusals
            .retain(|refusal| !refusal.summary.contains(&quoted));
        if let Thing::File(path) = held {
            self.expected_files.remove(path);
            self.adopts.retain(|other| other != path);
        }
        differs
    }

    /// Gives a thing the entry that the ledger has of it.
    fn keep_entry(&mut self, held: &Thing) {
        self.managed.retain(|thing, _| !thing.is_part_of(held));
        let Some(ledger) = self.ownership.ledger() else {
            return;
        };
        let kept = ledger
            .managed
            .iter()
            .filter(|(thing, _)| thing.is_part_of(held));
        self.managed
            .extend(kept.map(|(thing, managed)| (thing.clone(), managed.clone())));
        if let Thing::File(path) = held {
            self.indexes.remove(path);
            if let Some(built_from) = ledger.indexes.get(path) {
                self.indexes.insert(path.clone(), built_from.clone());
            }
        }
    }
}

/// Whether a step changes a held thing, or a part of it.
fn concerns(step: &Step, held: &Thing) -> bool {
    match step {
        Step::File { path, .. } | Step::Delete { path, .. } | Step::Index { source: path, .. } => {
            matches!(held, Thing::File(of) if of == path)
        }
        Step::Value { thing, .. } | Step::TakeOver { thing, .. } | Step::Release { thing, .. } => {
            thing.is_part_of(held)
        }
        Step::Sweep { .. }
        | Step::Check { .. }
        | Step::Reload { .. }
        | Step::Restart { .. }
        | Step::Probe { .. } => false,
    }
}
