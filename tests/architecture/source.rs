//! Every file of `src`, found as the compiler finds it, with its production code as tokens.

use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::{Token, tokens, without_tests};

/// One file below `src`.
pub struct Source {
    /// Path from the root of the repository.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Where `mod` declarations put it: `plan::diff`; empty for `lib.rs` and `main.rs`.
    pub module: String,
    /// All code that is not `#[cfg(test)]`; none for a file that is a test as a whole.
    pub tokens: Vec<Token>,
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All files below a folder of the repository whose name has one of the extensions, with their text, in order.
pub fn files(folder: &str, extensions: &[&str]) -> Vec<(String, String)> {
    fn walk(folder: &Path, extensions: &[&str], found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                walk(&path, extensions, found);
            } else if extension.is_some_and(|extension| extensions.contains(&extension)) {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), extensions, &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "no {extensions:?} file below {folder}");
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            (
                name,
                String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned(),
            )
        })
        .collect()
}

/// Every file of `src`, by the `mod` declarations from `lib.rs` and `main.rs` on.
///
/// A file that no `mod` declares would be read by no law, so that is an error.
pub fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for top in ["src/lib.rs", "src/main.rs"] {
        load(top, String::new(), true, &mut sources);
    }
    sources.sort_by(|left, right| Path::new(&left.path).cmp(Path::new(&right.path)));
    let declared: Vec<&String> = sources.iter().map(|source| &source.path).collect();
    let found = files("src", &["rs"]);
    let found: Vec<&String> = found.iter().map(|(path, _)| path).collect();
    assert_eq!(declared, found, "no `mod` declares a file of src");
    sources
}

fn load(path: &str, module: String, is_production: bool, sources: &mut Vec<Source>) {
    let text = read(path);
    let all = tokens(&text);
    let production = without_tests(&all);
    let folder = match path.rsplit_once('/').unwrap() {
        (folder, "mod.rs" | "lib.rs" | "main.rs") => folder,
        _ => path.trim_end_matches(".rs"),
    };
    let of_production = declared_modules(&production);
    for name in declared_modules(&all) {
        let child = match module.as_str() {
            "" => name.to_owned(),
            parent => format!("{parent}::{name}"),
        };
        let file = format!("{folder}/{name}.rs");
        let file = match root().join(&file).exists() {
            true => file,
            false => format!("{folder}/{name}/mod.rs"),
        };
        let is_production = is_production && of_production.contains(&name);
        load(&file, child, is_production, sources);
    }
    sources.push(Source {
        path: path.to_owned(),
        module,
        tokens: if is_production {
            production
        } else {
            Vec::new()
        },
        text,
    });
}

/// The names that a file declares by `mod name;`.
fn declared_modules(tokens: &[Token]) -> Vec<&str> {
    tokens
        .windows(3)
        .filter(|three| three[0].text == "mod" && three[2].text == ";")
        .map(|three| three[1].text.as_str())
        .collect()
}
