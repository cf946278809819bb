//! What a host remembers: ledger, history, the ledger to be, last words, and who holds its lock.

use murder::exchange::HistoryQuestion;
use murder::machine::remote::Remote;
use murder::machine::{
    Apply, Ending, HistoryOrder, LedgerOrder, NotDone, Observe, Observed, Orders, Questions,
};
use murder::plan::{Run, orders, questions, sweep};

use super::host::Host;
use super::world::{contents, desired, host, key, keyed_ledger, look, perform, plan, secrets};
use super::{fingerprint, leftovers};

const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

fn run(id: &str) -> Run {
    Run {
        id: id.to_owned(),
        by: "bob@\"elsewhere\"".to_owned(),
        at: "2026-11-23T12:00:00Z".to_owned(),
        revision: String::new(),
        ..Run::default()
    }
}

fn asked(host: &Host, sh: &str, history: HistoryQuestion) -> Observed {
    let questions = Questions {
        history: Some(history),
        ..Questions::default()
    };
    Remote::new(host.shell())
        .with_sh(sh)
        .observe(&questions)
        .unwrap()
}

/// Orders that change nothing but the ledger and the history.
fn remembering(host: &Host, generation: u64, keep: u32, keep_bytes: u64) -> Orders {
    let live = look(host, &desired(false)).live;
    let mut ledger = live.ledger.clone().unwrap();
    ledger.generation = generation;
    let mut orders = sweep(&live, &run(&format!("g{generation}")));
    orders.ledger = LedgerOrder::WriteKeyed(serde_json::to_vec_pretty(&ledger).unwrap());
    let template = host.read("/var/lib/murder/history/1.json");
    orders.history = Some(HistoryOrder {
        generation,
        bytes: template
            .replacen(
                "\"generation\":1",
                &format!("\"generation\":{generation}"),
                1,
            )
            .into_bytes(),
        keep,
        keep_bytes,
    });
    orders
}

