//! The lines of a step that sets or unsets one value.

use super::Detail;
use super::block::{Block, below};
use super::line::Tone;
use super::step_title::titled;
use crate::plan::{Cause, Change};
use crate::secret::mask;
use crate::service::Service;
use crate::thing::Thing;

/// A parameter's change longer than this is shown on two lines.
const LINE: usize = 100;

/// The lines of a value that comes, goes or changes; a secret is masked.
pub(super) fn of_value(
    service: &Service,
    thing: &Thing,
    change: &Change<String>,
    cause: Cause,
    detail: Detail,
) -> Block {
    let (old, new) = match change {
        Change::Create { after } => (None, Some(after)),
        Change::Update { before, after } => (Some(before), Some(after)),
        Change::Delete { before } => (Some(before), None),
    };
    let (before, mut after) = shown(thing, old, new);
    if before == after && matches!(change, Change::Update { .. }) {
        // Both are masked, so that they look alike.
        after = mask::CHANGED.to_owned();
    }
    let name = service.shown(thing);
    let one = format!("{name}: {before} → {after}");
    if one.chars().count() <= LINE {
        return Block::of_line(titled(change, &one, "", cause)).about(name);
    }
    // Where a value changes, both are shown whole: what differs may be anywhere.
    let (before, after) = match change {
        Change::Update { .. } => (before, after),
        _ if detail == Detail::Summary => (shortened(before), shortened(after)),
        _ => (before, after),
    };
    let before = old.map(|_| below(Tone::Removed, &format!("- {before}")));
    let after = new.map(|_| below(Tone::Added, &format!("+ {after}")));
    Block {
        body: before.into_iter().chain(after).collect(),
        ..Block::of_line(titled(change, &name, ":", cause))
    }
    .about(name)
}

/// A long value without its middle. Its end is kept, as lists of tables often differ there.
fn shortened(value: String) -> String {
    let characters: Vec<char> = value.chars().collect();
    if characters.len() <= 2 * LINE {
        return value;
    }
    let (start, end) = (
        &characters[..LINE],
        &characters[characters.len() - LINE / 2..],
    );
    let left_out = characters.len() - start.len() - end.len();
    let text = |part: &[char]| part.iter().collect::<String>();
    format!("{} … ({left_out} characters) … {}", text(start), text(end))
}

/// Both values, masked if the name is that of a secret.
fn shown(thing: &Thing, old: Option<&String>, new: Option<&String>) -> (String, String) {
    let name = match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => name.as_str(),
        Thing::File(_) | Thing::Service(_) | Thing::Field(..) => "",
    };
    let show = |value: Option<&String>| match value {
        None => "(not set)".to_owned(),
        Some(value) if value.is_empty() => "(empty)".to_owned(),
        Some(value) => mask::mask_value(name, value),
    };
    (show(old), show(new))
}
