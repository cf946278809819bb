//! What a host remembers: history, rollback, unlock and release on sandboxes, through the program itself.

use super::reports::Judged as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

const HOST: &str = "backend1.example.org";
const SECRET: &str = "Welcome2KolabSystems";

/// A manifest, a sandbox, and the password that its LDAP tables hold.
pub struct Bench {
    home: TempDir,
    secret: &'static str,
}

impl Bench {
    /// A host that has been applied to with each of these `settings:` in turn.
    pub fn applied(settings: &[&str]) -> Self {
        let bench = Self {
            home: tempfile::tempdir().unwrap(),
            secret: SECRET,
        };
        std::fs::create_dir(bench.home.path().join("manifest")).unwrap();
        for settings in settings {
            bench.settings(settings);
            bench.apply(&[]);
        }
        bench
    }

    pub fn settings(&self, settings: &str) {
        self.manifest(&manifest(&format!("settings: {{{settings}}}")));
    }

    /// The manifest of a host with these `settings:`.
    pub fn manifest_text(settings: &str) -> String {
        manifest(&format!("settings: {{{settings}}}"))
    }

    pub fn manifest(&self, text: &str) {
        std::fs::write(self.home.path().join("manifest/murder.yaml"), text).unwrap();
    }

    pub fn inside(&self, path: &str) -> PathBuf {
        let root = self.home.path().join("sandbox").join(HOST);
        root.join(path.trim_start_matches('/'))
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.inside(path)).unwrap()
    }

    pub fn generation(&self, number: u64) -> PathBuf {
        self.inside(&format!("var/lib/murder/history/{number}.json"))
    }

    fn command(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(words)
            .arg("--sandbox")
            .arg(self.home.path().join("sandbox"))
            .env("HISTORY_BIND_PW", self.secret)
            .env("XDG_CACHE_HOME", self.home.path().join("cache"))
            .env("NO_COLOR", "1")
            .current_dir(self.home.path().join("manifest"))
            .judged()
    }

    /// Runs and demands an exit code; gives what was printed, and has looked for the secret in it.
    #[track_caller]
    pub fn expect(&self, code: i32, words: &[&str]) -> String {
        let output = self.command(words);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{words:?}:\n{text}");
        assert!(!text.contains(self.secret), "a secret was printed:\n{text}");
        text
    }

    /// What a run prints, whatever its exit code.
    pub fn any(&self, words: &[&str]) -> String {
        let output = self.command(words);
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    }

    #[track_caller]
    pub fn apply(&self, more: &[&str]) -> String {
        self.expect(0, &[&["apply", ".", "--yes"], more].concat())
    }

    #[track_caller]
    pub fn rollback(&self, code: i32, more: &[&str]) -> String {
        self.expect(code, &[&["rollback", HOST, "--yes"], more].concat())
    }

    #[track_caller]
    pub fn is_converged(&self) {
        self.expect(0, &["plan", ".", "--detailed-exitcode"]);
    }

    /// The history as programs read it.
    #[track_caller]
    fn history(&self) -> serde_json::Value {
        let output = self.command(&["history", HOST, "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The revision that the newest generation has.
    #[track_caller]
    fn revision(&self) -> String {
        self.history()["generations"][0]["applied"]["revision"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Every file below `etc/postfix` but the indexes, which hold times; lines in any order, as
    /// postconf(1) puts a parameter that comes back at the end.
    fn configuration(&self) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        let mut folders = vec![self.inside("etc/postfix")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|extension| extension != "db") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                    lines.sort();
                    found.push((path.display().to_string(), lines));
                }
            }
        }
        found.sort();
        found
    }
}

