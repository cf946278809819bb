//! Lists of a host that are a module's with some members more or less.

use super::yaml::Yaml;
use crate::postfix::catalogue::lists;
use crate::postfix::split_list;

/// The edit that makes a host's list of a module's, where that is short: members before it, behind it, and without some.
#[must_use]
pub fn list_edit(name: &str, wanted: &str, live: &str) -> Option<Yaml> {
    /// A longer edit says no more than the list itself.
    const MOST: usize = 4;
    if !lists::is_list(name) || live.contains('$') {
        return None;
    }
    let (wanted, live) = (split_list(wanted), split_list(live));
    let kept: Vec<&String> = wanted.iter().filter(|one| live.contains(one)).collect();
    let first = live.iter().position(|one| Some(&one) == kept.first())?;
    let middle = live.get(first..first + kept.len())?;
    if !middle.iter().eq(kept.iter().copied()) {
        return None;
    }
    let removed: Vec<&String> = wanted.iter().filter(|one| !live.contains(one)).collect();
    let before = live.get(..first)?;
    let after = live.get(first + kept.len()..)?;
    if before.len() + after.len() + removed.len() > MOST || kept.len() < 2 {
        return None;
    }
    let parts = [
        ("prepend", before.iter().collect::<Vec<_>>()),
        ("append", after.iter().collect()),
        ("remove", removed),
    ];
    let parts = parts.into_iter().filter(|(_, members)| !members.is_empty());
    Some(Yaml::map(parts.map(|(key, members)| {
        (key, Yaml::texts(members.into_iter().map(String::as_str)))
    })))
}
