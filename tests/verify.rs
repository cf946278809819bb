//! `murder verify`: what it finds in configurations and directories, through the program itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use base64::Engine;
use serde_json::Value;

use super::routes::{MANIFEST, RouteFolder, text};

/// A directory without a mistake.
pub const CLEAN: &str = "dn: dc=example,dc=org
objectClass: domain
dc: example

dn: uid=ann,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: ann@example.org
alias: ann.lee@example.org
mailHost: backend1.example.org

dn: uid=bob,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: bob@example.org
alias: bob.lee@example.org
mailHost: backend2.example.org

dn: cn=staff,ou=Groups,dc=example,dc=org
objectClass: kolabGroupOfUniqueNames
mail: staff@example.org
uniqueMember: uid=ann,ou=People,dc=example,dc=org
uniqueMember: uid=bob,ou=People,dc=example,dc=org

dn: cn=dyn,ou=Groups,dc=example,dc=org
objectClass: kolabGroupOfUrls
mail: dyn@example.org
memberURL: ldap:///ou=People,dc=example,dc=org??sub?(mail=ann*)

dn: cn=memo,ou=Folders,dc=example,dc=org
objectClass: kolabSharedFolder
mail: memo@example.org
alias: memos@example.org
kolabTargetFolder: shared/memo@example.org
mailHost: backend1.example.org
";

fn json(folder: &RouteFolder, arguments: &[&str]) -> (Value, Option<i32>) {
    let all = [
        &["verify", "m.yaml", "--ldif", "d.ldif", "--format", "json"],
        arguments,
    ];
    let output = folder.run(&all.concat());
    let out = text(&output.stdout);
    let report = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (report, output.status.code())
}

/// `code: entries and hosts`, one for each finding, in short names.
pub fn found(manifest: &str, ldif: &str) -> Vec<String> {
    let (report, _) = json(&RouteFolder::with(manifest, ldif), &[]);
    let findings = report["findings"].as_array().unwrap().iter();
    let short = |list: &Value| {
        let names = list.as_array().unwrap().iter();
        let names = names.map(|name| {
            name.as_str()
                .unwrap()
                .split([',', '.'])
                .next()
                .unwrap()
                .to_owned()
        });
        names.collect::<Vec<_>>()
    };
    findings
        .map(|finding| {
            let named = [short(&finding["entries"]), short(&finding["hosts"])].concat();
            format!("{}: {}", finding["code"].as_str().unwrap(), named.join(" "))
        })
        .collect()
}

