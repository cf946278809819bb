//! The things of one service of a host that two manifests want differently.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Pair, Side, WhatChanges};
use crate::name::RemotePath;
use crate::plan::{Change, FileState};
use crate::service::Service;
use crate::state::{Desired, DesiredService, File, Want};
use crate::thing::Thing;

/// All of them: files first, then values, as in a plan.
pub(super) fn differences(
    pair: &Pair<'_>,
    service: &Service,
    sides: &[Side<'_>; 2],
) -> Vec<WhatChanges> {
    let nothing = Desired::default();
    let wanted = |side: usize| -> &DesiredService {
        let desired = pair.compiled[side].map_or(&nothing, |one| &one.desired);
        desired.service(service)
    };
    let (old, new) = (wanted(0), wanted(1));
    let mut changes: Vec<WhatChanges> = keys(&old.files, &new.files)
        .into_iter()
        .filter_map(|path| of_file(path, old.files.get(path), new.files.get(path), sides))
        .collect();
    for thing in keys(&old.values, &new.values) {
        let (before, after) = (old.values.get(thing), new.values.get(thing));
        if before == after {
            continue;
        }
        changes.push(
            match change(before, after, |text: &String, _| text.clone()) {
                Outcome::Changes(change, unmanaged) => WhatChanges::Value {
                    thing: thing.clone(),
                    change,
                    unmanaged,
                },
                Outcome::Forbidden => WhatChanges::Forbidden(thing.clone()),
                Outcome::Allowed => WhatChanges::Allowed(thing.clone()),
            },
        );
    }
    if old.probes != new.probes {
        changes.push(WhatChanges::Probes {
            before: old.probes.clone(),
            after: new.probes.clone(),
        });
    }
    changes
}

/// The change of a file. None where both manifests want the same.
fn of_file(
    path: &RemotePath,
    before: Option<&Want<File>>,
    after: Option<&Want<File>>,
    sides: &[Side<'_>; 2],
) -> Option<WhatChanges> {
    let other_secret = match (before, after) {
        (Some(Want::Present(_)), Some(Want::Present(file))) => has_other_secret(file, sides),
        _ => false,
    };
    if before == after && !other_secret {
        return None;
    }
    let index = |want: Option<&Want<File>>| match want {
        Some(Want::Present(file)) => file.index.clone(),
        _ => None,
    };
    let form = |file: &File, is_old: bool| state(file, is_old && other_secret);
    let thing = Thing::File(path.clone());
    Some(match change(before, after, form) {
        Outcome::Changes(change, unmanaged) => WhatChanges::File {
            path: path.clone(),
            change,
            index: (index(before), index(after)),
            other_secret,
            unmanaged,
        },
        Outcome::Forbidden => WhatChanges::Forbidden(thing),
        Outcome::Allowed => WhatChanges::Allowed(thing),
    })
}

/// Whether a secret of a file comes from elsewhere. Paths are compared as they are below the folders of the manifests.
fn has_other_secret(file: &File, sides: &[Side<'_>; 2]) -> bool {
    file.body.secrets().any(|name| {
        let [old, new] = sides.map(|side| {
            let (source, _) = side.murder.secrets.get(name)?;
            let inside = |path: &Path| path.strip_prefix(side.folder).unwrap_or(path).to_owned();
            Some(source.with_paths(&inside))
        });
        old != new
    })
}

enum Outcome<T> {
    /// It changes; whether the newer manifest does not manage it any more.
    Changes(Change<T>, bool),
    Forbidden,
    Allowed,
}

fn change<T, U>(
    before: Option<&Want<T>>,
    after: Option<&Want<T>>,
    form: impl Fn(&T, bool) -> U,
) -> Outcome<U> {
    match (before, after) {
        (Some(Want::Present(before)), Some(Want::Present(after))) => Outcome::Changes(
            Change::Update {
                before: form(before, true),
                after: form(after, false),
            },
            false,
        ),
        (_, Some(Want::Present(after))) => {
            let after = form(after, false);
            Outcome::Changes(Change::Create { after }, false)
        }
        (Some(Want::Present(before)), gone) => {
            let before = form(before, true);
            Outcome::Changes(Change::Delete { before }, gone.is_none())
        }
        (None | Some(Want::Absent), Some(Want::Absent)) => Outcome::Forbidden,
        (None | Some(Want::Absent), None) => Outcome::Allowed,
    }
}

/// A file as a plan has it. Its text is masked; `is_other` tells states apart that differ in a secret alone.
fn state(file: &File, is_other: bool) -> FileState {
    FileState {
        text: Some(file.body.masked()),
        sha256: if is_other { "other" } else { "" }.to_owned(),
        owner: file.owner.to_string(),
        group: file.group.to_string(),
        mode: file.mode,
        secret: file.body.secrets().next().is_some(),
        withheld: None,
        link: None,
    }
}

fn keys<'a, K: Ord, V>(one: &'a BTreeMap<K, V>, other: &'a BTreeMap<K, V>) -> BTreeSet<&'a K> {
    one.keys().chain(other.keys()).collect()
}
