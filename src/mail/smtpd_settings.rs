//! Reads the parameters of smtpd(8).

use super::intake::Intake;
use super::maps::Known;
use super::reader::ParameterReader;
use super::restrictions::{self, Restriction};
use super::smtpd::{Codes, Smtpd};
use super::table::{LookupError, MatchStyle};
use crate::postfix::Network;
use crate::postfix::split_list;

impl Smtpd {
    /// Reads the parameters of the service that listens on port 25.
    pub fn read(reader: &mut ParameterReader<'_, '_>) -> Self {
        let code = |name: &str, reader: &ParameterReader<'_, '_>| {
            u16::try_from(reader.number(name, 550)).unwrap_or(550)
        };
        let words = split_list(&reader.text_or_empty("smtpd_restriction_classes"));
        let classes = words.into_iter().map(|name| {
            let list = list_of(&name, reader);
            (name, list)
        });
        let classes = classes.collect();
        Self {
            lookup: reader.address_lookup(),
            rewriting: [
                reader.maps("recipient_canonical_maps"),
                reader.maps("canonical_maps"),
                reader.maps("virtual_alias_maps"),
            ],
            local_recipient_maps: reader.maps("local_recipient_maps"),
            relay_recipient_maps: reader.maps("relay_recipient_maps"),
            virtual_mailbox_maps: reader.maps("virtual_mailbox_maps"),
            restrictions: lists(reader),
            classes,
            mynetworks: networks(reader),
            rejects_unlisted: reader.is_on("smtpd_reject_unlisted_recipient"),
            data: ["smtpd_data_restrictions", "smtpd_end_of_data_restrictions"]
                .map(|name| restrictions::without_recipient(list_of(name, reader)))
                .to_vec(),
            allows_routing: reader.is_on("allow_untrusted_routing"),
            soft_bounce: reader.is_on("soft_bounce"),
            unverified_defers_if_permit: reader
                .text_or_empty("unverified_recipient_tempfail_action")
                .eq_ignore_ascii_case("defer_if_permit"),
            codes: Codes {
                local: code("unknown_local_recipient_reject_code", reader),
                relay: code("unknown_relay_recipient_reject_code", reader),
                alias: code("unknown_virtual_alias_reject_code", reader),
                mailbox: code("unknown_virtual_mailbox_reject_code", reader),
                relay_access: code("relay_domains_reject_code", reader),
                access: code("access_map_reject_code", reader),
                reject: code("reject_code", reader),
                defer: code("defer_code", reader),
                non_fqdn: code("non_fqdn_reject_code", reader),
                unverified: code("unverified_recipient_reject_code", reader),
                unverified_defer: code("unverified_recipient_defer_code", reader),
                access_defer: code("access_map_defer_code", reader),
            },
            bare_parents: reader.style("smtpd_access_maps") == MatchStyle::Parents,
            intake: Intake::read(reader),
            command_filter: reader.maps("smtpd_command_filter"),
            checks_unknown: !reader.view.overrides("no_unknown_recipient_checks"),
        }
    }
}

/// The lists of restrictions in the order in which smtpd(8) evaluates them at RCPT.
fn lists(reader: &mut ParameterReader<'_, '_>) -> Vec<Vec<Restriction>> {
    let relay_first = reader.is_on("smtpd_relay_before_recipient_restrictions")
        || reader
            .text_or_empty("smtpd_relay_before_recipient_restrictions")
            .is_empty();
    let (relay, recipient) = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions");
    let mut names = vec![
        "smtpd_client_restrictions",
        "smtpd_helo_restrictions",
        "smtpd_sender_restrictions",
    ];
    names.extend(if relay_first {
        [relay, recipient]
    } else {
        [recipient, relay]
    });
    let delays = reader.is_on("smtpd_delay_reject");
    let lists = names.into_iter().map(|name| {
        let list = list_of(name, reader);
        match delays || name == relay || name == recipient {
            true => list,
            // Evaluated before RCPT, when there is no recipient.
            false => restrictions::without_recipient(list),
        }
    });
    lists.collect()
}

/// The restrictions of a list or of a class.
fn list_of(name: &str, reader: &mut ParameterReader<'_, '_>) -> Vec<Restriction> {
    let classes = split_list(&reader.text_or_empty("smtpd_restriction_classes"));
    let view = reader.view;
    let class = |class: &str| {
        let is_class = classes.iter().any(|known| known == class);
        is_class.then(|| view.expanded(class).text.ok()).flatten()
    };
    match reader.text(name) {
        Ok(text) => restrictions::read(name, &text, &class, reader.tables),
        Err(LookupError::NotModelled(why) | LookupError::Temporary(why)) => {
            vec![Restriction::Unknown(why)]
        }
    }
}

/// The networks of `mynetworks`.
fn networks(reader: &ParameterReader<'_, '_>) -> Known<Vec<(Network, bool)>> {
    let words = split_list(&reader.text("mynetworks")?).into_iter();
    let networks = words.map(|word| {
        let network = Network::read(word.trim_start_matches('!'));
        let network = network.ok_or_else(|| {
            LookupError::NotModelled(format!("`{word}` in `mynetworks` is not modelled"))
        })?;
        Ok((network, word.starts_with('!')))
    });
    networks.collect()
}
