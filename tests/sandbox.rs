//! Plans and applies on folders, through the program itself.

mod aliases;
mod drift;
mod elsewhere;
mod instances;
mod kept;
mod maintenance;
mod notify;
mod orphans;
pub mod server;
mod two_instances;
mod waves;

use super::reports::Judged as _;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const MANIFEST: &str = r#"
version: 1
murder: example.org
topology: discrete
domains: [example.org]
ldap:
  uris: ["ldap://ldap.example.org"]
  base: dc=example,dc=org
  bind_dn: uid=kolab-service,ou=Special Users,dc=example,dc=org
  bind_pw: {env: SANDBOX_BIND_PW}
  tls: {mode: none}
cyrus: {postuser: folder}
shared_folders:
  - {address: shared@example.org, backend: backend2.example.org, folder: shared/memo}
hosts:
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}
  backend[1:2].example.org: {roles: [backend], settings: {smtpd_banner: "$myhostname ESMTP"}}
"#;

const SECRET: &str = "Welcome2KolabSystems";

/// A manifest and a sandbox, each in a fresh folder.
struct Bench {
    home: TempDir,
}

impl Bench {
    fn new(manifest: &str) -> Self {
        let bench = Self {
            home: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(bench.home.path().join("manifest")).unwrap();
        bench.manifest(manifest);
        bench
    }

    fn manifest(&self, text: &str) {
        std::fs::write(self.home.path().join("manifest/murder.yaml"), text).unwrap();
    }

    fn root(&self, host: &str) -> PathBuf {
        self.home.path().join("sandbox").join(host)
    }

    fn run(&self, verb: &str, more: &[&str]) -> Output {
        self.command(verb, more).judged()
    }

    fn command(&self, verb: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
        command
            .arg(verb)
            .arg(self.home.path().join("manifest"))
            .arg("--sandbox")
            .arg(self.home.path().join("sandbox"))
            .args(more)
            .env("SANDBOX_BIND_PW", SECRET)
            .env("XDG_CACHE_HOME", self.home.path().join("cache"))
            .env("NO_COLOR", "1");
        command
    }

    /// Runs and demands an exit code; gives what was printed, and has looked for the secret in it.
    #[track_caller]
    fn expect(&self, code: i32, verb: &str, more: &[&str]) -> String {
        let output = self.run(verb, more);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{verb} {more:?}:\n{text}");
        assert!(!text.contains(SECRET), "a secret was printed:\n{text}");
        text
    }

    fn read(&self, host: &str, path: &str) -> String {
        std::fs::read_to_string(self.root(host).join(path)).unwrap()
    }

    fn edit(&self, host: &str, path: &str, from: &str, to: &str) {
        let text = self.read(host, path);
        assert!(text.contains(from), "`{from}` is not in {path}:\n{text}");
        std::fs::write(self.root(host).join(path), text.replace(from, to)).unwrap();
    }

    /// Every file of the sandbox with what a write would change.
    fn fingerprint(&self) -> BTreeMap<PathBuf, (u64, i64, i64, u64, u32)> {
        let mut all = BTreeMap::new();
        walk(&self.home.path().join("sandbox"), &mut all);
        assert!(!all.is_empty());
        all
    }
}

fn walk(directory: &Path, all: &mut BTreeMap<PathBuf, (u64, i64, i64, u64, u32)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let meta = std::fs::symlink_metadata(&path).unwrap();
        all.insert(
            path.clone(),
            (
                meta.ino(),
                meta.mtime(),
                meta.mtime_nsec(),
                meta.len(),
                meta.mode(),
            ),
        );
        if meta.is_dir() {
            walk(&path, all);
        }
    }
}

