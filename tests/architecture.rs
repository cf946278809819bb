//! Laws of the house: who may use whom, what the pure core may not touch, and what the documents promise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules that must not touch files, network, processes, environment or clock.
const PURE: &[&str] = &[
    "name",
    "nearest",
    "thing",
    "secret",
    "diagnostic",
    "digest",
    "postfix",
    "access",
    "ledger",
    "state",
    "history",
    "exchange",
    "manifest",
    "model",
    "module",
    "compile",
    "plan",
    "outcome",
    "report",
];

/// What the pure core may not name. Addresses of `std::net` are plain values; its sockets are not.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::process",
    "std::env",
    "std::thread",
    "std::os",
    "std::io::stdin",
    "std::io::stdout",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "SystemTime",
    "Instant",
    "ssh2::",
    "clap::",
    "rustix::",
    "tempfile::",
    "indicatif::",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files below a folder of the repository, with their text, in order.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "no Rust file below {folder}");
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A file's lines that are code outside its tests: comment lines are blanked, and what follows
/// `#[cfg(test)]` (tests stand at the end of a file) is cut.
fn code(text: &str) -> Vec<(usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line))
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .collect()
}

/// Files that are tests as a whole: `tests.rs`, or below a folder `tests`.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs")
        || path.ends_with("/fuzz.rs")
        || path.contains("/tests/")
        || path.ends_with("_tests.rs")
}

/// The top-level module that a file of `src` belongs to: `src/plan/diff.rs` is of `plan`.
fn module_of(path: &str) -> &str {
    let rest = path.strip_prefix("src/").unwrap();
    rest.split('/').next().unwrap().trim_end_matches(".rs")
}

/// The crate's modules that a line names: in `crate::x::y`, `use crate::{x, y}` and `pub(in crate::x)`.
fn named_modules(line: &str) -> Vec<&str> {
    let mut named = Vec::new();
    for (at, marker) in line.match_indices("crate::") {
        let before = line[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &line[at + marker.len()..];
        let words: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split(',').map(str::trim).collect(),
            None => vec![rest],
        };
        for word in words {
            let end = word
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(word.len());
            if end > 0 {
                named.push(&word[..end]);
            }
        }
    }
    named
}

/// The order in which `lib.rs` declares the modules.
fn declared() -> BTreeMap<String, usize> {
    read("src/lib.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|rest| rest.trim_end_matches(';').to_owned())
        .enumerate()
        .map(|(place, name)| (name, place))
        .collect()
}

fn verdict(law: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{law}:\n{}", offences.join("\n"));
}

#[test]
fn a_module_uses_only_modules_declared_above_it() {
    let order = declared();
    assert!(
        order.len() >= 10,
        "the modules of lib.rs were not understood: {order:?}"
    );
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        let module = module_of(&path);
        let Some(place) = order.get(module) else {
            continue; // lib.rs and main.rs stand above all modules.
        };
        for (line, used) in code(&text).iter().flat_map(|(line, code)| {
            named_modules(code)
                .into_iter()
                .map(move |used| (line, used))
        }) {
            if order.get(used).is_some_and(|other| other > place) {
                offences.push(format!("{path}:{line}: `{module}` uses `{used}`"));
            }
        }
    }
    verdict(
        "a module uses only modules declared above it in src/lib.rs",
        &offences,
    );
}

#[test]
fn the_pure_core_touches_nothing_outside() {
    let order = declared();
    let mut offences = Vec::new();
    for module in PURE {
        assert!(
            order.contains_key(*module),
            "there is no module `{module}` any more; mend PURE"
        );
    }
    for (path, text) in sources("src") {
        if !PURE.contains(&module_of(&path)) || is_test_file(&path) {
            continue;
        }
        for (line, code) in code(&text) {
            for word in IMPURE {
                let named = code.match_indices(word).any(|(at, _)| {
                    let before = code[..at].chars().next_back();
                    let after = code[at + word.len()..].chars().next();
                    let begins =
                        before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '"');
                    let ends = after.is_none_or(|c| !c.is_alphanumeric() && c != '_');
                    begins && (ends || word.ends_with(':'))
                });
                if named && !code.trim_start().starts_with("#[") {
                    offences.push(format!("{path}:{line}: {word}"));
                }
            }
        }
    }
    verdict("the pure core does no I/O", &offences);
}

