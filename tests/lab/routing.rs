//! Mail that arrives, waits, or is refused: the published recipe, corrected, on real hosts.

use crate::mail::{Refused, arrives, is_nowhere, lands_in, queue, send, sendmail, token};
use crate::world::{HOSTS, World, until};

/// The tables in a list. What is in braces is one table.
fn tables(list: &str) -> Vec<String> {
    let mut tables = vec![String::new()];
    let mut depth = 0_u32;
    for sign in list.chars() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' | ' ' | '\n' if depth == 0 => {
                tables.push(String::new());
                continue;
            }
            _ => {}
        }
        tables.last_mut().unwrap().push(sign);
    }
    tables.retain(|table| table.contains(':'));
    tables
}

/// What the tables of a parameter say of a key, the first that knows it.
pub fn lookup(world: &World, host: &str, parameter: &str, key: &str) -> Option<String> {
    let list = world.lab.sh(host, &format!("postconf -xh {parameter}"));
    for table in tables(&list) {
        let output = world
            .lab
            .try_sh(host, &format!("postmap -q '{key}' '{table}'"));
        let complaint = crate::world::text(&output.stderr);
        assert!(
            complaint.is_empty(),
            "{host}: postmap -q {key} {table}: {complaint}"
        );
        if output.status.success() {
            return Some(crate::world::text(&output.stdout).trim().to_owned());
        }
    }
    None
}

pub fn fresh_hosts_are_set_up(world: &mut World) {
    for host in HOSTS {
        let untouched = world.lab.sh(host, "postconf -n");
        world.untouched.push(((*host).to_owned(), untouched));
    }
    // What Debian sets by default is no file of ours, so nothing has to be adopted by name.
    world.murder("check", &[]).exits(0);
    world
        .murder("plan", &[])
        .exits(0)
        .says("backend1.example.org");
    world.murder("plan", &["--detailed-exitcode"]).exits(2);
    world.murder("apply", &[]).exits(1).says("--yes");
    world
        .murder("apply", &["--yes", "--allow-restart"])
        .exits(0);
    world.converge();
    for host in HOSTS {
        world.lab.sh(
            host,
            "postfix status 2>&1; test -s /var/lib/murder/ledger.json || ls -la /var/lib/murder",
        );
        let warnings = world.lab.sh(
            host,
            "postconf -n 2>&1 >/dev/null; postconf -M 2>&1 >/dev/null",
        );
        assert_eq!(warnings, "", "{host}");
        // The password stands in files that only root and Postfix may read.
        let open = world.lab.sh(
            host,
            &format!("grep -rlsF {} /etc /var/lib/murder /var/log /tmp /run 2>/dev/null | xargs -r stat -c '%a %U:%G %n' || true", crate::world::BIND_PASSWORD),
        );
        for line in open.lines() {
            assert!(
                line.starts_with("640 root:postfix /etc/postfix/"),
                "{host}: {line}"
            );
        }
    }
}

pub fn tables_answer_as_the_recipe_says(world: &mut World) {
    let john = lookup(world, "smtp", "transport_maps", "john@example.org").unwrap();
    assert!(john.ends_with(":[backend1.example.org]:25"), "{john}");
    let jane = lookup(world, "smtp", "transport_maps", "jane@example.org").unwrap();
    assert!(jane.ends_with(":[backend2.example.org]:25"), "{jane}");
    assert_eq!(
        lookup(world, "smtp", "virtual_alias_maps", "john.doe@example.org").as_deref(),
        Some("john@example.org")
    );
    for group in [
        "staff@example.org",
        "team@example.org",
        "engineers@example.org",
    ] {
        let members = lookup(world, "smtp", "virtual_alias_maps", group).unwrap();
        let mut members: Vec<&str> = members.split(',').map(str::trim).collect();
        members.sort_unstable();
        assert_eq!(members, ["jane@example.org", "john@example.org"], "{group}");
    }
    // Each backend knows its own people, and nobody else's.
    for (host, own, other) in [("backend1", "john", "jane"), ("backend2", "jane", "john")] {
        let own = format!("{own}@example.org");
        let other = format!("{other}@example.org");
        assert!(
            lookup(world, host, "local_recipient_maps", &own).is_some(),
            "{host} {own}"
        );
        assert_eq!(
            lookup(world, host, "local_recipient_maps", &other),
            None,
            "{host}"
        );
        assert_eq!(
            lookup(world, host, "transport_maps", &own).as_deref(),
            Some("lmtp:unix:/run/cyrus/socket/lmtp"),
            "{host}"
        );
        assert_eq!(
            lookup(world, host, "transport_maps", &other),
            None,
            "{host}"
        );
    }
    for address in ["shared@example.org", "memo@example.org"] {
        assert_eq!(
            lookup(world, "backend2", "virtual_alias_maps", address).as_deref(),
            Some("\"folder+shared/memo\"@example.org")
        );
        assert_eq!(
            lookup(world, "backend1", "virtual_alias_maps", address),
            None
        );
    }
}

