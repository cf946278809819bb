//! Where secrets come from: each source by the real program or server, and 20 and more ways in which one fails.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

// Each way in which a source fails, with its message.
mod failures;
// The programs that the tests need, and a server of OpenBao.
pub mod tools;
// A key-value store of OpenBao, by each login.
mod vault;

/// What no output may show.
pub const SECRET: &str = "hunter2-of-the-source";

const MANIFEST: &str = "version: 1
murder: example.org
domains: [example.org]
ldap: {uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\"}
hosts:
  mx.example.org:
    roles: [internal-mta]
    addresses: [192.0.2.1]
    files:
";

/// A folder with a manifest, whose host has one file for each secret.
pub struct Place {
    pub folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            variables: Vec::new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// A manifest with one file for each source, and `more` at its top.
    pub fn manifest(&self, sources: &[&str], more: &str) {
        let mut text = MANIFEST.to_owned();
        for (place, source) in sources.iter().enumerate() {
            text += &format!(
                "      /etc/postfix/secret{place}: {{content: \"{{{{ secret.s }}}}\", secrets: {{s: {source}}}}}\n"
            );
        }
        self.write("murder.yaml", &(text + more), 0o644);
    }

    /// `murder` with nothing of this process's environment but PATH.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", tools::path())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Applies on a sandbox, and gives the secrets that the host got.
    pub fn applied(&self, flags: &[&str]) -> Vec<String> {
        let base = ["apply", "murder.yaml", "--sandbox=box", "--yes"];
        let output = self.run(&[&base[..], flags].concat());
        let said = said(&output);
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(!said.contains(SECRET), "{said}");
        let folder = self.path("box/mx.example.org/etc/postfix");
        let mut texts = Vec::new();
        for place in 0.. {
            match fs::read_to_string(folder.join(format!("secret{place}"))) {
                Ok(text) => texts.push(text.trim_end_matches('\n').to_owned()),
                Err(_) => return texts,
            }
        }
        texts
    }
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn what_this_machine_has_is_read_from_files_variables_and_credentials() {
    let mut place = Place::new();
    place.write("pw", &format!("{SECRET}-file\n"), 0o600);
    place.write("of-gitlab", &format!("{SECRET}-variable"), 0o600);
    // systemd's own modes depend on its release and the unit's user.
    place.write(
        "credentials/ldap-pw",
        &format!("{SECRET}-credential"),
        0o440,
    );
    let path = |name: &str| place.path(name).display().to_string();
    let (variable, credentials) = (path("of-gitlab"), path("credentials"));
    place.set("PW_FILE", &variable);
    place.set("PW", &format!("{SECRET}-env"));
    place.set("CREDENTIALS_DIRECTORY", &credentials);
    place.manifest(
        &[
            "{file: pw}",
            "{file: ~/pw}",
            "{file: {env: PW_FILE}}",
            "{env: PW}",
            "{credential: ldap-pw}",
        ],
        "",
    );
    let kinds = ["file", "file", "variable", "env", "credential"];
    let expected = kinds.map(|kind| format!("{SECRET}-{kind}"));
    assert_eq!(place.applied(&[]), expected);
}

#[test]
fn a_command_runs_without_a_shell_once_and_only_where_the_operator_says_so() {
    let place = Place::new();
    let log = place.path("log").display().to_string();
    place.write(
        "give",
        &format!("#!/bin/sh\necho run >>{log}\nprintf '%s\\n' \"{SECRET} $1\"\n"),
        0o755,
    );
    let give = place.path("give").display().to_string();
    let source = format!("{{command: [{give}, \"$HOME; *\"]}}");
    let late = format!("{{command: {{argv: [{give}, other], timeout: 10s}}}}");
    place.manifest(&[&source, &source, &late], "");
    let refused = place.run(&["plan", "murder.yaml", "--sandbox=box"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("--allow-commands"),
        "{}",
        said(&refused)
    );
    assert!(!place.path("log").exists());
    assert_eq!(
        place.applied(&["--allow-commands"]),
        [
            format!("{SECRET} $HOME; *"),
            format!("{SECRET} $HOME; *"),
            format!("{SECRET} other")
        ]
    );
    let runs = fs::read_to_string(place.path("log")).unwrap();
    assert_eq!(runs, "run\nrun\n", "a source of two secrets is read once");
}

#[test]
fn sources_are_read_at_the_same_time() {
    let place = Place::new();
    place.write("slow", "#!/bin/sh\nsleep 1\necho secret-$1\n", 0o755);
    let slow = place.path("slow").display().to_string();
    let sources: Vec<String> = (0..8)
        .map(|number| format!("{{command: [{slow}, \"{number}\"]}}"))
        .collect();
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    place.manifest(&sources, "");
    let began = Instant::now();
    let arguments = ["plan", "murder.yaml", "--sandbox=box", "--allow-commands"];
    let output = place.run(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(
        began.elapsed() < Duration::from_secs(6),
        "{:?}",
        began.elapsed()
    );
}

/// Makes an identity of age, and gives its recipient.
fn identity(place: &Place, name: &str) -> String {
    let path = place.path(name);
    tools::run("age-keygen", &["-o", path.to_str().unwrap()], b"");
    let recipient = tools::run("age-keygen", &["-y", path.to_str().unwrap()], b"");
    recipient.trim().to_owned()
}

#[test]
fn age_tries_several_identities_and_one_that_is_unusable_blocks_none() {
    let mut place = Place::new();
    let (recipient, other) = (identity(&place, "mine.txt"), identity(&place, "other.txt"));
    place.write("broken.txt", "rubbish\n", 0o600);
    place.write(
        "open.txt",
        &fs::read_to_string(place.path("mine.txt")).unwrap(),
        0o644,
    );
    let key = place.path("id").display().to_string();
    tools::run(
        "ssh-keygen",
        &["-q", "-t", "ed25519", "-N", "", "-f", &key],
        b"",
    );
    let seal = |text: &str, name: &str, recipient: &str| {
        let path = place.path(name).display().to_string();
        let text = format!("{SECRET}-{text}");
        tools::run("age", &["-r", recipient, "-o", &path], text.as_bytes());
    };
    seal("binary", "a.age", &recipient);
    seal("other", "b.age", &other);
    let ssh = fs::read_to_string(place.path("id.pub")).unwrap();
    seal("ssh", "c.age", ssh.trim());
    let armored = format!("{SECRET}-armored\n");
    let armored = tools::run("age", &["-a", "-r", &recipient], armored.as_bytes());
    let armored = armored.replace('\n', "\\n");
    let variable = place.path("other.txt").display().to_string();
    place.set("OTHER_IDENTITY", &variable);
    let own = "{age: {file: c.age, identities: [id]}}";
    place.manifest(
        &["{age: a.age}", "{age: b.age}", own, &format!("{{age: {{text: \"{armored}\"}}}}")],
        "secret_sources:\n  age: {identities: [no-such-file, broken.txt, open.txt, ~/mine.txt, {env: OTHER_IDENTITY}]}\n",
    );
    // An identity of SSH may ask for a passphrase, so it wants a terminal.
    let kinds = ["binary", "other", "ssh", "armored"];
    let expected = kinds.map(|kind| format!("{SECRET}-{kind}"));
    let arguments = "apply murder.yaml --sandbox=box --yes";
    let asked = on_terminal(&place, arguments, &[]);
    assert!(asked.status.success(), "{}", said(&asked));
    assert!(!said(&asked).contains(SECRET), "{}", said(&asked));
    let folder = place.path("box/mx.example.org/etc/postfix");
    for (number, text) in expected.iter().enumerate() {
        let file = fs::read_to_string(folder.join(format!("secret{number}"))).unwrap();
        assert_eq!(file.trim_end(), text);
    }
}

/// Runs `murder` on a terminal that types these answers.
fn on_terminal(place: &Place, arguments: &str, answers: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_murder");
    let typed: Vec<String> = answers
        .iter()
        .map(|answer| format!("sleep 3; printf '%s\\n' '{answer}'; "))
        .collect();
    // script(1) ends with its input, so that stays open.
    let line = format!(
        "({}sleep 4) | script -qec '{program} {arguments}' /dev/null",
        typed.concat()
    );
    let mut command = place.command(&[]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &line])
        .current_dir(place.folder.path())
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    command.stdin(Stdio::null());
    shell.output().unwrap()
}

#[test]
fn age_asks_for_a_passphrase_on_the_terminal() {
    let place = Place::new();
    let path = place.path("p.age").display().to_string();
    place.write("plain", &format!("{SECRET}-passphrase\n"), 0o600);
    let plain = place.path("plain").display().to_string();
    // age(1) asks twice when it encrypts, and on the terminal alone.
    let line = format!(
        "(sleep 1; printf 'open sesame\\n'; sleep 1; printf 'open sesame\\n'; sleep 2) | script -qec 'age -p -o {path} {plain}' /dev/null"
    );
    let sealed = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(Path::new(&path).exists(), "{}", said(&sealed));
    place.manifest(&["{age: p.age}"], "");
    let without = place.run(&["plan", "murder.yaml", "--sandbox=box"]);
    assert_eq!(without.status.code(), Some(1), "{}", said(&without));
    let output = on_terminal(
        &place,
        "apply murder.yaml --sandbox=box --yes",
        &["open sesame"],
    );
    assert!(output.status.success(), "{}", said(&output));
    let file = place.path("box/mx.example.org/etc/postfix/secret0");
    let text = fs::read_to_string(file).unwrap();
    assert_eq!(text.trim_end(), format!("{SECRET}-passphrase"));
    assert!(!said(&output).contains(SECRET), "{}", said(&output));
}

#[test]
fn sops_gives_values_of_yaml_and_json_by_their_keys() {
    let mut place = Place::new();
    let recipient = identity(&place, "keys.txt");
    place.write(
        "plain.yaml",
        &format!("ldap:\n  password: {SECRET}-yaml\n  \"a.b\": {SECRET}-dot\nlist: [x, {SECRET}-list]\nnumber: 12\n"),
        0o600,
    );
    place.write(
        "plain.json",
        &format!("{{\"a\": {{\"b\": \"{SECRET}-json\"}}}}"),
        0o600,
    );
    for kind in ["yaml", "json"] {
        let plain = place.path(&format!("plain.{kind}")).display().to_string();
        let sealed = tools::run("sops", &["--encrypt", "--age", &recipient, &plain], b"");
        assert!(!sealed.contains(SECRET));
        place.write(&format!("sealed.{kind}"), &sealed, 0o644);
        fs::remove_file(plain).unwrap();
    }
    let keys = place.path("keys.txt").display().to_string();
    place.set("SOPS_AGE_KEY_FILE", &keys);
    place.manifest(
        &[
            "{sops: {file: sealed.yaml, key: ldap.password}}",
            "{sops: {file: sealed.yaml, key: [ldap, a.b]}}",
            "{sops: {file: sealed.yaml, key: list.1}}",
            "{sops: {file: sealed.yaml, key: number}}",
            "{sops: {file: sealed.json, key: a.b}}",
        ],
        "",
    );
    let texts = place.applied(&[]);
    let expected = ["yaml", "dot", "list"].map(|kind| format!("{SECRET}-{kind}"));
    assert_eq!(texts[..3], expected);
    assert_eq!(texts[3..], ["12".to_owned(), format!("{SECRET}-json")]);
}

#[test]
fn with_untrusted_no_source_is_opened_and_each_is_named() {
    let mut place = Place::new();
    place.set("VAULT_TOKEN", "root");
    place.manifest(
        &[
            "{file: {env: PW_FILE}}",
            "{command: [sh, -c, touch ran]}",
            "{credential: ldap-pw}",
            "{age: a.age}",
            "{sops: {file: s.yaml, key: a.b}}",
            "{vault: {path: mail/ldap, key: password}}",
        ],
        "secret_sources: {vault: {address: \"https://127.0.0.1:1\"}, age: {identities: [key]}}\n",
    );
    let checked = place.run(&["check", "murder.yaml", "--untrusted"]);
    let checked = said(&checked);
    for named in [
        "from the file that the environment variable `PW_FILE` names",
        "from the command `sh -c touch ran`",
        "from the systemd credential `ldap-pw`",
        "from the age file `./a.age`",
        "from `a.b` of the sops file `./s.yaml`",
        "from `password` of `secret/mail/ldap` in the Vault server `https://127.0.0.1:1`",
    ] {
        assert!(checked.contains(named), "{named}: {checked}");
    }
    let trace = place.path("trace").display().to_string();
    let mut strace = Command::new("strace");
    strace
        .args([
            "-f",
            "-e",
            "trace=execve,connect,open,openat,openat2",
            "-o",
            &trace,
        ])
        .arg(env!("CARGO_BIN_EXE_murder"))
        .args(["plan", "murder.yaml", "--sandbox=box", "--untrusted"])
        .current_dir(place.folder.path());
    let output = strace.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let calls = fs::read_to_string(&trace).unwrap();
    assert_eq!(calls.matches("execve(").count(), 1, "{calls}");
    for opened in ["connect(", "a.age", "s.yaml", "key\""] {
        assert!(!calls.contains(opened), "{opened}: {calls}");
    }
    assert!(!place.path("ran").exists());
}
