//! The states on the way of a change, made on real hosts: what a plan and a trace say of each, and what Postfix does there.

// What does not run.
mod failing;
// The hosts and the directory.
mod murder;
// What becomes of mail.
mod outcome;
// Mail that is sent, and what the logs say.
mod sent;
// What is worse in a state.
mod worse;

pub use failing::a_failure_delays_mail_and_bounces_none;

use std::path::Path;

use serde_json::{Value, json};

use crate::world::World;
use murder::{HostLines, addresses, boot, leave, let_in, manifest, murder};
use sent::{Outcomes, Place, give, outcomes, places, send_all, traced, wait};

/// What each host gets. w1 moves from backend1 to backend2, which must take it before smtp(8) of the internal MTA sends it there, and backend1 must
/// not give it away before that. w2 and w3 move too, and the others are refused, thrown away, delayed or renamed.
const CHANGE: &[HostLines<'static>] = &[
    (
        "backend1",
        "settings: {transport_maps: {prepend: ['inline:{{w1@example.org=relay:[smtp.example.org]:25}, {w2@example.org=error:5.2.1 closed}}']}}",
    ),
    (
        "backend2",
        "settings: {local_recipient_maps: {prepend: ['inline:{{w1@example.org=x}, {w2@example.org=x}}']}, \
         transport_maps: {prepend: ['inline:{{w1@example.org=lmtp:unix:/run/states/lmtp}, {w2@example.org=lmtp:unix:/run/states/lmtp}}']}}",
    ),
    (
        "backend3",
        "settings: {local_recipient_maps: {prepend: ['inline:{{w3@example.org=x}}']}, \
         transport_maps: {prepend: ['inline:{{w3@example.org=lmtp:unix:/run/states/lmtp}}']}}",
    ),
    (
        "smtp",
        "settings: {virtual_alias_maps: {prepend: ['inline:{{w7@example.org=w8@example.org}}']}, \
         transport_maps: {prepend: ['inline:{{w1@example.org=relay:[backend2.example.org]:25}, {w2@example.org=relay:[backend2.example.org]:25}, \
         {w3@example.org=relay:[backend3.example.org]:25}, {w4@example.org=error:5.7.1 closed}, {w5@example.org=discard:}, {w6@example.org=retry:4.3.2 later}}']}}",
    ),
    (
        "mx",
        "settings: {smtpd_recipient_restrictions: 'check_recipient_access inline:{{w9@example.org=reject}}'}",
    ),
];

/// Addresses that are in no entry.
const OTHERS: &[&str] = &[
    "nosuch@example.org",
    "one+lists@example.org",
    "postmaster@example.org",
    "friend@outside.example",
];

/// The manifest in which some hosts have the change.
fn with_change(world: &World, hosts: &[&str]) -> std::path::PathBuf {
    let lines = CHANGE.iter().filter(|(host, _)| hosts.contains(host));
    manifest(world, &lines.copied().collect::<Vec<_>>())
}

/// What becomes of mail now, which must be what a trace of this manifest says.
fn measured(world: &World, name: &str, manifest: &Path, places: &[Place]) -> Outcomes {
    let all = [&addresses()[..], OTHERS].concat();
    let real = send_all(world, places, &all);
    let model = traced(world, manifest, places, &all);
    let differing: Vec<String> = real
        .iter()
        .filter(|(key, real)| model[*key] != **real)
        .map(|(key, real)| format!("{key:?}\n  Postfix {real:?}\n  trace   {:?}", model[key]))
        .collect();
    assert!(
        differing.is_empty(),
        "{name}: {} of {} differ:\n{}",
        differing.len(),
        real.len(),
        differing.join("\n")
    );
    real
}