fn manifest(host: &str) -> String {
    format!(
        r#"
version: 1
murder: example.org
topology: discrete
domains: [example.org]
ldap:
  uris: ["ldap://127.0.0.1"]
  base: dc=example,dc=org
  bind_dn: uid=kolab-service,ou=Special Users,dc=example,dc=org
  bind_pw: {{env: HISTORY_BIND_PW}}
  tls: {{mode: none}}
cyrus: {{postuser: folder}}
smart_host: smtp.example.org
external: [smtp.example.org]
hosts:
  {HOST}: {{roles: [backend], {host}}}
"#
    )
}

const ONE: &str = r#"smtpd_banner: "$myhostname ESMTP one", message_size_limit: "1000""#;
const TWO: &str = r#"smtpd_banner: "$myhostname ESMTP two", message_size_limit: "1000""#;
const THREE: &str = r#"smtpd_banner: "$myhostname ESMTP two""#;

#[test]
fn history_lists_what_was_applied_the_newest_first() {
    let bench = Bench::applied(&[ONE, TWO, THREE]);
    let text = bench.expect(0, &["history", HOST]);
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("is at generation 3"), "{text}");
    assert!(
        lines[1].starts_with("* 3  ") && lines[1].contains("no revision"),
        "{text}"
    );
    assert!(
        lines[2].starts_with("  2  ") && lines[2].ends_with("1 updated"),
        "{text}"
    );
    assert!(
        lines[3].starts_with("  1  ") && lines[3].contains(" created, "),
        "{text}"
    );
    assert_eq!(lines.len(), 4, "{text}");
    let text = bench.expect(0, &["history", HOST, "--generation", "2"]);
    assert!(text.contains("~ update main.cf:smtpd_banner"), "{text}");
    assert!(!text.contains("/etc/postfix/transport"), "{text}");
    let text = bench.expect(0, &["history", HOST, "-v"]);
    assert!(text.contains("+ create /etc/postfix/transport"), "{text}");
    let text = bench.expect(1, &["history", HOST, "--generation", "9"]);
    assert!(text.contains("1 to 3 are kept"), "{text}");
    let document = bench.history();
    assert_eq!(document["generation"], 3);
    assert_eq!(document["murder"], "example.org");
    assert_eq!(document["generations"][1]["generation"], 2);
    assert_eq!(
        document["generations"][1]["changed"],
        serde_json::json!([
            {"service": "postfix", "thing": "main.cf:smtpd_banner", "action": "update"}
        ])
    );
}

#[test]
fn a_host_without_a_ledger_has_no_history_and_nothing_to_go_back_to() {
    let bench = Bench::applied(&[]);
    bench.settings(ONE);
    let text = bench.expect(0, &["history", HOST]);
    assert!(text.contains("no ledger"), "{text}");
    assert_eq!(bench.history()["generations"], serde_json::json!([]));
    let text = bench.rollback(1, &[]);
    assert!(text.contains("no ledger"), "{text}");
    bench.expect(0, &["release", HOST, "--yes"]);
    let text = bench.expect(0, &["unlock", HOST]);
    assert!(text.contains("the lock is free"), "{text}");
    assert!(!bench.inside("var").exists(), "looking writes nothing");
}

#[test]
fn a_rollback_is_shown_applied_and_recorded_and_the_second_has_nothing_to_do() {
    let bench = Bench::applied(&[ONE]);
    let first = bench.configuration();
    for settings in [TWO, THREE] {
        bench.settings(settings);
        bench.apply(&[]);
    }
    let third = bench.configuration();
    let text = bench.rollback(0, &["--to", "1"]);
    assert!(
        text.contains("+ create main.cf:message_size_limit: (not set) → 1000"),
        "{text}"
    );
    assert!(text.contains("~ update main.cf:smtpd_banner"), "{text}");
    assert!(
        !text.contains("first apply") && !text.contains("no longer in the manifest"),
        "{text}"
    );
    assert!(
        text.contains("then the next apply reverts this; to keep it, restore the manifest"),
        "{text}"
    );
    assert_eq!(bench.configuration(), first);
    assert_eq!(bench.revision(), "rollback to 1");
    let ledger = bench.read("var/lib/murder/ledger.json");
    assert!(
        ledger.contains("\"revision\": \"rollback to 1\""),
        "{ledger}"
    );

    let before = std::fs::read(bench.inside("var/lib/murder/ledger.json")).unwrap();
    let text = bench.rollback(0, &["--to", "1"]);
    assert!(text.contains("nothing to do"), "{text}");
    let after = std::fs::read(bench.inside("var/lib/murder/ledger.json")).unwrap();
    assert_eq!(before, after, "a converged rollback writes nothing");

    // Forward again: by number, and then by the manifest, which never changed.
    bench.rollback(0, &["--to", "3"]);
    assert_eq!(bench.configuration(), third);
    bench.is_converged();
}

