//! Links, directories, hosts with few programs, and a put-back that fails: nothing is lost, and a
//! person gets commands that work.

use murder::ledger::{Ledger, Origin};
use murder::machine::remote::Remote;
use murder::machine::{Activation, Apply, Ending, NotDone};
use murder::plan::{Run, Verdict, orders};
use murder::service::Service;
use murder::state::Probes;

use super::host::Host;
use super::leftovers;
use super::world::{PASSWORD, contents, desired, host, look, perform, plan, secrets, verdict};

/// The words of the apply program.
const WORDS: &str = include_str!("../../src/machine/remote/apply/words.sh");

fn ordered(host: &Host, run: &str) -> murder::machine::Orders {
    let run = Run {
        id: run.to_owned(),
        by: "ann@desk".to_owned(),
        at: "2026-11-23T00:00:00Z".to_owned(),
        revision: String::new(),
        ..Run::default()
    };
    orders(
        &plan(host, &desired(true)).unwrap(),
        &secrets(),
        &run,
        None,
        false,
    )
    .unwrap()
}

#[test]
fn what_cannot_be_put_back_comes_with_commands_that_put_it_back() {
    let host = host();
    let before = contents(&host);
    for step in [1, 2, 5] {
        let plan = plan(&host, &desired(true)).unwrap();
        let performed = perform(&host, &plan, "r1", &format!("fail:36 undo-fail:{step}"));
        let Ending::NotDone(NotDone::HalfWay { error: failure }) = performed.ending else {
            panic!("{performed:?}")
        };
        assert!(
            failure.summary.contains("putting back failed too"),
            "{failure:?}"
        );
        assert_ne!(contents(&host), before);
        let live = look(&host, &desired(false)).live;
        assert!(live.journal.is_some() && live.pending.is_some());
        assert!(
            live.remarks
                .iter()
                .any(|remark| remark.text.contains("was left half-way")),
            "{:?}",
            live.remarks
        );
        let hint = failure.hint.unwrap();
        let commands = hint.strip_prefix("run there as root: ").unwrap();
        assert!(
            commands.contains("postfix -c /etc/postfix reload"),
            "{commands}"
        );
        let said = host.run(&format!("{{ {commands}; }} 2>&1"));
        assert_eq!(contents(&host), before, "{commands}: {said}");
        // Nothing is left to do, and one sweep later nothing is left of it.
        let first = desired(false);
        if let Some(plan) = super::world::plan(&host, &first) {
            assert_eq!(perform(&host, &plan, "r2", "").ending, Ending::Done);
        }
        assert_eq!(leftovers(&host), Vec::<String>::new());
        assert_eq!(contents(&host), before);
    }
}

