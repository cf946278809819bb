//! Laws of the house: who may use whom, what the pure core may not touch, and how large a piece of code may be.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

// What the documents promise.
mod documents;
// Who takes names from whom.
mod imports;
// Lengths of files and functions.
mod lengths;
// The files of src.
mod source;
// Rust text as tokens.
mod tokens;

use imports::{Arrow, Crate, cycles, items, paths};
use source::{Source, files, read, root, sources};

static SOURCES: LazyLock<Vec<Source>> = LazyLock::new(sources);

/// Every arrow between two files of `src`.
static ARROWS: LazyLock<BTreeSet<Arrow>> = LazyLock::new(|| {
    let modules = Crate::new(&SOURCES);
    let arrows = SOURCES.iter().flat_map(|source| modules.arrows(source));
    arrows.collect()
});

/// Modules that must not touch files, network, processes, environment, clock or randomness.
const PURE: &[&str] = &[
    "name",
    "lmtp",
    "mail",
    "verify",
    "visible",
    "nearest",
    "glob",
    "calendar",
    "thing",
    "service",
    "secret",
    "diagnostic",
    "digest",
    "every_core",
    "directory",
    "postfix",
    "access",
    "attribution",
    "ledger",
    "state",
    "history",
    "exchange",
    "manifest",
    "policy",
    "model",
    "module",
    "compile",
    "plan",
    "comparison",
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
    "std::io::stderr",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "SystemTime",
    "Instant",
    "RandomState",
    "ssh2",
    "libssh2_sys",
    "clap",
    "rustix",
    "tempfile",
    "indicatif",
    "signal_hook",
];

/// Arrows that must not be: from, to. They say more than the order of the modules in `lib.rs`.
const NEVER: &[(&str, &str)] = &[
    ("machine", "manifest"),
    ("machine", "module"),
    ("machine", "compile"),
    ("machine", "plan"),
    ("machine", "report"),
    ("transport", "machine"),
    ("transport", "plan"),
    ("transport", "postfix"),
    ("transport", "manifest"),
    ("transport", "model"),
    ("plan", "transport"),
    ("plan", "machine"),
    ("mail", "transport"),
    ("mail", "machine"),
    ("verify", "transport"),
    ("verify", "machine"),
    ("report", "manifest"),
    ("session", "cli"),
];

/// Libraries that a module must not name, beyond what the pure core may not.
const NEVER_LIBRARIES: &[(&str, &str)] = &[
    ("session", "clap"),
    ("session", "indicatif"),
    ("fleet", "clap"),
    ("machine", "clap"),
    ("machine", "ssh2"),
    ("transport", "clap"),
];

