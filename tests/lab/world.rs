//! The lab's hosts, and the program run against them.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::reliability::secrets::Sampler;

/// The password of the directory's service account, as tests/lab/base.ldif has it.
pub const BIND_PASSWORD: &str = "Welcome2KolabSystems";

/// The hosts of tests/lab/murder.yaml, by short name.
pub const HOSTS: &[&str] = &["mx", "smtp", "backend1", "backend2", "frontend1", "mupdate"];

/// tests/lab/lab, as Rust calls it.
pub struct Lab {
    script: PathBuf,
}

impl Lab {
    /// Runs a verb of the script and gives what it prints.
    pub fn run(&self, words: &[&str]) -> String {
        // A started host keeps what it inherits, so nothing of ours is given to it.
        let output = Command::new(&self.script)
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "lab {words:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Runs a shell command on a host; it must succeed.
    pub fn sh(&self, host: &str, command: &str) -> String {
        let output = self.try_sh(host, command);
        assert!(
            output.status.success(),
            "on {host}: {command}\n{}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Runs a shell command on a host.
    pub fn try_sh(&self, host: &str, command: &str) -> Output {
        Command::new(&self.script)
            .args(["exec", host, "sh", "-c", command])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Where a host's root can be seen from outside.
    pub fn root(&self, host: &str) -> PathBuf {
        PathBuf::from(self.run(&["root", host]).trim())
    }

    /// A host's address.
    pub fn addr(&self, host: &str) -> String {
        self.run(&["addr", host]).trim().to_owned()
    }

    /// The script itself, for what runs beside the story.
    pub fn script(&self) -> &Path {
        &self.script
    }

    /// Boots a host and starts its Postfix.
    pub fn up(&self, host: &str) {
        self.run(&["up", host]);
        self.start_postfix(host);
    }

    /// Ends all processes of a host at once, and boots it again from its disk.
    pub fn power(&self, host: &str) {
        self.run(&["power", host]);
        self.start_postfix(host);
    }

    fn start_postfix(&self, host: &str) {
        self.sh(host, "postfix start >/dev/null 2>&1; for _ in $(seq 100); do ss -ltn | grep -q ':25 ' && exit; sleep 0.1; done; exit 1");
    }

    /// The value of a parameter, as Postfix on the host reads it.
    pub fn postconf(&self, host: &str, parameter: &str) -> String {
        self.sh(host, &format!("postconf -h {parameter}"))
            .trim()
            .to_owned()
    }
}

/// What one run of the program gave.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    words: Vec<String>,
}

impl Run {
    /// Demands an exit code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    /// Demands a word in what the program says, in any case.
    #[track_caller]
    pub fn says(self, word: &str) -> Self {
        let said = format!("{}{}", self.stdout, self.stderr).to_lowercase();
        assert!(
            said.contains(&word.to_lowercase()),
            "`{word}` is not said: {self}"
        );
        self
    }

    /// Demands that a word is said nowhere.
    #[track_caller]
    pub fn says_not(self, word: &str) -> Self {
        assert!(
            !self.stdout.contains(word) && !self.stderr.contains(word),
            "`{word}` is said: {self}"
        );
        self
    }

    /// The standard output, read as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        crate::reports::judge(&self.words, self.stdout.as_bytes());
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "murder {}\nexit code {}\n--- stdout\n{}\n--- stderr\n{}",
            self.words.join(" "),
            self.code,
            self.stdout,
            self.stderr
        )
    }
}

/// A run of the program that goes on beside the story.
pub struct Running {
    pub child: Child,
    words: Vec<String>,
}

impl Running {
    /// A program that was started with these arguments.
    pub fn new(child: Child, words: &[&str]) -> Self {
        Self {
            child,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        }
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends it a signal, by number.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub fn finish(self) -> Run {
        let output = self.child.wait_with_output().unwrap();
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            words: self.words,
        };
        // Whatever the story: the password is said nowhere.
        run.says_not(BIND_PASSWORD)
    }
}

/// The booted murder, its manifest, and a home folder for the program.
pub struct World {
    pub lab: Lab,
    room: tempfile::TempDir,
    /// Looks for the password in every process of the lab, once it was asked to.
    pub sampler: Option<Sampler>,
    /// What `postconf -n` said on each host before the first apply.
    pub untouched: Vec<(String, String)>,
}

impl World {
    /// Boots the lab anew.
    pub fn boot() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab");
        let lab = Lab {
            script: here.join("lab"),
        };
        lab.run(&["down"]);
        let up = Command::new(here.join("murder-up"))
            .stdin(Stdio::null())
            .status()
            .unwrap();
        assert!(up.success(), "the lab does not boot");
        let room = tempfile::tempdir().unwrap();
        let manifest = room.path().join("manifest");
        fs::create_dir_all(manifest.join("secrets")).unwrap();
        fs::create_dir_all(room.path().join("home")).unwrap();
        fs::copy(here.join("murder.yaml"), manifest.join("murder.yaml")).unwrap();
        let password = manifest.join("secrets/kolab-service.pw");
        fs::write(&password, format!("{BIND_PASSWORD}\n")).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let world = Self {
            lab,
            room,
            sampler: None,
            untouched: Vec::new(),
        };
        let hosts: Vec<(&str, &str)> = HOSTS.iter().map(|host| (*host, "")).collect();
        world.write_overlay("lab.yaml", &hosts, "");
        world
    }

