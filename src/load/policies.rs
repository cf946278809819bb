//! Policies that the operator names.

use std::path::Path;

use super::files::{LinkScope, Reader};
use super::{Loaded, tidy};
use crate::diagnostic::{Diagnostic, Sources};
use crate::manifest::{Text, parse_policy};
use crate::policy::{self, Policy, SAFE};

/// Adds policies to those of the manifest, each by the path of its file or by `builtin:safe`. What is wrong with one is
/// among the diagnostics.
pub fn add_policies(loaded: &mut Loaded, names: &[String]) {
    let (policies, problems) = read_policies(names, &mut loaded.sources);
    if let Some(murder) = &mut loaded.murder {
        murder.policies.extend(policies);
    }
    loaded.diagnostics.extend(problems);
    tidy(&mut loaded.diagnostics);
}

/// Reads policies, each by the path of its file or by `builtin:safe`, and gives what is wrong with them.
#[must_use]
pub fn read_policies(names: &[String], sources: &mut Sources) -> (Vec<Policy>, Vec<Diagnostic>) {
    let (mut policies, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match name.strip_prefix("builtin:") {
            Some(_) if name == SAFE => policies.push(policy::safe()),
            Some(_) => problems.push(
                Diagnostic::error(format!("there is no policy `{name}`"))
                    .hint(format!("write `{SAFE}`, or the path of a file")),
            ),
            None => policies.extend(read(name, sources, &mut problems)),
        }
    }
    (policies, problems)
}

fn read(name: &str, sources: &mut Sources, problems: &mut Vec<Diagnostic>) -> Option<Policy> {
    // The operator names the file, wherever it is.
    let reader = Reader::new(Path::new("."), LinkScope::Anywhere);
    let text = match reader.named(Path::new(name)) {
        Ok(text) => text,
        Err(problem) => {
            problems.push(problem);
            return None;
        }
    };
    let source = sources.add(name, text.as_str());
    let text = Text {
        source,
        text: &text,
    };
    let (tree, found) = parse_policy(text);
    let right = found.is_empty();
    problems.extend(found);
    let tree = tree.filter(|_| right)?;
    Some(policy::read(&tree, &format!("`{name}`"), problems))
}
