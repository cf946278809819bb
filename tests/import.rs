//! From hosts that run to a manifest: the next plan is empty, and the first apply writes the ledger alone.

mod advice;
mod init;
mod instances;
mod layers;
mod murders;
mod odd;
mod random;
mod taint;

use super::reports::Judged as _;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const LDAP_PASSWORD: &str = "Welcome2KolabSystems";
const LMTP_PASSWORD: &str = "lmtp-secret-4711";

/// Runs the program.
fn murder(folder: &Path, arguments: &[&str]) -> Output {
    // A thousand random murders want a program that was built for speed.
    let program =
        std::env::var("MURDER_PROGRAM").unwrap_or(env!("CARGO_BIN_EXE_murder").to_owned());
    Command::new(program)
        .args(arguments)
        .env("MURDER_LDAP_PW", LDAP_PASSWORD)
        .env("MURDER_LMTP_PW", LMTP_PASSWORD)
        .current_dir(folder)
        .judged()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = murder(folder, arguments);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{arguments:?}\n{}",
        text(&output)
    );
    text(&output)
}

/// Bytes, inode and time of every file below a folder.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (Vec<u8>, u64, i64, i64, u32)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap_or_default();
                found.insert(
                    path,
                    (
                        bytes,
                        meta.ino(),
                        meta.mtime(),
                        meta.mtime_nsec(),
                        meta.mode(),
                    ),
                );
            }
        }
    }
    found
}

/// The steps of a plan, but for those that change the ledger alone.
fn steps(folder: &Path, manifest: &str, sandbox: &str) -> Vec<String> {
    let output = murder(
        folder,
        &["plan", manifest, "--sandbox", sandbox, "--format", "json"],
    );
    let plan: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    let mut found = Vec::new();
    for (host, verdict) in plan["hosts"].as_object().unwrap() {
        assert_ne!(verdict["verdict"], "failed", "{host}: {verdict}");
        for step in verdict["steps"].as_array().into_iter().flatten() {
            if step["step"] != "take_over" && step["step"] != "release" {
                found.push(format!("{host}: {step}"));
            }
        }
        for refusal in verdict["refusals"].as_array().into_iter().flatten() {
            found.push(format!("{host}: {refusal}"));
        }
    }
    found
}

fn copy(from: &Path, into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = into.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Without what an apply keeps on a host, it is as if somebody had set it up by hand.
fn forget_ledgers(sandbox: &Path) {
    for entry in std::fs::read_dir(sandbox).unwrap() {
        let ledger = entry.unwrap().path().join("var/lib/murder/ledger.json");
        std::fs::remove_file(ledger).unwrap();
    }
}

/// The lines of a manifest's files.
fn lines(path: &Path) -> usize {
    let files: Vec<PathBuf> = match path.is_dir() {
        true => std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect(),
        false => vec![path.to_owned()],
    };
    let yaml = files
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    yaml.map(|path| std::fs::read_to_string(path).unwrap().lines().count())
        .sum()
}

/// Applies a manifest to a sandbox, imports that, and gives the folder.
fn round_trip(manifest: &Path, with_ledger: bool) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let manifest = manifest.to_str().unwrap();
    succeeds(folder, &["apply", manifest, "--sandbox", "sb", "--yes"]);
    if !with_ledger {
        forget_ledgers(&folder.join("sb"));
    }
    succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    succeeds(folder, &["check", "found"]);
    assert_eq!(steps(folder, "found", "sb"), Vec::<String>::new());
    home
}

/// Compares what two manifests were rendered to, in `before` and `after`.
fn same_trees(folder: &Path, what: &str) {
    let texts = |name: &str| -> BTreeMap<PathBuf, String> {
        let root = folder.join(name);
        let found = snapshot(&root).into_iter();
        found
            .map(|(path, (bytes, ..))| {
                let name = path.strip_prefix(&root).unwrap().to_owned();
                (name, String::from_utf8(bytes).unwrap())
            })
            .collect()
    };
    let (before, after) = (texts("before"), texts("after"));
    assert_eq!(before.len(), after.len(), "{what}");
    for (path, text) in &before {
        let found = after.get(path).map_or("", String::as_str);
        if !path.ends_with("settings") {
            assert_eq!(text, found, "{what}: {}", path.display());
            continue;
        }
        // What is left alone is no value. Where the host has the module's value there, it may be taken over, and so may a line of
        // the distribution's main.cf that says the same as most hosts do.
        let host = path.parent().unwrap();
        let live = folder.join("sb").join(host).join("etc/postfix/main.cf");
        let live = std::fs::read_to_string(live).unwrap_or_default();
        let left = |line: &str| line.starts_with("# ") && line.ends_with(" is left alone");
        let mut missing: Vec<&str> = text.lines().filter(|line| !left(line)).collect();
        missing.retain(|line| !found.lines().any(|other| other == *line));
        let mut more: Vec<&str> = found.lines().filter(|line| !left(line)).collect();
        more.retain(|line| {
            let thing = line.split(" = ").next().unwrap();
            let was_left = text.contains(&format!("# {thing} is left alone"));
            let mut there = live.lines().filter_map(|other| other.split_once('='));
            let was_there = there.any(|(name, value)| {
                *line == format!("main.cf:{} = {}", name.trim(), value.trim())
            });
            !was_left && !was_there && !text.lines().any(|other| other == *line)
        });
        let differs = !(missing.is_empty() && more.is_empty());
        assert!(
            !differs,
            "{what}: {}: {missing:#?} {more:#?}",
            path.display()
        );
    }
}

