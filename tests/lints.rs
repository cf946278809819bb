//! What `check` and `explain` say of manifests that work, or should: through the program itself.

use std::fs;
use std::process::Command;

/// A manifest's first lines, up to `hosts:`.
const HEAD: &str = r#"version: 1
murder: example.org
domains: [example.org]
ldap: {uris: ["ldaps://ldap.example.org"], base: "dc=example,dc=org"}
"#;

/// Two hosts that every murder here has.
const HOSTS: &str = r"hosts:
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.1]}
  backend1.example.org: {roles: [backend], addresses: [192.0.2.2]}
";

/// What the program says of a manifest, and whether it is content.
fn run(verb: &[&str], manifest: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("murder.yaml"), manifest).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(verb)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

/// What `check` says of a manifest that is right.
fn check(manifest: &str) -> String {
    let (right, said) = run(&["check"], manifest);
    assert!(right, "{said}");
    said
}

/// What `explain` says of a thing.
fn explain(host: &str, thing: &str, manifest: &str) -> String {
    let (right, said) = run(&["explain", host, thing], manifest);
    assert!(right, "{said}");
    said
}

#[test]
fn a_murder_can_be_retired_as_a_whole() {
    let said = check(&format!(
        "{HEAD}smart_host: smtp.example.org
shared_folders: [{{address: a@example.org, backend: backend1.example.org, folder: shared/a}}]
defaults: {{state: retired}}\n{HOSTS}"
    ));
    assert!(said.contains("no problems"), "{said}");
    let said = check(&format!("{HEAD}defaults: {{state: retired}}\n{HOSTS}"));
    assert!(said.contains("no problems"), "{said}");
}

#[test]
fn a_retired_host_leaves_its_mailhost_to_its_replacement() {
    let said = check(&format!(
        "{HEAD}modules: {{internal-mta: {{vars: {{relayhost: \"[store1.example.org]\"}}}}}}\n{HOSTS}
  old1.example.org: {{roles: [backend], mailhost: store1.example.org, state: retired}}
  new1.example.org: {{roles: [backend], mailhost: store1.example.org, addresses: [192.0.2.3]}}\n"
    ));
    assert!(said.contains("no problems"), "{said}");
}

#[test]
fn a_smart_host_in_service_goes_before_one_that_joins() {
    let said = explain(
        "backend1.example.org",
        "relayhost",
        &format!(
            "{HEAD}{HOSTS}  a.example.org: {{roles: [internal-mta], addresses: [192.0.2.3], state: joining}}\n"
        ),
    );
    assert!(said.contains("[smtp.example.org]"), "{said}");
}

#[test]
fn tls_policies_stand_under_the_words_of_the_next_hop() {
    let policy = |value: &str| {
        check(&format!(
            "{HEAD}modules: {{internal-mta: {{settings: {{smtp_tls_policy_maps: \"{value}\"}}}}}}\n{HOSTS}"
        ))
    };
    let said = policy("inline:{ {backend1.example.org = encrypt} }");
    assert!(
        said.contains("the TLS policy of `backend1.example.org` is never used")
            && said.contains("the next hop is `[backend1.example.org]:25`"),
        "{said}"
    );
    let said = policy("inline:{ {[backend1.example.org]:25 = encrypt}, {example.com = may} }");
    assert!(said.contains("no problems"), "{said}");
    let said = check(&format!(
        "{HEAD}modules:
  backend:
    settings: {{smtp_tls_policy_maps: hash:/etc/postfix/tls}}
    files: {{/etc/postfix/tls: {{content: '[smtp.example.org] encrypt', table: true}}}}\n{HOSTS}"
    ));
    assert!(said.contains("no problems"), "{said}");
    let said = check(&format!(
        "{HEAD}modules:
  backend:
    settings: {{smtp_tls_policy_maps: hash:/etc/postfix/tls}}
    files: {{/etc/postfix/tls: {{content: '[smtp.example.org]:26 may', table: true}}}}\n{HOSTS}"
    ));
    assert!(
        said.contains("the next hop is `[smtp.example.org]`, `[smtp.example.org]:25`"),
        "{said}"
    );
}
