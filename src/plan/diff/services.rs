//! Entries of master.cf: created whole if they do not exist, and written whole where postconf(1) cannot
//! edit the part that changes.

use std::collections::{BTreeMap, BTreeSet};

use crate::ledger::{Origin, Previous};
use crate::name::ServiceName;
use crate::postfix::MasterEntry;
use crate::state::{Want, debian_entry};
use crate::thing::{Field, Thing};

use super::super::{Cause, Change, Failure, Step};
use super::draft::Draft;

impl Draft<'_> {
    /// Steps that create the entries that master.cf lacks, each with its whole line. An entry without a wanted
    /// command is created as Debian has it, and is returned with Debian's entry.
    pub(super) fn new_services(
        &mut self,
    ) -> Result<BTreeMap<ServiceName, Option<MasterEntry>>, Failure> {
        let wanted: BTreeSet<ServiceName> = self
            .desired
            .values
            .iter()
            .filter(|(_, want)| matches!(want, Want::Present(_)))
            .filter_map(|(thing, _)| service_of(thing))
            .filter(|service| self.live.master_cf.service(service).is_none())
            .cloned()
            .collect();
        let mut new = BTreeMap::new();
        for service in wanted {
            let command = Thing::Field(service.clone(), Field::Command);
            let given = matches!(self.desired.values.get(&command), Some(Want::Present(_)));
            let of_debian = if given { None } else { debian_entry(&service) };
            let line = self.new_line(&service, of_debian.as_ref())?;
            let thing = Thing::Service(service.clone());
            let was_there = self
                .parts(&service)
                .any(|(part, _)| self.ownership.managed(part).is_some());
            let cause = match self.cause(&thing, None) {
                Cause::Wanted if was_there => Cause::Drift,
                cause => cause,
            };
            self.going_back(&thing, cause);
            let after = line.clone();
            self.push_value(thing.clone(), Change::Create { after }, cause);
            // An entry of Debian's stays when the manifest no longer names it.
            if of_debian.is_none() {
                self.manage(thing, Origin::Created, Some(line));
            }
            new.insert(service, of_debian);
        }
        Ok(new)
    }

    /// The line of a new entry: the wanted parts, over `base` if there is one.
    fn new_line(
        &self,
        service: &ServiceName,
        base: Option<&MasterEntry>,
    ) -> Result<String, Failure> {
        let (name, kind) = service.parts();
        let mut entry = match base {
            Some(entry) => entry.clone(),
            None => {
                let columns = Field::ALL[..5].iter().map(|field| field.default_of(kind));
                let columns: Vec<&str> = columns.collect();
                let command = Thing::Field(service.clone(), Field::Command);
                let Some(Want::Present(command)) = self.desired.values.get(&command) else {
                    return Err(without_command(service));
                };
                let line = format!("{name} {kind} {} {command}", columns.join(" "));
                MasterEntry::of_line(&line).map_err(|why| unwritable(service, &why))?
            }
        };
        for (part, value) in self.parts(service) {
            if value.is_some() {
                entry
                    .change(part, value)
                    .map_err(|why| unwritable(service, &why))?;
            }
        }
        Ok(entry.line())
    }

    /// What is wanted of the parts of an entry.
    fn parts(&self, service: &ServiceName) -> impl Iterator<Item = (&Thing, Option<&str>)> {
        let values = self.desired.values.iter();
        values
            .filter(move |(thing, _)| service_of(thing) == Some(service))
            .map(|(thing, want)| match want {
                Want::Present(value) => (thing, Some(value.as_str())),
                Want::Absent => (thing, None),
            })
    }

    /// The managed parts of an entry that are no longer in the manifest, with the value that each is restored
    /// to. None for a part that is deleted.
    fn removed_parts(&self, service: &ServiceName) -> impl Iterator<Item = (&Thing, Option<&str>)> {
        let desired = self.desired;
        let managed = self.ownership.all().into_iter();
        managed
            .filter(move |(thing, _)| {
                service_of(thing) == Some(service)
                    && !desired.values.contains_key(thing)
                    && !self.is_left(thing)
                    && !is_command(thing)
            })
            .map(|(thing, managed)| match &managed.origin {
                Origin::Adopted(Previous::Value(value)) => (thing, Some(value.as_str())),
                _ => (thing, None),
            })
    }

    /// Keeps the management of each entry that an apply created and of which the manifest names a part. The
    /// ledger keeps its line, so that a change on the host is known when the entry is deleted one day.
    pub(super) fn own_entries(&mut self) {
        let mut lines = Vec::new();
        for (thing, managed) in self.ownership.all() {
            let Thing::Service(service) = thing else {
                continue;
            };
            let named = self.parts(service).any(|(_, value)| value.is_some());
            if managed.origin != Origin::Created || !named || self.managed.contains_key(thing) {
                continue;
            }
            let recorded = managed
                .value
                .as_deref()
                .and_then(|line| MasterEntry::of_line(line).ok());
            let line = recorded
                .or_else(|| self.live.master_cf.service(service))
                .map(|mut entry| {
                    for (part, value) in self.removed_parts(service).chain(self.parts(service)) {
                        // `whole_entries` refuses what cannot be written.
                        let _ = entry.change(part, value);
                    }
                    entry.line()
                });
            lines.push((thing.clone(), line));
        }
        for (thing, line) in lines {
            self.manage(thing, Origin::Created, line);
        }
    }

    /// Computes the lines of the entries that are written whole: `postconf -F` replaces a command together
    /// with the options, which are things of their own here, and `-P` accepts no blanks.
    pub(super) fn whole_entries(&mut self) -> Result<(), Failure> {
        let mut whole: BTreeMap<ServiceName, MasterEntry> = BTreeMap::new();
        for step in &self.entry_steps {
            if let Step::Value { thing, change, .. } = step
                && needs_whole(thing, after(change))
                && let Some(service) = service_of(thing)
                && let Some(entry) = self.live.master_cf.service(service)
            {
                whole.insert(service.clone(), entry);
            }
        }
        for step in &self.entry_steps {
            if let Step::Value { thing, change, .. } = step
                && let Some(service) = service_of(thing)
                && let Some(entry) = whole.get_mut(service)
            {
                entry
                    .change(thing, after(change))
                    .map_err(|why| unwritable(service, &why))?;
            }
        }
        self.entries = whole
            .into_iter()
            .map(|(service, entry)| (service, entry.line()))
            .collect();
        Ok(())
    }
}

