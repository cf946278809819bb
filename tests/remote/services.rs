//! What decides where SMTP tells nothing: the services of Postfix, and whether they come up. And what a log is worth.

use std::process::Stdio;
use std::time::Instant;

use murder::machine::remote::Remote;
use murder::machine::{Apply, Ending, NotDone, Performed};
use murder::name::ServiceName;
use murder::plan::Failure;
use murder::postfix::Edit;
use murder::thing::Field;

use super::applying::{orders, parameter, prepared};
use super::host::Host;
use murder::machine::Orders;
use murder::service::Service;

fn set(name: &str, value: &str) -> Edit {
    Edit::Set(parameter(name), value.to_owned())
}

fn command(service: &str, command: &str) -> Edit {
    let service = ServiceName::new(service).unwrap();
    Edit::SetField(service, Field::Command, command.to_owned())
}

fn editing(host: &Host, run: &str, edits: Vec<Edit>) -> Orders {
    let mut orders = orders(host, run, &[]);
    orders.service_mut(&Service::POSTFIX).edits = edits;
    orders
}

/// Changes something that harms nothing.
#[track_caller]
fn harmless(host: &Host, run: &str) -> Performed {
    let orders = editing(host, run, vec![set("bounce_queue_lifetime", "3d")]);
    let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    performed
}

/// An apply that is put back, and why.
#[track_caller]
fn put_back(host: &Host, run: &str, edits: Vec<Edit>) -> String {
    let orders = editing(host, run, edits);
    match Remote::new(host.shell())
        .perform(&orders, None)
        .unwrap()
        .ending
    {
        Ending::NotDone(NotDone::PutBack { error }) => words(&error),
        other => panic!("{other:?}"),
    }
}

/// An apply that is refused before it changes anything, and why.
#[track_caller]
fn untouched(host: &Host, run: &str, edits: Vec<Edit>) -> String {
    let orders = editing(host, run, edits);
    match Remote::new(host.shell())
        .perform(&orders, None)
        .unwrap()
        .ending
    {
        Ending::NotDone(NotDone::Untouched { error }) => words(&error),
        other => panic!("{other:?}"),
    }
}

fn words(error: &Failure) -> String {
    format!(
        "{} | {}",
        error.summary,
        error.detail.as_deref().unwrap_or_default()
    )
}

/// Any user can write such lines into a log that syslog keeps. True deaths are found in the middle of them.
#[test]
fn a_user_who_writes_to_the_log_fails_no_apply() {
    let host = prepared();
    host.run("postconf -e service_throttle_time=3s; postfix reload");
    let flood = "n=0; while :; do logger -p mail.err -t 'postfix/smtpd[1]' \"fatal: made up $n\"; n=$((n + 1)); \
                 logger -p mail.err -t 'postfix/master[1]' 'warning: process /usr/lib/postfix/sbin/qmgr pid 7 exit status 1'; \
                 logger -p mail.err -t 'postfix/master[1]' 'warning: /usr/lib/postfix/sbin/qmgr: bad command startup -- throttling'; \
                 logger -p mail.err -t 'postfix/cleanup[9]' 'fatal: proxymap service is not configured for table'; sleep 0.05; done";
    host.write("/usr/local/bin/flood", flood);
    let mut flooding = host
        .command("exec su -s /bin/sh nobody -c '. /usr/local/bin/flood'")
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    super::until(|| host.run("grep -c 'made up' /var/log/mail.log").trim() != "0");
    let begun = Instant::now();
    let performed = harmless(&host, "r1");
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    let said = |line: &String| line.starts_with("not proven: lines of the log say");
    assert!(performed.log.iter().any(said), "{performed:?}");
    assert!(performed.found.faults.is_empty() && performed.found.not_probed.is_empty());
    let said = put_back(
        &host,
        "r2",
        vec![command("rewrite/unix", "trivial-rewrite -Q")],
    );
    assert!(
        said.contains("/trivial-rewrite: fatal: invalid option: Q"),
        "{said}"
    );
    flooding.kill().unwrap();
    flooding.wait().unwrap();
}

/// Each of Postfix's services, dead of its command line, which nothing but running it shows.
#[test]
fn a_service_that_comes_up_no_more_is_put_back() {
    let host = prepared();
    host.run("postconf -e service_throttle_time=3s; postfix reload");
    for (run, service, program) in [
        ("r1", "smtp/inet", "smtpd"),
        ("r2", "cleanup/unix", "cleanup"),
    ] {
        let said = put_back(&host, run, vec![command(service, &format!("{program} -Q"))]);
        assert!(said.contains(&format!("/{program}: ")), "{said}");
    }
    let all = ["qmgr", "proxymap", "local", "lmtp", "tlsmgr", "pickup"];
    let edits = all.map(|name| command(&format!("{name}/unix"), &format!("{name} -Q")));
    let said = put_back(&host, "r3", edits.to_vec());
    for name in all {
        assert!(said.contains(&format!("{name}/unix")), "{name}: {said}");
    }
    harmless(&host, "r4");
}

/// What was dead before is no reason to put anything back, and no reason to say `done` alone.
#[test]
fn services_that_were_dead_before_are_faults_that_remain() {
    let host = prepared();
    host.run("postconf -e service_throttle_time=3s; postconf -F 'smtp/inet/command=smtpd -Q' 'lmtp/unix/command=lmpt'; postfix reload");
    let found = harmless(&host, "r1").found;
    let says = |words: &str| found.faults.iter().any(|fault| fault.contains(words));
    assert!(
        says(
            "the service `smtp/inet` of master.cf does not come up, and did not before this apply: postfix/smtpd: fatal: invalid option: Q"
        ),
        "{found:?}"
    );
    assert!(
        says(
            "master(8) cannot begin the service `lmtp/unix` of master.cf: /usr/lib/postfix/sbin/lmpt is no program"
        ),
        "{found:?}"
    );
    assert_eq!(
        (found.faults.len(), found.not_probed.len()),
        (2, 1),
        "{found:?}"
    );
    // Whoever mends it finds it mended.
    host.run("postconf -F 'smtp/inet/command=smtpd' 'lmtp/unix/command=lmtp'");
    let found = harmless(&host, "r2").found;
    assert!(
        found.faults.is_empty() && found.not_probed.is_empty(),
        "{found:?}"
    );
}

