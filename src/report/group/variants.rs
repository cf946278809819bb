//! Groups of hosts that differ in little from another group, and are told as "the same, and …".

use std::collections::{BTreeMap, BTreeSet};

use super::Members;
use crate::report::common_blocks::Book;

/// At most this many groups are compared with each other group, to tell it as "the same, and …".
const MOST_BASES: usize = 64;

/// The groups with the one that each is told by, if any. The largest groups are told in full, and those that differ
/// in little from one of them follow it.
pub(super) fn in_order<'g, 'a>(
    groups: &'g [Members<'a>],
    book: &Book,
) -> Vec<(&'g Members<'a>, Option<&'g Members<'a>>)> {
    let mut by_size: Vec<usize> = (0..groups.len()).collect();
    by_size.sort_by_key(|at| (std::cmp::Reverse(groups[*at].hosts.len()), *at));
    let mut variants: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut told_by_another = BTreeSet::new();
    let mut bases: Vec<usize> = Vec::new();
    for at in by_size {
        let costs = bases.iter().take(MOST_BASES).map(|base| {
            let cost = Difference::of(&groups[*base], &groups[at], book).cost(book);
            (cost, *base)
        });
        let own: usize = groups[at].blocks.iter().map(|it| book.rows(*it)).sum();
        match costs.min() {
            Some((cost, base)) if cost * 2 <= own => {
                variants.entry(base).or_default().push(at);
                told_by_another.insert(at);
            }
            _ => bases.push(at),
        }
    }
    let mut order = Vec::with_capacity(groups.len());
    for (at, group) in groups.iter().enumerate() {
        if told_by_another.contains(&at) {
            continue;
        }
        order.push((group, None));
        let mut with = variants.remove(&at).unwrap_or_default();
        with.sort_unstable();
        order.extend(with.into_iter().map(|at| (&groups[at], Some(group))));
    }
    order
}

/// What a group has that another one has not, and the other way round.
pub(super) struct Difference {
    pub(super) added: Vec<usize>,
    pub(super) replaced: Vec<usize>,
    pub(super) lacking: Vec<usize>,
}

impl Difference {
    pub(super) fn of(base: &Members<'_>, group: &Members<'_>, book: &Book) -> Self {
        let only = |one: &Members<'_>, other: &Members<'_>| -> Vec<usize> {
            let others: BTreeSet<&usize> = other.blocks.iter().collect();
            let mut rest = one.blocks.clone();
            rest.retain(|block| !others.contains(block));
            rest
        };
        let (more, less) = (only(group, base), only(base, group));
        let subjects = |blocks: &[usize]| -> BTreeSet<String> {
            let subjects = blocks.iter().map(|at| book.block(*at).subject.clone());
            subjects.filter(|subject| !subject.is_empty()).collect()
        };
        let (of_more, of_less) = (subjects(&more), subjects(&less));
        let is_in =
            |subjects: &BTreeSet<String>, at: &usize| subjects.contains(&book.block(*at).subject);
        let (replaced, added) = more.iter().partition(|at| is_in(&of_less, at));
        Self {
            added,
            replaced,
            lacking: less.into_iter().filter(|at| !is_in(&of_more, at)).collect(),
        }
    }

    /// About how many lines it takes to tell.
    fn cost(&self, book: &Book) -> usize {
        let rows = |blocks: &[usize]| -> usize { blocks.iter().map(|at| book.rows(*at)).sum() };
        let heads = |blocks: &[usize]| blocks.len() + usize::from(!blocks.is_empty());
        let replaced = rows(&self.replaced) + usize::from(!self.replaced.is_empty());
        rows(&self.added) + replaced + heads(&self.lacking)
    }
}
