//! Values that are words of a fixed set (postconf(5)): Postfix's programs die of any other.

/// The words that a parameter takes, and whether it takes several.
fn of(name: &str) -> Option<(&'static [&'static str], bool)> {
    let words: (&[&str], bool) = match name {
        "inet_protocols" => (&["all", "ipv4", "ipv6"], true),
        "masquerade_classes" => (
            &[
                "envelope_sender",
                "envelope_recipient",
                "header_sender",
                "header_recipient",
            ],
            true,
        ),
        "receive_override_options" => (
            &[
                "no_unknown_recipient_checks",
                "no_address_mappings",
                "no_header_body_checks",
                "no_milters",
            ],
            true,
        ),
        "mynetworks_style" => (&["class", "host", "subnet"], false),
        "notify_classes" => (
            &[
                "bounce", "2bounce", "data", "delay", "policy", "protocol", "resource", "software",
            ],
            true,
        ),
        "internal_mail_filter_classes" => (&["bounce", "notify"], true),
        "smtp_address_preference" | "lmtp_address_preference" => (&["any", "ipv4", "ipv6"], false),
        "smtp_dns_support_level" | "lmtp_dns_support_level" => {
            (&["disabled", "enabled", "dnssec"], false)
        }
        "smtpd_tls_security_level" | "postscreen_tls_security_level" => {
            (&["none", "may", "encrypt"], false)
        }
        "smtp_tls_security_level" | "lmtp_tls_security_level" => (
            &[
                "none",
                "may",
                "encrypt",
                "dane",
                "dane-only",
                "fingerprint",
                "verify",
                "secure",
            ],
            false,
        ),
        _ => return None,
    };
    Some(words)
}

/// Whether Postfix takes a word for the other: most it reads in any case (name_code(3)), this one as it stands.
fn same(name: &str, known: &str, word: &str) -> bool {
    known == word || name != "mynetworks_style" && known.eq_ignore_ascii_case(word)
}

/// The first word of a value that is none of a parameter's, with those that are.
pub(super) fn stranger<'v>(
    name: &str,
    value: &'v str,
) -> Option<(&'v str, &'static [&'static str])> {
    let (words, several) = of(name)?;
    let given: Vec<&str> = if several {
        value.split([',', ' ', '\t']).collect()
    } else {
        vec![value.trim()]
    };
    given
        .into_iter()
        .filter(|word| !word.is_empty())
        .find(|word| !words.iter().any(|known| same(name, known, word)))
        .map(|word| (word, words))
}
