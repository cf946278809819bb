//! Which Postfix programs open the tables of which parameters (their manual pages, "CONFIGURATION PARAMETERS").

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::postfix::catalogue::{self, tables};

/// The SMTP server.
pub(super) const SMTPD: &str = "smtpd";

/// Parameters that name domains and addresses. The programs that decide whether a recipient is valid read them.
const OF_RECIPIENTS: [&str; 20] = [
    "alias_maps",
    "canonical_maps",
    "local_login_sender_maps",
    "local_recipient_maps",
    "mydestination",
    "mynetworks",
    "permit_mx_backup_networks",
    "rbl_reply_maps",
    "recipient_canonical_maps",
    "relay_clientcerts",
    "relay_domains",
    "relay_recipient_maps",
    "relocated_maps",
    "sender_canonical_maps",
    "tls_server_sni_maps",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
    "virtual_mailbox_maps",
    "local_header_rewrite_clients",
];

/// Parameters of trivial-rewrite(8), in addition to those that begin with `address_verify_`.
const OF_REWRITING: [&str; 7] = [
    "mydestination",
    "relay_domains",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
    "transport_maps",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
];

/// Parameters of cleanup(8).
const OF_CLEANUP: [&str; 13] = [
    "body_checks",
    "canonical_maps",
    "header_checks",
    "masquerade_exceptions",
    "milter_header_checks",
    "mime_header_checks",
    "nested_header_checks",
    "recipient_bcc_maps",
    "recipient_canonical_maps",
    "sender_bcc_maps",
    "sender_canonical_maps",
    "smtpd_milter_maps",
    "virtual_alias_maps",
];

/// The parameters of the catalogue whose tables a program opens for reading.
pub(super) fn parameters_of(program: &str) -> &'static [&'static str] {
    static KNOWN: LazyLock<BTreeMap<&str, Vec<&str>>> = LazyLock::new(|| {
        let names = catalogue::names().into_iter();
        let names: Vec<&str> = names.filter(|name| tables::opens_tables(name)).collect();
        let of = |program: &'static str| {
            let read = names.iter().filter(|name| opens(program, name));
            (program, read.copied().collect())
        };
        PROGRAMS.into_iter().map(of).collect()
    });
    KNOWN.get(program).map_or(&[], Vec::as_slice)
}

/// Whether a program may read a parameter: certainly not if the parameter holds tables that the program does not open.
#[must_use]
pub fn reads(program: &str, name: &str) -> bool {
    !tables::opens_tables(name) || parameters_of(program).contains(&name)
}

/// The programs that open tables.
const PROGRAMS: [&str; 16] = [
    "cleanup",
    "discard",
    "error",
    "flush",
    "lmtp",
    "local",
    "oqmgr",
    "pipe",
    "postscreen",
    "qmgr",
    "qmqpd",
    "smtp",
    "smtpd",
    "tlsproxy",
    "trivial-rewrite",
    "virtual",
];

/// Whether a program opens the tables of a parameter. The parameter must hold tables.
fn opens(program: &str, name: &str) -> bool {
    let begins = |prefix: &str| name.starts_with(prefix);
    match program {
        "smtpd" => begins("smtpd_") || OF_RECIPIENTS.contains(&name) || name == "debug_peer_list",
        "postscreen" => begins("postscreen_") || name == "mynetworks",
        "trivial-rewrite" => {
            OF_REWRITING.contains(&name) || begins("address_verify_") && name.ends_with("_maps")
        }
        "cleanup" => OF_CLEANUP.contains(&name),
        "smtp" => begins("smtp_") || name == "debug_peer_list",
        "lmtp" => begins("lmtp_") || name == "debug_peer_list",
        "local" => matches!(
            name,
            "alias_maps"
                | "mailbox_command_maps"
                | "mailbox_transport_maps"
                | "fallback_transport_maps"
                | "local_delivery_status_filter"
        ),
        "virtual" => matches!(
            name,
            "virtual_mailbox_maps"
                | "virtual_uid_maps"
                | "virtual_gid_maps"
                | "virtual_delivery_status_filter"
        ),
        "pipe" => name == "pipe_delivery_status_filter",
        "error" | "discard" => name == "default_delivery_status_filter",
        "qmqpd" => name == "qmqpd_authorized_clients" || name == "debug_peer_list",
        "tlsproxy" => {
            begins("tlsproxy_") || name == "relay_clientcerts" || name == "tls_server_sni_maps"
        }
        "qmgr" | "oqmgr" | "flush" => name == "fast_flush_domains",
        _ => false,
    }
}
