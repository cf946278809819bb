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
        let rules = logical_lines(text.as_bytes()).into_iter().map(|line| {
            let text = String::from_utf8_lossy(&line.text).into_owned();
            let (network, value) = text.trim().split_once(char::is_whitespace)?;
            let is_negated = network.starts_with('!');
            let network = Network::read(network.trim_start_matches('!'))?;
            Some((line.first, is_negated, network, value.trim().to_owned()))
        });
        Some(Self {
            file: file.to_owned(),
            rules: rules.collect::<Option<_>>()?,
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
    fn a_network_may_be_negated() {
        let table = CidrTable::read("/t", "!10.0.0.0/8 out\n10.1.0.0/16 in\n");
        let found = table.map(|table| table.find("10.1.2.3", &Directory::default()));
        let value = found
            .and_then(Result::ok)
            .flatten()
            .map(|found| found.value);
        assert_eq!(value.as_deref(), Some("in"));
    }
}
