//! The pipelines below docs/integrations: each judged by the schema of its engine, and its commands run on a sandbox.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const MANIFEST: &str = "version: 1\nmurder: example.org\ndomains: [example.org]\n\
    ldap: {uris: [ldap://ldap.example.org], base: \"dc=example,dc=org\"}\n\
    hosts:\n  smtp.example.org: {roles: [internal-mta]}\n";

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/integrations")
        .join(name)
}

/// A program that tests/run installs from PyPI.
fn tool(name: &str, arguments: &[&str]) {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"),
        PathBuf::from,
    );
    let program = cache.join("murder-tools/bin").join(name);
    let output = Command::new(&program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; tests/run installs it", program.display()));
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{name} {arguments:?}:\n{said}");
}

fn yaml(name: &str) -> Value {
    serde_yaml::from_str(&fs::read_to_string(shipped(name)).unwrap()).unwrap()
}

/// A repository with a manifest on `main` and a change of it on a branch. `murder` is a program that works on a sandbox.
struct Runner {
    home: TempDir,
    variables: BTreeMap<String, String>,
}

impl Runner {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let runner = Self {
            home,
            variables: BTreeMap::from([("MANIFEST".to_owned(), ".".to_owned())]),
        };
        let programs = runner.path("programs");
        fs::create_dir_all(&programs).unwrap();
        let script = format!(
            "#!/bin/sh\ncase $1 in plan|apply|drift) set -- \"$@\" '--sandbox={}';; esac\nexec {} \"$@\"\n",
            runner.path("sandbox").display(),
            env!("CARGO_BIN_EXE_murder")
        );
        let program = programs.join("murder");
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(runner.path("work")).unwrap();
        fs::write(runner.path("work/murder.yaml"), MANIFEST).unwrap();
        runner.run("git init -q -b main && git add . && git commit -qm one");
        let more = "defaults: {settings: {smtpd_banner: hello}}\n";
        fs::write(runner.path("work/murder.yaml"), MANIFEST.to_owned() + more).unwrap();
        runner.run("git commit -qam two");
        runner
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Runs a job in a clean checkout with `artefacts` of earlier jobs, and keeps the files that it leaves.
    #[track_caller]
    fn job(&self, script: &str, artefacts: &[&str]) {
        self.run("git clean -ffdxq && mkdir -p ../artefacts");
        for name in artefacts {
            self.run(&format!("cp ../artefacts/{name} ."));
        }
        self.run(script);
        self.run("git ls-files --others | xargs -r cp -t ../artefacts");
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path("artefacts").join(file)).unwrap()
    }

    fn try_run(&self, script: &str) -> Output {
        let path = format!(
            "{}:/usr/bin:/bin:/usr/sbin",
            self.path("programs").display()
        );
        Command::new("bash")
            .args(["-e", "-o", "pipefail", "-c", script])
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home.path())
            .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Ops")))
            .envs(
                ["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "ops@example.org")),
            )
            .envs(&self.variables)
            .output()
            .unwrap()
    }

    /// The keys are where ssh looks for them, and nobody else may read them.
    #[track_caller]
    fn has_keys(&self, key: &str, known_hosts: &str) {
        for (name, text) in [("id_ed25519", key), ("known_hosts", known_hosts)] {
            let file = self.path(".ssh").join(name);
            assert_eq!(fs::read_to_string(&file).unwrap().trim_end(), text);
            assert_eq!(
                fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[track_caller]
    fn run(&self, script: &str) -> String {
        let output = self.try_run(script);
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{script}\n{said}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn script(lines: &Value) -> String {
    let lines = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_gitlab_pipeline_is_valid_and_its_jobs_run() {
    let file = shipped("gitlab/gitlab-ci.yml");
    tool(
        "check-jsonschema",
        &[
            "--builtin-schema",
            "vendor.gitlab-ci",
            "--data-transform",
            "gitlab-ci",
            &file.display().to_string(),
        ],
    );
    let jobs = yaml("gitlab/gitlab-ci.yml");
    let mut runner = Runner::new();
    let head = runner.run("git rev-parse HEAD").trim().to_owned();
    let base = runner.run("git rev-parse HEAD~1").trim().to_owned();
    runner.set("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base);
    runner.set("CI_COMMIT_SHA", &head);
    runner.set("CI_PIPELINE_ID", "7");
    for name in ["SSH_KEY", "KNOWN_HOSTS"] {
        let file = runner.path(name);
        fs::write(&file, name).unwrap();
        runner.set(name, file.to_str().unwrap());
    }
    assert!(jobs["plan"]["extends"] == ".keys" && jobs["apply"]["extends"] == ".keys");
    runner.run(&script(&jobs[".keys"]["before_script"]));
    runner.has_keys("SSH_KEY", "KNOWN_HOSTS");
    for job in ["check", "diff", "plan"] {
        runner.job(&script(&jobs[job]["script"]), &[]);
    }
    runner.job(&script(&jobs["apply"]["script"]), &["plan.json"]);
    assert!(runner.text("codequality.json").starts_with('['));
    assert!(runner.text("diff.md").contains("main.cf:smtpd_banner"));
    let counts: Value = serde_json::from_str(&runner.text("counts.json")).unwrap();
    assert!(
        counts["create"].as_u64().unwrap() > 1 && counts["delete"] == 0,
        "{counts}"
    );
    assert!(
        runner
            .text("events.jsonl")
            .contains("\"event\":\"end\",\"exit\":0")
    );
    let said = runner.try_run(&format!(
        "rm plan.json\n{}",
        script(&jobs["apply"]["script"])
    ));
    assert_eq!(said.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&said.stdout).contains("run the plan job again"));
    let rules = jobs["apply"]["rules"].to_string();
    assert!(rules.contains("CI_DEPLOY_FREEZE") && rules.contains("CI_DEFAULT_BRANCH"));
}

#[test]
fn the_github_workflow_is_valid_and_its_jobs_run() {
    let file = shipped("github/murder.yml");
    tool(
        "check-jsonschema",
        &[
            "--builtin-schema",
            "vendor.github-workflows",
            &file.display().to_string(),
        ],
    );
    let jobs = &yaml("github/murder.yml")["jobs"];
    let mut runner = Runner::new();
    // A forge that has a comment of the bot already, and keeps what it is told.
    let gh =
        "#!/bin/sh\necho \"$@\" >> ../told\ncase \"$*\" in *PATCH*|*POST*) ;; *) echo 42;; esac\n";
    let program = runner.path("programs/gh");
    fs::write(&program, gh).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, value) in [
        ("BASE", "HEAD~1"),
        ("NUMBER", "3"),
        ("REPOSITORY", "o/r"),
        ("GITHUB_RUN_ID", "9"),
        ("GITHUB_STEP_SUMMARY", "../summary"),
        ("GITHUB_WORKSPACE", "."),
        ("SSH_KEY", "key"),
        ("KNOWN_HOSTS", "known"),
    ] {
        runner.set(name, value);
    }
    let head = runner.run("git rev-parse HEAD").trim().to_owned();
    runner.set("GITHUB_SHA", &head);
    let room = runner.path("");
    runner.set("RUNNER_TEMP", room.to_str().unwrap().trim_end_matches('/'));
    for (job, artefacts) in [("check", &[][..]), ("plan", &[]), ("apply", &["plan.json"])] {
        let steps = jobs[job]["steps"].as_array().unwrap();
        let runs = steps.iter().filter_map(|step| step["run"].as_str());
        // Each step has a shell of its own.
        let script: Vec<String> = runs.map(|run| format!("(\n{run}\n)")).collect();
        runner.job(&script.join("\n"), artefacts);
    }
    runner.has_keys("key", "known");
    let summary = fs::read_to_string(runner.path("summary")).unwrap();
    assert!(
        summary.contains("<!-- murder:diff:example.org -->")
            && summary.contains("<!-- murder:plan:example.org -->")
    );
    let told = fs::read_to_string(runner.path("told")).unwrap();
    assert!(
        told.contains("startswith(\"<!-- murder:diff:example.org -->\")"),
        "{told}"
    );
    assert!(
        told.contains("--method PATCH repos/o/r/issues/comments/42 --field body=@/")
            && told.contains("/diff.md"),
        "{told}"
    );
}

#[test]
fn the_kubernetes_objects_are_valid_and_their_commands_run() {
    let file = shipped("kubernetes/drift.yaml");
    tool(
        "kubernetes-validate",
        &["--strict", &file.display().to_string()],
    );
    let mut runner = Runner::new();
    runner.run("murder apply . --yes");
    runner.set("JOB_COMPLETION_INDEX", "3");
    let text = fs::read_to_string(file).unwrap();
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("command: ["))
        .collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let command = command
            .trim_end_matches(']')
            .replace(',', "")
            .replace("/manifest", ".");
        runner.run(&command);
    }
}

#[test]
fn the_pull_units_are_valid() {
    let room = tempfile::tempdir().unwrap();
    for name in ["murder-pull.service", "murder-pull.timer"] {
        let text = fs::read_to_string(shipped("systemd").join(name)).unwrap();
        let own = text.replace("/usr/bin/murder", env!("CARGO_BIN_EXE_murder"));
        fs::write(room.path().join(name), own).unwrap();
    }
    let output = Command::new("systemd-analyze")
        .args(["verify", "./murder-pull.service", "./murder-pull.timer"])
        .current_dir(room.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    let text = fs::read_to_string(shipped("systemd/murder-pull.service")).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=/usr/bin/"))
        .unwrap();
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(words)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        !said.contains("Usage:") && said.contains("/etc/murder"),
        "{said}"
    );
}

/// Reads a template of workflows by the models of Argo's API, and demands that they leave nothing of it out.
const ARGO: &str = "import sys, yaml\n\
    from hera.workflows.models import WorkflowTemplate\n\
    text = yaml.safe_load(open(sys.argv[1]))\n\
    model = WorkflowTemplate.model_validate(text)\n\
    known = model.model_dump(by_alias=True, exclude_unset=True, mode='json')\n\
    sys.exit(0 if known == text else f'not of the API: {text} and not {known}')\n";

/// The commands of the pods of a workflow, in its order. Each task depends on the one before it.
fn commands_of_workflow(template: &Value) -> Vec<String> {
    let templates = template["spec"]["templates"].as_array().unwrap();
    let find = |name: &Value| templates.iter().find(|one| one["name"] == *name).unwrap();
    let mut before = &Value::Null;
    let mut commands = Vec::new();
    for task in find(&template["spec"]["entrypoint"])["dag"]["tasks"]
        .as_array()
        .unwrap()
    {
        assert_eq!(&task["depends"], before);
        before = &task["name"];
        let Some(words) = find(&task["template"])["container"]["command"].as_array() else {
            assert!(find(&task["template"])["suspend"].is_object());
            continue;
        };
        let words: Vec<String> = words
            .iter()
            .map(|word| format!("'{}'", word.as_str().unwrap()))
            .collect();
        let mut command = words.join(" ").replace("/plans/", "../");
        for parameter in task["arguments"]["parameters"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let name = parameter["name"].as_str().unwrap();
            let value = parameter["value"].as_str().unwrap();
            command = command.replace(&format!("{{{{inputs.parameters.{name}}}}}"), value);
        }
        let number = |key: &str| {
            let text = task["withSequence"][key].as_str().unwrap_or("1");
            text.parse::<u32>().unwrap()
        };
        for item in number("start")..=number("end") {
            let command = command.replace("{{item}}", &item.to_string());
            let command = command.replace("{{workflow.name}}", "murder-x7");
            assert!(!command.contains("{{"), "{command}");
            commands.push(command);
        }
    }
    commands
}

#[test]
fn the_argo_workflow_is_valid_and_its_waves_apply_the_plan() {
    let file = shipped("argo/murder.yaml");
    tool("python", &["-c", ARGO, &file.display().to_string()]);
    let commands = commands_of_workflow(&yaml("argo/murder.yaml"));
    let runner = Runner::new();
    let more = "  backend[1:9].example.org: {roles: [backend]}\n  \
        mx.example.org: {roles: [internet-mta]}\n";
    let banner = "defaults: {settings: {smtpd_banner: hello}}\n";
    let gone = more.replace("backend[1:9]", "backend[1:8]")
        + "  backend9.example.org: {roles: [backend], state: retired}\n";
    // Hosts that are new; then one that is retired, and a value that all others lose.
    for text in [more.to_owned() + banner, gone] {
        fs::write(runner.path("work/murder.yaml"), MANIFEST.to_owned() + &text).unwrap();
        runner.run("git commit -qam change");
        let pending = runner.try_run("murder plan . --detailed-exitcode");
        assert_eq!(pending.status.code(), Some(2));
        runner.run(&commands.join("\n"));
        runner.run("murder plan . --detailed-exitcode");
    }
}
