//! Policies: each rule of the shipped set broken and kept, rules of a file, and where they hold.

use std::fs;
use std::process::{Command, Stdio};

const MANIFEST: &str = r#"version: 1
murder: example.org
domains: [example.org]
ldap: {uris: ["ldaps://ldap.example.org"], base: "dc=example,dc=org", bind_dn: "cn=x", bind_pw: {env: BIND_PW}}
modules:
  internet-mta: {settings: {smtpd_tls_security_level: may, smtp_tls_security_level: may}}
hosts:
  mx.example.org: {roles: [internet-mta], addresses: [192.0.2.1]}
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.2]}
  backend1.example.org: {roles: [backend], addresses: [192.0.2.3]}
"#;

/// Runs a verb on a manifest in a folder that also has `policy.yaml`.
fn run(verb: &[&str], manifest: &str, policy: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("murder.yaml"), manifest).unwrap();
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(verb)
        .current_dir(folder.path())
        .env("BIND_PW", "hunter2-of-the-directory")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("hunter2"), "{said}");
    (output.status.code(), said)
}

fn safe(manifest: &str) -> (Option<i32>, String) {
    run(
        &["check", "murder.yaml", "--policy", "builtin:safe"],
        manifest,
        "",
    )
}

#[test]
fn a_manifest_that_keeps_the_shipped_rules_passes() {
    let (code, said) = safe(MANIFEST);
    assert_eq!(code, Some(0), "{said}");
    // Without the policy, what it forbids is the site's own business.
    let open = MANIFEST.replace("smtpd_tls_security_level: may, ", "");
    assert_eq!(run(&["check", "murder.yaml"], &open, "").0, Some(0));
}

#[test]
fn each_shipped_rule_is_broken_by_its_mistake_and_by_nothing_else() {
    let with = |more: &str| format!("{MANIFEST}defaults:\n  {more}\n");
    let cases: [(&str, String, &str); 12] = [
        (
            "no open relay",
            with("settings: {relay_domains: \"static:all\"}"),
            "every domain",
        ),
        (
            "no open relay",
            with("services: {smtp/inet: {command: smtpd, options: {relay_domains: \"static:all\"}}}"),
            "every domain",
        ),
        (
            "no bind in clear",
            MANIFEST.replace("ldaps://", "ldap://"),
            "sends its password to `ldap://ldap.example.org` without TLS",
        ),
        (
            "no bind in clear",
            with("files: {/etc/postfix/people.cf: {content: \"server_host = ldap.example.org\\nbind_dn = cn=x\\nbind_pw = {{ secret.x }}\\n\", secrets: {x: {env: BIND_PW}}}}\n  settings: {alias_maps: \"ldap:/etc/postfix/people.cf\"}"),
            "sends its password to `ldap.example.org` without TLS",
        ),
        (
            "TLS for mail that arrives",
            MANIFEST.replace("smtpd_tls_security_level: may, ", ""),
            "no manifest key or module sets `smtpd_tls_security_level`",
        ),
        (
            "TLS for mail that arrives",
            MANIFEST.replace("smtpd_tls_security_level: may", "smtpd_tls_security_level: none"),
            "`main.cf:smtpd_tls_security_level` is `none`",
        ),
        (
            "TLS for mail that arrives",
            MANIFEST.replace(
                "addresses: [192.0.2.1]}",
                "addresses: [192.0.2.1], services: {smtp/inet: {options: {smtpd_tls_security_level: none}}}}",
            ),
            "`master.cf:smtp/inet:smtpd_tls_security_level` is `none`",
        ),
        (
            "TLS for mail that leaves",
            MANIFEST.replace("smtp_tls_security_level: may", "smtp_tls_security_level: none"),
            "`main.cf:smtp_tls_security_level` is `none`",
        ),
        (
            "no relaying for the whole Internet",
            with("settings: {mynetworks: \"127.0.0.0/8 0.0.0.0/0\"}"),
            "`0.0.0.0/0`",
        ),
        (
            "no relaying for the whole Internet",
            with("settings: {mynetworks: \"128.0.0.0/1 [::1]/128\"}"),
            "`128.0.0.0/1`",
        ),
        (
            "no relaying for the whole Internet",
            with("settings: {mynetworks: \"static:all\"}"),
            "`static:all`",
        ),
        (
            "no relaying for the whole Internet",
            with("settings: {mynetworks: \"$wide\", wide: \"[::]/0\"}"),
            "`[::]/0`",
        ),
    ];
    for (rule, manifest, what) in cases {
        let without = run(&["check", "murder.yaml"], &manifest, "");
        assert_eq!(without.0, Some(0), "{rule}, {what}: {}", without.1);
        let (code, said) = safe(&manifest);
        assert_eq!(code, Some(1), "{rule}, {what}: {said}");
        assert!(
            said.contains(what) && said.contains(&format!("(rule `{rule}`)")),
            "{rule}: {said}"
        );
        let errors = said.matches("error: ").count();
        let of_rule = said.matches(&format!("(rule `{rule}`)")).count();
        assert_eq!(errors, of_rule, "{rule}: {said}");
    }
}