#[test]
fn a_rollback_to_0_gives_the_host_back_and_can_be_undone() {
    let bench = Bench::applied(&[ONE]);
    let managed = bench.configuration();
    let text = bench.rollback(0, &["--to", "0"]);
    assert!(text.contains("as it was before its first apply"), "{text}");
    assert!(
        text.contains("(not managed in the generation to restore)")
            && !text.contains("no longer in the manifest"),
        "{text}"
    );
    let main_cf = bench.read("etc/postfix/main.cf");
    assert!(!main_cf.contains("transport_maps"), "{main_cf}");
    assert!(main_cf.contains("smtpd_banner = $myhostname ESMTP $mail_name (Debian/GNU)"));
    assert!(!bench.inside("etc/postfix/transport").exists());
    assert!(!bench.inside("etc/postfix/ldap/transport_maps.cf").exists());
    let text = bench.rollback(0, &["--to", "1"]);
    assert!(
        text.contains("(not managed now, but in the generation to restore)")
            && !text.contains("first apply"),
        "{text}"
    );
    assert_eq!(bench.configuration(), managed);
    bench.is_converged();
}

#[test]
fn without_a_number_it_goes_to_the_generation_before_the_last_change() {
    let bench = Bench::applied(&[ONE]);
    let text = bench.rollback(1, &[]);
    assert!(
        text.contains("--to 0"),
        "it does not empty a host unasked: {text}"
    );
    bench.settings(TWO);
    bench.apply(&[]);
    bench.rollback(0, &[]);
    assert!(bench.read("etc/postfix/main.cf").contains("ESMTP one"));
    assert_eq!(bench.revision(), "rollback to 1");
    bench.rollback(0, &[]);
    assert!(bench.read("etc/postfix/main.cf").contains("ESMTP two"));
}

