//! What Postfix would die of, and what only looks like it: each once found by breaking a host.

use std::io::Write as _;
use std::process::Stdio;

use murder::machine::remote::Remote;
use murder::machine::{Activation, Apply, Ending, NotDone, Observe, Orders, Performed, Questions};
use murder::name::ServiceName;
use murder::postfix::Edit;
use murder::service::Service;
use murder::state::Probes;
use murder::thing::Field;

use super::applying::{file, orders, parameter, prepared, refused, table};
use super::host::Host;
use super::{asking, index_of, leftovers, path};

fn set(name: &str, value: &str) -> Edit {
    Edit::Set(parameter(name), value.to_owned())
}

fn editing(host: &Host, run: &str, edits: Vec<Edit>) -> Orders {
    let mut orders = orders(host, run, &[]);
    orders.service_mut(&Service::POSTFIX).edits = edits;
    orders
}

fn words(ending: Ending) -> String {
    match ending {
        Ending::NotDone(NotDone::Untouched { error: failure }) => format!("untouched: {failure:?}"),
        Ending::NotDone(NotDone::PutBack { error: failure }) => format!("put back: {failure:?}"),
        other => format!("{other:?}"),
    }
}

#[track_caller]
fn applied(host: &Host, orders: &Orders) -> Performed {
    let performed = Remote::new(host.shell()).perform(orders, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    performed
}

#[track_caller]
fn done(host: &Host, orders: &Orders) -> Vec<String> {
    applied(host, orders).log
}

fn option(service: &str, name: &str, value: &str) -> Edit {
    let service = ServiceName::new(service).unwrap();
    Edit::SetOption(service, parameter(name), value.to_owned())
}

/// `postfix check` and reload take all of these, and then mail stops.
#[test]
fn tables_and_numbers_that_stop_mail_are_refused_before_anything_changes() {
    let host = prepared();
    let cases: &[(&[Edit], &str)] = &[
        (
            &[set(
                "smtpd_recipient_restrictions",
                "check_recipient_access hsah:/etc/postfix/doors, permit",
            )],
            "no table type `hsah`",
        ),
        (
            &[set(
                "smtpd_sender_restrictions",
                "permit_mynetworks, check_sender_access hsah:/x",
            )],
            "no table type `hsah`",
        ),
        (
            &[set("virtual_alias_maps", "satic:x")],
            "no table type `satic`",
        ),
        (
            &[set("transport_maps", "hash:/etc/postfix/nosuch")],
            "/etc/postfix/nosuch",
        ),
        (
            &[set("relay_clientcerts", "hash:/etc/postfix/nosuch")],
            "/etc/postfix/nosuch",
        ),
        (
            &[set("smtpd_authorized_xclient_hosts", "hsah:/x")],
            "no table type `hsah`",
        ),
        (
            &[set("smtp_generic_maps", "socketmep:unix:/x:y")],
            "no table type `socketmep`",
        ),
        (
            &[option(
                "smtp/unix",
                "smtp_generic_maps",
                "hsah:/etc/postfix/x",
            )],
            "no table type `hsah`",
        ),
        (
            &[
                set("mytime", "abc"),
                option("smtp/unix", "smtp_connect_timeout", "$mytime"),
            ],
            "smtp/unix/smtp_connect_timeout",
        ),
        (
            &[
                set("mynum", "99999999999"),
                set("smtp_connect_timeout", "$mynum"),
            ],
            "larger than Postfix can read",
        ),
        (
            &[set("mynum", "-5"), set("hopcount_limit", "$mynum")],
            "out of range",
        ),
    ];
    for (number, (edits, why)) in cases.iter().enumerate() {
        let said = words(refused(
            &host,
            &editing(&host, &format!("r{number}"), edits.to_vec()),
        ));
        assert!(
            said.starts_with("untouched:") && said.contains(why),
            "{edits:?}\n{said}"
        );
    }
    // What is changed by what it refers to.
    done(
        &host,
        &editing(
            &host,
            "a",
            vec![set("mytime", "30s"), set("smtp_connect_timeout", "$mytime")],
        ),
    );
    let said = words(refused(
        &host,
        &editing(&host, "b", vec![set("mytime", "soon")]),
    ));
    assert!(said.contains("smtp_connect_timeout = soon"), "{said}");
    // Tables of every form that are right.
    host.write("/etc/postfix/doors", "x@example.org REJECT\n");
    host.write("/etc/postfix/only-root", "x y\n");
    host.run("chmod 600 /etc/postfix/doors /etc/postfix/only-root; postmap /etc/postfix/doors /etc/postfix/only-root");
    done(
        &host,
        &editing(
            &host,
            "c",
            vec![
                set(
                    "smtpd_recipient_restrictions",
                    "check_recipient_access hash:/etc/postfix/doors, permit",
                ),
                set("smtp_sasl_password_maps", "hash:/etc/postfix/only-root"),
                set(
                    "virtual_alias_maps",
                    "inline:{ {a@example.org = b@example.org, c@example.org} }, static:root",
                ),
                set("mynetworks", "127.0.0.0/8 [::1]/128 !10.0.0.1"),
                set("header_checks", "regexp:{ {/^X-{1,3}: a, b/ WARN} }"),
                set(
                    "address_verify_map",
                    "btree:$data_directory/nobody_has_made_this",
                ),
                set("relay_clientcerts", "hash:/etc/postfix/doors"),
                set(
                    "smtpd_etrn_restrictions",
                    "check_policy_service unix:private/policy, check_policy_service inet:127.0.0.1:1",
                ),
                set("smtpd_milters", "inet:127.0.0.1:1, unix:/nosuch"),
                set("milter_default_action", "accept"),
            ],
        ),
    );
    // proxymap(8) is user postfix, which may not read what only root may.
    let said = words(refused(
        &host,
        &editing(
            &host,
            "d",
            vec![set("canonical_maps", "proxy:hash:/etc/postfix/only-root")],
        ),
    ));
    assert!(
        said.starts_with("untouched:") && said.contains("user postfix"),
        "{said}"
    );
}

/// postmaster passes any restriction list, so somebody else is asked about as well.
#[test]
fn a_restriction_that_is_none_is_put_back() {
    let host = prepared();
    let edits = vec![set(
        "smtpd_recipient_restrictions",
        "permit_mynetwork, reject",
    )];
    let said = words(refused(&host, &editing(&host, "r1", edits)));
    assert!(
        said.starts_with("put back:") && said.contains("can judge no recipient"),
        "{said}"
    );
}

/// Adds an smtpd that listens on `name` to the master.cf that was put by.
fn add_line(host: &Host, name: &str) {
    host.run(&format!(
        "cp /root/master.cf /etc/postfix/master.cf; echo '{name} inet n - y - - smtpd' >>/etc/postfix/master.cf"
    ));
}

/// An apply of something else refuses that line before anything is changed, and says why.
#[track_caller]
fn line_is_refused(host: &Host, run: &str, name: &str, why: &str) {
    let edited = editing(host, run, vec![set("bounce_queue_lifetime", "3d")]);
    let said = words(refused(host, &edited));
    assert!(
        said.starts_with("untouched:")
            && said.contains(&format!("`{name} inet`"))
            && said.contains(why),
        "{name}: {said}"
    );
}

/// Lines that somebody wrote by hand, and that Postfix was never told of: being told kills its master, and putting
/// back would not help.
#[test]
fn a_line_that_master_dies_of_is_refused_before_it_is_told() {
    let host = prepared();
    host.run("cp /etc/postfix/master.cf /root/master.cf");
    for (number, (name, why)) in [
        ("smtp2", "knows the port `smtp2`"),
        ("127.0.0.1:smtp2", "knows the port `smtp2`"),
        ("localhost:", "names no port"),
        ("[127.0.0.1]", "no port behind it"),
        ("192.0.2.77:2525", "has no address `192.0.2.77`"),
        ("[2001:db8::77]:2525", "`2001:db8::77` is no address"),
        ("nosuch.invalid:2525", "`nosuch.invalid` is no address"),
    ]
    .into_iter()
    .enumerate()
    {
        add_line(&host, name);
        line_is_refused(&host, &format!("r{number}"), name, why);
        // Nothing to edit, and Postfix is to be told all the same.
        let told = orders(&host, &format!("t{number}"), &[]);
        let said = words(refused(&host, &told));
        assert!(said.starts_with("untouched:"), "{name}: {said}");
    }
    // Whatever is right passes, and so does what Postfix passes over.
    host.run("cp /root/master.cf /etc/postfix/master.cf; echo 'smtp2 2599/tcp' >>/etc/services; cp /etc/services /var/spool/postfix/etc/");
    for name in [
        "smtp2",
        "127.0.0.1:10025",
        "[127.0.0.1]:10026",
        "127.0.0.2:10027",
        "localhost:10028",
        "host.example.org:10029",
        "10030",
        "submission",
    ] {
        host.run(&format!(
            "echo '{name} inet n - y - - smtpd' >>/etc/postfix/master.cf"
        ));
    }
    let edited = editing(&host, "a", vec![set("bounce_queue_lifetime", "3d")]);
    done(&host, &edited);
    host.run("echo 'smtp3 inet n - y - - smtpd' >>/etc/postfix/master.cf; postconf -e master_service_disable=smtp3.inet");
    let edited = editing(&host, "b", vec![set("bounce_queue_lifetime", "4d")]);
    let log = done(&host, &edited);
    assert!(
        log.iter()
            .any(|line| line.starts_with("not verified: the service smtp3/inet")),
        "{log:?}"
    );
    assert_eq!(
        host.run("postfix status 2>/dev/null && echo runs"),
        "runs\n"
    );
}

/// The same of a port that is taken: by another program, or by another line.
#[test]
fn a_line_for_a_port_that_is_taken_is_refused_before_it_is_told() {
    let host = prepared();
    let squat = "import socket,time\na=socket.create_server(('0.0.0.0',2525))\nb=socket.create_server(('127.0.0.2',2526))\ntime.sleep(600)\n";
    host.write("/root/squat.py", squat);
    let mut squatter = host
        .command("exec python3 /root/squat.py")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    super::until(|| host.run("grep -c ':09D[DE] 00000000:0000 0A' /proc/net/tcp") == "2\n");
    host.run("cp /etc/postfix/master.cf /root/master.cf");
    for (number, (name, why)) in [
        ("2525", "another program listens on port 2525"),
        ("127.0.0.1:2525", "another program listens on port 2525"),
        ("2526", "another program listens on port 2526"),
        ("127.0.0.2:2526", "another program listens on port 2526"),
    ]
    .into_iter()
    .enumerate()
    {
        add_line(&host, name);
        line_is_refused(&host, &format!("r{number}"), name, why);
    }
    for (number, sh) in ["dash", "bash", "busybox sh"].into_iter().enumerate() {
        for name in ["2525", "smtp2", "192.0.2.77:2528"] {
            add_line(&host, name);
            let edits = vec![set("bounce_queue_lifetime", "3d")];
            let performed = Remote::new(host.shell())
                .with_sh(sh)
                .perform(&editing(&host, &format!("s{number}"), edits), None)
                .unwrap();
            let said = words(performed.ending);
            assert!(
                said.starts_with("untouched:") && said.contains(&format!("`{name} inet`")),
                "{sh}: {said}"
            );
        }
    }
    // Another address of that port is free; and what Postfix listens on is its own, however often it is written.
    host.run("cp /root/master.cf /etc/postfix/master.cf");
    for name in ["127.0.0.1:2526", "2527", "smtp"] {
        host.run(&format!(
            "echo '{name} inet n - y - - smtpd' >>/etc/postfix/master.cf"
        ));
    }
    done(
        &host,
        &editing(&host, "a", vec![set("bounce_queue_lifetime", "3d")]),
    );
    host.run("touch /etc/postfix/master.cf");
    done(
        &host,
        &editing(&host, "b", vec![set("bounce_queue_lifetime", "4d")]),
    );
    assert_eq!(
        host.run("postfix status 2>/dev/null && echo runs"),
        "runs\n"
    );
    squatter.kill().unwrap();
    squatter.wait().unwrap();
}

/// What kills master at the reload and was not asked for before: here, that another program has the port of a name
/// which only the resolver knows. Of a plain port that is known.
#[test]
fn a_dead_master_is_started_again() {
    let host = prepared();
    let squatter =
        "import socket,time\ns=socket.create_server(('0.0.0.0',2525))\ntime.sleep(600)\n";
    host.write("/root/squat.py", squatter);
    let mut squatter = host
        .command("exec python3 /root/squat.py")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    super::until(|| host.run("grep -c ':09DD 00000000:0000 0A' /proc/net/tcp") == "1\n");
    let new = |name: &str| {
        let service = ServiceName::new(format!("{name}/inet")).unwrap();
        vec![Edit::SetService(
            service,
            format!("{name} inet n - n - - smtpd"),
        )]
    };
    let said = words(refused(&host, &editing(&host, "r0", new("2525"))));
    assert!(
        said.starts_with("untouched:") && said.contains("another program listens on port 2525"),
        "{said}"
    );
    let said = words(refused(&host, &editing(&host, "r1", new("localhost:2525"))));
    assert!(said.starts_with("put back:"), "{said}");
    assert_eq!(
        host.run("postfix status 2>/dev/null && echo runs"),
        "runs\n"
    );
    squatter.kill().unwrap();
    squatter.wait().unwrap();
}

/// What is in the log and is not a service of Postfix that dies of this apply.
#[test]
fn words_of_strangers_and_of_earlier_processes_are_no_trouble() {
    let host = prepared();
    let talk = "while :; do logger -p mail.info -t 'postfix/smtp[77]' 'ABC: to=<x@y>, status=deferred (host said: 451 4.7.650 throttling of IP fatal: panic: )'; \
                logger -p mail.info -t 'postfix/sendmail[78]' 'fatal: usage: sendmail [options]'; logger -p mail.info -t 'dovecot[79]' 'fatal: something'; sleep 0.05; done";
    let mut talker = host.command(talk).stdin(Stdio::null()).spawn().unwrap();
    done(
        &host,
        &editing(&host, "r1", vec![set("bounce_queue_lifetime", "3d")]),
    );
    talker.kill().unwrap();
    talker.wait().unwrap();
    // A service that dies for good is seen all the same.
    let edits = vec![Edit::SetField(
        ServiceName::new("smtp/inet").unwrap(),
        Field::Command,
        "smtpd -Q".to_owned(),
    )];
    let said = words(refused(&host, &editing(&host, "r2", edits)));
    assert!(said.starts_with("put back:"), "{said}");
}

/// Clients that are served while main.cf stops naming a table of proxymap's: their smtpd dies of it, once.
#[test]
fn processes_of_before_may_die_of_what_they_cannot_know() {
    let host = prepared();
    host.write("/etc/postfix/va", "a@host.example.org root\n");
    host.run("postmap /etc/postfix/va; postconf -e virtual_alias_maps=proxy:hash:/etc/postfix/va; postfix reload");
    let load = "import smtplib,time\nwhile True:\n try:\n  s=smtplib.SMTP('127.0.0.1',25,timeout=5)\n  for i in range(20):\n   s.docmd('MAIL FROM:<>'); s.docmd('RCPT TO:<a@host.example.org>'); s.docmd('RSET'); time.sleep(0.02)\n  s.quit()\n except Exception: pass\n";
    host.write("/root/load.py", load);
    let mut clients: Vec<_> = (0..3)
        .map(|_| {
            host.command("exec python3 /root/load.py")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for round in 0..4 {
        let proxy = if round % 2 == 0 { "" } else { "proxy:" };
        let edits = vec![set(
            "virtual_alias_maps",
            &format!("{proxy}hash:/etc/postfix/va"),
        )];
        // master(8) tells of an end a second later: that of one round shall not be taken for the next one's.
        std::thread::sleep(std::time::Duration::from_secs(3));
        let orders = editing(&host, &format!("r{round}"), edits);
        let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
        let log =
            host.run("grep -v -e onnect -e client= -e reject: /var/log/mail.log | tail -n 60");
        assert_eq!(performed.ending, Ending::Done, "{performed:?}\n{log}");
    }
    for client in &mut clients {
        client.kill().unwrap();
        client.wait().unwrap();
    }
}

/// A process on its way out may hang up on whom it has just let in: that alone is no reason to put anything back.
#[test]
fn who_was_hung_up_on_asks_again() {
    let host = prepared();
    // The first session is that of before the change; those from the second to the last of the mute ones are cut.
    let asker = "#!/bin/sh\necho x >>/root/asked\ncount=$(wc -l </root/asked)\n\
                 [ $count -ge 2 ] && [ $count -le \"$(cat /root/mute)\" ] || exec /bin/bash \"$@\"\n\
                 shift 3\nfor to; do echo \"$to hung up\"; done\n";
    host.write("/usr/sbin/bash", asker);
    host.run("chmod 755 /usr/sbin/bash; echo 3 >/root/mute");
    let log = done(
        &host,
        &editing(&host, "r1", vec![set("bounce_queue_lifetime", "3d")]),
    );
    assert!(
        log.contains(&"asked over SMTP again: hung up".to_owned()),
        "{log:?}"
    );
    assert_eq!(host.read("/root/asked").lines().count(), 4);
    // Where it is so each time, no mail comes in any more.
    host.run("rm /root/asked; echo 5 >/root/mute");
    let edits = vec![set("bounce_queue_lifetime", "4d")];
    let said = words(refused(&host, &editing(&host, "r2", edits)));
    assert!(
        said.starts_with("put back:")
            && said.contains("Postfix takes no mail any more")
            && said.contains("hung up"),
        "{said}"
    );
}

/// master(8) holds a service back since before the change, and a process of before hides it until Postfix is told.
#[test]
fn what_was_held_back_before_is_waited_for() {
    let host = prepared();
    let smtpd = "/usr/lib/postfix/sbin/smtpd";
    host.run("postconf -e service_throttle_time=30s; postfix reload");
    let hold = format!(
        "import socket,subprocess\na=socket.create_connection(('127.0.0.1',25)); a.recv(99)\n\
         subprocess.run('mv {smtpd} {smtpd}.real; printf \"#!/bin/sh\\\\nexit 1\\\\n\" >{smtpd}; chmod 755 {smtpd}',shell=True)\n\
         b=socket.create_connection(('127.0.0.1',25))\n\
         subprocess.run('until grep -q throttling /var/log/mail.log; do sleep 0.1; done; mv -f {smtpd}.real {smtpd}',shell=True)\n\
         b.close(); a.sendall(b'QUIT\\r\\n'); a.recv(99)\n"
    );
    host.write("/root/hold.py", &hold);
    host.run("timeout 20 python3 /root/hold.py");
    let log = done(
        &host,
        &editing(&host, "r1", vec![set("bounce_queue_lifetime", "3d")]),
    );
    let waited = "waited for services that master(8) held back".to_owned();
    assert!(
        log.contains(&waited),
        "{log:?}\n{}",
        host.read("/var/log/mail.log")
    );
}

/// A host without a log file: what the journal told before is not new.
#[test]
fn the_journal_is_read_where_there_is_no_log_file() {
    let host = prepared();
    host.run("pkill rsyslogd; rm -f /var/log/mail.log");
    let fatal = "Nov 25 01:02:03 host postfix/smtpd[4242]: fatal: in parameter x: bad numerical configuration: y";
    host.write("/usr/bin/journalctl", &format!("#!/bin/sh\ncase \"$*\" in *' _UID=0 + '*) ;; *) exit ;; esac\necho '{fatal}'\ncase \"$*\" in *--until*) exit ;; esac\n[ ! -e /root/more ] || echo 'Nov 25 01:02:04 host postfix/cleanup[4243]: fatal: a new one'\n"));
    host.run("chmod 755 /usr/bin/journalctl");
    done(
        &host,
        &editing(&host, "r1", vec![set("bounce_queue_lifetime", "3d")]),
    );
    // `postfix reload` is the moment: from then on the journal tells more.
    host.run("cd /usr/sbin; mv postfix postfix.real; printf '#!/bin/sh\\n[ \"$3\" != reload ] || touch /root/more\\nexec /usr/sbin/postfix.real \"$@\"\\n' >postfix; chmod 755 postfix");
    let performed = Remote::new(host.shell())
        .perform(
            &editing(&host, "r2", vec![set("bounce_queue_lifetime", "4d")]),
            None,
        )
        .unwrap();
    let said = words(performed.ending);
    assert!(
        said.starts_with("put back:") && said.contains("postfix/cleanup: fatal: a new one"),
        "{said}"
    );
}

#[test]
fn warnings_that_were_there_before_do_not_count_for_tables_either() {
    let host = prepared();
    host.run("printf 'mailbox_size_limit = 1234567890\\nmailbox_size_limit = 0\\n' >>/etc/postfix/main.cf");
    let mut orders = orders(&host, "r1", &["/etc/postfix/tt"]);
    orders.files = vec![file("/etc/postfix/tt", "a b\n", "root", 0o644)];
    orders.service_mut(&Service::POSTFIX).indexes = vec![index_of("/etc/postfix/tt")];
    orders.service_mut(&Service::POSTFIX).tables = vec![(path("/etc/postfix/tt"), table("hash"))];
    done(&host, &orders);
}

/// The name of a table is no reason to overlook what is said of it.
#[test]
fn a_table_may_be_called_almost_like_main_cf() {
    let host = prepared();
    for (run, name) in ["/etc/postfix/other.cf", "/etc/postfix/relay_domain.cf"]
        .into_iter()
        .enumerate()
    {
        let mut orders = orders(&host, &format!("r{run}"), &[name]);
        orders.files = vec![file(
            name,
            "server_host = ldap://127.0.0.1:1\nsearch_base = x\n",
            "root",
            0o600,
        )];
        orders.service_mut(&Service::POSTFIX).tables = vec![(path(name), table("ldap"))];
        let said = words(refused(&host, &orders));
        assert!(
            said.starts_with("untouched:") && said.contains("Permission denied"),
            "{said}"
        );
    }
}

/// A payload that is whole is worked on, even where nobody is left to hear that it was accepted.
#[test]
fn the_loader_outlives_its_reader() {
    let host = prepared();
    let payload = host.payload_of(&editing(
        &host,
        "r1",
        vec![set("bounce_queue_lifetime", "3d")],
    ));
    let mut child = host
        .command(&format!(
            "exec 3>&1; {{ sleep 1; {}; }} | true",
            payload.command
        ))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&payload.stdin)
        .unwrap();
    child.wait().unwrap();
    super::until(|| {
        host.run("postconf -h bounce_queue_lifetime; ls /var/lib/murder")
            == "3d\nbefore\nlast\nledger.json\nlock\npaths\n"
    });
    assert_eq!(leftovers(&host), Vec::<String>::new());
}

#[test]
fn payloads_of_the_dead_are_seen_and_swept() {
    let host = prepared();
    done(
        &host,
        &editing(&host, "r1", vec![set("bounce_queue_lifetime", "3d")]),
    );
    // One belongs to a loader that still takes its payload; the other's number is somebody else's by now.
    host.run(
        "cd /var/lib/murder; echo secret >spool.dead.999999; \
         sh -c ': spool.young.; sleep 60' >/dev/null 2>&1 & \
         echo young >/var/lib/murder/spool.young.$!; echo secret >/var/lib/murder/spool.old.1",
    );
    let live = Remote::new(host.shell())
        .observe(&Questions::default())
        .unwrap()
        .live;
    assert_eq!(live.leftovers, ["/var/lib/murder/spool.dead.999999"]);
    let mut orders = editing(&host, "r2", vec![]);
    (
        orders.service_mut(&Service::POSTFIX).check,
        orders.service_mut(&Service::POSTFIX).activation,
    ) = (false, Activation::Nothing);
    done(&host, &orders);
    assert_eq!(host.run("cat /var/lib/murder/spool.*"), "young\n");
    let live = Remote::new(host.shell())
        .observe(&Questions::default())
        .unwrap()
        .live;
    assert!(live.leftovers.is_empty(), "{live:?}");
}

#[test]
fn a_lock_that_cannot_be_written_leaves_nothing_half_way() {
    let host = prepared();
    host.run("mkdir -p /var/lib/murder/lock");
    let performed = Remote::new(host.shell())
        .perform(
            &editing(&host, "r1", vec![set("bounce_queue_lifetime", "3d")]),
            None,
        )
        .unwrap();
    let said = words(performed.ending);
    assert!(
        said.starts_with("untouched:") && said.contains("lock"),
        "{said}"
    );
    host.run("rmdir /var/lib/murder/lock");
    // Killed before its journal: nothing was changed, and so it is said.
    let performed = Remote::new(host.shell())
        .with_fault("kill:1")
        .perform(
            &editing(&host, "r2", vec![set("bounce_queue_lifetime", "3d")]),
            None,
        )
        .unwrap();
    let said = words(performed.ending);
    assert!(
        said.starts_with("untouched:") && said.contains("before it had changed anything"),
        "{said}"
    );
}

#[test]
fn what_was_only_for_us_goes_with_us() {
    let host = prepared();
    let name = "/etc/postfix/made/deep/file.cf";
    let mut first = orders(&host, "r1", &[name]);
    first.files = vec![file(name, "x = y\n", "root", 0o644)];
    done(&host, &first);
    let mut second = orders(&host, "r2", &[name]);
    second.deletes = vec![(path(name), None)];
    done(&host, &second);
    assert_eq!(
        host.run("ls -d /etc/postfix/made 2>&1 | wc -l; ls -d /etc/postfix/made 2>/dev/null"),
        "1\n"
    );
    // Another's file in the same directory keeps it.
    done(&host, &{
        let mut again = orders(&host, "r3", &[name]);
        again.files = vec![file(name, "x = y\n", "root", 0o644)];
        again
    });
    host.write("/etc/postfix/made/theirs", "x\n");
    let mut last = orders(&host, "r4", &[name]);
    last.deletes = vec![(path(name), None)];
    done(&host, &last);
    assert_eq!(
        host.run("find /etc/postfix/made"),
        "/etc/postfix/made\n/etc/postfix/made/theirs\n"
    );
}

#[test]
fn a_link_to_a_path_with_blanks_is_refused() {
    let host = prepared();
    host.write("/etc/postfix/foo", "a b\n");
    let mut orders = orders(&host, "r1", &["/etc/postfix/foo"]);
    orders.files = vec![file("/etc/postfix/foo", "c d\n", "root", 0o644)];
    // The observation saw a plain file; a link to the same text takes its place before the apply.
    host.run("mkdir -p '/srv/my conf'; mv /etc/postfix/foo '/srv/my conf/foo'; ln -s '/srv/my conf/foo' /etc/postfix/foo");
    let said = words(refused(&host, &orders));
    assert!(
        said.starts_with("untouched:") && said.contains("blanks"),
        "{said}"
    );
    assert_eq!(host.run("ls -A '/srv/my conf'"), "foo\n");
    // An observation does not follow it, either.
    let live = Remote::new(host.shell())
        .observe(&asking(&["/etc/postfix/foo"]))
        .unwrap()
        .live;
    let seen = format!("{:?}", live.files);
    assert!(seen.contains("blanks"), "{seen}");
}

/// A probe that failed before and fails still is no reason to put anything back, and no reason to say `done` alone.
#[test]
fn a_probe_that_failed_before_and_fails_still_is_a_fault_that_remains() {
    let host = prepared();
    let mut probed = editing(&host, "r1", vec![set("bounce_queue_lifetime", "3d")]);
    probed.service_mut(&Service::POSTFIX).probes = Probes {
        accept: vec!["nosuch@host.example.org".to_owned()],
        refuse: vec!["root@host.example.org".to_owned()],
    };
    let found = applied(&host, &probed).found;
    assert_eq!(found.not_probed, [""; 0]);
    let [accept, refuse] = found.faults.as_slice() else {
        panic!("{found:?}")
    };
    assert!(
        accept.starts_with(
            "the probe nosuch@host.example.org should be accepted; it was refused before this apply, and is refused still: 550 5.1.1 "
        ),
        "{accept}"
    );
    assert!(
        refuse.starts_with(
            "the probe root@host.example.org should be refused; it was accepted before this apply, and is accepted still: 250 "
        ),
        "{refuse}"
    );
}

/// Nobody was asked: because there is nothing to ask with, or nobody to ask.
#[test]
fn why_nobody_was_asked_over_smtp_is_said() {
    let host = prepared();
    host.run("postconf -MX smtp/inet; postfix reload; sleep 1");
    let probes = Probes {
        accept: vec!["root@host.example.org".to_owned()],
        refuse: vec![],
    };
    for (number, (prepare, why)) in [
        ("true", "nothing listens on 127.0.0.1:25, nor did it before"),
        (
            "rm -f /usr/bin/bash /bin/bash",
            "nothing listens on 127.0.0.1:25, nor did it before",
        ),
        (
            "rm -f /usr/bin/perl*",
            "127.0.0.1:25 gives no answer, nor did it before",
        ),
        (
            "rm -f /usr/bin/nc* /bin/nc*",
            "bash, perl and nc are missing",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        host.run(prepare);
        let value = format!("{}d", number + 1);
        let mut probed = editing(
            &host,
            &format!("r{number}"),
            vec![set("bounce_queue_lifetime", &value)],
        );
        probed.service_mut(&Service::POSTFIX).probes = probes.clone();
        let found = applied(&host, &probed).found;
        let wanted = format!("{why}; whether root@host.example.org is accepted is not known");
        assert_eq!((found.not_probed, found.faults), (vec![wanted], vec![]));
    }
}
