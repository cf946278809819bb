//! Hosts with the same lines are shown once.

use std::collections::{BTreeMap, BTreeSet};

use super::line::Line;
use super::outcome_words::failure_word;
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

/// Hosts that have something to show, grouped, in the order of each group's first host. A remark that several
/// groups would repeat has a group of its own behind them.
#[must_use]
pub fn of_plan(plan: &Plan, detail: Detail) -> Vec<Group<'_>> {
    of_plan_with(plan, detail, &|_| Vec::new())
}

/// The same, with more lines behind the steps of a host.
#[must_use]
pub fn of_plan_with<'a>(
    plan: &'a Plan,
    detail: Detail,
    more: &dyn Fn(&HostName) -> Vec<Line>,
) -> Vec<Group<'a>> {
    let of_host = |(host, verdict): (&'a HostName, &HostVerdict)| {
        let mut shown = of_host(verdict, detail);
        shown.steps.extend(more(host));
        (host, shown)
    };
    let hosts: Vec<(&HostName, Shown)> = plan.hosts.iter().map(of_host).collect();
    let repeated = repeated(&hosts);
    let is_repeated = |host: &HostName, remark: &Vec<Line>| repeated.contains(&key(remark, host));
    let mut groups = of_lines(hosts.iter().map(|(host, shown)| {
        let own = shown.remarks.iter().filter(|it| !is_repeated(host, it));
        let lines = shown.steps.iter().chain(own.flatten()).cloned();
        (*host, lines.collect())
    }));
    let remarks = hosts.iter().flat_map(|(host, shown)| {
        let common = shown.remarks.iter().filter(|it| is_repeated(host, it));
        common.map(|remark| (*host, remark.clone()))
    });
    groups.extend(of_lines(remarks));
    groups
}

/// What there is to show of one host; nothing of one that is converged and without remarks.
struct Shown {
    steps: Vec<Line>,
    remarks: Vec<Vec<Line>>,
}

fn of_host(host: &HostVerdict, detail: Detail) -> Shown {
    Shown {
        steps: match &host.verdict {
            Verdict::Converged => Vec::new(),
            Verdict::Changes(plan) => steps::of_plan(plan, detail),
            Verdict::Unreachable { error } => steps::of_failure(failure_word(true), error),
            Verdict::Failed { error } => steps::of_failure(failure_word(false), error),
        },
        remarks: host.remarks.iter().map(steps::of_remark).collect(),
    }
}

/// The remarks that hosts with different steps have in common.
fn repeated(hosts: &[(&HostName, Shown)]) -> BTreeSet<Vec<Line>> {
    let mut with: BTreeMap<Vec<Line>, BTreeSet<Vec<Line>>> = BTreeMap::new();
    for (host, shown) in hosts {
        let steps = key(&shown.steps, host);
        for remark in &shown.remarks {
            with.entry(key(remark, host))
                .or_default()
                .insert(steps.clone());
        }
    }
    with.retain(|_, steps| steps.len() > 1);
    with.into_keys().collect()
}

/// Lines with the host's own name as the same word on all hosts.
fn key(lines: &[Line], host: &HostName) -> Vec<Line> {
    let line = |line: &Line| Line {
        tone: line.tone,
        text: without_name(&line.text, host.as_str()),
    };
    lines.iter().map(line).collect()
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
        let key = key(&lines, host);
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

/// A name that no text of ours holds: [`crate::visible::visible`] leaves no control character.
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
    use crate::plan::Failure;
    use crate::report::line::Tone;
    use crate::state::Remark;

    #[test]
    fn a_name_is_replaced_as_a_whole_word_only() {
        assert_eq!(without_name("to mx.a, [mx.a]:25", "mx.a"), "to \0, [\0]:25");
        for same in ["old.mx.a", "mx.ab", "mx.a.org", "xmx.a", "mx.a-b"] {
            assert_eq!(without_name(same, "mx.a"), same);
        }
        assert_eq!(without_name("ends with mx.a.", "mx.a"), "ends with \0.");
    }

    #[test]
    fn a_remark_that_differing_hosts_share_is_shown_once() {
        let host = |words: Option<&str>, notes: &[&str]| HostVerdict {
            verdict: match words {
                None => Verdict::Converged,
                Some(words) => Verdict::Failed {
                    error: Failure {
                        summary: words.to_owned(),
                        detail: None,
                        hint: None,
                    },
                },
            },
            remarks: notes
                .iter()
                .map(|text| Remark {
                    text: (*text).to_owned(),
                    hint: None,
                })
                .collect(),
            stopped: false,
            queue: None,
        };
        let hosts = [
            ("a.x", host(Some("one"), &["on a.x", "alone"])),
            ("b.x", host(Some("two"), &["on b.x"])),
            ("c.x", host(None, &["on c.x"])),
            ("d.x", host(None, &["with its like"])),
            ("e.x", host(None, &["with its like"])),
        ];
        let plan = Plan {
            murder: "x".to_owned(),
            hosts: hosts
                .into_iter()
                .map(|(name, verdict)| (HostName::new(name).unwrap(), verdict))
                .collect(),
        };
        let shown: Vec<String> = of_plan(&plan, Detail::Summary)
            .iter()
            .map(|group| {
                let lines: Vec<&str> = group.lines.iter().map(|line| line.text.trim()).collect();
                format!("{}: {}", super::super::text::title(group), lines.join(", "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "a.x: ! failed: one, note: alone",
                "b.x: ! failed: two",
                "d.x, e.x: 2 hosts, same report: note: with its like",
                "a.x, b.x, c.x: 3 hosts, same report; shown for a.x: note: on a.x",
            ]
        );
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
