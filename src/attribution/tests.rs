//! Logs as sshd(8), sudo(8), dpkg(1) and other tools write them, and what they prove.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;

/// 2026-11-29T10:02:11Z.
const AT: i64 = 1_795_946_531;

fn evidence(logs: &[&str], dpkg: &[&str]) -> Evidence {
    let lines = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect();
    Evidence {
        now: AT + 600,
        offset: 0,
        logs: lines(logs),
        dpkg: lines(dpkg),
        own_port: Some("50022".to_owned()),
        ..Evidence::default()
    }
}

fn main_cf(name: &str) -> Drifted {
    Drifted {
        thing: format!("main.cf:{name}"),
        path: RemotePath::new("/etc/postfix/main.cf").unwrap(),
        line: Some(name.to_owned()),
    }
}

fn trace() -> FileTrace {
    FileTrace {
        changed: Some(AT),
        exists: true,
        ..FileTrace::default()
    }
}

fn judged(evidence: &Evidence) -> ChangedBy {
    judge(&main_cf("relayhost"), &trace(), evidence)
}

const SSH: [&str; 3] = [
    "2026-11-29T10:00:00+00:00 h sshd[7]: Accepted publickey for alice from 192.0.2.9 port 4711 ssh2: ED25519 SHA256:x",
    "2026-11-29T10:00:00+00:00 h sshd[7]: pam_unix(sshd:session): session opened for user alice(uid=1000) by (uid=0)",
    "2026-11-29T10:30:00+00:00 h sshd[7]: pam_unix(sshd:session): session closed for user alice",
];

const SUDO: [&str; 3] = [
    "2026-11-29T10:02:11+00:00 h sudo:    alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/sbin/postconf -e x=hunter2",
    "2026-11-29T10:02:11+00:00 h sudo: pam_unix(sudo:session): session opened for user root(uid=0) by alice(uid=1000)",
    "2026-11-29T10:02:12+00:00 h sudo: pam_unix(sudo:session): session closed for user root",
];

const DPKG: [&str; 5] = [
    "2026-11-29 10:02:10 startup packages configure",
    "2026-11-29 10:02:10 configure postfix:amd64 3.7.11 <none>",
    "2026-11-29 10:02:10 status unpacked postfix:amd64 3.7.11",
    "2026-11-29 10:02:12 status installed postfix:amd64 3.7.11",
    "2026-11-29 10:02:13 trigproc libc-bin:amd64 2.36 <none>",
];

fn session(users: &[&str], program: Option<&str>, session: &'static str) -> ChangedBy {
    ChangedBy::Session {
        users: users.iter().map(|user| (*user).to_owned()).collect(),
        program: program.map(str::to_owned),
        session: session.to_owned(),
    }
}

#[test]
fn the_nearest_evidence_counts() {
    assert_eq!(judged(&evidence(&[], &[])), ChangedBy::Unknown);
    assert_eq!(
        judged(&evidence(&SSH, &[])),
        session(&["alice"], None, "login")
    );
    let both = [&SSH[..], &SUDO].concat();
    assert_eq!(
        judged(&evidence(&both, &[])),
        session(&["alice"], Some("postconf"), "sudo")
    );
    let by = judged(&evidence(&both, &DPKG));
    let wanted = ChangedBy::Package {
        package: "postfix".to_owned(),
        action: "configure".to_owned(),
    };
    assert_eq!(by, wanted);
}

#[test]
fn packages_of_rpm_are_known_by_the_logs_of_dnf_yum_and_zypper() {
    let lines = [
        "2026-11-29T10:02:10+0000 SUBDEBUG Upgrade: postfix-2:3.8.1-5.el9.x86_64",
        "2026-11-29T12:02:10+0200 SUBDEBUG Installed: postfix-2:3.8.1-5.el9.x86_64",
        "Nov 29 10:02:12 Updated: 2:postfix-2.10.1-9.el7.x86_64",
        "2026-11-29 10:02:11|install|postfix|3.8.4-150600.3.2|x86_64||repo-update|0a1b|",
        "2026-11-29 10:02:11|remove |postfix|3.8.4-150600.3.2|x86_64|root@host|",
        "2026-11-29T10:02:11+0000 [814] INFO RPM callback install start \"postfix-2:3.9.0-1.fc42.x86_64\" total 3",
        "2026-11-29T10:02:11+0000 [814] INFO RPM callback uninstall stop \"postfix-2:3.9.0-1.fc42.x86_64\" amount 3 total 3",
    ];
    let actions = [
        "upgrade",
        "installed",
        "updated",
        "install",
        "remove",
        "install",
        "uninstall",
    ];
    for (line, action) in lines.into_iter().zip(actions) {
        let mut evidence = evidence(&SSH, &[]);
        evidence.rpm = vec![line.to_owned()];
        let wanted = ChangedBy::Package {
            package: "postfix".to_owned(),
            action: action.to_owned(),
        };
        assert_eq!(judged(&evidence), wanted, "{line}");
        evidence.rpm = vec![line.replace(":02:", ":04:")];
        assert_eq!(
            judged(&evidence),
            session(&["alice"], None, "login"),
            "{line}"
        );
    }
    for line in [
        "2026-11-29 10:02:11|command|root@host|'zypper' 'up' 'postfix'|",
        "2026-11-29T10:02:11+0000 INFO --- logging initialized ---",
        "2026-11-29T10:02:11+0000 [814] INFO RPM callback transaction start, total 2",
        "2026-11-29T10:02:11+0000 [814] INFO RPM callback open file \"/var/cache/postfix-3.9.0-1.rpm\"",
        "2026-11-29 10:02:11|install||",
        "rubbish",
    ] {
        let mut evidence = evidence(&[], &[]);
        evidence.rpm = vec![line.to_owned()];
        assert_eq!(judged(&evidence), ChangedBy::Unknown, "{line}");
    }
}

