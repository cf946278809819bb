//! Hosts with the same changes are shown once: what is each host's own is a place-holder, hosts that differ in little
//! are told as "the same, and …", and no text of a file is printed twice.

mod variants;

use std::collections::{BTreeMap, BTreeSet};

use super::block::{self, Block};
use super::common_blocks::{Book, HostBlocks};
use super::held::{of_held, of_maintenance};
use super::line::{Line, Tone};
use super::outcome_words::failure_word;
use super::own_name::{self, OwnWords};
use super::{Detail, host_names, steps};
use crate::name::HostName;
use crate::plan::{HostVerdict, OwnNames, Plan, Verdict};
use variants::{Difference, in_order};

/// Hosts that have the same to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// Which, by name; never empty.
    pub hosts: Vec<&'a HostName>,
    /// What is shown of them.
    pub lines: Vec<Line>,
    /// The hosts whose changes these have too, where `lines` are only what differs.
    pub same_as: Option<SameAs>,
    /// The place-holders in the lines, such as `{host}`.
    pub place_holders: Vec<String>,
}

/// The group that another one is told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SameAs {
    /// The names of its hosts, in short, and whether the others have their own names in the place of its name.
    pub hosts: String,
    /// Whether the first lines are what the other group has besides.
    pub has_more: bool,
}

/// Hosts with the numbers of their blocks in a [`Book`].
struct Members<'a> {
    hosts: Vec<&'a HostName>,
    blocks: Vec<usize>,
}

/// Hosts that have something to show, grouped, in the order of each group's first host. A group that differs from
/// another one in little follows that one. A remark that several groups would repeat has a group of its own behind them.
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
    let mut book = Book::default();
    let hosts: Vec<(&HostName, HostBlocks)> = plan
        .hosts
        .iter()
        .map(|(host, verdict)| {
            let own = OwnWords::of(host, plan.own_names.get(host));
            let remarks = verdict.remarks.iter().map(steps::of_remark);
            let remarks = remarks.filter_map(Block::of_lines).collect();
            let mut steps = of_verdict(verdict, detail);
            let lines = of_held(&verdict.held).into_iter();
            steps.extend(lines.map(Block::of_line));
            steps.extend(more(host).into_iter().map(Block::of_line));
            (host, book.enter(own, steps, remarks))
        })
        .collect();
    grouped(&book, &hosts, &|_| None)
}

/// Groups hosts by their blocks. `foot` gives a line below each block of a group, by its hosts, each with the subject that
/// the block has for it.
#[must_use]
pub fn of_blocks<'a>(
    hosts: Vec<(&'a HostName, Option<&OwnNames>, Vec<Block>)>,
    foot: &Foot<'_>,
) -> Vec<Group<'a>> {
    let mut book = Book::default();
    let hosts: Vec<(&HostName, HostBlocks)> = hosts
        .into_iter()
        .map(|(host, own, blocks)| {
            let own = OwnWords::of(host, own);
            (host, book.enter(own, blocks, Vec::new()))
        })
        .collect();
    grouped(&book, &hosts, foot)
}

/// A line below the block of a group.
type Foot<'f> = dyn Fn(&[(&HostName, String)]) -> Option<Line> + 'f;

fn grouped<'a>(
    book: &Book,
    hosts: &[(&'a HostName, HostBlocks)],
    foot: &Foot<'_>,
) -> Vec<Group<'a>> {
    let told: Vec<(&HostName, Vec<usize>, Vec<usize>)> = hosts
        .iter()
        .map(|(host, blocks)| (*host, book.steps(blocks), book.remarks(blocks)))
        .collect();
    let repeated = repeated(&told);
    let is_repeated = |remark: &&usize| repeated.contains(*remark);
    let groups = members(told.iter().map(|(host, steps, remarks)| {
        let own = remarks.iter().filter(|it| !is_repeated(it));
        (*host, steps.iter().chain(own).copied().collect())
    }));
    let common = members(told.iter().flat_map(|(host, _, remarks)| {
        let common = remarks.iter().filter(is_repeated);
        common.map(|remark| (*host, vec![*remark]))
    }));
    let words: BTreeMap<&HostName, &OwnWords> = hosts
        .iter()
        .map(|(host, blocks)| (*host, &blocks.own))
        .collect();
    let mut printer = Printer {
        book,
        words,
        printed: BTreeMap::new(),
        foot,
    };
    let mut shown: Vec<Group<'_>> = in_order(&groups, book)
        .into_iter()
        .map(|(group, base)| printer.group(group, base))
        .collect();
    shown.extend(common.iter().map(|group| printer.group(group, None)));
    shown
}

