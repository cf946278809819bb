//! The command that shows a plan again, as a person copies it into a shell.

use std::path::Path;

use super::Selection;
use super::reach::ReachArguments;

/// `murder VERB` with the manifest, the selected hosts, and how they are reached.
#[must_use]
pub fn command_line(
    verb: &str,
    selection: &Selection,
    reach: &ReachArguments,
    live: Option<&Path>,
) -> String {
    let mut words = vec![verb.to_owned(), selection.path.display().to_string()];
    let mut flag = |name: &str, value: String| words.push(format!("--{name}={value}"));
    let lists = [
        ("host", &selection.host),
        ("role", &selection.role),
        ("site", &selection.site),
        ("exclude", &selection.exclude),
        ("policy", &selection.policy),
    ];
    for (name, values) in lists {
        for value in values {
            flag(name, value.clone());
        }
    }
    let paths = selection.added.overlay.iter();
    let overlays = paths.map(|path| ("overlay", path));
    let sandbox = reach.sandbox.iter().map(|path| ("sandbox", path));
    for (name, path) in overlays.chain(sandbox) {
        flag(name, path.display().to_string());
    }
    if let Some(path) = live {
        flag("live", path.display().to_string());
    }
    let given = [
        (reach.local, "--local"),
        (selection.untrusted, "--untrusted"),
    ];
    words.extend(
        given
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| (*word).to_owned()),
    );
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    format!("murder {}", words.join(" "))
}

/// A word as a POSIX shell reads it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_a_shell_would_read_it_otherwise() {
        assert_eq!(quoted("--sandbox=box/a.b"), "--sandbox=box/a.b");
        assert_eq!(quoted("--host=backend*"), "'--host=backend*'");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
