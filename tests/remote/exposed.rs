//! Directories and links of other users: nothing is written where such a user points it, and nothing of root's is shown.

use murder::machine::{Ending, NotDone};
use murder::plan::{HostPlan, RefusalKind, Verdict};
use murder::state::{Desired, LiveFile, Want};
use murder::thing::Thing;

use super::host::Host;
use super::world::{self, desired, look, perform, verdict};
use super::{asking, path};

/// The first state, with its table at `place` as well.
fn wanted(place: &str) -> Desired {
    let mut wanted = desired(false);
    let files = &mut wanted.postfix_mut().files;
    let given = files[&path("/etc/postfix/given")].clone();
    files.insert(path(place), given);
    wanted
}

/// The plan with its refusals.
fn plan(host: &Host, desired: &Desired) -> Box<HostPlan> {
    match verdict(host, desired).verdict {
        Verdict::Changes(plan) => plan,
        other => panic!("{other:?}"),
    }
}

fn refused(plan: &HostPlan) -> Vec<&str> {
    let exposed = plan.refusals.iter();
    let exposed = exposed.filter(|refusal| refusal.kind == RefusalKind::ExposedFile);
    exposed.map(|refusal| refusal.summary.as_str()).collect()
}

fn host() -> Host {
    let host = world::host();
    host.run("useradd -m joe; groupadd -g 4711 crew; mkdir -p /srv/joe /srv/safe; chown joe /srv/joe; echo secret >/root/secret; chmod 600 /root/secret");
    host
}

#[test]
fn a_directory_of_another_user_is_refused_by_the_plan() {
    let host = host();
    for (make, place, names) in [
        ("true", "/srv/joe/x", "`/srv/joe` (0755 joe:root)"),
        (
            "mkdir -m 755 /srv/joe/root; chown root: /srv/joe/root",
            "/srv/joe/root/x",
            "`/srv/joe` (0755 joe:root)",
        ),
        (
            "mkdir -m 1777 /srv/tmp",
            "/srv/tmp/x",
            "`/srv/tmp` (1777 root:root)",
        ),
        (
            "mkdir -m 2775 /srv/crew; chgrp crew /srv/crew; chmod 2775 /srv/crew",
            "/srv/crew/x",
            "`/srv/crew` (2775 root:crew)",
        ),
        (
            "ln -s /srv/joe /srv/safe/way",
            "/srv/safe/way/x",
            "`/srv/joe` (0755 joe:root)",
        ),
        (
            "ln -s /srv/joe/y /srv/safe/file; touch /srv/joe/y",
            "/srv/safe/file",
            "`/srv/joe` (0755 joe:root)",
        ),
        (
            "ln -s ../joe/hop /srv/safe/hop; ln -s /root/secret /srv/joe/hop",
            "/srv/safe/hop",
            "`/srv/joe` (0755 joe:root)",
        ),
        (
            "mkdir -m 755 /srv/alien; chown 4242:4243 /srv/alien",
            "/srv/alien/x",
            "`/srv/alien` (0755 4242:4243)",
        ),
    ] {
        host.run(make);
        let plan = plan(&host, &wanted(place));
        let said = refused(&plan);
        assert!(
            said.len() == 1 && said[0].contains(names) && said[0].contains(place),
            "{place}: {said:?}"
        );
    }
    for (make, place) in [
        ("mkdir -m 775 /srv/ours", "/srv/ours/x"),
        ("ln -s /srv/safe /srv/link", "/srv/link/x"),
        ("true", "/srv/made/new/x"),
    ] {
        host.run(make);
        let plan = plan(&host, &wanted(place));
        assert_eq!(refused(&plan), [""; 0], "{place}");
    }
}

#[test]
fn a_link_of_another_user_shows_and_overwrites_nothing() {
    let host = host();
    host.run("ln -s /root/secret /srv/joe/x");
    let plan = plan(&host, &wanted("/srv/joe/x"));
    let text = serde_json::to_string(&plan.steps).unwrap();
    assert!(
        text.contains("\"link\":\"/root/secret\"") && !text.contains("secret\\n"),
        "{text}"
    );
    // As if the directory had been root's when the plan was made.
    let performed = perform(&host, &plan, "swapped", "");
    let Ending::NotDone(NotDone::Untouched { error }) = &performed.ending else {
        panic!("{performed:?}");
    };
    assert!(
        error
            .summary
            .contains("can write the directory /srv/joe, and so exchange"),
        "{error:?}"
    );
    assert_eq!(host.read("/root/secret"), "secret\n");
    assert_eq!(super::leftovers(&host), [""; 0]);
}

