//! `observe` and `plan --live`: a plan without keys, hosts and secrets says what a plan says.

use super::reports::Judged as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::saved::assert_valid;

const SECRET: &str = "a-secret-for-tests";
/// How the one remark begins that a plan from a live file has more.
const NOT_COMPARED: &str = "not compared: the secrets in ";

/// A folder with a sandbox, and a manifest somewhere.
struct Job {
    home: TempDir,
    manifest: PathBuf,
}

impl Job {
    fn new(manifest: &Path) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            manifest: manifest.to_owned(),
        }
    }

    fn of_manifest(text: &str) -> Self {
        let mut job = Self::new(Path::new(""));
        job.manifest = job.home.path().join("m.yaml");
        std::fs::write(&job.manifest, text).unwrap();
        job
    }

    /// Runs a verb on the manifest, with the secret in the environment or without.
    fn run(&self, verb: &str, secret: bool, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
        command.arg(verb).arg(&self.manifest).args(more);
        command.current_dir(self.home.path()).env_clear();
        command
            .env("HOME", self.home.path())
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        if secret {
            command.env("MURDER_LDAP_PW", SECRET);
            command.env("MURDER_LMTP_PW", "another-secret-for-tests");
        }
        command.stdin(Stdio::null()).judged()
    }

    /// The same with a demanded exit code: what was printed.
    #[track_caller]
    fn expect(&self, code: i32, verb: &str, secret: bool, more: &[&str]) -> String {
        let output = self.run(verb, secret, more);
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{verb} {more:?}: {out}{err}"
        );
        assert!(!out.contains(SECRET) && !err.contains(SECRET));
        out + &err
    }

    fn observe(&self) {
        self.expect(0, "observe", false, &["--sandbox=box", "--out=live.json"]);
        let text = self.read("live.json");
        assert!(!text.contains(SECRET), "the live file has a secret");
        assert_valid(&self.home.path().join("live.json"));
    }

    fn plan(&self, secret: bool, more: &[&str]) -> Value {
        let more = [&["--format=json", "--diff=full"], more].concat();
        let output = self.run("plan", secret, &more);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{err}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.home.path().join(path)).unwrap()
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::write(self.home.path().join(path), text).unwrap();
    }

    /// Demands that the plan of the sandbox and that of the live file say the same, and gives the files that are named
    /// as not compared.
    #[track_caller]
    fn same_plans(&self) -> Vec<String> {
        self.observe();
        let real = self.plan(true, &["--sandbox=box"]);
        let mut live = self.plan(false, &["--live=live.json", "--untrusted"]);
        let mut named = Vec::new();
        for host in live["hosts"].as_object_mut().unwrap().values_mut() {
            let remarks = host["remarks"].as_array_mut().unwrap();
            remarks.retain(|remark| {
                let text = remark["text"].as_str().unwrap().to_owned();
                let more = text.starts_with(NOT_COMPARED);
                named.extend(more.then_some(text));
                !more
            });
        }
        assert_eq!(live["hosts"], real["hosts"]);
        assert_eq!(live["summary"], real["summary"]);
        named
    }
}

fn manifests() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    assert!(all.len() >= 4, "{all:?}");
    all
}

#[test]
fn a_plan_from_a_live_file_says_what_a_plan_of_the_hosts_says() {
    let mut named = 0;
    for manifest in manifests() {
        let job = Job::new(&manifest);
        assert_eq!(job.same_plans(), [""; 0], "nothing is there to compare");
        if manifest.ends_with("large.yaml") {
            // Its hundreds of hosts have the roles of the others, and would take minutes.
            continue;
        }
        job.expect(
            0,
            "apply",
            true,
            &["--sandbox=box", "--yes", "--diff=summary"],
        );
        // Converged.
        named += job.same_plans().len();
        // Changed on the hosts: files with secrets and without, values, files that are gone.
        let mut changed = 0;
        for host in std::fs::read_dir(job.home.path().join("box"))
            .unwrap()
            .take(5)
        {
            let etc = host.unwrap().path().join("etc/postfix");
            for (name, what) in [
                ("main.cf", "smtpd_banner = by hand\n"),
                ("transport", "x y:\n"),
            ] {
                if let Ok(text) = std::fs::read_to_string(etc.join(name)) {
                    std::fs::write(etc.join(name), text + what).unwrap();
                    changed += 1;
                }
            }
            for (number, table) in std::fs::read_dir(etc.join("ldap"))
                .into_iter()
                .flatten()
                .enumerate()
            {
                let table = table.unwrap().path();
                match number {
                    0 => std::fs::remove_file(table).unwrap(),
                    1 => {
                        let text = std::fs::read_to_string(&table).unwrap();
                        std::fs::write(&table, text + "size_limit = 7\n").unwrap();
                    }
                    _ => {}
                }
            }
        }
        assert!(changed > 0);
        job.same_plans();
    }
    assert!(named > 0, "some of the manifests have secrets");
}

