//! Tests of the catalogue.

use super::*;

fn summary(name: &str, value: &str) -> Option<String> {
    check(name, value).err().map(|problem| problem.summary)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn the_table_stands_in_the_order_of_its_names() {
    let names: Vec<&str> = table::rows().map(|row| row.name).collect();
    assert!(names.is_sorted() && names.len() > 900, "{}", names.len());
    assert!(names.iter().all(|name| row(name).is_some()));
}

#[test]
fn numbers_that_stop_mail_are_found() {
    let problem = check("message_size_limit", "10 MB").err();
    assert_eq!(
        problem.and_then(|problem| problem.hint).as_deref(),
        Some("write `10485760`: Postfix accepts no unit here")
    );
    assert_eq!(summary("message_size_limit", "10485760"), None);
    assert_eq!(summary("message_size_limit", "99999999999"), None);
    assert!(summary("hopcount_limit", "99999999999").is_some());
    assert!(summary("hopcount_limit", "").is_some());
    assert!(summary("hopcount_limit", "0").is_some());
    assert!(summary("default_delivery_slot_discount", "101").is_some());
}

/// Postfix compares a number with its least value only where that is not 0.
#[test]
fn a_least_value_of_0_is_none() {
    for name in [
        "postscreen_dnsbl_allowlist_threshold",
        "smtpd_client_connection_count_limit",
        "unknown_client_reject_code",
        "smtp_connection_reuse_count_limit",
    ] {
        assert_eq!(summary(name, "-1"), None, "{name}");
        assert!(summary(name, "-2147483649").is_some(), "{name}");
    }
    let negative = names().into_iter().filter(|name| {
        takes(name) == Some(Takes::Number) && !name.contains("default_") && limits(name).0 < 0
    });
    assert!(negative.count() >= 60);
    // A least value of 1 counts, and a time is never negative.
    assert!(summary("postscreen_dnsbl_threshold", "0").is_some());
    assert!(summary("smtp_connection_reuse_time_limit", "-1s").is_some());
    assert!(summary("in_flow_delay", "-1").is_some());
}

#[test]
fn words_accounts_and_addresses_that_stop_a_program_are_found() {
    for (name, wrong, right) in [
        ("smtpd_upstream_proxy_protocol", "haproxi", "haproxy"),
        ("postscreen_upstream_proxy_protocol", "HAProxy", ""),
        ("smtp_host_lookup", "dns, foo", "dns, native"),
        ("lmtp_host_lookup", "hosts", "native"),
        ("postscreen_greet_action", "block", "enforce"),
        ("postscreen_dnsbl_action", "reject", "Drop"),
        ("default_privs", "root", "nobody"),
        ("mail_owner", "0", "postfix"),
        ("setgid_group", "root", "$group"),
        ("smtp_bind_address", "localhost", "192.0.2.1"),
        ("lmtp_bind_address", "2001:db8::1", "$own_address"),
        ("smtp_bind_address6", "192.0.2.1", "[2001:db8::1]"),
        (
            "inet_interfaces",
            "192.0.2.0/24",
            "192.0.2.1, mx.example.org",
        ),
        ("proxy_interfaces", "192.0.2.1/32", "192.0.2.1"),
        ("smtpd_proxy_filter", "127.0.0.1", "127.0.0.1:10024"),
        (
            "smtpd_proxy_filter",
            "inet:localhost",
            "inet:localhost:10024",
        ),
        ("smtpd_proxy_filter", "unix:", "unix:private/filter"),
        ("smtpd_proxy_filter", "[::1]", "10024"),
    ] {
        assert!(summary(name, wrong).is_some(), "{name} = {wrong}");
        assert_eq!(summary(name, right), None, "{name} = {right}");
    }
}

#[test]
fn what_a_stable_release_brought_later_is_there() {
    let missing = |version: &str| version_problem("smtpd_forbid_bare_newline", version).is_some();
    assert!(missing("3.7.8") && missing("3.4.29") && missing("3.8.3"));
    assert!(!missing("3.7.9") && !missing("3.7.11") && !missing("3.8.4") && !missing("3.9.0"));
}

#[test]
fn one_style_of_networks_in_one_case() {
    assert_eq!(summary("mynetworks_style", "host"), None);
    assert!(summary("mynetworks_style", "Host").is_some());
    assert!(summary("mynetworks_style", "class,host").is_some());
}

#[test]
fn times_take_one_unit() {
    assert_eq!(summary("command_time_limit", "1000s"), None);
    assert_eq!(summary("command_time_limit", "10"), None);
    assert!(summary("command_time_limit", "10 s").is_some());
    assert!(summary("command_time_limit", "10min").is_some());
    assert!(summary("command_time_limit", "1M").is_some());
    assert!(summary("command_time_limit", "0").is_some());
    assert!(summary("command_time_limit", "-1s").is_some());
}

#[test]
fn a_bare_number_has_the_unit_of_the_default() {
    assert_eq!(summary("maximal_queue_lifetime", "5"), None);
    assert!(summary("maximal_queue_lifetime", "101").is_some());
    assert_eq!(summary("maximal_queue_lifetime", "101h"), None);
}

#[test]
fn yes_and_no_are_all_there_is() {
    assert_eq!(summary("biff", "No"), None);
    let problem = check("biff", "true").err();
    assert_eq!(
        problem.and_then(|problem| problem.hint).as_deref(),
        Some("write `yes`")
    );
    assert!(summary("biff", "").is_some());
}

#[test]
fn some_texts_must_not_be_empty() {
    assert_eq!(
        summary("myorigin", "").as_deref(),
        Some("`myorigin` must not be empty")
    );
    assert_eq!(summary("relayhost", ""), None);
}

#[test]
fn install_paths_may_be_empty() {
    for name in [
        "readme_directory",
        "html_directory",
        "sample_directory",
        "manpage_directory",
    ] {
        assert_eq!(summary(name, ""), None, "{name}");
        assert_eq!(summary(name, "no"), None, "{name}");
    }
    assert!(summary("queue_directory", "").is_some());
}

#[test]
fn a_reference_cannot_be_checked() {
    assert_eq!(summary("hopcount_limit", "${limit}"), None);
}

#[test]
fn services_bring_parameters_with_the_kinds_of_their_defaults() {
    assert!(summary("smtp-amavis_destination_concurrency_limit", "two").is_some());
    assert_eq!(
        summary("smtp-amavis_destination_concurrency_limit", "2"),
        None
    );
    assert!(summary("lmtp_destination_concurrency_limit", "x").is_some());
    assert!(summary("maildrop_time_limit", "1 h").is_some());
    assert_eq!(
        service_parameter("a_b_destination_recipient_limit"),
        Some(("a_b", "destination_recipient_limit"))
    );
    assert_eq!(service_parameter("recipient_limit"), None);
}

#[test]
fn every_suffix_has_a_row_that_says_what_it_takes() {
    for suffix in table::SUFFIXES {
        assert!(
            table::suffix_row(suffix).is_some_and(|row| row.kind.is_some()),
            "{suffix}"
        );
    }
}

#[test]
fn versions_bound_a_name() {
    let problem =
        |name: &str, version: &str| version_problem(name, version).map(|problem| problem.summary);
    assert_eq!(
        problem("allow_srv_lookup_fallback", "3.7.11").as_deref(),
        Some("`allow_srv_lookup_fallback` exists only since Postfix 3.8")
    );
    assert_eq!(problem("allow_srv_lookup_fallback", "3.10.2"), None);
    assert!(problem("enable_errors_to", "3.7.11").is_some());
}

/// Postfix stops with a fatal error at a truth value that it cannot read, in every parameter.
#[test]
fn every_default_of_yes_or_no_belongs_to_a_boolean() {
    // This one also accepts `normalize`, `reject` and `note`.
    const MORE: [&str; 1] = ["smtpd_forbid_bare_newline"];
    for (name, value) in crate::postfix::defaults::all() {
        if matches!(*value, "yes" | "no") && !MORE.contains(name) {
            assert_eq!(takes(name), Some(Takes::YesOrNo), "{name}");
        }
    }
}

#[test]
fn every_default_of_a_number_or_time_belongs_to_one() {
    for (name, value) in crate::postfix::defaults::all() {
        let digits = value.trim_end_matches(['s', 'm', 'h', 'd', 'w']);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            assert!(
                row(name).is_some_and(|row| row.kind.is_some()) || takes(name).is_some(),
                "{name}"
            );
        }
    }
}

