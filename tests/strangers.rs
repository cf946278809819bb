//! Manifests, modules and sandboxes of strangers: they read nothing outside of their folder, and use up nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

pub const MANIFEST: &str = r#"version: 1
murder: example.org
domains: [example.org]
ldap: {uris: ["ldap://ldap.example.org"], base: "dc=example,dc=org"}
hosts:
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.1]}
  backend1.example.org: {roles: [backend], addresses: [192.0.2.2]}
"#;

/// What must never be shown.
pub const SECRET: &str = "hunter2-of-the-operator";

/// A folder `site` with a manifest, beside a file `secret` that is the operator's.
pub struct Stranger {
    pub home: tempfile::TempDir,
}

impl Stranger {
    pub fn new(more: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("site")).unwrap();
        fs::write(home.path().join("secret"), format!("x: {SECRET}\n")).unwrap();
        let stranger = Self { home };
        stranger.write("murder.yaml", &format!("{MANIFEST}{more}"));
        stranger
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.home.path().join("site").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn link(&self, target: &str, path: &str) {
        let path = self.home.path().join("site").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    pub fn pipe(&self, path: &str) {
        let path = self.home.path().join("site").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    }

    /// Runs the program beside `site`; it must end soon, and show no secret.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(arguments)
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let begun = Instant::now();
        let output: Output = std::thread::scope(|scope| {
            let watch = scope.spawn(move || {
                while begun.elapsed() < Duration::from_secs(60) {
                    std::thread::sleep(Duration::from_millis(50));
                    if rustix::process::test_kill_process(pid).is_err() {
                        return;
                    }
                    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
                    if stat.is_ok_and(|stat| stat.contains(") Z ")) {
                        return;
                    }
                }
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            });
            let stdout = child.stdout.take().unwrap();
            let stderr = child.stderr.take().unwrap();
            let [out, err] = [
                scope.spawn(move || read(stdout)),
                scope.spawn(move || read(stderr)),
            ];
            watch.join().unwrap();
            Output {
                status: child.wait().unwrap(),
                stdout: out.join().unwrap(),
                stderr: err.join().unwrap(),
            }
        });
        super::reports::judge(arguments, &output.stdout);
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains(SECRET), "{arguments:?} shows it: {said}");
        assert!(!said.contains("panicked"), "{said}");
        (output.status.code(), said)
    }

    /// `check` refuses, with these words.
    fn refused(&self, words: &str) -> String {
        let (code, said) = self.run(&["check", "site"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(words), "{words}: {said}");
        said
    }
}

fn read(mut from: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes).unwrap();
    bytes
}

/// A host's file that is made of a template.
fn file(template: &str) -> String {
    format!("defaults:\n  files:\n    /etc/postfix/x: {{template: {template}}}\n")
}

#[test]
fn a_template_is_a_file_of_the_folder() {
    for (template, words) in [
        ("/etc/passwd", "outside of the manifest's folder"),
        ("/proc/self/environ", "outside of the manifest's folder"),
        ("/dev/zero", "outside of the manifest's folder"),
        ("../secret", "leads out of the folder"),
        ("a/../../secret", "cannot be read"),
        ("link", "leads out of the folder"),
        ("up/secret", "leads out of the folder"),
        ("zero", "leads out of the folder"),
        ("pipe", "not a regular file"),
        ("folder", "not a regular file"),
    ] {
        let stranger = Stranger::new(&file(template));
        stranger.link("../secret", "link");
        stranger.link("..", "up");
        stranger.link("/dev/zero", "zero");
        stranger.pipe("pipe");
        stranger.write("folder/x", "");
        stranger.refused(words);
    }
}

