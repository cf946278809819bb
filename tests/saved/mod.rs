//! Saved plans: what the file holds, and what becomes of it.

mod applying;
mod revision;
mod stale;

use super::reports::Judged as _;
pub use super::reports::valid;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use murder::digest::sha256_hex;
use murder::plan::saved::plan_schema;
use murder::session::live_file::live_schema;
use serde_json::Value;
use tempfile::TempDir;
pub use valid::invalid;

const SECRET: &str = "Welcome2KolabSystems";

const MANIFEST: &str = r#"
version: 1
murder: example.org
topology: discrete
domains: [example.org]
ldap:
  uris: ["ldap://ldap.example.org"]
  base: dc=example,dc=org
  bind_dn: uid=kolab-service,ou=Special Users,dc=example,dc=org
  bind_pw: {file: ldap.secret}
  tls: {mode: none}
cyrus: {postuser: folder}
hosts:
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}
  backend[1:2].example.org: {roles: [backend], settings: {smtpd_banner: "$myhostname ESMTP"}}
"#;

/// A manifest with its secret, a sandbox, and a plan's file, in a fresh folder.
pub struct Desk {
    home: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self {
            home: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(desk.path("manifest")).unwrap();
        desk.write("manifest/murder.yaml", MANIFEST);
        desk.secret(SECRET);
        desk
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    pub fn secret(&self, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        self.write("manifest/ldap.secret", text);
        let closed = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(self.path("manifest/ldap.secret"), closed).unwrap();
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(arguments)
            .current_dir(self.home.path())
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("NO_COLOR", "1")
            .judged()
    }

    /// Runs and demands an exit code; gives what was printed, on standard output first.
    #[track_caller]
    pub fn expect(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{arguments:?}:\n{text}");
        assert!(!text.contains(SECRET), "a secret was printed:\n{text}");
        text
    }

    /// Saves a plan that `apply` does not refuse, and judges the file by its schema.
    #[track_caller]
    pub fn plan(&self, more: &[&str]) -> String {
        self.plans(0, more)
    }

    /// The same, with the exit code of `plan`.
    #[track_caller]
    pub fn plans(&self, code: i32, more: &[&str]) -> String {
        let all = [
            "plan",
            "manifest",
            "--sandbox",
            "sandbox",
            "--out",
            "plan.json",
        ];
        let text = self.expect(code, &[&all, more].concat());
        assert_valid(&self.path("plan.json"));
        text
    }

    #[track_caller]
    pub fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        String::from_utf8(output.stdout).unwrap()
    }
}

/// Demands that a file is as the schema of its format says: a saved plan or a live file. Every test that makes one calls it.
#[track_caller]
pub fn assert_valid(path: &Path) {
    let document = document(path);
    let schema = match document["format"].as_str() {
        Some("murder-plan") => plan_schema(),
        Some("murder-live") => live_schema(),
        other => panic!("{other:?} has no schema"),
    };
    assert_eq!(invalid(&document, &schema), None);
}

pub fn document(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Each file below a folder with its bytes.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => _ = found.insert(path.clone(), std::fs::read(&path).unwrap()),
            }
        }
    }
    found
}

