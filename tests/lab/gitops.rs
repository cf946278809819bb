//! The whole way of a change through git and a pipeline: each command is one that a job runs.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::reports::Judged as _;
use crate::world::{HOSTS, Running, World, text};

/// The manifest and the overlay of the checkout, as each job names them.
const SITE: [&str; 3] = ["site/manifest", "--overlay", "site/lab.yaml"];
const REVIEWER: &str = "reviewer@example.org";

/// A checkout of the manifest's repository, and the jobs of its pipeline.
struct Pipeline<'a> {
    world: &'a World,
}

impl<'a> Pipeline<'a> {
    /// A repository with the lab's manifest on `main`, and the key of a reviewer.
    fn new(world: &'a World) -> Self {
        let pipeline = Self { world };
        let site = pipeline.path("site");
        fs::create_dir_all(site.join("manifest/secrets")).unwrap();
        let copy = |from: &str, to: &str| {
            fs::copy(pipeline.path(from), pipeline.path(to)).unwrap();
        };
        copy("manifest/murder.yaml", "site/manifest/murder.yaml");
        copy("lab.yaml", "site/lab.yaml");
        let password = "manifest/secrets/kolab-service.pw";
        copy(password, &format!("site/{password}"));
        fs::write(site.join(".gitignore"), "secrets/\n").unwrap();
        pipeline.git(&["init", "-q", "-b", "main"]);
        pipeline.commit("the murder as it is");
        pipeline.keygen(&["-q", "-t", "ed25519", "-N", "", "-f", "reviewer"]);
        let public = fs::read_to_string(pipeline.path("reviewer.pub")).unwrap();
        let signers = format!("{REVIEWER} namespaces=\"murder-plan\" {public}");
        fs::write(pipeline.path("allowed_signers"), signers).unwrap();
        pipeline
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.room().join(name)
    }

    #[track_caller]
    fn tool(&self, folder: &Path, program: &str, words: &[&str]) -> String {
        let output = Command::new(program)
            .args(words)
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = text(&output.stderr);
        assert!(output.status.success(), "{program} {words:?}: {said}");
        text(&output.stdout)
    }

    #[track_caller]
    fn git(&self, words: &[&str]) -> String {
        let own = ["-c", "user.name=Ops", "-c", "user.email=ops@example.org"];
        self.tool(&self.path("site"), "git", &[&own[..], words].concat())
    }

    #[track_caller]
    fn keygen(&self, words: &[&str]) {
        self.tool(&self.path("."), "ssh-keygen", words);
    }

    fn commit(&self, why: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", why]);
    }

    /// A commit by which every host gives back this much of a mail.
    fn change(&self, megabytes: u32) {
        let first = fs::read_to_string(self.path("manifest/murder.yaml")).unwrap();
        let more = format!("defaults:\n  settings: {{bounce_size_limit: \"{megabytes}000000\"}}\n");
        fs::write(self.path("site/manifest/murder.yaml"), first + &more).unwrap();
        self.commit(&format!("bounces of {megabytes} MB"));
    }

    /// Runs a job and demands its exit code; gives what it printed, standard output first.
    #[track_caller]
    fn job(&self, code: i32, words: &[&str]) -> String {
        let output = self.world.command(words).judged();
        let said = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}\n{said}");
        assert!(!said.contains(crate::world::BIND_PASSWORD), "{said}");
        said
    }

    /// The plan job, and the reviewer who signs what it made.
    #[track_caller]
    fn planned_and_signed(&self, more: &[&str]) {
        let plan = [&["plan"], &SITE[..], &["--out", "plan.json"], more].concat();
        self.job(0, &plan);
        let _ = fs::remove_file(self.path("plan.json.sig"));
        let sign = ["-Y", "sign", "-q", "-n", "murder-plan", "-f", "reviewer"];
        self.keygen(&[&sign[..], &["plan.json"]].concat());
    }

    /// The words of the apply job, which demands the reviewer's signature.
    fn apply<'w>(&self, more: &[&'w str]) -> Vec<&'w str> {
        let words = [
            "apply",
            "plan.json",
            "--yes",
            "--require-signature",
            "allowed_signers",
            "--identity",
            REVIEWER,
        ];
        [&words[..], more].concat()
    }

    fn start(&self, words: &[&str]) -> Running {
        let mut command = self.world.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Running::new(command.spawn().unwrap(), words)
    }

    /// Demands that hosts have a limit, by short name.
    #[track_caller]
    fn has(&self, megabytes: u32, hosts: &[&str]) {
        let wanted = format!("{megabytes}000000");
        for host in hosts {
            let limit = self.world.lab.postconf(host, "bounce_size_limit");
            assert_eq!(limit, wanted, "{host}");
        }
    }
}

pub fn a_change_goes_through_a_pipeline(world: &mut World) {
    world.converge();
    let pipeline = Pipeline::new(world);
    a_merge_request_is_judged_without_keys(&pipeline);
    a_host_that_moved_is_planned_again(&pipeline);
    an_older_checkout_is_refused(&pipeline);
    two_runners_at_once_apply_once(&pipeline);
    an_interrupted_apply_is_resumed(&pipeline);
    // The other stories go on from the manifest without git, and look for secrets on the client.
    fs::remove_dir_all(pipeline.path("site")).unwrap();
    world.converge();
}

