//! The lab's hosts, the manifests about them, and what happens to the hosts between two runs.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The password of the directory's service account, as tests/lab/base.ldif has it.
const BIND_PASSWORD: &str = "Welcome2KolabSystems\n";

/// Changes every managed file of a host, and takes every managed parameter out of main.cf.
const SPOIL: &str = r##"
import json, os, subprocess
things = json.load(open("/var/lib/murder/ledger.json"))["services"]["postfix"]["managed"]
for thing in things:
    if thing.startswith("/") and os.path.isfile(thing):
        text = open(thing).read()
        open(thing, "w").write(text.replace("example", "elsewhere") + "# by hand\n")
names = [thing.split(":", 1)[1] for thing in things if thing.startswith("main.cf:")]
subprocess.run(["postconf", "-X"] + names, check=True)
"##;

/// The same for what the peers have set up.
const SPOIL_PEER: &str = r##"
import subprocess
for file in ["ldap/local_recipient_maps.cf", "ldap/transport_maps.cf", "transport"]:
    text = open("/etc/postfix/" + file).read()
    open("/etc/postfix/" + file, "w").write(text.replace("example", "elsewhere") + "# by hand\n")
subprocess.run(["postconf", "-X", "transport_maps", "local_recipient_maps", "local_transport", "relayhost", "mydestination"], check=True)
"##;

/// The booted lab, and a folder for manifests.
pub struct Lab {
    scripts: PathBuf,
    room: tempfile::TempDir,
}

impl Lab {
    /// An empty lab but for the directory, which every LDAP table asks.
    pub fn boot() -> Self {
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lab");
        let room = tempfile::tempdir().unwrap();
        fs::create_dir_all(room.path().join("home")).unwrap();
        fs::create_dir_all(room.path().join("secrets")).unwrap();
        let password = room.path().join("secrets/kolab-service.pw");
        fs::write(&password, BIND_PASSWORD).unwrap();
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
        let lab = Self { scripts, room };
        lab.copy("benches/fleet/modules/seed", "modules/seed");
        lab.copy(
            "benches/fleet/modules/seed/templates",
            "modules/seed/templates",
        );
        lab.run(&["down"]);
        lab.run(&["up", "ldap"]);
        let directory = Command::new(lab.scripts.join("directory"))
            .arg("ldap")
            .output()
            .unwrap();
        assert!(directory.status.success(), "{directory:?}");
        lab
    }

    /// Ends all hosts.
    pub fn down(&self) {
        self.run(&["down"]);
    }

    /// Runs a verb of the lab's script.
    pub fn run(&self, words: &[&str]) -> String {
        let output = self.output(words);
        assert!(output.status.success(), "lab {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn output(&self, words: &[&str]) -> Output {
        Command::new(self.scripts.join("lab"))
            .args(words)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Boots hosts with a running Postfix.
    pub fn up(&self, names: &[String]) {
        let mut words = vec!["up"];
        words.extend(names.iter().map(String::as_str));
        self.run(&words);
        for name in names {
            self.sh(
                name,
                "postfix status >/dev/null 2>&1 || postfix start >/dev/null 2>&1",
            );
        }
    }

    /// Runs a shell command on a host.
    pub fn sh(&self, host: &str, command: &str) -> String {
        self.run(&["exec", host, "sh", "-c", command])
    }

    /// A host's address.
    pub fn address(&self, host: &str) -> String {
        self.run(&["addr", host]).trim().to_owned()
    }

    /// Where sshd of these hosts listens.
    pub fn sockets(&self, names: &[String]) -> Vec<String> {
        names
            .iter()
            .map(|name| format!("{}:22", self.address(name)))
            .collect()
    }

    /// A file of the lab: its key, or its known_hosts.
    pub fn file(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(self.run(&["root", "x"]).trim());
        root.ancestors().nth(3).unwrap().join(name)
    }

    /// Where manifests and everything else may be written.
    pub fn room(&self) -> &Path {
        self.room.path()
    }

    /// Copies the files of a folder of the repository there.
    pub fn copy(&self, from: &str, to: &str) {
        let to = self.room().join(to);
        fs::create_dir_all(&to).unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
        for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
            }
        }
    }

