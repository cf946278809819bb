//! What a plan shows of files that `murder` does not manage, and where it does not write.

use super::*;
use crate::plan::{Change, FileState, Withheld};
use crate::state::ExposingDirectory;

const PRIVATE: &str = "root:$y$hash:1:0:::::\nsshd:!::\n";

/// The host's file at `place`, of which the manifest wants another text.
fn bench(place: &str, mode: u32, link: Option<&str>) -> Bench {
    let live = LiveState {
        mode: Mode::from_bits(mode),
        private: mode & 0o004 == 0,
        link: link.map(str::to_owned),
        ..state(PRIVATE)
    };
    Bench::new("")
        .want_file(place, file(Body::plain("ours\n")))
        .has_file(place, live)
}

/// The host's file as the one step of a plan on it has it.
fn shown(bench: &Bench) -> FileState {
    let plan = bench.plan();
    let found = plan.steps.iter().find_map(|step| match step {
        Step::File {
            change: Change::Update { before, .. },
            ..
        }
        | Step::Delete { before, .. } => Some(before.clone()),
        _ => None,
    });
    found.unwrap()
}

fn delete(mut bench: Bench) -> Bench {
    for want in bench.desired.postfix_mut().files.values_mut() {
        *want = Want::Absent;
    }
    bench
}

#[test]
fn the_text_of_a_private_file_of_the_host_is_not_shown() {
    for (place, mode, link, hides) in [
        ("/etc/shadow", 0o640, None, true),
        ("/etc/postfix-old/x", 0o600, None, true),
        ("/etc/postfix/x", 0o640, Some("/etc/shadow"), true),
        ("/etc/postfix/x", 0o640, Some("/etc/postfix/y"), false),
        ("/etc/postfix/x", 0o640, None, false),
        ("/etc/mailname", 0o644, None, false),
    ] {
        for bench in [bench(place, mode, link), delete(bench(place, mode, link))] {
            let shown = shown(&bench);
            let text = (!hides).then_some(PRIVATE);
            assert_eq!(shown.text.as_deref(), text, "{place}");
            assert_eq!(
                shown.withheld,
                hides.then_some(Withheld::Private),
                "{place}"
            );
            assert_eq!(shown.link.as_deref(), link, "{place}");
            assert_eq!((&*shown.owner, &*shown.group), ("root", "postfix"));
        }
    }
}

#[test]
fn what_an_apply_wrote_is_shown_and_what_a_link_put_in_its_place_is_not() {
    let wanted = file(Body::plain("ours\n"));
    let managed = |place: &str| {
        Bench::new("")
            .want_file(place, wanted.clone())
            .plan()
            .ledger
    };
    let drifted = bench("/srv/x", 0o640, None).ledger(managed("/srv/x"));
    assert_eq!(shown(&drifted).text.as_deref(), Some(PRIVATE));
    let swapped = bench("/srv/x", 0o640, Some("/etc/shadow")).ledger(managed("/srv/x"));
    assert_eq!(shown(&swapped).text, None);
    // Only the mode differs: the text is the manifest's own.
    let live = LiveState {
        mode: Mode::from_bits(0o600),
        ..state("ours\n")
    };
    let own = Bench::new("")
        .want_file("/srv/x", wanted.clone())
        .has_file("/srv/x", live);
    assert_eq!(shown(&own).withheld, None);
}

#[test]
fn a_plan_writes_no_file_that_users_can_exchange() {
    let directory = |path: &str| ExposingDirectory {
        path: path.to_owned(),
        owner: "joe".to_owned(),
        group: "users".to_owned(),
        mode: Mode::from_bits(0o755),
    };
    let expose = |mut bench: Bench, place: &str, at: &str| {
        bench.live.exposed.insert(path(place), directory(at));
        bench
    };
    let plan = expose(bench("/srv/joe/x", 0o644, None), "/srv/joe/x", "/srv/joe").plan();
    assert!(
        plan.refusals.iter().any(|refusal| {
            refusal.kind == RefusalKind::ExposedFile
                && refusal.kind.flag().is_none()
                && refusal.summary.contains("`/srv/joe` (0755 joe:users)")
                && refusal.summary.contains("`/srv/joe/x`")
        }),
        "{:?}",
        plan.refusals
    );
    // What no step touches is a remark, and so is a value of main.cf no reason to refuse a master.cf elsewhere.
    let kept = expose(
        bench("/etc/postfix/x", 0o644, None),
        "/srv/joe/x",
        "/srv/joe",
    );
    let verdict = kept.verdict();
    assert!(
        kept.plan()
            .refusals
            .iter()
            .all(|one| one.kind != RefusalKind::ExposedFile)
    );
    assert!(
        verdict
            .remarks
            .iter()
            .any(|one| one.text.contains("/srv/joe"))
    );
    let value = Bench::new("").want("biff", "no");
    let value = expose(value, "/etc/postfix/main.cf", "/etc/postfix");
    assert!(
        value
            .plan()
            .refusals
            .iter()
            .any(|one| one.kind == RefusalKind::ExposedFile)
    );
}
