//! What was changed on hosts, as a manifest that keeps it: each value in the widest layer that is right for every host that it
//! holds for.

mod live;
mod place;

use std::collections::{BTreeMap, BTreeSet};

use self::live::changed_on_host;
use self::place::{Place, PlacedThing, Places};
use super::yaml::{WIDTH, Yaml, YamlEntry, block};
use crate::load::LoadedMurder;
use crate::manifest::range;
use crate::model::Host;
use crate::name::HostName;
use crate::plan::{Plan, Verdict};
use crate::report::explain::level_word;
use crate::service::Service;
use crate::thing::Thing;

/// The values of one layer, with a comment each.
type LayerValues = BTreeMap<PlacedThing, (Yaml, Option<String>)>;

/// A manifest with the live values of all that was changed on the hosts of a plan, and what could not be printed. An empty text
/// where there is nothing.
#[must_use]
pub fn kept_as_manifest(loaded: &LoadedMurder, plan: &Plan) -> (String, Vec<String>) {
    let mut lacking = Vec::new();
    let mut holders: BTreeMap<(PlacedThing, Yaml), Vec<HostName>> = BTreeMap::new();
    for (name, verdict) in &plan.hosts {
        let (Verdict::Changes(changes), Some(host)) =
            (&verdict.verdict, loaded.murder.hosts.get(name))
        else {
            continue;
        };
        let (live, unknown) = changed_on_host(changes);
        for ((service, thing), value) in live {
            let thing = (alone(host, service, &thing), thing);
            holders
                .entry((thing, value))
                .or_default()
                .push(name.clone());
        }
        lacking.extend(unknown.into_iter().map(|(service, thing)| {
            format!(
                "{name}: {}: its value is not printed, as it may be secret or is not known here",
                service.shown(&thing)
            )
        }));
    }
    let places = Places::of(&loaded.murder, &loaded.sources);
    let mut layers: BTreeMap<Place, (LayerValues, BTreeSet<HostName>)> = BTreeMap::new();
    for ((thing, value), hosts) in &holders {
        for (place, served) in places.place(thing, hosts) {
            let first = served.first();
            let comment = first.and_then(|host| said(loaded, &places, &place, host, thing));
            let layer = layers.entry(place).or_default();
            layer.0.insert(thing.clone(), (value.clone(), comment));
            layer.1.extend(served);
        }
    }
    (text(loaded, &places, layers), lacking)
}

/// The instance that a thing is said of alone: where the host has several, or says things of that one alone. Files are named by
/// the folder that they are in.
fn alone(host: &Host, service: Service, thing: &Thing) -> Option<Service> {
    let is_one_of = host.roles_on().len() > 1 || host.instances.contains_key(&service);
    (is_one_of && !matches!(thing, Thing::File(_))).then_some(service)
}

/// The layers as a manifest.
fn text(
    loaded: &LoadedMurder,
    places: &Places<'_>,
    layers: BTreeMap<Place, (LayerValues, BTreeSet<HostName>)>,
) -> String {
    let mut sections: Vec<YamlEntry> = Vec::new();
    for (place, (values, hosts)) in layers {
        let comment = Some(comment(loaded, places, &place, &hosts));
        let (section, name) = place.path();
        let Some(name) = name else {
            sections.push(YamlEntry {
                key: section.to_owned(),
                value: Yaml::Map(entries(values)),
                comment,
            });
            continue;
        };
        let entry = YamlEntry {
            key: name.to_owned(),
            value: Yaml::Map(entries(values)),
            comment,
        };
        match sections.iter_mut().find(|known| known.key == section) {
            Some(YamlEntry {
                value: Yaml::Map(entries),
                ..
            }) => entries.push(entry),
            _ => sections.push(YamlEntry::new(section, Yaml::Map(vec![entry]))),
        }
    }
    block(&sections, 0, WIDTH)
}

/// Which layer it is, where the manifest has it, and for which hosts it holds the values below it.
fn comment(
    loaded: &LoadedMurder,
    places: &Places<'_>,
    place: &Place,
    hosts: &BTreeSet<HostName>,
) -> String {
    let (section, name) = place.path();
    let path = name.map_or_else(|| section.to_owned(), |name| format!("{section}.{name}"));
    let written = match places.written(place) {
        Some(at) => {
            let at = loaded.sources.place(at);
            format!("written in {}, line {}", at.file, at.line)
        }
        None => "the manifest has no settings, services and files there yet".to_owned(),
    };
    match place {
        Place::Host(_) => format!("{path}: {written}"),
        _ => format!(
            "{path}: {written}; changed on {}",
            range::compact(hosts).join(", ")
        ),
    }
}

/// Where the manifest or a module says a thing now.
fn said(
    loaded: &LoadedMurder,
    places: &Places<'_>,
    place: &Place,
    host: &HostName,
    thing: &PlacedThing,
) -> Option<String> {
    let (level, at) = places.said(host, thing)?;
    let verb = match place.is_kind_of(level) {
        true => "replaces the value",
        false => "is stronger than the value",
    };
    let at = loaded.sources.place(at);
    let layer = level_word(level);
    Some(format!("{verb} of {layer}, {} line {}", at.file, at.line))
}

/// The keys of a layer.
fn entries(values: LayerValues) -> Vec<YamlEntry> {
    let mut plain = LayerValues::new();
    let mut instances: BTreeMap<Service, LayerValues> = BTreeMap::new();
    for ((service, thing), value) in values {
        match service {
            None => plain.insert((None, thing), value),
            Some(service) => instances
                .entry(service)
                .or_default()
                .insert((None, thing), value),
        };
    }
    let mut found = of_things(plain);
    let instances: Vec<YamlEntry> = instances
        .into_iter()
        .map(|(service, values)| YamlEntry::new(service.to_string(), Yaml::Map(of_things(values))))
        .collect();
    if !instances.is_empty() {
        found.push(YamlEntry::new("instances", Yaml::Map(instances)));
    }
    found
}

/// `settings`, `services` and `files`.
fn of_things(values: LayerValues) -> Vec<YamlEntry> {
    let (mut settings, mut files) = (Vec::new(), Vec::new());
    let mut services: BTreeMap<String, (Vec<YamlEntry>, Vec<YamlEntry>)> = BTreeMap::new();
    let mut absent = Vec::new();
    for ((_, thing), (value, comment)) in values {
        let entry = |key: &str| YamlEntry {
            key: key.to_owned(),
            value,
            comment,
        };
        match &thing {
            Thing::File(path) => files.push(entry(path.as_str())),
            Thing::Parameter(name) => settings.push(entry(name.as_str())),
            Thing::Service(name) => absent.push(entry(name.as_str())),
            Thing::Field(name, field) => {
                let parts = services.entry(name.to_string()).or_default();
                parts.0.push(entry(field.as_str()));
            }
            Thing::Option(name, option) => {
                let parts = services.entry(name.to_string()).or_default();
                parts.1.push(entry(option.as_str()));
            }
        }
    }
    let mut services: Vec<YamlEntry> = services
        .into_iter()
        .map(|(name, (mut fields, options))| {
            if !options.is_empty() {
                fields.push(YamlEntry::new("options", Yaml::Map(options)));
            }
            YamlEntry::new(name, Yaml::Map(fields))
        })
        .collect();
    services.extend(absent);
    let sections = [
        ("settings", settings),
        ("services", services),
        ("files", files),
    ];
    let full = sections
        .into_iter()
        .filter(|(_, entries)| !entries.is_empty());
    full.map(|(name, entries)| YamlEntry::new(name, Yaml::Map(entries)))
        .collect()
}
