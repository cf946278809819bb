//! The key `requires`: which versions of `murder` may read a manifest.
//!
//! `>=0.2, <1` is two comparisons, and both must hold. Only as many numbers are compared as a comparison gives: `=0.2`
//! takes every 0.2.x, and `>0.2` begins with 0.3.

use std::cmp::Ordering;

use crate::diagnostic::{Diagnostic, Scope};
use crate::manifest::Node;

/// One comparison with a version: the operator, and one to three numbers.
struct Comparison<'a> {
    operator: &'a str,
    numbers: Vec<u64>,
}

/// The operators, the longer ones first.
const OPERATORS: [&str; 5] = [">=", "<=", ">", "<", "="];

/// Whether a text is a requirement.
///
/// # Errors
/// Why it is none.
pub fn check(text: &str) -> Result<(), String> {
    comparisons(text).map(drop)
}

/// The error of a manifest that requires another version than `version`, this one. A requirement that cannot be read
/// is the grammar's to refuse.
#[must_use]
pub fn refusal(manifest: &Node, version: &str) -> Option<Diagnostic> {
    let node = manifest.get("requires")?;
    let text = node.text()?;
    if accepts(text, version)? {
        return None;
    }
    Some(
        Diagnostic::error(format!(
            "the manifest requires `murder` `{text}`; this is `murder` {version}"
        ))
        .scope(Scope::Version)
        .at(node.span, "required here")
        .detail("nothing else was checked: this version may not know all keys of the manifest")
        .hint(format!(
            "run a `murder` of version `{text}`; `murder --version` says which one this is"
        )),
    )
}

/// Whether a version fulfils a requirement; none where one of the two cannot be read.
fn accepts(requirement: &str, version: &str) -> Option<bool> {
    // A pre-release (`0.3.0-rc.1`) counts as its release: it knows the same keys.
    let version = version.split(['-', '+']).next()?;
    let version = numbers(version).ok()?;
    let comparisons = comparisons(requirement).ok()?;
    Some(comparisons.iter().all(|one| one.holds(&version)))
}

impl Comparison<'_> {
    fn holds(&self, version: &[u64]) -> bool {
        let compared = version.iter().zip(&self.numbers);
        let order = compared
            .map(|(is, wanted)| is.cmp(wanted))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal);
        match self.operator {
            ">=" => order.is_ge(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            "<" => order.is_lt(),
            _ => order.is_eq(),
        }
    }
}

fn comparisons(text: &str) -> Result<Vec<Comparison<'_>>, String> {
    text.split(',').map(|one| comparison(one.trim())).collect()
}

fn comparison(text: &str) -> Result<Comparison<'_>, String> {
    let operator = OPERATORS
        .into_iter()
        .find(|operator| text.starts_with(operator))
        .ok_or_else(|| "it does not begin with one of `>=`, `>`, `=`, `<`, `<=`".to_owned())?;
    Ok(Comparison {
        operator,
        numbers: numbers(text[operator.len()..].trim_start())?,
    })
}

/// `0.2.1` as its numbers; one to three of them.
fn numbers(text: &str) -> Result<Vec<u64>, String> {
    let wrong = || "its version is not one to three numbers, as in `0.2`".to_owned();
    let numbers: Vec<u64> = text
        .split('.')
        .map(|number| {
            let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number = number.parse().ok().filter(|_| digits);
            number.ok_or_else(wrong)
        })
        .collect::<Result<_, _>>()?;
    match numbers.len() {
        1..=3 => Ok(numbers),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_hold_or_do_not() {
        for (requirement, version, wanted) in [
            (">=0.2", "0.1.0", Some(false)),
            (">=0.2", "0.2.0", Some(true)),
            (">=0.2", "0.10.0", Some(true)),
            (">=0.2", "1.0.0", Some(true)),
            (">=0.2.1", "0.2.0", Some(false)),
            (">= 0.2.1", "0.2.1", Some(true)),
            (">0.2", "0.2.9", Some(false)),
            (">0.2", "0.3.0", Some(true)),
            ("=0.2", "0.2.7", Some(true)),
            ("=0.2.6", "0.2.7", Some(false)),
            ("<0.2", "0.1.9", Some(true)),
            ("<0.2", "0.2.0", Some(false)),
            ("<=0.2", "0.2.9", Some(true)),
            ("<=0.2", "0.3.0", Some(false)),
            (">=0.2, <1", "0.9.0", Some(true)),
            (">=0.2,<1", "1.0.0", Some(false)),
            (">=1", "1.0.0-rc.1", Some(true)),
            ("0.2", "0.2.0", None),
            ("^0.2", "0.2.0", None),
            (">=0.2,", "0.2.0", None),
            (">=0.2.x", "0.2.0", None),
            (">=+2", "2.0.0", None),
            (">=1.2.3.4", "2.0.0", None),
            ("", "0.2.0", None),
        ] {
            assert_eq!(
                accepts(requirement, version),
                wanted,
                "{requirement} {version}"
            );
            assert_eq!(
                check(requirement).is_ok(),
                wanted.is_some(),
                "{requirement}"
            );
        }
    }
}
