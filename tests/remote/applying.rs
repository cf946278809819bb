//! Applying: whole, or not at all.

use murder::exchange::AdoptOrder;
use murder::ledger::{Applied, LEDGER_VERSION, Ledger, Managed, Origin, Previous, ServiceLedger};
use murder::machine::remote::Remote;
use murder::machine::{
    Activation, Apply, Ending, FileOrder, LedgerOrder, NotDone, Observe, Orders, Questions,
};
use murder::name::{Mode, Parameter, ServiceName, TableType, UserName};
use murder::plan::{Expects, Run};
use murder::postfix::Edit;
use murder::service::Service;
use murder::state::{LiveFile, Probes, Running};
use murder::thing::{Field, Thing};
use sha2::{Digest, Sha256};

use super::host::Host;
use super::{asking, fingerprint, index_of, leftovers, path};

const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];
const PASSWORD: &str = "Welcome2KolabSystems";

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

pub(super) fn parameter(text: &str) -> Parameter {
    Parameter::new(text).unwrap()
}

pub(super) fn table(text: &str) -> TableType {
    TableType::new(text).unwrap()
}

pub(super) fn file(name: &str, text: &str, group: &str, mode: u32) -> FileOrder {
    FileOrder {
        path: path(name),
        bytes: text.as_bytes().to_vec().into(),
        sha256: sha256(text.as_bytes()),
        owner: UserName::new("root").unwrap(),
        group: UserName::new(group).unwrap(),
        mode: Mode::from_bits(mode),
    }
}

fn ledger(files: &[&str]) -> Vec<u8> {
    let managed = files.iter().map(|name| {
        (
            Thing::File(path(name)),
            Managed {
                origin: if *name == "/etc/postfix/adopted" {
                    Origin::Adopted(Previous::File {
                        sha256: sha256(b"old\n"),
                        owner: "root".to_owned(),
                        group: "root".to_owned(),
                        mode: Mode::from_bits(0o644),
                    })
                } else {
                    Origin::Created
                },
                value: None,
                access: None,
            },
        )
    });
    let postfix = ServiceLedger {
        managed: managed.collect(),
        ..ServiceLedger::default()
    };
    Ledger {
        version: LEDGER_VERSION,
        murder: "example.org".to_owned(),
        generation: 1,
        services: [(Service::POSTFIX, postfix)].into(),
        applied: Some(Applied::default()),
        hosts: Vec::new(),
        facts: None,
        host_key: None,
    }
    .to_bytes()
}

/// Orders that expect the host as it is now, and change nothing yet.
pub(super) fn orders(host: &Host, run: &str, files: &[&str]) -> Orders {
    let live = Remote::new(host.shell())
        .observe(&asking(files))
        .unwrap()
        .live;
    let expected = live.files.iter().map(|(path, file)| {
        let hash = match file {
            LiveFile::Present(file) => Some(file.sha256.clone()),
            _ => None,
        };
        (path.clone(), hash)
    });
    let run = Run {
        id: run.to_owned(),
        by: "tester@\"here\"".to_owned(),
        at: "2026-11-23T00:00:00Z".to_owned(),
        revision: String::new(),
        ..Run::default()
    };
    let expects = Expects {
        files: expected.collect(),
        ..Expects::of(&live)
    };
    let mut orders = Orders {
        ledger: LedgerOrder::WriteKeyed(ledger(files)),
        ..Orders::empty(&run, expects)
    };
    let postfix = orders.service_mut(&Service::POSTFIX);
    (postfix.check, postfix.activation) = (true, Activation::Reload);
    orders
}

/// A plan that has every kind of step.
fn everything(host: &Host, run: &str) -> Orders {
    let mut orders = orders(
        host,
        run,
        &[
            "/etc/postfix/transport",
            "/etc/postfix/murder/secret.cf",
            "/etc/postfix/old",
            "/etc/postfix/adopted",
        ],
    );
    orders.files = vec![
        file(
            "/etc/postfix/transport",
            "a.example relay:[b.example]:25\n",
            "root",
            0o644,
        ),
        file(
            "/etc/postfix/murder/secret.cf",
            &format!("# a secret\nbind_pw = {PASSWORD}\n\0\u{e9}\n"),
            "postfix",
            0o640,
        ),
        file("/etc/postfix/adopted", "new\n", "root", 0o644),
    ];
    orders.adopts = vec![AdoptOrder {
        path: path("/etc/postfix/adopted"),
        kept: sha256(b"old\n"),
    }];
    orders.service_mut(&Service::POSTFIX).indexes = vec![index_of("/etc/postfix/transport")];
    orders.service_mut(&Service::POSTFIX).tables =
        vec![(path("/etc/postfix/transport"), table("hash"))];
    orders.service_mut(&Service::POSTFIX).edits = vec![
        Edit::SetField(
            ServiceName::new("lmtp/unix").unwrap(),
            Field::Chroot,
            "n".to_owned(),
        ),
        Edit::SetOption(
            ServiceName::new("lmtp/unix").unwrap(),
            parameter("soft_bounce"),
            "yes".to_owned(),
        ),
        Edit::Set(
            parameter("transport_maps"),
            "hash:/etc/postfix/transport".to_owned(),
        ),
        Edit::Set(
            parameter("mydestination"),
            "$myhostname, it's.example".to_owned(),
        ),
        Edit::Unset(parameter("biff")),
    ];
    orders.deletes = vec![(path("/etc/postfix/old"), Some(".db"))];
    orders
}

