//! Remarks about the members of lists, which a reader easily misses in a long new value.

use std::collections::BTreeMap;

use crate::postfix::split_list;
use crate::state::Remark;

use super::super::{Cause, Change, Step};
use super::draft::Draft;

/// A list before and after, with the address class that its module names.
struct Move<'a> {
    class: &'a str,
    gone: Vec<String>,
    come: Vec<String>,
}

impl Draft<'_> {
    /// Remarks about members that the first apply drops, and about domains that change their address class.
    pub(super) fn members(&mut self) {
        let mut moves: Vec<Move<'_>> = Vec::new();
        let mut remarks = Vec::new();
        let desired = self.desired;
        for step in &self.settings {
            let Step::Value {
                thing,
                change,
                cause,
                ..
            } = step
            else {
                continue;
            };
            let Some(note) = desired.notes.get(thing) else {
                continue;
            };
            let (before, after) = match change {
                Change::Create { after } => ("", after.as_str()),
                Change::Update { before, after } => (before.as_str(), after.as_str()),
                Change::Delete { before } => (before.as_str(), ""),
            };
            let mut gone = missing(before, after);
            gone.retain(|member| !self.is_own(member));
            if let (Some(keep), Cause::FirstContact, false) =
                (&note.dropped, cause, gone.is_empty())
            {
                remarks.push(Remark {
                    text: format!("this plan removes `{}` from `{thing}`", gone.join("`, `")),
                    hint: Some(keep.clone()),
                });
            }
            if let Some(class) = &note.class {
                moves.push(Move {
                    class,
                    gone,
                    come: missing(after, before),
                });
            }
        }
        remarks.extend(exchanged(&moves));
        self.remarks.append(&mut remarks);
    }
}

impl Draft<'_> {
    /// Whether a member is a name of the host itself: `$myhostname` and `localhost` already cover it.
    fn is_own(&self, member: &str) -> bool {
        let settings = self.live_settings();
        let own = self
            .configuration(&settings)
            .main()
            .expanded("myhostname")
            .text;
        member.starts_with("localhost") || own.is_ok_and(|own| own.eq_ignore_ascii_case(member))
    }
}

/// The members of one list that another lacks. The value of a `$parameter` is not known, so it is left out.
fn missing(from: &str, other: &str) -> Vec<String> {
    let other = split_list(other);
    split_list(from)
        .into_iter()
        .filter(|member| !member.contains('$'))
        .filter(|member| !other.iter().any(|word| word.eq_ignore_ascii_case(member)))
        .collect()
}

/// Domains that change from one class to another: Postfix chooses a route when a message arrives and again
/// at delivery, and the two would differ.
fn exchanged(moves: &[Move<'_>]) -> Vec<Remark> {
    let mut pairs: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for from in moves {
        for to in moves.iter().filter(|to| to.class != from.class) {
            let domains = from
                .gone
                .iter()
                .filter(|gone| to.come.iter().any(|come| come.eq_ignore_ascii_case(gone)));
            for domain in domains {
                pairs
                    .entry((from.class, to.class))
                    .or_default()
                    .push(domain);
            }
        }
    }
    pairs
        .into_iter()
        .map(|((from, to), domains)| Remark {
            text: format!(
                "the address class of `{}` changes from {from} to {to}: mail that is in transit during \
                 the apply may be refused",
                domains.join("`, `")
            ),
            hint: Some("apply it when there is little mail, host by host (docs/reliability.md)".to_owned()),
        })
        .collect()
}
