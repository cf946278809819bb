//! Parameters that accept only fixed keywords (postconf(5)). Postfix programs stop with a fatal error at any other word.

/// What smtp(8) and lmtp(8) demand of TLS.
const CLIENT_TLS_LEVELS: [&str; 8] = [
    "none",
    "may",
    "encrypt",
    "dane",
    "dane-only",
    "fingerprint",
    "verify",
    "secure",
];

/// What postscreen(8) does with a client that fails a test, one for each test.
const POSTSCREEN_ACTIONS: [&str; 7] = [
    "postscreen_bare_newline_action",
    "postscreen_blacklist_action",
    "postscreen_denylist_action",
    "postscreen_dnsbl_action",
    "postscreen_greet_action",
    "postscreen_non_smtp_command_action",
    "postscreen_pipelining_action",
];

/// The keywords that a parameter accepts, and whether it accepts several; none if it accepts other words.
fn keywords_of(name: &str) -> Option<(&'static [&'static str], bool)> {
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
        "smtp_host_lookup" | "lmtp_host_lookup" => (&["dns", "native"], true),
        "smtpd_upstream_proxy_protocol" | "postscreen_upstream_proxy_protocol" => {
            (&["haproxy"], false)
        }
        name if POSTSCREEN_ACTIONS.contains(&name) => (&["drop", "enforce", "ignore"], false),
        "smtpd_sasl_type" => (&["cyrus", "dovecot"], false),
        "smtp_sasl_type" | "lmtp_sasl_type" => (&["cyrus"], false),
        "milter_default_action" => (
            &["accept", "reject", "tempfail", "quarantine", "shutdown"],
            false,
        ),
        "smtpd_tls_security_level" | "postscreen_tls_security_level" => {
            (&["none", "may", "encrypt"], false)
        }
        "smtp_tls_security_level" | "lmtp_tls_security_level" => (&CLIENT_TLS_LEVELS, false),
        _ => return None,
    };
    Some(words)
}

/// Whether a word is a keyword. Postfix ignores case (name_code(3)), except in some parameters.
fn is_keyword(name: &str, known: &str, word: &str) -> bool {
    let exact = name == "mynetworks_style"
        || name.ends_with("_sasl_type")
        || name.ends_with("_proxy_protocol");
    known == word || !exact && known.eq_ignore_ascii_case(word)
}

/// The first word of a value that is not a keyword of the parameter, with the keywords of the parameter.
pub(super) fn unknown_keyword<'v>(
    name: &str,
    value: &'v str,
) -> Option<(&'v str, &'static [&'static str])> {
    let (words, several) = keywords_of(name)?;
    let given: Vec<&str> = if several {
        value.split([',', ' ', '\t']).collect()
    } else {
        vec![value.trim()]
    };
    given
        .into_iter()
        .filter(|word| !word.is_empty())
        .find(|word| !words.iter().any(|known| is_keyword(name, known, word)))
        .map(|word| (word, words))
}
