//! Saved plans on a real Postfix: a change of what a step rests on makes the host stale, and is named; others do not.
//!
//! `STALE_ROUNDS` says how many changes of each kind are tried; without it, each form once.

use super::host::Host;
use super::memory::{MANIFEST, murder};

const FIRST: &str = "    settings: {smtpd_banner: \"ESMTP one\", delay_warning_time: 4h}\n    \
    files: {/etc/postfix/stays: {content: \"a\\n\"}, /etc/postfix/gone: {content: \"g\\n\"}, \
    /etc/postfix/map: {content: \"a b\\n\", table: true}}\n";
const SECOND: &str = "    settings: {smtpd_banner: \"ESMTP two\", bounce_queue_lifetime: 3d}\n    \
    services: {smtp/inet: {options: {smtpd_client_restrictions: permit}}}\n    \
    files: {/etc/postfix/stays: {content: \"b\\n\"}, /etc/postfix/new: {content: \"c\\n\"}, \
    /etc/postfix/map: {content: \"a c\\n\", table: true}}\n";
const APPLY: &str = "apply plan.json --yes --local";

/// What is named, and the command that changes it; `N` is another number in each round.
const RELIED_ON: &[(&str, &str)] = &[
    ("smtpd_banner", "postconf -e 'smtpd_banner = ESMTP N'"),
    ("smtpd_banner", "postconf -X smtpd_banner"),
    ("delay_warning_time", "postconf -e delay_warning_time=Nh"),
    (
        "bounce_queue_lifetime",
        "postconf -e bounce_queue_lifetime=Nd",
    ),
    ("/etc/postfix/stays", "echo N >>/etc/postfix/stays"),
    ("/etc/postfix/stays", "rm /etc/postfix/stays"),
    ("/etc/postfix/stays", "chmod 0600 /etc/postfix/stays"),
    ("/etc/postfix/stays", "chown postfix /etc/postfix/stays"),
    ("/etc/postfix/new", "echo N >/etc/postfix/new"),
    ("/etc/postfix/gone", "echo N >/etc/postfix/gone"),
    ("/etc/postfix/map", "echo N x >>/etc/postfix/map"),
    (
        "smtpd_client_restrictions",
        "postconf -P smtp/inet/smtpd_client_restrictions=rejectN",
    ),
    (
        "smtpd_banner",
        "sed -i 's/ESMTP one/ESMTP N/' /var/lib/murder/ledger.json",
    ),
];

/// Changes that no step rests on.
const NOT_RELIED_ON: &[&str] = &[
    "sed -i '1i # comment N' /etc/postfix/main.cf",
    "sed -i 's/ = / =   /' /etc/postfix/main.cf",
    "postconf -e queue_run_delay=N00s",
    "echo N >/etc/postfix/own.N",
    "printf '# N\\nownN unix - - n - 1 pickup\\n' >>/etc/postfix/master.cf",
    "touch /etc/postfix/main.cf /etc/postfix/master.cf",
    "echo >>/var/lib/murder/ledger.json",
    "echo mine N >/var/lib/murder/mine",
];

/// A host with a ledger, and the saved plan of its next apply.
fn planned() -> Host {
    let host = Host::running();
    host.write("/root/murder.yaml", &format!("{MANIFEST}{FIRST}"));
    let (said, code) = murder(&host, "apply --yes --adopt --local murder.yaml");
    assert_eq!(code, "0", "{said}");
    host.write("/root/murder.yaml", &format!("{MANIFEST}{SECOND}"));
    let (said, code) = murder(&host, "plan --local murder.yaml --out plan.json");
    assert_eq!(code, "0", "{said}");
    host.run(
        "mkdir /root/keep; cp -a /etc/postfix /root/keep/etc; cp -a /var/lib/murder /root/keep/lib",
    );
    host
}

fn reset(host: &Host) {
    host.run("find /etc/postfix /var/lib/murder -mindepth 1 -delete; cp -a /root/keep/etc/. /etc/postfix/; cp -a /root/keep/lib/. /var/lib/murder/");
}

