//! A part of the hosts for one of several runners. Which part a host is in depends on its name alone, so that a host that
//! comes or goes moves no other one.

use crate::digest::sha256_hex;
use crate::name::HostName;

/// One of `count` parts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// The most parts: more would only cost time.
const MOST: u32 = 1000;

impl Shard {
    /// The part `index` of `count`.
    ///
    /// # Errors
    /// If there is no such part.
    pub fn new(index: u32, count: u32) -> Result<Self, String> {
        match (1..=MOST).contains(&count) && (1..=count).contains(&index) {
            true => Ok(Self { index, count }),
            false => Err(format!(
                "there is no shard {index} of {count}: the first number is from 1 to the second one, which is at most {MOST}"
            )),
        }
    }

    /// Whether a host is in this part: the part with the highest weight has it (rendezvous hashing).
    #[must_use]
    pub fn has(self, host: &HostName) -> bool {
        let weight = |index: u32| sha256_hex(format!("{host} {index}").as_bytes());
        let parts = (1..=self.count).map(|index| (weight(index), index));
        parts.max().is_none_or(|(_, index)| index == self.index)
    }

    /// The hosts of this part, in their order.
    #[must_use]
    pub fn of(self, hosts: Vec<HostName>) -> Vec<HostName> {
        let mut hosts = hosts;
        hosts.retain(|host| self.has(host));
        hosts
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn hosts(number: usize) -> Vec<HostName> {
        let name = |at| HostName::new(format!("backend{at}.example.org")).unwrap();
        (1..=number).map(name).collect()
    }

    #[test]
    fn each_host_is_in_one_part_and_parts_are_about_equal() {
        for count in [1, 2, 8] {
            let mut all: Vec<HostName> = Vec::new();
            for index in 1..=count {
                let part = Shard::new(index, count).unwrap().of(hosts(800));
                let share = 800 / count as usize;
                assert!(
                    part.len() > share / 2 && part.len() < share * 2,
                    "{}",
                    part.len()
                );
                all.extend(part);
            }
            all.sort();
            let mut expected = hosts(800);
            expected.sort();
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn one_part_more_takes_hosts_and_moves_no_other() {
        for host in hosts(300) {
            let part =
                |count| (1..=count).find(|index| Shard::new(*index, count).unwrap().has(&host));
            let (before, after) = (part(4).unwrap(), part(5).unwrap());
            assert!(after == before || after == 5, "{host}: {before} to {after}");
        }
    }

    #[test]
    fn parts_that_do_not_exist_are_refused() {
        for (index, count) in [(0, 1), (2, 1), (1, 0), (1, 1001)] {
            assert!(Shard::new(index, count).is_err());
        }
    }
}
