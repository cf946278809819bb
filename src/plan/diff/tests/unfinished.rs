//! An apply that died before it wrote its ledger: what the next one makes of it.

use crate::ledger::{Journal, Previous};
use crate::state::Lock;

use super::*;

const TABLE: &str = "/etc/postfix/transport";

fn table() -> Thing {
    Thing::File(path(TABLE))
}

impl Bench {
    /// The ledger that the dead apply was about to write, and its journal.
    fn pending(mut self, managed: &[(Thing, Origin, Option<&str>)]) -> Self {
        self.live.pending = Some(Ledger {
            generation: 7,
            ..ledger(managed)
        });
        self.live.journal = Some(Journal {
            run: "r1".into(),
            by: "ops@desk".into(),
            at: "2026-01-02T03:04:05Z".into(),
            phase: "committing".into(),
        });
        self
    }
}

fn taken_over(plan: &HostPlan) -> Vec<&Thing> {
    plan.steps
        .iter()
        .filter_map(|step| match step {
            Step::TakeOver { thing, .. } => Some(thing),
            _ => None,
        })
        .collect()
}

#[test]
fn what_it_created_stays_created() {
    let sha256 = sha256_hex(b"a b\n");
    let plan = Bench::new("biff = no\n")
        .want("biff", "no")
        .want_file(TABLE, file(Body::plain("a b\n")))
        .has_file(TABLE, state("a b\n"))
        .pending(&[
            (parameter("biff"), Origin::Created, Some("no")),
            (table(), Origin::Created, Some(&sha256)),
        ])
        .plan();
    assert_eq!(taken_over(&plan), [&table(), &parameter("biff")]);
    assert!(plan.refusals.is_empty() && plan.adopts.is_empty());
    for thing in [table(), parameter("biff")] {
        assert_eq!(
            postfix(&plan.ledger).managed[&thing].origin,
            Origin::Created
        );
    }
    // The ledger itself counts, not the one that was never written.
    assert_eq!(plan.ledger.generation, 1);
}

#[test]
fn what_it_adopted_keeps_what_it_was() {
    let found = Origin::Adopted(Previous::Value("before".into()));
    let plan = Bench::new("relayhost = ours\n")
        .want("relayhost", "ours")
        .pending(&[(parameter("relayhost"), found.clone(), Some("ours"))])
        .plan();
    assert_eq!(
        postfix(&plan.ledger).managed[&parameter("relayhost")].origin,
        found
    );
}

#[test]
fn what_it_made_is_no_drift_and_what_somebody_else_made_is() {
    let cause = |live: &str| {
        let plan = Bench::new(&format!("relayhost = {live}\n"))
            .want("relayhost", "new")
            .ledger(ledger(&[(
                parameter("relayhost"),
                Origin::Created,
                Some("old"),
            )]))
            .pending(&[(parameter("relayhost"), Origin::Created, Some("half"))])
            .plan();
        plan.steps
            .iter()
            .find_map(|step| match step {
                Step::Value { cause, .. } => Some(*cause),
                _ => None,
            })
            .unwrap()
    };
    assert_eq!(cause("half"), Cause::Wanted);
    assert_eq!(cause("old"), Cause::Wanted);
    assert_eq!(cause("theirs"), Cause::Drift);
}

