//! Laws of the documents: what they promise exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::source::{read, root};
use super::verdict;

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
