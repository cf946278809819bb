//! `plan --ldif`: what a plan means for mail, on folders, through the program itself.

use std::fs;

use serde_json::Value;

use super::routes::{MANIFEST, RouteFolder, text};

/// Two people, one on each backend.
pub const PEOPLE: &str = "dn: uid=ann,ou=People,dc=example,dc=org
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
pub fn applied() -> RouteFolder {
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

pub fn run(folder: &RouteFolder, verb: &str, more: &[&str]) -> (String, Option<i32>) {
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

pub fn change(folder: &RouteFolder, manifest: &str) {
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
pub fn with(host: &str, more: &str) -> String {
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
        said.contains("3 addresses are now refused for good (5.7.1 at mx.example.org): ann@"),
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

/// A murder in which mail is about to move from one backend to another: it bounces if the internal MTA sends it there before that
/// backend takes it.
fn moving() -> RouteFolder {
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
    folder
}

#[test]
fn states_on_the_way_are_tried() {
    let folder = moving();
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    for words in [
        "2 addresses move from backend1.example.org to backend2.example.org",
        "on the way, with smtp.example.org alone changed: 2 addresses now bounce (5.1.1 at smtp.example.org via relay:[backend2.example.org])\n",
        "2 addresses lose mail (refused for good, bounced, thrown away, or in a loop) while hosts are applied",
        "tried: the end; after wave 1 of 2; with each of backend2.example.org, smtp.example.org alone changed\n",
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

/// Where later waves begin although a host failed, the states without it are more.
#[test]
fn later_waves_are_tried_without_a_host_that_may_fail() {
    let folder = moving();
    let flags = ["--adopt", "--yes"];
    let (said, code) = run(&folder, "apply", &flags);
    assert!(
        code == Some(1) && said.contains("tried: the end; after wave 1 of 2; with each of"),
        "{said}"
    );
    let (said, code) = run(&folder, "apply", &[&flags[..], &["--max-fail=1"]].concat());
    for words in [
        "on the way, after wave 2 of 2 without backend2.example.org: 2 addresses now bounce",
        "tried: the end; after wave 1 of 2; after a wave but for backend2.example.org; with each of",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(code, Some(1), "{said}");
}

/// What is left out counts as it is now, not as the manifest wants it.
#[test]
fn a_part_of_the_hosts_is_judged_against_the_rest_as_it_is() {
    let folder = moving();
    let (said, code) = run(&folder, "plan", &["--adopt", "--host", "smtp.example.org"]);
    for words in [
        "2 addresses now bounce (5.1.1 at smtp.example.org via relay:[backend2.example.org])\n",
        "left out, and counted as they are now: backend2.example.org\n",
        "2 addresses lose mail (refused for good, bounced, thrown away, or in a loop) after this plan",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(code, Some(1), "{said}");
    let wave = |name| run(&folder, "apply", &["--adopt", "--yes", "--wave", name]);
    let (said, code) = wave("add-2");
    assert!(
        code == Some(1) && said.contains("2 addresses lose mail"),
        "{said}"
    );
    let (said, code) = run(
        &folder,
        "plan",
        &["--adopt", "--host", "backend2.example.org"],
    );
    assert!(
        code == Some(0) && said.contains("left out, and counted as they are now: smtp.example.org"),
        "{said}"
    );
    let (said, code) = wave("add-1");
    assert!(
        code == Some(0) && said.contains("no address moves"),
        "{said}"
    );
    // Now the other one is safe.
    let (said, code) = wave("add-2");
    assert!(
        code == Some(0) && said.contains("2 addresses move from"),
        "{said}"
    );
}

#[test]
fn a_removal_waits_for_additions_on_hosts_that_are_left_out() {
    let folder = applied();
    let banner = "settings: {smtpd_recipient_overshoot_limit: '500'}";
    change(&folder, &with("backend1", banner));
    let (said, code) = run(&folder, "apply", &["--yes"]);
    assert_eq!(code, Some(0), "{said}");
    change(&folder, &with("smtp", banner));
    let words = "this host only loses things, and additions on `smtp.example.org` are outstanding: run `murder apply --host smtp.example.org` first, or apply all hosts together";
    let own = ["--yes", "--host", "backend1.example.org"];
    let (said, code) = run(&folder, "apply", &own);
    assert!(code == Some(1) && said.contains(words), "{said}");
    assert!(
        said.contains("refused without --allow-early-removal"),
        "{said}"
    );
    let (said, code) = run(&folder, "apply", &["--yes", "--wave", "remove-1"]);
    assert!(code == Some(1) && said.contains(words), "{said}");
    // All together have the right order.
    let (said, code) = run(&folder, "plan", &[]);
    assert_eq!(code, Some(0), "{said}");
    let (said, code) = run(
        &folder,
        "plan",
        &[&own[1..], &["--allow-early-removal"]].concat(),
    );
    assert_eq!(code, Some(0), "{said}");
    let (said, code) = run(&folder, "apply", &["--yes", "--host", "smtp.example.org"]);
    assert_eq!(code, Some(0), "{said}");
    let (said, code) = run(&folder, "apply", &own);
    assert!(code == Some(0) && !said.contains("outstanding"), "{said}");
}

#[test]
fn an_edge_that_closes_shuts_mail_out_and_a_retired_backend_loses_it() {
    let folder = applied();
    change(&folder, &with("mx", "state: retired"));
    let (said, code) = run(&folder, "plan", &["--allow-delete"]);
    assert!(
        said.contains("mail no longer enters at `mx.example.org` (from the Internet"),
        "{code:?} {said}"
    );
    // The world knows the internet MTA, although the internal MTA would take mail from outside too.
    let shut = "3 addresses get no mail from the Internet any more\n";
    assert!(said.contains(&format!("\n  {shut}")), "{said}");
    assert_eq!(code, Some(1), "{said}");
    // Another one takes its place. The first one does not go alone: `apply` refuses that by itself.
    let other = "  mx2.example.org: {roles: [internet-mta], addresses: [192.0.2.7]}\n";
    change(&folder, &(with("mx", "state: retired") + other));
    let (said, _) = run(&folder, "plan", &["--allow-delete", "--adopt"]);
    for words in [
        "mail: 3 addresses\n  mail no longer enters at `mx.example.org`",
        "mail can now enter at `mx2.example.org` (from the Internet",
        "none is worse off at the end\n  tried: the end; after waves 1, 2 of 3; with each of mx2.example.org, smtp.example.org alone changed\n",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    change(&folder, &with("backend2", "state: retired"));
    let (said, code) = run(&folder, "plan", &["--allow-delete"]);
    assert!(said.contains("1 address now bounces (5.4.4 at"), "{said}");
    assert_eq!(code, Some(1), "{said}");
}

/// A host that nobody gave a job is compared with the others, and not with what its distribution installed.
#[test]
fn a_new_host_is_not_blamed_for_what_bounces_everywhere() {
    let entry = |name: &str, host: &str| {
        format!(
            "\ndn: uid={name},ou=People,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: {name}@example.org\nmailHost: {host}.example.org\n"
        )
    };
    // Mail for them bounces, loops, and waits until the new backend takes it.
    let people = format!(
        "{PEOPLE}{}{}{}",
        entry("gone", "backend9"),
        entry("itself", "smtp"),
        entry("carl", "backend7")
    );
    let folder = applied();
    fs::write(folder.0.path().join("d.ldif"), &people).unwrap();
    let new = format!(
        "{MANIFEST}  backend7.example.org: {{roles: [backend], addresses: [192.0.2.17]}}\n"
    );
    change(&folder, &new);
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    for words in [
        "mail: 6 addresses\n  1 address is delivered that was not\n  mail can now enter at `backend7.example.org` (from another host, by sendmail)\n",
        "with each of backend7.example.org, smtp.example.org alone changed\n",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(
        code == Some(0) && !said.contains("now bounce") && !said.contains("now loop"),
        "{said}"
    );
    // One that already had a job is compared with itself.
    let main_cf = folder
        .0
        .path()
        .join("hosts/backend7.example.org/etc/postfix");
    fs::create_dir_all(&main_cf).unwrap();
    let works = "compatibility_level = 3.6\nmydestination = localhost\nrelay_domains = example.org\n\
        transport_maps = inline:{{gone@example.org=discard:}}\nrelay_transport = relay:[smtp.example.org]\n";
    fs::write(main_cf.join("main.cf"), works).unwrap();
    let master_cf = include_str!("../src/postfix/debian-master.cf");
    fs::write(main_cf.join("master.cf"), master_cf).unwrap();
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    assert!(
        code == Some(1) && said.contains("1 address now bounces (5.4.4 at smtp.example.org"),
        "{said}"
    );
    assert!(!said.contains("can now enter at `backend7"), "{said}");
    // Where all hosts are new, no mail came before that could bounce.
    let folder = RouteFolder::with(&new, &people);
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    for words in [
        "1 address now loops",
        "1 address now bounces",
        "4 addresses are delivered that were not",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(code, Some(1), "{said}");
}

/// A host that only vanished from the manifest goes on: mail that others send there is delivered, before and after.
#[test]
fn mail_for_an_orphaned_host_is_not_lost_until_it_is_forgotten() {
    let folder = applied();
    let line = |line: &&str| !line.starts_with("  backend2.");
    let without: String = MANIFEST
        .lines()
        .filter(line)
        .map(|own| own.to_owned() + "\n")
        .collect();
    let refuses = "transport_maps: {prepend: ['inline:{{bob@example.org=error:gone}}']}";
    let refusing = without.replace(
        "[internal-mta], addresses: [192.0.2.5]",
        &format!("[internal-mta], addresses: [192.0.2.5], settings: {{{refuses}}}"),
    );
    change(&folder, &without);
    let (said, code) = run(&folder, "plan", &[]);
    assert!(
        code == Some(0) && said.contains("no address moves, and none is worse off"),
        "{said}"
    );
    change(&folder, &refusing);
    let (said, code) = run(&folder, "plan", &[]);
    assert!(
        code == Some(1) && said.contains("1 address now bounces"),
        "{said}"
    );
}

/// A domain that the manifest no longer has is one of mail before: its addresses count, as those of a host that goes.
#[test]
fn a_domain_that_goes_shuts_its_addresses_out() {
    let both = MANIFEST.replace("[example.org]", "[example.org, example.net]");
    let people = PEOPLE.replace(
        "mail: bob@example.org\n",
        "mail: bob@example.org\nalias: bob@example.net\nalias: bob@smtp.example.org\n",
    );
    let folder = RouteFolder::with(&both, &people);
    let (said, code) = run(&folder, "apply", &["--yes", "--adopt"]);
    assert!(
        code == Some(0) && said.contains("mail: 4 addresses\n"),
        "{said}"
    );
    change(&folder, MANIFEST);
    let (said, code) = run(&folder, "plan", &["--show-addresses"]);
    let words =
        "mail: 4 addresses\n  1 address gets no mail from the Internet any more: bob@example.net\n";
    assert!(said.contains(words), "{said}");
    assert!(
        code == Some(1) && said.contains("1 address loses mail"),
        "{said}"
    );
    // Two manifests say the same.
    fs::write(folder.0.path().join("old.yaml"), &both).unwrap();
    let output = folder.run(&["diff", "old.yaml", "m.yaml", "--ldif", "d.ldif"]);
    let said = text(&output.stdout);
    let words = "mail: 4 addresses\n  1 address gets no mail from the Internet any more\n";
    assert!(
        output.status.code() == Some(1) && said.contains(words),
        "{said}"
    );
    // Once that is applied, there is no such domain.
    let (said, code) = run(&folder, "apply", &["--yes", "--allow-bounce"]);
    assert_eq!(code, Some(0), "{said}");
    let (said, code) = run(&folder, "plan", &[]);
    assert!(
        code == Some(0) && said.contains("mail: 3 addresses\n"),
        "{said}"
    );
}

/// Mail that is thrown away is lost, and its sender is not told.
#[test]
fn mail_that_is_thrown_away_is_lost() {
    let folder = applied();
    let discards = "transport_maps: {prepend: ['inline:{{bob@example.org=discard:}}']}";
    change(&folder, &with("smtp", &format!("settings: {{{discards}}}")));
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    for words in [
        "  1 address is now thrown away (at smtp.example.org via discard:example.org)\n",
        "1 address loses mail (refused for good, bounced, thrown away, or in a loop) after this plan",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn mail_that_reaches_another_mailbox_is_counted() {
    let folder = applied();
    let others = PEOPLE.replace("ann", "eve").replace("bob", "dan");
    let people = format!("{PEOPLE}\n{others}");
    fs::write(folder.0.path().join("d.ldif"), people).unwrap();
    let alias = |to: &str| {
        let maps =
            format!("virtual_alias_maps: {{prepend: ['inline:{{{{bob@example.org={to}}}}}']}}");
        change(&folder, &with("smtp", &format!("settings: {{{maps}}}")));
        run(&folder, "plan", &["--adopt"])
    };
    // On the same host, on another one, and outside.
    let (said, code) = alias("dan@example.org");
    let words = "mail: 6 addresses\n  1 address reaches other mailboxes than before\n  tried";
    assert!(code == Some(0) && said.contains(words), "{said}");
    let (said, code) = alias("eve@example.org");
    let words = "  1 address moves from backend2.example.org to backend1.example.org\n  1 address reaches other mailboxes than before\n";
    assert!(code == Some(0) && said.contains(words), "{said}");
    let (said, code) = alias("bob@elsewhere.example");
    let words = "  1 address moves from backend2.example.org to hosts outside of the murder (by mx.example.org)\n  tried";
    assert!(code == Some(0) && said.contains(words), "{said}");
    let (said, code) = alias("bob@example.org");
    assert!(
        code == Some(0) && said.contains("no address moves"),
        "{said}"
    );
}

/// The murder of the tests with another internal MTA in the place of the first one, which is in this state.
fn other_smart_host(state: &str) -> String {
    let first = "smtp.example.org: {";
    let other = "smtp2.example.org: {roles: [internal-mta], addresses: [192.0.2.15]}\n  ";
    MANIFEST.replace(first, &format!("{other}{first}state: {state}, "))
}

/// Others still send to a host that goes: its name leads nowhere then, as the configuration of the others says where it led.
#[test]
fn a_host_that_goes_early_takes_the_mail_with_it() {
    let folder = applied();
    change(&folder, &other_smart_host("retired"));
    let early = ["--host", "smtp.example.org", "--allow-early-removal"];
    let (said, code) = run(&folder, "plan", &early);
    let words = "3 addresses now bounce (5.4.4 at mx.example.org via relay:[smtp.example.org]:25)";
    assert!(code == Some(1) && said.contains(words), "{said}");
    let (said, code) = run(
        &folder,
        "apply",
        &[&early[..], &["--yes", "--allow-bounce"]].concat(),
    );
    assert_eq!(code, Some(0), "{said}");
    // The others heal that: the host is as its distribution installs it, and takes no such mail.
    let (said, code) = run(&folder, "plan", &["--adopt"]);
    let words = "mail: 3 addresses\n  3 addresses are delivered that were not\n";
    assert!(code == Some(0) && said.contains(words), "{said}");
}

/// A directory without people makes no change safe.
#[test]
fn a_directory_without_addresses_says_nothing() {
    let folder = applied();
    let root = "dn: dc=example,dc=org\nobjectClass: domain\n";
    fs::write(folder.0.path().join("d.ldif"), root).unwrap();
    let (said, code) = run(&folder, "plan", &[]);
    let words = "mail: 0 addresses\n  the directory has no address in the mail domains, so this says nothing\n";
    assert!(code == Some(0) && said.contains(words), "{said}");
}
