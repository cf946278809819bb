//! Random murders: applied to a sandbox and imported, each is the same again.

use std::fs;
use std::path::Path;

use super::murders::{TEMPLATE, random_murder};
use super::{forget_ledgers, murder, same_trees, snapshot, steps, succeeds, text};

/// A number of the environment, for a longer run by hand.
fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// `IMPORT_MURDERS=1000 cargo test --test main -- import::random` tries that many, from `IMPORT_SEED` on; each seed gives one
/// murder. `MURDER_PROGRAM` names a program that was built for speed.
#[test]
fn random_murders_are_imported_as_they_were() {
    let first = number("IMPORT_SEED", 1);
    let mut faults = Vec::new();
    for seed in first..first + number("IMPORT_MURDERS", 10) {
        let home = tempfile::tempdir().unwrap();
        let tried = std::panic::catch_unwind(|| round_trip(home.path(), seed));
        if tried.is_err() {
            faults.push(seed);
        }
    }
    assert!(
        faults.is_empty(),
        "the murders of these seeds differ: {faults:?}"
    );
}

/// Applies the murder of a seed and imports it, with what it knows by its ledgers and without.
fn round_trip(folder: &Path, seed: u64) {
    let manifest = random_murder(seed);
    fs::write(folder.join("m.yaml"), &manifest).unwrap();
    fs::write(folder.join("canonical"), TEMPLATE).unwrap();
    let applied = murder(folder, &["apply", "m.yaml", "--sandbox", "sb", "--yes"]);
    let said = text(&applied);
    assert_eq!(
        applied.status.code(),
        Some(0),
        "seed {seed}\n{manifest}\n{said}"
    );
    let said = succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    let found = texts_of(&folder.join("found"));
    let left = steps(folder, "found", "sb");
    assert!(
        left.is_empty(),
        "seed {seed}: {left:#?}\n{manifest}\n{found}\n{said}"
    );
    succeeds(folder, &["render", "m.yaml", "--out", "before"]);
    succeeds(folder, &["render", "found", "--out", "after"]);
    same_trees(folder, &format!("seed {seed}\n{manifest}\n{found}"));

    // As if somebody had set it up by hand.
    forget_ledgers(&folder.join("sb"));
    let said = succeeds(folder, &["import", "--sandbox", "sb", "--out", "by-hand"]);
    let found = texts_of(&folder.join("by-hand"));
    let left = steps(folder, "by-hand", "sb");
    assert!(
        left.is_empty(),
        "seed {seed}: {left:#?}\n{manifest}\n{found}\n{said}"
    );
    let etc = |name: &str| snapshot(&folder.join("sb").join(name).join("etc"));
    let before = etc("backend1.example.org");
    succeeds(folder, &["apply", "by-hand", "--sandbox", "sb", "--yes"]);
    assert_eq!(before, etc("backend1.example.org"), "seed {seed}");
}

fn texts_of(folder: &Path) -> String {
    fs::read_to_string(folder.join("murder.yaml")).unwrap()
}