fn examples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

#[test]
fn an_applied_example_is_imported_as_it_was() {
    for manifest in examples() {
        let home = round_trip(&manifest, true);
        let folder = home.path();
        // The same files and values on every host.
        let written = manifest.to_str().unwrap();
        succeeds(folder, &["render", written, "--out", "before"]);
        succeeds(folder, &["render", "found", "--out", "after"]);
        same_trees(folder, written);
        let (written, found) = (lines(&manifest), lines(&folder.join("found")));
        assert!(
            found * 10 <= written * 13,
            "{}: {found} lines for {written}",
            manifest.display()
        );
    }
}

#[test]
fn the_first_apply_of_an_import_writes_the_ledger_alone() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/example.org");
    let home = round_trip(&example, false);
    let folder = home.path();
    let etc = |name: &str| snapshot(&folder.join("sb").join(name).join("etc"));
    let hosts = [
        "smtp.example.org",
        "backend1.example.org",
        "backend2.example.org",
    ];
    let before = hosts.map(etc);
    succeeds(folder, &["apply", "found", "--sandbox", "sb", "--yes"]);
    assert_eq!(before, hosts.map(etc));
    let again = succeeds(folder, &["plan", "found", "--sandbox", "sb"]);
    assert!(again.contains("3 hosts converged"), "{again}");
}

#[test]
fn secrets_are_in_files_of_their_own_and_nowhere_else() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/containers");
    for with_ledger in [true, false] {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        succeeds(
            folder,
            &[
                "apply",
                example.to_str().unwrap(),
                "--sandbox",
                "sb",
                "--yes",
            ],
        );
        if !with_ledger {
            forget_ledgers(&folder.join("sb"));
        }
        let said = succeeds(
            folder,
            &["-v", "import", "--sandbox", "sb", "--out", "found"],
        );
        for secret in [LDAP_PASSWORD, LMTP_PASSWORD] {
            assert!(!said.contains(secret), "{said}");
            let mut held = 0;
            for (path, (bytes, ..)) in snapshot(&folder.join("found")) {
                if String::from_utf8_lossy(&bytes).contains(secret) {
                    held += 1;
                    assert!(
                        path.starts_with(folder.join("found/secrets")),
                        "{}",
                        path.display()
                    );
                    let mode = path.metadata().unwrap().permissions().mode();
                    assert_eq!(mode & 0o777, 0o600);
                }
            }
            assert_eq!(held, 1, "{secret}");
        }
        let ignored = std::fs::read_to_string(folder.join("found/.gitignore")).unwrap();
        assert_eq!(ignored, "/secrets/\n");
        assert_eq!(steps(folder, "found", "sb"), Vec::<String>::new());
    }
}

