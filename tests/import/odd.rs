//! Hosts with odd and hostile values: each is kept or named, the rest is imported, and nothing of them breaks the manifest.

use std::fs;
use std::path::Path;

use super::{murder, snapshot, steps, succeeds, text};

/// A host of a sandbox with these lines in main.cf.
fn host(folder: &Path, name: &str, main_cf: &[u8], master_cf: &str) {
    let etc = folder.join("sb").join(name).join("etc/postfix");
    fs::create_dir_all(&etc).unwrap();
    fs::write(etc.join("main.cf"), main_cf).unwrap();
    let stock = "smtp inet n - y - - smtpd\npickup unix n - y 60 1 pickup\ncleanup unix n - y - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n";
    fs::write(etc.join("master.cf"), format!("{stock}{master_cf}")).unwrap();
}

/// Imports a sandbox of one host, and demands that the next plan is empty and the first apply changes nothing. Gives what was
/// said and the manifest.
fn kept(main_cf: &[u8], master_cf: &str) -> (String, String) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    host(folder, "mail.example.org", main_cf, master_cf);
    let etc = folder.join("sb/mail.example.org/etc");
    let before = snapshot(&etc);
    let said = succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    let manifest = fs::read_to_string(folder.join("found/murder.yaml")).unwrap();
    assert_eq!(
        steps(folder, "found", "sb"),
        Vec::<String>::new(),
        "{manifest}\n{said}"
    );
    succeeds(folder, &["apply", "found", "--sandbox", "sb", "--yes"]);
    assert_eq!(before, snapshot(&etc), "{manifest}");
    (said, manifest)
}

/// Values that mean something else in YAML, in templates, or to Postfix.
const VALUES: [&str; 34] = [
    "no",
    "yes",
    "on",
    "null",
    "~",
    "1e3",
    "0o7",
    "0x1f",
    "007",
    "1_000",
    ".inf",
    "2026-11-29",
    "12:30:45",
    "1.0",
    "-1",
    "+5",
    "=",
    "<<",
    "- a",
    "a: b",
    "a # b",
    "#b",
    "'quoted'",
    "\"quoted\"",
    "it's",
    "{a}",
    "[a, b]",
    "*star",
    "&anchor",
    "!tag",
    "%percent",
    "@at",
    "`tick`",
    "|",
];

#[test]
fn words_that_yaml_reads_in_another_way_are_kept() {
    let mut main_cf = String::from(
        "myhostname = mail.example.org\nmydestination = mail.example.org, example.org\n",
    );
    for (number, value) in VALUES.iter().enumerate() {
        // Parameters of the site's own: Postfix takes any value there.
        main_cf += &format!("site_word_{number} = {value}\n");
    }
    main_cf += "site_all = $site_word_0 ${site_word_1} ${site_word_2?{yes}:{no}} $$\n";
    main_cf += "smtpd_banner = $site_all {{ murder.name }} {% raw %} {# c #}\n";
    let used: String = (0..VALUES.len())
        .map(|number| format!(" $site_word_{number}"))
        .collect();
    main_cf += &format!("mail_name =\n  # a comment within\n {used}\n\n    and folded\t\ton\n");
    let (said, manifest) = kept(main_cf.as_bytes(), "");
    for number in 0..VALUES.len() {
        let name = format!("site_word_{number}");
        assert!(
            manifest.contains(&format!("{name}:")),
            "{name}\n{manifest}\n{said}"
        );
    }
    assert!(!said.contains("not managed"), "{said}");
}

#[test]
fn huge_and_foreign_values_are_kept_or_named() {
    let networks: String = (0..4_000)
        .map(|n| format!(" 10.{}.{}.0/24", n / 250, n % 250))
        .collect();
    let mut main_cf = format!("myhostname = mail.example.org\nmydestination = example.org\nmynetworks = 127.0.0.0/8{networks}\n").into_bytes();
    main_cf.extend(b"mail_name = caf\xe9 \xff\n");
    main_cf.extend(b"site_bell = a\x07b\x1b[31mred\n");
    main_cf.extend("site_order = \u{202e}txt.exe\n".as_bytes());
    main_cf.extend(
        "smtpd_banner = gr\u{fc}\u{df}e \u{1f4e8} ESMTP $site_bell $site_order\n".as_bytes(),
    );
    main_cf.extend(b"mysql_password = hunter2-hunter2\nsite_uses = $mysql_password\n");
    main_cf.extend(b"bad-name! = x\n");
    main_cf.extend(b"mydestination = example.org, example.net\n");
    let (said, manifest) = kept(
        &main_cf,
        "weird unix - - y - - smtp\n  -o site_x={ a b }\n  -o { smtp_helo_name = two words }\n",
    );
    assert!(manifest.contains("10.15.249.0/24"), "{said}");
    for (thing, whole) in [
        ("main.cf:mysql_password", &said),
        ("main.cf:mail_name", &said),
    ] {
        assert!(
            whole.contains(&format!("not managed: {thing}")),
            "{thing}\n{said}\n{manifest}"
        );
    }
    assert!(
        !said.contains("hunter2") && !manifest.contains("hunter2"),
        "{said}\n{manifest}"
    );
    for text in [&said, &manifest] {
        assert!(
            !text
                .chars()
                .any(|c| c.is_control() && c != '\n' || c == '\u{202e}'),
            "{text:?}"
        );
    }
}

#[test]
fn a_value_that_a_manifest_refuses_is_named_and_the_others_are_imported() {
    let main_cf = "myhostname = mail.example.org\nmydestination = example.org\nmessage_size_limit = lots\nmynetworks = 10.0.0.1/8\n\
                   smtpd_recipient_limit = -5\ninet_protocols = ipv5\nmax_idle = 5 parsecs\nrelayhost = [a\nvirtual_alias_maps = hash:relative\n\
                   transport_maps = nosuchtype:/etc/postfix/x\nbiff = perhaps\nsmtp_tls_security_level = strong\nmaximal_queue_lifetime = 3d\n";
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    host(folder, "bad.example.org", main_cf.as_bytes(), "");
    host(folder, "good.example.org", b"myhostname = good.example.org\nmydestination = example.org\nmaximal_queue_lifetime = 4d\n", "");
    let output = murder(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let manifest = fs::read_to_string(folder.join("found/murder.yaml")).unwrap();
    assert!(
        manifest.contains("maximal_queue_lifetime: 3d")
            && manifest.contains("maximal_queue_lifetime: 4d"),
        "{manifest}\n{said}"
    );
    assert!(said.contains("message_size_limit"), "{said}");
    succeeds(folder, &["check", "found"]);
}
