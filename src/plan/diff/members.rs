//! Remarks about the members of lists, which a reader easily misses in a long new value.
//!
//! The lists are compared as Postfix reads them: with each `$name` expanded, and with the default of a parameter that is
//! not set.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::Parameter;
use crate::postfix::catalogue::tables;
use crate::postfix::configuration::{
    AddressClass, AskTable, Classes, MemberList, ValueSource, View, covers,
};
use crate::state::Remark;
use crate::thing::Thing;

use super::draft::Draft;

impl Draft<'_> {
    /// Remarks about members that the first apply drops, and about domains that change their address class.
    pub(super) fn members(&mut self) {
        if self.settings.is_empty() || self.input.desired.retired {
            return;
        }
        let (live, planned) = (self.live_settings(), self.planned_settings());
        let (before, after) = (
            self.configuration(&live).main(),
            self.configuration(&planned).main(),
        );
        let mut remarks = Vec::new();
        for (thing, note) in &self.desired.notes {
            if let (Thing::Parameter(name), Some(keep)) = (thing, &note.dropped)
                && self.desired.values.contains_key(thing)
                && self.ownership.managed(thing).is_none()
            {
                remarks.extend(self.dropped(name, keep, &before, &after));
            }
        }
        remarks.extend(exchanged(
            (&before.classes(), &|table, key| {
                self.answer_before(table, key)
            }),
            (&after.classes(), &|table, key| {
                self.answer_after(table, key)
            }),
        ));
        drop(planned);
        self.remarks.append(&mut remarks);
    }

    /// The remarks about the members that a list loses: tables apart, because they are kept in another way.
    fn dropped(
        &self,
        name: &Parameter,
        keep: &str,
        before: &View<'_>,
        after: &View<'_>,
    ) -> Vec<Remark> {
        let (had, has) = (before.list(name.as_str()), after.list(name.as_str()));
        let mut gone = missing(&had, &has);
        gone.retain(|member| !self.is_own(name.as_str(), member, before));
        let (tables, members): (Vec<String>, Vec<String>) =
            gone.into_iter().partition(|member| is_table(member));
        let source = before.get(name.as_str()).map(|value| value.source);
        let by_default = match source {
            Ok(ValueSource::Default) => " (the host does not set it: its default has them)",
            _ => "",
        };
        let quoted: Vec<String> = tables.iter().map(|table| format!("\"{table}\"")).collect();
        let append = format!(
            "`settings: {{{name}: {{append: [{}]}}}}` keeps tables and files of the site's own",
            quoted.join(", ")
        );
        let remark = |members: &[String], hint: String| Remark {
            text: format!(
                "this plan removes `{}` from `main.cf:{name}`{by_default}",
                members.join("`, `")
            ),
            hint: Some(hint),
        };
        let mut remarks = Vec::new();
        if !members.is_empty() {
            remarks.push(remark(&members, keep.to_owned()));
        }
        if !tables.is_empty() {
            remarks.push(remark(&tables, append));
        }
        remarks
    }

    /// Whether a member is a name or an address of the host itself: `$myhostname`, `localhost` and the loopback networks
    /// already cover it.
    fn is_own(&self, name: &str, member: &str, before: &View<'_>) -> bool {
        if name == "mynetworks" {
            // The default of `mynetworks_style = host` has nothing else.
            let style = before.expanded("mynetworks_style").text;
            let own = !before.is_set(name) && style.is_ok_and(|style| style.trim() == "host");
            return own || is_link_local(member);
        }
        let hostname = self.live.environment.hostname.as_deref();
        let own = before.expanded("myhostname").text.ok();
        let is =
            |other: Option<&str>| other.is_some_and(|other| other.eq_ignore_ascii_case(member));
        member.starts_with("localhost") || is(own.as_deref()) || is(hostname)
    }
}

/// Networks that reach no further than the link, and those of the host itself.
fn is_link_local(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    ["[fe80:", "fe80:", "127.", "[::1]", "::1", "[::ffff:127."]
        .iter()
        .any(|begin| member.starts_with(begin))
}

/// Whether a member is a table or a file, and no domain or network.
fn is_table(member: &str) -> bool {
    member.starts_with('/') || !tables::read(member).is_empty()
}

/// The members of one list that another does not cover. What depends on something unknown is compared by its words.
fn missing(had: &MemberList, has: &MemberList) -> Vec<String> {
    let known = had.known.iter();
    let mut gone: Vec<String> = known
        .filter(|member| !has.known.iter().any(|other| covers(other, member)))
        .cloned()
        .collect();
    gone.dedup();
    gone
}

/// Domains that change from one class to another: Postfix chooses a route when a message arrives and again
/// at delivery, and the two would differ.
fn exchanged(before: (&Classes, AskTable<'_>), after: (&Classes, AskTable<'_>)) -> Vec<Remark> {
    let mut domains: BTreeSet<String> = BTreeSet::new();
    for class in AddressClass::ALL {
        let (had, has) = (before.0.named(class), after.0.named(class));
        let changed = had.symmetric_difference(&has);
        domains.extend(
            changed
                .filter(|domain| !domain.starts_with("localhost"))
                .cloned(),
        );
    }
    let mut pairs: BTreeMap<(AddressClass, AddressClass), Vec<String>> = BTreeMap::new();
    for domain in domains {
        let classes = (
            before.0.class_of(&domain, before.1),
            after.0.class_of(&domain, after.1),
        );
        if let (Ok(Some(from)), Ok(Some(to))) = classes
            && from != to
        {
            pairs.entry((from, to)).or_default().push(domain);
        }
    }
    let remarks = pairs.into_iter().map(|((from, to), domains)| Remark {
        text: format!(
            "the address class of `{}` changes from {} to {}: mail that is in transit during \
             the apply may be refused",
            domains.join("`, `"),
            from.name(),
            to.name()
        ),
        hint: Some(
            "apply it when there is little mail, host by host (docs/reliability.md)".to_owned(),
        ),
    });
    remarks.collect()
}
