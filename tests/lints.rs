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
    run_with(verb, manifest, &[])
}

/// The same, with further files beside the manifest.
fn run_with(verb: &[&str], manifest: &str, files: &[(&str, &str)]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("murder.yaml"), manifest).unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
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

const BACKEND: &str = "backend1.example.org";

#[test]
fn explain_shows_the_result_of_a_list_edit_and_where_it_began() {
    let manifest = format!(
        "{HEAD}defaults: {{settings: {{smtpd_milters: {{append: ['inet:m:1']}}, mydestination: {{append: [x.example.org]}}}}}}\n{HOSTS}"
    );
    let said = explain(BACKEND, "smtpd_milters", &manifest);
    assert!(
        said.contains("Postfix's own default") && said.contains("resolves to\n    inet:m:1\n"),
        "{said}"
    );
    let said = explain(BACKEND, "mydestination", &manifest);
    assert!(
        said.contains("resolves to\n    $myhostname, localhost, example.org, x.example.org\n"),
        "{said}"
    );
}

#[test]
fn an_overlay_edits_the_value_below_it_and_explain_names_both() {
    let manifest =
        format!("{HEAD}defaults: {{settings: {{smtpd_client_restrictions: 'a, b'}}}}\n{HOSTS}");
    let overlay = "defaults: {settings: {smtpd_client_restrictions: {append: [c]}}}\n";
    let (right, said) = run_with(
        &[
            "explain",
            BACKEND,
            "smtpd_client_restrictions",
            "murder.yaml",
            "--overlay",
            "over/lay.yaml",
        ],
        &manifest,
        &[("over/lay.yaml", overlay)],
    );
    assert!(
        right
            && said.contains("decided by defaults, over/lay.yaml:1:")
            && said.contains("overridden by defaults, murder.yaml:5:")
            && said.contains("resolves to\n    a, b, c\n"),
        "{said}"
    );
}

#[test]
fn a_wrong_edit_of_an_overlay_is_shown_where_it_stands() {
    let manifest = format!("{HEAD}defaults: {{settings: {{mynetworks: null}}}}\n{HOSTS}");
    let (right, said) = run_with(
        &["check", "murder.yaml", "--overlay", "over/lay.yaml"],
        &manifest,
        &[(
            "over/lay.yaml",
            "defaults: {settings: {mynetworks: {append: [10.0.0.0/8]}}}\n",
        )],
    );
    assert!(!right && said.contains("--> over/lay.yaml:1:"), "{said}");
}

#[test]
fn explain_names_variables_conditions_and_what_is_left_alone() {
    let manifest = format!(
        "{HEAD}modules:
  backend: {{vars: {{layout: relay}}}}
  internal-mta: {{leave: [mynetworks]}}\n{HOSTS}"
    );
    let said = explain(BACKEND, "relay_domains", &manifest);
    assert!(
        said.contains(
            "by the variable `layout` of modules.backend of the manifest, murder.yaml:6:"
        ),
        "{said}"
    );
    let said = explain(BACKEND, "local_transport", &manifest);
    assert!(
        said.contains("not set on this host: module") && said.contains("murder.yaml:6:"),
        "{said}"
    );
    let said = explain(BACKEND, "vars.layout", &manifest);
    assert!(
        said.contains("decided by modules.backend")
            && said.contains("overridden by module backend"),
        "{said}"
    );
    let said = explain("smtp.example.org", "mynetworks", &manifest);
    assert!(
        said.contains("left alone by modules.internal-mta of the manifest, murder.yaml:7:"),
        "{said}"
    );
    let (_, said) = run(&["explain", BACKEND, "foo"], &manifest);
    assert!(!said.contains("did you mean"), "{said}");
    let (_, said) = run(&["explain", BACKEND, "relayhots"], &manifest);
    assert!(said.contains("did you mean `relayhost`?"), "{said}");
}

#[test]
fn explain_shows_the_path_of_a_template_of_the_sites_own() {
    let ask = |files: &[(&str, &str)]| {
        let verb = ["explain", BACKEND, "/etc/postfix/transport"];
        run_with(&verb, &format!("{HEAD}{HOSTS}"), files).1
    };
    let said = ask(&[]);
    assert!(
        said.contains("backend/templates/transport.tera (shipped with `murder`)"),
        "{said}"
    );
    let said = ask(&[("modules/backend/templates/transport.tera", "x smtp:y\n")]);
    assert!(
        said.contains("./modules/backend/templates/transport.tera"),
        "{said}"
    );
}

#[test]
fn what_is_left_alone_should_be_managed_by_somebody() {
    let said = check(&format!(
        "{HEAD}modules: {{internal-mta: {{leave: [mynetworks, content_filter, /etc/postfix/transprot]}}}}
defaults: {{leave: [lmtp/unix, relay_domains]}}\n{HOSTS}"
    ));
    assert!(
        said.contains("no module manages `content_filter`")
            && said.contains("did you mean `/etc/postfix/transport`?")
            && said.contains("2 warnings"),
        "{said}"
    );
}

