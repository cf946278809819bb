//! Restrictions that a list must have, and where smtpd(8) looks for them: in the list and in the classes that it names.

use crate::postfix::split_list;

/// `smtpd_relay_restrictions` or `smtpd_recipient_restrictions` must have one of these. Otherwise smtpd(8) ends each
/// session with a fatal error instead of being an open relay (`smtpd_check_init` in its source).
pub const GUARDS: [&str; 6] = [
    "reject_unauth_destination",
    "defer_unauth_destination",
    "reject",
    "defer",
    "defer_if_permit",
    "check_relay_domains",
];

/// Classes that refer to each other in a circle are no reason to go round for ever.
pub const DEEP: u32 = 8;

/// Whether a list certainly has none of the [`GUARDS`] where smtpd(8) looks for them (`has_required` in its source): before a
/// `permit`, and not as the word after `warn_if_reject`. `class` gives the list of a restriction class, or `Some(None)` if only
/// the host knows it. A list with a `$name` may have one.
#[must_use]
pub fn lacks_guard(value: &str, class: &dyn Fn(&str) -> Option<Option<String>>) -> bool {
    lacks(value, class, DEEP)
}

fn lacks(value: &str, class: &dyn Fn(&str) -> Option<Option<String>>, deep: u32) -> bool {
    let mut words = split_list(value).into_iter();
    while let Some(word) = words.next() {
        let plain = word.to_ascii_lowercase();
        if plain == "warn_if_reject" {
            words.next();
        } else if plain == "permit" {
            return true;
        } else if word.contains('$') || GUARDS.contains(&plain.as_str()) {
            return false;
        } else if let Some(members) = class(&word) {
            match members {
                Some(members) if deep > 0 => {
                    if !lacks(&members, class, deep - 1) {
                        return false;
                    }
                }
                _ => return false,
            }
        }
    }
    true
}

/// Whether a list, or a class in it, has a restriction where it is in force: not as the word after `warn_if_reject`. `class` is
/// as for [`lacks_guard`]; a list with a `$name`, or a class that only the host knows, may have it.
#[must_use]
pub fn may_have(value: &str, wanted: &str, class: &dyn Fn(&str) -> Option<Option<String>>) -> bool {
    may_have_nested(value, wanted, class, DEEP)
}

fn may_have_nested(
    value: &str,
    wanted: &str,
    class: &dyn Fn(&str) -> Option<Option<String>>,
    deep: u32,
) -> bool {
    let mut words = split_list(value).into_iter();
    while let Some(word) = words.next() {
        let plain = word.to_ascii_lowercase();
        if plain == "warn_if_reject" {
            words.next();
        } else if word.contains('$') || plain == wanted {
            return true;
        } else if let Some(members) = class(&word)
            && members.is_none_or(|members| {
                deep == 0 || may_have_nested(&members, wanted, class, deep - 1)
            })
        {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_counts_only_where_smtpd_looks_for_it() {
        let class = |word: &str| match word {
            "strict" => Some(Some("permit_mynetworks, reject".to_owned())),
            "lax" => Some(Some("permit, reject".to_owned())),
            "round" => Some(Some("round".to_owned())),
            "of_host" => Some(None),
            _ => None,
        };
        for (list, lacks) in [
            ("permit_mynetworks, reject_unauth_destination", false),
            ("permit, reject_unauth_destination", true),
            ("warn_if_reject, reject_unauth_destination", true),
            (
                "warn_if_reject reject_unknown_client_hostname, defer",
                false,
            ),
            ("strict", false),
            ("lax", true),
            ("lax, reject", false),
            ("permit strict", true),
            ("of_host", false),
            ("round", false),
            ("$mine", false),
            ("permit_mynetworks", true),
            ("", true),
        ] {
            assert_eq!(lacks_guard(list, &class), lacks, "{list}");
        }
        for (list, may) in [
            ("reject_unlisted_recipient, permit_mynetworks", true),
            ("warn_if_reject reject_unlisted_recipient", false),
            ("permit_mynetworks, reject", false),
            ("strict", false),
            ("of_host", true),
            ("round", true),
            ("$mine", true),
        ] {
            let wanted = "reject_unlisted_recipient";
            assert_eq!(may_have(list, wanted, &class), may, "{list}");
        }
    }
}
