//! Hosts with the same lines are shown once.

use std::collections::BTreeMap;

use super::line::Line;
use super::{Detail, steps};
use crate::name::HostName;
use crate::plan::{HostVerdict, Plan, Verdict};

/// Hosts that have the same to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// The host whose lines are shown: the first by name.
    pub first: &'a HostName,
    /// The others, by name.
    pub others: Vec<&'a HostName>,
    /// The lines of the first.
    pub lines: Vec<Line>,
    /// Whether the lines name the first host, so that each of the others has its own name there.
    pub own_names: bool,
}

/// Hosts that have something to show, grouped, in the order of each group's first host.
#[must_use]
pub fn of_plan(plan: &Plan, detail: Detail) -> Vec<Group<'_>> {
    let shown = plan
        .hosts
        .iter()
        .map(|(host, verdict)| (host, of_host(verdict, detail)));
    of_lines(shown)
}

/// What there is to show of one host; nothing of one that is converged and without remarks.
#[must_use]
pub fn of_host(host: &HostVerdict, detail: Detail) -> Vec<Line> {
    let mut lines = match &host.verdict {
        Verdict::Converged => Vec::new(),
        Verdict::Changes(plan) => steps::of_plan(plan, detail),
        Verdict::Unreachable { error } => steps::of_failure("unreachable", error),
        Verdict::Failed { error } => steps::of_failure("failed", error),
    };
    for remark in &host.remarks {
        lines.extend(steps::of_remark(remark));
    }
    lines
}

/// Groups hosts by their lines; a host's own name counts as the same word on all of them.
#[must_use]
pub fn of_lines<'a>(hosts: impl Iterator<Item = (&'a HostName, Vec<Line>)>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut known: BTreeMap<Vec<Line>, usize> = BTreeMap::new();
    for (host, lines) in hosts {
        if lines.is_empty() {
            continue;
        }
        let key: Vec<Line> = lines
            .iter()
            .map(|line| Line {
                tone: line.tone,
                text: without_name(&line.text, host.as_str()),
            })
            .collect();
        if let Some(group) = known.get(&key).and_then(|at| groups.get_mut(*at)) {
            group.others.push(host);
            continue;
        }
        let own_names = key != lines;
        known.insert(key, groups.len());
        groups.push(Group {
            first: host,
            others: Vec::new(),
            lines,
            own_names,
        });
    }
    groups
}

/// A name that no text of ours holds: [`super::line::visible`] leaves no control character.
const OWN_NAME: &str = "\u{0}";

/// The text with the host's own name, as a whole word, replaced by one that is the same for all.
fn without_name(text: &str, name: &str) -> String {
    let inside = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-');
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    let mut last = None;
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        let left = before.chars().next_back().or(last);
        // `mx.example.org` is not in `old.mx.example.org` nor in `mx.example.org.net`.
        let mut right = after.chars();
        let next = right.next();
        let goes_on = inside(next) || (next == Some('.') && inside(right.next()));
        let whole = !(inside(left) || left == Some('.') || goes_on);
        result += before;
        result += if whole { OWN_NAME } else { name };
        last = name.chars().next_back();
        rest = after;
    }
    result += rest;
    result
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::report::line::Tone;

    #[test]
    fn a_name_is_replaced_as_a_whole_word_only() {
        assert_eq!(without_name("to mx.a, [mx.a]:25", "mx.a"), "to \0, [\0]:25");
        for same in ["old.mx.a", "mx.ab", "mx.a.org", "xmx.a", "mx.a-b"] {
            assert_eq!(without_name(same, "mx.a"), same);
        }
        assert_eq!(without_name("ends with mx.a.", "mx.a"), "ends with \0.");
    }

    #[test]
    fn equal_hosts_are_one_group_whatever_their_names() {
        let hosts: Vec<HostName> = ["a.x", "b.x", "c.x"]
            .iter()
            .map(|name| HostName::new(*name).unwrap())
            .collect();
        let texts = ["myhostname: a.x", "myhostname: b.x", "myhostname: a.x"];
        let groups = of_lines(
            hosts
                .iter()
                .zip(texts)
                .map(|(host, text)| (host, vec![Line::new(Tone::Plain, text)])),
        );
        assert_eq!(groups.len(), 2, "the third names another host, not itself");
        assert_eq!(groups[0].others, [&hosts[1]]);
        assert!(groups[0].own_names && !groups[1].own_names);
    }
}