#[test]
fn a_password_in_clear_and_a_ca_file_without_tls_are_shown_once_a_directory() {
    let ldap = |uri: &str| {
        check(&format!(
            "version: 1
murder: example.org
domains: [example.org]
ldap:
  uris: ['{uri}']
  base: dc=example,dc=org
  bind_dn: cn=x
  bind_pw: {{env: PW}}
  tls: {{mode: none, ca_file: /etc/ssl/ca.pem}}\n{HOSTS}"
        ))
    };
    let said = ldap("ldap://ldap.example.org");
    assert!(
        said.contains("the password of `bind_dn` goes to `ldap://ldap.example.org` unencrypted")
            && said.contains("`ca_file` has no effect without TLS")
            && said.contains("2 warnings"),
        "{said}"
    );
    for loopback in [
        "ldap://127.0.0.1:389",
        "ldap://[::1]",
        "ldapi://%2Frun%2Fslapd",
    ] {
        assert!(ldap(loopback).contains("1 warning"), "{loopback}");
    }
}

#[test]
fn check_foresees_what_an_apply_would_refuse_of_a_secret() {
    let manifest = format!(
        "{HEAD}defaults:
  files: {{/etc/postfix/relay: {{content: 'x me:{{{{ secret.relay }}}}', secrets: {{relay: {{file: relay.pw}}}}, table: true}}}}\n{HOSTS}"
    );
    let (right, said) = run(&["check"], &manifest);
    assert!(
        right && said.contains("relay.pw") && said.contains("1 warning"),
        "{said}"
    );
    let (right, said) = run_with(&["check"], &manifest, &[("relay.pw", "hunter2\n")]);
    assert!(
        right && said.contains("other users have access to it"),
        "{said}"
    );
}

#[test]
fn a_host_that_goes_alone_is_held_against_those_that_stay() {
    let manifest = format!(
        "{HEAD}{HOSTS}
  old.example.org: {{roles: [backend], state: retired}}
  web.example.org: {{roles: [frontend], addresses: [192.0.2.4], settings: {{relayhost: \"[old.example.org]\"}}}}\n"
    );
    let (right, said) = run(&["check", "--host", "old.example.org"], &manifest);
    assert!(
        !right && said.contains("`old.example.org` is retired"),
        "{said}"
    );
    let (right, said) = run(&["check", "--host", "smtp.example.org"], &manifest);
    assert!(right, "{said}");
}

#[test]
fn the_first_host_of_a_murder_may_join() {
    check(&format!(
        "{HEAD}hosts:\n  smtp.example.org: {{roles: [internal-mta], state: joining, addresses: [192.0.2.1]}}\n"
    ));
}

#[test]
fn an_overlay_within_a_service_or_a_file_is_named_with_its_base() {
    let manifest = format!(
        "{HEAD}defaults:
  services: {{smtp/unix: {{chroot: n, process_limit: '5', options: {{syslog_name: a}}}}}}
  files: {{/etc/postfix/x: {{content: a}}}}\n{HOSTS}"
    );
    let overlay = "defaults:
  services: {smtp/unix: {chroot: y, options: {syslog_name: b, soft_bounce: 'yes'}}}
  files: {/etc/postfix/x: {content: b}}\n";
    let ask = |thing: &str| {
        let verb = [
            "explain",
            BACKEND,
            thing,
            "murder.yaml",
            "--overlay",
            "over/lay.yaml",
        ];
        run_with(&verb, &manifest, &[("over/lay.yaml", overlay)]).1
    };
    for (thing, base) in [
        ("smtp/unix/chroot", 6),
        ("smtp/unix:syslog_name", 6),
        ("/etc/postfix/x", 7),
    ] {
        let said = ask(thing);
        assert!(
            said.contains("decided by defaults, over/lay.yaml:")
                && said.contains(&format!("overridden by defaults, murder.yaml:{base}:")),
            "{said}"
        );
    }
    let said = ask("smtp/unix:soft_bounce");
    assert!(
        said.contains("decided by defaults, over/lay.yaml:2:"),
        "{said}"
    );
    let said = ask("smtp/unix/process_limit");
    assert!(
        said.contains("decided by defaults, murder.yaml:6:"),
        "{said}"
    );
}

#[test]
fn a_list_edit_is_explained_by_the_line_of_its_first_member() {
    let manifest = format!(
        "{HEAD}defaults:
  settings:
    relay_domains:
      append:
        - other.example
    mydestination: {{append: [x.example.net]}}
    smtpd_banner: >-
      hello\n{HOSTS}"
    );
    for (thing, place, source) in [
        ("relay_domains", "murder.yaml:9:", "- other.example"),
        ("mydestination", "murder.yaml:10:", "mydestination: {append"),
        ("smtpd_banner", "murder.yaml:12:", "| hello"),
    ] {
        let verb = ["explain", BACKEND, thing, "murder.yaml"];
        let said = run_with(&verb, &manifest, &[]).1;
        assert!(
            said.contains(&format!("by defaults, {place}")) && said.contains(source),
            "{thing}: {said}"
        );
    }
}
