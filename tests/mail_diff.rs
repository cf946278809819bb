//! `murder diff --ldif`: what the difference of two manifests means for mail, offline.

use std::fs;

use serde_json::Value;

use super::mail_change::{PEOPLE, with};
use super::routes::{MANIFEST, RouteFolder, text};
use super::saved::valid::invalid;

/// The difference between the murder of the tests, whose second backend refuses strangers for good, and this manifest.
fn diff(manifest: &str, more: &[&str]) -> (String, String, Option<i32>) {
    let strict = "settings: {unknown_local_recipient_reject_code: '550'}";
    let folder = RouteFolder::with(&with("backend2", strict), PEOPLE);
    fs::write(folder.0.path().join("new.yaml"), manifest).unwrap();
    let all = [&["diff", "m.yaml", "new.yaml", "--ldif", "d.ldif"], more].concat();
    let output = folder.run(&all);
    (
        text(&output.stdout),
        text(&output.stderr),
        output.status.code(),
    )
}

/// Mail for one person goes to the other backend, which knows it or not.
fn moving(backend_knows: bool) -> String {
    let knows = match backend_knows {
        true => {
            ", transport_maps: {prepend: ['inline:{{ann@example.org=lmtp:unix:/run/cyrus/socket/lmtp}}']}, local_recipient_maps: {prepend: ['inline:{{ann@example.org=x}}']}"
        }
        false => "",
    };
    let takes = format!("settings: {{unknown_local_recipient_reject_code: '550'{knows}}}");
    let sends = "settings: {transport_maps: {prepend: ['inline:{{ann@example.org=relay:[backend2.example.org]}}']}}";
    let line = |line: &str| match line.starts_with("  backend2") {
        true => line.replace("]}", &format!("], {takes}}}")) + "\n",
        false => line.to_owned() + "\n",
    };
    with("smtp", sends).lines().map(line).collect()
}

#[test]
fn a_difference_that_bounces_ends_with_1_and_says_where() {
    let (out, err, code) = diff(&moving(false), &[]);
    let words =
        "2 addresses now bounce (5.1.1 at smtp.example.org via relay:[backend2.example.org])";
    assert!(
        out.contains(words) && !out.contains("ann.lee@"),
        "{out}{err}"
    );
    assert!(
        out.contains("`apply` would refuse this without --allow-bounce: 2 addresses lose mail"),
        "{out}"
    );
    assert_eq!(code, Some(1), "{out}{err}");
    let (out, _, code) = diff(&moving(false), &["--allow-bounce", "--show-addresses"]);
    assert!(
        out.contains("ann@example.org, ann.lee@example.org") && code == Some(0),
        "{out}"
    );
    let (out, _, code) = diff(&moving(false), &["--allow-bounce", "--detailed-exitcode"]);
    assert_eq!(code, Some(2), "{out}");
}

#[test]
fn states_on_the_way_are_tried_in_the_order_of_an_apply() {
    let (out, err, code) = diff(&moving(true), &[]);
    for words in [
        "2 addresses move from backend1.example.org to backend2.example.org",
        "on the way, with smtp.example.org alone changed: 2 addresses now bounce",
        "tried: the end; after wave 1 of 2; with each of backend2.example.org, smtp.example.org alone changed",
        "2 addresses lose mail (refused for good, bounced, thrown away, or in a loop) while hosts are applied",
    ] {
        assert!(out.contains(words), "{words}: {out}{err}");
    }
    assert_eq!(code, Some(1));
}

#[test]
fn hosts_that_come_and_go_are_compared_too() {
    let line = |name: &str| MANIFEST.lines().find(|line| line.contains(name)).unwrap();
    let without = |name: &str| MANIFEST.replace(&format!("{}\n", line(name)), "");
    let (out, err, code) = diff(&without("backend2.example.org:"), &[]);
    assert!(
        out.contains("1 address now bounces (5.4.4 at"),
        "{out}{err}"
    );
    assert!(
        out.contains(
            "mail no longer enters at `backend2.example.org` (from another host, by sendmail)"
        ),
        "{out}"
    );
    assert_eq!(code, Some(1));
    let third = "  backend3.example.org: {roles: [backend], addresses: [192.0.2.14]}\n";
    let (out, err, code) = diff(&(MANIFEST.to_owned() + third), &[]);
    assert!(
        out.contains(
            "mail can now enter at `backend3.example.org` (from another host, by sendmail)"
        ),
        "{out}{err}"
    );
    assert!(
        out.contains("no address moves, and none is worse off"),
        "{out}"
    );
    assert_eq!(code, Some(0));
    let (out, err, code) = diff(MANIFEST, &[]);
    assert!(
        out.contains("no address moves") && code == Some(0),
        "{out}{err}"
    );
}

