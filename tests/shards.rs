//! Several runners: shards, waves as stages, and one report of all.

use super::reports::Judged as _;
use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use super::program;

const MANIFEST: &str = "version: 1\nmurder: example.org\ndomains: [example.org]\n\
    ldap: {uris: [ldap://ldap.example.org], base: \"dc=example,dc=org\"}\n\
    hosts:\n  smtp.example.org: {roles: [internal-mta]}\n  \
    backend[1:40].example.org: {roles: [backend]}\n  front[1:9].example.org: {roles: [frontend]}\n";

struct Desk(TempDir);

impl Desk {
    fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        desk.manifest("");
        desk
    }

    fn manifest(&self, more: &str) {
        fs::write(
            self.0.path().join("murder.yaml"),
            MANIFEST.to_owned() + more,
        )
        .unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        program::command(self.0.path(), arguments)
    }

    fn run(&self, code: i32, arguments: &[&str]) -> String {
        checked(code, &self.command(arguments).judged(), arguments)
    }

    /// Demands that the merged reports of the last eight shards, as text and as Markdown, are those of one run.
    fn same_words(&self, code: i32, verb: &[&str], merge: &[&str]) {
        let files: Vec<String> = (1..=8)
            .map(|index| format!("report-{index}.json"))
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        for look in [
            &["--format=text"][..],
            &["--format=text", "--diff=full"],
            &["--format=text", "--diff=summary"],
            &["--format=markdown"],
            &["--format=markdown", "--diff=full"],
        ] {
            let merged = self.run(
                code,
                &[&["report", "merge"], &files[..], merge, look].concat(),
            );
            let whole = self.run(code, &[verb, look].concat());
            assert!(whole.len() > 100, "{look:?}: {whole}");
            assert_eq!(merged, whole, "{look:?}");
        }
    }

    /// Runs a verb whole and in eight shards, and gives both reports: that of one run, and the merged one.
    fn both(
        &self,
        code: i32,
        verb: &[&str],
        of: impl Fn(&str) -> Vec<String>,
        merge: &[&str],
    ) -> (String, String) {
        let mut files = Vec::new();
        for index in 1..=8 {
            let shard = format!("{index}/8");
            let mut arguments: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
            arguments.extend(of(&shard));
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = self.command(&arguments).judged();
            let file = format!("report-{index}.json");
            fs::write(self.0.path().join(&file), output.stdout).unwrap();
            files.push(file);
        }
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let merged = self.run(code, &[&["report", "merge"], &files[..], merge].concat());
        let whole = self.run(code, verb);
        (whole, merged)
    }
}

fn checked(code: i32, output: &Output, arguments: &[&str]) -> String {
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert_eq!(
        output.status.code(),
        Some(code),
        "{arguments:?}\n{out}{err}"
    );
    if code == 1 { out + &err } else { out }
}

fn shard(shard: &str) -> Vec<String> {
    vec!["--shard".to_owned(), shard.to_owned()]
}

#[test]
fn eight_shards_merge_to_the_report_of_one_run() {
    let desk = Desk::new();
    let plan = ["plan", "murder.yaml", "--sandbox=s", "--format=json"];
    let (whole, merged) = desk.both(0, &plan, shard, &[]);
    assert!(whole.len() > 10_000);
    assert_eq!(whole, merged);
    desk.same_words(0, &plan[..3], &[]);
    let files: Vec<String> = (1..=8)
        .map(|index| format!("report-{index}.json"))
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let look = ["--format=markdown", "--diff=full", "--limit=9000"];
    let cut = desk.run(0, &[&["report", "merge"], &files[..], &look].concat());
    let command = "See all with `murder report merge report-1.json report-2.json";
    assert!(cut.len() <= 9000 && cut.contains(command), "{cut}");
    desk.run(
        2,
        &[
            "report",
            "merge",
            "report-1.json",
            "report-2.json",
            "--detailed-exitcode",
        ],
    );
    desk.run(0, &["apply", "murder.yaml", "--sandbox=s", "--yes"]);
    // Something is changed by hand on one host.
    let file = desk
        .0
        .path()
        .join("s/backend7.example.org/etc/postfix/main.cf");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("mydestination = ", "mydestination = x.org, "),
    )
    .unwrap();
    let drift = ["drift", "murder.yaml", "--sandbox=s", "--format=json"];
    let (whole, merged) = desk.both(2, &drift, shard, &[]);
    assert_eq!(whole, merged);
    desk.same_words(2, &drift[..3], &[]);
    // Reports that do not belong together.
    let said = desk.run(1, &["report", "merge", "report-1.json", "report-1.json"]);
    assert!(said.contains("is in two reports"), "{said}");
    fs::write(
        desk.0.path().join("plan.json"),
        desk.run(0, &[&plan[..], &["--host=smtp*"]].concat()),
    )
    .unwrap();
    let said = desk.run(1, &["report", "merge", "report-1.json", "plan.json"]);
    assert!(said.contains("another verb"), "{said}");
    fs::write(desk.0.path().join("other.json"), "{\"a\": 1}").unwrap();
    let said = desk.run(1, &["report", "merge", "report-1.json", "other.json"]);
    assert!(
        said.contains("`other.json` is no report of murder"),
        "{said}"
    );
}