#[test]
fn show_prints_what_plan_printed_in_every_form() {
    let desk = Desk::new();
    for state in ["nothing is there", "a file was changed"] {
        for more in [
            &[][..],
            &["--diff", "full"],
            &["--diff", "summary"],
            &["--format", "json"],
            &["--format", "markdown"],
            &["--format", "markdown", "--diff", "full"],
        ] {
            let plan = [
                "plan",
                "manifest",
                "--sandbox",
                "sandbox",
                "--out",
                "plan.json",
            ];
            let printed = desk.stdout(&[&plan, more].concat());
            assert!(printed.len() > 100, "{more:?}: {printed}");
            let shown = desk.stdout(&[&["show", "plan.json"], more].concat());
            assert_eq!(printed, shown, "{state}, {more:?}");
        }
        desk.expect(
            0,
            &[
                "apply",
                "manifest",
                "--sandbox",
                "sandbox",
                "--yes",
                "--adopt",
            ],
        );
        let changed = "sandbox/backend1.example.org/etc/postfix/main.cf";
        let text = desk.read(changed) + "smtpd_banner = mine\nldap_bind_pw = Other2Secret\n";
        desk.write(changed, &text);
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let desk = Desk::new();
    desk.plan(&[]);
    let first = desk.read("plan.json");
    desk.plan(&["--format", "json", "--parallel", "1"]);
    assert_eq!(first, desk.read("plan.json"));
    // Nothing says when, where or by whom.
    for word in [desk.home.path().to_str().unwrap(), "@", "2026-"] {
        let count = first.matches(word).count();
        let allowed = first.matches("shared@").count() + first.matches("@example.org").count();
        assert!(count <= allowed || word == "@", "{word}");
    }
}

#[test]
fn a_plan_holds_no_secret_and_nothing_to_guess_one_by() {
    let desk = Desk::new();
    desk.expect(
        0,
        &[
            "apply",
            "manifest",
            "--sandbox",
            "sandbox",
            "--yes",
            "--adopt",
        ],
    );
    let other = "AnotherPassword9";
    let table = "sandbox/backend1.example.org/etc/postfix/ldap/local_recipient_maps.cf";
    let before = if desk.path(table).exists() {
        desk.read(table)
    } else {
        let found = Command::new("grep")
            .args(["-rl", SECRET, "sandbox"])
            .current_dir(desk.home.path())
            .output()
            .unwrap();
        panic!("which table? {}", String::from_utf8_lossy(&found.stdout));
    };
    desk.write(table, &before.replace(SECRET, other));
    desk.plan(&[]);
    let plan = desk.read("plan.json");
    assert!(
        plan.contains("*** (changed)") || plan.contains("***"),
        "{plan}"
    );
    for secret in [SECRET, other] {
        assert!(!plan.contains(secret));
        assert!(!plan.contains(&sha256_hex(secret.as_bytes())));
        let file = before.replace(SECRET, secret);
        assert!(!plan.contains(&sha256_hex(file.as_bytes())));
    }
    for path in [
        "etc/postfix/main.cf",
        "etc/postfix/master.cf",
        "var/lib/murder/ledger.json",
    ] {
        let bytes = std::fs::read(desk.path("sandbox/backend1.example.org").join(path)).unwrap();
        assert!(!plan.contains(&sha256_hex(&bytes)), "{path}");
    }
}

#[test]
fn literal_secrets_are_refused() {
    let desk = Desk::new();
    let literal = MANIFEST.replace("{file: ldap.secret}", "Literal2Word");
    desk.write("manifest/murder.yaml", &literal);
    let plan = [
        "plan",
        "manifest",
        "--sandbox",
        "sandbox",
        "--out",
        "plan.json",
    ];
    let text = desk.expect(1, &plan);
    assert!(text.contains("stands in the manifest itself"), "{text}");
    assert!(text.contains("{file: PATH}"), "{text}");
    let in_text = MANIFEST.to_owned()
        + "defaults: {files: {/etc/postfix/mine.cf: {content: \"bind_pw = Literal2Word\\n\", mode: \"0640\"}}}\n";
    desk.write("manifest/murder.yaml", &in_text);
    let text = desk.expect(1, &plan);
    assert!(text.contains("seems to hold a literal secret"), "{text}");
    assert!(!text.contains("Literal2Word"), "{text}");
    assert!(!desk.path("plan.json").exists());
}

/// Small numbers that look random and are the same in every run.
pub fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn two_hundred_edited_plans_are_refused_with_what_to_do() {
    let desk = Desk::new();
    desk.plan(&[]);
    let whole = std::fs::read(desk.path("plan.json")).unwrap();
    let mut random = random(15);
    for round in 0..200 {
        let mut bytes = whole.clone();
        let at = random(bytes.len());
        match round % 5 {
            0 => bytes[at] = bytes[at].wrapping_add(1),
            1 => _ = bytes.remove(at),
            2 => bytes.insert(at, b' '),
            3 => bytes.truncate(at),
            _ => bytes.extend(b"\n"),
        }
        std::fs::write(desk.path("edited.json"), &bytes).unwrap();
        let output = desk.run(&["show", "edited.json"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            output.status.code(),
            Some(1),
            "round {round}, byte {at}: {said}"
        );
        assert!(output.stdout.is_empty());
        // What lacks its end says so, and any other edit is one.
        let is_cut = ["is not whole", "is empty"]
            .iter()
            .any(|words| said.contains(words));
        assert!(
            said.contains("was edited") || is_cut && round % 5 == 3,
            "round {round}: {said}"
        );
        assert!(said.contains("murder plan --out"), "{said}");
    }
}

#[test]
fn a_file_that_is_no_plan_is_called_what_it_is() {
    let desk = Desk::new();
    desk.plan(&[]);
    let whole = std::fs::read(desk.path("plan.json")).unwrap();
    let report = desk.run(&["plan", "manifest", "--sandbox", "sandbox", "--format=json"]);
    let schema = desk.stdout(&["schema", "plan"]);
    let files: [(&str, &[u8], &str); 9] = [
        ("empty.json", b"", "`empty.json` is empty"),
        ("blank", b" \n", "`blank` is empty"),
        (
            "start.json",
            &whole[..9],
            "is not whole: its end is missing",
        ),
        (
            "half.json",
            &whole[..whole.len() / 2],
            "is not whole: its end is missing",
        ),
        ("report.json", &report.stdout, "is no plan: it is a report"),
        (
            "schema.json",
            schema.as_bytes(),
            "is no plan: it is a JSON Schema",
        ),
        (
            "other.json",
            b"{\"a\": 1}",
            "is no plan: it is JSON of another kind",
        ),
        (
            "list.json",
            b"[1]",
            "is no plan: it is JSON of another kind",
        ),
        (
            "program.json",
            b"\x7fELF\x02\x00\x00",
            "is no plan: it is not text",
        ),
    ];
    for (name, bytes, words) in files {
        std::fs::write(desk.path(name), bytes).unwrap();
        for verb in [
            &["show", name][..],
            &["apply", name, "--yes", "--sandbox", "sandbox"],
        ] {
            let output = desk.run(verb);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{verb:?}: {said}");
            assert!(said.contains(words), "{verb:?}: {said}");
            assert!(said.contains("murder plan --out FILE"), "{verb:?}: {said}");
        }
    }
    // A manifest may be JSON, and an empty one is still a manifest.
    std::fs::write(desk.path("manifest.json"), "{\"version\": 1}").unwrap();
    std::fs::write(desk.path("empty.yaml"), "").unwrap();
    for name in ["manifest.json", "empty.yaml"] {
        let said = desk
            .run(&["apply", name, "--yes", "--sandbox", "sandbox"])
            .stderr;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("the manifest lacks `hosts`"), "{said}");
    }
    // A folder with the plan of another job.
    std::fs::create_dir(desk.path("artifacts")).unwrap();
    std::fs::write(desk.path("artifacts/plan.json"), &whole).unwrap();
    let said = desk.run(&["apply", "artifacts", "--yes"]).stderr;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.contains("it has a saved plan: `murder show artifacts/plan.json`"),
        "{said}"
    );
}

#[test]
fn the_schema_knows_each_field() {
    let desk = Desk::new();
    desk.plan(&[]);
    let whole = document(&desk.path("plan.json"));
    let printed: Value = serde_json::from_str(&desk.stdout(&["schema", "plan"])).unwrap();
    assert_eq!(printed, plan_schema());
    for (at, value) in [
        ("/header/more", Value::Null),
        ("/body/hosts/smtp.example.org/roles", Value::from("backend")),
        ("/body/hosts/smtp.example.org/verdict", Value::from("fine")),
        ("/format_version", Value::from(1)),
    ] {
        let mut broken = whole.clone();
        let (parent, name) = at.rsplit_once('/').unwrap();
        broken.pointer_mut(parent).unwrap()[name] = value;
        assert!(invalid(&broken, &printed).is_some(), "{at}");
    }
}