fn setting(main_cf: &str, name: &str) -> Option<String> {
    main_cf.lines().rev().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// A murder with every kind of MTA, `domains` and a shared folder on `holder`.
fn with_an_edge(domains: &str, holder: &str) -> String {
    MANIFEST
        .replace("domains: [example.org]", &format!("domains: {domains}"))
        .replace(
            "backend2.example.org, folder",
            &format!("{holder}.example.org, folder"),
        )
        .replace(
            "hosts:",
            "hosts:\n  mx.example.org: {roles: [internet-mta]}",
        )
}

/// The hosts whose ledger an apply with `--parallel 1` wrote, in that order.
fn order_of(bench: &Bench) -> Vec<String> {
    let ledger = |host: &str| bench.root(host).join("var/lib/murder/ledger.json");
    let written = || -> BTreeMap<String, std::time::SystemTime> {
        ["mx", "smtp", "backend1", "backend2"]
            .into_iter()
            .filter_map(|host| {
                let meta = std::fs::metadata(ledger(&format!("{host}.example.org"))).ok()?;
                Some((host.to_owned(), meta.modified().unwrap()))
            })
            .collect()
    };
    let before = written();
    for host in before.keys() {
        // postmap(1) waits for a main.cf that was written just now to settle.
        let main_cf = bench
            .root(&format!("{host}.example.org"))
            .join("etc/postfix/main.cf");
        let file = std::fs::File::options().append(true).open(main_cf).unwrap();
        let an_hour = std::time::Duration::from_secs(3600);
        file.set_modified(std::time::SystemTime::now() - an_hour)
            .unwrap();
    }
    bench.expect(0, "apply", &["--yes", "--parallel", "1"]);
    let mut after: Vec<_> = written()
        .into_iter()
        .filter(|(host, at)| before.get(host) != Some(at))
        .collect();
    after.sort_by_key(|(_, at)| *at);
    after.into_iter().map(|(host, _)| host).collect()
}

#[test]
fn a_domain_comes_from_the_inside_and_goes_from_the_outside() {
    let inwards = ["backend1", "backend2", "smtp", "mx"];
    let outwards = ["mx", "smtp", "backend1", "backend2"];
    let one = with_an_edge("[example.org]", "backend2");
    let bench = Bench::new(&one);
    assert_eq!(order_of(&bench), inwards);
    for two in [
        "[example.org, example.net]",
        "[example.net, example.org]",
        "{example.org: {}, example.net: {base: \"dc=example,dc=net\"}}",
    ] {
        bench.manifest(&with_an_edge(two, "backend2"));
        assert_eq!(order_of(&bench), inwards, "{two}");
        bench.manifest(&one);
        assert_eq!(order_of(&bench), outwards, "{two}");
        bench.expect(0, "drift", &[]);
    }
    // Another name of a domain is no backend's business.
    bench.manifest(&with_an_edge(
        "{example.org: {}, example.net: {alias_of: example.org}}",
        "backend2",
    ));
    assert_eq!(order_of(&bench), ["smtp", "mx"]);
    bench.manifest(&one);
    assert_eq!(order_of(&bench), ["mx", "smtp"]);
    // One domain in place of another does both, and the inside goes first.
    bench.manifest(&with_an_edge("[example.org, example.net]", "backend2"));
    order_of(&bench);
    bench.manifest(&with_an_edge("[example.org, example.com]", "backend2"));
    assert_eq!(order_of(&bench), inwards);
}

#[test]
fn a_shared_folder_leaves_its_backend_once_its_mail_goes_to_the_new_one() {
    let bench = Bench::new(&with_an_edge("[example.org]", "backend1"));
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&with_an_edge("[example.org]", "backend2"));
    assert_eq!(order_of(&bench), ["backend2", "smtp", "backend1"]);
    assert!(
        !bench
            .root("backend1.example.org")
            .join("etc/postfix/shared_folders")
            .exists()
    );
    bench.manifest(&with_an_edge("[example.org]", "backend1"));
    assert_eq!(order_of(&bench), ["backend1", "smtp", "backend2"]);
}