/// The change is judged once; then states on the way are made by a part of an apply, by an apply that fails on one host, and by waves. In each,
/// mail from everywhere to every kind of address ends as the plan counted and as a trace says.
pub fn states_on_the_way_are_what_the_plan_says(world: &mut World) {
    let world = &*world;
    boot(world);
    let apply = |manifest: &Path, more: &[&str]| {
        let flags = ["--yes", "--allow-bounce", "--adopt", "--allow-restart"];
        murder(world, "apply", manifest, &[&flags[..], more].concat())
    };
    let old = manifest(world, &[]);
    let new = with_change(world, &["mx", "smtp", "backend1", "backend2", "backend3"]);
    apply(&old, &[]).exits(0);
    let places = places();
    let before = measured(world, "before", &old, &places);
    let show = ["--format", "json", "--show-addresses"];
    let plan = murder(world, "plan", &new, &show).exits(1).json();
    let mail = &plan["mail"];
    assert_eq!(mail["addresses"], addresses().len(), "{mail:#}");
    murder(world, "apply", &new, &["--yes"])
        .exits(1)
        .says("--allow-bounce");

    let mut made: Vec<(Value, Outcomes)> = Vec::new();
    let mut make = |state: Value, hosts: &[&str]| {
        let real = measured(
            world,
            &state.to_string(),
            &with_change(world, hosts),
            &places,
        );
        made.push((state, real));
    };
    // One host alone.
    apply(&new, &["--host", "backend1.example.org"]).exits(0);
    make(json!({"alone": "backend1.example.org"}), &["backend1"]);
    // A host of the first wave fails, and no other wave begins.
    let_in(&world.lab, "backend2", false);
    apply(&new, &[]).exits(4).says("smtp.example.org");
    let_in(&world.lab, "backend2", true);
    make(
        json!({"without_host": {"after_wave": 1, "host": "backend2.example.org"}}),
        &["backend1", "backend3"],
    );
    // Wave by wave.
    let backends = ["backend1", "backend2", "backend3"];
    apply(&new, &["--wave", "add-1"]).exits(0);
    make(json!({"after_wave": 1}), &backends);
    apply(&new, &["--wave", "add-2"]).exits(0);
    make(
        json!({"after_wave": 2}),
        &[&backends[..], &["smtp"]].concat(),
    );
    apply(&new, &[]).exits(0);
    let after = measured(world, "the end", &new, &places);
    // The wrong order: the backends go back, and the internal MTA has the change.
    apply(&with_change(world, &["smtp"]), &[]).exits(0);
    make(json!({"alone": "smtp.example.org"}), &["smtp"]);

    let all = addresses();
    let end = worse::worse(&before, &after, &all);
    worse::agrees(
        "the end",
        Some(&mail["worse"]),
        &worse::counted(&end, None),
        mail,
    );
    for (state, real) in &made {
        let real = worse::counted(&worse::worse(&before, real, &all), Some(&end));
        worse::agrees(
            &state.to_string(),
            worse::state_of(mail, state),
            &real,
            mail,
        );
    }
    let planned = mail["moves"].as_array().unwrap().iter().map(|one| {
        let word = |key: &str| one[key].as_str().unwrap().to_owned();
        let count = one["addresses"].as_u64().unwrap();
        (word("from") + " > " + &word("to"), count)
    });
    assert_eq!(
        planned.collect::<std::collections::BTreeMap<_, _>>(),
        worse::moves(&before, &after, &all),
        "{mail:#}"
    );
    waiting_mail_takes_the_new_way(world, &old, &new);
    leave(world);
}

/// Mail that waits while the change is applied was rewritten before it, and is routed after it.
fn waiting_mail_takes_the_new_way(world: &World, old: &Path, new: &Path) {
    let apply = |manifest: &Path| {
        let flags = ["--yes", "--allow-bounce", "--adopt", "--allow-restart"];
        murder(world, "apply", manifest, &flags).exits(0);
    };
    apply(old);
    for backend in ["backend1", "backend2", "backend3"] {
        world.lab.sh(backend, "postfix stop 2>/dev/null");
    }
    let starts = sent::log_lengths(world);
    let outside = Place {
        host: "mx",
        from: Some(sent::OUTSIDE),
    };
    let asked = ["one", "w1", "w2", "w3", "w4", "w5", "w6", "w7"];
    let asked = asked.map(|name| format!("{name}@example.org"));
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let mails = give(world, &[outside], &asked);
    wait(world);
    for backend in ["backend1", "backend2", "backend3"] {
        world.lab.sh(backend, "postfix start 2>/dev/null");
    }
    apply(new);
    world.lab.sh("smtp", "sleep 1; postqueue -f");
    sent::wait_for_queue(world, "smtp", 1);
    wait(world);
    let found = outcomes(world, &starts, mails);
    let last = |address: &str| {
        let ends = &found[&(outside, format!("{address}@example.org"))].ends;
        // All were deferred once.
        let ends = ends.iter().filter(|end| end.code != "4.4.1");
        let ends = ends.map(|end| format!("{:?} {} {}", end.action, end.host, end.code));
        ends.collect::<Vec<_>>().join(", ").trim().to_owned()
    };
    let expected = [
        ("one", "Delivered backend1"),
        ("w1", "Delivered backend2"),
        ("w2", "Delivered backend2"),
        ("w3", "Delivered backend3"),
        ("w4", "Bounced smtp 5.7.1"),
        ("w5", "Discarded smtp"),
        ("w6", "Deferred smtp 4.3.2"),
        ("w7", "Delivered backend1"),
    ];
    for (address, end) in expected {
        assert_eq!(last(address), end, "{address}: {found:#?}");
    }
    world.lab.sh("smtp", "postsuper -d ALL 2>/dev/null");
}
