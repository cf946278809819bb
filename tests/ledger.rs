//! The format of the ledger: what an older `murder` wrote is read, what a newer one wrote is refused.

use std::path::Path;

use murder::digest::sha256_hex;
use serde_json::{Value, json};

use super::history::Bench;

const LEDGER: &str = "var/lib/murder/ledger.json";

/// The text of a ledger with the plain hashes that ledgers had before there were keyed ones; `hash_of` gives that of a file.
pub fn with_plain_hashes(text: &str, hash_of: &dyn Fn(&str) -> String) -> String {
    let mut ledger: Value = serde_json::from_str(text).unwrap();
    ledger.as_object_mut().unwrap().remove("host_key");
    let postfix = &mut ledger["services"]["postfix"];
    for (thing, managed) in postfix["managed"].as_object_mut().unwrap() {
        if thing.starts_with('/') && managed["value"].is_string() {
            managed["value"] = hash_of(thing).into();
        }
    }
    for (source, hash) in postfix["indexes"].as_object_mut().unwrap() {
        *hash = hash_of(source).into();
    }
    if postfix["activated"]
        .as_str()
        .is_some_and(|hash| hash.starts_with("hmac-"))
    {
        postfix.as_object_mut().unwrap().remove("activated");
    }
    serde_json::to_string_pretty(&ledger).unwrap()
}

/// The text of a ledger of format 2, as format 1 had it.
pub fn first_format(text: &str, hash_of: &dyn Fn(&str) -> String) -> String {
    let second: Value = serde_json::from_str(&with_plain_hashes(text, hash_of)).unwrap();
    assert_eq!(second["version"], 2, "{text}");
    let postfix = &second["services"]["postfix"];
    let mut first = json!({
        "version": 1,
        "murder": second["murder"],
        "generation": second["generation"],
        "managed": postfix["managed"],
        "indexes": postfix["indexes"],
        "told": postfix["activated"],
        "applied": second["applied"],
    });
    for key in ["hosts", "facts"] {
        if let Some(value) = second.get(key) {
            first[key] = value.clone();
        }
    }
    serde_json::to_string_pretty(&first).unwrap()
}

/// The text of a generation's file, as murder wrote it when ledgers had format 1.
fn first_generation(text: &str) -> String {
    let (entry, snapshot) = text.trim_end().split_once('\n').unwrap();
    let mut entry: Value = serde_json::from_str(entry).unwrap();
    for changed in entry["changed"].as_array_mut().unwrap() {
        changed.as_object_mut().unwrap().remove("service").unwrap();
    }
    let snapshot: Value = serde_json::from_str(snapshot).unwrap();
    assert_eq!(snapshot["version"], 2, "{text}");
    format!("{entry}\n{}\n", snapshot["services"]["postfix"])
}

#[test]
fn format_1_is_no_change_by_itself_and_becomes_format_2_at_the_next_apply() {
    let bench = Bench::applied(&["smtpd_banner: one"]);
    let first = first_format(&bench.read(LEDGER), &|path| hash_of(&bench, path));
    std::fs::write(bench.inside(LEDGER), &first).unwrap();
    let generation = first_generation(&bench.read("var/lib/murder/history/1.json"));
    std::fs::write(bench.generation(1), generation).unwrap();
    bench.is_converged();
    bench.apply(&[]);
    assert_eq!(
        bench.read(LEDGER),
        first,
        "a converged apply writes nothing"
    );

    bench.settings("smtpd_banner: two");
    bench.apply(&[]);
    let second: Value = serde_json::from_str(&bench.read(LEDGER)).unwrap();
    assert_eq!(second["version"], 2);
    let managed = &second["services"]["postfix"]["managed"];
    assert_eq!(managed["main.cf:smtpd_banner"]["value"], "two");
    bench.is_converged();
    // The generation of then is gone back to.
    bench.rollback(0, &["--to", "1"]);
    let banner = bench.read("etc/postfix/main.cf");
    assert!(banner.contains("smtpd_banner = one"), "{banner}");
}

