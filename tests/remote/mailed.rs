//! Notifications by mail: what sendmail(1) is given, what becomes of a failure, and that a real Postfix takes it.

use super::host::Host;
use super::memory::{MANIFEST, murder};

const TELL: &str = "drift --local murder.yaml --state told.json --notify mail:ops@example.net";

/// In the place of sendmail: keeps its arguments and its input, each call in a file of its own; fails while /root/full exists.
const STAND_IN: &str = "#!/bin/sh\n[ ! -e /root/full ] || { echo 'queue of jane@example.org is full' >&2; exit 75; }\n\
    n=$(ls /root/mails | wc -l)\nprintf '%s\\n' \"$@\" >/root/arguments\ncat >/root/mails/$n\n";

/// A host on which the manifest was applied, with the stand-in.
fn host() -> Host {
    let host = Host::running();
    host.write(
        "/root/murder.yaml",
        &format!("{MANIFEST}    settings: {{delay_warning_time: 4h, bounce_queue_lifetime: 3d}}\n"),
    );
    let (said, code) = murder(&host, "apply --yes --adopt --local murder.yaml");
    assert_eq!(code, "0", "{said}");
    host.run("mv /usr/sbin/sendmail /usr/sbin/sendmail.real; mkdir /root/mails");
    host.write("/usr/sbin/sendmail", STAND_IN);
    host.run("chmod 755 /usr/sbin/sendmail");
    host
}

/// Runs drift, and gives what it said; it must end so, and send so many mails.
#[track_caller]
fn drift(host: &Host, code: &str, mails: usize) -> String {
    let before = host.run("ls /root/mails").lines().count();
    let (said, ended) = murder(host, TELL);
    assert_eq!(ended, code, "{said}");
    let after = host.run("ls /root/mails").lines().count();
    assert_eq!(after - before, mails, "{said}");
    said
}

/// The value of a line of a mail's header.
fn header(mail: &str, name: &str) -> String {
    let start = format!("{name}: ");
    let mut lines = mail.lines().take_while(|line| !line.is_empty());
    let line = lines.find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_else(|| panic!("no {name}: {mail}"))
        .to_owned()
}

#[test]
fn a_drift_is_mailed_once_and_what_sendmail_refuses_later() {
    let host = host();
    let through = "mail:ADDRESS goes through host.example.org, a host of this murder";
    // A clean run has nothing to warn of: cron would mail it each time.
    let said = drift(&host, "0", 0);
    assert!(!said.contains(through), "{said}");
    host.run("postconf -e 'delay_warning_time = 5h'; touch /root/full");
    // Sendmail fails: it is said, without the address, and nothing is lost.
    let said = drift(&host, "2", 0);
    assert!(
        said.contains("the notification to mail failed: sendmail failed: queue of "),
        "{said}"
    );
    assert!(!said.contains("jane@"), "{said}");
    assert!(said.contains(through), "{said}");
    host.run("rm /root/full");
    drift(&host, "2", 1);
    assert_eq!(host.run("cat /root/arguments"), "-i\n--\nops@example.net\n");
    let mail = host.read("/root/mails/0");
    assert_eq!(header(&mail, "To"), "ops@example.net");
    assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
    assert!(
        header(&mail, "Message-ID").ends_with("@murder.invalid>"),
        "{mail}"
    );
    assert!(header(&mail, "Subject").contains("1 new"), "{mail}");
    let (_, body) = mail.split_once("\n\n").unwrap();
    assert!(
        body.contains("host.example.org") && body.contains("delay_warning_time"),
        "{mail}"
    );
    assert!(
        !mail.contains("5h") && !body.contains('@'),
        "no value, no address: {mail}"
    );
    drift(&host, "2", 0);
    host.run("postconf -e 'delay_warning_time = 4h'");
    drift(&host, "0", 1);
    let end = host.read("/root/mails/1");
    assert_ne!(header(&end, "Message-ID"), header(&mail, "Message-ID"));
    assert!(end.contains("delay_warning_time"), "{end}");
    drift(&host, "0", 0);
    // Without the stand-in a real Postfix queues it.
    host.run(
        "mv /usr/sbin/sendmail.real /usr/sbin/sendmail; postconf -e 'delay_warning_time = 6h'",
    );
    drift(&host, "2", 0);
    let queue = host
        .run("for i in 1 2 3 4 5 6 7 8 9; do postqueue -j | grep ops@ && break; sleep 0.3; done");
    assert!(queue.contains("ops@example.net"), "{queue}");
}

#[test]
fn the_end_of_a_hold_is_mailed_a_day_before_and_once() {
    let host = host();
    host.run("postconf -e 'delay_warning_time = 5h' 'bounce_queue_lifetime = 4d'");
    for (thing, time) in [
        ("delay_warning_time", "23h"),
        ("bounce_queue_lifetime", "25h"),
    ] {
        let hold =
            format!("hold host.example.org {thing} murder.yaml --local --for {time} --reason loop");
        let (said, code) = murder(&host, &hold);
        assert_eq!(code, "0", "{said}");
    }
    drift(&host, "0", 1);
    let mail = host.read("/root/mails/0");
    let (_, body) = mail.split_once("\n\n").unwrap();
    assert!(
        body.contains("main.cf:delay_warning_time: its hold ends at "),
        "{mail}"
    );
    assert!(!body.contains("bounce_queue_lifetime"), "{mail}");
    drift(&host, "0", 0);
    // Another end is another notice.
    let hold =
        "hold host.example.org delay_warning_time murder.yaml --local --for 22h --reason loop";
    assert_eq!(murder(&host, hold).1, "0");
    drift(&host, "0", 1);
    drift(&host, "0", 0);
    // Ended by hand it is drift, and told as such.
    assert_eq!(
        murder(
            &host,
            "unhold host.example.org delay_warning_time murder.yaml --local"
        )
        .1,
        "0"
    );
    drift(&host, "2", 1);
    assert!(host.read("/root/mails/2").contains("delay_warning_time"));
}
