//! `murder diff`: desired against desired, with the line that causes each change.

use super::reports::Judged as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::saved::valid::invalid;

/// Two copies of `manifests/full`, with a template and a module of the site's own.
struct Desk {
    home: TempDir,
}

const TEMPLATE: &str = "# {{ host.name }}\none\n";

impl Desk {
    fn new() -> Self {
        let desk = Self {
            home: tempfile::tempdir().unwrap(),
        };
        for side in ["old", "new"] {
            desk.full(side);
        }
        desk
    }

    fn path(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn full(&self, folder: &str) {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/full");
        let to = self.path(folder);
        fs::create_dir_all(to.join("templates")).unwrap();
        for name in ["murder.yaml", "hosts.yaml"] {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
        fs::write(to.join("templates/own.tera"), TEMPLATE).unwrap();
        self.edit(
            &format!("{folder}/murder.yaml"),
            "    /etc/postfix/README.murder:",
            "    /etc/postfix/own: {template: templates/own.tera}\n    /etc/postfix/README.murder:",
        );
    }

    /// Replaces a text that the file has once; gives the line of the new text.
    fn edit(&self, file: &str, from: &str, to: &str) -> usize {
        let path = self.path(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from} in {file}");
        let before = text.split(from).next().unwrap();
        // What stays at the begin is not the change.
        let same = from
            .bytes()
            .zip(to.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        let line = before.matches('\n').count() + to[..same].matches('\n').count() + 1;
        fs::write(&path, text.replace(from, to)).unwrap();
        line
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(arguments)
            .current_dir(self.home.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .judged()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ops", "-c", "user.email=ops@example.org"])
            .args(["-c", "protocol.file.allow=always"])
            .args(arguments)
            .current_dir(self.home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The difference as JSON, held against its schema.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["diff", "--format", "json"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let schema = self.run(&["schema", "diff"]).stdout;
        let schema: Value = serde_json::from_slice(&schema).unwrap();
        assert_eq!(invalid(&document, &schema), None);
        document
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The host, the thing and the causes of each change, as `FILE:LINE`.
fn causes(document: &Value) -> Vec<(String, String, Vec<String>)> {
    let places = |value: &Value| -> Vec<String> {
        let places = value["causes"].as_array().unwrap().iter();
        let shown = |at: &Value| format!("{}:{}", at["file"].as_str().unwrap(), at["line"]);
        places.map(shown).collect()
    };
    let mut all = Vec::new();
    for (name, host) in document["hosts"].as_object().unwrap() {
        if host["fate"] != "stays" {
            all.push((name.clone(), String::new(), places(host)));
        }
        let new = host["fate"] == "comes";
        for change in host["changes"].as_array().unwrap().iter().filter(|_| !new) {
            let thing = change["thing"].as_str().unwrap().to_owned();
            all.push((name.clone(), thing, places(change)));
        }
    }
    all
}

/// One edit of one line: its file, the old and the new text, and how many changes it makes at least.
const EDITS: &[(&str, &str, &str, usize)] = &[
    (
        "murder.yaml",
        "  example.com: {alias_of: example.org}\n",
        "  example.com: {alias_of: example.org}\n  example.edu: {}\n",
        8,
    ),
    (
        "murder.yaml",
        "{base: \"dc=example,dc=net\"}",
        "{base: \"dc=example,dc=info\"}",
        1,
    ),
    ("murder.yaml", "  postuser: folder", "  postuser: shares", 3),
    ("murder.yaml", "  timeout: 10s", "  timeout: 11s", 4),
    (
        "murder.yaml",
        "backend2.example.org, folder: shared/memo",
        "backend1.example.org, folder: shared/memo",
        2,
    ),
    (
        "murder.yaml",
        "      role_addresses: {postmaster: admin@",
        "      role_addresses: {postmaster: other@",
        1,
    ),
    (
        "murder.yaml",
        "    leave: [mynetworks]",
        "    leave: [mynetworks, relay_domains]",
        1,
    ),
    (
        "murder.yaml",
        "process_limit: \"20\"",
        "process_limit: \"21\"",
        3,
    ),
    (
        "murder.yaml",
        "lmtp_connect_timeout: 5s",
        "lmtp_connect_timeout: 6s",
        3,
    ),
    (
        "murder.yaml",
        "    vars: {defer_unknown: true}",
        "    vars: {defer_unknown: false}",
        3,
    ),
    (
        "murder.yaml",
        "ldaps://ldap-west.example.org",
        "ldaps://ldap-east.example.org",
        2,
    ),
    (
        "murder.yaml",
        "  settings: {smtp_tls_security_level: may}",
        "  settings: {smtp_tls_security_level: none}",
        5,
    ),
    (
        "murder.yaml",
        "info@example.org admin@",
        "info@example.org other@",
        5,
    ),
    ("murder.yaml", "see murder(1)", "see murder(8)", 5),
    ("murder.yaml", "accept: [canary@", "accept: [other@", 3),
    (
        "murder.yaml",
        "bind_pw: {env: MURDER_LDAP_PW}",
        "bind_pw: {env: MURDER_OTHER_PW}",
        4,
    ),
    (
        "hosts.yaml",
        "addresses: [192.0.2.6]",
        "addresses: [192.0.2.66]",
        1,
    ),
    (
        "hosts.yaml",
        "    mailhost: store3.example.org",
        "    mailhost: store4.example.org",
        1,
    ),
    (
        "hosts.yaml",
        "    lmtp_socket: /var/lib/imap/socket/lmtp",
        "    lmtp_socket: /run/other/lmtp",
        1,
    ),
    ("hosts.yaml", "$myhostname ESMTP", "$myhostname SMTP", 1),
    ("templates/own.tera", "one\n", "two\n", 5),
];

#[test]
fn each_change_names_the_line_that_was_edited() {
    let mut wrong = String::new();
    for (file, from, to, least) in EDITS {
        let desk = Desk::new();
        let line = desk.edit(&format!("new/{file}"), from, to);
        let output = desk.run(&["diff", "old", "new", "--format", "json"]);
        if output.status.code() != Some(0) {
            wrong += &format!("{to}: {}\n", said(&output));
            continue;
        }
        let found = causes(&desk.json(&["old", "new"]));
        let expected = vec![format!("new/{file}:{line}")];
        if found.len() < *least {
            wrong += &format!("{to}: {} changes\n", found.len());
        }
        for (host, thing, places) in found {
            if places != expected {
                wrong += &format!("{to}: {host} {thing}: {places:?}, not {expected:?}\n");
            }
        }
    }
    assert_eq!(wrong, "");
}

#[test]
fn what_is_taken_out_names_the_old_line() {
    let desk = Desk::new();
    let settings = "    settings: {smtpd_banner: \"$myhostname ESMTP\", biff: null}\n";
    let line = desk.edit("new/hosts.yaml", settings, "");
    let output = desk.run(&["diff", "old", "new"]);
    let text = said(&output);
    let expected = format!(
        "frontend1.example.org\n  \
         - delete main.cf:smtpd_banner: $myhostname ESMTP → (not set) (no longer in the manifest)\n      \
         by old/hosts.yaml:{line}: {}\n  \
         ~ main.cf:biff may be on the host again (no longer in the manifest)\n      \
         by old/hosts.yaml:{line}: {}\n\n\
         1 host: 0 to create, 1 to update, 1 to delete, 7 the same\n",
        settings.trim(),
        settings.trim()
    );
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&text), sorted(&expected), "{text}");
}

#[test]
fn hosts_come_go_and_retire() {
    let desk = Desk::new();
    let line = desk.edit(
        "new/hosts.yaml",
        "backend[1:2].example.org:    ",
        "backend[2:5].example.org:    ",
    );
    let retired = desk.edit("new/hosts.yaml", "    state: joining", "    state: retired");
    desk.edit("new/murder.yaml", "pause: 30s", "pause: 31s");
    let document = desk.json(&["old", "new"]);
    let fate = |host: &str| document["hosts"][host]["fate"].clone();
    assert_eq!(fate("backend1.example.org"), "goes");
    assert_eq!(fate("backend2.example.org"), Value::Null);
    assert_eq!(fate("backend3.example.org"), "retires");
    assert_eq!(fate("backend4.example.org"), "comes");
    let found = causes(&document);
    let of = |host: &str| &found.iter().find(|(name, ..)| name == host).unwrap().2;
    assert_eq!(
        *of("backend4.example.org"),
        [format!("new/hosts.yaml:{line}")]
    );
    assert_eq!(
        *of("backend1.example.org"),
        [format!("old/hosts.yaml:{line}")]
    );
    assert_eq!(
        *of("backend3.example.org"),
        [format!("new/hosts.yaml:{retired}")]
    );
    let text = said(&desk.run(&["diff", "old", "new", "--diff", "summary"]));
    assert!(
        text.contains("backend[4:5].example.org: 2 hosts, same changes"),
        "{text}"
    );
    assert!(text.contains("  + the host is new\n"), "{text}");
    assert!(
        text.contains(", 2 hosts new, 1 host no longer in the manifest, 1 host to retire"),
        "{text}"
    );
}

#[test]
fn the_exit_code_is_terraforms() {
    let desk = Desk::new();
    let code = |arguments: &[&str]| desk.run(&[&["diff"], arguments].concat()).status.code();
    assert_eq!(code(&["old", "new", "--detailed-exitcode"]), Some(0));
    desk.edit(
        "new/murder.yaml",
        "  postuser: folder",
        "  postuser: shares",
    );
    assert_eq!(code(&["old", "new", "--detailed-exitcode"]), Some(2));
    assert_eq!(code(&["old", "new"]), Some(0));
    desk.edit(
        "new/murder.yaml",
        "topology: discrete",
        "topologie: discrete",
    );
    assert_eq!(code(&["old", "new", "--detailed-exitcode"]), Some(1));
    assert_eq!(code(&["old", "nowhere"]), Some(1));
    assert_eq!(code(&["main..HEAD", "old"]), Some(1));
}

#[test]
fn markdown_keeps_to_the_limit_and_has_its_own_marker() {
    let desk = Desk::new();
    desk.edit(
        "new/murder.yaml",
        "  example.com: {alias_of: example.org}\n",
        "  example.edu: {}\n",
    );
    let output = desk.run(&[
        "diff", "old", "new", "--format", "markdown", "--limit", "6000",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("<!-- murder:diff:example.org -->\n"),
        "{text}"
    );
    assert!(text.len() <= 6000, "{}", text.len());
    assert!(
        text.contains("See all with `murder diff old new`"),
        "{text}"
    );
    let refused = desk.run(&["diff", "old", "new", "--limit", "github"]);
    assert_eq!(refused.status.code(), Some(1));
}

/// The desk as a repository: `main` has the old manifest, `HEAD` one with another posting user.
fn repository() -> Desk {
    let desk = Desk::new();
    fs::remove_dir_all(desk.path("new")).unwrap();
    fs::rename(desk.path("old"), desk.path("site")).unwrap();
    desk.git(&["init", "-q", "-b", "main"]);
    desk.git(&["add", "."]);
    desk.git(&["commit", "-qm", "old"]);
    desk.git(&["checkout", "-q", "-b", "change"]);
    desk.edit(
        "site/murder.yaml",
        "  postuser: folder",
        "  postuser: shares",
    );
    desk.git(&["commit", "-qam", "new"]);
    desk
}

#[test]
fn revisions_are_read_without_touching_the_work_tree() {
    let desk = repository();
    // What is not committed counts for nothing, and stays.
    desk.edit("site/murder.yaml", "  timeout: 10s", "  timeout: 99s");
    let before = (
        desk.git(&["status", "--porcelain"]),
        fs::read(desk.path(".git/index")).unwrap(),
    );
    let found = causes(&desk.json(&["main..HEAD", "site"]));
    assert!(found.len() > 3);
    for (_, _, places) in &found {
        assert_eq!(*places, ["HEAD:site/murder.yaml:22"]);
    }
    assert_eq!(causes(&desk.json(&["main..", "site"])), found);
    let after = (
        desk.git(&["status", "--porcelain"]),
        fs::read(desk.path(".git/index")).unwrap(),
    );
    assert_eq!(before, after);
    // A file of the manifest alone, and a manifest that is in no work tree.
    fs::remove_dir_all(desk.path("site")).unwrap();
    assert_eq!(causes(&desk.json(&["main..HEAD", "site"])), found);
    // From where both parted.
    desk.git(&["checkout", "-qf", "main"]);
    desk.edit("site/murder.yaml", "  timeout: 10s", "  timeout: 12s");
    desk.git(&["commit", "-qam", "meanwhile"]);
    let places = |range: &str| -> Vec<String> {
        let found = causes(&desk.json(&[range, "site"]));
        let mut places: Vec<String> = found.into_iter().flat_map(|(_, _, at)| at).collect();
        places.sort();
        places.dedup();
        places
    };
    assert_eq!(places("main...change"), ["change:site/murder.yaml:22"]);
    assert_eq!(places("main..change").len(), 2);
    let left = fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let mut left = left.filter(|entry| {
        entry
            .file_name()
            .to_string_lossy()
            .starts_with("murder-diff.")
    });
    // Tests that run at the same time have theirs; ours are of finished runs, and gone.
    assert!(left.all(|entry| {
        entry
            .metadata()
            .is_ok_and(|one| one.modified().unwrap().elapsed().unwrap().as_secs() < 60)
    }));
}

#[test]
fn overlays_are_read_from_each_revision() {
    let desk = repository();
    fs::write(desk.path("lab.yaml"), "cyrus: {postuser: one}\n").unwrap();
    desk.git(&["checkout", "-q", "main"]);
    desk.git(&["add", "lab.yaml"]);
    desk.git(&["commit", "-qm", "overlay"]);
    fs::write(desk.path("lab.yaml"), "cyrus: {postuser: two}\n").unwrap();
    desk.git(&["commit", "-qam", "other overlay"]);
    let found = causes(&desk.json(&["HEAD~1..HEAD", "site", "--overlay", "lab.yaml"]));
    assert!(!found.is_empty());
    for (_, _, places) in &found {
        assert_eq!(*places, ["HEAD:lab.yaml:1"]);
    }
    let missing = desk.run(&["diff", "change..HEAD", "site", "--overlay", "lab.yaml"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        said(&missing).contains("`change:lab.yaml` cannot be read"),
        "{}",
        said(&missing)
    );
}

#[test]
fn a_hostile_repository_runs_nothing_and_leads_nowhere() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let desk = repository();
    let (mark, trap) = (desk.path("mark"), desk.path("trap"));
    fs::write(&trap, format!("#!/bin/sh\ntouch {}\ncat\n", mark.display())).unwrap();
    fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
    let trap = trap.display().to_string();
    fs::write(
        desk.path(".gitattributes"),
        "*.yaml filter=x diff=x export-subst\n",
    )
    .unwrap();
    fs::write(desk.path("outside.yaml"), "cyrus: {postuser: outside}\n").unwrap();
    symlink("../outside.yaml", desk.path("site/more.yaml")).unwrap();
    desk.git(&["add", ".gitattributes", "outside.yaml", "site"]);
    desk.git(&["commit", "-qm", "hostile"]);
    for (key, value) in [
        ("core.fsmonitor", trap.as_str()),
        ("core.pager", &trap),
        ("core.sshCommand", &trap),
        ("diff.external", &trap),
        ("diff.x.textconv", &trap),
        ("filter.x.smudge", &trap),
        ("filter.x.process", &trap),
        ("core.hooksPath", desk.home.path().to_str().unwrap()),
        ("remote.origin.url", "ext::sh -c touch% mark"),
        ("remote.origin.promisor", "true"),
        ("extensions.partialClone", "origin"),
    ] {
        desk.git(&["config", key, value]);
    }
    fs::copy(&trap, desk.path("post-checkout")).unwrap();
    let _ = fs::remove_file(&mark);
    for untrusted in [&[][..], &["--untrusted"]] {
        let output = desk.run(&[&["diff", "main..HEAD", "site"], untrusted].concat());
        assert_eq!(output.status.code(), Some(1));
        let text = said(&output);
        assert!(
            text.contains("error: `HEAD:site/more.yaml` cannot be read"),
            "{text}"
        );
        assert!(text.contains("it is a link to `../outside.yaml`"), "{text}");
    }
    for option in [
        "--upload-pack=touch mark..HEAD",
        "-x..HEAD",
        "main..--output=mark",
    ] {
        let output = desk.run(&["diff", "--", option, "site"]);
        assert_eq!(output.status.code(), Some(1), "{option}");
    }
    desk.git(&["checkout", "-q", "--force", "HEAD~1"]);
    let _ = fs::remove_file(&mark);
    desk.json(&["main..HEAD", "site"]);
    assert!(!mark.exists(), "a program of the repository ran");
}

#[test]
fn no_secret_is_read_and_no_program_is_run() {
    let desk = Desk::new();
    let mark = desk.path("mark");
    let source = format!("{{command: [touch, \"{}\"]}}", mark.display());
    for side in ["old", "new"] {
        desk.edit(
            &format!("{side}/murder.yaml"),
            "{env: MURDER_LDAP_PW}",
            &source,
        );
    }
    desk.edit(
        "new/murder.yaml",
        "  postuser: folder",
        "  postuser: shares",
    );
    for untrusted in [&[][..], &["--untrusted"]] {
        let arguments = [&["old", "new"], untrusted].concat();
        assert!(!causes(&desk.json(&arguments)).is_empty());
    }
    assert!(!mark.exists());
    // A literal secret that changes is told, and not shown.
    for (side, secret) in [("old", "Welcome1Kolab"), ("new", "Welcome2Kolab")] {
        desk.edit(&format!("{side}/murder.yaml"), &source, secret);
    }
    for format in ["text", "markdown", "json"] {
        let output = desk.run(&["diff", "old", "new", "--format", format]);
        let text = said(&output);
        assert!(
            !text.contains("Kolab\"") && !text.contains("Welcome"),
            "{text}"
        );
        if format == "text" {
            assert!(text.contains(", a secret comes from elsewhere"), "{text}");
        }
    }
}

#[test]
fn how_hosts_are_handled_is_named_and_some_hosts_can_be_shown() {
    let desk = Desk::new();
    let add = |side: &str, text: &str| {
        fs::write(desk.path(side).join("zz.yaml"), text).unwrap();
    };
    let rules = |other: &str| {
        format!(
            "policies:\n  rules:\n    - {{name: tls, parameter: smtp_tls_security_level, one_of: [may, {other}]}}\n"
        )
    };
    add("old", &rules("encrypt"));
    // The same rule, some lines later.
    add("new", &format!("# a comment\n\n{}", rules("encrypt")));
    let same = desk.run(&["diff", "old", "new", "--detailed-exitcode"]);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    add("new", &rules("dane"));
    desk.edit(
        "new/murder.yaml",
        "pause: 30s, canary: 1}",
        "pause: 30s, canary: 2}",
    );
    let differs = desk.run(&["diff", "old", "new", "--detailed-exitcode"]);
    let text = said(&differs);
    assert_eq!(differs.status.code(), Some(2), "{text}");
    let line = "how murder handles hosts differs too, and changes nothing on them: rollout of backend; policies\n";
    assert!(
        text.contains(line) && text.contains("no difference: "),
        "{text}"
    );
    let document = desk.json(&["old", "new"]);
    assert_eq!(
        document["handling"]["rollout"],
        serde_json::json!(["backend"])
    );
    assert_eq!(document["handling"]["policies"], true);
    // One host of those that differ.
    desk.edit("new/murder.yaml", EDITS[0].1, EDITS[0].2);
    let all = desk.json(&["old", "new"]);
    let name = all["hosts"].as_object().unwrap().keys().next().unwrap();
    let one = desk.json(&["old", "new", "--host", name]);
    assert_eq!(one["hosts"].as_object().unwrap().len(), 1);
    assert_eq!(one["hosts"][name], all["hosts"][name]);
    assert_eq!(one["summary"]["same"], 0);
    let none = desk.run(&["diff", "old", "new", "--host", "nope*"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(
        said(&none).contains("`--host nope*` matches no host"),
        "{}",
        said(&none)
    );
    // One revision is no range.
    for (words, help) in [
        (["HEAD", "new"], "`murder diff HEAD..HEAD PATH`"),
        (["old", "nope.yaml"], "`murder diff main..HEAD PATH`"),
    ] {
        let output = desk.run(&[&["diff"][..], &words].concat());
        assert_eq!(output.status.code(), Some(1));
        let text = said(&output);
        assert!(text.contains("there is no file or folder `"), "{text}");
        assert!(text.contains(help), "{text}");
    }
}