pub(super) fn prepared() -> Host {
    let host = Host::running();
    host.write("/etc/postfix/old", "x y\n");
    host.write("/etc/postfix/adopted", "old\n");
    host.run("postmap /etc/postfix/old");
    host
}

#[test]
fn every_shell_applies_a_plan_with_every_kind_of_step() {
    for sh in SHELLS {
        let host = prepared();
        let orders = everything(&host, "r1");
        let mut remote = Remote::new(host.shell()).with_sh(sh);
        let performed = remote
            .perform(&orders, None)
            .unwrap_or_else(|error| panic!("{sh}: {error:?}"));
        assert_eq!(performed.ending, Ending::Done, "{sh}: {performed:?}");
        assert!(
            performed.log.iter().any(|line| line == "told: reload"),
            "{sh}: {performed:?}"
        );
        for file in &orders.files {
            assert_eq!(
                host.run(&format!("sha256sum <{}", file.path))[..64],
                file.sha256,
                "{sh}: {}",
                file.path
            );
        }
        assert_eq!(host.run("stat -c '%U:%G %a' /etc/postfix/murder/secret.cf /etc/postfix/transport /etc/postfix/transport.db"), "root:postfix 640\nroot:root 644\nroot:root 644\n", "{sh}");
        assert_eq!(
            host.run(
                "postconf -h transport_maps mydestination; postconf -n biff; postconf -M lmtp/unix"
            ),
            "hash:/etc/postfix/transport\n$myhostname, it's.example\nlmtp       unix  -       -       n       -       -       lmtp -o soft_bounce=yes\n",
            "{sh}"
        );
        assert_eq!(
            host.run("postmap -q a.example hash:/etc/postfix/transport"),
            "relay:[b.example]:25\n"
        );
        assert_eq!(
            host.run("ls /etc/postfix/old /etc/postfix/old.db 2>/dev/null"),
            ""
        );
        assert_eq!(
            host.read(&format!("/var/lib/murder/adopted/{}", sha256(b"old\n"))),
            "old\n"
        );
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{sh}");
        assert_eq!(
            host.run("find /var/lib/murder -perm /077 ! -path '*/adopted'"),
            "",
            "{sh}"
        );

        let after = fingerprint(&host);
        let live = remote.observe(&Questions::default()).unwrap().live;
        assert_eq!(live.postfix().unwrap().running, Running::Yes, "{sh}");
        assert_eq!(live.ledger.map(|ledger| ledger.things().count()), Some(4));
        assert!(
            live.journal.is_none() && live.remarks.is_empty(),
            "{sh}: {:?}",
            live.remarks
        );
        assert!(
            live.files.contains_key(&path("/etc/postfix/transport")),
            "the ledger's files are looked at unasked"
        );
        assert_eq!(fingerprint(&host), after);
        // A second one with the same expectations is stale, and says of what.
        let again = remote.perform(&orders, None).unwrap();
        assert_eq!(
            again.ending,
            Ending::NotDone(NotDone::Stale {
                thing: "/etc/postfix/main.cf".to_owned()
            }),
            "{sh}"
        );
        assert_eq!(fingerprint(&host), after);
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{sh}");
    }
}