/// Branch, `diff`, `check --untrusted`, and a plan from what a protected job observed.
fn a_merge_request_is_judged_without_keys(pipeline: &Pipeline<'_>) {
    pipeline.git(&["checkout", "-q", "-b", "change"]);
    pipeline.change(21);
    let diff = ["diff", "main..change"];
    let said = pipeline.job(2, &[&diff[..], &SITE, &["--detailed-exitcode"]].concat());
    assert!(
        said.contains("bounce_size_limit") && said.contains("6 hosts"),
        "{said}"
    );
    pipeline.job(0, &[&["check"], &SITE[..], &["--untrusted"]].concat());
    pipeline.job(
        0,
        &[&["observe"], &SITE[..], &["--out", "live.json"]].concat(),
    );
    // What a job without keys and secrets has of the checkout.
    let secret = pipeline.path("site/manifest/secrets/kolab-service.pw");
    let away = pipeline.path("kolab-service.pw");
    fs::rename(&secret, &away).unwrap();
    let live = ["--live", "live.json", "--untrusted"];
    let said = pipeline.job(0, &[&["plan"], &SITE[..], &live].concat());
    fs::rename(&away, &secret).unwrap();
    assert!(said.contains("bounce_size_limit"), "{said}");
}

/// The saved plan is reviewed and signed; a host that moves meanwhile is stale, and the others are applied.
fn a_host_that_moved_is_planned_again(pipeline: &Pipeline<'_>) {
    pipeline.planned_and_signed(&[]);
    let shown = pipeline.job(0, &["show", "plan.json", "--format", "markdown"]);
    assert!(shown.contains("<!-- murder:plan:lab -->"), "{shown}");
    let lab = &pipeline.world.lab;
    lab.sh("backend1", "postconf -e bounce_size_limit=29000000");
    let said = pipeline.job(3, &pipeline.apply(&["--max-fail", "6"]));
    let stale = "stale: main.cf:bounce_size_limit";
    assert!(said.contains(stale) && said.contains("5 done"), "{said}");
    pipeline.has(29, &["backend1"]);
    pipeline.has(21, &["mx", "smtp", "backend2", "frontend1", "mupdate"]);
    // The new plan says that it replaces what was set by hand.
    pipeline.planned_and_signed(&["--adopt"]);
    let said = pipeline.job(0, &pipeline.apply(&[]));
    assert!(said.contains("1 done"), "{said}");
    pipeline.has(21, HOSTS);
    let said = pipeline.job(0, &pipeline.apply(&[]));
    assert!(said.contains("1 already applied"), "{said}");
    // A plan that the reviewer did not sign is none.
    fs::write(pipeline.path("plan.json.sig"), "none\n").unwrap();
    pipeline.job(1, &pipeline.apply(&[]));
}

/// `main` does not have the change yet: its plan would take it back.
fn an_older_checkout_is_refused(pipeline: &Pipeline<'_>) {
    pipeline.git(&["checkout", "-q", "main"]);
    let said = pipeline.job(1, &[&["plan"], &SITE[..]].concat());
    assert!(said.contains("refused without --allow-older"), "{said}");
    pipeline.job(1, &[&["apply"], &SITE[..], &["--yes"]].concat());
    pipeline.has(21, HOSTS);
    pipeline.git(&["merge", "-q", "--ff-only", "change"]);
    let plan = [&["plan"], &SITE[..], &["--detailed-exitcode"]].concat();
    pipeline.job(0, &plan);
}

/// Two apply jobs with one plan: each host is changed by one of them.
fn two_runners_at_once_apply_once(pipeline: &Pipeline<'_>) {
    pipeline.change(22);
    pipeline.planned_and_signed(&[]);
    let words = pipeline.apply(&["--format", "json"]);
    let runners = [pipeline.start(&words), pipeline.start(&words)];
    let reports = runners.map(|runner| runner.finish().json());
    for host in HOSTS {
        let name = format!("{host}.example.org");
        let outcomes: Vec<&str> = reports
            .iter()
            .map(|report| report["hosts"][&name]["outcome"].as_str().unwrap())
            .collect();
        let other = ["locked", "stale", "already_applied", "not_attempted"];
        let done = outcomes.iter().filter(|one| **one == "done").count();
        let known = |one: &&str| *one == "done" || other.contains(one);
        assert!(
            done <= 1 && outcomes.iter().all(known),
            "{host}: {outcomes:?}"
        );
    }
    // Whoever came too early runs again.
    pipeline.job(0, &pipeline.apply(&[]));
    pipeline.has(22, HOSTS);
}

/// Ctrl-C after the first host: the job ends with 130, and the same plan does the rest.
fn an_interrupted_apply_is_resumed(pipeline: &Pipeline<'_>) {
    pipeline.change(23);
    pipeline.planned_and_signed(&[]);
    let words = pipeline.apply(&["--format", "jsonl", "--parallel", "1"]);
    let mut runner = pipeline.start(&words);
    let mut lines = BufReader::new(runner.child.stdout.take().unwrap());
    let (mut line, mut done) = (String::new(), BTreeSet::new());
    while done.is_empty() {
        line.clear();
        assert_ne!(
            lines.read_line(&mut line).unwrap(),
            0,
            "no host was applied"
        );
        let event: Value = serde_json::from_str(&line).unwrap();
        if event["event"] == "outcome" {
            done.insert(event["host"].as_str().unwrap().to_owned());
        }
    }
    runner.signal("INT");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let said = runner.finish().exits(130);
    let last = rest.lines().last().unwrap_or_default();
    let last: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&last["exit"], &last["interrupted"]),
        (&130.into(), &true.into()),
        "{said}"
    );
    let said = pipeline.job(0, &pipeline.apply(&[]));
    assert!(said.contains("already applied"), "{said}");
    assert!(said.contains(" done"), "{said}");
    pipeline.has(23, HOSTS);
}
