//! Whether a sequence is an earlier one with members taken out.

/// How a text stands to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortening {
    /// It says the same.
    Same,
    /// Something is gone; what is left is as it was, in the same order.
    Shorter,
    /// Something is new, changed, or in another place.
    Other,
}

/// Compares two sequences whose members are compared by `each`; a member that is gone must be one
/// that `may_go`.
pub(super) fn of_sequences<T>(
    before: &[T],
    after: &[T],
    may_go: impl Fn(&T) -> bool,
    each: impl Fn(&T, &T) -> Shortening,
) -> Shortening {
    let mut found = Shortening::Same;
    let mut rest = before.iter();
    for new in after {
        // The first that fits leaves the most for those that follow.
        loop {
            let Some(old) = rest.next() else {
                return Shortening::Other;
            };
            match each(old, new) {
                Shortening::Same => break,
                Shortening::Shorter => {
                    found = Shortening::Shorter;
                    break;
                }
                Shortening::Other if may_go(old) => found = Shortening::Shorter,
                Shortening::Other => return Shortening::Other,
            }
        }
    }
    for gone in rest {
        if !may_go(gone) {
            return Shortening::Other;
        }
        found = Shortening::Shorter;
    }
    found
}