#[test]
fn a_host_keeps_its_newest_generations() {
    let host = host();
    assert_eq!(
        host.run("stat -c '%U %a' /var/lib/murder/history /var/lib/murder/history/1.json"),
        "root 700\nroot 600\n"
    );
    for generation in 2..=5 {
        let orders = remembering(&host, generation, 3, u64::MAX / 2);
        let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
        assert_eq!(performed.ending, Ending::Done, "{performed:?}");
        if generation == 2 {
            host.run("cp /var/lib/murder/history/1.json /root/1.json");
        }
        host.run("[ -e /var/lib/murder/history/1.json ] || cp /root/1.json /var/lib/murder/history/1.json");
    }
    let kept = |host: &Host| host.run("ls /var/lib/murder/history | grep -v '^1.json'");
    assert_eq!(kept(&host), "3.json\n4.json\n5.json\n");
    // A damaged entry, one without a line end, and an empty file: each is remarked, none is listed.
    host.run("cd /var/lib/murder/history; printf '{\n' >1.json; printf '{' >2.json; : >6.json");
    for sh in SHELLS {
        let observed = asked(&host, sh, HistoryQuestion::Entries);
        let remarks = observed.live.remarks.iter();
        let remarks: Vec<&str> = remarks.map(|remark| remark.text.as_str()).collect();
        assert_eq!(remarks.len(), 3, "{sh}: {remarks:?}");
        for (remark, number) in remarks.iter().zip([1, 2, 6]) {
            let start =
                format!("`/var/lib/murder/history/{number}.json`: the entry of a generation");
            assert!(remark.starts_with(&start), "{sh}: {remark}");
        }
    }
    host.run("cd /var/lib/murder/history; rm 1.json 2.json 6.json");
    for sh in SHELLS {
        let observed = asked(&host, sh, HistoryQuestion::Entries);
        assert!(observed.live.remarks.is_empty(), "{sh}");
        let numbers: Vec<u64> = observed
            .entries
            .iter()
            .map(|entry| entry.generation)
            .collect();
        assert_eq!(numbers, [3, 4, 5], "{sh}");
        let observed = asked(&host, sh, HistoryQuestion::Generation(4));
        assert!(observed.entries.is_empty(), "{sh}");
        let generation = observed.generation.unwrap();
        assert_eq!(generation.entry.generation, 4, "{sh}");
        let mut services = generation.snapshot.services.values();
        assert!(services.all(|one| !one.files.is_empty()), "{sh}");
        assert_eq!(generation.snapshot.services.len(), 1, "{sh}");
        assert!(
            asked(&host, sh, HistoryQuestion::Generation(1))
                .generation
                .is_none(),
            "{sh}"
        );
    }
    // By bytes: the newest stays, however large. What no ledger ever came to is no generation.
    host.run("cp /var/lib/murder/history/5.json /var/lib/murder/history/1.json; cp /var/lib/murder/history/5.json /var/lib/murder/history/99.json");
    let performed = Remote::new(host.shell())
        .perform(&remembering(&host, 6, 20, 1), None)
        .unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(host.run("ls /var/lib/murder/history"), "6.json\n");
    assert_eq!(
        host.run("grep -c Welcome2 /var/lib/murder/history/6.json"),
        "0\n"
    );

    let mut forget = remembering(&host, 7, 20, 1);
    forget.ledger = LedgerOrder::Remove;
    forget.history = None;
    let performed = Remote::new(host.shell()).perform(&forget, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(host.run("ls /var/lib/murder"), "lock\n");
}

#[test]
fn what_a_dead_apply_was_about_survives_an_unlock_and_a_failure() {
    for sh in SHELLS {
        let host = host();
        let second = desired(true);
        let first_plan = plan(&host, &second).unwrap();
        let at = |fault: &str, id: &str| perform(&host, &plan(&host, &second).unwrap(), id, fault);
        // Dies while it commits.
        let Ending::NotDone(NotDone::HalfWay { .. }) = at("kill:22", "dead").ending else {
            panic!("{sh}")
        };
        let live = look(&host, &second).live;
        let pending = live.pending.unwrap();
        let mut keyed = pending.clone();
        keyed.key_hashes(&key());
        assert_eq!(keyed.services, keyed_ledger(&first_plan).services, "{sh}");
        assert_eq!(live.journal.unwrap().phase, "committing", "{sh}");
        let lock = live.lock.unwrap();
        assert!(!lock.held && lock.holder.contains("run dead"), "{lock:?}");

        // Unlocking touches no file of anybody, and forgets nothing.
        let live = look(&host, &second).live;
        let before = fingerprint(&host);
        let performed = Remote::new(host.shell())
            .with_sh(sh)
            .perform(&sweep(&live, &run("sweep")), None)
            .unwrap();
        assert_eq!(performed.ending, Ending::Done, "{sh}: {performed:?}");
        let old = |name: &str| name.contains(".murder.");
        let rest = |all: std::collections::BTreeMap<String, String>| -> Vec<_> {
            all.into_iter().filter(|(name, _)| !old(name)).collect()
        };
        assert_eq!(rest(fingerprint(&host)), rest(before), "{sh}");
        let live = look(&host, &second).live;
        assert_eq!(live.pending.unwrap().services, pending.services, "{sh}");
        assert_eq!(live.journal.unwrap().run, "dead", "{sh}");

        // An apply that fails leaves it as unfinished as it was; one that dies early adds to it.
        let failed = at("fail:12", "failing").ending;
        assert!(
            matches!(failed, Ending::NotDone(NotDone::Untouched { .. })),
            "{sh}: {failed:?}"
        );
        let live = look(&host, &second).live;
        assert_eq!(live.journal.unwrap().run, "dead", "{sh}");
        assert_eq!(live.pending.unwrap().services, pending.services, "{sh}");
        let Ending::NotDone(NotDone::HalfWay { .. }) = at("kill:9", "again").ending else {
            panic!("{sh}")
        };
        let live = look(&host, &second).live;
        assert_eq!(live.journal.unwrap().phase, "committing", "{sh}");
        let known = live.pending.unwrap();
        let known: Vec<_> = known.things().collect();
        for thing in pending.things() {
            let (_, name) = thing;
            assert!(known.contains(&thing), "{sh}: {name}");
        }
        let done = at("", "last").ending;
        assert_eq!(done, Ending::Done, "{sh}");
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{sh}");
        let live = look(&host, &second).live;
        assert!(live.pending.is_none() && live.journal.is_none(), "{sh}");
    }
}

#[test]
fn the_lock_says_who_holds_it() {
    let host = host();
    assert!(!look(&host, &desired(false)).live.lock.unwrap().held);
    // An apply that takes its time: its `postfix check` waits.
    host.run("cd /usr/sbin; mv postfix postfix.real; printf '#!/bin/sh\\n[ \"$3\" != check ] || while [ ! -e /root/go ]; do sleep 0.1; done\\nexec /usr/sbin/postfix.real \"$@\"\\n' >postfix; chmod 755 postfix");
    let second = desired(true);
    let slow = plan(&host, &second).unwrap();
    let other = orders(&slow, &secrets(), &run("r2"), None, false).unwrap();
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| perform(&host, &slow, "slow", ""));
        let seen = loop {
            let live = look(&host, &second).live;
            let at_work = |remark: &murder::state::Remark| {
                remark.text.contains("another apply is running: started by")
            };
            if live.remarks.iter().any(at_work) && live.journal.is_some() {
                break live;
            }
        };
        let lock = seen.lock.unwrap();
        let process = lock.process.unwrap();
        assert!(
            lock.holder
                .starts_with("by ann@desk at 2026-11-23T00:00:00Z (run slow"),
            "{lock:?}"
        );
        assert!(
            host.run(&format!("tr '\\0' ' ' </proc/{process}/cmdline"))
                .contains("/var/lib/murder/spool.slow"),
            "{lock:?}"
        );
        assert!(seen.pending.is_none());
        assert_eq!(seen.journal.unwrap().run, "slow");
        for sh in SHELLS {
            let performed = Remote::new(host.shell())
                .with_sh(sh)
                .perform(&other, None)
                .unwrap();
            let Ending::NotDone(NotDone::Locked { error: failure }) = performed.ending else {
                panic!("{sh}: {performed:?}")
            };
            assert!(
                failure.summary.contains(&format!(
                    "by ann@desk at 2026-11-23T00:00:00Z (run slow, process {process})"
                )),
                "{sh}: {failure:?}"
            );
        }
        host.run("touch /root/go");
        assert_eq!(slow.join().unwrap().ending, Ending::Done);
    });
    assert!(!look(&host, &second).live.lock.unwrap().held);
    assert_eq!(leftovers(&host), Vec::<String>::new());
}

