//! One host with roles on two instances of Postfix, through every verb.

use std::fs;
use std::process::Command;

use super::Bench;

/// A machine that is the internal MTA, and on another instance the internet MTA.
fn manifest(of_host: &str, of_role: &str) -> String {
    format!(
        r#"version: 1
murder: example.org
domains: [example.org]
ldap: {{uris: ["ldap://ldap.example.org"], base: "dc=example,dc=org"}}
smart_host: mx.example.org
modules:
  internet-mta: {{instance: postfix-out, {of_role}}}
hosts:
  backend1.example.org: {{roles: [backend], addresses: [192.0.2.11]}}
  mx.example.org:
    roles: [internal-mta, internet-mta]
    addresses: [192.0.2.5, 192.0.2.6]
    settings: {{message_size_limit: "50000000"}}
    {of_host}
"#
    )
}

/// The manifest with what each instance needs.
pub(super) fn with_two_instances() -> String {
    manifest(INSTANCES, ROLE)
}

const ROLE: &str = r#"vars: {recipient_check: ldap}, settings: {master_service_disable: ""}"#;
const INSTANCES: &str = r#"instances:
      postfix: {settings: {inet_interfaces: "192.0.2.5, 127.0.0.1"}}
      postfix-out: {settings: {inet_interfaces: 192.0.2.6, myhostname: mx-in.example.org}}"#;
const HOST: [&str; 2] = ["--host", "mx.example.org"];

fn read(bench: &Bench, path: &str) -> String {
    fs::read_to_string(bench.root("mx.example.org").join(path)).unwrap_or_default()
}

