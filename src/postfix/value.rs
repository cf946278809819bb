//! Compares values and splits lists by Postfix's own rules.

use super::text::COMMA_BLANKS;
use super::text::collapse;
use super::text::lossy;
use super::text::words_in_braces;

/// Whether Postfix reads two values as the same. A run of white space counts as one blank, and white space at the ends
/// does not count. Commas are not blanks here, because not every value is a list.
#[must_use]
pub fn same_value(left: &str, right: &str) -> bool {
    collapse(left.as_bytes()) == collapse(right.as_bytes())
}

/// The keys and values of a table `inline:{ key=value, { key = value } }`, by what stands after `inline:` (DATABASE_README). None if
/// the text has another form.
#[must_use]
pub fn inline_entries(name: &str) -> Option<Vec<(String, String)>> {
    let words = split_list(name.strip_prefix('{')?.strip_suffix('}')?);
    let entries = words.iter().map(|word| {
        let pair = word
            .strip_prefix('{')
            .and_then(|word| word.strip_suffix('}'));
        let (key, value) = pair.unwrap_or(word).split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    });
    entries.collect()
}

/// The items of a list value: separated by commas or white space, where a group in braces
/// is one item (postconf(5), "lists"; Postfix's `CHARS_COMMA_SP` and `CHARS_BRACE`).
#[must_use]
pub fn split_list(value: &str) -> Vec<String> {
    words_in_braces(value.as_bytes(), COMMA_BLANKS)
        .into_iter()
        .map(lossy)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_not_a_difference() {
        assert!(same_value(" a,  b\n\tc ", "a, b c"));
        assert!(!same_value("a,b", "a, b"));
        assert!(!same_value("a", "A"));
    }

    #[test]
    fn lists_split_at_commas_and_blanks_but_not_inside_braces() {
        assert_eq!(
            split_list("hash:/a,, inline:{ b=c, d=e }\n x"),
            ["hash:/a", "inline:{ b=c, d=e }", "x"]
        );
        assert_eq!(
            split_list("check_policy_service { inet:h:1, timeout=1s }, permit"),
            ["check_policy_service", "{ inet:h:1, timeout=1s }", "permit"]
        );
        assert_eq!(split_list(" , "), Vec::<String>::new());
    }
}
