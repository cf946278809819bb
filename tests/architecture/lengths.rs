//! How long a file and a function may be.

use std::collections::BTreeMap;

use super::{SOURCES, verdict};

/// Lines that a file may have.
const FILE: usize = 400;
/// Lines that a function may have, from `fn` to its last brace.
const FUNCTION: usize = 60;

/// Why a longer one is allowed.
const FLAT: &str = "one flat match or list, which parts would only hide";

/// Files that are longer: each must still be, so that this list can only become shorter.
const LONG_FILES: &[(&str, &str)] = &[];

/// Functions that are longer: each must still be, so that this list can only become shorter.
const LONG_FUNCTIONS: &[(&str, &str, &str)] = &[
    ("src/manifest/yaml.rs", "event", FLAT),
    ("src/plan/orders.rs", "add", FLAT),
    ("src/plan/saved/step.rs", "shown", FLAT),
    ("src/plan/saved/step.rs", "step", FLAT),
    ("src/report/json/view.rs", "of", FLAT),
    ("src/report/steps.rs", "of_step", FLAT),
];

#[test]
fn files_are_short() {
    let long: BTreeMap<&str, usize> = SOURCES
        .iter()
        .map(|source| (source.path.as_str(), source.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE)
        .collect();
    let is_known = |path: &str| LONG_FILES.iter().any(|(known, _)| *known == path);
    let mut offences: Vec<String> = long
        .iter()
        .filter(|(path, _)| !is_known(path))
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    let gone = LONG_FILES
        .iter()
        .filter(|(path, _)| !long.contains_key(path));
    offences.extend(gone.map(|(path, _)| format!("{path} is short: take it out of LONG_FILES")));
    verdict("a file has 400 lines at most", &offences);
}

/// The functions of a file: name, and lines from `fn` to the last brace.
fn functions(tokens: &[super::tokens::Token]) -> Vec<(String, usize)> {
    let mut functions = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.text != "fn" || tokens.get(at + 2).is_none_or(|next| next.text == ")") {
            continue;
        }
        let (mut depth, mut end) = (0_i32, None);
        for token in &tokens[at..] {
            match token.text.as_str() {
                "{" | "(" | "[" => depth += 1,
                "}" | ")" | "]" => depth -= 1,
                // A method of a trait without a body.
                ";" if depth == 0 => break,
                _ => {}
            }
            if token.text == "}" && depth == 0 {
                end = Some(token.line);
                break;
            }
        }
        if let Some(end) = end {
            functions.push((tokens[at + 1].text.clone(), end - token.line + 1));
        }
    }
    functions
}

#[test]
fn functions_are_short() {
    let mut seen = 0;
    let mut long = BTreeMap::new();
    for source in SOURCES.iter() {
        for (name, lines) in functions(&source.tokens) {
            seen += 1;
            if lines > FUNCTION {
                long.insert((source.path.as_str(), name), lines);
            }
        }
    }
    assert!(seen > 1000, "functions were not understood: {seen}");
    let is_known = |path: &str, name: &str| {
        let known = |(known, function, _): &(&str, &str, &str)| *known == path && *function == name;
        LONG_FUNCTIONS.iter().any(known)
    };
    let mut offences: Vec<String> = long
        .iter()
        .filter(|((path, name), _)| !is_known(path, name))
        .map(|((path, name), lines)| format!("{path}: `{name}` has {lines} lines"))
        .collect();
    for (path, name, _) in LONG_FUNCTIONS {
        if !long.contains_key(&(*path, (*name).to_owned())) {
            offences.push(format!(
                "{path}: `{name}` is short: take it out of LONG_FUNCTIONS"
            ));
        }
    }
    verdict("a function has 60 lines at most", &offences);
}
