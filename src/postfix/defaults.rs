//! The built-in parameters and default values of Debian 12's Postfix 3.7.

use std::collections::BTreeMap;
use std::sync::LazyLock;

static DEFAULTS: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    include_str!("defaults-3.7.cf")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim_end(), value.trim()))
        .collect()
});

/// Built-in parameters whose default value only the machine, or the process, knows.
pub(crate) const OF_THE_MACHINE: [&str; 5] = [
    "mydomain",
    "myhostname",
    "mynetworks",
    "process_id",
    "process_name",
];

/// Names of older releases that 3.7 still reads: known, with an empty default, and in no list.
pub(crate) const OBSOLETE: [&str; 13] = [
    "authorized_verp_clients",
    "fallback_relay",
    "lmtp_per_record_deadline",
    "postscreen_blacklist_action",
    "postscreen_dnsbl_ttl",
    "postscreen_dnsbl_whitelist_threshold",
    "postscreen_whitelist_interfaces",
    "smtp_per_record_deadline",
    "smtpd_client_connection_limit_exceptions",
    "smtpd_per_record_deadline",
    "tlsproxy_client_level",
    "tlsproxy_client_policy",
    "virtual_maps",
];

/// The default value of a built-in parameter, where it is the same on every machine.
pub(crate) fn value(name: &str) -> Option<&'static str> {
    DEFAULTS.get(name).copied()
}

/// All built-in parameters with a default that is the same on every machine.
pub(crate) fn all() -> &'static BTreeMap<&'static str, &'static str> {
    &DEFAULTS
}