/// postfix(1) works on all instances of postmulti(1), unless it is told which one is meant.
#[test]
fn another_instance_of_postfix_is_not_ours() {
    let host = host();
    host.run("postmulti -e init && postmulti -I postfix-out -e create && postmulti -i postfix-out -e enable && postconf -c /etc/postfix-out -e inet_interfaces=127.0.0.1 master_service_disable=inet");
    // It is enabled and does not run.
    let performed = perform(&host, &plan(&host, &desired(true)).unwrap(), "r1", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    // Nobody can read its configuration.
    host.write(
        "/etc/postfix-out/main.cf",
        "inet_interfaces = 192.0.2.77\njunk\n",
    );
    let performed = perform(&host, &plan(&host, &desired(false)).unwrap(), "r2", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
}

#[test]
fn links_and_directories_are_no_surprise() {
    let host = host();
    // A linked table, a linked directory, a linked file that is deleted.
    host.run("mkdir -p /srv/conf /srv/murder; cd /etc/postfix; mv transport /srv/conf/; ln -s /srv/conf/transport transport; mv murder/* /srv/murder/; rmdir murder; ln -s /srv/murder murder; mv old /srv/conf/old; ln -s /srv/conf/old old");
    let faulty = perform(
        &host,
        &plan(&host, &desired(true)).unwrap(),
        "r0",
        "fail:48",
    );
    assert!(
        matches!(faulty.ending, Ending::NotDone(NotDone::PutBack { .. })),
        "{faulty:?}"
    );
    assert_eq!(
        host.run("readlink /etc/postfix/transport /etc/postfix/murder /etc/postfix/old; postmap -q a.example hash:/etc/postfix/transport; cat /etc/postfix/old; ls -A /srv/conf /srv/murder"),
        "/srv/conf/transport\n/srv/murder\n/srv/conf/old\nrelay:[one.example]:25\no.example relay:[o.example]\n/srv/conf:\nold\ntransport\n\n/srv/murder:\nsecret.cf\n"
    );
    let performed = perform(&host, &plan(&host, &desired(true)).unwrap(), "r1", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(
        host.run("readlink /etc/postfix/transport /etc/postfix/murder; postmap -q a.example hash:/etc/postfix/transport; ls -d /etc/postfix/old* ; ls -A /srv/conf /srv/murder; stat -c '%U:%G %a' /srv/murder/secret.cf"),
        "/srv/conf/transport\n/srv/murder\nrelay:[two.example]:25\n/srv/conf:\ntransport\n\n/srv/murder:\nsecret.cf\nroot:postfix 640\n"
    );
    assert!(plan(&host, &desired(true)).is_none());
    // What came between the look and the apply: refused with words, nothing changed.
    let back = plan(&host, &desired(false)).unwrap();
    let run = |id: &str| {
        let performed = perform(&host, &back, id, "");
        match performed.ending {
            Ending::NotDone(NotDone::Untouched { error: failure }) => failure.summary,
            Ending::NotDone(NotDone::Stale { thing }) => thing,
            other => panic!("{other:?}"),
        }
    };
    host.run("mkdir /etc/postfix/old");
    assert_eq!(run("r2"), "/etc/postfix/old");
    host.run("rmdir /etc/postfix/old; ln -s nowhere /etc/postfix/old");
    assert_eq!(run("r3"), "/etc/postfix/old");
    host.run("rm /etc/postfix/old; mkdir /etc/postfix/old.db");
    assert_eq!(
        run("r4"),
        "/etc/postfix/old.db is no regular file; nothing was changed"
    );
    assert_eq!(leftovers(&host), Vec::<String>::new());
}

#[test]
fn a_secret_is_never_open_to_the_world() {
    let host = host();
    let root = host.root();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let watch = || {
        let mut open = std::collections::BTreeSet::new();
        let mut rounds = 0_u64;
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            rounds += 1;
            for folder in [
                "etc/postfix",
                "etc/postfix/murder",
                "var/lib/murder",
                "var/lib/murder/history",
            ] {
                let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
                    continue;
                };
                for entry in entries.flatten() {
                    use std::os::unix::fs::PermissionsExt;
                    let Ok(data) = entry.metadata() else { continue };
                    let name = entry.file_name().to_string_lossy().into_owned();
                    if data.is_file()
                        && data.permissions().mode() & 0o007 != 0
                        && (folder.starts_with("var/")
                            || name.contains("secret")
                            || name.contains("leak"))
                    {
                        open.insert(format!("{folder}/{name}"));
                    }
                }
            }
        }
        (open, rounds)
    };
    std::thread::scope(|scope| {
        let watcher = scope.spawn(watch);
        for (number, fault) in ["", "fail:40", "kill:24", ""].into_iter().enumerate() {
            let second = number % 2 == 0;
            if let Some(plan) = plan(&host, &desired(second)) {
                perform(&host, &plan, &format!("r{number}"), fault);
            }
        }
        // The watcher would see one.
        host.run("umask 022; echo x >/etc/postfix/leak; sleep 0.1; chmod 600 /etc/postfix/leak");
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let (open, rounds) = watcher.join().unwrap();
        assert!(rounds > 100, "{rounds}");
        assert_eq!(open.into_iter().collect::<Vec<_>>(), ["etc/postfix/leak"]);
    });
    let found = host.run(&format!(
        "grep -rlF {PASSWORD} /etc /var /tmp /run /root 2>/dev/null"
    ));
    assert_eq!(found, "/etc/postfix/murder/secret.cf\n");
}

#[test]
fn a_restart_goes_through_the_service_manager_that_owns_postfix() {
    let host = host();
    host.write("/usr/local/bin/systemctl", "#!/bin/sh\necho \"$@\" >>/root/systemctl\ncase $1 in -q) ;; restart) [ ! -e /root/refuse ] && { postfix stop; postfix start; } ;; esac\n");
    host.run("chmod 755 /usr/local/bin/systemctl; ln -sf /usr/local/bin/systemctl /usr/bin/systemctl; mkdir -p /run/systemd/system");
    let mut wanted = ordered(&host, "r1");
    wanted.service_mut(&Service::POSTFIX).activation = Activation::Restart;
    let before = contents(&host);
    let master = host.read("/var/spool/postfix/pid/master.pid");
    // A manager that refuses: everything goes back, and the manager is asked again.
    host.run("touch /root/refuse");
    let performed = Remote::new(host.shell()).perform(&wanted, None).unwrap();
    let Ending::NotDone(NotDone::HalfWay { error: failure }) = performed.ending else {
        panic!("{performed:?}")
    };
    assert!(
        failure.summary.contains("postfix restart failed"),
        "{failure:?}"
    );
    assert_eq!(contents(&host), before);
    assert_eq!(
        host.read("/root/systemctl"),
        "-q is-active postfix@-.service\nrestart postfix@-.service\n".repeat(2)
    );
    host.run("rm /root/refuse /root/systemctl");
    wanted.run = "r2".to_owned();
    let performed = Remote::new(host.shell()).perform(&wanted, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(
        host.read("/root/systemctl"),
        "-q is-active postfix@-.service\nrestart postfix@-.service\n"
    );
    assert_ne!(host.read("/var/spool/postfix/pid/master.pid"), master);
    assert_eq!(
        host.run("flock -n /var/lib/murder/lock echo free"),
        "free\n"
    );
    // The given file came back from where its text was kept.
    assert_eq!(host.read("/etc/postfix/given"), "theirs\n");
    let ledger: Ledger = serde_json::from_str(&host.read("/var/lib/murder/ledger.json")).unwrap();
    assert!(
        ledger
            .services
            .values()
            .flat_map(|service| service.managed.values())
            .any(|managed| managed.origin != Origin::Created)
    );
}

#[test]
fn a_host_of_busybox_alone_is_asked_by_its_nc() {
    for (name, prepare) in [
        (
            "OpenBSD's nc",
            "rm -f /usr/bin/bash /usr/bin/perl* /bin/bash",
        ),
        (
            "BusyBox",
            "b=/bin/busybox; mkdir /root/real; cp /usr/bin/flock /usr/bin/setsid /root/real/; for a in $($b --list); do case $a in busybox|init|dpkg*|mount|umount) continue ;; esac; $b rm -f /usr/sbin/$a; $b ln -sf $b /usr/bin/$a; done; $b rm -f /usr/bin/bash /usr/bin/perl* /usr/bin/setpriv /usr/bin/nc.openbsd; $b cp -f --remove-destination /root/real/* /usr/bin/ || { $b rm -f /usr/bin/flock /usr/bin/setsid; $b cp /root/real/* /usr/bin/; }",
        ),
    ] {
        let host = host();
        host.run(prepare);
        assert_eq!(host.run("command -v bash; command -v perl"), "", "{name}");
        if name == "BusyBox" {
            let real = host.run("for a in sh sed stat sha256sum timeout nc find sort tail sync touch grep; do readlink /usr/bin/$a; done | sort -u");
            assert_eq!(real, "/bin/busybox\n");
        }
        let mut wanted = ordered(&host, "r1");
        wanted.service_mut(&Service::POSTFIX).probes = Probes {
            accept: vec!["root@host.example.org".to_owned()],
            refuse: vec!["nosuch@host.example.org".to_owned()],
        };
        let performed = Remote::new(host.shell()).perform(&wanted, None).unwrap();
        assert_eq!(performed.ending, Ending::Done, "{name}: {performed:?}");
        assert!(
            performed
                .log
                .iter()
                .any(|line| line.starts_with("probed: root@host.example.org is accepted (250")),
            "{name}: {performed:?}"
        );
        assert!(
            performed
                .log
                .iter()
                .any(|line| line.starts_with("probed: nosuch@host.example.org is refused (550")),
            "{name}: {performed:?}"
        );
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{name}");
        assert!(plan(&host, &desired(true)).is_none(), "{name}");
        // A child that ignores TERM and leaves a grandchild behind holds nobody up for ever.
        host.write("/root/words.sh", &format!("RUN=x\n{WORDS}"));
        let begun = std::time::Instant::now();
        let said = host.run("cd /root; . ./words.sh; HEARD=/root/heard; capture run 2 sh -c 'trap \"\" TERM; echo words; sleep 100 & wait; sleep 100'; echo \"$? $SAID\"");
        assert!(said.starts_with("137 words\n"), "{name}: {said}");
        assert!(begun.elapsed().as_secs() < 20, "{name}");
    }
}

/// Where Postfix's master dies of a line after all, and the line is none of ours, what is put back does not bring
/// Postfix back. Then it is said soon, and again until Postfix runs.
#[test]
fn a_postfix_that_an_apply_left_stopped_is_said_until_it_runs() {
    let host = host();
    host.write(
        "/root/squat.py",
        "import socket,time\ns=socket.create_server(('0.0.0.0',2525))\ntime.sleep(600)\n",
    );
    let mut squatter = host.command("exec python3 /root/squat.py").spawn().unwrap();
    super::until(|| host.run("grep -c ':09DD 00000000:0000 0A' /proc/net/tcp") == "1\n");
    // A name is not looked up before: only the resolver knows what it means.
    host.run("cp -p /etc/postfix/master.cf /root/; echo 'localhost:2525 inet n - n - - smtpd' >>/etc/postfix/master.cf; touch -d 2020-01-01 /etc/postfix/master.cf");
    let second = desired(true);
    let begun = std::time::Instant::now();
    let performed = perform(&host, &plan(&host, &second).unwrap(), "r1", "");
    let Ending::NotDone(NotDone::HalfWay { error: failure }) = performed.ending else {
        panic!("{performed:?}")
    };
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let hint = failure.hint.unwrap();
    assert!(
        hint.starts_with("first put right what Postfix ends of")
            && hint.contains("run there as root: postfix -c /etc/postfix check"),
        "{hint}"
    );
    let words = failure.detail.unwrap();
    assert!(
        words.contains("port 2525: Address already in use"),
        "{words}"
    );
    // Whoever mends the line and starts nothing is told so by the plan, and by the apply that finishes the work.
    host.run("cp -p /root/master.cf /etc/postfix/master.cf");
    let seen = verdict(&host, &second);
    assert!(
        seen.stopped
            && seen.remarks.iter().any(|remark| remark
                .text
                .contains("an apply that did not end may have stopped it")),
        "{:?}",
        seen.remarks
    );
    let performed = perform(&host, &plan(&host, &second).unwrap(), "r2", "");
    let Ending::NotDone(NotDone::HalfWay { error: failure }) = performed.ending else {
        panic!("{performed:?}")
    };
    assert!(
        failure.summary.contains("Postfix does not run")
            && failure
                .hint
                .unwrap()
                .contains("postfix -c /etc/postfix start"),
    );
    assert!(plan(&host, &second).is_none(), "the work is done");
    assert_eq!(leftovers(&host), Vec::<String>::new());
    host.run("postfix start");
    squatter.kill().unwrap();
    squatter.wait().unwrap();
    let performed = perform(&host, &plan(&host, &desired(false)).unwrap(), "r3", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
}

/// Files that somebody emptied: without services there is no mail, without parameters there are Postfix's own.
#[test]
fn emptied_files_are_judged_before_anything_changes() {
    let host = host();
    let before = contents(&host);
    for (keep, why) in [("^$", "no service at all"), ("^smtp ", "runs `cleanup`")] {
        host.run(&format!("cp -p /etc/postfix/master.cf /root/; grep '{keep}' /root/master.cf >/etc/postfix/master.cf"));
        for state in [desired(false), desired(true)] {
            let Verdict::Failed { error } = verdict(&host, &state).verdict else {
                panic!("{why}")
            };
            assert!(error.summary.contains(why), "{error:?}");
        }
        host.run("cp -p /root/master.cf /etc/postfix/master.cf");
    }
    assert_eq!(contents(&host), before);
    // Emptied after the plan was made: the plan is stale.
    let second = plan(&host, &desired(true)).unwrap();
    host.run(": >/etc/postfix/master.cf");
    let performed = perform(&host, &second, "r1", "");
    assert_eq!(
        performed.ending,
        Ending::NotDone(NotDone::Stale {
            thing: "/etc/postfix/master.cf".to_owned()
        })
    );
    host.run("cp -p /root/master.cf /etc/postfix/master.cf; : >/etc/postfix/main.cf");
    let begun = std::time::Instant::now();
    let performed = perform(&host, &plan(&host, &desired(true)).unwrap(), "r2", "");
    let Ending::NotDone(NotDone::Untouched { error: failure }) = performed.ending else {
        panic!("{performed:?}")
    };
    assert!(
        failure
            .summary
            .contains("neither smtpd_relay_restrictions nor"),
        "{failure:?}"
    );
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert_eq!(host.read("/etc/postfix/main.cf"), "");
    // Postfix's own values suffice where they are those of today.
    host.run("echo 'compatibility_level = 3.6' >/etc/postfix/main.cf; echo 'inet_protocols = ipv4' >>/etc/postfix/main.cf");
    let performed = perform(&host, &plan(&host, &desired(true)).unwrap(), "r3", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
}