#[test]
fn the_apply_looks_once_more() {
    for (spoil, says) in [
        ("chown joe /srv/safe", "/srv/safe,"),
        ("chmod 1777 /srv/safe", "/srv/safe,"),
        ("chgrp crew /srv/safe; chmod g+w /srv/safe", "/srv/safe,"),
        (
            "mkdir -p /srv/joe/a; rmdir /srv/safe; ln -s /srv/joe/a /srv/safe",
            "/srv/joe,",
        ),
        ("chgrp 4711 /srv; chmod 2775 /srv", "/srv,"),
    ] {
        let host = host();
        let plan = plan(&host, &wanted("/srv/safe/x"));
        assert_eq!(refused(&plan), [""; 0]);
        host.run(spoil);
        let performed = perform(&host, &plan, "spoilt", "");
        let Ending::NotDone(NotDone::Untouched { error }) = &performed.ending else {
            panic!("{spoil}: {performed:?}");
        };
        assert!(
            error
                .summary
                .contains(&format!("can write the directory {says}")),
            "{spoil}: {error:?}"
        );
    }
}

#[test]
fn values_of_a_folder_that_users_can_write_are_refused_too() {
    let host = host();
    let mut only_values = desired(false);
    let queue: Thing = "main.cf:maximal_queue_lifetime".parse().unwrap();
    let lifetime = Want::Present("3d".to_owned());
    only_values.postfix_mut().values.insert(queue, lifetime);
    assert_eq!(refused(&plan(&host, &only_values)), [""; 0]);
    host.run("chgrp postfix /etc/postfix; chmod 775 /etc/postfix");
    let plan = plan(&host, &only_values);
    let said = refused(&plan);
    assert!(
        said.len() == 1 && said[0].contains("`/etc/postfix/main.cf`"),
        "{said:?}"
    );
}

/// Names from a directory service have blanks; numbers need not have a name.
#[test]
fn owners_that_no_word_names_come_back_as_they_were() {
    let host = Host::running();
    host.run("echo 'domain users:x:4712:' >>/etc/group; echo 'DOM\\joe doe:x:4713:4712::/:/bin/sh' >>/etc/passwd");
    host.run("echo theirs >/etc/postfix/given; chmod 640 /etc/postfix/given; chown 4713:4712 /etc/postfix/main.cf; chown 7001:7002 /etc/postfix/master.cf");
    for (ids, run) in [("4713:4712", "one"), ("7001:7002", "two")] {
        host.run(&format!("chown {ids} /etc/postfix/given"));
        let observed = look(&host, &desired(false));
        let LiveFile::Present(given) = &observed.live.files[&path("/etc/postfix/given")] else {
            panic!("{observed:?}");
        };
        assert_eq!(format!("{}:{}", given.owner, given.group), ids);
        let first = plan(&host, &desired(false));
        let performed = perform(&host, &first, &format!("{run}1"), "");
        assert_eq!(performed.ending, Ending::Done);
        let stat = "stat -c '%u:%g %a' /etc/postfix/main.cf /etc/postfix/master.cf";
        assert_eq!(host.run(stat), "4713:4712 644\n7001:7002 644\n");
        let nothing = Desired {
            retired: true,
            ..Desired::default()
        };
        let back = plan(&host, &nothing);
        let performed = perform(&host, &back, &format!("{run}2"), "");
        assert_eq!(performed.ending, Ending::Done);
        let given = host.run("stat -c '%u:%g %a' /etc/postfix/given; cat /etc/postfix/given");
        assert_eq!(given, format!("{ids} 640\ntheirs\n"));
    }
}

/// What a name of a file says must not look like a part of the answer.
#[test]
fn the_target_of_a_link_cannot_forge_an_answer() {
    let host = host();
    host.run("ln -s \"$(printf '/srv/a\\n=running yes\\n=stream /root/secret')\" /srv/joe/x; ln -s 'with blank' /srv/joe/y; ln -s y2 /srv/joe/y2");
    let questions = asking(&["/srv/joe/x", "/srv/joe/y", "/srv/joe/y2"]);
    for sh in ["dash", "bash", "busybox sh"] {
        let live = murder::machine::Observe::observe(
            &mut murder::machine::remote::Remote::new(host.shell()).with_sh(sh),
            &questions,
        )
        .unwrap()
        .live;
        for name in ["x", "y", "y2"] {
            let file = &live.files[&path(&format!("/srv/joe/{name}"))];
            assert!(
                matches!(file, LiveFile::Other(kind) if kind.starts_with("a symbolic link to a path with blanks")),
                "{sh} {name}: {file:?}"
            );
        }
    }
}