/// Groups hosts by their lines; what is a host's own counts as the same word on all of them.
#[must_use]
pub fn of_lines<'a>(hosts: impl Iterator<Item = (&'a HostName, Vec<Line>)>) -> Vec<Group<'a>> {
    let mut book = Book::default();
    let hosts: Vec<(&HostName, HostBlocks)> = hosts
        .map(|(host, lines)| {
            let blocks = Block::of_lines(lines).into_iter().collect();
            let own = OwnWords::of(host, None);
            (host, book.enter(own, blocks, Vec::new()))
        })
        .collect();
    let groups = members(hosts.iter().map(|(host, it)| (*host, book.steps(it))));
    let mut printer = Printer {
        book: &book,
        words: hosts.iter().map(|(host, it)| (*host, &it.own)).collect(),
        printed: BTreeMap::new(),
        foot: &|_| None,
    };
    groups
        .iter()
        .map(|group| printer.group(group, None))
        .collect()
}

/// What there is to show of one host, but for its remarks; nothing of one that is converged.
fn of_verdict(host: &HostVerdict, detail: Detail) -> Vec<Block> {
    let of_failure = |unreachable, error| {
        let lines = steps::of_failure(failure_word(unreachable), error);
        Block::of_lines(lines).into_iter().collect()
    };
    match &host.verdict {
        Verdict::Converged => Vec::new(),
        Verdict::Changes(plan) => steps::blocks(plan, detail),
        Verdict::Maintenance(one) => {
            let line = of_maintenance(one);
            Block::of_lines(vec![line]).into_iter().collect()
        }
        Verdict::Unreachable { error } => of_failure(true, error),
        Verdict::Failed { error } => of_failure(false, error),
    }
}

/// The remarks that hosts with different steps have in common.
fn repeated(hosts: &[(&HostName, Vec<usize>, Vec<usize>)]) -> BTreeSet<usize> {
    let mut with: BTreeMap<usize, BTreeSet<&[usize]>> = BTreeMap::new();
    for (_, steps, remarks) in hosts {
        for remark in remarks {
            with.entry(*remark).or_default().insert(steps);
        }
    }
    with.retain(|_, steps| steps.len() > 1);
    with.into_keys().collect()
}

/// Groups of hosts with the same blocks, in the order of their first hosts; without hosts that have none.
fn members<'a>(hosts: impl Iterator<Item = (&'a HostName, Vec<usize>)>) -> Vec<Members<'a>> {
    let mut groups: Vec<Members<'a>> = Vec::new();
    let mut known: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for (host, blocks) in hosts.filter(|(_, blocks)| !blocks.is_empty()) {
        match known.get(&blocks).and_then(|at| groups.get_mut(*at)) {
            Some(group) => group.hosts.push(host),
            None => {
                known.insert(blocks.clone(), groups.len());
                let hosts = vec![host];
                groups.push(Members { hosts, blocks });
            }
        }
    }
    groups
}

/// Makes the lines of groups in the order in which they are printed.
struct Printer<'a> {
    book: &'a Book,
    words: BTreeMap<&'a HostName, &'a OwnWords>,
    /// The texts of files that are printed already, and for which hosts.
    printed: BTreeMap<Vec<Line>, String>,
    foot: &'a Foot<'a>,
}

