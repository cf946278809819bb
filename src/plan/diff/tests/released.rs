//! What is let go: the ledger forgets it, and nothing else changes.

use crate::history::{Action, KEPT, ServiceSnapshot, Snapshot};
use crate::ledger::Applied;
use crate::plan::generation::generation;
use crate::plan::release;

use super::*;

fn live() -> Live {
    let mut ledger = ledger(&[
        (parameter("biff"), Origin::Created, Some("no")),
        (parameter("relayhost"), Origin::Created, Some("x")),
        (
            "master.cf:lmtp/unix/chroot".parse().unwrap(),
            Origin::Created,
            Some("n"),
        ),
        (
            "master.cf:lmtp/unix:syslog_name".parse().unwrap(),
            Origin::Created,
            Some("postfix/x"),
        ),
    ]);
    let of_postfix = postfix_mut(&mut ledger);
    of_postfix.activated = Some(crate::plan::activation_after(of_postfix));
    Bench::new("biff = no\nrelayhost = x\n").ledger(ledger).live
}

fn released(live: &Live, thing: &str, last: Option<&Snapshot>) -> HostPlan {
    let thing = thing.parse().unwrap();
    release(live, Some(&thing), last, KEPT).unwrap()
}

#[test]
fn one_thing_leaves_the_ledger_and_the_snapshot() {
    let mut of_postfix = ServiceSnapshot::default();
    for name in ["biff", "relayhost"] {
        let then = Some("as then".into());
        of_postfix.values.insert(parameter(name), then);
    }
    let last = Snapshot {
        services: [(Service::POSTFIX, of_postfix)].into(),
    };
    let plan = released(&live(), "biff", Some(&last));
    assert_eq!(
        plan.steps,
        [Step::Release {
            service: Service::POSTFIX,
            thing: parameter("biff")
        }]
    );
    assert!(
        plan.keeps_ledger
            && !postfix(&plan.ledger)
                .managed
                .contains_key(&parameter("biff"))
    );
    assert_eq!(plan.ledger.generation, 2);
    let generation = generation(&plan, &Applied::default()).unwrap();
    assert_eq!(generation.entry.changed[0].action, Action::Release);
    let left: Vec<&Thing> = generation.snapshot.services[&Service::POSTFIX]
        .values
        .keys()
        .collect();
    assert_eq!(left, [&parameter("relayhost")]);
    // Where the last generation is not kept, the next one cannot be told, and is not made up.
    assert!(released(&live(), "biff", None).snapshot.is_none());
}

#[test]
fn a_service_goes_with_its_fields_and_options_and_the_host_with_everything() {
    let plan = released(&live(), "master.cf:lmtp/unix", None);
    let things: Vec<String> = postfix(&plan.ledger)
        .managed
        .keys()
        .map(Thing::to_string)
        .collect();
    assert_eq!(things, ["main.cf:biff", "main.cf:relayhost"]);
    let plan = release(&live(), None, None, KEPT).unwrap();
    assert_eq!(plan.steps.len(), 4);
    assert!(!plan.keeps_ledger && plan.snapshot.is_none());
}

#[test]
fn what_is_not_managed_is_not_released() {
    let release = |live: &Live, thing: &str| {
        let thing = thing.parse().unwrap();
        release(live, Some(&thing), None, KEPT)
    };
    assert!(release(&live(), "myhostname").is_none());
    let mut without = live();
    without.ledger = None;
    assert!(release(&without, "biff").is_none());
}

#[test]
fn what_postfix_was_told_stays_told_and_what_it_was_not_stays_untold() {
    let pending = |live: &Live, plan: &HostPlan| {
        let ledger = postfix(&plan.ledger);
        ledger.activated.as_deref()
            != Some(&crate::plan::activation_by(&Service::POSTFIX, ledger, live))
    };
    let mut live = live();
    // The service's parts differ from the host, so something is untold.
    assert!(pending(&live, &released(&live, "biff", None)));
    // They go, and with them all that was untold.
    assert!(!pending(
        &live,
        &released(&live, "master.cf:lmtp/unix", None)
    ));
    // Told of something else than was last applied: no hash can say that it is all told.
    postfix_mut(live.ledger.as_mut().unwrap()).activated = Some("of old".into());
    assert!(pending(
        &live,
        &released(&live, "master.cf:lmtp/unix", None)
    ));
}
