//! A host of a range that is also written by itself: its own entry lies over the range's.

use std::fs;
use std::process::Command;

use murder::load;
use murder::model::{HostState, Murder};
use murder::name::HostName;

const MANIFEST: &str = r#"version: 1
murder: example.org
domains: [example.org]
ldap: {uris: ["ldap://ldap.example.org"], base: "dc=example,dc=org"}
defaults: {settings: {biff: "no"}}
sites:
  east: {settings: {mail_name: east}}
  west: {settings: {mail_name: west}}
hosts:
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.1]}
  backend03.example.org:
    settings: {smtpd_banner: "three", transport_maps: {append: ["static:three"]}}
    addresses: [192.0.2.3]
  backend[01:12].example.org:
    roles: [backend]
    site: east
    addresses: [192.0.2.16/28]
    state: draining
    ssh: {user: mail, port: 2222}
    vars: {layout: relay}
    settings: {smtpd_banner: "all", biff: "yes", transport_maps: {append: ["static:range"]}}
    services: {lmtp/unix: {process_limit: "7"}}
  backend04.example.org:
    site: west
    state: active
    mailhost: four.example.org
    ssh: {port: 22}
    vars: {layout: local}
    leave: [smtpd_banner]
"#;

fn murder(text: &str) -> Murder {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("murder.yaml"), text).unwrap();
    let loaded = load::load(folder.path(), &[]);
    let said: Vec<String> = loaded
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.render(&loaded.sources, false))
        .collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    loaded.murder.unwrap()
}

/// What the program says of a manifest.
fn said(text: &str, words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("m.yaml"), text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .current_dir(folder.path())
        .args(words)
        .arg("m.yaml")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_host_of_a_range_says_only_what_differs() {
    let murder = murder(MANIFEST);
    assert_eq!(murder.hosts.len(), 13);
    let host = |name: &str| &murder.hosts[&HostName::new(format!("{name}.example.org")).unwrap()];
    let (three, four, five) = (host("backend03"), host("backend04"), host("backend05"));
    assert_eq!(three.addresses, ["192.0.2.3"]);
    assert_eq!(five.addresses, ["192.0.2.16/28"]);
    assert_eq!(
        [three.state, four.state, five.state],
        [HostState::Draining, HostState::Active, HostState::Draining]
    );
    assert_eq!(three.mailhost, three.name);
    assert_eq!(four.mailhost.as_str(), "four.example.org");
    // `ssh` merges key by key.
    for (host, port) in [(three, 2222), (four, 22), (five, 2222)] {
        assert_eq!(host.ssh.user.as_deref(), Some("mail"));
        assert_eq!(host.ssh.port, Some(port));
    }
    let site = |host: &murder::model::Host| host.site.as_ref().map(ToString::to_string);
    assert_eq!(site(three).as_deref(), Some("east"));
    assert_eq!(site(four).as_deref(), Some("west"));
}

#[test]
fn values_come_from_the_nearest_and_explain_shows_both() {
    let explain = |host: &str, thing: &str| {
        said(
            MANIFEST,
            &["explain", &format!("{host}.example.org"), thing],
        )
    };
    let three = explain("backend03", "smtpd_banner");
    assert!(
        three.contains("decided by the host, m.yaml:12:30\n    three"),
        "{three}"
    );
    assert!(
        three.contains("overridden by the host's range, m.yaml:21:30\n    all"),
        "{three}"
    );
    let five = explain("backend05", "smtpd_banner");
    assert!(
        five.contains("decided by the host's range, m.yaml:21"),
        "{five}"
    );
    // A range is nearer than the defaults and further than the host.
    let biff = explain("backend03", "biff");
    assert!(
        biff.contains("decided by the host's range") && biff.contains("overridden by defaults"),
        "{biff}"
    );
    // An edit on the host edits what the range's gives.
    let maps = explain("backend03", "transport_maps");
    assert!(maps.contains("static:range, static:three"), "{maps}");
    let layout = explain("backend04", "vars.layout");
    assert!(
        layout.contains("decided by the host, ")
            && layout.contains("overridden by the host's range, "),
        "{layout}"
    );
    let render = |host: &str| {
        said(
            MANIFEST,
            &["render", "--host", &format!("{host}.example.org")],
        )
    };
    // What the host leaves alone is not set, though its range sets it.
    assert!(render("backend04").contains("# main.cf:smtpd_banner is left alone"));
    assert!(render("backend05").contains("smtpd_banner = all"));
    assert!(render("backend03").contains("lmtp/unix/process_limit = 7"));
}

#[test]
fn a_mistake_is_still_one() {
    for (from, to, word) in [
        // Two ranges that overlap, beside a host of both.
        (
            "  backend04.example.org:\n",
            "  backend[04:06].example.org: {roles: [backend]}\n  backend04.example.org:\n",
            "the host `backend04.example.org` is named twice",
        ),
        // Two hosts, one of them in capitals.
        (
            "  backend04.example.org:\n",
            "  Backend04.example.org: {}\n  backend04.example.org:\n",
            "the host `backend04.example.org` is named twice",
        ),
        // A mailhost of a whole range.
        (
            "    state: draining\n",
            "    state: draining\n    mailhost: one.example.org\n",
            "every host of this range gets it",
        ),
        // What is wrong in the range is said once.
        (
            "    site: east\n",
            "    site: south\n",
            "unknown site `south`",
        ),
        (
            "vars: {layout: relay}",
            "vars: {layuot: relay}",
            "unknown variable `layuot`",
        ),
    ] {
        assert!(MANIFEST.contains(from));
        let said = said(&MANIFEST.replacen(from, to, 1), &["check"]);
        assert_eq!(said.matches(word).count(), 1, "{word}: {said}");
    }
}
