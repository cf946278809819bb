//! Host names with ranges: `backend[001:400].example.org` is four hundred hosts.

use crate::name::HostName;

/// How many hosts one key may name, and all keys of a manifest together.
pub const MOST_HOSTS: usize = 100_000;

/// The names in a key of `hosts`, in the order of the ranges.
///
/// Both ends belong to a range. A leading zero fixes the width: `[001:400]` gives `001`.
///
/// # Errors
/// What is wrong with the name or with a range.
pub fn expand(text: &str) -> Result<Vec<HostName>, String> {
    let key = Key::parse(text)?;
    let mut names = vec![String::new()];
    for (before, range) in &key.ranges {
        names = names
            .iter()
            .flat_map(|name| {
                let numbers = range.from..=range.to;
                numbers.map(move |number| format!("{name}{before}{}", range.digits(number)))
            })
            .collect();
    }
    names
        .into_iter()
        .map(|name| host_name(name + key.tail))
        .collect()
}

/// Whether a key of `hosts` is written as a range, also as one of a single host.
#[must_use]
pub fn is_range(text: &str) -> bool {
    text.contains('[')
}

/// The first name of [`expand`]; none where the key is wrong.
#[must_use]
pub fn first(text: &str) -> Option<HostName> {
    let key = Key::parse(text).ok()?;
    let mut name = String::new();
    for (before, range) in &key.ranges {
        name.push_str(before);
        name.push_str(&range.digits(range.from));
    }
    host_name(name + key.tail).ok()
}

/// How many hosts a key of `hosts` names. It makes one name at most, whatever the ranges are.
///
/// # Errors
/// As [`expand`].
pub fn count(text: &str) -> Result<usize, String> {
    let key = Key::parse(text)?;
    // The last name is the longest. In all else that a name is judged by, the names of a key are alike.
    let mut last = String::new();
    for (before, range) in &key.ranges {
        last.push_str(before);
        last.push_str(&range.digits(range.to));
    }
    host_name(last + key.tail)?;
    Ok(key.count)
}

fn host_name(name: String) -> Result<HostName, String> {
    let name = HostName::new(name).map_err(|error| error.why.to_owned())?;
    if looks_like_address(name.as_str()) {
        return Err("it is an IP address".to_owned());
    }
    Ok(name)
}

/// A key of `hosts`, taken apart.
struct Key<'a> {
    /// Each range, and the text before it.
    ranges: Vec<(&'a str, Range)>,
    /// The text after the last range.
    tail: &'a str,
    /// How many names there are.
    count: usize,
}

impl<'a> Key<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let mut key = Self {
            ranges: Vec::new(),
            tail: text,
            count: 1,
        };
        while let Some((before, after)) = key.tail.split_once('[') {
            let Some((range, tail)) = after.split_once(']') else {
                return Err("the range has no `]`".to_owned());
            };
            let range = Range::parse(range)?;
            key.count = key.count.saturating_mul(range.to - range.from + 1);
            if key.count > MOST_HOSTS {
                return Err(format!("it stands for more than {MOST_HOSTS} hosts"));
            }
            key.ranges.push((before, range));
            key.tail = tail;
        }
        Ok(key)
    }
}

/// The shortest list of names and ranges that names these hosts: the inverse of [`expand`]. A range
/// covers consecutive numbers at the end of the names' first label, which is where fleets count.
#[must_use]
pub fn compact<'a>(names: impl IntoIterator<Item = &'a HostName>) -> Vec<String> {
    let mut counted: Vec<Counted<'_>> = names.into_iter().map(Counted::read).collect();
    counted.sort_unstable();
    let mut runs: Vec<(Counted<'_>, Counted<'_>)> = Vec::new();
    for next in counted {
        match runs.last_mut() {
            Some((first, last)) if next.follows(first, last) => *last = next,
            _ => runs.push((next.clone(), next)),
        }
    }
    runs.into_iter()
        .map(|(first, last)| {
            if first == last {
                format!("{}{}{}", first.before, first.digits, first.after)
            } else {
                format!(
                    "{}[{}:{}]{}",
                    first.before, first.digits, last.digits, first.after
                )
            }
        })
        .collect()
}

/// A name around its number, if it has one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Counted<'a> {
    before: &'a str,
    after: &'a str,
    number: Option<u32>,
    digits: &'a str,
}

impl<'a> Counted<'a> {
    fn read(name: &'a HostName) -> Self {
        let name = name.as_str();
        let label = name.find('.').unwrap_or(name.len());
        let (first, after) = name.split_at(label);
        let before = first.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &first[before.len()..];
        // What does not fit into a number of a range is no number here.
        match digits.parse().ok().filter(|_| digits.len() < 10) {
            Some(number) => Self {
                before,
                after,
                number: Some(number),
                digits,
            },
            None => Self {
                before: name,
                after: "",
                number: None,
                digits: "",
            },
        }
    }

