//! Bounces that get a sender: a bounce that cannot be delivered is then answered by another one, without an end.

use super::code::FindingCode;
use super::finding::Finding;
use super::places::{EntryPlace, PlaceKind};
use super::probes::MailProbes;
use crate::mail::{EndAction, Entry, Hit, MailTrace};

impl MailProbes<'_> {
    /// Whether a bounce that the host of a place sends comes back as another bounce, and so on. Postfix knows a bounce by
    /// its empty sender alone.
    pub(super) fn endless_bounces(&self, place: &EntryPlace) -> Option<Finding> {
        if place.kind != PlaceKind::Submitted {
            return None;
        }
        // The hosts that bounce, one after the other.
        let mut origins = vec![place.host];
        let (first, first_hit) = self.sender_at(place.host)?;
        let mut sender = first.clone();
        loop {
            let origin = *origins.last()?;
            let trace = self.trace(&sender, Entry::Submit(origin));
            let bounced = self.bounced_at(&trace)?;
            // The last host on the way has the last word.
            let on_the_way = trace.passed.iter().rev();
            sender = on_the_way
                .filter_map(|host| self.sender_at(*host))
                .next()?
                .0;
            if origins.contains(&bounced) {
                break;
            }
            origins.push(bounced);
        }
        let (parameter, table) = (&first_hit.parameter, &first_hit.table);
        let text = format!(
            "`{table}` in `{parameter}` gives bounces the sender `{first}`, and mail for that address bounces: each bounce is answered \
             by another one, without an end"
        );
        let help = format!(
            "let no table of `{parameter}` match `\"\"`, the key of the empty sender: use the pattern `/@/` in a `regexp:` table instead of \
             `static:`"
        );
        let finding = Finding::new(FindingCode::Loop, text, help).of(&first);
        Some(
            finding
                .at(self.name(place.host))
                .seen(&first, Entry::Submit(place.host)),
        )
    }

    /// The sender that a host gives a bounce. A table that has no answer for the empty sender stops the bounce instead.
    fn sender_at(&self, host: usize) -> Option<(String, Hit)> {
        let host = self.murder.hosts.get(host)?;
        let sender = host
            .cleanup
            .sender_of_bounces(&host.resolver, self.directory);
        let (sender, hits) = sender.ok().flatten()?;
        Some((sender, hits.into_iter().next()?))
    }

    /// The host where a message bounces, if it does.
    fn bounced_at(&self, trace: &MailTrace) -> Option<usize> {
        let mut ends = trace.ends.iter();
        let end = ends.find(|end| matches!(end.action, EndAction::Bounced | EndAction::Loop))?;
        let mut hosts = self.murder.hosts.iter();
        hosts.position(|host| host.name == end.host)
    }
}
