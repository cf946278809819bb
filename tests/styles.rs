//! What a plan says of hosts in the styles that sites have: one file each in `tests/styles/`, with main.cf, and after the line
//! `# master.cf` the entries of master.cf. `@debian` and `@upstream` stand for the entries of a package.
//!
//! `tests/styles/expected.txt` has every note and refusal of each style, as an internet MTA and as an internal MTA. With
//! `BLESS=1` it is written anew; read each new line before it is committed, because a false one is a defect.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

const ROLES: [(&str, &str, &str); 2] = [
    (
        "internet-mta",
        "mx.example.org",
        "version: 1\nmurder: example.org\ndomains: [example.org]\nsmart_host: smtp.example.org\n\
         external: [smtp.example.org]\nhosts:\n  mx.example.org:\n    roles: [internet-mta]\n    \
         addresses: [192.0.2.6]\n    vars: {recipient_check: table, recipients: [\"joe@example.org\"]}\n",
    ),
    (
        "internal-mta",
        "smtp.example.org",
        "version: 1\nmurder: example.org\ndomains: [example.org]\n\
         ldap: {uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\"}\nhosts:\n  \
         backend1.example.org: {roles: [backend], addresses: [192.0.2.11]}\n  smtp.example.org:\n    \
         roles: [internal-mta]\n    addresses: [192.0.2.5]\n",
    ),
];

/// The entries that a package has: Debian's chrooted ones, or those of Postfix itself.
fn entries(chroot: &str, with_smtp: bool) -> String {
    let own = concat!(
        "pickup unix n - C 60 1 pickup\ncleanup unix n - C - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n",
        "tlsmgr unix - - C 1000? 1 tlsmgr\nrewrite unix - - C - - trivial-rewrite\n",
        "bounce unix - - C - 0 bounce\ndefer unix - - C - 0 bounce\ntrace unix - - C - 0 bounce\n",
        "verify unix - - C - 1 verify\nflush unix n - C 1000? 0 flush\nproxymap unix - - n - - proxymap\n",
        "proxywrite unix - - n - 1 proxymap\nsmtp unix - - C - - smtp\n",
        "relay unix - - C - - smtp\n  -o syslog_name=postfix/$service_name\nshowq unix n - C - - showq\n",
        "error unix - - C - - error\nretry unix - - C - - error\ndiscard unix - - C - - discard\n",
        "local unix - n n - - local\nvirtual unix - n n - - virtual\nlmtp unix - - C - - lmtp\n",
        "anvil unix - - C - 1 anvil\nscache unix - - C - 1 scache\npostlog unix-dgram n - n - 1 postlogd\n",
    );
    let smtp = if with_smtp {
        "smtp inet n - C - - smtpd\n"
    } else {
        ""
    };
    format!("{smtp}{own}").replace(" C ", &format!(" {chroot} "))
}

/// main.cf and master.cf of a style.
pub fn files(style: &str, host: &str) -> (String, String) {
    let style = style.replace("@HOST@", host);
    let (main_cf, master_cf) = style.split_once("# master.cf\n").unwrap();
    let master_cf = master_cf
        .replace("@debian-without-smtp\n", &entries("y", false))
        .replace("@debian\n", &entries("y", true))
        .replace("@upstream-without-smtp\n", &entries("n", false))
        .replace("@upstream\n", &entries("n", true));
    (main_cf.to_owned(), master_cf)
}

/// The notes and refusals of a host's plan.
fn said(name: &str, style: &str, host: &str, manifest: &str) -> String {
    // What SUSE's package writes is no setting of the site there.
    let is_suse = name.contains("suse") || name.contains("sles");
    let facts = "    facts: {distribution: opensuse-leap}\n    addresses: [192.0.2.";
    let manifest = match is_suse {
        true => manifest.replace("    addresses: [192.0.2.", facts),
        false => manifest.to_owned(),
    };
    let folder = tempfile::tempdir().unwrap();
    let etc = folder.path().join("sb").join(host).join("etc/postfix");
    std::fs::create_dir_all(&etc).unwrap();
    let (main_cf, master_cf) = files(style, host);
    std::fs::write(etc.join("main.cf"), main_cf).unwrap();
    std::fs::write(etc.join("master.cf"), master_cf).unwrap();
    std::fs::write(etc.join("../mailname"), format!("{host}\n")).unwrap();
    std::fs::write(folder.path().join("m.yaml"), manifest).unwrap();
    let plan = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args([
            "plan",
            "m.yaml",
            "--sandbox",
            "sb",
            "--diff",
            "summary",
            "--host",
            host,
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&plan.stdout).into_owned();
    let errors = String::from_utf8_lossy(&plan.stderr).into_owned();
    let code = i32::from(text.contains("! refused"));
    assert_eq!(plan.status.code(), Some(code), "{text}{errors}");
    let lines = text.lines().map(str::trim);
    let mut found = String::new();
    for line in lines.filter(|line| line.starts_with("note:") || line.starts_with('!')) {
        let _ = writeln!(found, "    {line}");
    }
    found
}

/// Every style, by its name.
pub fn all() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/styles");
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let styles = paths.filter(|path| path.extension().is_some_and(|extension| extension == "cf"));
    let mut found: Vec<(String, String)> = styles
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_style_gets_its_notes_and_no_others() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/styles");
    let mut styles: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cf"))
        .collect();
    styles.sort();
    assert!(styles.len() >= 58, "{} styles", styles.len());
    let mut all = String::new();
    for path in styles {
        let style = std::fs::read_to_string(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy();
        let _ = writeln!(all, "{name}");
        for (role, host, manifest) in ROLES {
            let found = said(&name, &style, host, manifest);
            let _ = writeln!(all, "  {role}\n{}", found.trim_end());
        }
    }
    let expected = folder.join("expected.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&expected, &all).unwrap();
    }
    let known = std::fs::read_to_string(&expected).unwrap();
    assert_eq!(all, known, "BLESS=1 accepts these");
}
