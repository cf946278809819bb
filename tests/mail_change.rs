//! `plan --ldif`: what a plan means for mail, on folders, through the program itself.

use std::fs;

use serde_json::Value;

use super::routes::{MANIFEST, RouteFolder, text};

/// Two people, one on each backend.
const PEOPLE: &str = "dn: uid=ann,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: ann@example.org
alias: ann.lee@example.org
mailHost: backend1.example.org

dn: uid=bob,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: bob@example.org
mailHost: backend2.example.org
";

/// A murder whose hosts are as the manifest wants them.
fn applied() -> RouteFolder {
    let folder = RouteFolder::with(MANIFEST, PEOPLE);
    let output = folder.run(&["apply", "m.yaml", "--sandbox", "hosts", "--yes", "--adopt"]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    folder
}

fn run(folder: &RouteFolder, verb: &str, more: &[&str]) -> (String, Option<i32>) {
    let all = [
        &[verb, "m.yaml", "--sandbox", "hosts", "--ldif", "d.ldif"],
        more,
    ]
    .concat();
    let output = folder.run(&all);
    (
        text(&output.stdout) + &text(&output.stderr),
        output.status.code(),
    )
}

fn change(folder: &RouteFolder, manifest: &str) {
    fs::write(folder.0.path().join("m.yaml"), manifest).unwrap();
}

#[test]
fn a_first_plan_delivers_what_was_not() {
    let folder = RouteFolder::with(MANIFEST, PEOPLE);
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("mail: 3 addresses"), "{said}");
    assert!(
        said.contains("3 addresses are delivered that were not"),
        "{said}"
    );
    assert!(!said.contains("ann@"), "{said}");
}

#[test]
fn a_plan_without_changes_moves_nothing() {
    let folder = applied();
    let (said, code) = run(&folder, "plan", &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("no address moves, and none is worse off"),
        "{said}"
    );
}

/// The manifest with more keys for one host.
fn with(host: &str, more: &str) -> String {
    let line = |line: &str| match line.starts_with(&format!("  {host}.example.org:")) {
        true => line.replace("]}", &format!("], {more}}}")),
        false => line.to_owned(),
    };
    MANIFEST.lines().map(|own| line(own) + "\n").collect()
}

#[test]
fn addresses_that_move_are_counted_and_what_is_refused_is_a_refusal() {
    let folder = applied();
    change(
        &folder,
        &with(
            "smtp",
            "settings: {virtual_alias_maps: 'inline:{{ann@example.org=bob@example.org}}'}",
        ),
    );
    let (said, code) = run(&folder, "plan", &["--adopt", "--show-addresses"]);
    assert!(
        said.contains("1 address moves from backend1.example.org to backend2.example.org"),
        "{code:?} {said}"
    );
    // The edge refuses everybody.
    change(
        &folder,
        &with("mx", "settings: {smtpd_client_restrictions: reject}"),
    );
    let (said, code) = run(&folder, "plan", &["--show-addresses"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("3 addresses are now refused for good: "),
        "{said}"
    );
    assert!(said.contains("--allow-bounce"), "{said}");
    let (said, code) = run(&folder, "apply", &["--yes"]);
    assert_eq!(code, Some(1), "{said}");
    let (said, code) = run(&folder, "plan", &["--allow-bounce", "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    let plan: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(plan["mail"]["worse"]["refused"]["addresses"], 3, "{said}");
    assert!(!said.contains("ann@"), "{said}");
    let (said, code) = run(&folder, "apply", &["--yes", "--allow-bounce"]);
    assert_eq!(code, Some(0), "{said}");
}

/// Mail that moves to another backend bounces if the internal MTA sends it there before that backend takes it.
#[test]
fn states_on_the_way_are_tried() {
    let strict = "unknown_local_recipient_reject_code: '550'";
    let folder = applied();
    change(
        &folder,
        &with("backend2", &format!("settings: {{{strict}}}")),
    );
    let (said, code) = run(&folder, "apply", &["--yes", "--adopt", "--allow-bounce"]);
    assert_eq!(code, Some(0), "{said}");
    let takes = format!(
        "settings: {{{strict}, transport_maps: {{prepend: ['inline:{{{{ann@example.org=lmtp:unix:/run/cyrus/socket/lmtp}}}}']}}, local_recipient_maps: {{prepend: ['inline:{{{{ann@example.org=x}}}}']}}}}"
    );
    let sends = "settings: {transport_maps: {prepend: ['inline:{{ann@example.org=relay:[backend2.example.org]}}']}}";
    let both = with("smtp", sends);
    let line = |line: &str| match line.starts_with("  backend2") {
        true => line.replace("]}", &format!("], {takes}}}")),
        false => line.to_owned(),
    };
    change(
        &folder,
        &both.lines().map(|own| line(own) + "\n").collect::<String>(),
    );
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    for words in [
        "2 addresses move from backend1.example.org to backend2.example.org",
        "on the way, with `smtp.example.org` alone changed: 2 addresses now bounce\n",
        "2 addresses lose mail (refused for good, bounced, or in a loop) while hosts are applied",
        "on the way 1 after a wave, 0 without one host of a wave, 2 with one host alone",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.contains("ann@example.org,"), "{said}");
}

#[test]
fn a_host_is_not_retired_while_the_directory_names_it() {
    let folder = applied();
    let retired = with("backend2", "state: retired");
    change(&folder, &retired);
    let words = "1 entry of the directory still names this retired host (`mailhost`): move the mailboxes first";
    let flags = ["--allow-delete", "--show-addresses"];
    let (said, code) = run(&folder, "plan", &flags);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(words) && said.contains("--allow-bounce"),
        "{said}"
    );
    let (said, code) = run(&folder, "apply", &["--allow-delete", "--yes"]);
    assert!(code == Some(1) && said.contains(words), "{said}");
    assert!(
        folder
            .0
            .path()
            .join("hosts/backend2.example.org/var/lib/murder/ledger.json")
            .exists()
    );
    // Written otherwise, and by the name that Cyrus has: it is the same host.
    change(
        &folder,
        &retired.replace(
            "state: retired",
            "state: retired, mailhost: imap2.example.org",
        ),
    );
    fs::write(
        folder.0.path().join("d.ldif"),
        PEOPLE.replace("mailHost: backend2", "mailhost: IMAP2"),
    )
    .unwrap();
    let (said, _) = run(&folder, "plan", &flags);
    assert!(said.contains(words), "{said}");
    // When the mailboxes are on another host, it goes.
    change(&folder, &retired);
    fs::write(
        folder.0.path().join("d.ldif"),
        PEOPLE.replace("backend2", "backend1"),
    )
    .unwrap();
    let (said, code) = run(&folder, "apply", &["--allow-delete", "--yes"]);
    assert!(code == Some(0) && !said.contains("still name"), "{said}");
}