fn hash_of(bench: &Bench, path: &str) -> String {
    sha256_hex(&std::fs::read(bench.inside(path)).unwrap())
}

#[test]
fn a_ledger_with_plain_hashes_is_no_change_and_the_next_apply_keys_them() {
    let found = "files: {/etc/postfix/note: {content: \"ours\\n\"}}";
    let bench = Bench::applied(&["smtpd_banner: one"]);
    std::fs::write(bench.inside("etc/postfix/note"), "of the host\n").unwrap();
    let managed = |settings: &str| {
        let text = Bench::manifest_text(settings);
        bench.manifest(&text.replace("settings: {", &format!("{found}, settings: {{")));
    };
    managed("smtpd_banner: one");
    bench.apply(&["--adopt"]);
    let original = sha256_hex(b"of the host\n");
    let keyed = bench.read(LEDGER);
    assert!(!keyed.contains(&original), "{keyed}");
    // As it was before there were keyed hashes.
    let folder = bench.inside("var/lib/murder/adopted");
    let name = |folder: &Path| {
        std::fs::read_dir(folder)
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .file_name()
    };
    let kept = name(&folder).into_string().unwrap();
    assert!(keyed.contains(&kept), "{kept}: {keyed}");
    let plain = with_plain_hashes(&keyed, &|path| hash_of(&bench, path)).replace(&kept, &original);
    std::fs::write(bench.inside(LEDGER), &plain).unwrap();
    std::fs::rename(folder.join(&kept), folder.join(&original)).unwrap();
    bench.is_converged();
    bench.apply(&[]);
    assert_eq!(
        bench.read(LEDGER),
        plain,
        "a converged apply writes nothing"
    );
    managed("smtpd_banner: two");
    let said = bench.expect(0, &["plan", "."]);
    assert!(said.contains("1 to update"), "{said}");
    bench.apply(&[]);
    let keyed = bench.read(LEDGER);
    assert!(
        !keyed.contains(&original) && keyed.contains("hmac-sha256-"),
        "{keyed}"
    );
    let kept = name(&folder).into_string().unwrap();
    assert!(keyed.contains(&kept), "{kept}: {keyed}");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    bench.is_converged();
    // A change by hand is still one, and the original comes back once the file is no longer managed.
    std::fs::write(bench.inside("etc/postfix/note"), "by hand\n").unwrap();
    let said = bench.expect(0, &["plan", "."]);
    assert!(said.contains("drift: changed on the host since"), "{said}");
    bench.apply(&[]);
    bench.settings("smtpd_banner: two");
    bench.apply(&[]);
    assert_eq!(bench.read("etc/postfix/note"), "of the host\n");
}

#[test]
fn a_newer_ledger_or_generation_is_refused_and_both_formats_are_named() {
    let bench = Bench::applied(&["smtpd_banner: one", "smtpd_banner: two"]);
    let old = bench.read("var/lib/murder/history/1.json");
    let newer = old.replace("{\"version\":2,", "{\"version\":3,");
    assert_ne!(newer, old);
    std::fs::write(bench.generation(1), newer).unwrap();
    let text = bench.rollback(3, &["--to", "1"]);
    assert!(
        text.contains("has format 3") && text.contains("formats 1 to 2"),
        "{text}"
    );

    let newer = bench
        .read(LEDGER)
        .replace("\"version\": 2", "\"version\": 3");
    std::fs::write(bench.inside(LEDGER), &newer).unwrap();
    let text = bench.expect(3, &["plan", "."]);
    assert!(
        text.contains("has format 3") && text.contains("formats 1 to 2"),
        "{text}"
    );
    assert!(
        text.contains("use the `murder` that wrote it, or a newer one"),
        "{text}"
    );
    bench.expect(3, &["apply", ".", "--yes"]);
    assert_eq!(bench.read(LEDGER), newer, "it is not touched");
}
