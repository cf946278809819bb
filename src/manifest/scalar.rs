//! The words of a manifest that are more than text: times, numbers, `true` and `false`; and how a message shows a word.

use std::time::Duration;

use crate::manifest::node::{Kind, Node};
use crate::name::is_hidden;

/// A duration as a manifest writes it: `500ms`, `10s`, `5m`, `2h`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let number: u64 = integer(number)?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// A whole number in plain decimal digits; `025`, `0x19` and `1e3` are none.
#[must_use]
pub fn integer(text: &str) -> Option<u64> {
    if text.is_empty()
        || text.len() > 1 && text.starts_with('0')
        || !text.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    text.parse().ok()
}

/// `true` or `false`, plain; YAML 1.1's `yes`, `no`, `on` and `off` are texts.
#[must_use]
pub fn switch(node: &Node) -> Option<bool> {
    match &node.kind {
        Kind::Scalar { text, plain: true } if text == "true" => Some(true),
        Kind::Scalar { text, plain: true } if text == "false" => Some(false),
        _ => None,
    }
}

/// A user's word as a message shows it: on one line, and not without end.
#[must_use]
pub fn shown(text: &str) -> String {
    const MOST: usize = 80;
    let mut out: String = text
        .chars()
        .take(MOST)
        .flat_map(|c| {
            let escape = is_hidden(c);
            c.escape_default()
                .filter(move |_| escape)
                .chain((!escape).then_some(c))
        })
        .collect();
    if text.chars().count() > MOST {
        out.push('…');
    }
    out
}
