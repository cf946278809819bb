//! Place-holders for what is each host's own: its names and addresses. Texts of hosts that differ only in these are
//! the same text.

use crate::name::HostName;
use crate::plan::OwnNames;

/// What stands for the host's name in a compared text: no text of ours holds such a character, because
/// [`crate::visible::visible`] leaves no control character but tabs.
const NAME: char = '\u{0}';

/// The same for the first label of its name, and for its `mailhost`.
const LABEL: char = '\u{1}';
const MAILHOST: char = '\u{2}';

/// The same for its addresses, one after the other.
const ADDRESSES: std::ops::RangeInclusive<char> = '\u{e}'..='\u{1f}';

/// The names and addresses of one host, each with the character that stands for it, the longest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnWords(Vec<(char, String)>);

impl OwnWords {
    /// Those of a host: its name, and what the plan knows besides. The first label counts where it ends with a number,
    /// as in a fleet; another one, such as `mail`, may be an ordinary word.
    pub(super) fn of(host: &HostName, own: Option<&OwnNames>) -> Self {
        let mut words = vec![(NAME, host.as_str().to_owned())];
        let label = host.as_str().split('.').next().unwrap_or_default();
        if label.ends_with(|c: char| c.is_ascii_digit()) {
            words.push((LABEL, label.to_owned()));
        }
        if let Some(own) = own {
            words.extend(own.mailhost.iter().map(|name| (MAILHOST, name.clone())));
            words.extend(ADDRESSES.zip(own.addresses.iter().cloned()));
        }
        let mut seen = Vec::new();
        words.retain(|(_, text)| {
            let is_new = !text.is_empty() && !seen.contains(text);
            seen.push(text.clone());
            is_new
        });
        words.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
        Self(words)
    }

    /// The text with each own word, where it stands alone, replaced by its character.
    pub(super) fn replaced(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (token, word) in &self.0 {
            if text.contains(word.as_str()) {
                text = without(&text, word, *token);
            }
        }
        text
    }

    /// The text with the host's own words in their places.
    pub(super) fn restored(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (token, word) in &self.0 {
            if text.contains(*token) {
                text = text.replace(*token, word);
            }
        }
        text
    }
}

/// Whether a text has a character that stands for an own word.
pub(super) fn has_any(text: &str) -> bool {
    text.contains(|c| place_holder(c).is_some())
}

/// The place-holders of a text, as they are shown, each once.
pub(super) fn place_holders<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<String> {
    let mut found = std::collections::BTreeSet::new();
    for text in texts {
        found.extend(text.chars().filter(|c| place_holder(*c).is_some()));
    }
    found.into_iter().filter_map(place_holder).collect()
}

/// The text as it is shown for several hosts: `{host}` for the name of each.
pub(super) fn shown(text: &str) -> String {
    if !has_any(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match place_holder(c) {
            Some(word) => shown += &word,
            None => shown.push(c),
        }
    }
    shown
}

fn place_holder(token: char) -> Option<String> {
    let number = u32::from(token).checked_sub(u32::from(*ADDRESSES.start()));
    match token {
        NAME => Some("{host}".to_owned()),
        LABEL => Some("{label}".to_owned()),
        MAILHOST => Some("{mailhost}".to_owned()),
        _ if ADDRESSES.contains(&token) => Some(match number {
            Some(number @ 1..) => format!("{{address{}}}", number + 1),
            _ => "{address}".to_owned(),
        }),
        _ => None,
    }
}

/// The text with `token` for `word` where that is a whole word: not a part of a longer name or address.
fn without(text: &str, word: &str, token: char) -> String {
    let is_ipv6 = word.contains(':');
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-');
    // `mx.example.org` is not in `old.mx.example.org` nor in `mx.example.org.net`.
    let joins = |c: Option<char>| c == Some('.') || (is_ipv6 && c == Some(':'));
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut last = None;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let left = before.chars().next_back().or(last);
        let mut right = after.chars();
        let next = right.next();
        let goes_on = inside(next) || (joins(next) && inside(right.next()));
        let whole = !(inside(left) || joins(left) || goes_on);
        result += before;
        if whole {
            result.push(token);
        } else {
            result += word;
        }
        last = word.chars().next_back();
        rest = after;
    }
    result += rest;
    result
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn words(name: &str, mailhost: Option<&str>, addresses: &[&str]) -> OwnWords {
        let own = OwnNames {
            mailhost: mailhost.map(str::to_owned),
            addresses: addresses.iter().map(|text| (*text).to_owned()).collect(),
        };
        OwnWords::of(&HostName::new(name).unwrap(), Some(&own))
    }

    #[test]
    fn a_name_is_replaced_as_a_whole_word_only() {
        let words = words("mx.a", None, &[]);
        let shown = |text: &str| shown(&words.replaced(text));
        assert_eq!(shown("to mx.a, [mx.a]:25"), "to {host}, [{host}]:25");
        for same in ["old.mx.a", "mx.ab", "mx.a.org", "xmx.a", "mx.a-b", "mx"] {
            assert_eq!(shown(same), same);
        }
        assert_eq!(shown("ends with mx.a."), "ends with {host}.");
    }

    #[test]
    fn every_own_word_has_its_place_holder_and_comes_back() {
        let words = words("b1.x", Some("store1.x"), &["192.0.2.1", "2001:db8::1"]);
        for (text, expected) in [
            ("b1.x b1 store1.x", "{host} {label} {mailhost}"),
            (
                "192.0.2.1/32 192.0.2.10 1192.0.2.1 192.0.2.1.5",
                "{address}/32 192.0.2.10 1192.0.2.1 192.0.2.1.5",
            ),
            (
                "[2001:db8::1]:25 2001:db8::1:2 1:2001:db8::1",
                "[{address2}]:25 2001:db8::1:2 1:2001:db8::1",
            ),
        ] {
            let replaced = words.replaced(text);
            assert_eq!(shown(&replaced), expected);
            assert_eq!(words.restored(&replaced), text);
        }
    }

    #[test]
    fn an_ordinary_first_label_is_no_own_word() {
        let words = words("postfix.x", None, &[]);
        assert_eq!(words.replaced("/etc/postfix/x"), "/etc/postfix/x");
    }
}