#[test]
fn texts_that_are_filled_in_later_are_not_expanded_now() {
    assert!(!is_expanded("luser_relay"));
    assert!(is_expanded("smtpd_banner") && is_expanded("my_own"));
}

#[test]
fn the_service_of_a_parameter_must_be_there() {
    let services = ["smtp-amavis", "lmtp"].into();
    let known = |name: &str| check_service(name, &services);
    assert_eq!(known("relayhost"), Ok(()));
    assert_eq!(known("my_list"), Ok(()));
    assert_eq!(known("smtp-amavis_destination_concurrency_limit"), Ok(()));
    assert_eq!(
        known("smtp-amaviz_destination_concurrency_limit")
            .err()
            .and_then(|problem| problem.hint)
            .as_deref(),
        Some("did you mean `smtp-amavis_destination_concurrency_limit`?")
    );
    assert!(is_placeholder("transport_recipient_limit"));
    assert!(!is_placeholder("transport_maps"));
    assert_eq!(nearest("local_recipient_map"), Some("local_recipient_maps"));
    assert_eq!(nearest("zzzzzz"), None);
}

#[test]
fn references_are_found_inside_conditions() {
    assert_eq!(
        referenced_names("$a ${b} $(c) ${d?{$e}:{$f}} $$g ${{$h} == {x} ? {$i} : {$j}} $"),
        set(&["a", "b", "c", "d", "e", "f", "h", "i", "j"])
    );
}

#[test]
fn only_some_parameters_need_stop_and_start() {
    for name in [
        "inet_interfaces",
        "inet_protocols",
        "queue_directory",
        "maillog_file",
    ] {
        assert!(needs_restart(name), "{name}");
    }
    for name in ["relayhost", "mydestination", "myhostname"] {
        assert!(!needs_restart(name), "{name}");
    }
}

#[test]
fn names_without_meaning_are_not_in_the_table() {
    for name in ["address_verify_", "local", "transport_recipient_limit"] {
        assert!(row(name).is_none(), "{name}");
    }
    assert!(names().len() > 900);
}
