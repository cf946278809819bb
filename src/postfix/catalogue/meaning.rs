//! What a value means to Postfix: `YES` is `yes`, and `1h` is `3600s`.

use super::{Takes, lists, takes, value};

/// Whether two values of a parameter mean the same to Postfix. Values with a `$` are compared as texts.
#[must_use]
pub fn same_meaning(name: &str, left: &str, right: &str) -> bool {
    if lists::same(name, left, right) {
        return true;
    }
    let (left, right) = (left.trim(), right.trim());
    match takes(name) {
        Some(Takes::YesOrNo) => left.eq_ignore_ascii_case(right),
        Some(Takes::Number | Takes::Time) => {
            amount(name, left).is_some_and(|amount| amount_of(name, right) == Some(amount))
        }
        // Postfix reads its key words in either case; paths and tables are none.
        None => {
            let word = |text: &str| !text.contains(['/', ':', ' ', '$']);
            word(left) && left.eq_ignore_ascii_case(right)
        }
    }
}

/// The number that a value is, in seconds for a time; none where it is none, or refers to another parameter.
#[must_use]
pub fn amount(name: &str, text: &str) -> Option<i64> {
    amount_of(name, text.trim())
}

fn amount_of(name: &str, text: &str) -> Option<i64> {
    match takes(name)? {
        Takes::Number => text.parse().ok(),
        Takes::Time => value::seconds(name, text).ok(),
        Takes::YesOrNo => None,
    }
}

/// How strict a level of TLS is, for a parameter that holds one (postconf(5), `smtp_tls_security_level`); none where it is none.
///
/// `dane` comes before `encrypt`, as a server without a TLSA record gets `may`. Levels that know the server (`dane-only`,
/// `fingerprint`, `verify`) are alike.
#[must_use]
pub fn tls_strictness(name: &str, text: &str) -> Option<i64> {
    if !name.ends_with("_tls_security_level") {
        return None;
    }
    Some(match text.trim().to_ascii_lowercase().as_str() {
        "none" => 0,
        "may" => 1,
        "dane" => 2,
        "encrypt" => 3,
        "dane-only" | "fingerprint" | "verify" => 4,
        "secure" => 5,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_tls_have_an_order() {
        let all = ["none", "May", "dane", "encrypt", "verify", "secure"];
        let level = |text| tls_strictness("smtp_tls_security_level", text).unwrap_or(-1);
        assert!(all.windows(2).all(|two| level(two[0]) < level(two[1])));
        assert_eq!(level("fingerprint"), level("dane-only"));
        assert_eq!(level(""), -1);
        assert_eq!(tls_strictness("smtp_tls_loglevel", "may"), None);
    }

    #[test]
    fn values_are_compared_as_postfix_reads_them() {
        for (name, left, right, same) in [
            ("smtpd_helo_required", "YES", "yes", true),
            ("smtpd_helo_required", "yes", "no", false),
            ("smtp_helo_timeout", "300s", "5m", true),
            ("smtp_helo_timeout", "300", "5m", true),
            ("maximal_queue_lifetime", "5", "5d", true),
            ("maximal_queue_lifetime", "5", "5s", false),
            ("message_size_limit", "010", "10", true),
            ("smtpd_tls_security_level", "May", "may", true),
            ("mydestination", "a,b", "a, b", true),
            ("alias_maps", "hash:/etc/A", "hash:/etc/a", false),
        ] {
            assert_eq!(
                same_meaning(name, left, right),
                same,
                "{name}: {left} {right}"
            );
        }
        assert_eq!(amount("maximal_queue_lifetime", "1w"), Some(604_800));
        assert_eq!(amount("mydestination", "1"), None);
    }
}