    /// Writes an overlay: for each host its address and `more`, then `rest` at the top level.
    pub fn write_overlay(&self, name: &str, hosts: &[(&str, &str)], rest: &str) -> PathBuf {
        let directory = self.directory();
        let mut yaml = format!(
            "defaults:\n  ssh:\n    user: root\n    identity_file: {0}/id_ed25519\n    known_hosts: {0}/known_hosts\n",
            directory.display()
        );
        let _ = writeln!(yaml, "hosts:");
        for (host, more) in hosts {
            let address = self.lab.addr(host);
            let _ = writeln!(
                yaml,
                "  {host}.example.org:\n    addresses: [{address}]\n    ssh: {{address: {address}}}"
            );
            for line in more.lines() {
                let _ = writeln!(yaml, "    {line}");
            }
        }
        yaml.push_str(rest);
        self.write(name, &yaml)
    }

    /// Writes a file beside the manifest's folder.
    pub fn write(&self, name: &str, body: &str) -> PathBuf {
        let path = self.room.path().join(name);
        fs::write(&path, body).unwrap();
        path
    }

    /// Where the program runs, with its home and its manifests.
    pub fn room(&self) -> &Path {
        self.room.path()
    }

    /// Where the lab keeps keys.
    pub fn directory(&self) -> PathBuf {
        self.lab.root("x").ancestors().nth(3).unwrap().to_owned()
    }

    /// The program, with a home of its own and nothing of the caller's.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
        command
            .args(words)
            .current_dir(self.room.path())
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", self.room.path().join("home"))
            .env("USER", "lab")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program on the lab's manifest.
    pub fn murder(&self, verb: &str, more: &[&str]) -> Run {
        self.murder_with(verb, more, &[])
    }

    /// The same with more environment.
    pub fn murder_with(&self, verb: &str, more: &[&str], env: &[(&str, &str)]) -> Run {
        self.start(verb, more, env).finish()
    }

    /// Starts the program on the lab's manifest, and does not wait for it.
    pub fn start(&self, verb: &str, more: &[&str], env: &[(&str, &str)]) -> Running {
        let mut words = vec![verb, "manifest", "--overlay", "lab.yaml"];
        words.extend(more);
        let child = self
            .command(&words)
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running::new(child, &words)
    }

    /// Brings all hosts to where the manifest wants them.
    #[track_caller]
    pub fn converge(&self) {
        self.murder(
            "apply",
            &["--yes", "--adopt", "--allow-overwrite", "--allow-restart"],
        )
        .exits(0);
        let plan = self.murder("plan", &["--format", "json"]).exits(0).json();
        for host in HOSTS {
            assert_eq!(verdict(&plan, host), "converged", "{host}: {plan:#}");
        }
    }

    /// Everything that an apply could touch on a host: inode, times, modes and owners.
    pub fn snapshot(&self, host: &str) -> String {
        self.lab.sh(
            host,
            "find /etc/postfix /var/lib/murder -printf '%p %i %T@ %C@ %m %u %g %l\\n' | sort; \
             grep -c 'reload --' /var/log/mail.log || true; cat /var/spool/postfix/pid/master.pid",
        )
    }
}

/// What a plan in JSON says of a host.
#[track_caller]
pub fn verdict<'a>(plan: &'a Value, host: &str) -> &'a str {
    plan["hosts"][format!("{host}.example.org")]["verdict"]
        .as_str()
        .unwrap_or_else(|| panic!("no verdict on {host}: {plan:#}"))
}

/// Waits until something is so.
#[track_caller]
pub fn until<T>(what: &str, seconds: u64, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {seconds} s");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
