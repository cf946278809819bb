//! What filters say apart from the key that is looked up.

use std::collections::BTreeSet;

use crate::directory::{Assertion, LdapFilter, Pattern, PatternPart};

/// Whether a value depends on the key.
pub(super) fn has_key(pattern: &Pattern) -> bool {
    let mut parts = pattern.0.iter();
    parts.any(|part| matches!(part, PatternPart::Placeholder(_)))
}

/// Whether each entry that matches has the key, or a part of it, as the value of an attribute.
pub(super) fn needs_key(filter: &LdapFilter) -> bool {
    match filter {
        LdapFilter::And(parts) => parts.iter().any(needs_key),
        LdapFilter::Or(parts) => parts.iter().all(needs_key),
        LdapFilter::Not(_) => false,
        LdapFilter::Item { assertion, .. } => match assertion {
            Assertion::Equal(pattern) => has_key(pattern),
            Assertion::Present | Assertion::Substrings(_) => false,
        },
    }
}

/// Takes each item of a filter.
pub(super) fn items(filter: &LdapFilter, take: &mut dyn FnMut(&str, &Assertion)) {
    match filter {
        LdapFilter::And(parts) | LdapFilter::Or(parts) => {
            for part in parts {
                items(part, take);
            }
        }
        LdapFilter::Not(part) => items(part, take),
        LdapFilter::Item {
            attribute,
            assertion,
        } => take(attribute, assertion),
    }
}

/// The filter for entries that a table can find by some key, if the attributes in `free` had the right values: items of
/// these hold, and a value that is compared with the key must only be there.
pub(super) fn relaxed(filter: &LdapFilter, free: &BTreeSet<String>) -> LdapFilter {
    let all = |parts: &[LdapFilter]| parts.iter().map(|part| relaxed(part, free)).collect();
    match filter {
        LdapFilter::And(parts) => LdapFilter::And(all(parts)),
        LdapFilter::Or(parts) => LdapFilter::Or(all(parts)),
        LdapFilter::Not(part) => {
            let mut is_free = false;
            items(part, &mut |attribute, _| {
                is_free |= free.contains(attribute)
            });
            if is_free {
                return LdapFilter::And(Vec::new());
            }
            LdapFilter::Not(Box::new(relaxed(part, free)))
        }
        LdapFilter::Item { attribute, .. } if free.contains(attribute) => {
            LdapFilter::And(Vec::new())
        }
        LdapFilter::Item {
            attribute,
            assertion: Assertion::Equal(pattern),
        } if has_key(pattern) => LdapFilter::Item {
            attribute: attribute.clone(),
            assertion: Assertion::Present,
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::parse_filter;

    #[test]
    fn filters_are_relaxed() {
        let read = |text| parse_filter(text, true).unwrap_or(LdapFilter::Or(Vec::new()));
        let free = BTreeSet::from(["mailhost".to_owned()]);
        for (filter, expected) in [
            (
                "(&(mail=%s)(objectClass=person)(mailHost=b1))",
                "(&(mail=*)(objectClass=person)(&))",
            ),
            ("(&(mail=%s)(!(mailHost=*)))", "(&(mail=*)(&))"),
        ] {
            assert_eq!(relaxed(&read(filter), &free), read(expected), "{filter}");
        }
        assert!(needs_key(&read("(|(mail=%s)(&(alias=%s)(x=1)))")));
        assert!(!needs_key(&read("(|(mail=%s)(x=1))")));
        assert!(!needs_key(&read("(mail=*%s*)")));
    }
}
