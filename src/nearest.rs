//! "Did you mean": finds the known word that is most similar to a misspelt one.

/// The least similarity (0 to 1) of two words, unless the caller gives another; `backand` and `backend` have 0.86.
const SIMILARITY: f32 = 0.6;

/// The candidate most similar to `word`; none if no candidate is similar enough.
#[must_use]
pub fn nearest<'a, S: AsRef<str> + ?Sized + 'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a S>,
) -> Option<&'a str> {
    nearest_of(word, candidates, SIMILARITY)
}

/// The candidate most similar to `word`; none if no candidate has at least this `likeness` (0 to 1).
#[must_use]
pub fn nearest_of<'a, S: AsRef<str> + ?Sized + 'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a S>,
    likeness: f32,
) -> Option<&'a str> {
    let candidates: Vec<&str> = candidates.into_iter().map(AsRef::as_ref).collect();
    similar::get_close_matches(word, &candidates, 1, likeness)
        .into_iter()
        .next()
}

/// A hint: `did you mean` with the most similar candidate, or the list of all candidates if they are few.
#[must_use]
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    /// A longer list does not help.
    const FEW: usize = 16;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(nearest) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    if candidates.is_empty() || candidates.len() > FEW {
        return None;
    }
    Some(format!("write one of {}", candidates.join(", ")))
}

/// Whether a name is certainly a misspelling of another: the lengths differ by at most one letter, and at most two
/// letters change.
#[must_use]
pub fn is_slip(name: &str, right: &str) -> bool {
    let longer = name.chars().count().abs_diff(right.chars().count());
    longer <= 1 && strsim::levenshtein(name, right) <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_word_is_found_and_a_strange_one_is_not() {
        let known = ["backend", "frontend"];
        assert_eq!(nearest("backand", known), Some("backend"));
        assert_eq!(nearest("mupdate", known), None);
        assert_eq!(nearest_of("backand", known, 0.9), None);
    }

    #[test]
    fn a_hint_lists_the_known_words_where_none_is_near() {
        let known = ["backend", "frontend"];
        assert_eq!(
            hint("xyz", known).as_deref(),
            Some("write one of backend, frontend")
        );
        assert_eq!(hint("xyz", [""; 0]), None);
    }

    #[test]
    fn a_slip_has_two_changed_letters_at_most() {
        assert!(is_slip("mydomian", "mydomain"));
        assert!(!is_slip("mydom", "mydomain"));
    }
}