/// A verb without a sandbox; gives what it prints.
fn offline(bench: &Bench, words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(words)
        .current_dir(bench.home.path().join("manifest"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

/// A verb about the host in the sandbox; gives what it prints.
fn on_host(bench: &Bench, verb: &str, more: &[&str]) -> String {
    let sandbox = bench.home.path().join("sandbox");
    let sandbox = sandbox.to_str().unwrap();
    let words = [&[verb, "mx.example.org", ".", "--sandbox", sandbox], more].concat();
    offline(bench, &words)
}

/// A directory with nobody in it.
fn directory(bench: &Bench) -> String {
    let path = bench.home.path().join("empty.ldif");
    let text = "dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n";
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn two_roles_on_two_instances_are_one_host() {
    let bench = Bench::new(&manifest(INSTANCES, ROLE));
    bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    let root = bench.root("mx.example.org");
    for path in ["etc/postfix/role_addresses", "etc/postfix-out/transport"] {
        assert!(root.join(path).exists(), "{path}");
    }
    let (inner, outer) = (
        read(&bench, "etc/postfix/main.cf"),
        read(&bench, "etc/postfix-out/main.cf"),
    );
    for text in [&inner, &outer] {
        assert!(text.contains("message_size_limit = 50000000"), "{text}");
    }
    assert!(
        inner.contains("inet_interfaces = 192.0.2.5, 127.0.0.1"),
        "{inner}"
    );
    assert!(outer.contains("inet_interfaces = 192.0.2.6"), "{outer}");
    // The internal MTA sends outward through the other instance, by the name that only this one has.
    assert!(
        inner.contains("relayhost = [mx-in.example.org]:25"),
        "{inner}"
    );
    let routes = read(&bench, "etc/postfix-out/transport");
    assert!(
        routes.contains("example.org relay:[mx.example.org]:25"),
        "{routes}"
    );
    let written = bench.fingerprint();
    let said = bench.expect(0, "plan", &HOST);
    assert!(said.contains("1 host converged"), "{said}");
    bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    assert_eq!(
        bench.fingerprint(),
        written,
        "a second apply wrote something"
    );
    let ledger = read(&bench, "var/lib/murder/ledger.json");
    assert!(
        ledger.contains("\"postfix-out\": {") && ledger.contains("\"postfix\": {"),
        "{ledger}"
    );

    // Drift of one instance names it, and leaves the other one alone.
    fs::write(
        root.join("etc/postfix-out/main.cf"),
        outer.replace("192.0.2.6", "192.0.2.7"),
    )
    .unwrap();
    let said = bench.expect(2, "drift", &HOST);
    assert!(
        said.contains("/etc/postfix-out/main.cf:inet_interfaces") && !said.contains(" main.cf:"),
        "{said}"
    );
    bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    assert_eq!(read(&bench, "etc/postfix-out/main.cf"), outer);
    let said = on_host(&bench, "history", &["-v"]);
    assert!(
        said.contains("/etc/postfix-out/main.cf:inet_interfaces"),
        "{said}"
    );

    // A rollback goes back on both.
    let said = on_host(
        &bench,
        "rollback",
        &["--to", "0", "--yes", "--allow-delete"],
    );
    assert!(said.contains("done"), "{said}");
    for path in ["etc/postfix/role_addresses", "etc/postfix-out/transport"] {
        assert!(!root.join(path).exists(), "{path}");
    }
    let outer = read(&bench, "etc/postfix-out/main.cf");
    assert!(outer.contains("master_service_disable = inet"), "{outer}");
}

#[test]
fn each_role_is_explained_rendered_and_traced_on_its_instance() {
    let bench = Bench::new(&manifest(INSTANCES, ROLE));
    let explain = |thing: &str| offline(&bench, &["explain", "mx.example.org", thing]);
    let ldif = directory(&bench);
    let said = explain("inet_interfaces");
    assert!(
        said.contains("main.cf:inet_interfaces\n")
            && said.contains("/etc/postfix-out/main.cf:inet_interfaces\n"),
        "{said}"
    );
    let said = explain("/etc/postfix-out/main.cf:inet_interfaces");
    assert!(
        said.contains("192.0.2.6") && !said.contains("192.0.2.5"),
        "{said}"
    );
    let said = explain("virtual_alias_maps");
    assert!(!said.contains("postfix-out"), "{said}");
    let said = explain("/etc/postfix-out/transport");
    assert!(said.contains("by the template internet-mta"), "{said}");
    let said = offline(&bench, &["render"]);
    assert!(
        said.contains("/etc/postfix-out/main.cf:inet_interfaces = 192.0.2.6")
            && said.contains("\nmain.cf:inet_interfaces = 192.0.2.5"),
        "{said}"
    );
    let said = offline(&bench, &["trace", "--ldif", &ldif, "root@example.org"]);
    assert!(said.contains("mx.example.org/postfix-out"), "{said}");
    let said = offline(
        &bench,
        &[
            "trace",
            "--no-directory",
            "--at",
            "mx.example.org/postfix-out",
            "--client",
            "192.0.2.5",
            "x@outside.example",
        ],
    );
    assert!(said.contains("mx.example.org/postfix-out"), "{said}");
    let said = offline(
        &bench,
        &[
            "trace",
            "--ldif",
            &ldif,
            "--submit",
            "mx.example.org",
            "x@outside.example",
        ],
    );
    assert!(
        said.contains("relay:[mx-in.example.org]:25") || said.contains("[mx-in.example.org]:25"),
        "{said}"
    );
    assert!(
        said.contains("mx.example.org/postfix-out") && !said.contains("loops back"),
        "{said}"
    );
}

#[test]
fn what_two_instances_cannot_share_is_said() {
    // One port and address.
    let shared = INSTANCES.replace("192.0.2.6", "192.0.2.5");
    let bench = Bench::new(&manifest(&shared, ROLE));
    let said = bench.expect(1, "apply", &[&HOST[..], &["--yes"]].concat());
    assert!(
        said.contains("listen on the same port and address"),
        "{said}"
    );
    // One name.
    let named = INSTANCES.replace(", myhostname: mx-in.example.org", "");
    let bench = Bench::new(&manifest(&named, ROLE));
    let said = bench.expect(0, "plan", &HOST);
    assert!(
        said.contains("have the same `myhostname`: `mx.example.org`"),
        "{said}"
    );
    let ldif = directory(&bench);
    let said = offline(
        &bench,
        &[
            "trace",
            "--ldif",
            &ldif,
            "--submit",
            "mx.example.org",
            "x@outside.example",
        ],
    );
    assert!(said.contains("loops back"), "{said}");
    // One file.
    let file = format!("{ROLE}, files: {{/etc/aliases: {{content: \"a: b\"}}}}");
    let bench = Bench::new(&manifest(
        &format!("{INSTANCES}\n    files: {{/etc/aliases: {{content: \"c: d\"}}}}"),
        &file,
    ));
    let said = bench.expect(1, "plan", &HOST);
    assert!(
        said.contains("the instances `postfix` and `postfix-out` would both manage `/etc/aliases`"),
        "{said}"
    );
    // An instance without a role.
    let unused = INSTANCES.replace("      postfix: ", "      postfix-in: ");
    let said = Bench::new(&manifest(&unused, ROLE)).expect(1, "plan", &HOST);
    assert!(
        said.contains("no role of the host is on the instance `postfix-in`"),
        "{said}"
    );
}

#[test]
fn files_and_what_is_left_alone_are_of_the_instance_whose_folder_they_are_in() {
    let more = format!(
        "{INSTANCES}\n    files: {{/etc/postfix/x: {{content: a}}, /etc/postfix-out/y: {{content: b}}}}\n    leave: [/etc/postfix-out/transport]"
    );
    let bench = Bench::new(&manifest(&more, ROLE));
    let said = bench.expect(0, "apply", &[&HOST[..], &["--yes"]].concat());
    assert!(!said.contains("no module manages"), "{said}");
    let ledger = read(&bench, "var/lib/murder/ledger.json");
    let (default, other) = ledger.split_once("\"postfix-out\": {").unwrap();
    assert!(
        default.contains("\"/etc/postfix/x\"") && other.contains("\"/etc/postfix-out/y\""),
        "{ledger}"
    );
    let root = bench.root("mx.example.org");
    assert!(root.join("etc/postfix/transport").exists());
    assert!(!root.join("etc/postfix-out/transport").exists());
    // A word that no module of either instance knows is still a slip.
    let slip = format!("{INSTANCES}\n    leave: [transport_mapz]");
    let said = Bench::new(&manifest(&slip, ROLE)).expect(1, "plan", &HOST);
    assert!(said.contains("transport_mapz"), "{said}");
    let slip = format!("{INSTANCES}\n    leave: [biff]");
    let said = Bench::new(&manifest(&slip, ROLE)).expect(0, "plan", &HOST);
    assert!(said.contains("no module manages `biff`"), "{said}");
    let slip = format!("{INSTANCES}\n    leave: [virtual_alias_maps]");
    let said = Bench::new(&manifest(&slip, ROLE)).expect(0, "plan", &HOST);
    assert!(!said.contains("no module manages"), "{said}");
}