/// An internet MTA in the place of another one: what bounced before bounces still, and is not new.
#[test]
fn a_replaced_edge_is_compared_with_the_old_one() {
    let dead = "\ndn: uid=eve,ou=People,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: eve@example.org\nmailHost: dead.example.org\n";
    let folder = RouteFolder::with(MANIFEST, &(PEOPLE.to_owned() + dead));
    let ask = |from: &str, to: &str| {
        let new = MANIFEST.replace(from, to);
        assert_ne!(new, MANIFEST);
        fs::write(folder.0.path().join("new.yaml"), new).unwrap();
        let output = folder.run(&["diff", "m.yaml", "new.yaml", "--ldif", "d.ldif"]);
        (text(&output.stdout), output.status.code())
    };
    let old = "  mx.example.org: {roles: [internet-mta], addresses: [192.0.2.6]";
    let new = "  mx2.example.org: {roles: [internet-mta], addresses: [192.0.2.66]";
    let (out, code) = ask(old, new);
    for words in [
        "mail no longer enters at `mx.example.org` (from the Internet",
        "mail can now enter at `mx2.example.org` (from the Internet",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(
        !out.contains("now bounce") && !out.contains("--allow-bounce"),
        "{out}"
    );
    assert_eq!(code, Some(0), "{out}");
    // One that refuses what the old one took is still said.
    let refuses = format!("{new}, vars: {{recipient_check: table, recipients: [bob@example.org]}}");
    let (out, code) = ask(old, &refuses);
    assert!(
        out.contains("would refuse this without --allow-bounce"),
        "{out}"
    );
    assert_eq!(code, Some(1), "{out}");
}

#[test]
fn markdown_and_json_have_it_too() {
    let (out, _, _) = diff(&moving(false), &["--format", "markdown", "--limit", "4000"]);
    assert!(
        out.contains("```text\nmail: 3 addresses\n  2 addresses now bounce"),
        "{out}"
    );
    assert!(out.len() <= 4000);
    let (out, _, code) = diff(&moving(false), &["--format", "json"]);
    let document: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        document["mail"]["worse"]["bounced"]["addresses"], 2,
        "{out}"
    );
    assert_eq!(code, Some(1));
    let folder = RouteFolder::with(MANIFEST, PEOPLE);
    let schema = text(&folder.run(&["schema", "diff"]).stdout);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(invalid(&document, &schema), None);
}

#[test]
fn a_file_that_is_no_directory_is_an_error() {
    let (_, err, code) = diff(MANIFEST, &["--show-addresses"]);
    assert_eq!(code, Some(0), "{err}");
    let folder = RouteFolder::with(MANIFEST, "no entry\n");
    let output = folder.run(&["diff", "m.yaml", "m.yaml", "--ldif", "d.ldif"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let output = folder.run(&["diff", "m.yaml", "m.yaml", "--ldif", "none.ldif"]);
    assert!(text(&output.stderr).contains("none.ldif"));
}

/// A host that replaces another one is not set up before its wave: mail that others send to it waits.
#[test]
fn mail_for_a_host_that_comes_waits_until_its_wave() {
    let folder = RouteFolder::with(MANIFEST, PEOPLE);
    let new = MANIFEST.replace("smtp.example.org", "smtp2.example.org");
    fs::write(folder.0.path().join("new.yaml"), new).unwrap();
    let output = folder.run(&["diff", "m.yaml", "new.yaml", "--ldif", "d.ldif"]);
    let said = text(&output.stdout);
    for words in [
        "  no address moves, and none is worse off at the end\n",
        "  on the way, after wave 1 of 4: 3 addresses now wait (4.4.1 at backend2.example.org via relay:[smtp2.example.org]:25)\n",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(output.status.code(), Some(0), "{said}");
}

/// The instances of a host are changed together, so no state has only one of them changed.
#[test]
fn all_instances_of_a_host_are_changed_together() {
    let manifest = |banner: &str| {
        format!(
            r#"version: 1
murder: lab
domains: [example.org]
ldap: {{uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', tls: {{mode: none}}}}
cyrus: {{lmtp_socket: /run/cyrus/socket/lmtp, postuser: folder}}
smart_host: mx.example.org
defaults: {{settings: {{smtpd_recipient_limit: '{banner}'}}}}
modules: {{internet-mta: {{instance: postfix-out, settings: {{master_service_disable: ''}}}}}}
hosts:
  backend1.example.org: {{roles: [backend], addresses: [192.0.2.11]}}
  backend2.example.org: {{roles: [backend], addresses: [192.0.2.12]}}
  mx.example.org:
    roles: [internal-mta, internet-mta]
    addresses: [192.0.2.5, 192.0.2.6]
    instances:
      postfix: {{settings: {{inet_interfaces: '192.0.2.5, 127.0.0.1'}}}}
      postfix-out: {{settings: {{inet_interfaces: 192.0.2.6, myhostname: mx-in.example.org}}}}
"#
        )
    };
    let folder = RouteFolder::with(&manifest("900"), PEOPLE);
    fs::write(folder.0.path().join("new.yaml"), manifest("800")).unwrap();
    let output = folder.run(&["diff", "m.yaml", "new.yaml", "--ldif", "d.ldif"]);
    let said = text(&output.stdout) + &text(&output.stderr);
    let words = "with each of backend1.example.org, mx.example.org alone changed (1 more host";
    assert!(said.contains(words), "{said}");
}
