//! What is wrong with an endpoint, and what its parts may be.

use crate::postfix::catalogue::problem::Problem;

pub(super) const SERVER_ERROR: &str = "smtpd(8) would answer `451 4.3.5 Server configuration problem` to every client, or stop with a fatal error";
pub(super) const DELIVERY_ERROR: &str =
    "the delivery agent would stop with a fatal error, and the mail would wait";

/// What is wrong with an endpoint.
pub(super) struct Fault {
    pub(super) word: String,
    pub(super) what: String,
    pub(super) detail: &'static str,
    pub(super) hint: String,
}

impl Fault {
    pub(super) fn new(word: &str, what: &str, detail: &'static str, hint: String) -> Option<Self> {
        Some(Self {
            word: word.to_owned(),
            what: what.to_owned(),
            detail,
            hint,
        })
    }

    pub(super) fn of(self, place: &str) -> Problem {
        Problem {
            summary: format!("`{}` in {place} {}", self.word, self.what),
            detail: Some(self.detail.to_owned()),
            hint: Some(self.hint),
            word: Some(self.word),
        }
    }
}

/// A number from 1 to 65535, or a name that services(5) may have.
pub(super) fn is_port(text: &str) -> bool {
    match text.parse::<u32>() {
        Ok(number) => (1..=65535).contains(&number),
        Err(_) => {
            !text.is_empty()
                && text.bytes().any(|byte| byte.is_ascii_alphabetic())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
        }
    }
}
