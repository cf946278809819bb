//! What was changed on hosts, as a manifest that keeps it: each value on its host, which is the strongest layer.

use std::collections::{BTreeMap, BTreeSet};

use super::yaml::{WIDTH, Yaml, YamlEntry, block};
use crate::load::LoadedMurder;
use crate::model::{Host, Layer, Level};
use crate::name::{Parameter, RemotePath, ServiceName};
use crate::plan::{Cause, Change, FileState, HostPlan, Plan, Step, Verdict};
use crate::postfix::MasterCf;
use crate::report::explain::level_word;
use crate::secret::MASK;
use crate::secret::mask::{mask_file, mask_value};
use crate::service::Service;
use crate::thing::{Field, Thing};

/// One section of a host or of an instance: `settings`, `services` and `files`, each by name.
#[derive(Default)]
struct Kept {
    settings: BTreeMap<String, YamlEntry>,
    services: BTreeMap<String, KeptService>,
    files: BTreeMap<String, YamlEntry>,
}

/// One entry of master.cf; none where it must not be there.
#[derive(Default)]
struct KeptService {
    absent: bool,
    fields: BTreeMap<&'static str, Yaml>,
    options: BTreeMap<String, Yaml>,
}

/// A manifest with the live values of all that was changed on the hosts of a plan, and what could not be printed. An empty text
/// where there is nothing.
#[must_use]
pub fn kept_as_manifest(loaded: &LoadedMurder, plan: &Plan) -> (String, Vec<String>) {
    let (mut hosts, mut lacking) = (Vec::new(), Vec::new());
    for (name, verdict) in &plan.hosts {
        let (Verdict::Changes(changes), Some(host)) =
            (&verdict.verdict, loaded.murder.hosts.get(name))
        else {
            continue;
        };
        let entries = of_host(loaded, host, changes, &mut lacking);
        if !entries.is_empty() {
            let mut entry = YamlEntry::new(name.as_str(), Yaml::Map(entries));
            entry.comment = Some(place(loaded, host));
            hosts.push(entry);
        }
    }
    if hosts.is_empty() {
        return (String::new(), lacking);
    }
    let text = block(&[YamlEntry::new("hosts", Yaml::Map(hosts))], 0, WIDTH);
    (text, lacking)
}

/// Where the entry of a host belongs.
fn place(loaded: &LoadedMurder, host: &Host) -> String {
    let place = loaded.sources.place(host.at);
    format!(
        "layer: the host itself; it is written in {}, line {}",
        place.file, place.line
    )
}

fn of_host(
    loaded: &LoadedMurder,
    host: &Host,
    plan: &HostPlan,
    lacking: &mut Vec<String>,
) -> Vec<YamlEntry> {
    let mut sections: BTreeMap<&Service, Kept> = BTreeMap::new();
    for (service, live) in plan.steps.iter().filter_map(drifted) {
        let kept = sections.entry(service).or_default();
        let taken = match live {
            LiveThing::Value(thing, change) => {
                kept.value(thing, change, &|thing| said(loaded, host, thing))
            }
            LiveThing::File(path, file) => kept.file(path, file),
        };
        if let Err(thing) = taken {
            lacking.push(format!(
                "{}: {}: its value is not printed, as it may be secret or is not known here",
                host.name,
                service.shown(&thing)
            ));
        }
    }
    let placed: BTreeSet<&Service> = host.placement.values().collect();
    let several = placed.len() > 1;
    let (mut entries, mut instances) = (Vec::new(), Vec::new());
    for (service, kept) in sections {
        let of_service = kept.entries();
        match several && *service != Service::POSTFIX {
            true if !of_service.is_empty() => {
                instances.push(YamlEntry::new(service.to_string(), Yaml::Map(of_service)));
            }
            true => {}
            false => entries.extend(of_service),
        }
    }
    if !instances.is_empty() {
        entries.push(YamlEntry::new("instances", Yaml::Map(instances)));
    }
    entries
}

/// What was changed on a host.
enum LiveThing<'a> {
    /// A parameter, or an entry of master.cf or a part of it.
    Value(&'a Thing, &'a Change<String>),
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
        } => Some((service, LiveThing::Value(thing, change))),
        Step::File {
            service,
            path,
            change,
            ..
        } => {
            let before = match change {
                Change::Create { .. } => None,
                Change::Update { before, .. } | Change::Delete { before } => Some(before),
            };
            Some((service, LiveThing::File(path, before)))
        }
        Step::Delete {
            service,
            path,
            before,
            ..
        } => Some((service, LiveThing::File(path, Some(before)))),
        _ => None,
    }
}