    /// Writes a file there.
    pub fn write(&self, name: &str, body: &str) {
        fs::write(self.room().join(name), body).unwrap();
    }

    /// A manifest's head, and its hosts by name and what is in them.
    pub fn manifest(&self, name: &str, known_hosts: &Path, hosts: &[(String, String)]) {
        let mut yaml = format!(
            "version: 1\nmurder: bench\ndomains: [example.org]\n\
             ldap:\n  uris: [\"ldap://ldap.example.org:389\"]\n  base: dc=example,dc=org\n  \
             bind_dn: uid=kolab-service,ou=Special Users,dc=example,dc=org\n  \
             bind_pw: {{file: secrets/kolab-service.pw}}\n  tls: {{mode: none}}\n\
             cyrus: {{lmtp_socket: /run/cyrus/socket/lmtp}}\n\
             defaults:\n  ssh:\n    user: root\n    identity_file: {}\n    known_hosts: {}\n\
             external: [smtp.example.org]\nsmart_host: smtp.example.org\nhosts:\n",
            self.file("id_ed25519").display(),
            known_hosts.display()
        );
        for (host, body) in hosts {
            let _ = writeln!(yaml, "  {host}.example.org: {{{body}}}");
        }
        self.write(name, &yaml);
    }

    /// The same for hosts of one role at their own addresses: `backend`, or `seed`, which is the work that the
    /// peers do.
    pub fn with_role(&self, name: &str, role: &str, hosts: &[String]) {
        let hosts: Vec<(String, String)> = hosts
            .iter()
            .map(|host| {
                let address = self.address(host);
                let body =
                    format!("roles: [{role}], addresses: [{address}], ssh: {{address: {address}}}");
                (host.clone(), body)
            })
            .collect();
        self.manifest(name, &self.file("known_hosts"), &hosts);
    }

    /// The program, on all hosts of a manifest. The smart host is in no lab, and in no inventory of the peers.
    pub fn murder(&self, verb: &str, manifest: &str, more: &[&str]) -> Command {
        let mut command = self.clean(env!("CARGO_BIN_EXE_murder"));
        command.args([verb, manifest]).args(more);
        command
    }

    /// An apply that may do everything.
    pub fn apply(&self, manifest: &str) -> Command {
        let may = [
            "--yes",
            "--adopt",
            "--allow-overwrite",
            "--allow-delete",
            "--allow-restart",
        ];
        self.murder("apply", manifest, &may)
    }

    /// A command with a home of its own and nothing of the caller's.
    pub fn clean(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.room())
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("HOME", self.room().join("home"))
            .env("LANG", "C.UTF-8")
            .env("USER", "bench");
        command
    }

    /// Makes everything that the program manages on these hosts differ.
    pub fn spoil(&self, hosts: &[String]) {
        self.python(hosts, SPOIL);
    }

    /// Makes everything that the peers manage on these hosts differ.
    pub fn spoil_peer(&self, hosts: &[String]) {
        self.python(hosts, SPOIL_PEER);
    }

    fn python(&self, hosts: &[String], program: &str) {
        for host in hosts {
            self.run(&["exec", host, "python3", "-c", program]);
        }
        // Postfix's programs wait for a main.cf of this very second to settle; that is nobody's work.
        std::thread::sleep(Duration::from_secs(2));
    }

    /// Names and versions of what is measured.
    pub fn versions(&self) -> String {
        let said = |mut command: Command| {
            let output = command.output().unwrap();
            let text = [output.stdout, output.stderr].concat();
            let text = String::from_utf8_lossy(&text).into_owned();
            text.lines().next().unwrap_or_default().to_owned()
        };
        let mut murder = Command::new(env!("CARGO_BIN_EXE_murder"));
        murder.arg("--version");
        let sshd = self.sh("ldap", "ssh -V 2>&1");
        let postfix = self.sh("ldap", "postconf -h mail_version");
        let processors = std::thread::available_parallelism().unwrap();
        format!(
            "{}; on the hosts Postfix {}, {}; {processors} processors for hosts and client",
            said(murder),
            postfix.trim(),
            sshd.trim()
        )
    }
}

/// Names with numbers.
pub fn names(letter: char, count: usize) -> Vec<String> {
    (1..=count)
        .map(|number| format!("{letter}{number}"))
        .collect()
}