/// The top-level module that a file of `src` belongs to: `src/plan/diff.rs` is of `plan`.
fn module_of(path: &str) -> &str {
    let rest = path.strip_prefix("src/").unwrap();
    rest.split('/').next().unwrap().trim_end_matches(".rs")
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

/// The top-level modules that a file names or takes a name from, each with how it does so.
fn used(source: &Source) -> BTreeSet<(String, String)> {
    let named = paths(&source.tokens).into_iter().filter_map(|path| {
        let is_ours = matches!(path.segments.first()?.as_str(), "crate" | "murder");
        let how = format!(
            "{}:{}: `{}`",
            source.path,
            path.line,
            path.segments.join("::")
        );
        is_ours
            .then(|| Some((path.segments.get(1)?.clone(), how)))
            .flatten()
    });
    let taken = ARROWS.iter().filter(|arrow| arrow.from == source.path);
    let taken = taken.map(|arrow| {
        let how = format!("{}: takes `{}` from {}", source.path, arrow.name, arrow.to);
        (module_of(&arrow.to).to_owned(), how)
    });
    named.chain(taken).collect()
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
    for source in SOURCES.iter() {
        let module = module_of(&source.path);
        let Some(place) = order.get(module) else {
            continue; // lib.rs and main.rs are above all modules.
        };
        for (used, how) in used(source) {
            if order.get(&used).is_some_and(|other| other > place) {
                offences.push(how);
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
    for module in PURE {
        assert!(
            order.contains_key(*module),
            "there is no module `{module}` any more; mend PURE"
        );
    }
    let above = order
        .iter()
        .filter(|(_, place)| **place < order["root_folder"]);
    let above: BTreeSet<&str> = above.map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        above,
        PURE.iter().copied().collect(),
        "everything above `root_folder` is the pure core"
    );
    let mut offences = Vec::new();
    for source in SOURCES.iter() {
        if !PURE.contains(&module_of(&source.path)) {
            continue;
        }
        for path in paths(&source.tokens) {
            let text = path.segments.join("::");
            let is_impure = |word: &&&str| match word.contains("::") {
                true => text == ***word || text.starts_with(&format!("{word}::")),
                false => path.segments.iter().any(|segment| *segment == ***word),
            };
            // One room starts threads for the others: they compute, and do no I/O.
            let is_allowed =
                |word: &&str| *word == "std::thread" && module_of(&source.path) == "every_core";
            if let Some(word) = IMPURE.iter().find(is_impure)
                && !is_allowed(word)
            {
                offences.push(format!("{}:{}: {word}", source.path, path.line));
            }
        }
    }
    verdict("the pure core does no I/O", &offences);
}

#[test]
fn arrows_that_must_not_be() {
    let mut offences = Vec::new();
    for source in SOURCES.iter() {
        let module = module_of(&source.path);
        for (used, how) in used(source) {
            if NEVER.contains(&(module, used.as_str())) {
                offences.push(how);
            }
        }
        for path in paths(&source.tokens) {
            let library = path.segments.first().map_or("", String::as_str);
            if NEVER_LIBRARIES.contains(&(module, library)) {
                offences.push(format!("{}:{}: uses {library}", source.path, path.line));
            }
        }
    }
    verdict(
        "machines know orders, not plans; transports know programs, not Postfix; a run knows no terminal",
        &offences,
    );
}

/// Cycles that are known: each must still be there, so that this list can only become shorter.
const CYCLES: &[&[&str]] = &[];

#[test]
fn files_import_each_other_in_no_cycle() {
    assert!(
        ARROWS.len() > 300,
        "imports were not understood: {} arrows",
        ARROWS.len()
    );
    let found = cycles(&ARROWS);
    let is_in = |cycle: &BTreeSet<String>, known: &[&str]| {
        cycle.iter().all(|file| known.contains(&file.as_str()))
    };
    let mut offences = Vec::new();
    for cycle in &found {
        if !CYCLES.iter().any(|known| is_in(cycle, known)) {
            offences.push(format!("a cycle of {} files:", cycle.len()));
            let inside = |arrow: &&Arrow| cycle.contains(&arrow.from) && cycle.contains(&arrow.to);
            offences.extend(
                ARROWS.iter().filter(inside).map(|arrow| {
                    format!("  {} takes `{}` from {}", arrow.from, arrow.name, arrow.to)
                }),
            );
        }
    }
    for known in CYCLES {
        if !found.iter().any(|cycle| is_in(cycle, known)) {
            offences.push(format!(
                "the cycle {known:?} is gone: take it out of CYCLES"
            ));
        }
    }
    verdict("files import each other in no cycle", &offences);
}

/// Names that more than one public type has: each must still be so, so that this list can only become shorter.
const SHARED_NAMES: &[&str] = &[];

#[test]
fn no_two_public_types_share_a_name() {
    const TYPES: &[&str] = &["struct", "enum", "union", "trait", "type"];
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in SOURCES.iter() {
        for (kind, name, is_public, _) in items(&source.tokens) {
            if is_public && TYPES.contains(&kind) {
                places.entry(name).or_default().insert(&source.path);
            }
        }
    }
    assert!(places.len() > 50, "public types were not understood");
    let is_shared = |name: &&str| places.get(*name).is_some_and(|places| places.len() > 1);
    let mut offences: Vec<String> = places
        .iter()
        .filter(|(name, _)| is_shared(name) && !SHARED_NAMES.contains(name))
        .map(|(name, places)| format!("`{name}` is in {places:?}"))
        .collect();
    let gone = SHARED_NAMES.iter().filter(|name| !is_shared(name));
    offences.extend(gone.map(|name| format!("`{name}` is one type: take it out of SHARED_NAMES")));
    verdict("no two public types have the same name", &offences);
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
    for source in SOURCES.iter() {
        for (at, token) in source.tokens.iter().enumerate() {
            // The key `backend` of a shared folder names a host, not a role.
            let before = at
                .checked_sub(2)
                .map_or("", |before| source.tokens[before].text.as_str());
            let after = source
                .tokens
                .get(at + 1)
                .map_or("", |token| token.text.as_str());
            let is_key = before == "get" || (after == "," && source.tokens[at - 1].text == "(");
            if !is_key && roles.iter().any(|role| token.text == format!("\"{role}\"")) {
                offences.push(format!("{}:{}: {}", source.path, token.line, token.text));
            }
        }
    }
    verdict("roles are data under modules/", &offences);
}

/// Where production code has these tokens in a row.
fn places(source: &Source, words: &[&str]) -> Vec<usize> {
    source
        .tokens
        .windows(words.len())
        .filter(|window| {
            window
                .iter()
                .map(|token| token.text.as_str())
                .eq(words.iter().copied())
        })
        .map(|window| window[0].line)
        .collect()
}

#[test]
fn only_the_terminal_prints_and_only_main_exits() {
    const PRINT: &[&str] = &["println", "print", "eprintln", "eprint", "dbg"];
    let mut offences = Vec::new();
    for source in SOURCES.iter() {
        let path = &source.path;
        if module_of(path) != "cli" {
            for word in PRINT {
                let lines = places(source, &[word, "!"]);
                offences.extend(lines.iter().map(|line| format!("{path}:{line}: prints")));
            }
        }
        if path != "src/main.rs" {
            for ending in ["exit", "abort"] {
                let lines = places(source, &["process", "::", ending]);
                offences.extend(lines.iter().map(|line| format!("{path}:{line}: exits")));
            }
        }
    }
    verdict("only `cli` prints, only `main` ends the process", &offences);
}

#[test]
fn every_file_says_its_purpose() {
    let mut offences = Vec::new();
    for (path, text) in ["src", "tests", "benches"]
        .into_iter()
        .flat_map(|folder| files(folder, &["rs"]))
    {
        let first = text.lines().next().unwrap_or_default();
        if !first.starts_with("//! ") {
            offences.push(format!("{path}: begins with `{first}`"));
        }
    }
    verdict("every file begins with its purpose", &offences);
}

#[test]
fn nothing_reachable_panics_by_design() {
    const WORDS: &[&[&str]] = &[
        &[".", "unwrap", "(", ")"],
        &["todo", "!"],
        &["unimplemented", "!"],
        &["panic", "!"],
        &["unreachable", "!"],
    ];
    let mut offences = Vec::new();
    for source in SOURCES.iter() {
        for words in WORDS {
            let lines = places(source, words);
            let offence = |line| format!("{}:{line}: {}", source.path, words.concat());
            offences.extend(lines.into_iter().map(offence));
        }
    }
    verdict("errors are values", &offences);
}

#[test]
fn comments_cite_only_what_the_repository_has() {
    const OUTSIDE: &[&str] = &[
        "DESIGN", "HOUSE", "FACTS", "CYRUS", "STYLE", "CRATES", "FIELD",
    ];
    let mut offences = Vec::new();
    for (path, text) in ["src", "tests", "benches", "modules"]
        .into_iter()
        .flat_map(|folder| {
            files(
                folder,
                &[
                    "rs", "sh", "awk", "bash", "nc", "perl", "py", "tera", "yaml",
                ],
            )
        })
    {
        for (number, line) in text.lines().enumerate() {
            let sign = if path.ends_with(".rs") { "//" } else { "#" };
            let Some((_, comment)) = line.split_once(sign) else {
                continue;
            };
            let words = comment.split(|c: char| !c.is_alphanumeric());
            let cites = words.clone().any(|word| OUTSIDE.contains(&word));
            if cites && (comment.contains('§') || comment.contains('(') || !comment.contains('`'))
            {
                offences.push(format!("{path}:{}:{comment}", number + 1));
            }
        }
    }
    verdict("comments cite only what the repository has", &offences);
}