#[test]
fn the_first_apply_makes_a_murder_and_the_second_writes_nothing() {
    let bench = Bench::new(MANIFEST);
    let plan = bench.expect(0, "plan", &[]);
    assert!(
        plan.contains("/etc/postfix/ldap/transport_maps.cf"),
        "{plan}"
    );
    assert!(
        !bench.home.path().join("sandbox").exists(),
        "plan wrote something"
    );
    bench.expect(2, "plan", &["--detailed-exitcode"]);
    bench.expect(0, "apply", &["--yes"]);
    let main_cf = bench.read("backend1.example.org", "etc/postfix/main.cf");
    assert_eq!(
        setting(&main_cf, "unknown_local_recipient_reject_code").as_deref(),
        Some("450")
    );
    assert_eq!(
        setting(&main_cf, "recipient_delimiter").as_deref(),
        Some("+")
    );
    assert!(main_cf.contains("# TLS parameters"), "comments are kept");
    let table = bench.read("backend1.example.org", "etc/postfix/ldap/transport_maps.cf");
    assert!(table.contains("backend1.example.org") && table.contains(SECRET));
    let mode = std::fs::metadata(
        bench
            .root("backend1.example.org")
            .join("etc/postfix/ldap/transport_maps.cf"),
    )
    .unwrap()
    .mode();
    assert_eq!(mode & 0o7777, 0o640);
    let before = bench.fingerprint();
    bench.expect(0, "apply", &["--yes"]);
    bench.expect(0, "plan", &["--detailed-exitcode"]);
    assert_eq!(
        bench.expect(0, "drift", &[]),
        "",
        "drift is quiet when converged"
    );
    assert_eq!(bench.fingerprint(), before);
}

#[test]
fn drift_is_seen_and_put_right() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let host = "backend1.example.org";
    bench.edit(
        host,
        "etc/postfix/ldap/transport_maps.cf",
        "backend1",
        "backend9",
    );
    bench.edit(
        host,
        "etc/postfix/main.cf",
        "unknown_local_recipient_reject_code = 450",
        "unknown_local_recipient_reject_code = 550",
    );
    let text = bench.expect(2, "drift", &[]);
    assert!(
        text.contains("unknown_local_recipient_reject_code") && text.contains("drift"),
        "{text}"
    );
    assert!(!text.contains("backend2.example.org:"), "{text}");
    bench.expect(0, "apply", &["--yes"]);
    bench.expect(0, "drift", &[]);
    assert!(
        bench
            .read(host, "etc/postfix/main.cf")
            .contains("unknown_local_recipient_reject_code = 450")
    );
}

#[test]
fn layout_is_not_drift_and_foreign_things_stay() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let host = "smtp.example.org";
    bench.edit(
        host,
        "etc/postfix/main.cf",
        "recipient_delimiter = +",
        "recipient_delimiter =\n   +\nsmtpd_milters = inet:localhost:8891",
    );
    bench.expect(0, "drift", &[]);
    bench.expect(0, "apply", &["--yes"]);
    assert!(
        bench
            .read(host, "etc/postfix/main.cf")
            .contains("smtpd_milters = inet:localhost:8891")
    );
}

#[test]
fn what_the_manifest_no_longer_names_goes_or_goes_back() {
    let named = MANIFEST.replace(
        "smtpd_banner: \"$myhostname ESMTP\"",
        "smtpd_banner: \"$myhostname ESMTP\", delay_warning_time: 4h",
    );
    let bench = Bench::new(&named);
    bench.expect(0, "apply", &["--yes"]);
    let host = "backend2.example.org";
    assert_eq!(
        setting(
            &bench.read(host, "etc/postfix/main.cf"),
            "delay_warning_time"
        )
        .as_deref(),
        Some("4h")
    );
    bench.manifest(&MANIFEST.replace(", settings: {smtpd_banner: \"$myhostname ESMTP\"}", ""));
    bench.expect(0, "apply", &["--yes"]);
    let main_cf = bench.read(host, "etc/postfix/main.cf");
    assert_eq!(setting(&main_cf, "delay_warning_time"), None);
    // Debian had set it: it is given back.
    assert_eq!(
        setting(&main_cf, "smtpd_banner").as_deref(),
        Some("$myhostname ESMTP $mail_name (Debian/GNU)")
    );
    bench.expect(0, "drift", &[]);
}

