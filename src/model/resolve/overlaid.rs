//! What an overlay changed within an entry of `services` or `files`: a word of its own, with its own
//! place, over the one that stood there.

use std::collections::BTreeMap;

use crate::manifest::{Entry, Node};
use crate::model::{ContentSpec, FileSpec, Layer, Level, ServiceSpec};
use crate::name::Parameter;
use crate::thing::Field;

/// Splits what overlays say of a service's parts from the rest of it: those words, the nearest
/// first, and the rest last.
pub(super) fn service(
    entry: &Entry,
    level: &Level,
    whole: Layer<ServiceSpec>,
) -> Vec<Layer<ServiceSpec>> {
    let ServiceSpec::Entry {
        mut fields,
        mut options,
    } = whole.value
    else {
        return vec![whole];
    };
    let mut words = Vec::new();
    let mut say = |part: &Entry, value: ServiceSpec| {
        words.push(Layer {
            level: level.clone(),
            at: part.at,
            value,
        });
    };
    for field in Field::ALL {
        let Some(part) = changed(entry, entry.value.entry(field.as_str())) else {
            continue;
        };
        fields.remove(&field);
        for part in part.and_under() {
            let Some(text) = part.value.text() else {
                continue;
            };
            let fields = BTreeMap::from([(field, text.to_owned())]);
            let options = BTreeMap::new();
            say(part, ServiceSpec::Entry { fields, options });
        }
    }
    let listed = entry.value.get("options").map_or(&[][..], Node::entries);
    for part in listed {
        let (Some(part), Ok(name)) = (
            changed(entry, Some(part)),
            Parameter::new(part.key.as_str()),
        ) else {
            continue;
        };
        options.remove(&name);
        for part in part.and_under() {
            let value = part.value.text().map(str::to_owned);
            let fields = BTreeMap::new();
            let options = BTreeMap::from([(name.clone(), value)]);
            say(part, ServiceSpec::Entry { fields, options });
        }
    }
    words.push(Layer {
        value: ServiceSpec::Entry { fields, options },
        ..whole
    });
    words
}

/// A file whose text an overlay replaced: the word stands where the overlay has it, and what was
/// there before comes behind it.
pub(super) fn file(entry: &Entry, word: Layer<FileSpec>) -> Vec<Layer<FileSpec>> {
    let text = ["content", "template"]
        .into_iter()
        .find_map(|key| changed(entry, entry.value.entry(key)));
    let Some(text) = text else {
        return vec![word];
    };
    let under = text.and_under().skip(1).filter_map(|old| {
        let FileSpec::Present {
            owner,
            group,
            mode,
            table,
            ..
        } = word.value.clone()
        else {
            return None;
        };
        // Only `explain` looks at it: the overlay's text is the one that counts.
        let content = ContentSpec::Literal(old.value.text()?.to_owned());
        Some(Layer {
            level: word.level.clone(),
            at: old.at,
            value: FileSpec::Present {
                content,
                owner,
                group,
                mode,
                table,
            },
        })
    });
    let under: Vec<Layer<FileSpec>> = under.collect();
    let at = text.at;
    std::iter::once(Layer { at, ..word }).chain(under).collect()
}

/// A part that an overlay gave, or replaced.
fn changed<'n>(whole: &Entry, part: Option<&'n Entry>) -> Option<&'n Entry> {
    part.filter(|part| part.under.is_some() || part.at.source != whole.at.source)
}