#[test]
fn arrows_that_must_not_be() {
    // From, to: HOUSE's deny table, beyond what the order of the modules says.
    const NEVER: &[(&str, &str)] = &[
        ("machine", "manifest"),
        ("machine", "module"),
        ("machine", "compile"),
        ("machine", "report"),
        ("machine", "plan"),
        ("transport", "machine"),
        ("transport", "plan"),
        ("transport", "postfix"),
        ("transport", "manifest"),
        ("transport", "model"),
        ("plan", "transport"),
        ("report", "manifest"),
        ("session", "cli"),
    ];
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        if is_test_file(&path) {
            continue;
        }
        for (line, code) in code(&text) {
            for used in named_modules(code) {
                if NEVER.contains(&(module_of(&path), used)) {
                    offences.push(format!("{path}:{line}: uses `{used}`"));
                }
            }
        }
    }
    verdict(
        "machines know steps and how to log in, not manifests; reports know plans, not manifests",
        &offences,
    );
}

#[test]
fn rust_names_no_role() {
    let roles: Vec<String> = fs::read_dir(root().join("modules"))
        .expect("the shipped modules")
        .map(Result::unwrap)
        .filter(|entry| entry.path().join("module.yaml").exists())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    assert!(
        roles.iter().any(|role| role == "backend"),
        "no module `backend`: {roles:?}"
    );
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        if is_test_file(&path) {
            continue;
        }
        for (line, code) in code(&text) {
            for role in &roles {
                // The key `backend` of a shared folder names a host, not a role.
                let code = code
                    .replace(&format!("(\"{role}\", "), "")
                    .replace(&format!(".get(\"{role}\")"), "");
                if code.contains(&format!("\"{role}\"")) {
                    offences.push(format!("{path}:{line}: \"{role}\""));
                }
            }
        }
    }
    verdict("roles are data under modules/", &offences);
}

#[test]
fn only_the_terminal_prints_and_only_main_exits() {
    const PRINT: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!"];
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        for (line, code) in code(&text) {
            if module_of(&path) != "cli" && PRINT.iter().any(|word| code.contains(word)) {
                offences.push(format!("{path}:{line}: prints"));
            }
            if path != "src/main.rs" && code.contains("process::exit") {
                offences.push(format!("{path}:{line}: exits"));
            }
        }
    }
    verdict("only `cli` prints, only `main` ends the process", &offences);
}

#[test]
fn every_file_says_its_purpose() {
    let mut offences = Vec::new();
    for (path, text) in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") {
            offences.push(format!("{path}: begins with `{first}`"));
        }
    }
    verdict("every file begins with its purpose", &offences);
}

#[test]
fn nothing_reachable_panics_by_design() {
    const WORDS: &[&str] = &[".unwrap()", "todo!(", "unimplemented!(", "panic!("];
    let mut offences = Vec::new();
    for (path, text) in sources("src") {
        if is_test_file(&path) {
            continue;
        }
        for (line, code) in code(&text) {
            if let Some(word) = WORDS.iter().find(|word| code.contains(**word)) {
                offences.push(format!("{path}:{line}: {word}"));
            }
        }
    }
    verdict("errors are values", &offences);
}

#[test]
fn the_changelog_begins_with_the_version() {
    let changelog = read("CHANGELOG.md");
    let top = changelog
        .lines()
        .find_map(|line| line.strip_prefix("## ["))
        .and_then(|rest| rest.split(']').next())
        .expect("a release heading `## [x.y.z]`");
    assert_eq!(
        top,
        env!("CARGO_PKG_VERSION"),
        "CHANGELOG.md's first release is the crate's version"
    );
}