#[test]
fn a_link_that_stays_in_the_folder_is_followed() {
    let stranger = Stranger::new(&file("x.tera"));
    // As Kubernetes mounts a ConfigMap.
    stranger.write("..v1/x.tera", "one\n");
    stranger.link("..v1", "..data");
    stranger.link("..data/x.tera", "x.tera");
    stranger.write("..v1/more.yaml", "external: [mx.example.net]\n");
    stranger.link("..data/more.yaml", "more.yaml");
    let (code, said) = stranger.run(&["render", "site"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("backend1.example.org:/etc/postfix/x"),
        "{said}"
    );
    assert!(said.contains("\none\n"), "{said}");
}

#[test]
fn a_part_of_the_manifest_is_a_file_of_the_folder() {
    for target in [
        "../secret",
        "/proc/self/environ",
        "/dev/zero",
        "/etc/passwd",
    ] {
        let stranger = Stranger::new("");
        stranger.link(target, "more.yaml");
        stranger.refused("leads out of the folder");
    }
    let stranger = Stranger::new("");
    stranger.pipe("more.yaml");
    stranger.refused("a pipe, socket or device");
}

#[test]
fn a_module_is_a_file_of_the_folder() {
    for path in ["modules/x/module.yaml", "modules/x/templates/x.tera"] {
        let stranger = Stranger::new("");
        stranger.link("/dev/zero", path);
        stranger.refused("leads out of the folder");
        let stranger = Stranger::new("");
        stranger.pipe(path);
        stranger.refused("a pipe, socket or device");
    }
    for path in ["modules", "modules/x"] {
        let stranger = Stranger::new("");
        fs::create_dir_all(stranger.home.path().join("theirs/x")).unwrap();
        fs::write(stranger.home.path().join("theirs/module.yaml"), SECRET).unwrap();
        fs::write(stranger.home.path().join("theirs/x/module.yaml"), SECRET).unwrap();
        let target = stranger.home.path().join("theirs");
        stranger.link(target.to_str().unwrap(), path);
        let (_, said) = stranger.run(&["check", "site"]);
        assert!(!said.contains("theirs/module.yaml"), "{said}");
        if path == "modules" {
            stranger.refused("leads out of the folder");
        }
    }
}

#[test]
fn what_the_operator_names_may_be_anywhere() {
    let stranger = Stranger::new("");
    fs::write(
        stranger.home.path().join("over.yaml"),
        "external: [mx.example.net]\n",
    )
    .unwrap();
    let (code, said) = stranger.run(&["check", "--overlay", "over.yaml", "site"]);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = stranger.run(&["check", "--overlay", "/dev/zero", "site"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("not a regular file"), "{said}");
}

#[test]
fn render_writes_beneath_its_folder_alone() {
    for (link, target) in [
        ("out/backend1.example.org", "../theirs"),
        ("out/backend1.example.org/etc", "../../theirs"),
        ("out/backend1.example.org/settings", "../../secret"),
    ] {
        let stranger = Stranger::new("");
        let theirs = stranger.home.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        stranger.link(target, &format!("../{link}"));
        let (code, said) = stranger.run(&["render", "--out", "out", "site"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("leads out of the folder"), "{said}");
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0, "{link}");
        let secret = fs::read_to_string(stranger.home.path().join("secret")).unwrap();
        assert!(secret.contains(SECRET), "{link}");
    }
}

const SANDBOX: [&str; 3] = ["--sandbox=box", "--host=backend1*", "site"];

/// Runs a verb on the sandbox `box` of one host.
fn on_sandbox(stranger: &Stranger, verb: &[&str]) -> (Option<i32>, String) {
    let arguments: Vec<&str> = verb.iter().chain(&SANDBOX).copied().collect();
    stranger.run(&arguments)
}

#[test]
fn a_sandbox_reads_and_writes_its_own_folder_alone() {
    for (link, target) in [
        ("etc/postfix/main.cf", "/dev/zero"),
        ("etc/postfix/main.cf", "../../../../secret"),
        ("etc/postfix/master.cf", "/proc/self/environ"),
        ("etc/postfix", "../../../theirs"),
        ("etc", "../../theirs"),
        ("var/lib/murder/ledger.json", "../../../../../secret"),
        ("var/lib/murder/owners.json", "/dev/zero"),
        ("var/lib/murder/lock", "../../../../../secret"),
        ("", "../theirs"),
    ] {
        let stranger = Stranger::new("");
        let host = stranger.home.path().join("box/backend1.example.org");
        let theirs = stranger.home.path().join("theirs");
        fs::create_dir(&theirs).unwrap();
        if !link.is_empty() {
            let (code, said) = on_sandbox(&stranger, &["apply", "--yes"]);
            assert_eq!(code, Some(0), "{said}");
            let place = host.join(link);
            let old = host.join("old");
            let _ = fs::rename(&place, old);
        }
        let path = format!("../box/backend1.example.org/{link}");
        stranger.link(target, path.trim_end_matches('/'));
        for verb in [&["plan"][..], &["apply", "--yes"]] {
            let (code, said) = on_sandbox(&stranger, verb);
            assert_eq!(code, Some(3), "{link} -> {target}, {verb:?}: {said}");
            assert!(said.contains("leads out of the folder"), "{link}: {said}");
        }
        assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0, "{link}");
        let secret = fs::read_to_string(stranger.home.path().join("secret")).unwrap();
        assert!(secret.contains(SECRET), "{link}");
    }
}

#[test]
fn the_history_of_a_sandbox_is_in_its_own_folder() {
    let stranger = Stranger::new("");
    let (code, said) = on_sandbox(&stranger, &["apply", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let history = "box/backend1.example.org/var/lib/murder/history";
    fs::remove_dir_all(stranger.home.path().join(history)).unwrap();
    fs::create_dir(stranger.home.path().join("theirs")).unwrap();
    stranger.link("../../../../../theirs", &format!("../{history}"));
    let verb = ["history", "--sandbox=box", "backend1.example.org", "site"];
    let (code, said) = stranger.run(&verb);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("leads out of the folder"), "{said}");
}

#[test]
fn a_pipe_in_a_sandbox_holds_nothing_up() {
    for path in [
        "etc/postfix/main.cf",
        "etc/postfix/x",
        "var/lib/murder/ledger.json",
    ] {
        let stranger = Stranger::new(&file("x.tera"));
        stranger.write("x.tera", "one\n");
        let (code, said) = on_sandbox(&stranger, &["apply", "--yes"]);
        assert_eq!(code, Some(0), "{said}");
        let host = "../box/backend1.example.org";
        fs::remove_file(stranger.home.path().join("site").join(host).join(path)).unwrap();
        stranger.pipe(&format!("{host}/{path}"));
        let (code, said) = on_sandbox(&stranger, &["plan"]);
        assert!(matches!(code, Some(3 | 5 | 1)), "{path}: {code:?} {said}");
        assert!(said.contains("pipe, socket or device"), "{path}: {said}");
    }
}

#[test]
fn a_sandbox_keeps_links_that_stay_in_it() {
    let stranger = Stranger::new(&file("x.tera"));
    stranger.write("x.tera", "one\n");
    let (code, said) = on_sandbox(&stranger, &["apply", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    let etc = stranger.home.path().join("box/backend1.example.org/etc");
    fs::create_dir(etc.join("real")).unwrap();
    for name in ["main.cf", "x"] {
        fs::rename(etc.join("postfix").join(name), etc.join("real").join(name)).unwrap();
        symlink(
            Path::new("../real").join(name),
            etc.join("postfix").join(name),
        )
        .unwrap();
    }
    stranger.write("x.tera", "two\n");
    stranger.write("more.yaml", "defaults:\n  settings: {smtpd_banner: two}\n");
    let (code, said) = on_sandbox(&stranger, &["apply", "--yes", "--allow-overwrite"]);
    assert_eq!(code, Some(0), "{said}");
    for (name, words) in [("main.cf", "smtpd_banner = two"), ("x", "two\n")] {
        let link = fs::symlink_metadata(etc.join("postfix").join(name)).unwrap();
        assert!(link.is_symlink(), "{name}");
        let text = fs::read_to_string(etc.join("real").join(name)).unwrap();
        assert!(text.contains(words), "{name}: {text}");
        let mode = fs::metadata(etc.join("real").join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o644, "{name}");
    }
}

#[test]
fn a_file_beyond_postfix_needs_the_operators_word() {
    for (path, powerful) in [
        ("/etc/sudoers.d/x", true),
        ("/root/.ssh/authorized_keys", true),
        ("/etc/cron.d/x", true),
        ("/etc/shadow", true),
        ("/etc/ld.so.preload", true),
        ("/srv/x", false),
        ("/etc/postfix-out/x", false),
    ] {
        let stranger = Stranger::new(&format!(
            "defaults:\n  files:\n    {path}: {{content: x}}\n"
        ));
        let out = ["render", "site"];
        let verbs = [
            &["check", "site"][..],
            &out,
            &["plan", "--sandbox=box", "site"],
        ];
        for verb in verbs {
            let (code, said) = stranger.run(verb);
            assert_eq!(code, Some(1), "{path} {verb:?}: {said}");
            assert!(said.contains("is outside of `/etc/postfix`"), "{said}");
            assert!(said.contains(&format!("--allow-path '{path}'")), "{said}");
            assert_eq!(
                said.contains("note: this file "),
                powerful,
                "{path}: {said}"
            );
            let mut allowed = verb.to_vec();
            allowed.extend(["--allow-path", path]);
            let (code, said) = stranger.run(&allowed);
            assert_eq!(code, Some(0), "{path} {verb:?}: {said}");
            let warned = said.contains("whoever writes the manifest decides that");
            assert_eq!(warned, powerful, "{path}: {said}");
        }
        let arguments = ["apply", "--yes", "--sandbox=box", "site"];
        let (code, said) = stranger.run(&arguments);
        assert_eq!(code, Some(1), "{said}");
        let (code, said) = stranger.run(&["drift", "--sandbox=box", "site"]);
        assert_eq!(code, Some(1), "{said}");
    }
}

#[test]
fn aliases_and_what_parameters_name_as_alias_tables_need_no_word() {
    let more = "defaults:\n  settings: {alias_maps: \"hash:/etc/mail/aliases, hash:/etc/aliases\"}\n  files:\n    \
                /etc/aliases: {content: \"root: ops\"}\n    /etc/mail/aliases: {content: \"root: ops\"}\n";
    let (code, said) = Stranger::new(more).run(&["check", "site"]);
    assert_eq!(code, Some(0), "{said}");
    let more = more.replace("/etc/mail/aliases", "/etc/shadow");
    Stranger::new(&more).refused("is outside of `/etc/postfix`");
}

/// A directory whose password is in a file of the operator, and one in the environment.
fn with_secrets(home: &Path) -> String {
    let manifest = MANIFEST.replace(
        "base: \"dc=example,dc=org\"}",
        &format!(
            "base: \"dc=example,dc=org\", bind_dn: \"cn=x\", bind_pw: {{file: {}/password}}}}",
            home.display()
        ),
    );
    assert_ne!(manifest, MANIFEST);
    manifest
}

#[test]
fn nothing_of_the_operator_is_read_for_an_untrusted_manifest() {
    let stranger = Stranger::new("");
    let home = stranger.home.path().to_owned();
    stranger.write("murder.yaml", &with_secrets(&home));
    fs::write(home.join("password"), SECRET).unwrap();
    fs::set_permissions(home.join("password"), fs::Permissions::from_mode(0o600)).unwrap();
    // Reading it would wait for ever.
    fs::remove_file(home.join("password")).unwrap();
    stranger.pipe("../password");
    for verb in ["check", "render"] {
        let (code, said) = stranger.run(&[verb, "--untrusted", "site"]);
        assert_eq!(code, Some(0), "{verb}: {said}");
        assert!(
            said.contains("not read with `--untrusted`: the secret `ldap.bind_pw` from the file"),
            "{said}"
        );
        assert!(!said.contains("is not a file"), "{said}");
    }
    let (code, said) = stranger.run(&["plan", "--untrusted", "--sandbox=box", "site"]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.contains("the secret `ldap.bind_pw` has not been read"),
        "{said}"
    );
    for verb in ["plan", "drift"] {
        let (code, said) = stranger.run(&[verb, "--untrusted", "site"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("contacts no live host"), "{said}");
        assert!(said.contains("it would have read your SSH keys"), "{said}");
        assert!(
            said.contains("the secret `ldap.bind_pw` from the file"),
            "{said}"
        );
    }
    let plain = Stranger::new("");
    let (code, said) = plain.run(&["plan", "--untrusted", "--sandbox=box", "site"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_template_renders_what_content_may_hold_and_no_more() {
    for hidden in [
        '\u{1b}',
        '\r',
        '\u{7f}',
        '\u{9b}',
        '\u{61c}',
        '\u{200b}',
        '\u{202e}',
        '\u{2028}',
        '\u{feff}',
        '\u{e0041}',
    ] {
        for text in [
            format!("a{hidden}b\n"),
            format!("a{{{{ \"{hidden}\" }}}}b\n"),
        ] {
            let stranger = Stranger::new(&file("x.tera"));
            stranger.write("x.tera", &text);
            let said = stranger.refused("does not show as itself");
            let raw = |c: char| c != '\n' && murder::name::is_hidden(c);
            assert!(!said.contains(raw), "{said:?}");
        }
    }
    let stranger = Stranger::new(&file("x.tera"));
    stranger.write(
        "x.tera",
        "x = \u{fdd0}hosts.backend1.example.org.ssh.password\u{fdd1}\n",
    );
    stranger.refused("marks the places of secrets");
}

#[test]
fn no_file_name_and_no_text_steers_the_terminal() {
    let stranger = Stranger::new("");
    let name = "a\u{1b}]52;c;eA==\u{7}\n::error::x\u{202e}.yaml";
    stranger.write(
        name,
        "hosts: {\"x\u{200b}\u{61c}\": {rolez: [\"\u{202e}\u{e0041}\"]}}\n",
    );
    for verb in [&["check", "site"][..], &["check", "--format=json", "site"]] {
        let (code, said) = stranger.run(verb);
        assert_eq!(code, Some(1), "{said}");
        let raw = |c: char| c != '\n' && murder::name::is_hidden(c);
        assert!(!said.contains(raw), "{said:?}");
        let command = |line: &str| line.trim_start().starts_with("::");
        assert!(!said.lines().any(command), "{said}");
    }
}
