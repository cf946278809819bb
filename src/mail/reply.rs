//! Answers of SMTP servers to RCPT.

use schemars::JsonSchema;
use serde::Serialize;

/// An answer of an SMTP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reply {
    /// The three digits: 250, 450, 550.
    pub code: u16,
    /// The enhanced status code (RFC 3463): `5.1.1`.
    pub enhanced: String,
    /// The text after them.
    #[serde(skip)]
    pub text: String,
}

impl Reply {
    /// An answer that refuses. The first digit of the enhanced code follows the code, as in Postfix. A code that does not refuse, such as the 354 that
    /// `relay_domains_reject_code = 454` gives `defer_unauth_destination`, is a mistake of the configuration: smtpd(8) answers 450 instead.
    #[must_use]
    pub fn new(code: u16, enhanced: &str, text: impl Into<String>) -> Self {
        let (code, enhanced, text) = match code {
            400..600 => (code, enhanced, text.into()),
            _ => (450, "4.7.1", "Service unavailable".to_owned()),
        };
        let rest = enhanced.get(1..).unwrap_or_default();
        Self {
            code,
            enhanced: format!("{}{rest}", code / 100),
            text,
        }
    }

    /// The answer to a recipient that is accepted.
    #[must_use]
    pub fn accepted() -> Self {
        Self {
            code: 250,
            enhanced: "2.1.5".to_owned(),
            text: "Ok".to_owned(),
        }
    }

    /// The answer if a lookup failed.
    #[must_use]
    pub fn lookup_failure() -> Self {
        Self::new(451, "4.3.0", "Temporary lookup failure")
    }

    /// Whether the server takes the recipient.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.code < 400
    }

    /// Whether the client tries again later.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        (400..500).contains(&self.code)
    }
}

/// The enhanced status code at the begin of a text, and the text behind it; the code is `default` if the text has none.
#[must_use]
pub fn split_status<'a>(text: &'a str, default: &'a str) -> (&'a str, &'a str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut parts = word.split('.');
    let mut number = || {
        parts.next().is_some_and(|part| {
            !part.is_empty() && part.len() <= 3 && part.bytes().all(|c| c.is_ascii_digit())
        })
    };
    let is_status = word.starts_with(['2', '4', '5']) && number() && number() && number();
    if is_status && parts.next().is_none() {
        (word, rest.trim_start())
    } else {
        (default, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// error(8): "an optional enhanced status code".
    #[test]
    fn a_status_may_begin_a_text() {
        for (text, status, rest) in [
            ("5.1.1 Recipient unknown", "5.1.1", "Recipient unknown"),
            ("mail is not for you", "5.0.0", "mail is not for you"),
            ("5.1 x", "5.0.0", "5.1 x"),
            ("4.2.1", "4.2.1", ""),
        ] {
            assert_eq!(split_status(text, "5.0.0"), (status, rest));
        }
        assert_eq!(Reply::new(450, "5.1.1", "").enhanced, "4.1.1");
    }

    /// smtpd_check.c: "SMTP reply code configuration error".
    #[test]
    fn an_answer_that_does_not_refuse_is_another_one() {
        for (code, expected) in [(399, 450), (400, 400), (599, 599), (600, 450), (0, 450)] {
            let reply = Reply::new(code, "5.1.1", "");
            assert_eq!(
                (reply.code, reply.is_accepted()),
                (expected, false),
                "{code}"
            );
        }
        assert_eq!(Reply::new(250, "2.0.0", "x").enhanced, "4.7.1");
    }
}