/// `trace --live` over SSH: all hosts on the way are asked at the same time, and agree until a table is changed by hand.
pub fn hosts_on_the_way_agree_with_the_model(world: &mut World) {
    let trace = |more: &[&str]| {
        let ldif = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/base.ldif");
        let words = ["trace", "--manifest", "manifest", "--overlay", "lab.yaml"];
        let words = [&words[..], &["--ldif", ldif, "--live"], more].concat();
        let output = world.command(&words).output().unwrap();
        let said = crate::world::text(&output.stdout) + &crate::world::text(&output.stderr);
        (output.status.code(), said)
    };
    let addresses = [
        "john.doe+x@example.org",
        "staff@example.org",
        "memo@example.org",
        "nosuch@example.org",
    ];
    let (code, said) = trace(&addresses);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("live route"), "{said}");
    for host in ["mx", "smtp", "backend1", "backend2"] {
        assert!(
            said.contains(&format!("live {host}.example.org: agrees in ")),
            "{said}"
        );
    }
    let line = "john.doe@example.org relay:[elsewhere.example.org]";
    let table = "/etc/postfix/transport";
    world.lab.sh(
        "mx",
        &format!("cp {table} /root/kept; echo '{line}' >>{table}; postmap {table}"),
    );
    let (code, said) = trace(&["john.doe@example.org"]);
    world.lab.sh(
        "mx",
        &format!("cat /root/kept >{table}; postmap {table}; rm /root/kept"),
    );
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("live route DIFFERS")
            && said.contains("live mx.example.org: DISAGREES in 1 of ")
            && said.contains("the host has `relay:[elsewhere.example.org]`")
            && said.contains("live backend1.example.org: agrees in "),
        "{said}"
    );
    world.converge();
}

pub fn mail_from_outside_arrives(world: &mut World) {
    // Recipient, then where it must arrive: a backend and a mailbox, one or more.
    let ways: &[(&str, &[(&str, &str)])] = &[
        ("john@example.org", &[("backend1", "user/john")]),
        ("JOHN@Example.ORG", &[("backend1", "user/john")]),
        ("john.doe@example.org", &[("backend1", "user/john")]),
        ("jane@example.org", &[("backend2", "user/jane")]),
        ("john+lists@example.org", &[("backend1", "user/john/lists")]),
        ("John+lists@EXAMPLE.ORG", &[("backend1", "user/john/lists")]),
        ("john+nowhere@example.org", &[("backend1", "user/john")]),
        (
            "staff@example.org",
            &[("backend1", "user/john"), ("backend2", "user/jane")],
        ),
        (
            "team@example.org",
            &[("backend1", "user/john"), ("backend2", "user/jane")],
        ),
        (
            "all@example.org",
            &[("backend1", "user/john"), ("backend2", "user/jane")],
        ),
        (
            "engineers@example.org",
            &[("backend1", "user/john"), ("backend2", "user/jane")],
        ),
        ("shared@example.org", &[("backend2", "shared/memo")]),
        ("memo@example.org", &[("backend2", "shared/memo")]),
        ("news@example.org", &[("backend1", "news")]),
        ("max@example.org", &[("backend2", "user/jane")]),
    ];
    for entrance in ["mx", "smtp"] {
        let sent: Vec<_> = ways
            .iter()
            .map(|(to, mailboxes)| {
                let token = token();
                send(world, entrance, to, &token)
                    .unwrap_or_else(|Refused(answer)| panic!("{entrance} refuses {to}: {answer}"));
                (to, mailboxes, token)
            })
            .collect();
        for (_, mailboxes, token) in sent {
            for (host, mailbox) in *mailboxes {
                arrives(world, host, mailbox, &token);
            }
        }
    }
    // Role addresses are answered for at the edge and inside, and end in some mailbox.
    for entrance in ["mx", "smtp"] {
        let token = token();
        send(world, entrance, "postmaster@example.org", &token)
            .unwrap_or_else(|Refused(answer)| panic!("{entrance} refuses postmaster: {answer}"));
        until(&format!("{token} to postmaster by {entrance}"), 30, || {
            (!is_nowhere(world, HOSTS, &token)).then_some(())
        });
    }
}