/// Whoever does not talk to this host is asked in vain, before and after: the services decide.
#[test]
fn what_smtp_does_not_tell_is_not_probed() {
    let host = prepared();
    host.run("postconf -e service_throttle_time=3s smtpd_upstream_proxy_protocol=haproxy smtpd_upstream_proxy_timeout=1s; postfix reload");
    let found = harmless(&host, "r1").found;
    assert!(found.faults.is_empty(), "{found:?}");
    assert!(
        found.not_probed[0].starts_with("127.0.0.1:25 "),
        "{found:?}"
    );
    let said = put_back(&host, "r2", vec![command("cleanup/unix", "cleanup -Q")]);
    assert!(
        said.contains("do not come up since it was told: cleanup/unix"),
        "{said}"
    );
    // postscreen(8) with tests after its greeting.
    host.run("postconf -X smtpd_upstream_proxy_protocol; postconf -M smtp/inet='smtp inet n - y - 1 postscreen' smtpd/pass='smtpd pass - - y - - smtpd'; \
              postconf -e postscreen_access_list= postscreen_cache_map= postscreen_bare_newline_enable=yes postscreen_greet_wait=1s; postfix reload");
    let found = harmless(&host, "r3").found;
    assert!(found.faults.is_empty(), "{found:?}");
    assert!(found.not_probed[0].contains("450 4.3.2"), "{found:?}");
}

/// What master(8) or every program of Postfix would stumble over is known before anything changes.
#[test]
fn programs_directories_and_tables_that_are_none_are_refused_before_anything_changes() {
    let host = prepared();
    let proxied = set("virtual_alias_maps", "proxy:hash:/etc/postfix/doors");
    host.write("/etc/postfix/doors", "a@example.org b@example.org\n");
    host.run("postmap /etc/postfix/doors");
    for (number, (edits, why)) in [
        (
            vec![command("relay/unix", "smpt")],
            "the service `relay/unix`: /usr/lib/postfix/sbin/smpt is no program",
        ),
        (
            vec![set("queue_directory", "/nosuch")],
            "`queue_directory = /nosuch`: there is no such",
        ),
        (
            vec![set("data_directory", "lib/postfix")],
            "`data_directory = lib/postfix` is no absolute path",
        ),
        (
            vec![
                proxied.clone(),
                set("proxy_read_maps", "proxy:unix:passwd.byname"),
            ],
            "proxymap(8) would refuse the table proxy:hash:/etc/postfix/doors",
        ),
        // A default names a table, too.
        (
            vec![
                proxied.clone(),
                set("proxy_read_maps", "$virtual_alias_maps"),
            ],
            "proxymap(8) would refuse the table proxy:unix:passwd.byname",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let said = untouched(&host, &format!("r{number}"), edits);
        assert!(said.contains(why), "{said}");
    }
    let approved = set(
        "proxy_read_maps",
        "$virtual_alias_maps, proxy:unix:passwd.byname",
    );
    let orders = editing(&host, "a", vec![proxied, approved]);
    let performed = Remote::new(host.shell()).perform(&orders, None).unwrap();
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    // An old line for a port that another program has: Postfix was never told of it.
    host.write(
        "/root/squat.py",
        "import socket,time\ns=socket.create_server(('0.0.0.0',2525))\ntime.sleep(600)\n",
    );
    let mut squatter = host.command("exec python3 /root/squat.py").spawn().unwrap();
    super::until(|| host.run("grep -c ':09DD 00000000:0000 0A' /proc/net/tcp") == "1\n");
    host.run("echo '2525 inet n - n - - smtpd' >>/etc/postfix/master.cf; touch -d 2020-01-01 /etc/postfix/master.cf");
    let said = untouched(&host, "b", vec![set("bounce_queue_lifetime", "3d")]);
    assert!(
        said.contains("another program listens on port 2525"),
        "{said}"
    );
    squatter.kill().unwrap();
    squatter.wait().unwrap();
}

/// Where smtpd(8) listens on one address only, other hosts reach that one, and so is it asked.
#[test]
fn smtp_is_asked_at_the_address_that_others_reach() {
    let host = prepared();
    host.run("ip addr add 192.0.2.6/32 dev lo; postconf -e inet_interfaces=192.0.2.6; postfix stop; postfix start");
    let found = harmless(&host, "r1").found;
    assert!(
        found.faults.is_empty() && found.not_probed.is_empty(),
        "{found:?}"
    );
    host.run("postconf -e inet_interfaces=all; postconf -MX smtp/inet; postconf -M 127.0.0.1:smtp/inet='127.0.0.1:smtp inet n - y - - smtpd' 192.0.2.6:25/inet='192.0.2.6:25 inet n - y - - smtpd'; postfix stop; postfix start; sleep 1");
    let edits = vec![Edit::SetOption(
        ServiceName::new("192.0.2.6:25/inet").unwrap(),
        parameter("smtpd_recipient_restrictions"),
        "permit_mynetwork".to_owned(),
    )];
    let said = put_back(&host, "r2", edits);
    assert!(said.contains("can judge no recipient any more"), "{said}");
}