#[test]
fn a_retired_host_is_emptied_and_forgotten() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let host = "backend1.example.org";
    bench.manifest(&MANIFEST.replace(
        "backend[1:2].example.org: {roles: [backend]",
        "backend1.example.org: {roles: [backend], state: retired}\n  backend2.example.org: {roles: [backend]",
    ));
    bench.expect(0, "apply", &["--yes"]);
    assert!(
        !bench
            .root(host)
            .join("etc/postfix/ldap/transport_maps.cf")
            .exists()
    );
    assert!(!bench.root(host).join("etc/postfix/ldap").exists());
    assert!(!bench.root(host).join("var/lib/murder/ledger.json").exists());
    let main_cf = bench.read(host, "etc/postfix/main.cf");
    assert_eq!(setting(&main_cf, "transport_maps"), None);
    assert_eq!(
        setting(&main_cf, "recipient_delimiter").as_deref(),
        Some("+")
    );
    bench.expect(0, "drift", &[]);
}

#[test]
fn a_folder_goes_with_its_last_managed_file_unless_it_is_debians() {
    let with = |files: &str| {
        let settings = "settings: {smtpd_banner: \"$myhostname ESMTP\"}";
        MANIFEST.replace(settings, &format!("{settings}, files: {{{files}}}"))
    };
    let bench = Bench::new(&with(
        "/etc/postfix/sasl/smtpd.conf: {content: a}, /etc/postfix/a/b/c: {content: a}, \
         /etc/postfix/a/d/e: {content: a}, /etc/other/f: {content: a}",
    ));
    bench.expect(0, "apply", &["--yes", "--allow-path=/etc/other/*"]);
    let etc = bench.root("backend1.example.org").join("etc");
    std::fs::write(etc.join("postfix/a/d/theirs"), "").unwrap();
    bench.manifest(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let postfix = etc.join("postfix");
    assert!(!postfix.join("a/b").exists());
    assert!(!postfix.join("a/d/e").exists() && postfix.join("a/d/theirs").exists());
    assert!(!postfix.join("sasl/smtpd.conf").exists() && postfix.join("sasl").exists());
    assert!(etc.join("other").exists(), "outside it is not ours to tell");
}

#[test]
fn an_apply_that_is_put_back_leaves_no_folder() {
    if !Path::new("/usr/sbin/postmap").exists() {
        return; // Nothing fails where no index is built.
    }
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let before = bench.fingerprint().into_keys().collect::<Vec<_>>();
    let settings = "settings: {smtpd_banner: \"$myhostname ESMTP\"}";
    let broken = "files: {/etc/postfix/new/table: {content: \"key\\n\", table: true}}";
    bench.manifest(&MANIFEST.replace(settings, broken));
    let text = bench.expect(3, "apply", &["--yes"]);
    assert!(text.contains("the host was restored"), "{text}");
    assert_eq!(bench.fingerprint().into_keys().collect::<Vec<_>>(), before);
}

#[test]
fn a_first_contact_keeps_what_it_finds() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes", "--host", "smtp.example.org"]);
    assert!(
        !bench.root("backend1.example.org").exists(),
        "--host chose one"
    );
    let host = "backend1.example.org";
    let etc = bench.root(host).join("etc/postfix");
    std::fs::create_dir_all(etc.join("ldap")).unwrap();
    std::fs::write(etc.join("main.cf"), "relayhost = [old.example.org]\n").unwrap();
    std::fs::write(
        etc.join("master.cf"),
        "lmtp unix - - y - - lmtp\nsmtp inet n - y - - smtpd\nsmtp unix - - y - - smtp\nrelay unix - - y - - smtp\n\
         local unix - n n - - local\nproxymap unix - - n - - proxymap\n",
    )
    .unwrap();
    std::fs::write(
        etc.join("ldap/transport_maps.cf"),
        "bind_pw = handmadepassword\nscope = one\n",
    )
    .unwrap();
    let text = bench.expect(1, "plan", &[]);
    assert!(
        text.contains("--adopt") && text.contains("[old.example.org]"),
        "{text}"
    );
    assert!(!text.contains("handmadepassword"), "{text}");
    let before = bench.read(host, "etc/postfix/main.cf");
    bench.expect(1, "apply", &["--yes"]);
    assert_eq!(
        bench.read(host, "etc/postfix/main.cf"),
        before,
        "a refused host is untouched"
    );
    bench.expect(0, "apply", &["--yes", "--adopt"]);
    bench.expect(0, "drift", &[]);
}