/// Postfix wants one word that stops relaying, in `smtpd_relay_restrictions` or `smtpd_recipient_restrictions`, before a
/// `permit`. Where the manifest has both lists without one, `check` refuses it without a policy, too.
#[test]
fn lists_of_restrictions_that_stop_no_relaying_are_an_open_relay() {
    let relay = |list: &str| format!("settings: {{smtpd_relay_restrictions: \"{list}\"}}");
    let both = |list: &str| {
        format!(
            "settings: {{smtpd_relay_restrictions: \"\", smtpd_recipient_restrictions: \"{list}\"}}"
        )
    };
    let mine =
        |list: &str| format!("settings: {{smtpd_relay_restrictions: \"$mine\", mine: \"{list}\"}}");
    let of_service = |list: &str| {
        format!("services: {{smtp/inet: {{options: {{smtpd_relay_restrictions: \"{list}\"}}}}}}")
    };
    const OPEN: &str = "lets every client relay";
    const REFUSED: &str = "error: `main.cf:smtpd_relay_restrictions` does not stop relaying";
    let cases = [
        (relay("permit_mynetworks, reject_unauth_destination"), None),
        (relay("permit_sasl_authenticated, REJECT"), None),
        (relay("permit_mynetworks"), Some(OPEN)),
        (relay("permit, reject_unauth_destination"), Some(OPEN)),
        (
            relay("warn_if_reject reject_unauth_destination"),
            Some(OPEN),
        ),
        (mine("reject_unauth_destination"), None),
        (mine("permit_mynetworks"), Some(OPEN)),
        (both("permit_mynetworks, defer_unauth_destination"), None),
        (both("permit_mynetworks, permit"), Some(REFUSED)),
        (of_service("permit_mynetworks, reject"), None),
        (of_service("permit"), Some(OPEN)),
    ];
    for (defaults, wrong) in cases {
        let manifest = format!("{MANIFEST}defaults:\n  {defaults}\n");
        let (code, said) = run(&["check", "murder.yaml"], &manifest, "");
        let refused = i32::from(wrong == Some(REFUSED));
        assert_eq!(code, Some(refused), "{defaults}: {said}");
        let (code, said) = safe(&manifest);
        assert_eq!(code, Some(i32::from(wrong.is_some())), "{defaults}: {said}");
        for word in [OPEN, REFUSED] {
            assert_eq!(
                said.contains(word),
                wrong == Some(word),
                "{defaults}: {said}"
            );
        }
        let by_rule = said.contains("(rule `no open relay`)");
        assert_eq!(by_rule, wrong == Some(OPEN), "{defaults}: {said}");
    }
}

