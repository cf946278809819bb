//! `cidr:` tables (cidr_table(5)).

use super::answer::{AnswerPlace, KeyLookup, LookupAnswer, LookupResult};
use super::part::PartVisitor;
use crate::directory::Directory;
use crate::postfix::{Network, logical_lines};

/// A `cidr:` table.
#[derive(Debug)]
pub struct CidrTable {
    file: String,
    rules: Vec<(usize, bool, Network, String)>,
}

impl CidrTable {
    /// Reads the text of a table; none if it has a line that is not `network value`, such as an `if`.
    #[must_use]
    pub fn read(file: &str, text: &str) -> Option<Self> {
        let mut rules = Vec::new();
        for line in logical_lines(text.as_bytes()) {
            let text = String::from_utf8_lossy(&line.text).into_owned();
            let (network, value) = text.trim().split_once(char::is_whitespace)?;
            let is_negated = network.starts_with('!');
            let network = network.trim_start_matches('!');
            let network = Network::read(network)?;
            // Postfix leaves such a line out, with a warning.
            if !network.has_host_bits() {
                rules.push((line.first, is_negated, network, value.trim().to_owned()));
            }
        }
        Some(Self {
            file: file.to_owned(),
            rules,
        })
    }
}

impl KeyLookup for CidrTable {
    fn parts(&self, _: bool, _: PartVisitor<'_>) {}

    fn find(&self, key: &str, _: &Directory) -> LookupResult {
        let Ok(address) = key.parse() else {
            return Ok(None);
        };
        let found = self
            .rules
            .iter()
            .find(|(_, negated, network, _)| network.contains(address) != *negated);
        Ok(found.map(|(line, _, _, value)| LookupAnswer {
            value: value.clone(),
            place: AnswerPlace::Line(self.file.clone(), *line),
        }))
    }

    fn takes_parts(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// cidr_table(5): the first line that matches decides.
    #[test]
    fn networks_match_in_order() {
        for (text, address, expected) in [
            ("!10.0.0.0/8 out\n10.1.0.0/16 in\n", "10.1.2.3", Some("in")),
            (
                "!10.0.0.0/8 out\n10.1.0.0/16 in\n",
                "192.0.2.1",
                Some("out"),
            ),
            ("10.0.0.0/8 a\n10.0.0.1 b\n", "10.0.0.1", Some("a")),
            ("10.0.0.1/8 wrong\n10.0.0.2 b\n", "10.0.0.2", Some("b")),
            ("10.0.0.1/8 wrong\n10.0.0.2 b\n", "10.0.0.3", None),
            (
                "2001:db8::1/32 wrong\n::/0 all\n",
                "2001:db8::7",
                Some("all"),
            ),
            ("0.0.0.0/0 all\n", "10.0.0.3", Some("all")),
            ("10.0.0.0/8 a\n", "name.org", None),
        ] {
            let table = CidrTable::read("/t", text);
            let found = table.map(|table| table.find(address, &Directory::default()));
            let value = found.and_then(Result::ok).flatten();
            let value = value.map(|found| found.value);
            assert_eq!(value.as_deref(), expected, "{text} {address}");
        }
        assert!(CidrTable::read("/t", "if 10.0.0.0/8\n").is_none());
    }
}
