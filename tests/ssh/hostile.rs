//! Hosts that want to end or hold up the run: each beside an honest one, whose result must be right, and with little
//! memory.

use crate::reports::Judged as _;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::sshd::Sshd;
use crate::remote::host::Host;

/// Bytes of address space for the program.
const MEMORY: u64 = 200 << 20;

/// How long a run with a hostile host may take on a busy machine; without limits it would not end.
const LONGEST: Duration = Duration::from_secs(120);

/// The program, an honest host, and the place of a hostile one.
struct Run {
    honest: Sshd,
    // The honest sshd runs its programs there.
    _host: Host,
    /// What the hostile host has in its `ssh:`, apart from what both have.
    ssh: String,
    /// What is set in the environment of the program.
    path: Option<PathBuf>,
    /// How many hosts are hostile.
    count: usize,
    /// Bytes of address space for the program.
    memory: u64,
}

/// The exit code, the result of each host, and all output.
struct Outcome {
    code: Option<i32>,
    honest: Value,
    hostile: Value,
    plan: Value,
    said: String,
}

impl Run {
    fn new() -> Self {
        let host = Host::running();
        let enter = format!(
            "ForceCommand exec nsenter -t {} -m -p -n -u -i -r -w env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"",
            host.pid()
        );
        let honest = Sshd::with(&enter).known("ed25519");
        Self {
            honest,
            _host: host,
            ssh: String::new(),
            path: None,
            count: 1,
            memory: MEMORY,
        }
    }

    /// Makes the hostile host known by the honest one's file, and opens it with the honest one's key.
    fn against(mut self, hostile: &Sshd, more: &str) -> Self {
        fs::copy(self.honest.path("id.pub"), hostile.path("authorized")).unwrap();
        let known = fs::read_to_string(self.honest.known_hosts()).unwrap()
            + &fs::read_to_string(hostile.known_hosts()).unwrap();
        fs::write(self.honest.known_hosts(), known).unwrap();
        self.ssh = format!("port: {}, {more}", hostile.port);
        self
    }

    fn against_port(mut self, port: u16, more: &str) -> Self {
        self.ssh = format!("port: {port}, {more}");
        self
    }

    fn manifest(&self) -> String {
        let both = format!(
            "address: 127.0.0.1, user: root, identity_file: {}, known_hosts: {}",
            self.honest.path("id").display(),
            self.honest.known_hosts().display()
        );
        let mut text = "version: 1\nmurder: example.org\ndomains: [example.org]\n\
             smart_host: smtp.example.org\nexternal: [smtp.example.org]\nhosts:\n"
            .to_owned();
        let more = (1..self.count).map(|number| (format!("hostile{number}"), self.ssh.clone()));
        let honest = format!("port: {}", self.honest.port);
        let hosts = [
            ("honest".to_owned(), honest),
            ("hostile".to_owned(), self.ssh.clone()),
        ];
        for (name, ssh) in hosts.into_iter().chain(more) {
            text += &format!(
                "  {name}.example.org:\n    roles: [internet-mta]\n    ssh: {{{both}, {ssh}}}\n    \
                 vars: {{recipient_check: table, recipients: [\"joe@example.org\"]}}\n"
            );
        }
        text
    }

    fn plan(&self, more: &[&str]) -> Outcome {
        let manifest = self.honest.path("murder.yaml");
        fs::write(&manifest, self.manifest()).unwrap();
        let started = Instant::now();
        let mut command = Command::new("prlimit");
        command
            .arg(format!("--as={}", self.memory))
            .arg(env!("CARGO_BIN_EXE_murder"))
            .arg("plan")
            .arg(&manifest)
            .args(["--format", "json"])
            .args(more)
            .env("HOME", self.honest.path("home"))
            .env("XDG_CACHE_HOME", self.honest.path("cache"))
            .env("SSH_AUTH_SOCK", "")
            // glibc reserves 64 MiB of addresses for each further arena, and uses little of them.
            .env("MALLOC_ARENA_MAX", "1")
            .env("HOSTILE_PASSWORD", "hunter22")
            .stdin(Stdio::null());
        if let Some(path) = &self.path {
            command.env(
                "PATH",
                format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", path.display()),
            );
        }
        let output = command.judged();
        let took = started.elapsed();
        let said = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(took < LONGEST, "it took {took:?}: {said}");
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let host = |name: &str| plan["hosts"][format!("{name}.example.org")].clone();
        Outcome {
            code: output.status.code(),
            honest: host("honest"),
            hostile: host("hostile"),
            plan: plan.clone(),
            said,
        }
    }