    /// Whether it is the next one of the run from `first` to `last`, written with the same width.
    fn follows(&self, first: &Self, last: &Self) -> bool {
        let padded = first.digits.len() > 1 && first.digits.starts_with('0');
        let width = if padded { first.digits.len() } else { 0 };
        (self.before, self.after) == (last.before, last.after)
            && self.number.is_some_and(|number| {
                last.number.map(|last| last + 1) == Some(number)
                    && format!("{number:0width$}") == self.digits
            })
    }
}

/// Whether a name would be taken for an IPv4 address: no top-level domain is a number (RFC 3696).
#[must_use]
pub fn looks_like_address(name: &str) -> bool {
    name.rsplit('.')
        .next()
        .is_some_and(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit()))
}

/// The numbers between `[` and `]`.
struct Range {
    from: usize,
    to: usize,
    /// Digits of each number, with leading zeros; 0 where they have none.
    width: usize,
}

impl Range {
    fn parse(range: &str) -> Result<Self, String> {
        let wrong = || format!("`[{range}]` is not a range such as `[1:20]` or `[001:400]`");
        let (first, last) = range.split_once(':').ok_or_else(wrong)?;
        let number = |text: &str| {
            if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            text.parse::<usize>().map_err(|_| wrong())
        };
        let (from, to) = (number(first)?, number(last)?);
        if from > to {
            return Err(format!("the range `[{range}]` runs backwards"));
        }
        let padded = |text: &str| text.len() > 1 && text.starts_with('0');
        if (padded(first) || padded(last)) && first.len() != last.len() {
            return Err(format!(
                "the ends of `[{range}]` have leading zeros and different widths"
            ));
        }
        let width = if padded(first) { first.len() } else { 0 };
        Ok(Self { from, to, width })
    }

    fn digits(&self, number: usize) -> String {
        let width = self.width;
        format!("{number:0width$}")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use proptest::prelude::*;

    use super::{compact, count, expand};
    use crate::name::HostName;

    fn names(text: &str) -> Vec<String> {
        expand(text)
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn ranges_count_from_end_to_end() {
        assert_eq!(names("a.example.org"), ["a.example.org"]);
        assert_eq!(names("b[9:11].x"), ["b9.x", "b10.x", "b11.x"]);
        assert_eq!(names("b[08:10].x"), ["b08.x", "b09.x", "b10.x"]);
        assert_eq!(
            names("r[1:2]-n[0:1].x"),
            ["r1-n0.x", "r1-n1.x", "r2-n0.x", "r2-n1.x"]
        );
        assert_eq!(names("b[001:400].example.org").len(), 400);
    }

    #[test]
    fn hosts_are_counted_as_they_are_expanded() {
        for text in ["a.x", "b[9:11].x", "r[1:2]-n[0:1].x", "b[001:400].x"] {
            assert_eq!(count(text), expand(text).map(|names| names.len()));
        }
        assert_eq!(count("b[0:99999].x"), Ok(100_000));
    }

    fn short(names: &[&str]) -> Vec<String> {
        let names: Vec<HostName> = names
            .iter()
            .map(|name| HostName::new(*name).unwrap())
            .collect();
        compact(&names)
    }

    #[test]
    fn consecutive_names_are_a_range() {
        assert_eq!(short(&["b9.x", "b10.x", "b11.x"]), ["b[9:11].x"]);
        assert_eq!(short(&["b08.x", "b09.x", "b10.x"]), ["b[08:10].x"]);
        assert_eq!(
            short(&["b1.x", "b01.x", "b3.x", "mx.x"]),
            ["b01.x", "b1.x", "b3.x", "mx.x"]
        );
        assert_eq!(
            short(&["b1.x", "b2.y", "b12345678901.x"]),
            ["b1.x", "b2.y", "b12345678901.x"]
        );
    }

    proptest! {
        #[test]
        fn what_is_compacted_stands_for_the_same_hosts(
            names in proptest::collection::btree_set("[ab]{0,2}[0-9]{1,3}[.]x|m[.]y", 0..60)
        ) {
            let hosts: Vec<HostName> = names.iter().map(|name| HostName::new(name.as_str()).unwrap()).collect();
            let again: std::collections::BTreeSet<String> = compact(&hosts)
                .iter()
                .flat_map(|text| expand(text).unwrap())
                .map(|host| host.to_string())
                .collect();
            prop_assert_eq!(again, names);
        }
    }

    #[test]
    fn wrong_ranges_say_why() {
        for (text, why) in [
            ("b[2:1].x", "backwards"),
            ("b[1].x", "not a range"),
            ("b[1:2.x", "no `]`"),
            ("b[01:100].x", "different widths"),
            ("b[1:999999999].x", "more than"),
            ("b[0:999]-[0:999].x", "more than"),
            ("192.0.2.[1:2]", "IP address"),
            ("-b.x", "begins or ends"),
        ] {
            let error = expand(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
            assert_eq!(count(text).unwrap_err(), error);
        }
    }
}
