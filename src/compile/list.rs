//! List values of main.cf, edited without restating them.

use crate::model::ListEdit;

/// Applies an edit to a list. Returns the new list, and the words to remove that were not in it.
///
/// A list with a comma outside of braces is separated by commas, so that entries of several words
/// (`check_recipient_access hash:/x, reject`) stay whole; any other by blanks.
pub(super) fn edit(list: &str, edit: &ListEdit) -> (String, Vec<String>) {
    let entries = split(list);
    let missing = edit
        .remove
        .iter()
        .filter(|word| !entries.contains(&word.as_str()))
        .cloned()
        .collect();
    let kept = entries
        .into_iter()
        .filter(|entry| !edit.remove.iter().any(|word| word == entry));
    let whole: Vec<&str> = edit
        .prepend
        .iter()
        .map(String::as_str)
        .chain(kept)
        .chain(edit.append.iter().map(String::as_str))
        .collect();
    (whole.join(", "), missing)
}

/// Splits a list as Postfix would (postconf(5): "separated by commas and/or white space"), with
/// `{…}` kept whole.
fn split(list: &str) -> Vec<&str> {
    let commas = pieces(list, |character| character == ',');
    let entries = if commas.len() > 1 {
        commas
    } else {
        pieces(list, char::is_whitespace)
    };
    entries
        .into_iter()
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect()
}

fn pieces(list: &str, separates: impl Fn(char) -> bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut depth, mut start) = (0_u32, 0);
    for (at, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 && separates(character) => {
                pieces.push(&list[start..at]);
                start = at + character.len_utf8();
            }
            _ => {}
        }
    }
    pieces.push(&list[start..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(list: &str, prepend: &[&str], append: &[&str], remove: &[&str]) -> String {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        edit(
            list,
            &ListEdit {
                prepend: own(prepend),
                append: own(append),
                remove: own(remove),
                places: Vec::new(),
            },
        )
        .0
    }

    #[test]
    fn words_are_put_before_and_after() {
        assert_eq!(change("b c", &["a"], &["d"], &[]), "a, b, c, d");
    }

    #[test]
    fn entries_of_several_words_stay_whole() {
        let list = "check_recipient_access hash:/x, reject";
        assert_eq!(
            change(list, &[], &[], &["reject"]),
            "check_recipient_access hash:/x"
        );
    }

    #[test]
    fn braces_hold_an_entry_together() {
        let list = "inline:{a=b, c=d} hash:/x";
        assert_eq!(
            change(list, &[], &["y"], &[]),
            "inline:{a=b, c=d}, hash:/x, y"
        );
    }

    #[test]
    fn what_is_not_there_cannot_be_removed() {
        let edit_of = ListEdit {
            remove: vec!["z".to_owned()],
            ..ListEdit::default()
        };
        assert_eq!(edit("a", &edit_of).1, ["z"]);
    }
}
