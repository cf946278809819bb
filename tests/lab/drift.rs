//! A second apply writes nothing, and what somebody changed by hand is seen and put right.

use crate::mail::{arrives, send, token};
use crate::world::{HOSTS, World, verdict};

fn snapshots(world: &World) -> Vec<String> {
    HOSTS.iter().map(|host| world.snapshot(host)).collect()
}

pub fn a_second_apply_writes_nothing(world: &mut World) {
    let before = snapshots(world);
    world.murder("apply", &["--yes"]).exits(0);
    world.murder("plan", &["--detailed-exitcode"]).exits(0);
    let drift = world.murder("drift", &[]).exits(0);
    assert_eq!(drift.stdout, "", "drift is quiet where nothing drifted");
    assert_eq!(before, snapshots(world));
}

/// Observing a converged host is one login, one exec, and at most 22,600 bytes received: counted by the
/// host's own sshd and by its cable.
pub fn observing_is_small(world: &mut World) {
    let host = "backend1";
    let log = world.lab.root(host).parent().unwrap().join("log");
    let logins = || {
        std::fs::read_to_string(&log)
            .unwrap()
            .matches("Accepted publickey")
            .count()
    };
    let sent = || -> u64 {
        world.lab.sh(host, "cat /sys/class/net/eth0/statistics/tx_bytes 2>/dev/null || awk '/eth0:/ {print $10}' /proc/net/dev")
            .trim()
            .parse()
            .unwrap()
    };
    world
        .murder("plan", &["--host", "backend1.example.org"])
        .exits(0); // what is asked once is known now
    let (logins_before, sent_before) = (logins(), sent());
    world
        .murder("plan", &["--host", "backend1.example.org"])
        .exits(0);
    assert_eq!(logins() - logins_before, 1, "one login");
    // Everything that the host sent: handshake, framing and whatever else went over its cable.
    let received = sent() - sent_before;
    assert!(received <= 22_600, "{received} bytes came from the host");
    println!("({received} bytes received for a converged host) ");
}

pub fn changes_by_hand_are_seen_and_put_right(world: &mut World) {
    let lab = &world.lab;
    // Each by itself would break mail; each is a managed thing.
    lab.sh("backend1", "postconf -e 'relayhost = [wrong.example.org]'");
    lab.sh(
        "backend1",
        "sed -i 's/^query_filter.*/query_filter = (mail=%s)/' /etc/postfix/ldap/transport_maps.cf",
    );
    lab.sh(
        "backend2",
        "rm -f /etc/postfix/transport.db /etc/postfix/transport.lmdb",
    );
    lab.sh("backend2", "postconf -F lmtp/unix/chroot=y");
    lab.sh("smtp", "chmod 644 /etc/postfix/ldap/transport_maps.cf");
    lab.sh("mx", "postconf -X relay_domains");
    // A touched source is younger than its index: unfinished work, whoever left it.
    lab.sh("mupdate", "postconf -e 'relayhost = '");
    // Layout is not drift: the same values, folded and commented otherwise.
    lab.sh(
        "frontend1",
        "printf '# a comment of somebody\\n' >> /etc/postfix/main.cf",
    );

    let before = snapshots(world);
    let drift = world.murder("drift", &[]).exits(2);
    drift
        .says("backend1.example.org")
        .says("relayhost")
        .says("/etc/postfix/ldap/transport_maps.cf")
        .says_not("frontend1.example.org");
    world
        .murder("plan", &["--detailed-exitcode"])
        .exits(2)
        .says("[wrong.example.org]");
    let plan = world.murder("plan", &["--format", "json"]).exits(0).json();
    for host in ["backend1", "backend2", "smtp", "mx", "mupdate"] {
        assert_eq!(verdict(&plan, host), "changes", "{host}");
    }
    assert_eq!(verdict(&plan, "frontend1"), "converged");
    assert_eq!(before, snapshots(world), "plan and drift write nothing");

    world.murder("apply", &["--yes"]).exits(0);
    world.murder("drift", &[]).exits(0);
    let lab = &world.lab;
    assert_eq!(lab.postconf("backend1", "relayhost"), "[smtp.example.org]");
    assert_eq!(
        lab.sh("backend2", "postconf -hF lmtp/unix/chroot").trim(),
        "n"
    );
    assert_eq!(
        lab.sh("smtp", "stat -c %a /etc/postfix/ldap/transport_maps.cf")
            .trim(),
        "640"
    );
    assert!(
        lab.sh("frontend1", "cat /etc/postfix/main.cf")
            .contains("# a comment of somebody")
    );
    // And mail goes its way again.
    for (to, host, mailbox) in [
        ("john@example.org", "backend1", "user/john"),
        ("jane@example.org", "backend2", "user/jane"),
    ] {
        let token = token();
        send(world, "mx", to, &token).unwrap();
        arrives(world, host, mailbox, &token);
    }
}