#[test]
fn rules_of_a_file_hold_in_check_and_plan_and_name_their_place() {
    let policy = r#"rules:
  - {name: helo, parameter: smtpd_helo_required, require: "yes", message: "spammers", reference: "https://wiki.example.org/helo"}
  - {name: size, parameter: message_size_limit, at_most: "50000000"}
  - {name: protocol, roles: [internet-mta], parameter: smtpd_tls_security_level, one_of: [encrypt]}
  - {name: no submission, service: submission/inet, forbid: present}
  - {name: chroot, roles: [backend], service: lmtp/unix, require: {chroot: n}}
  - {name: modes, file: "/etc/postfix/*", require: {mode: "0640"}}
  - {name: no sasl files, file: "*/sasl*", forbid: present}
  - {name: mine, parameter: mynetworks, forbid: [10.0.0.1]}
"#;
    let bad = format!(
        "{MANIFEST}defaults:\n  settings: {{smtpd_helo_required: \"no\", message_size_limit: \"50000001\", mynetworks: \"10.0.0.0/8\"}}\n  \
         services: {{submission/inet: {{command: smtpd}}, lmtp/unix: {{chroot: \"y\"}}}}\n  \
         files: {{/etc/postfix/sasl_x: {{content: \"x\"}}}}\n"
    );
    for verb in ["check", "plan"] {
        let mut arguments = vec![verb, "murder.yaml", "--policy=policy.yaml"];
        if verb == "plan" {
            arguments.push("--sandbox=box");
        }
        let (code, said) = run(&arguments, &bad, policy);
        assert_eq!(code, Some(1), "{said}");
        for rule in [
            "helo",
            "size",
            "protocol",
            "no submission",
            "chroot",
            "modes",
            "no sasl files",
            "mine",
        ] {
            assert!(said.contains(&format!("(rule `{rule}`)")), "{rule}: {said}");
        }
        for part in [
            "policy.yaml:2:",
            "spammers",
            "https://wiki.example.org/helo",
            "has `10.0.0.0/8`, which is forbidden",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    // Only the newer manifest of a difference is judged: the older one may be what is mended.
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, text) in [
        ("good.yaml", MANIFEST.to_owned()),
        ("bad.yaml", bad.clone()),
        (
            "p.yaml",
            "rules:\n  - {name: helo, parameter: smtpd_helo_required, forbid: \"no\"}\n".to_owned(),
        ),
    ] {
        std::fs::write(path(name), text).unwrap();
    }
    let rule = format!("--policy={}", path("p.yaml"));
    for (old, new, wanted) in [("good.yaml", "bad.yaml", 1), ("bad.yaml", "good.yaml", 0)] {
        let (code, said) = run(&["diff", &path(old), &path(new), &rule], MANIFEST, "");
        assert_eq!(code, Some(wanted), "{said}");
        assert_eq!(said.contains("(rule `helo`)"), wanted == 1, "{said}");
    }
    // In the manifest itself, and by Postfix's meaning: `YES` is `yes`.
    let rules = policy.lines().take(2).collect::<Vec<_>>().join("\n  ");
    let good = format!(
        "{MANIFEST}defaults: {{settings: {{smtpd_helo_required: \"YES\"}}}}\npolicies:\n  {rules}\n"
    );
    let (code, said) = run(&["check", "murder.yaml"], &good, "");
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = run(&["check", "murder.yaml"], &good.replace("YES", "NO"), "");
    assert_eq!(code, Some(1), "{said}");
}

#[test]
fn a_wrong_policy_says_what_is_wrong() {
    for (policy, message) in [
        ("rules: [{name: x}]", "is about nothing"),
        ("rules: [{name: x, parameter: biff}]", "demands nothing"),
        (
            "rules: [{name: x, parameter: biff, require: \"no\", forbid: \"no\"}]",
            "demands nothing, or too much",
        ),
        (
            "rules: [{name: x, parameter: biff, file: \"*\", require: \"no\"}]",
            "about too much",
        ),
        (
            "rules: [{name: x, service: smtp/inet, require: {mode: \"0600\"}}]",
            "what no service or file can be",
        ),
        (
            "rules: [{parameter: biff, require: \"no\"}]",
            "lacks `name`",
        ),
        (
            "rules: [{name: x, no: open_rely}]",
            "did you mean `open_relay`",
        ),
        (
            "rules: [{name: x, parameter: mydestination, at_least: may}]",
            "have no order",
        ),
        (
            "rules: [{name: x, parameter: smtpd_tls_security_level, at_least: most}]",
            "have no order",
        ),
        ("rule: []", "unknown key `rule`"),
        ("[]", "takes a map"),
        (
            "freeze: [{from: 2026-12-24, until: 2026-12-20}]",
            "ends before it begins",
        ),
        (
            "freeze: [{from: Christmas, until: 2026-12-20}]",
            "is not a moment",
        ),
    ] {
        let (code, said) = run(
            &["check", "murder.yaml", "--policy=policy.yaml"],
            MANIFEST,
            policy,
        );
        assert_eq!(code, Some(1), "{policy}: {said}");
        assert!(said.contains(message), "{policy}: {said}");
        assert!(said.contains("= help: "), "{policy}: {said}");
    }
    for name in ["no-such-file.yaml", "builtin:unsafe"] {
        let (code, said) = run(&["check", "murder.yaml", "--policy", name], MANIFEST, "");
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn a_policy_of_the_operator_allows_paths_and_one_of_the_manifest_does_not() {
    let manifest =
        format!("{MANIFEST}defaults: {{files: {{/etc/opendkim.conf: {{content: x}}}}}}\n");
    let policy = "allow_paths: [\"/etc/opendkim*\"]\n";
    let check = ["check", "murder.yaml"];
    assert_eq!(run(&check, &manifest, policy).0, Some(1));
    let with = ["check", "murder.yaml", "--policy=policy.yaml"];
    let (code, said) = run(&with, &manifest, policy);
    assert_eq!(code, Some(0), "{said}");
    let own = format!("{manifest}policies: {{allow_paths: [\"/etc/opendkim*\"]}}\n");
    let (code, said) = run(&check, &own, "");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("unknown key `allow_paths`"), "{said}");
}

#[test]
fn a_freeze_refuses_hosts_without_a_reason_and_history_keeps_the_reason() {
    let policy = "freeze: [{from: 2020-01-01, until: 2099-01-01T06:00Z, reason: holidays}]\n";
    let apply = ["apply", "murder.yaml", "--policy=policy.yaml", "--yes"];
    let (code, said) = run(&apply, MANIFEST, policy);
    assert_eq!(code, Some(1), "{said}");
    let frozen = "changes are frozen until 2099-01-01T06:00Z by `policy.yaml`: holidays";
    assert!(
        said.contains(frozen) && said.contains("--allow-freeze REASON"),
        "{said}"
    );
    let plan = [
        "plan",
        "murder.yaml",
        "--policy=policy.yaml",
        "--sandbox=box",
    ];
    let (code, said) = run(&plan, MANIFEST, policy);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(frozen), "{said}");
    // A freeze that is over changes nothing.
    let over = policy.replace("2099", "2021");
    assert!(!run(&plan, MANIFEST, &over).1.contains("frozen"));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("murder.yaml"), MANIFEST).unwrap();
    fs::write(folder.path().join("policy.yaml"), policy).unwrap();
    let said = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(arguments)
            .current_dir(folder.path())
            .env("BIND_PW", "hunter2-of-the-directory")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        (output.status.code(), text)
    };
    let with = [
        &apply[..],
        &[
            "--sandbox=box",
            "--allow-freeze",
            "mail is down, ticket 7",
            "--reason=MR 12",
        ],
    ]
    .concat();
    let (code, applied) = said(&with);
    assert_eq!(code, Some(0), "{applied}");
    let (_, history) = said(&["history", "mx.example.org", "murder.yaml", "--sandbox=box"]);
    assert!(
        history.contains("reason: mail is down, ticket 7; MR 12"),
        "{history}"
    );
    // A saved plan respects the operator's freezes, too.
    let (_, saved) = said(&["plan", "murder.yaml", "--sandbox=box", "--out=plan.json"]);
    assert!(folder.path().join("plan.json").exists(), "{saved}");
    crate::saved::assert_valid(&folder.path().join("plan.json"));
    let file = ["apply", "plan.json", "--policy=policy.yaml", "--yes"];
    let (code, refused) = said(&file);
    assert_eq!(code, Some(1), "{refused}");
    assert!(refused.contains(frozen), "{refused}");
    let allowed = [&file[..], &["--sandbox=box", "--allow-freeze", "ticket 8"]].concat();
    let (_, allowed) = said(&allowed);
    assert!(allowed.contains(frozen), "{allowed}");
    let without = said(&["apply", "plan.json", "--sandbox=box", "--yes"]).1;
    assert!(!without.contains("frozen"), "{without}");
}