/// The entry that a field or option is a part of.
fn service_of(thing: &Thing) -> Option<&ServiceName> {
    match thing {
        Thing::Field(service, _) | Thing::Option(service, _) => Some(service),
        Thing::File(_) | Thing::Parameter(_) | Thing::Service(_) => None,
    }
}

fn after(change: &Change<String>) -> Option<&str> {
    match change {
        Change::Create { after } | Change::Update { after, .. } => Some(after),
        Change::Delete { .. } => None,
    }
}

/// Whether a part that is no longer in the manifest stays as long as its entry does: a command, which every
/// entry needs, and a field that has its default.
pub(super) fn stays(thing: &Thing, value: &str) -> bool {
    match thing {
        Thing::Field(_, Field::Command) => true,
        Thing::Field(service, field) => field.default_of(service.parts().1) == value,
        _ => false,
    }
}

fn is_command(thing: &Thing) -> bool {
    matches!(thing, Thing::Field(_, Field::Command))
}

fn needs_whole(thing: &Thing, after: Option<&str>) -> bool {
    match thing {
        _ if is_command(thing) => true,
        Thing::Option(..) => after.is_some_and(|value| value.contains(char::is_whitespace)),
        _ => false,
    }
}

fn without_command(service: &ServiceName) -> Failure {
    Failure {
        summary: format!(
            "master.cf has no service `{service}`, and the manifest gives no `command` to create it with"
        ),
        detail: None,
        hint: Some(format!(
            "correct the name, or set `services: {{{service}: {{command: …}}}}`"
        )),
    }
}

fn unwritable(service: &ServiceName, why: &str) -> Failure {
    Failure {
        summary: format!("the entry `{service}` cannot be written into master.cf"),
        detail: Some(why.to_owned()),
        hint: Some("correct its command and options in the manifest".to_owned()),
    }
}