#[test]
fn eight_runners_observe_and_plan_as_one() {
    let desk = Desk::new();
    let mut hosts = BTreeSet::new();
    for index in 1..=8 {
        let (shard, file) = (format!("{index}/8"), format!("live-{index}.json"));
        let observe = ["observe", "murder.yaml", "--sandbox=s", "--shard", &shard];
        desk.run(0, &[&observe[..], &["--out", &file]].concat());
        let text = fs::read_to_string(desk.0.path().join(&file)).unwrap();
        let live: Value = serde_json::from_str(&text).unwrap();
        for host in live["hosts"].as_object().unwrap().keys() {
            assert!(hosts.insert(host.clone()), "two runners observe {host}");
        }
    }
    assert_eq!(hosts.len(), 50);
    // Each runner plans its part from its own file; the reports merge to the plan of all hosts.
    let observe = ["observe", "murder.yaml", "--sandbox=s", "--out=live.json"];
    desk.run(0, &observe);
    let mut reports = Vec::new();
    for index in 1..=8 {
        let live = format!("--live=live-{index}.json");
        let shard = format!("--shard={index}/8");
        let plan = ["plan", "murder.yaml", "--format=json", &live, &shard];
        let file = format!("plan-{index}.json");
        fs::write(desk.0.path().join(&file), desk.run(0, &plan)).unwrap();
        reports.push(file);
    }
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    let merged = desk.run(0, &[&["report", "merge"], &reports[..]].concat());
    let plan = ["plan", "murder.yaml", "--format=json", "--live=live.json"];
    assert_eq!(desk.run(0, &plan), merged);
}

