//! The names of several hosts in short: `backend[1:3,7].example.org`.

use crate::name::HostName;

/// At most this many names, or groups of names that differ in a number, are written out.
const SHOWN: usize = 4;

/// Names that differ only in one number.
struct Series<'a> {
    before: &'a str,
    after: &'a str,
    numbers: Vec<&'a str>,
}

/// The names in short, in the order of `hosts`. Names that differ only in one number become one word.
#[must_use]
pub fn short<'a>(hosts: impl IntoIterator<Item = &'a HostName>) -> String {
    let names: Vec<&str> = hosts.into_iter().map(HostName::as_str).collect();
    let (first, last) = (series(&names, first_number), series(&names, last_number));
    // Racks and their hosts are counted in the same name: `rack1-node[1:40]`.
    let series = match last.len() < first.len() {
        true => last,
        false => first,
    };
    let mut words: Vec<String> = series.iter().take(SHOWN).map(Series::word).collect();
    let more: usize = series.iter().skip(SHOWN).map(|it| it.numbers.len()).sum();
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

/// The names of a few series; each name is split by `parts` around a number.
fn series<'a>(
    names: &[&'a str],
    parts: impl Fn(&'a str) -> (&'a str, &'a str, &'a str),
) -> Vec<Series<'a>> {
    let mut series: Vec<Series<'a>> = Vec::new();
    let mut known = std::collections::BTreeMap::new();
    for name in names {
        let (before, number, after) = parts(name);
        if number.is_empty() {
            series.push(Series {
                before,
                after,
                numbers: vec![number],
            });
            continue;
        }
        let at = *known.entry((before, after)).or_insert(series.len());
        match series.get_mut(at) {
            Some(one) => one.numbers.push(number),
            None => series.push(Series {
                before,
                after,
                numbers: vec![number],
            }),
        }
    }
    series
}

/// A name, split around its first number; the number is empty if there is none.
fn first_number(name: &str) -> (&str, &str, &str) {
    let is_digit = |c: char| c.is_ascii_digit();
    let start = name.find(is_digit).unwrap_or(name.len());
    let rest = &name[start..];
    let end = rest.find(|c| !is_digit(c)).unwrap_or(rest.len());
    (&name[..start], &rest[..end], &rest[end..])
}

/// The same around the last number of its first label.
fn last_number(name: &str) -> (&str, &str, &str) {
    let label = name.find('.').unwrap_or(name.len());
    let is_digit = |c: char| c.is_ascii_digit();
    let Some(last) = name[..label].rfind(is_digit) else {
        return (name, "", "");
    };
    let (until, after) = name.split_at(last + 1);
    let before = until.trim_end_matches(is_digit);
    (before, &until[before.len()..], after)
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

/// `1:3,7`: numbers that follow each other become a range, as in a manifest.
fn ranges(numbers: &[&str]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_by_key(|number| (number.parse::<u64>().ok(), *number));
    let mut runs: Vec<(&str, &str)> = Vec::new();
    for number in sorted {
        match runs.last_mut() {
            Some((_, last)) if follows(last, number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let word = |(first, last): &(&str, &str)| match first == last {
        true => (*first).to_owned(),
        false => format!("{first}:{last}"),
    };
    runs.iter().map(word).collect::<Vec<_>>().join(",")
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
            ("b1.x b2.x", "b[1:2].x"),
            ("b1.x b10.x b2.x b3.x", "b[1:3,10].x"),
            ("b009.x b010.x b011.x b12.x", "b[009:011,12].x"),
            ("a.x b1.x b2.x", "a.x, b[1:2].x"),
            ("a.x b.x c.x d.x e.x", "a.x, b.x, c.x, d.x, and 1 more"),
            ("r1-n1.x r1-n2.x r1-n3.x", "r1-n[1:3].x"),
            ("r1-n1.x r2-n1.x", "r[1:2]-n1.x"),
            ("a.d1.x a.d2.x", "a.d[1:2].x"),
        ] {
            let hosts: Vec<HostName> = names
                .split(' ')
                .map(|name| HostName::new(name).unwrap())
                .collect();
            assert_eq!(short(&hosts), expected);
        }
    }
}
