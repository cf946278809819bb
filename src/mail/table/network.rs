//! Networks: the lists of `mynetworks`, and `cidr:` tables (cidr_table(5)).

use std::net::{IpAddr, Ipv6Addr};

use super::answer::{AnswerPlace, KeyLookup, LookupAnswer, LookupResult};
use crate::directory::Directory;
use crate::postfix::logical_lines;

/// A network: an address, and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// Reads `192.0.2.0/24`, `192.0.2.1`, `[2001:db8::]/32` and `2001:db8::/32`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (address, bits) = match text.rsplit_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address = address
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .ok()?;
        let most = width(address);
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether an address is in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let most = width(self.address);
        if width(address) != most {
            return false;
        }
        let shift = most - self.bits;
        let part = |address| number(address).checked_shr(shift).unwrap_or_default();
        part(address) == part(self.address)
    }

    /// An address of the network: the first one that a host has.
    #[must_use]
    pub fn host(&self) -> IpAddr {
        let most = width(self.address);
        if self.bits == most {
            return self.address;
        }
        match (self.address, number(self.address) + 1) {
            (IpAddr::V4(_), next) => {
                u32::try_from(next).map_or(self.address, |next| IpAddr::V4(next.into()))
            }
            (IpAddr::V6(_), next) => IpAddr::V6(Ipv6Addr::from(next)),
        }
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address),
    }
}

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

    /// cidr_table(5) and postconf(5), `mynetworks`.
    #[test]
    fn networks_contain_addresses() {
        for (network, address, contains) in [
            ("192.0.2.0/24", "192.0.2.7", true),
            ("192.0.2.0/24", "192.0.3.7", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("[2001:db8::]/32", "2001:db8::1", true),
            ("[::1]/128", "127.0.0.1", false),
        ] {
            let address = address.parse::<IpAddr>();
            let network = Network::read(network).zip(address.ok());
            assert_eq!(
                network.map(|(network, address)| network.contains(address)),
                Some(contains)
            );
        }
        assert_eq!(Network::read("example.org"), None);
        assert_eq!(Network::read("192.0.2.0/33"), None);
        let table = CidrTable::read("/t", "!10.0.0.0/8 out\n10.1.0.0/16 in\n");
        let found = table.map(|table| table.find("10.1.2.3", &Directory::default()));
        let value = found
            .and_then(Result::ok)
            .flatten()
            .map(|found| found.value);
        assert_eq!(value.as_deref(), Some("in"));
    }
}