    /// Demands a right result of the honest host, and these words about the hostile one.
    #[track_caller]
    fn expect(&self, code: i32, verdict: &str, words: &str) {
        let honest = self.plan(&["--host", "honest.example.org"]);
        assert_eq!(honest.code, Some(0), "{}", honest.said);
        assert_eq!(honest.honest["verdict"], "changes", "{}", honest.said);
        let outcome = self.plan(&[]);
        assert_eq!(outcome.honest, honest.honest, "{}", outcome.said);
        assert_eq!(outcome.code, Some(code), "{}", outcome.said);
        assert_eq!(outcome.hostile["verdict"], verdict, "{}", outcome.said);
        let error = outcome.hostile["error"].to_string();
        assert!(error.contains(words), "{error}");
    }
}

/// An sshd whose every command is this one.
fn forced(script: &str) -> Sshd {
    let sshd = Sshd::with("ForceCommand sh @/bin/force").known("ed25519");
    sshd.script("force", script);
    sshd
}

/// A listener that speaks to each client until it leaves.
fn speaker(speak: impl Fn(&mut TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let speak = std::sync::Arc::new(speak);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let speak = std::sync::Arc::clone(&speak);
            thread::spawn(move || speak(&mut stream.unwrap()));
        }
    });
    port
}

/// Writes the same piece for ever.
fn flood(stream: &mut TcpStream, piece: &[u8]) -> std::io::Result<()> {
    let many = piece.repeat(64 * 1024 / piece.len());
    loop {
        stream.write_all(&many)?;
    }
}

/// An unencrypted packet of SSH (RFC 4253, 6): length, length of padding, payload, padding.
fn packet(payload: &[u8]) -> Vec<u8> {
    let padding = 4 + (16 - (payload.len() + 9) % 8) % 8;
    let length = u32::try_from(1 + payload.len() + padding).unwrap();
    let mut packet = length.to_be_bytes().to_vec();
    packet.push(u8::try_from(padding).unwrap());
    packet.extend_from_slice(payload);
    packet.resize(packet.len() + padding, 0);
    packet
}

#[test]
fn output_without_end_fails_one_host_by_either_client() {
    for client in ["ssh2", "openssh"] {
        for (script, words) in [
            ("exec cat /dev/zero", "of output"),
            ("exec cat /dev/zero >&2", "of error messages"),
        ] {
            let hostile = forced(script);
            let run = Run::new().against(&hostile, &format!("client: {client}"));
            run.expect(3, "failed", words);
        }
    }
}

#[test]
fn dripping_ends_at_a_multiple_of_the_command_timeout_and_silence_at_once_its_length() {
    for client in ["ssh2", "openssh"] {
        let drip = forced("while :; do echo .; sleep 0.1; done");
        let more = format!("client: {client}, command_timeout: 2s");
        let run = Run::new().against(&drip, &more);
        run.expect(3, "failed", "it did not end within 10 s");
        let silent = forced("exec sleep 600");
        let run = Run::new().against(&silent, &more);
        run.expect(4, "unreachable", "no output for 2 s");
    }
}

#[test]
fn hundreds_of_thousands_of_prompts_for_a_password_end_like_any_flood() {
    let prompts = "line=${SSH_ORIGINAL_COMMAND#*murder-password-}; nonce=${line%% *}\n\
        rest=${SSH_ORIGINAL_COMMAND#*murder-ready-}; ready=${rest%% *}\n\
        echo murder-ready-$ready >&2\n\
        yes murder-password-$nonce | head -n 200000 >&2; exit 1";
    let hostile = forced(prompts);
    let run = Run::new().against(
        &hostile,
        "become: {method: sudo, password: {env: HOSTILE_PASSWORD}}",
    );
    run.expect(3, "failed", "of error messages");
}