/// The documents that people read.
fn documents() -> Vec<String> {
    let mut documents = vec![
        "README.md".to_owned(),
        "CHANGELOG.md".to_owned(),
        "tests/lab/README.md".to_owned(),
    ];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            documents.push(format!("docs/{name}"));
        }
    }
    documents.sort();
    documents
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut offences = Vec::new();
    let mut seen = 0;
    for document in documents() {
        let text = read(&document);
        let folder = Path::new(&document).parent().unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap();
            if target.starts_with("http") || target.starts_with('#') {
                continue;
            }
            seen += 1;
            let path = target.split('#').next().unwrap();
            if !root().join(folder).join(path).exists() {
                offences.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(seen > 0, "no link was found at all");
    verdict("links lead to files of the repository", &offences);
}

#[test]
fn commands_in_the_readme_exist() {
    use clap::CommandFactory;

    let command = murder::cli::Cli::command();
    let verbs: BTreeSet<&str> = command
        .get_subcommands()
        .map(clap::Command::get_name)
        .collect();
    let mut offences = Vec::new();
    let mut seen = 0;
    for line in read("README.md")
        .lines()
        .chain(read("docs/manifest.md").lines())
    {
        let line = line.trim_start_matches(['$', ' ']);
        let Some(rest) = line
            .strip_prefix("murder ")
            .or_else(|| line.strip_prefix("cargo run --release -- "))
        else {
            continue;
        };
        let mut words = rest.split_whitespace().take_while(|word| *word != "#");
        let Some(verb) = words
            .next()
            .filter(|verb| verb.bytes().all(|b| b.is_ascii_lowercase()))
        else {
            continue;
        };
        seen += 1;
        let Some(subcommand) = command.find_subcommand(verb) else {
            offences.push(format!("`{line}`: no verb `{verb}` among {verbs:?}"));
            continue;
        };
        for word in words.filter(|word| word.starts_with("--")) {
            let flag = word.trim_start_matches("--").split('=').next().unwrap();
            let known = |command: &clap::Command| {
                command
                    .get_arguments()
                    .any(|argument| argument.get_long() == Some(flag))
            };
            if !known(subcommand) && !known(&command) {
                offences.push(format!("`{line}`: `{verb}` has no --{flag}"));
            }
        }
    }
    assert!(seen >= 3, "the README shows fewer than three commands");
    verdict("commands in documents exist", &offences);
}

#[test]
fn exit_codes_are_one_table() {
    use clap::CommandFactory;

    let help = murder::cli::Cli::command()
        .get_after_help()
        .unwrap()
        .to_string();
    let readme = read("README.md");
    let rows: Vec<String> = help
        .lines()
        .filter_map(|line| line.trim_start().split_once("  "))
        .map(|(code, means)| format!("| {code} | {means} |"))
        .collect();
    assert_eq!(rows.len(), 6, "{help}");
    let offences: Vec<String> = rows
        .into_iter()
        .filter(|row| !readme.lines().any(|line| line == row))
        .collect();
    verdict("the README has the exit codes of --help", &offences);
    assert!(help.contains("130") && readme.contains("130"));
}

#[test]
fn manifests_named_in_the_readme_exist() {
    let readme = read("README.md");
    let mut seen = 0;
    for (at, _) in readme.match_indices("manifests/") {
        let rest = &readme[at..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || "/.-_".contains(c)))
            .unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches('.');
        seen += 1;
        assert!(
            root().join(path).exists(),
            "README.md names {path}, which does not exist"
        );
    }
    assert!(seen > 0, "README.md names no manifest");
}

#[test]
fn the_manifest_document_names_every_key() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_murder"))
        .arg("schema")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "murder schema: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    fn keys(value: &serde_json::Value, found: &mut BTreeSet<String>) {
        match value {
            serde_json::Value::Object(map) => {
                if let Some(serde_json::Value::Object(properties)) = map.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                map.values().for_each(|value| keys(value, found));
            }
            serde_json::Value::Array(list) => list.iter().for_each(|value| keys(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    keys(&schema, &mut found);
    assert!(found.len() > 40, "the schema was not understood: {found:?}");
    let document = read("docs/manifest.md");
    let missing: Vec<String> = found
        .into_iter()
        .filter(|key| {
            !document.contains(&format!("`{key}`")) && !document.contains(&format!("{key}:"))
        })
        .collect();
    verdict("docs/manifest.md names every key of the schema", &missing);
}