#[test]
fn waves_are_stages_and_shards_divide_one() {
    let desk = Desk::new();
    let apply = [
        "apply",
        "murder.yaml",
        "--sandbox=s",
        "--yes",
        "--format=json",
    ];
    let said = desk.run(1, &[&apply[..], &["--wave=nope"]].concat());
    assert!(said.contains("the manifest has: add-1 (backend"), "{said}");
    let hosts = |text: &str| -> BTreeSet<String> {
        let report: Value = serde_json::from_str(text).unwrap();
        report["hosts"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let mut first = BTreeSet::new();
    for index in 1..=8 {
        let part = format!("--shard={index}/8");
        let report = desk.run(0, &[&apply[..], &["--wave=add-1", &part]].concat());
        let mine = hosts(&report);
        fs::write(desk.0.path().join(format!("report-{index}.json")), report).unwrap();
        assert!(first.is_disjoint(&mine));
        first.extend(mine);
    }
    assert!(
        first.contains("backend40.example.org") && !first.contains("smtp.example.org"),
        "{first:?}"
    );
    // One runner elsewhere has the same report, byte for byte.
    let reports: Vec<String> = (1..=8)
        .map(|number| format!("report-{number}.json"))
        .collect();
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    let merged = desk.run(0, &[&["report", "merge"], &reports[..]].concat());
    let alone = Desk::new();
    assert_eq!(
        alone.run(0, &[&apply[..], &["--wave=add-1"]].concat()),
        merged
    );
    // As text, it is what the apply prints below its plan.
    let merge = |look: &str| desk.run(0, &[&["report", "merge", look], &reports[..]].concat());
    let text = Desk::new().run(
        0,
        &[
            "apply",
            "murder.yaml",
            "--sandbox=s",
            "--yes",
            "--wave=add-1",
        ],
    );
    let merged = merge("--format=text");
    assert!(merged.contains("40 hosts: 40 done"), "{merged}");
    assert!(text.ends_with(&merged), "{text}\n{merged}");
    let markdown = merge("--format=markdown");
    for words in [
        "<!-- murder:apply:example.org -->",
        "## Apply of `example.org`",
        "40 hosts: 40 done",
    ] {
        assert!(markdown.contains(words), "{words}: {markdown}");
    }
    let said = desk.run(
        1,
        &[&["report", "merge", "--limit=github"], &reports[..]].concat(),
    );
    assert!(
        said.contains("`--limit` is for `--format markdown` alone"),
        "{said}"
    );
    // The wave is done: it is empty now, and so are the ones of other directions.
    for wave in ["add-1", "remove-1", "retire-1"] {
        let wave = format!("--wave={wave}");
        assert!(hosts(&desk.run(0, &[&apply[..], &[&wave]].concat())).is_empty());
    }
    let mut all = first;
    for number in 2..=5 {
        let wave = format!("--wave=add-{number}");
        let output = desk.command(&[&apply[..], &[&wave]].concat()).judged();
        if output.status.code() == Some(1) {
            break;
        }
        all.extend(hosts(&checked(0, &output, &[&wave])));
    }
    assert_eq!(all.len(), 50);
    desk.run(
        0,
        &["plan", "murder.yaml", "--sandbox=s", "--detailed-exitcode"],
    );
    // A host that is retired, by a saved plan.
    desk.manifest("  mupdate.example.org: {roles: [mupdate]}\n");
    desk.run(0, &apply);
    desk.manifest("  mupdate.example.org: {roles: [mupdate], state: retired}\n");
    desk.run(
        0,
        &["plan", "murder.yaml", "--sandbox=s", "--out=plan.json"],
    );
    let saved = [
        "apply",
        "plan.json",
        "--sandbox=s",
        "--yes",
        "--format=json",
    ];
    assert!(hosts(&desk.run(0, &[&saved[..], &["--wave=add-1"]].concat())).is_empty());
    let retired = hosts(&desk.run(0, &[&saved[..], &["--wave=retire-3"]].concat()));
    assert_eq!(retired, BTreeSet::from(["mupdate.example.org".to_owned()]));
}

#[test]
fn a_shard_never_breaks_a_rollout() {
    let desk = Desk::new();
    let apply = ["apply", "murder.yaml", "--sandbox=s", "--yes"];
    let said = desk.run(1, &[&apply[..], &["--shard=1/2"]].concat());
    assert!(said.contains("--wave"), "{said}");
    let sharded = [&apply[..], &["--wave=add-1", "--shard=1/2"]].concat();
    for key in ["serial: 2", "canary: 1", "max_deferred: 5"] {
        desk.manifest(&format!("rollout: {{backend: {{{key}}}}}\n"));
        let said = desk.run(1, &sharded);
        let name = key.split(':').next().unwrap();
        assert!(
            said.contains(&format!(
                "would break `rollout.backend.{name}` in the wave `add-1`"
            )),
            "{said}"
        );
    }
    desk.manifest("");
    let said = desk.run(1, &[&sharded[..], &["--canary=1"]].concat());
    assert!(said.contains("would break `--canary`"), "{said}");
    assert!(!desk.0.path().join("s").exists());
    desk.run(0, &sharded);
}

#[test]
fn engines_say_which_shard_it_is() {
    let desk = Desk::new();
    let plan = |shard: &str, variables: &[(&str, &str)], code| {
        let arguments = [
            "plan",
            "murder.yaml",
            "--sandbox=s",
            "--format=json",
            "--shard",
            shard,
        ];
        let output = desk
            .command(&arguments)
            .envs(variables.iter().copied())
            .judged();
        checked(code, &output, &arguments)
    };
    let second = plan("2/3", &[], 0);
    assert_eq!(
        plan(
            "gitlab",
            &[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")],
            0
        ),
        second
    );
    assert_eq!(
        plan("kubernetes/3", &[("JOB_COMPLETION_INDEX", "1")], 0),
        second
    );
    assert_ne!(plan("3/3", &[], 0), second);
    for (shard, said) in [
        ("gitlab", "the variable CI_NODE_INDEX is not set"),
        (
            "kubernetes/3",
            "the variable JOB_COMPLETION_INDEX is not set",
        ),
        ("0/3", "there is no shard 0 of 3"),
        ("4/3", "there is no shard 4 of 3"),
        ("x/3", "`x` is no number"),
        ("3", "write `I/N`"),
    ] {
        let text = plan(shard, &[], 1);
        assert!(text.contains(said), "{text}");
    }
    // More shards than hosts: most have none, and that is no failure.
    let empty = (1..=400).find(|index| {
        let report: Value = serde_json::from_str(&plan(&format!("{index}/400"), &[], 0)).unwrap();
        report["hosts"].as_object().unwrap().is_empty()
    });
    let shard = format!("--shard={}/400", empty.unwrap());
    desk.run(0, &["plan", "murder.yaml", "--sandbox=s", &shard]);
    desk.run(0, &["drift", "murder.yaml", "--sandbox=s", &shard]);
    desk.run(
        0,
        &[
            "apply",
            "murder.yaml",
            "--sandbox=s",
            "--yes",
            "--wave=add-1",
            &shard,
        ],
    );
}

#[test]
fn what_a_plan_of_a_shard_means_for_mail_is_left_out_of_the_report_of_all() {
    let desk = Desk::new();
    fs::write(
        desk.0.path().join("d.ldif"),
        "dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n",
    )
    .unwrap();
    let mut files = Vec::new();
    for index in ["1/2", "2/2"] {
        let file = format!("report-{}.json", &index[..1]);
        let plan = [
            "plan",
            "murder.yaml",
            "--sandbox=s",
            "--format=json",
            "--ldif=d.ldif",
        ];
        let output = desk
            .command(&[&plan[..], &["--shard", index]].concat())
            .judged();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(report.get("mail").is_some(), "{report}");
        fs::write(desk.0.path().join(&file), output.stdout).unwrap();
        files.push(file);
    }
    let output = desk
        .command(&["report", "merge", &files[0], &files[1]])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("left out (report-1.json, report-2.json)"),
        "{said}"
    );
    let merged: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(merged.get("mail").is_none());
}
