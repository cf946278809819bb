//! What smtpd(8) leaves out of its checks and rewriting of recipients, by parameters that name no table.

use super::View;
use crate::postfix::catalogue::guards;
use crate::postfix::catalogue::lists::matches_everything;
use crate::postfix::catalogue::restrictions;
use crate::postfix::split_list;

/// The parameter that leaves out steps for the mail of a service.
const OVERRIDE: &str = "receive_override_options";

/// The parameter by which smtpd(8) refuses unknown recipients without a restriction.
const UNLISTED: &str = "smtpd_reject_unlisted_recipient";

/// The parameters by which local(8) gives mail for recipients without an account to somebody else.
const OTHER_TAKERS: [&str; 5] = [
    "luser_relay",
    "fallback_transport",
    "fallback_transport_maps",
    "mailbox_transport",
    "mailbox_transport_maps",
];

/// A parameter that switches something off, and its expanded value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchedOff {
    /// The parameter.
    pub parameter: &'static str,
    /// The value, or the word of it.
    pub value: String,
}

impl View<'_> {
    /// What keeps smtpd(8) from refusing unknown recipients, although their tables are there: `no_unknown_recipient_checks`, which
    /// outdoes each restriction, or `smtpd_reject_unlisted_recipient = no` where no list has `reject_unlisted_recipient`.
    #[must_use]
    pub fn accepts_unlisted(&self) -> Option<SwitchedOff> {
        if self.overrides("no_unknown_recipient_checks") {
            return Some(SwitchedOff {
                parameter: OVERRIDE,
                value: "no_unknown_recipient_checks".to_owned(),
            });
        }
        let value = self.expanded(UNLISTED).text.ok()?;
        if !value.eq_ignore_ascii_case("no") {
            return None;
        }
        let class = self.class_lists();
        let refuses = |name: &str| {
            let list = self.expanded(name).text;
            list.is_err()
                || list.is_ok_and(|list| {
                    let words = ["reject_unlisted_recipient", "check_recipient_maps"];
                    let has = |word| guards::may_have(&list, word, &class);
                    words.into_iter().any(has)
                })
        };
        let parameter = UNLISTED;
        let none = !restrictions::LISTS.into_iter().any(refuses);
        none.then_some(SwitchedOff { parameter, value })
    }

    /// What keeps addresses of mail by this smtpd(8) from being rewritten and aliased. A filter after it gives the mail back
    /// through another service, which rewrites then: nothing is said where there may be one.
    #[must_use]
    pub fn leaves_addresses(&self) -> Option<SwitchedOff> {
        let filters = [
            "content_filter",
            "smtpd_proxy_filter",
            "header_checks",
            "body_checks",
        ];
        if !self.overrides("no_address_mappings")
            || !filters.into_iter().all(|name| self.is_empty(name))
        {
            return None;
        }
        // An access table may have `FILTER` (access(5)), and a policy server may answer it.
        let may_filter = |name: &str| {
            let list = self.expanded(name).text;
            list.is_err() || list.is_ok_and(|list| list.contains("check_") || list.contains(':'))
        };
        let value = "no_address_mappings".to_owned();
        let parameter = OVERRIDE;
        let none = !restrictions::LISTS.into_iter().any(may_filter);
        none.then_some(SwitchedOff { parameter, value })
    }

    /// Whether local(8) gets mail for each recipient that clients name: `local_recipient_maps` is set, and empty, and a local domain is there.
    #[must_use]
    pub fn accepts_all_local(&self) -> bool {
        let text = |name: &str| self.expanded(name).text.unwrap_or_default();
        let transport = self.get("local_transport");
        let is_local = transport.is_ok_and(|value| value.text.split(':').next() == Some("local"));
        self.is_set("local_recipient_maps")
            && self.is_empty("local_recipient_maps")
            && !text("mydestination").is_empty()
            && is_local
            && OTHER_TAKERS.into_iter().all(|name| self.is_empty(name))
            && !split_list(&text("virtual_alias_maps"))
                .iter()
                .any(|map| matches_everything(map))
    }

    /// Whether a parameter is known to have no value.
    fn is_empty(&self, name: &str) -> bool {
        self.expanded(name).text.is_ok_and(|text| text.is_empty())
    }

    /// Whether `receive_override_options` has an option.
    #[must_use]
    pub fn overrides(&self, word: &str) -> bool {
        let options = self.expanded(OVERRIDE).text.unwrap_or_default();
        split_list(&options).iter().any(|option| option == word)
    }
}
