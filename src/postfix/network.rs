//! Networks as `mynetworks` and `cidr:` tables write them (postconf(5), cidr_table(5)).

use std::net::{IpAddr, Ipv6Addr};

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
        let bare = address
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let address: IpAddr = bare.unwrap_or(address).parse().ok()?;
        let most = width(address);
        let bits = bits.unwrap_or(most);
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether it is a great part of the Internet.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        let least = match self.address {
            IpAddr::V4(_) => 8,
            IpAddr::V6(_) => 16,
        };
        self.bits < least
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

    /// Whether the address has bits beyond the length: `10.0.0.1/8`. Postfix leaves such a pattern out, with a warning ("non-null
    /// host address bits").
    #[must_use]
    pub fn has_host_bits(&self) -> bool {
        let host_bits = width(self.address) - self.bits;
        let network = u128::MAX.checked_shl(host_bits).unwrap_or_default();
        number(self.address) & !network != 0
    }

    /// Whether all of another network is in this one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.bits <= other.bits && self.contains(other.address)
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
        for (network, has_host_bits) in [
            ("10.0.0.0/8", false),
            ("10.0.0.1/8", true),
            ("10.0.0.1/32", false),
            ("10.0.0.1", false),
            ("0.0.0.0/0", false),
            ("0.0.0.1/0", true),
            ("[2001:db8::]/32", false),
            ("[2001:db8::1]/32", true),
            ("::1/128", false),
            ("::1/0", true),
        ] {
            let network = Network::read(network);
            assert_eq!(
                network.map(|network| network.has_host_bits()),
                Some(has_host_bits)
            );
        }
        for (network, is_wide) in [
            ("0.0.0.0/0", true),
            ("128.0.0.0/1", true),
            ("[::]/0", true),
            ("[2000::]/3", true),
            ("10.0.0.0/8", false),
            ("[2001:db8::]/32", false),
            ("192.0.2.1", false),
        ] {
            let read = Network::read(network);
            assert_eq!(read.map(|read| read.is_wide()), Some(is_wide), "{network}");
        }
        assert_eq!(Network::read("example.org"), None);
        assert_eq!(Network::read("192.0.2.0/33"), None);
    }
}
