//! Texts of before `murder`: copied when they are about to be lost, and not before.

use crate::ledger::{FileAccess, Previous};

use super::*;

const TABLE: &str = "/etc/postfix/transport";

fn table() -> Thing {
    Thing::File(path(TABLE))
}

fn adopted(text: &str) -> Origin {
    Origin::Adopted(super::super::adopted::previous(&state(text)))
}

/// A host whose ledger took the table over as it was (`found\n`), and that has `live` by now.
fn taken_over(live: &str) -> Bench {
    let mut ledger = ledger(&[(table(), adopted("found\n"), Some(&sha256_hex(b"found\n")))]);
    if let Some(managed) = postfix_mut(&mut ledger).managed.get_mut(&table()) {
        managed.access = Some(FileAccess {
            owner: "root".into(),
            group: "postfix".into(),
            mode: Mode::from_bits(0o640),
        });
    }
    Bench::new("").has_file(TABLE, state(live)).ledger(ledger)
}

fn wanting(bench: Bench, text: &str) -> HostPlan {
    bench.want_file(TABLE, file(Body::plain(text))).plan()
}

#[test]
fn what_is_as_it_must_be_is_taken_over_without_a_copy() {
    let plan = wanting(Bench::new("").has_file(TABLE, state("found\n")), "found\n");
    assert!(plan.adopts.is_empty() && plan.refusals.is_empty());
    assert_eq!(
        postfix(&plan.ledger).managed[&table()].origin,
        adopted("found\n")
    );
    // Its mode changes, and the text is what would be given back with the old one.
    let mut open = state("found\n");
    open.mode = Mode::from_bits(0o644);
    let plan = wanting(Bench::new("").has_file(TABLE, open), "found\n");
    assert_eq!(plan.adopts, [path(TABLE)]);
}

#[test]
fn it_is_copied_before_it_is_lost() {
    let plan = wanting(taken_over("found\n"), "ours\n");
    assert_eq!(plan.adopts, [path(TABLE)]);
    assert_eq!(
        postfix(&plan.ledger).managed[&table()].origin,
        adopted("found\n")
    );
    let mut bench = taken_over("found\n");
    bench
        .desired
        .postfix_mut()
        .files
        .insert(path(TABLE), Want::Absent);
    let plan = bench.plan();
    assert_eq!(plan.adopts, [path(TABLE)]);
    assert_eq!(
        postfix(&plan.ledger).managed[&table()].origin,
        adopted("found\n")
    );
    // Somebody else was first.
    let plan = wanting(taken_over("theirs\n"), "ours\n");
    assert_eq!(plan.adopts, [path(TABLE)]);
    assert_eq!(
        postfix(&plan.ledger).managed[&table()].origin,
        adopted("theirs\n")
    );
    // Drift that is put right has nothing to keep.
    let plan = wanting(taken_over("theirs\n"), "found\n");
    assert!(plan.adopts.is_empty());
    assert_eq!(
        postfix(&plan.ledger).managed[&table()].origin,
        adopted("found\n")
    );
}

#[test]
fn what_no_apply_changed_is_left_as_it_is() {
    for live in ["found\n", "theirs\n"] {
        let plan = taken_over(live).plan();
        assert!(
            plan.steps.contains(&Step::Release {
                service: Service::POSTFIX,
                thing: table()
            }),
            "{live}"
        );
        let changes = |step: &Step| matches!(step, Step::File { .. } | Step::Delete { .. });
        assert!(!plan.steps.iter().any(changes), "{live}: {:?}", plan.steps);
        assert!(plan.refusals.is_empty(), "{live}");
    }
    // An apply that died did change it.
    let mut bench = taken_over("ours\n");
    let mut pending = bench.live.ledger.clone().unwrap();
    if let Some(managed) = postfix_mut(&mut pending).managed.get_mut(&table()) {
        managed.value = Some(sha256_hex(b"ours\n"));
    }
    bench.live.pending = Some(pending);
    let plan = bench.plan();
    assert!(plan.steps.iter().any(|step| matches!(
        step,
        Step::File { change: Change::Update { after, .. }, .. } if after.sha256 == sha256_hex(b"found\n")
    )));
    let wanted = wanting(bench, "newer\n");
    assert!(
        wanted.adopts.is_empty(),
        "it was kept before it was changed"
    );
    assert_eq!(
        postfix(&wanted.ledger).managed[&table()].origin,
        adopted("found\n")
    );
}

#[test]
fn our_own_file_is_ours_though_the_ledger_forgot_it() {
    let text = "# Managed by murder: the next apply reverts changes made here.\na b\n";
    let plan = wanting(Bench::new("").has_file(TABLE, state(text)), text);
    assert!(plan.adopts.is_empty());
    assert_eq!(
        postfix(&plan.ledger).managed[&table()].origin,
        Origin::Created
    );
    // One that differs may be somebody's by now.
    let theirs = text.replace("a b", "c d");
    let plan = wanting(Bench::new("").has_file(TABLE, state(&theirs)), text);
    assert_eq!(flags(&plan), [Some("--adopt")]);
    assert!(matches!(
        postfix(&plan.ledger).managed[&table()].origin,
        Origin::Adopted(Previous::File { .. })
    ));
}