pub fn mail_from_inside_arrives(world: &mut World) {
    // From one backend to a user of the other, by way of the internal MTA; and to its own user.
    for (to, host, mailbox) in [
        ("jane@example.org", "backend2", "user/jane"),
        ("john@example.org", "backend1", "user/john"),
        ("staff@example.org", "backend2", "user/jane"),
        ("shared@example.org", "backend2", "shared/memo"),
    ] {
        let token = token();
        sendmail(world, "backend1", "john@example.org", to, &token);
        arrives(world, host, mailbox, &token);
    }
    // To the rest of the world, by way of the internal MTA and the edge.
    for host in ["backend1", "smtp", "frontend1", "mupdate"] {
        let token = token();
        sendmail(
            world,
            host,
            "john@example.org",
            "friend@outside.example",
            &token,
        );
        lands_in(world, "ldap", "/var/outside", &token);
    }
    // What cron and the system write to root stays readable somewhere, and does not wander.
    for host in HOSTS {
        let token = token();
        sendmail(world, host, "root", "root", &token);
        until(&format!("{token}, root's mail on {host}"), 30, || {
            (!is_nowhere(world, HOSTS, &token)).then_some(())
        });
    }
    // A bounce of an unknown recipient comes back to its sender, once.
    let token = token();
    sendmail(
        world,
        "backend1",
        "john@example.org",
        "nosuch@example.org",
        &token,
    );
    arrives(world, "backend1", "user/john", &token);
}

pub fn unknown_recipients_are_refused(world: &mut World) {
    for entrance in ["mx", "smtp"] {
        for to in ["nosuch@example.org", "nosuch+x@example.org"] {
            let Err(Refused(answer)) = send(world, entrance, to, &token()) else {
                panic!("{entrance} accepts {to}");
            };
            assert!(answer.starts_with("550"), "{entrance}: {to}: {answer}");
        }
        // Nobody outside may send through us to somewhere else.
        let Err(Refused(answer)) = send(world, entrance, "friend@outside.example", &token()) else {
            panic!("{entrance} is an open relay");
        };
        assert!(
            answer.starts_with("45") || answer.starts_with("55"),
            "{entrance}: {answer}"
        );
    }
    // A backend says "later" of people it does not know: they may be moving.
    let Err(Refused(answer)) = send(world, "backend1", "jane@example.org", &token()) else {
        panic!("backend1 accepts jane");
    };
    assert!(answer.starts_with("450"), "{answer}");
}

pub fn undecided_recipients_wait(world: &mut World) {
    // Valid, and no mailbox yet; one that is said to be on two backends.
    for (to, code) in [("zoe@example.org", "450"), ("twin@example.org", "45")] {
        let Err(Refused(answer)) = send(world, "smtp", to, &token()) else {
            panic!("{to}, who has no one mailHost, is accepted");
        };
        assert!(answer.starts_with(code), "{to}: {answer}");
    }
    // From the backend it waits in a queue, and nothing comes back.
    let token = token();
    sendmail(
        world,
        "backend1",
        "john@example.org",
        "zoe@example.org",
        &token,
    );
    until("zoe's mail in a queue", 30, || {
        ["backend1", "smtp"]
            .iter()
            .any(|host| queue(world, host).contains("zoe@example.org"))
            .then_some(())
    });
    assert!(is_nowhere(world, HOSTS, &token));
    // With the mailHost it goes where it belongs.
    world.lab.sh(
        "ldap",
        "printf 'dn: uid=zoe,ou=People,dc=example,dc=org\\nchangetype: modify\\nadd: mailHost\\nmailHost: backend1.example.org\\n' \
         | ldapmodify -x -H ldap:/// -D cn=admin,dc=example,dc=org -w admin",
    );
    let here = env!("CARGO_MANIFEST_DIR");
    let made = std::process::Command::new(format!("{here}/tests/lab/cyrus"))
        .args(["mailbox", "backend1", "user/zoe"])
        .status()
        .unwrap();
    assert!(made.success());
    // trivial-rewrite(8) remembers its last answer for 30 s; a reload forgets it.
    for host in ["backend1", "smtp"] {
        world
            .lab
            .sh(host, "postfix reload 2>/dev/null; sleep 1; postqueue -f");
    }
    let token_of_zoe = token;
    until("zoe's mail in her mailbox", 60, || {
        for host in ["backend1", "smtp"] {
            world.lab.sh(host, "postqueue -f");
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
        (!is_nowhere(world, &["backend1"], &token_of_zoe)).then_some(())
    });
}

pub fn no_message_ever_looped(world: &mut World) {
    for host in HOSTS {
        // A process that met a proxymap(8) of another configuration while one was applied ends, and begins anew. postmap(1) carries no mail:
        // it says so where a table that it is asked has no index yet.
        let signs = world.lab.sh(
            host,
            "grep -v -e 'proxymap service is not configured' -e 'bad command startup -- throttling' -e 'postfix/postmap\\[' /var/log/mail.log | grep -E 'too many hops|loops back to myself|mail forwarding loop|unreasonable virtual_alias_maps|fatal:|panic:' || true",
        );
        assert_eq!(signs, "", "{host}");
        let queue = queue(world, host);
        assert_eq!(queue, "", "{host} has mail left in its queue");
    }
}