#[test]
fn an_existing_folder_is_never_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/example.org");
    succeeds(
        folder,
        &[
            "apply",
            example.to_str().unwrap(),
            "--sandbox",
            "sb",
            "--yes",
        ],
    );
    std::fs::create_dir(folder.join("there")).unwrap();
    let output = murder(folder, &["import", "--sandbox", "sb", "--out", "there"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(
        text(&output).contains("`there` exists already"),
        "{}",
        text(&output)
    );
    assert_eq!(std::fs::read_dir(folder.join("there")).unwrap().count(), 0);
    let output = murder(folder, &["import", "--sandbox", "sb", "nosuch.example.org"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(!folder.join("murder").exists());
}

#[test]
fn copies_of_a_configuration_are_enough() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/example.org");
    let home = round_trip(&example, false);
    let folder = home.path();
    for host in [
        "smtp.example.org",
        "backend1.example.org",
        "backend2.example.org",
    ] {
        copy(
            &folder.join("sb").join(host).join("etc/postfix"),
            &folder.join("copies").join(host),
        );
    }
    succeeds(folder, &["import", "--from", "copies", "--out", "copied"]);
    let read = |name: &str| std::fs::read_to_string(folder.join(name).join("murder.yaml")).unwrap();
    assert_eq!(read("copied"), read("found"));
}

/// A host in each style of tests/styles: its next plan is empty, and its files stay as they are.
#[test]
fn every_style_is_imported_with_an_empty_plan() {
    let styles = crate::styles::all();
    assert!(styles.len() >= 58);
    for (name, style) in styles {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        let host = "mail.example.org";
        let etc = folder.join("sb").join(host).join("etc/postfix");
        std::fs::create_dir_all(&etc).unwrap();
        let (main_cf, master_cf) = crate::styles::files(&style, host);
        std::fs::write(etc.join("main.cf"), &main_cf).unwrap();
        std::fs::write(etc.join("master.cf"), &master_cf).unwrap();
        std::fs::write(etc.join("../mailname"), format!("{host}\n")).unwrap();
        let before = snapshot(&etc);
        let said = succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
        assert_eq!(
            steps(folder, "found", "sb"),
            Vec::<String>::new(),
            "{name}: {said}"
        );
        succeeds(folder, &["apply", "found", "--sandbox", "sb", "--yes"]);
        assert_eq!(snapshot(&etc), before, "{name}");
        let manifest = std::fs::read_to_string(folder.join("found/murder.yaml")).unwrap();
        if main_cf.contains("message_size_limit") {
            assert!(
                manifest.contains("message_size_limit"),
                "{name}: {manifest}"
            );
        }
    }
}

#[test]
fn a_starter_is_accepted_and_nothing_is_overwritten() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let output = murder(folder, &["init", "new"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("`--domains` is missing"),
        "{}",
        text(&output)
    );
    assert!(!folder.join("new").exists());
    let said = succeeds(folder, &["init", "new", "--example", "--ci", "github"]);
    assert!(said.contains("next: murder check new"), "{said}");
    succeeds(folder, &["check", "new"]);
    let flags = [
        "init",
        "own",
        "--domains",
        "example.net, example.com",
        "--router",
        "hub.example.net",
        "--mailboxes",
        "store[1:3].example.net",
        "--ldap",
        "ldaps://ldap.example.net",
        "--base",
        "o=site",
        "--bind-dn",
        "cn=postfix, o=site",
    ];
    succeeds(folder, &flags);
    succeeds(folder, &["check", "own"]);
    let own = std::fs::read_to_string(folder.join("own/murder.yaml")).unwrap();
    assert!(
        own.contains("store[1:3].example.net: {roles: [backend]}"),
        "{own}"
    );
    let before = snapshot(&folder.join("new"));
    for arguments in [
        &["init", "new", "--example"][..],
        &["init", "new", "--example", "--ci", "github"],
    ] {
        let output = murder(folder, arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output).contains("exists already"));
    }
    assert_eq!(snapshot(&folder.join("new")), before);
    let output = murder(
        folder,
        &["init", "bad", "--example", "--domains", "no domain at all!"],
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(!folder.join("bad").exists());
}

#[test]
fn hosts_of_two_murders_are_told_apart() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for (name, hosts) in [
        ("first", "a[1:2].example.org"),
        ("second", "b1.example.org"),
    ] {
        let manifest = format!(
            "version: 1\nmurder: {name}\ndomains: [example.org]\nhosts: {{\"{hosts}\": {{roles: [plain], settings: {{biff: \"yes\"}}}}}}\n"
        );
        let file = format!("{name}.yaml");
        std::fs::write(folder.join(&file), manifest).unwrap();
        succeeds(folder, &["apply", &file, "--sandbox", "sb", "--yes"]);
    }
    let output = murder(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("b1.example.org: not imported: its ledger belongs to the murder `second`"),
        "{said}"
    );
    let manifest = std::fs::read_to_string(folder.join("found/murder.yaml")).unwrap();
    assert!(
        manifest.contains("murder: first") && manifest.contains("a[1:2].example.org"),
        "{manifest}"
    );
}

#[test]
fn an_exception_keeps_a_word_of_its_own_and_says_where_it_comes_from() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for number in 1..=6 {
        let etc = folder.join(format!("sb/store{number}.example.org/etc/postfix"));
        std::fs::create_dir_all(&etc).unwrap();
        let own = match number {
            1 => "",
            2 => "# since the fair\nmessage_size_limit = 99999999\n",
            _ => "message_size_limit = 20480000\n",
        };
        let main_cf =
            format!("myhostname = store{number}.example.org\nmydestination = example.org\n{own}");
        std::fs::write(etc.join("main.cf"), main_cf).unwrap();
        std::fs::write(etc.join("master.cf"), "smtp inet n - y - - smtpd\n").unwrap();
    }
    succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    assert_eq!(steps(folder, "found", "sb"), Vec::<String>::new());
    let manifest = std::fs::read_to_string(folder.join("found/murder.yaml")).unwrap();
    assert!(
        manifest.contains("message_size_limit: \"20480000\""),
        "{manifest}"
    );
    assert!(manifest.contains("# main.cf, line 4\n"), "{manifest}");
    assert!(
        manifest.contains("store1.example.org: ")
            && manifest.contains("leave: [message_size_limit]"),
        "{manifest}"
    );
    assert!(manifest.contains("store[3:6].example.org"), "{manifest}");
}
