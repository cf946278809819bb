//! "Did you mean": the known word that is most like a misspelt one.

/// How alike two words must be, from 0 to 1, where nothing asks for more; `backand` and `backend` have 0.86.
const ALIKE: f32 = 0.6;

/// The candidate most like `word`, if one is like it at all.
#[must_use]
pub fn nearest<'a, S: AsRef<str> + ?Sized + 'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a S>,
) -> Option<&'a str> {
    nearest_of(word, candidates, ALIKE)
}

/// The candidate most like `word` among those that are at least `likeness` (0 to 1) like it.
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

/// `did you mean` with the nearest candidate, or else all of them where they are few.
#[must_use]
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    /// More words than this are no help.
    const FEW: usize = 16;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(nearest) = nearest(word, candidates.iter().copied()) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    if candidates.is_empty() || candidates.len() > FEW {
        return None;
    }
    Some(format!("known here: {}", candidates.join(", ")))
}

/// Whether a name is surely another one misspelt: as long, but for a letter, and with two letters changed at most.
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
            Some("known here: backend, frontend")
        );
        assert_eq!(hint("xyz", [""; 0]), None);
    }

    #[test]
    fn a_slip_has_two_changed_letters_at_most() {
        assert!(is_slip("mydomian", "mydomain"));
        assert!(!is_slip("mydom", "mydomain"));
    }
}
