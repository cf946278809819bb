//! Files that Postfix cannot read, and a Postfix that does not run.

use super::*;
use crate::state::Remark;

fn failure(main_cf: &str, master_cf: &str) -> Option<Failure> {
    let mut bench = Bench::new(main_cf);
    bench.postfix_live().master_cf = MasterCf::parse(master_cf.as_bytes()).into();
    match bench.verdict().verdict {
        Verdict::Failed { error } => Some(error),
        _ => None,
    }
}

fn texts(remarks: &[Remark]) -> Vec<&str> {
    remarks.iter().map(|remark| remark.text.as_str()).collect()
}

#[test]
fn a_line_that_postfix_dies_of_is_a_failure_and_not_converged() {
    let error = failure("biff = no\nhello world\nagain\n", MASTER).unwrap();
    assert_eq!(
        error.summary,
        "every program of Postfix fails on a line of main.cf: \
         missing '=' after attribute name: `hello world`"
    );
    assert_eq!(
        error.detail.as_deref(),
        Some("missing '=' after attribute name: `again`")
    );
    for master in [
        "smtp inet n - y - -\n",
        "smtp inet n - maybe - - smtpd\n",
        "lmtp unix - - n - - lmtp {a\n",
    ] {
        let error = failure("", master).unwrap();
        assert!(
            error
                .summary
                .starts_with("master(8) fails on a line of master.cf"),
            "{error:?}"
        );
        assert!(error.hint.is_some());
    }
    assert!(failure("", MASTER).is_none());
}

#[test]
fn a_private_inet_service_is_a_failure_unless_it_is_mended_now() {
    let master = "25 inet - - n - - smtpd\n";
    let error = failure("", master).unwrap();
    assert!(error.summary.contains("`25/inet`"), "{error:?}");
    let service = crate::name::ServiceName::new("25/inet").unwrap();
    for (thing, want) in [
        (
            Thing::Field(service.clone(), Field::Private),
            Want::Present("n".to_owned()),
        ),
        (Thing::Service(service), Want::Absent),
    ] {
        let mut bench = Bench::new("");
        bench.postfix_live().master_cf = master_cf(master).into();
        bench.desired.postfix_mut().values.insert(thing, want);
        let plan = bench.plan();
        assert!(
            plan.refusals
                .iter()
                .all(|one| one.kind == RefusalKind::Adopt),
            "{:?}",
            plan.refusals
        );
    }
}

#[test]
fn what_postfix_passes_over_is_remarked() {
    let mut bench = Bench::new(" a = 1\nb = 1\nb = 2\n");
    let master = "x unix - - n - - x\nx unix - - n - - y -o {z}\n";
    bench.postfix_live().master_cf = master_cf(master).into();
    let verdict = bench.verdict();
    assert_eq!(verdict.verdict, Verdict::Converged);
    assert_eq!(
        texts(&verdict.remarks),
        [
            "main.cf: logical line must not start with white space, and is ignored: `a…`",
            "main.cf: `b` is set again; Postfix uses the last value",
            "master.cf: missing '=' after attribute name: \"z\" in `x/unix`",
            "master.cf: `x/unix` is defined again; Postfix uses the last entry",
        ]
    );
}

#[test]
fn a_postfix_that_does_not_run_is_told_on_a_converged_host_too() {
    let mut bench = Bench::new("");
    bench.postfix_live().running = Running::No;
    let verdict = bench.verdict();
    assert_eq!(verdict.verdict, Verdict::Converged);
    assert!(verdict.stopped);
    assert_eq!(texts(&verdict.remarks), ["Postfix does not run here"]);

    bench.desired.retired = true;
    let verdict = bench.verdict();
    assert!(!verdict.stopped, "it need not run any more");
    assert_eq!(texts(&verdict.remarks), Vec::<&str>::new());

    bench.postfix_live().running = Running::NotHere;
    assert!(!bench.verdict().stopped);
}

#[test]
fn an_apply_that_died_and_left_postfix_stopped_is_not_swept_under_the_carpet() {
    let mut bench = Bench::new("");
    bench.postfix_live().running = Running::No;
    bench.live.journal = Some(Journal {
        run: "r1".into(),
        by: "a@b".into(),
        at: "then".into(),
        phase: "committing".into(),
    });
    let verdict = bench.verdict();
    assert!(verdict.stopped);
    let remarks = texts(&verdict.remarks);
    assert!(
        remarks
            .iter()
            .any(|text| text.starts_with("Postfix does not run here; an apply")),
        "{remarks:?}"
    );
}

#[test]
fn a_master_cf_without_what_every_postfix_needs_is_a_failure() {
    let error = failure("", "").unwrap();
    assert!(error.summary.contains("no service at all"), "{error:?}");
    assert!(error.hint.unwrap().contains("master.cf.dist"));
    let error = failure(
        "",
        "smtp inet n - y - - smtpd\ncleanup unix n - y - 0 cleanup\n",
    )
    .unwrap();
    assert!(error.summary.contains("runs `qmgr`"), "{error:?}");
    // Another name of the service, or another make of the program.
    let renamed = "c2 unix n - y - 0 cleanup -v\nqmgr unix n - n 300 1 oqmgr\nr unix - - y - - trivial-rewrite\n";
    assert!(failure("", renamed).is_none());
}