#[test]
fn a_result_that_nobody_heard_is_told_by_the_next_look() {
    let host = host();
    let (first, second) = (desired(false), desired(true));
    let remarks = |host: &Host| -> Vec<String> {
        let live = look(host, &first).live;
        live.remarks.into_iter().map(|remark| remark.text).collect()
    };
    let before = contents(&host);
    // Put back: told even though the pipe took it, for nobody knows who hears at its other end.
    let performed = perform(&host, &plan(&host, &second).unwrap(), "r1", "fail:40");
    assert!(
        matches!(performed.ending, Ending::NotDone(NotDone::PutBack { .. })),
        "{performed:?}"
    );
    assert_eq!(contents(&host), before);
    let said = remarks(&host);
    assert!(
        said.iter().any(|text| text.contains(
            "the apply by ann@desk at 2026-11-23T00:00:00Z failed: a fault was injected at point 40"
        )),
        "{said:?}"
    );
    // A run that changes nothing does not take it away; one that is done does.
    let performed = perform(&host, &plan(&host, &second).unwrap(), "r2", "fail:3");
    assert!(
        matches!(performed.ending, Ending::NotDone(NotDone::Untouched { .. })),
        "{performed:?}"
    );
    assert_eq!(remarks(&host), said);
    // Done, with nobody at the other end of the pipe: the client is gone as soon as the payload is taken.
    let prepared = orders(
        &plan(&host, &second).unwrap(),
        &secrets(),
        &run("r3"),
        None,
        false,
    )
    .unwrap();
    let deaf = Remote::new(host.deaf()).perform(&prepared, None);
    assert!(deaf.is_err(), "{deaf:?}");
    host.run("for i in $(seq 600); do grep -qs '^ending done' /var/lib/murder/last && break; sleep 0.1; done");
    let said = remarks(&host);
    assert!(said.iter().any(|text| text.contains("the apply by bob@\"elsewhere\" at 2026-11-23T12:00:00Z was completed after its client had lost the connection")), "{said:?}");
    assert!(plan(&host, &second).is_none());
    let performed = perform(&host, &plan(&host, &first).unwrap(), "r4", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(remarks(&host), Vec::<String>::new());
}

/// The newest word counts, but what was changed and put back is not lost to what changed nothing.
#[test]
fn the_newest_failure_is_the_one_that_is_told() {
    let host = host();
    let second = desired(true);
    let last = |host: &Host| {
        host.run("sed -n -e 's/^ending //p' -e 's/^summary //p' /var/lib/murder/last")
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let fail = |run: &str, fault: &str| {
        let performed = perform(&host, &plan(&host, &second).unwrap(), run, fault);
        assert!(
            matches!(
                performed.ending,
                Ending::NotDone(NotDone::Untouched { .. })
                    | Ending::NotDone(NotDone::PutBack { .. })
                    | Ending::NotDone(NotDone::HalfWay { .. })
            ),
            "{performed:?}"
        );
        last(&host)
    };
    let told = fail("r1", "fail:3");
    assert_eq!(told[0], "untouched");
    assert!(told[1].contains("at point 3 "), "{told:?}");
    let told = fail("r2", "fail:5");
    assert!(
        told[0] == "untouched" && told[1].contains("at point 5 "),
        "{told:?}"
    );
    let told = fail("r3", "fail:40");
    assert!(
        told[0] == "putback" && told[1].contains("at point 40 "),
        "{told:?}"
    );
    assert_eq!(fail("r4", "fail:3"), told);
    let told = fail("r5", "fail:36");
    assert!(
        told[0] == "putback" && told[1].contains("at point 36 "),
        "{told:?}"
    );
    // What has commands for a person stays while its work is unfinished, whoever sweeps.
    let told = fail("r6", "fail:36 undo-fail:1");
    assert_eq!(told[0], "halfway");
    let swept = |id: &str| {
        let live = look(&host, &second).live;
        assert!(live.last_words);
        let performed = Remote::new(host.shell())
            .perform(&sweep(&live, &run(id)), None)
            .unwrap();
        assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    };
    swept("s1");
    assert_eq!(last(&host), told);
    let performed = perform(&host, &plan(&host, &second).unwrap(), "r7", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(last(&host), Vec::<String>::new());
    // And what is over goes with a sweep.
    let back = perform(
        &host,
        &plan(&host, &desired(false)).unwrap(),
        "r8",
        "fail:40",
    );
    assert!(
        matches!(back.ending, Ending::NotDone(NotDone::PutBack { .. })),
        "{back:?}"
    );
    swept("s2");
    assert!(!look(&host, &second).live.last_words);
}

/// `murder` itself on the host that it is about.
pub(super) fn murder(host: &Host, arguments: &str) -> (String, String) {
    host.install_program();
    let said = host.run(&format!(
        "cd /root; export HOME=/root; /usr/local/bin/murder {arguments} 2>&1; echo \"code $?\""
    ));
    let (said, code) = said.trim_end().rsplit_once("code ").unwrap();
    (said.to_owned(), code.to_owned())
}

pub(super) const MANIFEST: &str = "version: 1\nmurder: example.org\ntopology: discrete\ndomains: [example.org]\n\
    smart_host: smtp.example.net\nexternal: [smtp.example.net]\nhosts:\n  host.example.org:\n    roles: [mupdate]\n";

/// A host on which [`MANIFEST`] was applied.
fn applied(local: &str) -> Host {
    let host = Host::running();
    host.write("/root/murder.yaml", MANIFEST);
    let (said, code) = murder(&host, &format!("apply --yes {local}"));
    assert_eq!(code, "0", "{said}");
    host
}

/// Has the manifest want something more, and puts a line of sh before what `postfix` does.
fn spoil_postfix(host: &Host, line: &str) {
    host.write(
        "/root/murder.yaml",
        &format!("{MANIFEST}    settings: {{bounce_queue_lifetime: 3d}}\n"),
    );
    host.run("mv /usr/sbin/postfix /usr/sbin/postfix.real");
    host.write(
        "/usr/sbin/postfix",
        &format!("#!/bin/sh\n{line}\nexec /usr/sbin/postfix.real \"$@\"\n"),
    );
    host.run("chmod 755 /usr/sbin/postfix");
}

#[test]
fn a_failure_that_is_over_is_told_once_more_and_then_no_more() {
    let local = "--local murder.yaml";
    let host = applied(local);
    // It fails, is put back, and the manifest says no more of it.
    spoil_postfix(&host, r#"[ "$3" != check ] || { echo no; exit 1; }"#);
    let (said, code) = murder(&host, &format!("apply --yes {local}"));
    assert_eq!(code, "3", "{said}");
    host.write("/root/murder.yaml", MANIFEST);
    host.run("mv /usr/sbin/postfix.real /usr/sbin/postfix");
    let words = "failed: `postfix check` refuses the new configuration";
    for _ in 0..2 {
        let (said, code) = murder(&host, &format!("plan {local}"));
        assert!(code == "0" && said.contains(words), "{said}");
    }
    let (said, code) = murder(&host, &format!("apply --yes {local}"));
    assert!(
        code == "0" && said.contains(words) && said.contains("nothing left to do; later plans"),
        "{said}"
    );
    for verb in ["plan", "apply --yes"] {
        let (said, code) = murder(&host, &format!("{verb} {local}"));
        assert!(code == "0" && !said.contains("failed"), "{verb}: {said}");
    }
    assert_eq!(host.run("ls /var/lib/murder/last"), "");
}

#[test]
fn unlock_says_what_it_removed_and_what_stays() {
    let local = "--local murder.yaml";
    let host = applied(local);
    // An apply that dies while it tells Postfix.
    spoil_postfix(
        &host,
        r#"[ "$3" != reload ] || kill -9 $(sed -n "s/.*process //;s/)//p" /var/lib/murder/lock)"#,
    );
    let (said, code) = murder(&host, &format!("apply --yes {local}"));
    assert_eq!(code, "5", "{said}");
    host.run("mv /usr/sbin/postfix.real /usr/sbin/postfix; echo secret >/var/lib/murder/spool.dead.999999");
    let unlock = "unlock host.example.org murder.yaml --local";
    for _ in 0..2 {
        let (said, code) = murder(&host, unlock);
        assert_eq!(code, "0", "{said}");
        for words in [
            "an earlier apply is still unfinished",
            "removed: payloads",
            "kept: its changes",
            "`murder apply` finishes it",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    assert_eq!(
        host.run("cd /var/lib/murder; ls journal.json leftovers spool.* 2>/dev/null; ls -A /etc/postfix | grep -c '^.murder.*-old.main.cf'"),
        "journal.json\nleftovers\n1\n"
    );
    let (said, code) = murder(&host, &format!("apply --yes {local}"));
    assert_eq!(code, "0", "{said}");
    let (said, code) = murder(&host, unlock);
    assert!(
        code == "0" && said.contains("the lock is free, and no apply is unfinished"),
        "{said}"
    );
    assert_eq!(leftovers(&host), Vec::<String>::new());
}

#[test]
fn a_ledger_of_format_1_is_no_change_and_the_next_apply_writes_format_2() {
    let host = host();
    let ledger = "/var/lib/murder/ledger.json";
    let first = crate::ledger::first_format(&host.read(ledger), &|path| {
        host.run(&format!("sha256sum <{path}"))[..64].to_owned()
    });
    host.write(ledger, &first);
    assert!(plan(&host, &desired(false)).is_none());
    assert_eq!(host.read(ledger), first, "a look writes nothing");
    let next = plan(&host, &desired(true)).unwrap();
    let performed = perform(&host, &next, "next", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(host.read(ledger).contains("\"version\": 2"));
    assert!(plan(&host, &desired(true)).is_none());

    host.write(
        ledger,
        &host
            .read(ledger)
            .replace("\"version\": 2", "\"version\": 3"),
    );
    let asked = questions(&desired(true), &secrets(), None).unwrap();
    let error = Remote::new(host.shell()).observe(&asked).unwrap_err();
    let words = error.to_string();
    assert!(words.contains("has format 3, and this murder"), "{words}");
}
