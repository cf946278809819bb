//! Tells whether one LDAP filter (RFC 4515) is another with alternatives removed.

use super::shortening::Shortening;
use super::shortening::of_sequences;

/// Filters nested deeper than this are not compared.
const DEPTH: usize = 32;

/// Whether `after` matches fewer entries than `before` because an `(|…)` in it lost members, and nothing else differs.
/// Removing a condition of an `(&…)`, or anything within a `(!…)`, makes a filter match more entries.
pub(super) fn is_narrower(before: &str, after: &str) -> bool {
    compare(before.trim(), after.trim(), DEPTH) == Shortening::Shorter
}

fn compare(before: &str, after: &str, depth: usize) -> Shortening {
    if before == after {
        return Shortening::Same;
    }
    if depth == 0 {
        return Shortening::Other;
    }
    let (Some((old, old_parts)), Some((new, new_parts))) = (parts(before), parts(after)) else {
        return Shortening::Other;
    };
    let any = old == '|';
    // An empty `(|)` matches nothing, but not every server knows that (RFC 4526).
    if old != new || new_parts.is_empty() {
        return Shortening::Other;
    }
    of_sequences(
        &old_parts,
        &new_parts,
        |_| any,
        |old, new| compare(old, new, depth - 1),
    )
}

/// The operator of a filter that has one of `&` and `|`, and the filters in it.
fn parts(filter: &str) -> Option<(char, Vec<&str>)> {
    let inner = filter.strip_prefix('(')?.strip_suffix(')')?;
    let operator = inner.chars().next().filter(|sign| "&|".contains(*sign))?;
    let mut parts = Vec::new();
    let (mut level, mut start) = (0_usize, 1);
    // Parentheses in values are escaped, as `\28` and `\29`.
    for (at, byte) in inner.bytes().enumerate().skip(1) {
        match byte {
            b'(' => level += 1,
            b')' => {
                level = level.checked_sub(1)?;
                if level == 0 {
                    parts.push(inner.get(start..=at)?);
                    start = at + 1;
                }
            }
            _ if level == 0 => return None,
            _ => {}
        }
    }
    (level == 0).then_some((operator, parts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_alternatives_may_go() {
        let before = "(&(|(mail=%s)(&(alias=%s)(|(mail=a@x)(mail=a@y))))(!(|(b=1)(c=1)))(d=1))";
        for (from, to, narrower) in [
            ("(mail=a@y)", "", true),
            ("(mail=a@x)", "", true),
            ("(mail=%s)", "", true),
            ("(mail=a@x)(mail=a@y)", "", false),
            ("(d=1)", "", false),
            ("(alias=%s)", "", false),
            ("(b=1)", "", false),
            ("(d=1)", "(d=2)", false),
            ("(mail=a@y)", "(mail=a@z)", false),
            ("(mail=a@x)(mail=a@y)", "(mail=a@y)(mail=a@x)", false),
            ("(d=1)", "(d=1)(e=1)", false),
            ("", "", false),
        ] {
            let after = before.replacen(from, to, 1);
            assert_eq!(is_narrower(before, &after), narrower, "{from} → {to}");
        }
    }

    #[test]
    fn what_is_no_filter_is_not_compared() {
        for (before, after) in [
            ("(|(a=1)(b=1)", "(|(a=1)"),
            ("(|(a=1)b)", "(|(a=1))"),
            ("(|(a=1)))(b=1)", "(|(a=1))"),
            ("mail=%s", ""),
            ("(|é)", "(|)"),
        ] {
            assert!(!is_narrower(before, after), "{before} → {after}");
        }
    }

    #[test]
    fn deep_filters_are_no_trouble() {
        let deep = |inside: &str| format!("{}{inside}{}", "(|".repeat(9000), ")".repeat(9000));
        assert!(!is_narrower(&deep("(a=1)(b=1)"), &deep("(a=1)")));
    }
}