#[test]
fn another_murders_host_is_refused_without_a_word() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace("murder: example.org", "murder: elsewhere"));
    let text = bench.expect(1, "apply", &["--yes"]);
    assert!(text.contains("--take-over"), "{text}");
    bench.expect(0, "apply", &["--yes", "--take-over"]);
    bench.expect(0, "drift", &[]);
}

#[test]
fn without_a_terminal_apply_wants_a_yes() {
    let bench = Bench::new(MANIFEST);
    let text = bench.expect(1, "apply", &[]);
    assert!(text.contains("--yes"), "{text}");
    assert!(!bench.root("smtp.example.org").exists());
}

#[test]
fn a_glob_that_means_no_host_is_a_slip() {
    let bench = Bench::new(MANIFEST);
    for flag in ["--host", "--exclude", "--allow-unreachable"] {
        let words = ["--yes", flag, "smtp.exmaple.org"];
        let text = bench.expect(1, "apply", &words);
        assert!(
            text.contains(&format!("`{flag} smtp.exmaple.org` matches no host")),
            "{text}"
        );
        assert!(text.contains("did you mean `smtp.example.org`?"), "{text}");
    }
    assert!(!bench.root("smtp.example.org").exists());
    bench.expect(0, "apply", &["--yes", "--allow-unreachable", "smtp.*"]);
}

#[test]
fn a_broken_host_does_not_hide_the_others() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let ledger = bench
        .root("backend1.example.org")
        .join("var/lib/murder/ledger.json");
    std::fs::write(ledger, "garbage").unwrap();
    bench.edit(
        "backend2.example.org",
        "etc/postfix/main.cf",
        "reject_code = 450",
        "reject_code = 550",
    );
    let text = bench.expect(3, "plan", &[]);
    assert!(
        text.contains("ledger") && text.contains("backend2.example.org"),
        "{text}"
    );
}

#[test]
fn a_plan_in_json_is_data_and_holds_no_secret() {
    let bench = Bench::new(MANIFEST);
    let output = bench.run("plan", &["--format", "json"]);
    let plan: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["format_version"], "1.4");
    assert_eq!(plan["murder"], "example.org");
    assert!(
        plan["hosts"]
            .as_object()
            .is_some_and(|hosts| hosts.len() == 3),
        "{plan}"
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains(SECRET));
}