#[test]
fn files_of_then_get_the_secrets_of_today() {
    let mut bench = Bench::applied(&[ONE, TWO]);
    let table = "etc/postfix/ldap/transport_maps.cf";
    assert!(bench.read(table).contains(SECRET));
    bench.secret = "NewlyRotated17";
    bench.rollback(0, &["--to", "1"]);
    let text = bench.read(table);
    assert!(
        text.contains("NewlyRotated17") && !text.contains(SECRET),
        "{text}"
    );
    for number in 1..=3 {
        let path = bench.generation(number);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("ldap.bind_pw"),
            "the place of the secret is kept"
        );
        assert!(!text.contains(SECRET) && !text.contains("NewlyRotated17"));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_secret_that_the_manifest_lost_is_named() {
    let bench = Bench::applied(&[ONE, TWO]);
    let anonymous = manifest(&format!("settings: {{{TWO}}}"))
        .lines()
        .filter(|line| !line.contains("bind_"))
        .collect::<Vec<_>>()
        .join("\n");
    bench.manifest(&anonymous);
    let before = bench.configuration();
    let text = bench.rollback(1, &["--to", "1"]);
    assert!(
        text.contains("the secret `ldap.bind_pw`")
            && text.contains("add `ldap.bind_pw` to the manifest again"),
        "{text}"
    );
    assert_eq!(bench.configuration(), before);
}

#[test]
fn a_generation_of_another_murder_is_refused() {
    let bench = Bench::applied(&[ONE]);
    let other = manifest(&format!("settings: {{{TWO}}}"));
    bench.manifest(&other.replace("murder: example.org", "murder: example.net"));
    bench.apply(&["--take-over"]);
    let text = bench.rollback(1, &["--to", "1"]);
    assert!(
        text.contains("made by the murder `example.org`, not by `example.net`"),
        "{text}"
    );
}

#[test]
fn what_somebody_else_changed_needs_a_word() {
    let bench = Bench::applied(&[THREE, TWO]);
    let main_cf = bench.read("etc/postfix/main.cf");
    let theirs = main_cf.replace("message_size_limit = 1000", "message_size_limit = 2000");
    assert_ne!(main_cf, theirs);
    std::fs::write(bench.inside("etc/postfix/main.cf"), &theirs).unwrap();
    let text = bench.rollback(1, &["--to", "1"]);
    assert!(text.contains("refused without --allow-overwrite"), "{text}");
    assert_eq!(bench.read("etc/postfix/main.cf"), theirs);
    bench.rollback(0, &["--to", "1", "--allow-overwrite"]);
    let main_cf = bench.read("etc/postfix/main.cf");
    assert!(!main_cf.contains("message_size_limit = 2000"), "{main_cf}");
}

#[test]
fn going_back_over_somebody_elses_value_or_file_needs_a_word() {
    let days = |days: u32| format!("bounce_queue_lifetime: {days}d");
    let bench = Bench::applied(&[&days(2), &days(3), &days(4)]);
    let set = |path: &str, from: &str, to: &str| {
        let text = bench.read(path);
        assert!(text.contains(from), "{text}");
        std::fs::write(bench.inside(path), text.replace(from, to)).unwrap();
    };
    let main_cf = "etc/postfix/main.cf";
    set(
        main_cf,
        "bounce_queue_lifetime = 4d",
        "bounce_queue_lifetime = 1d",
    );
    set("etc/postfix/transport", "localhost", "elsewhere");
    let theirs = bench.configuration();
    for more in [&[][..], &["--to", "1"]] {
        let text = bench.rollback(1, more);
        for thing in ["main.cf:bounce_queue_lifetime", "/etc/postfix/transport"] {
            let words = format!(
                "refused without --allow-overwrite: this plan would roll back `{thing}`, which was changed \
                 on the host since generation"
            );
            assert!(text.contains(&words), "{text}");
        }
        assert_eq!(bench.configuration(), theirs);
    }
    bench.rollback(0, &["--allow-overwrite", "--no-hold"]);
    assert!(bench.read(main_cf).contains("bounce_queue_lifetime = 3d"));
    // As it was left, it needs no word; nor does an apply, whatever somebody did.
    bench.rollback(0, &["--to", "1", "--no-hold"]);
    set(
        main_cf,
        "bounce_queue_lifetime = 2d",
        "bounce_queue_lifetime = 1d",
    );
    bench.apply(&[]);
    assert!(bench.read(main_cf).contains("bounce_queue_lifetime = 4d"));
}

#[test]
fn twenty_generations_are_kept() {
    let bench = Bench::applied(&[ONE]);
    // As twenty applies would have left it.
    let first = bench.read("var/lib/murder/history/1.json");
    assert!(first.starts_with("{\"generation\":1,"), "{first}");
    for number in 2..=20 {
        let text = first.replacen("1,", &format!("{number},"), 1);
        std::fs::write(bench.generation(number), text).unwrap();
    }
    let ledger = bench.read("var/lib/murder/ledger.json");
    let twentieth = ledger.replace("\"generation\": 1,", "\"generation\": 20,");
    assert_ne!(ledger, twentieth);
    std::fs::write(bench.inside("var/lib/murder/ledger.json"), twentieth).unwrap();
    for settings in [TWO, THREE] {
        bench.settings(settings);
        bench.apply(&[]);
    }
    for number in 1..=22 {
        assert_eq!(bench.generation(number).exists(), number > 2, "{number}");
    }
    let text = bench.rollback(1, &["--to", "2"]);
    assert!(text.contains("3 to 22 are kept"), "{text}");
    bench.rollback(0, &["--to", "3"]);
    assert!(!bench.generation(3).exists(), "and the 20 newest still are");
    assert!(bench.read("etc/postfix/main.cf").contains("ESMTP one"));
}

#[test]
fn the_manifest_says_how_many_generations_are_kept() {
    let bench = Bench::applied(&[ONE, TWO]);
    let keeping = |number: u32, settings: &str| {
        let text = manifest(&format!("settings: {{{settings}}}"));
        bench.manifest(&format!("{text}history: {{keep: {number}}}\n"));
    };
    keeping(2, TWO);
    bench.is_converged();
    assert!(
        bench.generation(1).exists(),
        "what writes nothing forgets nothing"
    );
    keeping(2, THREE);
    bench.apply(&[]);
    assert!(!bench.generation(1).exists() && bench.generation(2).exists());
    keeping(1, THREE);
    bench.expect(0, &["release", HOST, "smtpd_banner", "--yes"]);
    assert!(!bench.generation(3).exists() && bench.generation(4).exists());
    keeping(1000, ONE);
    bench.apply(&[]);
    assert!(bench.generation(4).exists() && bench.generation(5).exists());
}

#[test]
fn a_released_thing_stays_and_is_taken_over_again_unless_it_is_left() {
    let bench = Bench::applied(&[ONE]);
    let before = bench.configuration();
    let text = bench.expect(0, &["release", HOST, "message_size_limit", "--yes"]);
    assert!(
        text.contains("= release main.cf:message_size_limit"),
        "{text}"
    );
    assert!(text.contains("`leave: [message_size_limit]`"), "{text}");
    assert_eq!(bench.configuration(), before, "nothing is touched");
    assert!(
        !bench
            .read("var/lib/murder/ledger.json")
            .contains("message_size_limit")
    );
    let text = bench.expect(2, &["plan", ".", "--detailed-exitcode"]);
    assert!(
        text.contains("= take over main.cf:message_size_limit"),
        "{text}"
    );
    // Going back manages it again.
    bench.rollback(0, &["--to", "1"]);
    assert!(
        bench
            .read("var/lib/murder/ledger.json")
            .contains("message_size_limit")
    );
    bench.expect(0, &["release", HOST, "message_size_limit", ".", "--yes"]);
    // No longer named, and no longer ours: it stays as it is.
    bench.settings(THREE.replace("two", "one").as_str());
    bench.is_converged();
    assert_eq!(bench.configuration(), before);
}

#[test]
fn a_service_is_released_with_its_parts() {
    let bench = Bench::applied(&[ONE]);
    assert!(
        bench
            .read("var/lib/murder/ledger.json")
            .contains("master.cf:lmtp/unix")
    );
    let text = bench.expect(0, &["release", HOST, "lmtp/unix/chroot", "--yes"]);
    assert!(text.contains("`leave: [lmtp/unix]`"), "{text}");
    bench.apply(&[]);
    assert!(
        bench
            .read("var/lib/murder/ledger.json")
            .contains("master.cf:lmtp/unix/chroot")
    );
}

#[test]
fn a_thing_that_is_not_managed_cannot_be_released() {
    let bench = Bench::applied(&[ONE]);
    let text = bench.expect(1, &["release", HOST, "message_size_limi", "--yes"]);
    assert!(
        text.contains("did you mean `main.cf:message_size_limit`?"),
        "{text}"
    );
    let text = bench.expect(1, &["release", HOST, "../manifest", "--yes"]);
    assert!(
        text.contains(&format!("murder release {HOST} all ../manifest")),
        "{text}"
    );
    assert!(bench.history()["generation"] == 1);
}

#[test]
fn a_released_host_keeps_its_configuration_and_no_ledger() {
    let bench = Bench::applied(&[ONE]);
    let before = bench.configuration();
    let text = bench.expect(0, &["release", HOST, "all", ".", "--yes"]);
    assert!(text.contains("takes the host over again"), "{text}");
    assert_eq!(bench.configuration(), before);
    assert!(!bench.inside("var/lib/murder/ledger.json").exists());
    assert!(!bench.generation(1).exists());
    assert!(bench.inside("var/lib/murder/adopted").exists());
    assert_eq!(bench.history()["generation"], serde_json::Value::Null);
    let text = bench.expect(0, &["release", HOST, "--yes"]);
    assert!(text.contains("nothing to do"), "{text}");
    let text = bench.expect(2, &["plan", ".", "--detailed-exitcode"]);
    assert!(
        text.contains("0 to create, 0 to update, 0 to delete"),
        "{text}"
    );
}

#[test]
fn a_living_holder_of_the_lock_is_named_and_left_alone() {
    let bench = Bench::applied(&[ONE, TWO]);
    let lock = bench.inside("var/lib/murder/lock");
    let text = bench.expect(0, &["unlock", HOST]);
    assert!(text.contains("the lock is free"), "{text}");
    let held = std::fs::File::open(&lock).unwrap();
    held.lock().unwrap();
    let before = bench.configuration();
    let text = bench.expect(3, &["unlock", HOST]);
    assert!(text.contains("another apply is running"), "{text}");
    assert!(
        text.contains("started by ") && text.contains(" at 2") && text.contains("(run "),
        "{text}"
    );
    bench.rollback(3, &["--to", "1"]);
    bench.expect(3, &["release", HOST, "--yes"]);
    assert_eq!(bench.configuration(), before);
    let output = bench.command(&["unlock", HOST, "--format", "json"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["state"], "held");
    held.unlock().unwrap();
    bench.rollback(0, &["--to", "1"]);
}

#[test]
fn without_a_terminal_what_changes_a_host_needs_yes() {
    let bench = Bench::applied(&[ONE, TWO]);
    for words in [&["rollback", HOST][..], &["release", HOST]] {
        let text = bench.expect(1, words);
        assert!(text.contains("--yes"), "{text}");
    }
    assert_eq!(bench.history()["generation"], 2);
}

#[test]
fn a_damaged_generation_is_passed_over_and_said() {
    let bench = Bench::applied(&[ONE, TWO]);
    std::fs::write(bench.generation(1), "{").unwrap();
    let text = bench.expect(0, &["history", HOST]);
    assert!(
        text.contains("the entry of a generation cannot be read"),
        "{text}"
    );
    assert!(text.contains("* 2  "), "{text}");
    let text = bench.rollback(3, &["--to", "1"]);
    assert!(text.contains("choose another generation"), "{text}");
}

#[test]
fn every_apply_keeps_the_key_that_the_ledger_has() {
    let bench = Bench::applied(&[ONE]);
    let at = bench.inside("var/lib/murder/ledger.json");
    let mut ledger: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&at).unwrap()).unwrap();
    ledger["host_key"] = "k3y-of-the-host".into();
    std::fs::write(&at, ledger.to_string()).unwrap();
    let generation = |wanted: u64| {
        let ledger = bench.read("var/lib/murder/ledger.json");
        let ledger: serde_json::Value = serde_json::from_str(&ledger).unwrap();
        assert_eq!(ledger["generation"], wanted);
        assert_eq!(ledger["host_key"], "k3y-of-the-host");
    };
    bench.settings(TWO);
    let shown = bench.expect(0, &["plan", ".", "--format", "json"]);
    assert!(!shown.contains("k3y"), "{shown}");
    bench.apply(&[]);
    generation(2);
    bench.rollback(0, &["--to", "1"]);
    generation(3);
    bench.expect(0, &["release", HOST, "main.cf:message_size_limit", "--yes"]);
    generation(4);
}
