//! What was changed on a host, thing by thing, as a manifest says it.

use std::collections::BTreeMap;

use super::super::yaml::Yaml;
use crate::name::{Parameter, RemotePath, ServiceName};
use crate::plan::{Cause, Change, FileState, HostPlan, Step};
use crate::postfix::MasterCf;
use crate::secret::MASK;
use crate::secret::mask::{mask_file, mask_value};
use crate::service::Service;
use crate::thing::{Field, Thing};

/// The live values of a host that the manifest does not say, by instance and thing; `null` for what must not be there.
pub(super) type LiveValues = BTreeMap<(Service, Thing), Yaml>;

/// The live values of all that was changed on a host, and the things whose value may be secret or is not known here.
pub(super) fn changed_on_host(plan: &HostPlan) -> (LiveValues, Vec<(Service, Thing)>) {
    let (mut live, mut lacking) = (LiveValues::new(), Vec::new());
    for step in &plan.steps {
        let Some((service, found)) = drifted(step) else {
            continue;
        };
        let thing = found.thing();
        match found.words() {
            Some(words) => live.extend(
                words
                    .into_iter()
                    .map(|(thing, value)| ((service.clone(), thing), value)),
            ),
            None => lacking.push((service.clone(), thing)),
        }
    }
    (live, lacking)
}

/// What was changed on a host.
enum LiveThing<'a> {
    /// A parameter, or an entry of master.cf or a part of it; no value where it is not there.
    Value(&'a Thing, Option<&'a String>),
    /// A file, as it is; none where it is not there.
    File(&'a RemotePath, Option<&'a FileState>),
}

/// What a step undoes that was changed on the host. None for any other step.
fn drifted(step: &Step) -> Option<(&Service, LiveThing<'_>)> {
    if step.cause() != Some(Cause::Drift) {
        return None;
    }
    match step {
        Step::Value {
            service,
            thing,
            change,
            ..
        } => Some((service, LiveThing::Value(thing, before(change)))),
        Step::File {
            service,
            path,
            change,
            ..
        } => Some((service, LiveThing::File(path, before(change)))),
        Step::Delete {
            service,
            path,
            before,
            ..
        } => Some((service, LiveThing::File(path, Some(before)))),
        _ => None,
    }
}

fn before<T>(change: &Change<T>) -> Option<&T> {
    match change {
        Change::Create { .. } => None,
        Change::Update { before, .. } | Change::Delete { before } => Some(before),
    }
}

impl LiveThing<'_> {
    fn thing(&self) -> Thing {
        match self {
            Self::Value(thing, _) => (*thing).clone(),
            Self::File(path, _) => Thing::File((*path).clone()),
        }
    }

    /// What a manifest says to keep it. None where the value may be secret or is not known.
    fn words(&self) -> Option<Vec<(Thing, Yaml)>> {
        let (thing, live) = match self {
            Self::Value(thing, live) => (*thing, *live),
            Self::File(path, file) => {
                let value = match file {
                    None => Yaml::Null,
                    Some(file) => content(path.as_str(), file)?,
                };
                return Some(vec![(self.thing(), value)]);
            }
        };
        let value = match (thing, live) {
            (Thing::Service(service), Some(line)) => return entry(service, line),
            // A column cannot be missing: what is not there has its default.
            (Thing::Field(service, field), None) => {
                let kind = service.as_str().rsplit('/').next().unwrap_or_default();
                Yaml::text(field.default_of(kind))
            }
            (Thing::Field(..), Some(live)) => Yaml::text(live.clone()),
            (_, None) => Yaml::Null,
            (Thing::Parameter(name) | Thing::Option(_, name), Some(live)) => {
                open(name.as_str(), live)?
            }
            (Thing::File(_), Some(_)) => return None,
        };
        Some(vec![(thing.clone(), value)])
    }
}

/// A whole entry of master.cf, part by part.
fn entry(service: &ServiceName, line: &str) -> Option<Vec<(Thing, Yaml)>> {
    let parsed = MasterCf::parse(line.as_bytes());
    let entry = parsed.service(service)?;
    let mut words = Vec::new();
    for field in Field::ALL {
        let value = match field {
            Field::Command => entry.command(),
            _ => entry.field(field),
        };
        words.push((Thing::Field(service.clone(), field), Yaml::text(value)));
    }
    let names: Vec<Parameter> = entry.option_names().into_iter().collect();
    for name in names {
        let value = open(name.as_str(), &entry.option(&name)?)?;
        words.push((Thing::Option(service.clone(), name), value));
    }
    Some(words)
}

/// A value that may be printed.
fn open(name: &str, value: &str) -> Option<Yaml> {
    (mask_value(name, value) == value).then(|| Yaml::text(value))
}

/// A file as the manifest writes it. None where its text is not known or may hold a secret.
fn content(path: &str, file: &FileState) -> Option<Yaml> {
    let open = !file.secret && file.withheld.is_none();
    let text = file.text.as_deref().filter(|_| open)?;
    if mask_file(path, text) != text || text.contains(MASK) || text.contains("{{ secret.") {
        return None;
    }
    Some(Yaml::map([
        ("content", Yaml::text(text)),
        ("owner", Yaml::text(&*file.owner)),
        ("group", Yaml::text(&*file.group)),
        ("mode", Yaml::text(file.mode.to_string())),
    ]))
}