#[test]
fn another_text_for_a_modules_table_is_a_table_too() {
    let host = "backend2.example.org";
    let with = |file: &str| {
        MANIFEST.replace(
            "backend[1:2].example.org:",
            &format!(
                "backend2.example.org: {{roles: [backend], files: {{/etc/postfix/transport: {{{file}}}}}}}\n  backend1.example.org:"
            ),
        )
    };
    let bench = Bench::new(&with(r#"content: "x@example.org lmtp:unix:/run/x\n""#));
    let said = bench.expect(2, "plan", &["--detailed-exitcode", "--host", host]);
    assert!(
        said.contains("build the index of hash:/etc/postfix/transport"),
        "{said}"
    );
    bench.manifest(&with(
        r#"content: "x@example.org lmtp:unix:/run/x\n", table: false"#,
    ));
    let said = bench.expect(2, "plan", &["--detailed-exitcode", "--host", host]);
    assert!(
        !said.contains("build the index of hash:/etc/postfix/transport"),
        "{said}"
    );
}

/// The manifest with services on the second backend only.
fn with_services(services: &str) -> String {
    MANIFEST.replace(
        "backend[1:2].example.org:",
        &format!(
            "backend2.example.org: {{roles: [backend], services: {{{services}}}}}\n  backend1.example.org:"
        ),
    )
}

#[test]
fn services_with_command_and_options_converge_and_go_again() {
    let host = "backend2.example.org";
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let before = bench.read(host, "etc/postfix/master.cf");
    let submission = |options: &str| {
        with_services(&format!(
            "submission/inet: {{chroot: n, command: smtpd, options: {{{options}}}}}, \
             relay/unix: {{command: smtp -v, options: {{soft_bounce: no}}}}, \
             lmtp/unix: {{options: {{smtp_helo_name: 'a  b', smtpd_relay_restrictions: 'permit_mynetworks, reject'}}}}"
        ))
    };
    bench.manifest(&submission("smtpd_reject_unlisted_recipient: no"));
    bench.expect(0, "apply", &["--yes"]);
    bench.expect(0, "plan", &["--detailed-exitcode"]);
    read_by_the_real_postconf(&bench.root(host).join("etc/postfix"));

    bench.manifest(&submission("smtpd_reject_unlisted_recipient: yes"));
    let said = bench.expect(2, "plan", &["--detailed-exitcode"]);
    assert!(
        said.contains("submission/inet:smtpd_reject_unlisted_recipient: no → yes")
            && said.contains("0 to create, 1 to update, 0 to delete"),
        "{said}"
    );
    bench.expect(0, "apply", &["--yes"]);

    bench.manifest(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let after = bench.read(host, "etc/postfix/master.cf");
    let words = |text: &str| -> Vec<Vec<String>> {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        lines
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect()
    };
    assert_eq!(words(&before), words(&after), "given back, but for layout");
    bench.expect(0, "plan", &["--detailed-exitcode"]);
}

/// Where Postfix is installed, it must read what we wrote as we meant it.
fn read_by_the_real_postconf(directory: &Path) {
    let Ok(output) = Command::new("/usr/sbin/postconf")
        .arg("-c")
        .arg(directory)
        .args(["-P", "submission/inet/smtpd_reject_unlisted_recipient"])
        .args(["lmtp/unix/smtp_helo_name", "relay/unix/soft_bounce"])
        .arg("lmtp/unix/smtpd_relay_restrictions")
        .output()
    else {
        println!("not asked: there is no Postfix here");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "lmtp/unix/smtp_helo_name = a b",
            "lmtp/unix/smtpd_relay_restrictions = permit_mynetworks, reject",
            "relay/unix/soft_bounce = no",
            "submission/inet/smtpd_reject_unlisted_recipient = no",
        ]
    );
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !said.contains("master.cf") && !said.contains("fatal"),
        "{said}"
    );
}

/// postmap(1) says it of main.cf at each call; it is not the table's fault.
#[test]
fn an_old_warning_of_main_cf_stops_no_index() {
    let host = "backend1.example.org";
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    for (file, more) in [("main.cf", "biff = yes\n"), ("transport", "# by hand\n")] {
        let path = format!("etc/postfix/{file}");
        let text = bench.read(host, &path);
        std::fs::write(bench.root(host).join(path), text + more).unwrap();
    }
    bench.expect(0, "apply", &["--yes"]);
    bench.expect(0, "plan", &["--detailed-exitcode"]);
    assert!(
        bench
            .read(host, "etc/postfix/main.cf")
            .ends_with("biff = yes\n")
    );
}

#[test]
fn a_mode_that_somebody_changed_is_shown_as_drift() {
    use std::os::unix::fs::PermissionsExt as _;
    let host = "backend1.example.org";
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let path = bench.root(host).join("etc/postfix/transport");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let said = bench.expect(0, "plan", &[]);
    assert!(
        said.contains("0666 → 0644") && said.contains("drift"),
        "{said}"
    );
    let said = bench.expect(0, "plan", &["--format", "json"]);
    assert!(said.contains(r#""cause": "drift""#), "{said}");
    bench.expect(0, "apply", &["--yes"]);
    bench.expect(0, "plan", &["--detailed-exitcode"]);
}

#[test]
fn a_main_cf_that_postfix_cannot_read_is_a_failure_of_its_host() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let path = bench
        .root("backend1.example.org")
        .join("etc/postfix/main.cf");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{good}hello world\n")).unwrap();
    let said = bench.expect(3, "plan", &[]);
    assert!(
        said.contains("`hello world`") && said.contains("help: "),
        "{said}"
    );
    bench.expect(3, "drift", &[]);
    bench.expect(3, "apply", &["--yes"]);
    std::fs::write(&path, good).unwrap();
    bench.expect(0, "plan", &["--detailed-exitcode"]);
}

/// Mail for what was relayed here before would be refused: that is said, with the way to keep it.
#[test]
fn a_first_contact_says_what_a_list_would_lose() {
    let bench = Bench::new(MANIFEST);
    let text = bench.expect(0, "plan", &[]);
    assert!(!text.contains("this plan removes"), "{text}");
    let etc = bench.root("smtp.example.org").join("etc/postfix");
    std::fs::create_dir_all(&etc).unwrap();
    std::fs::write(
        etc.join("main.cf"),
        "relay_domains = lists.example.com example.org\n",
    )
    .unwrap();
    std::fs::write(etc.join("master.cf"), "smtp inet n - y - - smtpd\n").unwrap();
    let text = bench.expect(1, "plan", &[]);
    assert!(
        text.contains("this plan removes `lists.example.com` from `main.cf:relay_domains`")
            && text.contains("other_relay_domains"),
        "{text}"
    );
}

#[test]
fn a_new_layout_is_shown_as_what_it_is() {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    bench.manifest(&MANIFEST.replace(
        "hosts:",
        "modules: {internal-mta: {vars: {layout: local}}}\nhosts:",
    ));
    let text = bench.expect(0, "plan", &[]);
    assert!(
        text.contains("the address class of `example.org` changes from relay to local"),
        "{text}"
    );
}

/// A secret that the manifest names stands in the file on the host, and in nothing that is shown.
#[test]
fn a_secret_in_a_files_content_reaches_the_host_only() {
    let manifest = |secret: &str| {
        MANIFEST.replace(
            "hosts:",
            &format!(
                "defaults:
  files: {{/etc/postfix/creds: {{content: \"[x]:587 me:{{{{ secret.relay }}}}\", secrets: {{relay: {{file: {secret}}}}}}}}}
hosts:"
            ),
        )
    };
    let bench = Bench::new(&manifest("one.pw"));
    for (name, text) in [("one.pw", "firstword\n"), ("two.pw", "secondword\n")] {
        let path = bench.home.path().join("manifest").join(name);
        std::fs::write(&path, text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).unwrap();
    }
    let host = ["--host", "smtp.example.org", "--diff", "full"];
    let hidden = |text: String| {
        assert!(
            !text.contains("firstword") && !text.contains("secondword"),
            "{text}"
        );
        text
    };
    let text = hidden(bench.expect(0, "plan", &host));
    assert!(text.contains("[x]:587 me:***"), "{text}");
    hidden(bench.expect(0, "apply", &["--yes", "--host", "smtp.example.org"]));
    let written = bench.read("smtp.example.org", "etc/postfix/creds");
    assert_eq!(written, "[x]:587 me:firstword\n");
    bench.manifest(&manifest("two.pw"));
    let text = hidden(bench.expect(0, "plan", &host));
    assert!(text.contains("/etc/postfix/creds"), "{text}");
    hidden(bench.expect(
        0,
        "plan",
        &["--host", "smtp.example.org", "--format", "json"],
    ));
    // And when it goes.
    bench.manifest(MANIFEST);
    hidden(bench.expect(0, "plan", &host));
}
