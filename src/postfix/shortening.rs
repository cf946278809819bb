//! Tells whether a sequence is an earlier one with members removed.

/// How a text differs from an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortening {
    /// It means the same.
    Same,
    /// Something was removed; the rest is unchanged, in the same order.
    Shorter,
    /// Something was added, changed or moved.
    Other,
}

/// Compares two sequences, whose members `each` compares. Only members for which `may_go` is true may be removed.
pub(super) fn of_sequences<T>(
    before: &[T],
    after: &[T],
    may_go: impl Fn(&T) -> bool,
    each: impl Fn(&T, &T) -> Shortening,
) -> Shortening {
    let mut found = Shortening::Same;
    let mut rest = before.iter();
    for new in after {
        // Taking the first member that fits leaves the most members for the rest.
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