#[test]
fn what_nobody_names_any_more_is_removed_where_it_is_there() {
    let sha256 = sha256_hex(b"a b\n");
    let things = [
        (parameter("biff"), Origin::Created, Some("no")),
        (parameter("never_set"), Origin::Created, Some("x")),
        (
            parameter("relayhost"),
            Origin::Adopted(Previous::Value("before".into())),
            Some("ours"),
        ),
        (
            parameter("myorigin"),
            Origin::Adopted(Previous::Value("found".into())),
            Some("ours"),
        ),
        (table(), Origin::Created, Some(sha256.as_str())),
    ];
    let plan = Bench::new("biff = no\nrelayhost = ours\nmyorigin = found\n")
        .has_file(TABLE, state("a b\n"))
        .pending(&things)
        .plan();
    assert!(plan.refusals.is_empty(), "{:?}", plan.refusals);
    let shown: Vec<String> = plan
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Value { thing, change, .. } => Some(match change {
                Change::Delete { .. } => format!("delete {thing}"),
                Change::Update { after, .. } => format!("{thing} = {after}"),
                Change::Create { .. } => format!("create {thing}"),
            }),
            Step::Delete { path, .. } => Some(format!("delete {path}")),
            Step::Release { thing, .. } => Some(format!("release {thing}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        shown,
        [
            "delete main.cf:biff",
            "main.cf:relayhost = before",
            "delete /etc/postfix/transport",
        ]
    );
    assert!(postfix(&plan.ledger).managed.is_empty());
}

#[test]
fn somebody_else_s_change_of_it_still_needs_a_word() {
    let plan = Bench::new("biff = theirs\n")
        .pending(&[(parameter("biff"), Origin::Created, Some("no"))])
        .plan();
    assert_eq!(flags(&plan), [Some("--allow-overwrite")]);
}

#[test]
fn a_file_that_it_did_not_come_to_is_kept_before_it_is_replaced() {
    let found = state("found\n");
    let origin = Origin::Adopted(super::super::adopted::previous(&found));
    let bench = |live: LiveState| {
        Bench::new("")
            .want_file(TABLE, file(Body::plain("a b\n")))
            .has_file(TABLE, live)
            .pending(&[(table(), origin.clone(), Some(&sha256_hex(b"a b\n")))])
    };
    let plan = bench(found.clone()).plan();
    assert_eq!(plan.adopts, [path(TABLE)]);
    assert_eq!(postfix(&plan.ledger).managed[&table()].origin, origin);
    let plan = bench(state("a b\n")).plan();
    assert!(plan.adopts.is_empty(), "it was kept before it was replaced");
}

#[test]
fn postfix_is_told_whatever_the_ledger_says() {
    let told = |running, pending: bool| {
        let mut bench = Bench::new("biff = no\ninet_interfaces = all\n")
            .want("biff", "no")
            .want("inet_interfaces", "all");
        bench.postfix_live().running = running;
        if pending {
            bench = bench.pending(&[
                (parameter("biff"), Origin::Created, Some("no")),
                (parameter("inet_interfaces"), Origin::Created, Some("all")),
            ]);
        }
        let plan = bench.plan();
        let steps = plan.steps.iter().map(|step| match step {
            Step::Sweep { run } => format!("sweep {run}"),
            Step::Reload { .. } => "reload".to_owned(),
            Step::Restart { parameters, .. } => format!("restart for {}", parameters[0]),
            _ => String::new(),
        });
        steps
            .filter(|step| !step.is_empty())
            .collect::<Vec<String>>()
    };
    assert_eq!(
        told(Running::Yes, true),
        ["sweep r1", "restart for inet_interfaces"]
    );
    assert_eq!(told(Running::Yes, false), [""; 0]);
    assert_eq!(told(Running::NotHere, true), ["sweep r1"]);
}

#[test]
fn leftovers_alone_are_work_unless_somebody_is_at_it() {
    let mut bench = Bench::new("biff = no\n")
        .want("biff", "no")
        .ledger(ledger(&[(parameter("biff"), Origin::Created, Some("no"))]))
        .pending(&[]);
    bench.live.pending = None;
    bench.postfix_live().running = Running::NotHere;
    assert_eq!(bench.plan().steps, [Step::Sweep { run: "r1".into() }]);
    bench.live.lock = Some(Lock {
        held: true,
        holder: "by ops@desk".into(),
        process: None,
    });
    assert_eq!(bench.verdict().verdict, Verdict::Converged);
}

#[test]
fn an_index_that_it_may_not_have_come_to_is_built_again() {
    let mut source = file(Body::plain("a b\n"));
    source.index = Some(TableType::new("hash").unwrap());
    let sha256 = sha256_hex(b"a b\n");
    let mut bench = Bench::new("")
        .want_file(TABLE, source)
        .has_file(TABLE, state("a b\n"))
        .pending(&[(table(), Origin::Created, Some(&sha256))]);
    // Of the same second as the source.
    bench.live.indexes.insert(
        path("/etc/postfix/transport.db"),
        LiveFile::Present(state("")),
    );
    if let Some(pending) = &mut bench.live.pending {
        postfix_mut(pending).indexes.insert(path(TABLE), sha256);
    }
    let builds = |plan: &HostPlan| {
        plan.steps.iter().any(|step| {
            matches!(
                step,
                Step::Index {
                    reason: IndexReason::Stale,
                    ..
                }
            )
        })
    };
    assert!(builds(&bench.plan()));
}

#[test]
fn another_murder_s_unfinished_apply_owns_the_host() {
    let mut bench = Bench::new("").want("biff", "no").pending(&[(
        parameter("biff"),
        Origin::Created,
        Some("no"),
    )]);
    if let Some(pending) = &mut bench.live.pending {
        pending.murder = "example.net".into();
    }
    assert_eq!(flags(&bench.plan()), [Some("--take-over")]);
}