/// Performs orders that must fail, and proves that the host stands as it was.
pub(super) fn refused(host: &Host, orders: &Orders) -> Ending {
    let contents = "cd /etc/postfix; find . -type f -exec sha256sum {} + | sort; find . -type f -exec stat -c '%n %U %G %a %Y' {} + | sort; find . -type d | sort; ls /var/lib/murder/ledger.json 2>&1";
    let before = host.run(contents);
    let performed = Remote::new(host.shell()).perform(orders, None).unwrap();
    assert_eq!(host.run(contents), before, "{performed:?}");
    assert_eq!(leftovers(host), Vec::<String>::new(), "{performed:?}");
    assert_eq!(
        Remote::new(host.shell())
            .observe(&Questions::default())
            .unwrap()
            .live
            .postfix()
            .unwrap()
            .running,
        Running::Yes
    );
    performed.ending
}

fn untouched(ending: Ending) -> String {
    let Ending::NotDone(NotDone::Untouched { error: failure }) = ending else {
        panic!("{ending:?}")
    };
    assert!(failure.hint.is_some(), "{failure:?}");
    format!(
        "{} | {}",
        failure.summary,
        failure.detail.unwrap_or_default()
    )
}

fn put_back(ending: Ending) -> String {
    let Ending::NotDone(NotDone::PutBack { error: failure }) = ending else {
        panic!("{ending:?}")
    };
    format!(
        "{} | {}",
        failure.summary,
        failure.detail.unwrap_or_default()
    )
}

#[test]
fn what_postfix_would_choke_on_is_refused_before_anything_changes() {
    let host = prepared();
    let edited = |run: &str, edit: Edit| {
        let mut orders = everything(&host, run);
        orders.service_mut(&Service::POSTFIX).edits.push(edit);
        refused(&host, &orders)
    };
    let said = untouched(edited(
        "r1",
        Edit::Set(
            parameter("relay_recipient_maps"),
            "proxy:nosuch:/etc/postfix/x".to_owned(),
        ),
    ));
    assert!(
        said.contains("Postfix has no table type `nosuch` here"),
        "{said}"
    );
    let said = untouched(edited(
        "r2",
        Edit::Set(parameter("relayhots"), "x".to_owned()),
    ));
    assert!(said.contains("unused parameter: relayhots=x"), "{said}");
    let said = untouched(edited(
        "r3",
        Edit::Set(parameter("inet_interfaces"), "192.0.2.77".to_owned()),
    ));
    assert!(said.contains("192.0.2.77"), "{said}");
    let said = untouched(edited(
        "r4",
        Edit::SetField(
            ServiceName::new("nosuch/unix").unwrap(),
            Field::Chroot,
            "n".to_owned(),
        ),
    ));
    assert!(said.contains("nosuch"), "{said}");
    // What only the host can expand.
    host.run("postconf -e 'murder_test = many' 2>/dev/null");
    let said = untouched(edited(
        "r7",
        Edit::Set(
            parameter("smtpd_recipient_limit"),
            "$murder_test".to_owned(),
        ),
    ));
    assert!(said.contains("smtpd_recipient_limit = many"), "{said}");
    let said = untouched(edited(
        "r8",
        Edit::Set(parameter("smtpd_helo_required"), "perhaps".to_owned()),
    ));
    assert!(said.contains("smtpd_helo_required = perhaps"), "{said}");
    let said = untouched(edited(
        "r9",
        Edit::Set(parameter("maximal_queue_lifetime"), "5 days".to_owned()),
    ));
    assert!(said.contains("maximal_queue_lifetime = 5 days"), "{said}");
    let mut orders = everything(&host, "r10");
    orders.files[0] = file("/etc/postfix/transport", "a.example\n", "root", 0o644);
    let said = untouched(refused(&host, &orders));
    assert!(
        said.contains("postmap warns of hash:/etc/postfix/transport"),
        "{said}"
    );
    let mut orders = everything(&host, "r5");
    orders.files[0] = file(
        "/etc/postfix/transport",
        "a.example x\na.example y\n",
        "root",
        0o644,
    );
    let said = untouched(refused(&host, &orders));
    assert!(
        said.contains("postmap warns of hash:/etc/postfix/transport")
            && said.contains("duplicate entry"),
        "{said}"
    );
    let mut orders = everything(&host, "r6");
    orders.files[1].group = UserName::new("nosuch").unwrap();
    assert!(
        untouched(refused(&host, &orders))
            .contains("/etc/postfix/murder/secret.cf cannot be staged")
    );
}

