//! `drift --as-manifest`: what was changed on hosts, as a manifest that keeps it.

use super::drift::{CODE, HOST, by_hand, on_host};
use super::{Bench, MANIFEST};

const TABLE: &str = "/etc/postfix/access_clients";

/// A manifest with a file and entries of master.cf beside its settings.
fn manifest() -> String {
    MANIFEST.replace(
        "settings: {smtpd_banner",
        &format!(
            "files: {{{TABLE}: {{content: \"192.0.2.1 OK\\n\"}}}}, services: {{relay/unix: {{process_limit: 10, options: {{syslog_name: postfix/out}}}}}}, settings: {{smtpd_banner"
        ),
    )
}

/// Prints the manifest, lays it over, and demands that nothing is left to do on the host.
#[track_caller]
fn keep(bench: &Bench) -> String {
    let output = bench.run("drift", &["--as-manifest"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let file = bench.home.path().join("kept.yaml");
    std::fs::write(&file, &text).unwrap();
    let overlay = ["--overlay", file.to_str().unwrap(), "--detailed-exitcode"];
    let said = bench.expect(0, "plan", &overlay);
    assert!(said.contains("hosts converged"), "{text}\n{said}");
    text
}

#[test]
fn what_was_changed_on_hosts_is_printed_as_a_manifest_that_keeps_it() {
    let bench = Bench::new(&manifest());
    bench.expect(0, "apply", &["--yes"]);
    assert_eq!(bench.expect(0, "drift", &["--as-manifest"]), "");
    // Each kind of thing: set otherwise, taken away, and added to an entry.
    by_hand(&bench);
    bench.edit(
        HOST,
        "etc/postfix/main.cf",
        "smtpd_banner = $myhostname ESMTP\n",
        "",
    );
    bench.edit(
        HOST,
        TABLE.trim_start_matches('/'),
        "192.0.2.1 OK",
        "192.0.2.1 OK\n192.0.2.2 REJECT \"why: #not\"",
    );
    let second = "backend2.example.org";
    bench.edit(
        second,
        "etc/postfix/master.cf",
        "syslog_name=postfix/out",
        "syslog_name=postfix/by-hand",
    );
    std::fs::remove_file(bench.root(second).join(TABLE.trim_start_matches('/'))).unwrap();
    bench.expect(2, "drift", &[]);
    let text = keep(&bench);
    assert!(
        text.contains(&format!("{CODE}: \"550\"")) || text.contains(&format!("{CODE}: 550")),
        "{text}"
    );
    assert!(text.contains("smtpd_banner: null"), "{text}");
    assert!(
        text.contains("# hosts.backend1.example.org: written in")
            && text.contains("murder.yaml, line"),
        "{text}"
    );
    assert!(
        text.contains("is stronger than the value of the host's range"),
        "{text}"
    );
    assert!(text.contains(&format!("{TABLE}: null")), "{text}");
}

#[test]
fn what_is_held_is_printed_too_and_a_pending_change_is_not() {
    let bench = Bench::new(&manifest());
    bench.expect(0, "apply", &["--yes"]);
    by_hand(&bench);
    on_host(&bench, 0, &["hold", HOST, CODE, "--for=72h", "--reason=x"]);
    assert_eq!(bench.expect(0, "drift", &[]), "");
    let text = keep(&bench);
    assert!(
        text.contains(CODE) && !text.contains("smtpd_banner"),
        "{text}"
    );
    bench.manifest(&manifest().replace("ESMTP", "ESMTP ready"));
    let text = bench.expect(0, "drift", &["--as-manifest"]);
    assert!(
        text.contains(CODE) && !text.contains("smtpd_banner"),
        "{text}"
    );
    // It does not notify, and does not write metrics.
    bench.expect(1, "drift", &["--as-manifest", "--metrics", "/tmp/x.prom"]);
}

#[test]
fn a_value_that_may_be_secret_is_not_printed() {
    let bench = Bench::new(&manifest());
    bench.expect(0, "apply", &["--yes"]);
    let mut files = std::collections::BTreeMap::new();
    super::walk(&bench.home.path().join("sandbox"), &mut files);
    let table = files
        .into_keys()
        .find(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(super::SECRET)));
    let table = table.unwrap();
    let text = std::fs::read_to_string(&table).unwrap();
    std::fs::write(&table, text.replace(super::SECRET, "n0tPrinted")).unwrap();
    let said = bench.expect(0, "drift", &["--as-manifest"]);
    assert!(!said.contains("n0tPrinted"), "{said}");
    assert!(said.contains("its value is not printed"), "{said}");
}

/// A murder with every kind of layer: two sites, two roles of two hosts each, a range, and a host that lies over it.
const LAYERS: &str = r#"version: 1
murder: example.org
domains: [example.org]
ldap: {uris: ["ldap://ldap.example.org"], base: "dc=example,dc=org"}
smart_host: mx1.example.org
sites: {north: {}, south: {settings: {biff: "no"}}}
modules:
  backend:
    settings: {maximal_queue_lifetime: 4d}
    services: {relay/unix: {process_limit: 10, options: {syslog_name: postfix/out}}}
defaults:
  site: south
  settings: {bounce_queue_lifetime: 4d, delay_warning_time: 4h}
  services: {retry/unix: {process_limit: 9}}
  files: {/etc/postfix/access_clients: {content: "192.0.2.1 OK\\n"}}
hosts:
  mx[1:2].example.org: {roles: [internal-mta], site: north, settings: {smtpd_banner: "$myhostname ESMTP"}}
  backend[1:3].example.org: {roles: [backend], settings: {smtpd_hard_error_limit: "20"}}
  backend3.example.org: {settings: {delay_warning_time: 5h}}
"#;

const HOSTS: [&str; 5] = ["backend1", "backend2", "backend3", "mx1", "mx2"];

/// Sets a parameter on a host, whatever it is there.
fn set(bench: &Bench, host: &str, name: &str, value: &str) {
    let host = format!("{host}.example.org");
    let text = bench.read(&host, "etc/postfix/main.cf");
    let others = text.lines().filter(|line| {
        let key = line.split('=').next().unwrap_or_default();
        key.trim() != name
    });
    let mut text = others.collect::<Vec<_>>().join("\n");
    text.push_str(&format!("\n{name} = {value}\n"));
    std::fs::write(bench.root(&host).join("etc/postfix/main.cf"), text).unwrap();
}

/// The layers of a printed manifest that say a parameter, by their paths.
fn layers_of(text: &str, name: &str) -> Vec<String> {
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut found = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
    {
        let indent = line.len() - line.trim_start().len();
        path.retain(|(depth, _)| *depth < indent);
        if line.contains(&format!("{name}:")) {
            let mut names: Vec<&str> = path.iter().map(|(_, key)| key.as_str()).collect();
            let own = line.trim_start().split(": ").next().unwrap();
            names.push(own.trim_end_matches(':'));
            names.retain(|key| *key != "settings" && *key != name);
            found.push(names.join("/").replace('"', ""));
        }
        if let Some(key) = line.trim().strip_suffix(':') {
            path.push((indent, key.to_owned()));
        }
    }
    found
}

#[test]
fn a_value_is_printed_in_the_widest_layer_that_is_right_for_every_host() {
    let bench = Bench::new(LAYERS);
    bench.expect(0, "apply", &["--yes"]);
    let cases: [(&str, &str, &[&str], &[&str]); 8] = [
        ("bounce_queue_lifetime", "1d", &HOSTS, &["defaults"]),
        // backend3 has a word of its own, so that the defaults do not count for it.
        (
            "delay_warning_time",
            "1h",
            &["backend1", "backend2", "mx1", "mx2"],
            &["defaults"],
        ),
        (
            "delay_warning_time",
            "1h",
            &HOSTS,
            &["defaults", "hosts/backend3.example.org"],
        ),
        (
            "maximal_queue_lifetime",
            "1d",
            &HOSTS[..3],
            &["modules/backend"],
        ),
        (
            "maximal_queue_lifetime",
            "1d",
            &HOSTS[..2],
            &["hosts/backend1.example.org", "hosts/backend2.example.org"],
        ),
        // The range says it now, so that no wider layer would count.
        (
            "smtpd_banner",
            "by hand",
            &HOSTS[3..],
            &["hosts/mx[1:2].example.org"],
        ),
        (
            "smtpd_hard_error_limit",
            "9",
            &HOSTS[..3],
            &["hosts/backend[1:3].example.org"],
        ),
        ("biff", "yes", &HOSTS[..1], &["hosts/backend1.example.org"]),
    ];
    for (name, value, hosts, wanted) in cases {
        for host in hosts {
            set(&bench, host, name, value);
        }
        let text = keep(&bench);
        assert_eq!(layers_of(&text, name), wanted, "{text}");
        for layer in wanted {
            let path = format!("# {}: ", layer.replace('/', "."));
            assert!(
                text.contains(&path) && text.contains("murder.yaml, line "),
                "{text}"
            );
        }
        bench.expect(0, "apply", &["--yes"]);
    }
}

#[test]
fn whatever_is_changed_on_whichever_hosts_the_next_plan_with_it_is_empty() {
    let bench = Bench::new(LAYERS);
    bench.expect(0, "apply", &["--yes"]);
    // Reproducible: a small generator of numbers (xorshift64).
    let mut chance = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |most: usize| {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        usize::try_from(chance % 1_000_003).unwrap() % most
    };
    let names = [
        ("bounce_queue_lifetime", ["1d", "2d"]),
        ("delay_warning_time", ["1h", "2h"]),
        ("maximal_queue_lifetime", ["1d", "2d"]),
        ("smtpd_banner", ["a: b # c", "b"]),
        ("smtpd_hard_error_limit", ["8", "9"]),
        ("biff", ["yes", "yes"]),
        ("virtual_transport", ["lmtp:unix:/a", "lmtp:unix:/b"]),
    ];
    for _ in 0..12 {
        for host in HOSTS {
            for (name, values) in names {
                let managed = setting_of(&bench, host, name);
                if managed && below(3) > 0 {
                    set(&bench, host, name, values[usize::from(below(5) == 0)]);
                }
            }
        }
        for host in HOSTS {
            let host = format!("{host}.example.org");
            let master = "etc/postfix/master.cf";
            let text = bench.read(&host, master);
            let chosen = ["postfix/out", "postfix/a", "postfix/b"][below(3)];
            let text = text.replace("syslog_name=postfix/out", &format!("syslog_name={chosen}"));
            // The columns of `retry` are service, type, private, unprivileged, chroot, wakeup, limit, command.
            let lines = text.lines().map(|line| {
                let columns: Vec<&str> = line.split_whitespace().collect();
                match columns.as_slice() {
                    ["retry", "unix", .., "9", _] if below(3) > 0 => line.replace('9', "8"),
                    _ => line.to_owned(),
                }
            });
            let text = lines.collect::<Vec<_>>().join("\n") + "\n";
            std::fs::write(bench.root(&host).join(master), text).unwrap();
            let table = bench.root(&host).join(TABLE.trim_start_matches('/'));
            match below(4) {
                0 => {}
                1 => std::fs::remove_file(table).unwrap(),
                _ => std::fs::write(table, "192.0.2.7 REJECT\n192.0.2.8 OK\n").unwrap(),
            }
        }
        keep(&bench);
        bench.expect(0, "apply", &["--yes", "--allow-delete"]);
    }
}

fn setting_of(bench: &Bench, host: &str, name: &str) -> bool {
    let text = bench.read(&format!("{host}.example.org"), "etc/postfix/main.cf");
    super::setting(&text, name).is_some()
}

#[test]
fn what_was_changed_on_one_of_two_instances_stays_on_that_one() {
    let bench = Bench::new(&super::two_instances::with_two_instances());
    bench.expect(0, "apply", &["--yes"]);
    let host = "mx.example.org";
    for folder in ["postfix", "postfix-out"] {
        let file = format!("etc/{folder}/main.cf");
        bench.edit(
            host,
            &file,
            "message_size_limit = 50000000",
            "message_size_limit = 40000000",
        );
        let text = keep(&bench);
        assert!(
            text.contains("instances") && text.contains("40000000"),
            "{text}"
        );
        bench.expect(0, "apply", &["--yes"]);
    }
}
