//! The names of several hosts in short: `backend[1-3,7].example.org`.

use crate::name::HostName;

/// At most this many names, or groups of names that differ in a number, are written out.
const SHOWN: usize = 4;

/// Names that differ only in their first number.
struct Series<'a> {
    before: &'a str,
    after: &'a str,
    numbers: Vec<&'a str>,
}

/// The names in short, in the order of `hosts`. Names that differ only in their first number become one word.
#[must_use]
pub fn short<'a>(hosts: impl IntoIterator<Item = &'a HostName>) -> String {
    let mut series: Vec<Series<'a>> = Vec::new();
    for host in hosts {
        let (before, number, after) = parts(host.as_str());
        let same = |one: &&mut Series<'_>| {
            one.before == before && one.after == after && !number.is_empty()
        };
        match series.iter_mut().find(same) {
            Some(one) => one.numbers.push(number),
            None => series.push(Series {
                before,
                after,
                numbers: vec![number],
            }),
        }
    }
    let mut words: Vec<String> = series.iter().take(SHOWN).map(Series::word).collect();
    if series.len() > SHOWN {
        words.push("…".to_owned());
    }
    words.join(", ")
}

/// A name, split around its first number; the number is empty if there is none.
fn parts(name: &str) -> (&str, &str, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let start = name.find(is_digit).unwrap_or(name.len());
    let rest = &name[start..];
    let end = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
    (&name[..start], &rest[..end], &rest[end..])
}

impl Series<'_> {
    fn word(&self) -> String {
        let (before, after) = (self.before, self.after);
        match &*self.numbers {
            [number] => format!("{before}{number}{after}"),
            numbers => format!("{before}[{}]{after}", ranges(numbers)),
        }
    }
}

/// `1-3,7`: three or more numbers that follow each other become a range.
fn ranges(numbers: &[&str]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_by_key(|number| (number.parse::<u64>().ok(), *number));
    let mut runs: Vec<Vec<&str>> = Vec::new();
    for number in sorted {
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|last| follows(last, number)) => run.push(number),
            _ => runs.push(vec![number]),
        }
    }
    let words: Vec<String> = runs
        .iter()
        .map(|run| match &**run {
            [first, _, .., last] => format!("{first}-{last}"),
            few => few.join(","),
        })
        .collect();
    words.join(",")
}

/// Whether `next` is the number after `last`, written with the same width if either has a leading zero.
fn follows(last: &str, next: &str) -> bool {
    let (Ok(one), Ok(other)) = (last.parse::<u64>(), next.parse::<u64>()) else {
        return false;
    };
    let is_padded = last.starts_with('0') || next.starts_with('0');
    one.checked_add(1) == Some(other) && (!is_padded || last.len() == next.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_a_number_are_one_word() {
        for (names, expected) in [
            ("a.x", "a.x"),
            ("b1.x b3.x", "b[1,3].x"),
            ("b1.x b2.x", "b[1,2].x"),
            ("b1.x b10.x b2.x b3.x", "b[1-3,10].x"),
            ("b009.x b010.x b011.x b12.x", "b[009-011,12].x"),
            ("a.x b1.x b2.x", "a.x, b[1,2].x"),
            ("a.x b.x c.x d.x e.x", "a.x, b.x, c.x, d.x, …"),
        ] {
            let hosts: Vec<HostName> = names
                .split(' ')
                .map(|name| HostName::new(name).unwrap())
                .collect();
            assert_eq!(short(&hosts), expected);
        }
    }
}
