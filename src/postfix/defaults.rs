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

/// Built-in parameters whose default depends on the machine or the process.
pub(crate) const OF_THE_MACHINE: [&str; 5] = [
    "mydomain",
    "myhostname",
    "mynetworks",
    "process_id",
    "process_name",
];

/// Parameters that Postfix sets itself in each process. It ignores them in main.cf.
pub(crate) const OF_THE_PROCESS: [&str; 2] = ["process_id", "process_name"];

/// Names of older releases that Postfix 3.7 still reads. Their default is empty, and `postconf -d` does not list them.
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

/// The default value of a built-in parameter; none if it depends on the machine.
pub(crate) fn value(name: &str) -> Option<&'static str> {
    DEFAULTS.get(name).copied()
}

/// All built-in parameters whose default is the same on every machine.
pub(crate) fn all() -> &'static BTreeMap<&'static str, &'static str> {
    &DEFAULTS
}

/// The suffixes of the parameters that every delivery agent has (`NAME_recipient_limit`, …), each with the parameter that
/// holds its default (postconf(5), `transport_…`).
const OF_A_SERVICE: [(&str, &str); 16] = [
    ("recipient_limit", "default_recipient_limit"),
    ("extra_recipient_limit", "default_extra_recipient_limit"),
    ("recipient_refill_limit", "default_recipient_refill_limit"),
    ("recipient_refill_delay", "default_recipient_refill_delay"),
    ("delivery_slot_cost", "default_delivery_slot_cost"),
    ("delivery_slot_loan", "default_delivery_slot_loan"),
    ("delivery_slot_discount", "default_delivery_slot_discount"),
    ("minimum_delivery_slots", "default_minimum_delivery_slots"),
    (
        "initial_destination_concurrency",
        "initial_destination_concurrency",
    ),
    (
        "destination_concurrency_limit",
        "default_destination_concurrency_limit",
    ),
    (
        "destination_recipient_limit",
        "default_destination_recipient_limit",
    ),
    (
        "destination_concurrency_positive_feedback",
        "default_destination_concurrency_positive_feedback",
    ),
    (
        "destination_concurrency_negative_feedback",
        "default_destination_concurrency_negative_feedback",
    ),
    (
        "destination_concurrency_failed_cohort_limit",
        "default_destination_concurrency_failed_cohort_limit",
    ),
    ("destination_rate_delay", "default_destination_rate_delay"),
    ("transport_rate_delay", "default_transport_rate_delay"),
];

/// The parameter that holds the default of a service's parameter, found by the suffix after the service's name.
pub(crate) fn of_suffix(suffix: &str) -> Option<&'static str> {
    let all = OF_A_SERVICE.iter().chain([&TIME_LIMIT]);
    all.copied()
        .find_map(|(own, default)| (own == suffix).then_some(default))
}

/// The parameter that only pipe(8) and spawn(8) have.
const TIME_LIMIT: (&str, &str) = ("time_limit", "command_time_limit");

/// The parameters that a service of master.cf has because of its command: each suffix, with the parameter that holds its
/// default. Empty if the command is not a delivery agent.
pub(crate) fn of_service(command: &[u8]) -> impl Iterator<Item = (&'static str, &'static str)> {
    let (time, others) = match command {
        b"local" | b"error" | b"virtual" | b"smtp" | b"lmtp" => (false, true),
        b"pipe" => (true, true),
        b"spawn" => (true, false),
        _ => (false, false),
    };
    let time = time.then_some(TIME_LIMIT);
    let others = OF_A_SERVICE.into_iter().filter(move |_| others);
    time.into_iter().chain(others)
}

/// The parameters whose default refers to other parameters, or is made of another one (`mydomain`), in order.
pub fn with_references() -> impl Iterator<Item = &'static str> {
    let refer = all().iter().filter(|(_, value)| value.contains('$'));
    refer.map(|(name, _)| *name).chain(["mydomain"])
}