impl Printer<'_> {
    fn group<'h>(&mut self, group: &Members<'h>, base: Option<&Members<'_>>) -> Group<'h> {
        let names = host_names::short(group.hosts.iter().copied());
        let difference = base.map(|base| (base, Difference::of(base, group, self.book)));
        let (lines, place_holders) = match &difference {
            None => self.lines(group, &group.blocks, &names),
            Some((base, difference)) => self.difference(group, base, difference, &names),
        };
        Group {
            hosts: group.hosts.clone(),
            lines,
            same_as: difference.map(|(base, difference)| SameAs {
                hosts: self.base_names(base),
                has_more: !difference.added.is_empty(),
            }),
            place_holders,
        }
    }

    /// The hosts of a group that another one is told by.
    fn base_names(&self, base: &Members<'_>) -> String {
        let names = host_names::short(base.hosts.iter().copied());
        let mut blocks = base.blocks.iter().map(|at| self.book.block(*at));
        let is_own = blocks.any(|block| block.texts().any(own_name::has_any));
        // A group of several hosts shows place-holders already.
        match is_own && base.hosts.len() == 1 {
            true => format!("{names} with its own names"),
            false => names,
        }
    }

    fn difference(
        &mut self,
        group: &Members<'_>,
        base: &Members<'_>,
        difference: &Difference,
        names: &str,
    ) -> (Vec<Line>, Vec<String>) {
        let (mut lines, mut used) = self.lines(group, &difference.added, names);
        let note = |text: &str| Line::new(Tone::Plain, text);
        if !difference.replaced.is_empty() {
            lines.push(note("  these steps differ:"));
            let (more, others) = self.lines(group, &difference.replaced, names);
            lines.extend(more);
            used.extend(
                others
                    .into_iter()
                    .filter(|it| !used.contains(it))
                    .collect::<Vec<_>>(),
            );
        }
        if !difference.lacking.is_empty() {
            lines.push(note("  without:"));
            let heads = difference.lacking.iter().map(|at| Block {
                body: Vec::new(),
                ..self.book.block(*at).clone()
            });
            lines.extend(self.shown(base, &heads.collect::<Vec<_>>()).0);
        }
        (lines, used)
    }

    /// The lines of some blocks of a group, with the place-holders in them.
    fn lines(
        &mut self,
        group: &Members<'_>,
        blocks: &[usize],
        names: &str,
    ) -> (Vec<Line>, Vec<String>) {
        let mut shown = Vec::with_capacity(blocks.len());
        for at in blocks {
            let mut block = self.book.block(*at).clone();
            if block.is_text && !block.body.is_empty() {
                match self.printed.get(&block.body) {
                    Some(hosts) => block.body = vec![printed_above(&block.body, hosts)],
                    None => {
                        self.printed.insert(block.body.clone(), names.to_owned());
                    }
                }
            }
            let subjects: Vec<(&HostName, String)> = group
                .hosts
                .iter()
                .map(|host| {
                    let words = self.words.get(host);
                    (
                        *host,
                        words.map_or_else(
                            || block.subject.clone(),
                            |words| words.restored(&block.subject),
                        ),
                    )
                })
                .collect();
            block.body.extend((self.foot)(&subjects));
            shown.push(block);
        }
        self.shown(group, &shown)
    }

    /// The lines of blocks: with its own words for a host alone, with place-holders for several.
    fn shown(&self, group: &Members<'_>, blocks: &[Block]) -> (Vec<Line>, Vec<String>) {
        let alone = match *group.hosts {
            [host] => self.words.get(host),
            _ => None,
        };
        if let Some(words) = alone {
            let texts = blocks.iter().map(|it| it.map(|text| words.restored(text)));
            return (block::lines(&texts.collect::<Vec<_>>()), Vec::new());
        }
        let used = own_name::place_holders(blocks.iter().flat_map(Block::texts));
        let texts = blocks.iter().map(|block| block.map(own_name::shown));
        (block::lines(&texts.collect::<Vec<_>>()), used)
    }
}

fn printed_above(body: &[Line], hosts: &str) -> Line {
    let own = body.iter().any(|line| own_name::has_any(&line.text));
    let own = if own { ", with its own names" } else { "" };
    block::below(
        Tone::Faint,
        &format!("(the same text as above for {hosts}{own})"),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
