//! The generation that a plan carries.

use crate::history::Action;
use crate::ledger::Applied;
use crate::plan::generation::generation;

use super::*;

#[test]
fn a_generation_is_what_is_managed_and_what_changed() {
    let name = SecretName("ldap.bind_pw".into());
    let body = Body::from_rendered(&format!("bind_pw = {}\n", Body::token(&name)));
    let mut bench = Bench::new("biff = no\nrelayhost = x\n")
        .want("biff", "no")
        .want("mydomain", "example.org")
        .want_file("/etc/postfix/ldap.cf", file(body.clone()))
        .ledger(ledger(&[(
            parameter("relayhost"),
            Origin::Created,
            Some("x"),
        )]));
    bench
        .desired
        .postfix_mut()
        .values
        .insert(parameter("content_filter"), Want::Absent);
    bench.desired.postfix_mut().probes.accept = vec!["a@example.org".to_owned()];
    bench
        .secrets
        .insert(name, Secret::new("hunter2".to_owned()));
    let plan = bench.plan();
    let generation = generation(&plan, &Applied::default()).unwrap();
    assert_eq!(generation.entry.generation, plan.ledger.generation);
    assert_eq!(generation.entry.generation, 2);
    let changed: Vec<(String, Action)> = generation
        .entry
        .changed
        .iter()
        .map(|one| (one.thing.to_string(), one.action))
        .collect();
    assert_eq!(
        changed,
        [
            ("/etc/postfix/ldap.cf".to_owned(), Action::Create),
            ("main.cf:mydomain".to_owned(), Action::Create),
            ("main.cf:relayhost".to_owned(), Action::Delete),
            ("main.cf:biff".to_owned(), Action::TakeOver),
        ]
    );
    let snapshot = &generation.snapshot.services[&Service::POSTFIX];
    // What is wanted absent and was never there is not managed, and so not kept.
    let values: Vec<String> = snapshot.values.keys().map(Thing::to_string).collect();
    assert_eq!(values, ["main.cf:biff", "main.cf:mydomain"]);
    let kept = snapshot.files[&path("/etc/postfix/ldap.cf")]
        .as_ref()
        .unwrap();
    assert_eq!(kept.body, body);
    assert_eq!(snapshot.probes, bench.desired.postfix_mut().probes);
    let bytes = generation.to_bytes();
    assert!(!String::from_utf8_lossy(&bytes).contains("hunter2"));
}

#[test]
fn what_was_made_absent_is_kept_as_absent() {
    let mut bench = Bench::new("relayhost = x\n");
    bench
        .desired
        .postfix_mut()
        .values
        .insert(parameter("relayhost"), Want::Absent);
    let plan = bench.plan();
    let values = &plan.snapshot.as_deref().unwrap().services[&Service::POSTFIX].values;
    assert_eq!(values.get(&parameter("relayhost")), Some(&None));
}

#[test]
fn a_host_that_keeps_no_ledger_keeps_no_generation() {
    let mut bench = Bench::new("biff = no\n").ledger(ledger(&[(
        parameter("biff"),
        Origin::Created,
        Some("no"),
    )]));
    bench.desired.retired = true;
    assert!(bench.plan().snapshot.is_none());
}