#[test]
fn what_was_over_or_had_not_begun_explains_nothing() {
    let late = [
        "2026-11-29T10:02:12+00:00 h sshd[7]: Accepted password for bob from 192.0.2.9 port 4711 ssh2",
    ];
    assert_eq!(judged(&evidence(&late, &[])), ChangedBy::Unknown);
    let early = [
        "2026-11-29T10:00:00+00:00 h sshd[7]: Accepted password for bob from 192.0.2.9 port 4711 ssh2",
        "2026-11-29T10:02:10+00:00 h sshd[7]: pam_unix(sshd:session): session closed for user bob",
    ];
    assert_eq!(judged(&evidence(&early, &[])), ChangedBy::Unknown);
    let upgraded_before: Vec<String> = DPKG
        .iter()
        .map(|line| line.replace("10:02:", "09:02:"))
        .collect();
    let lines: Vec<&str> = upgraded_before.iter().map(String::as_str).collect();
    assert_eq!(judged(&evidence(&[], &lines)), ChangedBy::Unknown);
    let cron = [
        "2026-11-29T10:02:11+00:00 h CRON[9]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    ];
    assert_eq!(judged(&evidence(&cron, &[])), ChangedBy::Unknown);
}

#[test]
fn the_logins_of_murder_itself_are_no_evidence() {
    let by_port = [
        "2026-11-29T10:02:11+00:00 h sshd[7]: Accepted publickey for root from 192.0.2.9 port 50022 ssh2: x",
    ];
    assert_eq!(judged(&evidence(&by_port, &[])), ChangedBy::Unknown);
    let by_command = [
        "2026-11-29T10:02:10+00:00 h sshd[7]: Accepted publickey for ops from 192.0.2.9 port 1 ssh2: x",
        "2026-11-29T10:02:11+00:00 h sudo:  ops : PWD=/ ; USER=root ; COMMAND=/usr/bin/sh -c 'echo murder-ready-1f >&2; exec \"$@\"' sh sh -s",
    ];
    assert_eq!(judged(&evidence(&by_command, &[])), ChangedBy::Unknown);
}

#[test]
fn several_people_are_named_together() {
    let bob = [
        "2026-11-29T10:01:00+00:00 h sshd[8]: Accepted publickey for bob from 192.0.2.9 port 2 ssh2: x",
    ];
    let both = [&SSH[..], &bob].concat();
    assert_eq!(
        judged(&evidence(&both, &[])),
        session(&["alice", "bob"], None, "login")
    );
}

#[test]
fn a_tool_is_known_by_its_log_its_command_or_its_mark() {
    let log = "2026-11-29T10:02:10+00:00 h python3[9]: ansible-ansible.builtin.lineinfile Invoked with path=/etc/postfix/main.cf";
    let tool = |by: ChangedBy| match by {
        ChangedBy::Tool { tool, .. } => tool,
        other => panic!("{other:?}"),
    };
    let with_session = [&SSH[..], &[log]].concat();
    assert_eq!(tool(judged(&evidence(&with_session, &[]))), "Ansible");
    let puppet = "2026-11-29T10:02:12+00:00 h puppet-agent[9]: (/Stage[main]/P/File[/etc/postfix/main.cf]/content) content changed";
    assert_eq!(tool(judged(&evidence(&[puppet], &[]))), "Puppet");
    let command = "2026-11-29T10:02:10+00:00 h sudo: deploy : TTY=x ; USER=root ; COMMAND=/bin/sh -c 'echo BECOME-SUCCESS-abc ; /usr/bin/python3'";
    assert_eq!(tool(judged(&evidence(&[command], &[]))), "Ansible");
    // A block, and a mark at the head, which may be older than the first apply.
    let mut trace = trace();
    trace.markers = vec![(1, "# Ansible managed".to_owned())];
    trace.lines = [("relayhost".to_owned(), 5)].into();
    let one = main_cf("relayhost");
    let quiet = evidence(&[], &[]);
    assert_eq!(judge(&one, &trace, &quiet), ChangedBy::Unknown);
    trace.markers = vec![
        (4, "# BEGIN ANSIBLE MANAGED BLOCK".to_owned()),
        (6, "# END ANSIBLE MANAGED BLOCK".to_owned()),
    ];
    assert_eq!(tool(judge(&one, &trace, &quiet)), "Ansible");
    trace.lines = [("relayhost".to_owned(), 9)].into();
    assert_eq!(judge(&one, &trace, &quiet), ChangedBy::Unknown);
    let whole = Drifted {
        line: None,
        ..main_cf("")
    };
    assert_eq!(tool(judge(&whole, &trace, &quiet)), "Ansible");
}

#[test]
fn a_sentence_names_the_program_and_not_its_arguments() {
    let by = judged(&evidence(&SUDO, &[]));
    let one = Attribution {
        thing: "main.cf:relayhost".to_owned(),
        at: Some(rfc3339(AT)),
        by,
    };
    assert_eq!(
        one.sentence(),
        "main.cf:relayhost: changed on the host at 2026-11-29T10:02:11Z, in a sudo session of alice (postconf)"
    );
}