const MANIFEST: &str = "version: 1\nmurder: example.org\ndomains: [example.org]\n\
    ldap: {uris: [ldap://ldap.example.org], base: \"dc=example,dc=org\", bind_dn: cn=x, bind_pw: {env: MURDER_LDAP_PW}}\n\
    hosts:\n  smtp.example.org: {roles: [internal-mta]}\n  front.example.org: {roles: [frontend]}\n";

#[test]
fn a_live_file_is_used_as_it_was_written_or_refused_with_what_to_do() {
    let job = Job::of_manifest(MANIFEST);
    job.observe();
    let good = job.read("live.json");
    let refused = |text: &str, why: &str| {
        job.write("live.json", text);
        let said = job.expect(1, "plan", false, &["--live=live.json"]);
        assert!(
            said.contains(why) && said.contains("murder observe --out FILE"),
            "{said}"
        );
    };
    refused(
        &good.replacen("smtp.example.org", "smtq.example.org", 1),
        "was edited",
    );
    refused(&good[..good.len() / 2], "is not whole");
    refused("", "is empty");
    refused("{}", "is no live file: it is JSON of another kind");
    let sealed = |document: &str| {
        let (bytes, _) = murder::exchange::sealed(document.as_bytes());
        String::from_utf8(bytes).unwrap()
    };
    let newer = |format: &str, version: &str| {
        sealed(&format!(
            "{{\"format\":\"{format}\",\"format_version\":\"{version}\"}}"
        ))
    };
    refused(
        &newer("murder-live", "2.0"),
        "has format murder-live 2.0, and this murder",
    );
    refused(
        &newer("murder-plan", "1.0"),
        "is no live file: it is a saved plan",
    );
    refused(
        &newer("murder-live", "1.0"),
        "cannot be read: missing field",
    );
    refused(&sealed(&"[".repeat(100_000)), "cannot be read");
    std::fs::File::create(job.home.path().join("live.json"))
        .unwrap()
        .set_len((256 << 20) + 1)
        .unwrap();
    let said = job.expect(1, "plan", false, &["--live=live.json"]);
    assert!(said.contains("more than 268435456 bytes"), "{said}");
    let said = job.expect(1, "plan", false, &["--live=none.json"]);
    assert!(said.contains("murder observe --out FILE"), "{said}");
    job.write("live.json", &good);
    let file = Job::new(&job.home.path().join("live.json"));
    let said = file.expect(1, "apply", false, &["--sandbox=box", "--yes"]);
    assert!(said.contains("is no plan: it is a live file"), "{said}");
    // It is no plan, and no plan can be saved or applied from it.
    let said = job.expect(1, "plan", false, &["--live=live.json", "--out=plan.json"]);
    assert!(said.contains("cannot be used with"), "{said}");
    job.expect(1, "plan", false, &["--live=live.json", "--sandbox=box"]);
}

#[test]
fn what_a_live_file_says_reaches_no_terminal_as_it_is() {
    let job = Job::of_manifest(MANIFEST);
    job.expect(0, "apply", true, &["--sandbox=box", "--yes"]);
    let main_cf = "box/smtp.example.org/etc/postfix/main.cf";
    let evil = "\u{1b}]0;owned\u{7}\u{202e}<img src=x>";
    job.write(
        main_cf,
        &(job.read(main_cf) + "relay_domains = @all ``` " + evil + "\n"),
    );
    job.observe();
    for format in ["text", "json", "markdown"] {
        let said = job.run("plan", false, &["--live=live.json", "--format", format]);
        let said = String::from_utf8([said.stdout, said.stderr].concat()).unwrap();
        assert!(said.contains("owned"), "{format}: {said}");
        assert!(
            !said.contains('\u{1b}') && !said.contains('\u{7}') && !said.contains('\u{202e}'),
            "{format}"
        );
    }
}

#[test]
fn hosts_and_files_that_a_live_file_lacks_are_named() {
    let job = Job::of_manifest(MANIFEST);
    job.observe();
    let more = MANIFEST.replace(
        "front.example.org: {roles: [frontend]}",
        "front.example.org: {roles: [frontend], files: {/etc/postfix/note: {content: \"x\\n\"}}}\n  new.example.org: {roles: [frontend]}",
    );
    job.write("m.yaml", &more);
    let said = job.expect(3, "plan", false, &["--live=live.json"]);
    assert!(
        said.contains("the live file does not have this host"),
        "{said}"
    );
    assert!(
        said.contains("the live file does not say whether the host has `/etc/postfix/note`"),
        "{said}"
    );
    // Hosts are chosen as everywhere.
    let said = job.expect(0, "plan", false, &["--live=live.json", "--host=smtp*"]);
    assert!(
        said.contains("1 host:") && !said.contains("new.example.org"),
        "{said}"
    );
}
