//! Two instances of Postfix on one machine: the internal MTA, and beside it the internet MTA as `postfix-out`.

use crate::mail::{Answer, arrives, lands_in, offer, sendmail, token};
use crate::world::{World, until};

/// The machine that has both.
const MACHINE: &str = "smtp";

pub fn mail_flows_through_two_instances(world: &mut World) {
    let first = world.lab.addr(MACHINE);
    let second = second_address(&first);
    world.lab.sh(
        MACHINE,
        &format!(
            "ip addr add {second}/24 dev eth0; \
             postmulti -e init && postmulti -I postfix-out -e create && postmulti -i postfix-out -e enable && \
             postconf -c /etc/postfix-out -e master_service_disable= inet_interfaces={second} maillog_file= && \
             cp -a /var/spool/postfix/etc /var/spool/postfix-out/ && postmulti -i postfix-out -p start"
        ),
    );
    world.write("two.yaml", &overlay(&first, &second));
    let words = ["--overlay", "two.yaml", "--host", "smtp.example.org"];
    let flags = ["--yes", "--adopt", "--allow-restart", "--allow-delete"];
    world
        .murder("apply", &[&words[..], &flags].concat())
        .exits(0)
        .says_not("not probed");
    // The other internet MTA is no longer in the manifest; that is all that a second look finds.
    world
        .murder("plan", &words)
        .exits(0)
        .says("1 host converged, 1 orphaned");
    inwards(world, &second);
    outwards(world);
    world
        .murder(
            "apply",
            &[
                "--host",
                "smtp.example.org",
                "--yes",
                "--allow-delete",
                "--allow-restart",
            ],
        )
        .exits(0);
    world.lab.sh(
        MACHINE,
        &format!(
            "postmulti -i postfix-out -p stop; postmulti -i postfix-out -e disable && postmulti -i postfix-out -e destroy; \
             ip addr del {second}/24 dev eth0; postfix stop; postfix start"
        ),
    );
    world.converge();
}

/// Mail from outside comes to the second address: through both instances to the mailbox, or is refused at once.
fn inwards(world: &World, second: &str) {
    let before = done_by_second(world);
    for (recipient, host, mailbox) in [
        ("john@example.org", "backend1", "user/john"),
        ("john.doe+lists@example.org", "backend1", "user/john/lists"),
        ("jane@Example.ORG", "backend2", "user/jane"),
        ("memo@example.org", "backend2", "shared/memo"),
        ("news@example.org", "backend1", "news"),
    ] {
        let token = token();
        let answer = offer(second, recipient, &token).unwrap();
        assert!(matches!(answer, Answer::Taken), "{recipient}: {answer:?}");
        arrives(world, host, mailbox, &token);
    }
    until("the second instance to be done", 10, || {
        (done_by_second(world) >= before + 5).then_some(())
    });
    for recipient in ["nosuch@example.org", "somebody@elsewhere.example"] {
        let answer = offer(second, recipient, &token()).unwrap();
        assert!(
            matches!(answer, Answer::Refused { stage: "RCPT", .. }),
            "{recipient}: {answer:?}"
        );
    }
}

/// Mail of the machine itself and of a backend goes to the rest of the world through `postfix-out`.
fn outwards(world: &World) {
    for host in [MACHINE, "backend1"] {
        let before = done_by_second(world);
        let token = token();
        sendmail(
            world,
            host,
            "john@example.org",
            "friend@outside.example",
            &token,
        );
        lands_in(world, "ldap", "/var/outside", &token);
        until("the second instance to be done", 10, || {
            (done_by_second(world) > before).then_some(())
        });
    }
}

/// How many mails the second instance has done with.
fn done_by_second(world: &World) -> u32 {
    let count = "grep -c 'postfix-out/qmgr.*: removed' /var/log/mail.log || true";
    world.lab.sh(MACHINE, count).trim().parse().unwrap()
}

/// An address of the lab's network that no host has.
fn second_address(first: &str) -> String {
    let (network, _) = first.rsplit_once('.').unwrap();
    format!("{network}.240")
}

/// Both roles on the machine; the host that is the internet MTA otherwise is none of the murder.
fn overlay(first: &str, second: &str) -> String {
    format!(
        r#"modules:
  internet-mta: {{instance: postfix-out, vars: {{recipient_check: ldap}}}}
hosts:
  smtp.example.org:
    roles: [internal-mta, internet-mta]
    addresses: [{first}, {second}]
    instances:
      postfix: {{settings: {{inet_interfaces: "{first}, 127.0.0.1", relayhost: "[{second}]:25"}}}}
      postfix-out: {{settings: {{inet_interfaces: {second}, myhostname: mx-in.example.org, master_service_disable: ""}}}}
remove: [hosts.mx.example.org]
"#
    )
}
