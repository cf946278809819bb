//! "Did you mean": the known word that is nearest to a misspelt one.

/// The candidate most like `word`, if one is like it at all.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// How alike two words must be, from 0 to 1; `backand` and `backend` have 0.86.
    const ALIKE: f32 = 0.6;
    let candidates: Vec<&str> = candidates.into_iter().collect();
    similar::get_close_matches(word, &candidates, 1, ALIKE)
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