#[test]
fn a_directory_server_that_does_not_answer_is_a_refusal_unless_allowed() {
    let host = prepared();
    let with_table = |run: &str, text: &str, maps: &str| {
        let mut orders = everything(&host, run);
        orders.files[1] = file("/etc/postfix/murder/secret.cf", text, "postfix", 0o640);
        let postfix = orders.service_mut(&Service::POSTFIX);
        postfix
            .tables
            .push((path("/etc/postfix/murder/secret.cf"), table("ldap")));
        postfix
            .edits
            .push(Edit::Set(parameter("virtual_alias_maps"), maps.to_owned()));
        orders
    };
    let maps = "proxy:ldap:/etc/postfix/murder/secret.cf";
    let text = format!(
        "server_host = ldap://127.0.0.1:389\nversion = 3\nsearch_base = dc=x\ndomain = example.org\nbind_pw = {PASSWORD}\nquery_filter = (mail=%s)\nresult_attribute = mail\ntimeout = 3\n"
    );
    let mut orders = with_table("r1", &text, maps);
    let said = untouched(refused(&host, &orders));
    assert!(
        said.contains("the LDAP server of ldap:/etc/postfix/murder/secret.cf does not answer")
            && said.contains("Can't contact"),
        "{said}"
    );
    assert!(!said.contains(PASSWORD));
    // A misspelt name inside the table: the staged one is what postconf looks at.
    let said = untouched(refused(
        &host,
        &with_table("r2", &text.replace("query_filter", "query_filtre"), maps),
    ));
    assert!(said.contains("query_filtre"), "{said}");
    orders.run = "r3".to_owned();
    orders.allow_unverified = true;
    let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(
        performed
            .log
            .iter()
            .any(|line| line.contains("not verified")),
        "{performed:?}"
    );
}

#[test]
fn what_only_running_shows_is_put_back_with_the_hosts_own_words() {
    let host = prepared();
    // Postfix itself lets a command pass `postfix check` and reload that its services die of.
    let mut orders = everything(&host, "r1");
    orders.service_mut(&Service::POSTFIX).edits.insert(
        0,
        Edit::SetField(
            ServiceName::new("smtp/inet").unwrap(),
            Field::Command,
            "smtpd -Q".to_owned(),
        ),
    );
    let said = put_back(refused(&host, &orders));
    assert!(
        said.contains("the host stands as it was before") && said.contains("smtpd"),
        "{said}"
    );

    // A probe that was right and is wrong after the change.
    let mut orders = everything(&host, "r2");
    orders.service_mut(&Service::POSTFIX).probes = Probes {
        accept: vec!["root@host.example.org".to_owned()],
        refuse: vec!["x@nosuch.example".to_owned()],
    };
    orders.service_mut(&Service::POSTFIX).edits.push(Edit::Set(
        parameter("mydestination"),
        "localhost".to_owned(),
    ));
    orders.service_mut(&Service::POSTFIX).edits.push(Edit::Set(
        parameter("smtpd_relay_restrictions"),
        "reject_unauth_destination".to_owned(),
    ));
    let said = put_back(refused(&host, &orders));
    assert!(
        said.contains("the probe root@host.example.org should be accepted and is not")
            && said.contains("before: 250"),
        "{said}"
    );

    // The same orders without the mistake are done.
    let mut orders = everything(&host, "r3");
    orders.service_mut(&Service::POSTFIX).probes = Probes {
        accept: vec!["root@host.example.org".to_owned()],
        refuse: vec![],
    };
    let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(
        performed
            .log
            .iter()
            .any(|line| line.starts_with("probed: root@host.example.org is accepted")),
        "{performed:?}"
    );
}

#[test]
fn a_link_is_written_through_and_stays() {
    let host = prepared();
    host.run("mkdir /srv/conf; mv /etc/postfix/main.cf /srv/conf/main.cf; ln -s /srv/conf/main.cf /etc/postfix/main.cf; mv /etc/postfix/adopted /srv/conf/; ln -s /srv/conf/adopted /etc/postfix/adopted; chmod 0600 /srv/conf/main.cf; chgrp postfix /srv/conf/main.cf; chmod 0640 /srv/conf/main.cf");
    let performed = Remote::new(host.shell())
        .perform(&everything(&host, "r1"), None)
        .unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(host.run("readlink /etc/postfix/main.cf /etc/postfix/adopted; stat -c '%U:%G %a' /srv/conf/main.cf; cat /srv/conf/adopted; ls -A /srv/conf"), "/srv/conf/main.cf\n/srv/conf/adopted\nroot:postfix 640\nnew\nadopted\nmain.cf\n");
}