impl Kept {
    /// Takes the live value of a parameter, or of an entry of master.cf or a part of it.
    fn value(
        &mut self,
        thing: &Thing,
        change: &Change<String>,
        said: &dyn Fn(&Thing) -> Option<String>,
    ) -> Result<(), Thing> {
        let live = match change {
            Change::Create { .. } => None,
            Change::Update { before, .. } | Change::Delete { before } => Some(before),
        };
        let value = |name: &str| match live {
            None => Ok(Yaml::Null),
            Some(live) if is_open(name, live) => Ok(Yaml::text(live.clone())),
            Some(_) => Err(thing.clone()),
        };
        match thing {
            Thing::File(_) => {}
            Thing::Parameter(name) => {
                let mut entry = YamlEntry::new(name.as_str(), value(name.as_str())?);
                entry.comment = said(thing);
                self.settings.insert(name.to_string(), entry);
            }
            Thing::Service(service) => match live {
                None => self.service(service).absent = true,
                Some(line) => self.entry(service, line).map_err(|()| thing.clone())?,
            },
            Thing::Field(service, field) => {
                // A column cannot be missing: what is not there has its default.
                let value = live.cloned().unwrap_or_else(|| {
                    let kind = service.as_str().rsplit('/').next().unwrap_or_default();
                    field.default_of(kind).to_owned()
                });
                let value = Yaml::text(value);
                self.service(service).fields.insert(field.as_str(), value);
            }
            Thing::Option(service, name) => {
                let value = value(name.as_str())?;
                self.service(service)
                    .options
                    .insert(name.to_string(), value);
            }
        }
        Ok(())
    }

    fn service(&mut self, service: &ServiceName) -> &mut KeptService {
        self.services.entry(service.to_string()).or_default()
    }

    /// Takes a whole entry of master.cf.
    fn entry(&mut self, service: &ServiceName, line: &str) -> Result<(), ()> {
        let parsed = MasterCf::parse(line.as_bytes());
        let entry = parsed.service(service).ok_or(())?;
        let mut kept = KeptService::default();
        for field in Field::ALL {
            let value = match field {
                Field::Command => entry.command(),
                _ => entry.field(field),
            };
            kept.fields.insert(field.as_str(), Yaml::text(value));
        }
        let options: Vec<(Parameter, Option<String>)> = entry
            .option_names()
            .into_iter()
            .map(|name| (name.clone(), entry.option(&name)))
            .collect();
        for (name, value) in options {
            let value = value
                .filter(|value| is_open(name.as_str(), value))
                .ok_or(())?;
            kept.options.insert(name.to_string(), Yaml::text(value));
        }
        self.services.insert(service.to_string(), kept);
        Ok(())
    }

    /// Takes a file as it is; none where it is not there.
    fn file(&mut self, path: &RemotePath, before: Option<&FileState>) -> Result<(), Thing> {
        let value = match before {
            None => Yaml::Null,
            Some(file) => content(path.as_str(), file).ok_or_else(|| Thing::File(path.clone()))?,
        };
        let entry = YamlEntry::new(path.as_str(), value);
        self.files.insert(path.to_string(), entry);
        Ok(())
    }

    fn entries(self) -> Vec<YamlEntry> {
        let services = self
            .services
            .into_iter()
            .map(|(name, kept)| YamlEntry::new(name, kept.value()));
        let sections = [
            ("settings", self.settings.into_values().collect::<Vec<_>>()),
            ("services", services.collect()),
            ("files", self.files.into_values().collect()),
        ];
        let full = sections
            .into_iter()
            .filter(|(_, entries)| !entries.is_empty());
        full.map(|(name, entries)| YamlEntry::new(name, Yaml::Map(entries)))
            .collect()
    }
}

impl KeptService {
    fn value(self) -> Yaml {
        if self.absent {
            return Yaml::Null;
        }
        let mut entries: Vec<YamlEntry> = self
            .fields
            .into_iter()
            .map(|(name, value)| YamlEntry::new(name, value))
            .collect();
        if !self.options.is_empty() {
            entries.push(YamlEntry::new("options", Yaml::map(self.options)));
        }
        Yaml::Map(entries)
    }
}

/// Whether a value may be printed.
fn is_open(name: &str, value: &str) -> bool {
    mask_value(name, value) == value
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

/// Where the manifest or a module says a parameter now.
fn said(loaded: &LoadedMurder, host: &Host, thing: &Thing) -> Option<String> {
    let Thing::Parameter(name) = thing else {
        return None;
    };
    let layers = host.settings.get(name)?;
    let Layer { level, at, .. } = layers.first()?;
    let place = loaded.sources.place(*at);
    let verb = match level {
        Level::Host => "replaces the value",
        _ => "is stronger than the value",
    };
    Some(format!(
        "{verb} of {}, {} line {}",
        level_word(level),
        place.file,
        place.line
    ))
}
