//! What a ledger says of its manifest's revision: text from a host, which reaches commands that people copy.

use serde::{Deserialize, Deserializer};

/// Reads a revision. One that cannot be one becomes empty, as where it is not known.
pub(super) fn known_revision<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    Ok(if is_revision(&text) {
        text
    } else {
        String::new()
    })
}

/// Whether a text can be what a ledger says of its manifest's revision: a commit in hexadecimal digits, perhaps with
/// `-dirty`, `rollback to N` or `rollback to N (COMMIT)`, or nothing.
fn is_revision(text: &str) -> bool {
    let commit = |text: &str| {
        let hex = text.strip_suffix("-dirty").unwrap_or(text);
        (1..=64).contains(&hex.len()) && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match text.strip_prefix("rollback to ") {
        None => text.is_empty() || commit(text),
        Some(rest) => {
            let (number, manifest) = rest.split_once(' ').unwrap_or((rest, "(0)"));
            let manifest = manifest
                .strip_prefix('(')
                .and_then(|one| one.strip_suffix(')'));
            number.parse::<u64>().is_ok() && manifest.is_some_and(commit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_a_commit_or_the_way_back_to_one() {
        for text in [
            "",
            "0123abc",
            "0123abc-dirty",
            "rollback to 3",
            "rollback to 3 (0123abc)",
            "rollback to 3 (0123abc-dirty)",
        ] {
            assert!(is_revision(text), "{text}");
        }
        let long = "a".repeat(65);
        for text in [
            "r",
            "-dirty",
            "0123abc; id",
            "0123abc-dirty-dirty",
            "rollback to x",
            "rollback to 3 (`id`)",
            "rollback to 3 (0123abc) x",
            "rollback to 3 ()",
            "0123abc\n",
            &long,
        ] {
            assert!(!is_revision(text), "{text}");
        }
    }
}