#[test]
fn two_applies_at_once_never_mix() {
    let host = prepared();
    let orders = everything(&host, "r1");
    let mut holder = host.command("mkdir -p /var/lib/murder; exec 9>>/var/lib/murder/lock; flock 9; echo 'by ann@desk since noon (run r0)' >/var/lib/murder/lock; sleep 60").spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
    let Ending::NotDone(NotDone::Locked { error: failure }) = performed.ending else {
        panic!("{performed:?}")
    };
    assert!(
        failure.summary.contains("by ann@desk since noon"),
        "{failure:?}"
    );
    holder.kill().unwrap();
    holder.wait().unwrap();
    host.run("for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" = sleep ] && [ \"$(tr '\\0' ' ' <$p/cmdline)\" = 'sleep 60 ' ] && kill ${p#/proc/}; done");
    let shells: Vec<_> = (0..2).map(|_| host.shell()).collect();
    let endings: Vec<Ending> = std::thread::scope(|scope| {
        let threads: Vec<_> = shells
            .into_iter()
            .zip(["r2", "r3"])
            .map(|(shell, run)| {
                let orders = Orders {
                    run: run.to_owned(),
                    ..orders.clone()
                };
                scope.spawn(move || Remote::new(shell).perform(&orders, None).unwrap().ending)
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(
        endings
            .iter()
            .filter(|ending| **ending == Ending::Done)
            .count(),
        1,
        "{endings:?}"
    );
    assert!(
        endings.iter().any(|ending| matches!(
            ending,
            Ending::NotDone(NotDone::Locked { .. }) | Ending::NotDone(NotDone::Stale { .. })
        )),
        "{endings:?}"
    );
    assert_eq!(leftovers(&host), Vec::<String>::new());
}

#[test]
fn no_room_and_no_permission_lose_nothing() {
    let host = prepared();
    let orders = everything(&host, "r1");
    host.run("mount --bind /etc/postfix /etc/postfix; mount -o remount,ro,bind /etc/postfix");
    let said = untouched(refused(&host, &orders));
    assert!(said.contains("Read-only file system"), "{said}");
    host.run("umount /etc/postfix; mkdir -p /var/lib/murder; mount -t tmpfs -o size=4k tmpfs /var/lib/murder");
    let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
    let said = untouched(performed.ending);
    assert!(
        said.contains("cannot store the payload") && said.contains("No space left"),
        "{said}"
    );
    host.run("umount /var/lib/murder; cp -a /etc/postfix /root/keep; mount -t tmpfs -o size=128k tmpfs /etc/postfix; cp -a /root/keep/. /etc/postfix/; dd if=/dev/zero of=/etc/postfix/fill bs=1k 2>/dev/null");
    let orders = everything(&host, "r2");
    let said = untouched(refused(&host, &orders));
    assert!(said.contains("nothing was changed"), "{said}");
}

#[test]
fn a_stopped_postfix_stays_stopped() {
    let host = prepared();
    host.run("postfix stop");
    let performed = Remote::new(host.shell())
        .perform(&everything(&host, "r1"), None)
        .unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(
        performed
            .log
            .contains(&"Postfix does not run here, and was not started".to_owned()),
        "{performed:?}"
    );
    assert_eq!(
        Remote::new(host.shell())
            .observe(&Questions::default())
            .unwrap()
            .live
            .postfix()
            .unwrap()
            .running,
        Running::No
    );
}

#[test]
fn the_report_brings_the_answers_to_the_questions_that_went_with_the_orders() {
    let host = prepared();
    let mut remote = Remote::new(host.shell());
    let questions = Questions::default();
    let orders = everything(&host, "r1");
    let performed = remote.perform(&orders, Some(&questions)).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    let seen = performed.seen.expect("the answers came with the report");
    let asked = remote.observe(&questions).unwrap();
    assert_eq!(
        seen.live.postfix().unwrap().main_cf_sha256,
        asked.live.postfix().unwrap().main_cf_sha256
    );
    assert_eq!(seen.live.ledger_sha256, asked.live.ledger_sha256);
    let performed = remote.perform(&orders, None).unwrap();
    assert!(performed.seen.is_none(), "nothing was asked");
}

#[test]
fn a_restart_leaves_the_lock_free() {
    let host = prepared();
    let mut orders = everything(&host, "r1");
    orders.service_mut(&Service::POSTFIX).activation = Activation::Restart;
    orders.service_mut(&Service::POSTFIX).edits.push(Edit::Set(
        parameter("inet_interfaces"),
        "127.0.0.1".to_owned(),
    ));
    let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(
        host.run("flock -n /var/lib/murder/lock echo free"),
        "free\n"
    );
    assert_eq!(
        Remote::new(host.shell())
            .observe(&Questions::default())
            .unwrap()
            .live
            .postfix()
            .unwrap()
            .running,
        Running::Yes
    );
}