#[test]
fn a_flood_before_the_version_ends_and_a_drip_there_meets_the_connect_timeout() {
    for piece in [
        &b"220 no SSH here\r\n"[..],
        b"\n",
        b"x",
        b"SSH",
        b"SSH-1.0-\n",
    ] {
        let port = speaker(move |stream| flood(stream, piece));
        let run = Run::new().against_port(port, "connect_timeout: 5s");
        run.expect(4, "unreachable", "handshake");
    }
    let port = speaker(|stream| {
        loop {
            stream.write_all(b"x\n")?;
            thread::sleep(Duration::from_millis(50));
        }
    });
    let run = Run::new().against_port(port, "connect_timeout: 2s");
    run.expect(
        4,
        "unreachable",
        "did not finish the SSH handshake within 2 s",
    );
}

#[test]
fn packets_without_end_before_the_login_end_too() {
    // SSH_MSG_IGNORE, SSH_MSG_DEBUG, a number that means nothing, and one that belongs to a login (RFC 4250, 4.1.2).
    for number in [2, 4, 53, 192] {
        let port = speaker(move |stream| {
            stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n")?;
            flood(stream, &packet(&[number, 0, 0, 0, 4, 1, 2, 3, 4]))
        });
        let run = Run::new().against_port(port, "connect_timeout: 5s");
        run.expect(4, "unreachable", "handshake");
    }
}

#[test]
fn a_hostile_host_behind_a_jump_host_ends_as_well() {
    let jump = Sshd::start().known("ed25519");
    let port = speaker(|stream| flood(stream, b"220 no SSH here\r\n"));
    let mut run = Run::new().against(&jump, "");
    run.ssh = format!(
        "port: {port}, connect_timeout: 5s, jump: \"root@127.0.0.1:{}\"",
        jump.port
    );
    run.expect(4, "unreachable", "handshake");

    let endless = forced("exec cat /dev/zero");
    let mut run = Run::new().against(&jump, "").against(&endless, "");
    run.ssh += &format!("jump: \"root@127.0.0.1:{}\"", jump.port);
    run.expect(3, "failed", "of output");
}

#[test]
fn a_flood_before_the_version_ends_the_systems_ssh_too() {
    let port = speaker(|stream| flood(stream, b"220 no SSH here\r\n"));
    let run = Run::new().against_port(port, "client: openssh, connect_timeout: 5s");
    run.expect(4, "unreachable", "");
}

#[test]
fn this_host_itself_has_the_same_limits() {
    let mut run = Run::new();
    run.honest.script("sh", "#!/bin/sh\nexec cat /dev/zero\n");
    run.path = Some(run.honest.path("bin"));
    let outcome = run.plan(&["--local", "--host", "hostile.example.org"]);
    assert_eq!(outcome.code, Some(3), "{}", outcome.said);
    assert!(outcome.said.contains("of output"), "{}", outcome.said);
}

#[test]
fn many_hostile_hosts_at_once_have_one_budget_of_memory() {
    for client in ["ssh2", "openssh"] {
        let hostile = forced("sleep 3; exec cat /dev/zero");
        let mut run = Run::new().against(&hostile, &format!("client: {client}"));
        // Each may send 64 MiB.
        (run.count, run.memory) = (16, 600 << 20);
        let honest = run.plan(&["--host", "honest.example.org"]);
        assert_eq!(honest.code, Some(0), "{}", honest.said);
        let outcome = run.plan(&["--parallel", "17"]);
        assert_eq!(outcome.honest, honest.honest, "{client}: {}", outcome.said);
        assert!(
            outcome.code == Some(3) || outcome.code == Some(4),
            "{}",
            outcome.said
        );
        let hosts = outcome.plan["hosts"].as_object().unwrap();
        assert_eq!(hosts.len(), 17);
        let errors: Vec<String> = hosts
            .values()
            .map(|host| host["error"].to_string())
            .collect();
        let dropped = errors
            .iter()
            .filter(|error| error.contains("more than any other host"));
        assert!(dropped.count() > 3, "{client}: {errors:?}");
    }
}