/// The manifest with more keys for one host.
pub fn with(host: &str, more: &str) -> String {
    let of = |line: &str| line.starts_with(&format!("  {host}.example.org:"));
    let lines = MANIFEST.lines().map(|line| match of(line) {
        true => line.replace("]}", &format!("], {more}}}")),
        false => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// An LDAP table as a file of a host.
pub fn table(name: &str, lines: &str) -> String {
    format!(
        "/etc/postfix/ldap/{name}.cf: {{content: \"version = 3\\nsearch_base = dc=example,dc=org\\n{lines}\\n\"}}"
    )
}

#[test]
fn a_clean_directory_has_no_findings() {
    let (report, code) = json(&RouteFolder::with(MANIFEST, CLEAN), &["--strict"]);
    assert_eq!(
        (report["findings"].as_array().map(Vec::len), code),
        (Some(0), Some(0))
    );
    assert_eq!(report["summary"]["addresses"], 8);
    assert_eq!(report["summary"]["by_verdict"]["delivered"], 8);
}

/// Configurations of the field that lose mail; the modules' own configuration is the corrected one, and has no finding.
#[test]
fn each_broken_configuration_is_refuted() {
    let ldap = |name: &str, lines: &str| table(name, lines);
    let all_users = ldap(
        "all",
        "query_filter = (|(mail=%s)(alias=%s))\\nresult_attribute = mail",
    );
    let aliases = ldap(
        "t2",
        "query_filter = (&(|(mail=%s)(alias=%s))(objectClass=kolabInetOrgPerson)(mailHost=backend1.example.org))\\n\
         result_attribute = mailHost\\nresult_format = lmtp:unix:/run/cyrus/socket/lmtp",
    );
    let bad = ldap(
        "bad",
        "query_filter = (&(mail=%s)\\\\\\n (x=1))\\nresult_attribute = mail",
    );
    let folders = ldap(
        "sf",
        "query_filter = (&(|(mail=%s)(alias=%s))(objectClass=kolabSharedFolder))\\n\
         result_attribute = kolabTargetFolder\\nresult_format = shared+%s",
    );
    for (what, host, more, expected) in [
        (
            "a backslash ends a line of a filter",
            "smtp",
            format!("files: {{{bad}}}, settings: {{transport_maps: {{prepend: ['proxy:ldap:/etc/postfix/ldap/bad.cf']}}}}"),
            "bad-filter: smtp",
        ),
        (
            "the backend has no recipient table",
            "backend1",
            "settings: {local_recipient_maps: '', transport_maps: 'hash:/etc/postfix/transport'}".to_owned(),
            "loop: uid=ann backend1 smtp",
        ),
        (
            "the backend knows folders and has no transport for them",
            "backend1",
            "settings: {virtual_alias_maps: '', local_recipient_maps: ''}".to_owned(),
            "loop: cn=memo backend1 smtp",
        ),
        (
            "the internal MTA rewrites folders",
            "smtp",
            format!("files: {{{folders}}}, settings: {{virtual_alias_maps: {{prepend: ['proxy:ldap:/etc/postfix/ldap/sf.cf']}}}}"),
            "backscatter: cn=memo smtp",
        ),
        (
            "the internal MTA has no recipients",
            "smtp",
            "vars: {trust_edge: true}, settings: {relay_domains: '', relay_recipient_maps: '', virtual_alias_maps: '', \
             transport_maps: 'proxy:ldap:/etc/postfix/ldap/transport_maps.cf'}"
                .to_owned(),
            "loop: uid=ann uid=bob cn=staff cn=dyn mx smtp",
        ),
        (
            "cron's mail has no way on the backend",
            "backend1",
            "settings: {mydestination: 'backend1.example.org, localhost, example.org', transport_maps: 'proxy:ldap:/etc/postfix/ldap/transport_maps.cf'}".to_owned(),
            "loop: backend1",
        ),
        (
            "the backend answers 550 while a mailbox moves",
            "backend1",
            "vars: {defer_unknown: false}".to_owned(),
            "bounces-in-move: backend1",
        ),
        (
            "every user is valid on the backend",
            "backend1",
            format!("files: {{{all_users}}}, settings: {{virtual_alias_maps: {{append: ['proxy:ldap:/etc/postfix/ldap/all.cf']}}}}"),
            "maps-disagree: uid=bob cn=staff cn=dyn backend1",
        ),
        (
            "the backend's transport compares aliases",
            "backend1",
            format!("files: {{{aliases}}}, settings: {{transport_maps: {{prepend: ['proxy:ldap:/etc/postfix/ldap/t2.cf']}}}}"),
            "no-such-mailbox: uid=ann backend1",
        ),
        (
            "the internal MTA has no delimiter",
            "smtp",
            "settings: {recipient_delimiter: ''}".to_owned(),
            "extension-lost: uid=ann uid=bob cn=staff cn=dyn cn=memo mx smtp",
        ),
        (
            "lmtp(8) is in a chroot",
            "backend1",
            "vars: {lmtp_chroot: 'y'}".to_owned(),
            "undeliverable: uid=ann cn=staff cn=dyn cn=memo backend1",
        ),
        (
            "the edge accepts every recipient",
            "mx",
            "vars: {recipient_check: none}".to_owned(),
            "unknown-accepted: mx",
        ),
        (
            "the internal MTA does not know aliases",
            "smtp",
            "vars: {aliases: false}".to_owned(),
            "backscatter: uid=ann uid=bob cn=memo mx",
        ),
        (
            "nobody is postmaster",
            "smtp",
            "vars: {role_addresses: {}}".to_owned(),
            "postmaster-undeliverable: mx",
        ),
        (
            "everybody may relay",
            "smtp",
            "settings: {mynetworks: '0.0.0.0/0'}".to_owned(),
            "open-relay: smtp",
        ),
        (
            "bounces have a sender, and mail for it bounces",
            "backend1",
            "settings: {sender_canonical_maps: 'static:none@example.org'}".to_owned(),
            "loop: backend1",
        ),
    ] {
        let findings = found(&with(host, &more), CLEAN);
        assert!(findings.iter().any(|one| one == expected), "{what}: {findings:#?}");
    }
}

/// Each mistake of a directory: the entries that are added, and all that is found.
const MISTAKES: &[(&str, &[&str])] = &[
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\n",
        &["no-mailhost: uid=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nmailHost: backend1.example.org\nmailHost: backend2.example.org\n",
        &["many-mailhosts: uid=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nmailHost: backend1\n",
        &["short-mailhost: uid=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nmailHost: gone.example.org\n",
        &["unknown-mailhost: uid=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nmailHost: Backend1.example.org\n",
        &["mailhost-case: uid=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: ann@example.org\nmailHost: backend2.example.org\n",
        &["two-backends: uid=ann uid=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: ann@example.org\nmailHost: backend1.example.org\n",
        &["duplicate-address: uid=ann uid=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nalias: ann@example.org\nmailHost: backend1.example.org\n",
        &["alias-shadows-primary: uid=ann uid=x"],
    ),
    (
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabSharedFolder\nmail: x@example.org\nmailHost: backend1.example.org\n",
        &["folder-without-target: cn=x"],
    ),
    (
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabSharedFolder\nmail: x@example.org\nkolabTargetFolder: shared/memo@example.org\nmailHost: backend1.example.org\n",
        &["folder-name-collision: cn=memo cn=x"],
    ),
    (
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabGroupOfUniqueNames\nmail: x@example.org\nuniqueMember: uid=gone,dc=example,dc=org\n",
        &["missing-member: cn=x"],
    ),
    (
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabGroupOfUniqueNames\nmail: x@example.org\n",
        &["missing-member: cn=x"],
    ),
    (
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabGroupOfUrls\nmail: x@example.org\n",
        &["missing-member: cn=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x..y@example.org\nmailHost: backend1.example.org\n",
        &["undeliverable: uid=x backend2 frontend1 mx smtp"],
    ),
    (
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabGroupOfUniqueNames\nmail: x@example.org\nuniqueMember: cn=y,dc=example,dc=org\n\n\
         dn: cn=y,dc=example,dc=org\nobjectClass: kolabGroupOfUniqueNames\nmail: y@example.org\nuniqueMember: cn=x,dc=example,dc=org\n",
        &["group-cycle: cn=x cn=y"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nmailForwardingAddress: y@example.org\nmailHost: backend1.example.org\n\n\
         dn: uid=y,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: y@example.org\nmailForwardingAddress: x@example.org\nmailHost: backend1.example.org\n",
        &["forward-cycle: uid=x uid=y smtp"],
    ),
    (
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabGroupOfUrls\nmail: x@example.org\nmemberURL: ldap:///dc=example,dc=org??sub?(mail=\n",
        &["bad-filter: cn=x"],
    ),
    (
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nmailHost: smtp.example.org\n",
        &["loop: uid=x smtp", "unknown-mailhost: uid=x"],
    ),
];

#[test]
fn each_mistake_of_a_directory_is_found_and_nothing_else() {
    for (entry, expected) in MISTAKES {
        let findings = found(MANIFEST, &format!("{CLEAN}\n{entry}"));
        assert_eq!(findings, *expected, "{entry}");
    }
}

/// smtpd(8) takes `postmaster` in each of its local domains; that is no mistake of a backend.
#[test]
fn a_postmaster_of_the_directory_is_no_mistake() {
    for entry in [
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: postmaster@example.org\nmailHost: backend1.example.org\n",
        "dn: uid=x,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: x@example.org\nalias: postmaster@example.org\n\
         mailHost: backend1.example.org\n",
        "dn: cn=x,dc=example,dc=org\nobjectClass: kolabGroupOfUniqueNames\nmail: Postmaster@example.org\n\
         uniqueMember: uid=ann,ou=People,dc=example,dc=org\n",
    ] {
        let findings = found(MANIFEST, &format!("{CLEAN}\n{entry}"));
        assert_eq!(findings, [""; 0], "{entry}");
    }
}

/// Postfix gives the address of a group itself where no entry is a member (ldap_table(5), `leaf_result_attribute`); the edge would
/// accept it, and the internal MTA return it.
#[test]
fn a_group_without_members_is_refused_at_the_edge() {
    let group = "dn: cn=x,dc=example,dc=org\nobjectClass: kolabGroupOfUniqueNames\nmail: x@example.org\n\n\
                 dn: cn=y,dc=example,dc=org\nobjectClass: kolabGroupOfUrls\nmail: y@example.org\n";
    let folder = RouteFolder::with(MANIFEST, &format!("{CLEAN}\n{group}"));
    for address in ["x@example.org", "y@example.org"] {
        assert_eq!(folder.short(&[address]), "550 refused mx", "{address}");
    }
}

#[test]
fn reports_have_their_forms() {
    let mistakes: Vec<&str> = MISTAKES.iter().take(5).map(|(entry, _)| *entry).collect();
    let numbered = mistakes.iter().zip(1..).map(|(entry, number)| {
        entry
            .replace("uid=x", &format!("uid=x{number}"))
            .replace("x@", &format!("x{number}@"))
    });
    let folder = RouteFolder::with(
        MANIFEST,
        &format!("{CLEAN}\n{}", numbered.collect::<Vec<_>>().join("\n")),
    );
    let (report, code) = json(&folder, &[]);
    assert_eq!(code, Some(1));
    let finding = &report["findings"][0];
    let keys: BTreeSet<&String> = finding.as_object().unwrap().keys().collect();
    for key in [
        "code",
        "severity",
        "addresses",
        "entries",
        "hosts",
        "text",
        "help",
        "evidence",
    ] {
        assert!(keys.contains(&key.to_owned()), "{key}");
    }
    let (some, code) = json(&folder, &["--code", "no-mailhost"]);
    assert_eq!(
        (some["findings"].as_array().map(Vec::len), code),
        (Some(1), Some(0))
    );
    let shown = |arguments: &[&str]| {
        let output = folder.run(&[&["verify", "m.yaml", "--ldif", "d.ldif"], arguments].concat());
        text(&output.stdout)
    };
    let told = shown(&[]);
    assert!(
        told.contains("warning: no-mailhost (1): ") && told.contains("add: mailHost"),
        "{told}"
    );
    assert!(
        told.ends_with(
            "13 addresses of 11 entries (9 delivered, 2 deferred, 2 bounced): 5 findings\n"
        ),
        "{told}"
    );
    let sarif: Value = serde_json::from_str(&shown(&["--format", "sarif"])).unwrap();
    assert_eq!(
        sarif["runs"][0]["results"].as_array().map(Vec::len),
        Some(5)
    );
    assert!(shown(&["--format", "markdown"]).contains("<details><summary>"));
    let wrong = folder.run(&["verify", "m.yaml", "--code", "lop"]);
    assert_eq!(wrong.status.code(), Some(1));
    let page = folder.run(&["explain", "no-mailhost"]);
    assert!(text(&page.stdout).contains("Has it not:"));
    for arguments in [
        &["explain", "lop"][..],
        &["explain", "LOOP"],
        &["verify", "m.yaml", "--code", "looop"],
    ] {
        let wrong = text(&folder.run(arguments).stderr);
        assert!(wrong.contains("is not the code of a finding"), "{wrong}");
        assert!(wrong.contains("did you mean `loop`?"), "{wrong}");
    }
    let wrong = folder.run(&["explain", "backend1.example.org"]);
    assert!(text(&wrong.stderr).contains("`murder explain` lists all codes"));
}

/// Without a directory nothing is known, and that is said; a wrong export is no empty directory.
#[test]
fn what_is_not_known_is_no_success() {
    let folder = RouteFolder::with(MANIFEST, "");
    let verify = |arguments: &[&str]| {
        let output = folder.run(&[&["verify", "m.yaml"], arguments].concat());
        let said = text(&output.stdout) + &text(&output.stderr);
        (output.status.code(), said)
    };
    let (code, said) = verify(&["--no-directory"]);
    assert!(said.contains("warning: not-modelled ("), "{said}");
    assert_eq!(code, Some(0));
    assert_eq!(verify(&["--no-directory", "--strict"]).0, Some(1));
    for (ldif, expected) in [
        (String::new(), "`d.ldif` has no entry"),
        (
            format!("{CLEAN}\n{CLEAN}"),
            "`d.ldif` has the entry `dc=example,dc=org` more than once",
        ),
        (
            "BZh91AY&SY".to_owned(),
            "`d.ldif` is compressed with bzip2\n |\n = help: unpack it first: `bzcat d.ldif > directory.ldif`",
        ),
    ] {
        fs::write(folder.0.path().join("d.ldif"), ldif).unwrap();
        let (code, said) = verify(&["--ldif", "d.ldif"]);
        assert!(said.contains(expected), "{said}");
        assert_eq!(code, Some(1));
    }
}

#[test]
fn a_baseline_accepts_what_it_has() {
    let missing = RouteFolder::with(MANIFEST, CLEAN);
    let missing = missing.run(&[
        "verify",
        "m.yaml",
        "--ldif",
        "d.ldif",
        "--baseline",
        "b.json",
    ]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("`--write-baseline` beside `--baseline FILE` makes it"));
    let folder = RouteFolder::with(MANIFEST, &format!("{CLEAN}\n{}", MISTAKES[1].0));
    let (report, code) = json(&folder, &["--baseline", "b.json", "--write-baseline"]);
    assert_eq!(
        (report["summary"]["accepted"].as_u64(), code),
        (Some(1), Some(0))
    );
    let baseline = fs::read_to_string(folder.0.path().join("b.json")).unwrap();
    assert!(
        !baseline.contains("uid=") && !baseline.contains('@'),
        "{baseline}"
    );
    let more = MISTAKES[2].0.replace("uid=x", "uid=z").replace("x@", "z@");
    fs::write(
        folder.0.path().join("d.ldif"),
        format!("{CLEAN}\n{}\n{more}", MISTAKES[1].0),
    )
    .unwrap();
    let (report, code) = json(&folder, &["--baseline", "b.json"]);
    assert_eq!(report["findings"][0]["code"], "short-mailhost");
    assert_eq!(
        (report["findings"].as_array().map(Vec::len), code),
        (Some(1), Some(1))
    );
}

/// The findings of one code are written beside what the baseline accepts of others, and no more of these.
#[test]
fn a_baseline_keeps_what_it_has_of_other_codes() {
    let mistakes = format!(
        "{CLEAN}\n{}\n{}",
        MISTAKES[1].0,
        MISTAKES[2].0.replace("uid=x", "uid=z").replace("x@", "z@")
    );
    let folder = RouteFolder::with(MANIFEST, &mistakes);
    let write = |code: &str| {
        let more = ["--baseline", "b.json", "--write-baseline", "--code", code];
        json(&folder, &more).0["summary"]["accepted"].as_u64()
    };
    let left = || {
        let (report, _) = json(&folder, &["--baseline", "b.json"]);
        let findings = report["findings"].as_array().unwrap().iter();
        let codes = findings.map(|finding| finding["code"].as_str().unwrap().to_owned());
        codes.collect::<Vec<_>>()
    };
    let (all, _) = json(&folder, &[]);
    assert_eq!(all["findings"].as_array().map(Vec::len), Some(2));
    assert_eq!(write("loop"), Some(0));
    assert_eq!(left().len(), 2);
    assert_eq!(write("short-mailhost"), Some(1));
    assert_eq!(left().len(), 1);
    assert_eq!(write("loop"), Some(0));
    assert_eq!(left().len(), 1);
}

/// A local part in quotes, as the directory and people write it, is what Postfix looks up in quotes.
#[test]
fn addresses_in_quotes_are_those_that_senders_write() {
    let quoted = "
dn: uid=q,ou=People,dc=example,dc=org
objectClass: kolabInetOrgPerson
mail: \"q u\"@example.org
alias: \"a b\"@example.org
mailHost: backend1.example.org
";
    let folder = RouteFolder::with(MANIFEST, &format!("{CLEAN}{quoted}"));
    let (report, code) = json(&folder, &[]);
    assert_eq!(
        (&report["findings"], code),
        (&serde_json::json!([]), Some(0))
    );
    // Postfix leaves out quotes that are not needed, so that it never asks for this one.
    let needless = quoted.replace("a b", "ab");
    let folder = RouteFolder::with(MANIFEST, &format!("{CLEAN}{needless}"));
    let (report, code) = json(&folder, &[]);
    let findings = &report["findings"];
    assert_eq!(
        (&findings[0]["code"], code),
        (&"undeliverable".into(), Some(1))
    );
    assert_eq!(
        findings[0]["addresses"],
        serde_json::json!(["\"ab\"@example.org"])
    );
}

/// postmulti(1): an instance beside the main one has its `myhostname` and no other name.
#[test]
fn an_instance_has_a_name_of_its_own() {
    let manifest = "version: 1
murder: lab
domains: [example.org]
ldap: {uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org'}
modules: {internet-mta: {instance: postfix-out, settings: {master_service_disable: '', alias_maps: 'hash:/etc/aliases'}}}
hosts:
  mx.example.org:
    roles: [internal-mta, internet-mta]
    addresses: [192.0.2.5]
    instances:
      postfix: {settings: {inet_interfaces: '192.0.2.5, 127.0.0.1'}}
      postfix-out: {settings: {inet_interfaces: 192.0.2.6, myhostname: mx-in.example.org}}
  backend1.example.org: {roles: [backend], addresses: [192.0.2.11]}
  backend2.example.org: {roles: [backend], addresses: [192.0.2.12]}
";
    let (report, code) = json(&RouteFolder::with(manifest, CLEAN), &["--strict"]);
    assert_eq!(
        (&report["findings"], code),
        (&serde_json::json!([]), Some(0))
    );
}

/// The promise: mail waits while one host does not run, and nothing bounces.
#[test]
fn single_failures_only_delay_mail() {
    let folder = RouteFolder::with(MANIFEST, CLEAN);
    let (report, code) = json(&folder, &["--single-failures"]);
    let effects = report["what_if"].as_array().unwrap();
    // Five hosts and the LDAP server.
    assert_eq!((effects.len(), code), (6, Some(0)));
    for effect in effects {
        assert_eq!(
            (&effect["bounced"], &effect["loop"]),
            (&0.into(), &0.into()),
            "{effect}"
        );
    }
    let (report, _) = json(&folder, &["--without", "backend1.example.org"]);
    assert_eq!(report["what_if"][0]["deferred"], 6);
    // What the only internet MTA took waits at its senders; with two of them, one is enough.
    let (report, _) = json(&folder, &["--without", "mx.example.org"]);
    assert_eq!(report["what_if"][0]["deferred"], 8);
    let second = "  mx2.example.org: {roles: [internet-mta], addresses: [192.0.2.7]}\n";
    let two = MANIFEST.replace(
        "  smtp.example.org:",
        &format!("{second}  smtp.example.org:"),
    );
    let pair = RouteFolder::with(&two, CLEAN);
    for (failed, waiting) in [("mx.example.org", 0), ("mx2.example.org", 0)] {
        let (report, _) = json(&pair, &["--without", failed]);
        assert_eq!(report["what_if"][0]["deferred"], waiting, "{failed}");
    }
    for (wrong, hint) in [
        (
            "backend9.example.org",
            "did you mean `backend1.example.org`?",
        ),
        ("ldap.example.com", "did you mean `ldap.example.org`?"),
        ("x", "known: backend1.example.org, "),
    ] {
        let output = pair.run(&["verify", "m.yaml", "--ldif", "d.ldif", "--without", wrong]);
        let (said, code) = (text(&output.stderr), output.status.code());
        let problem = format!("`{wrong}` is no host, site or LDAP server of this murder");
        assert!(said.contains(&problem) && said.contains(hint), "{said}");
        assert_eq!(code, Some(1));
    }
    let both = ["--without", "mx.example.org", "mx2.example.org"];
    let (report, _) = json(&pair, &both);
    assert_eq!(report["what_if"][0]["deferred"], 8);
    let (report, _) = json(&folder, &["--without", "ldap.example.org"]);
    assert_eq!(report["what_if"][0]["deferred"], 8);
    // An edge that tries a backend where the internal MTA does not answer.
    let edge = "settings: {transport_maps: 'inline:{{example.org=relay:[smtp.example.org]:25,[backend1.example.org]:25}}'}";
    let hasty = with("backend1", "vars: {defer_unknown: false}");
    let hasty = hasty.replace("[192.0.2.6]}", &format!("[192.0.2.6], {edge}}}"));
    let (report, code) = json(
        &RouteFolder::with(&hasty, CLEAN),
        &["--without", "smtp.example.org"],
    );
    assert_eq!(
        (&report["what_if"][0]["bounced"], code),
        (&5.into(), Some(1))
    );
}

/// The addresses of `example.org` that entries have, in lower case.
fn addresses_of(ldif: &str) -> BTreeSet<String> {
    let unfolded = ldif.replace("\n ", "");
    let values = unfolded.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        if !matches!(name, "mail" | "alias") {
            return None;
        }
        match value.strip_prefix(':') {
            Some(encoded) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(encoded.trim());
                String::from_utf8(bytes.unwrap()).ok()
            }
            None => Some(value.trim().to_owned()),
        }
    });
    let values = values.map(|value| value.to_lowercase());
    values.filter(|it| it.ends_with("@example.org")).collect()
}

/// `verify` walks one address of each class and one of hosts that are alike; `trace` walks each address.
#[test]
fn the_classes_of_addresses_agree_with_each_address_by_itself() {
    for (seed, configuration) in [("1", "1"), ("5", "5"), ("6", "6"), ("30", "12")] {
        let folder = RouteFolder::with("", "");
        let path = folder.0.path();
        let written = Command::new("python3")
            .args([
                "-B",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/compare.py"),
            ])
            .arg("--write")
            .arg(path)
            .args([seed, configuration])
            .status()
            .unwrap();
        assert!(written.success());
        let known = addresses_of(&fs::read_to_string(path.join("d.ldif")).unwrap());
        assert!(known.len() > 400, "{}", known.len());
        let (report, _) = json(&folder, &[]);
        assert_eq!(report["summary"]["addresses"], known.len());

        let list: String = known.iter().map(|address| format!("{address}\n")).collect();
        fs::write(path.join("a.txt"), list).unwrap();
        let output = folder.run(&[
            "trace",
            "--manifest",
            "m.yaml",
            "--ldif",
            "d.ldif",
            "--addresses",
            "a.txt",
            "--format",
            "json",
        ]);
        let mut by_verdict: BTreeMap<String, u64> = BTreeMap::new();
        for line in text(&output.stdout).lines() {
            let route: Value = serde_json::from_str(line).unwrap();
            let verdict = route["verdict"].as_str().unwrap();
            let word = verdict.split(':').next().unwrap().to_owned();
            *by_verdict.entry(word).or_default() += 1;
        }
        assert_eq!(
            report["summary"]["by_verdict"],
            serde_json::to_value(&by_verdict).unwrap(),
            "seed {seed}, configuration {configuration}"
        );
    }
}