fn rounds(forms: usize) -> usize {
    let rounds = std::env::var("STALE_ROUNDS").ok();
    rounds.map_or(forms, |rounds| rounds.parse().unwrap())
}

/// Everything that Postfix reads, and the ledger: the bytes, the owners, the modes and the times.
fn state(host: &Host) -> String {
    host.run("cd /; find etc/postfix var/lib/murder/ledger.json var/lib/murder/adopted -type f -exec sha256sum {} + -exec stat -c '%n %U %G %a %Y' {} + 2>/dev/null | sort")
}

#[test]
fn a_change_of_what_a_step_rests_on_is_refused_and_named() {
    let host = planned();
    let rounds = rounds(RELIED_ON.len());
    for round in 0..rounds {
        let (word, change) = RELIED_ON[round % RELIED_ON.len()];
        let change = change.replace('N', &(round + 5).to_string());
        host.run(&change);
        let before = state(&host);
        let (said, code) = murder(&host, APPLY);
        assert_eq!(code, "3", "{change}: {said}");
        let stale = said.lines().find(|line| line.contains("stale: "));
        assert!(
            stale.is_some_and(|line| line.contains(word)),
            "{change}: {said}"
        );
        assert_eq!(state(&host), before, "{change}");
        reset(&host);
    }
    // Without a change it is applied, once.
    let (said, code) = murder(&host, APPLY);
    assert_eq!(code, "0", "{said}");
    let (said, code) = murder(&host, APPLY);
    assert!(code == "0" && said.contains("1 already applied"), "{said}");
    println!("{rounds} changes of what a step rests on: each refused, and named");
}

#[test]
fn a_change_that_no_step_rests_on_is_not_stale() {
    let host = planned();
    let rounds = rounds(NOT_RELIED_ON.len());
    for round in 0..rounds {
        let change = NOT_RELIED_ON[round % NOT_RELIED_ON.len()];
        let change = change.replace('N', &(round + 5).to_string());
        host.run(&change);
        let (said, code) = murder(&host, APPLY);
        assert!(
            code == "0" && said.contains("1 host: 1 done"),
            "{change}: {said}"
        );
        reset(&host);
    }
    println!("{rounds} changes that no step rests on: none was stale");
}

#[test]
fn a_freeze_and_a_hold_stand_in_the_way_of_a_saved_plan() {
    let host = planned();
    let freeze = "freeze: [{from: 2020-01-01, until: 2099-01-01, reason: holidays}]\n";
    host.write("/root/policy.yaml", freeze);
    let before = state(&host);
    let frozen = "changes are frozen until 2099-01-01 by `policy.yaml`: holidays";
    let policy = "--policy policy.yaml";
    let (said, code) = murder(&host, &format!("{APPLY} {policy}"));
    assert!(code == "1" && said.contains(frozen), "{said}");
    assert_eq!(state(&host), before);
    // The hold comes after the plan: it is stale.
    let hold = "hold host.example.org smtpd_banner murder.yaml --local --for 2h --reason loop";
    let (said, code) = murder(&host, hold);
    assert_eq!(code, "0", "{said}");
    let held = state(&host);
    let allowed = format!("{APPLY} {policy} --allow-freeze 'ticket 8' --reason 'MR 12'");
    let (said, code) = murder(&host, &allowed);
    assert!(
        code == "3" && said.contains("stale: main.cf:smtpd_banner "),
        "{said}"
    );
    assert_eq!(state(&host), held);
    // Without the hold, with the reason: applied, and the generation has both reasons.
    reset(&host);
    let (said, code) = murder(&host, &allowed);
    assert!(code == "0" && said.contains(frozen), "{said}");
    let (said, code) = murder(&host, "history --local murder.yaml");
    assert!(
        code == "0" && said.contains("  reason: ticket 8; MR 12"),
        "{said}"
    );
}
