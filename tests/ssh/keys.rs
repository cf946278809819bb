//! Proving who we are.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use murder::access::SshClient;
use murder::secret::{Secret, SecretName, Secrets};
use murder::transport::{Passphrases, connect};

use super::sshd::{Sshd, ask, keygen, reach, run, unreachable};

/// An ssh-agent that ends with the test.
struct Agent(Child, PathBuf);

impl Agent {
    fn start(sshd: &Sshd) -> Self {
        let socket = sshd.path("agent");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !socket.exists() {
            assert!(Instant::now() < deadline, "ssh-agent did not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self(child, socket)
    }

    fn add(&self, key: &str, sshd: &Sshd) {
        run(Command::new("ssh-add")
            .arg("-q")
            .arg(sshd.path(key))
            .env("SSH_AUTH_SOCK", &self.1));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn authorize(sshd: &Sshd, key: &str) {
    fs::copy(sshd.path(&format!("{key}.pub")), sshd.path("authorized")).unwrap();
}

#[test]
fn keys_of_every_kind_log_in() {
    let sshd = Sshd::start().known("ed25519");
    for kind in ["ed25519", "rsa", "ecdsa"] {
        keygen(&sshd.path(kind), kind, "");
        authorize(&sshd, kind);
        let mut host = sshd.host();
        host.ssh.identity_file = Some(sshd.path(kind));
        ask(&mut *reach(&host, &sshd.options()).unwrap(), "true", b"");
    }
}

#[test]
fn the_usual_keys_are_tried_where_none_is_named() {
    let sshd = Sshd::start().known("ed25519");
    fs::copy(sshd.path("id"), sshd.path("home/.ssh/id_ed25519")).unwrap();
    let mut host = sshd.host();
    host.ssh.identity_file = None;
    reach(&host, &sshd.options()).unwrap();
}

#[test]
fn a_wrong_key_says_what_was_tried_and_what_is_accepted() {
    let sshd = Sshd::start().known("ed25519");
    keygen(&sshd.path("wrong"), "ed25519", "");
    let mut host = sshd.host();
    host.ssh.identity_file = Some(sshd.path("wrong"));
    let failure = unreachable(reach(&host, &sshd.options()));
    assert!(
        failure.summary.contains("cannot log in to") && failure.summary.ends_with(" as root"),
        "{failure:?}"
    );
    let detail = failure.detail.unwrap();
    assert!(
        detail.contains("/wrong") && detail.contains("publickey"),
        "{detail}"
    );
    host.ssh.identity_file = Some(sshd.path("missing"));
    let detail = unreachable(reach(&host, &sshd.options())).detail.unwrap();
    assert!(
        detail.contains("/missing") && detail.contains("No such file"),
        "{detail}"
    );
}

#[test]
fn a_locked_key_opens_by_the_manifests_secret_or_by_asking_once() {
    let sshd = Sshd::start().known("ed25519");
    keygen(&sshd.path("locked"), "ed25519", "open sesame");
    authorize(&sshd, "locked");
    let mut host = sshd.host();
    host.ssh.identity_file = Some(sshd.path("locked"));
    let detail = unreachable(reach(&host, &sshd.options())).detail.unwrap();
    assert!(detail.contains("no passphrase"), "{detail}");

    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let mut options = sshd.options();
    options.passphrases = Arc::new(Passphrases::new(Box::new(move |file| {
        assert!(file.ends_with("locked"));
        count.fetch_add(1, Ordering::SeqCst);
        Some(Secret::new("open sesame".to_owned()))
    })));
    reach(&host, &options).unwrap();
    reach(&host, &options).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 1);

    let name = SecretName("ssh.passphrase".to_owned());
    host.ssh.passphrase = Some(name.clone());
    let mut secrets = Secrets::default();
    secrets.insert(name.clone(), Secret::new("open sesame".to_owned()));
    connect(&host.name, &host.ssh, &sshd.options(), &secrets).unwrap();
    secrets.insert(name, Secret::new("open barley".to_owned()));
    let failure = unreachable(connect(&host.name, &host.ssh, &sshd.options(), &secrets));
    assert!(!format!("{failure:?}").contains("barley"), "{failure:?}");
}

#[test]
fn an_agent_signs_and_named_keys_of_it_go_first() {
    let sshd = Sshd::with("MaxAuthTries 3").known("ed25519");
    let agent = Agent::start(&sshd);
    for index in 0..5 {
        let name = format!("noise{index}");
        keygen(&sshd.path(&name), "ed25519", "");
        agent.add(&name, &sshd);
    }
    agent.add("id", &sshd);
    let mut options = sshd.options();
    options.environment.agent = Some(agent.1.clone());
    let mut host = sshd.host();
    host.ssh.identity_file = None;
    let failure = unreachable(reach(&host, &options));
    assert!(
        failure.hint.as_ref().unwrap().contains("MaxAuthTries"),
        "{failure:?}"
    );
    // The private half is gone: only the agent has it.
    fs::remove_file(sshd.path("id")).unwrap();
    host.ssh.identity_file = Some(sshd.path("id"));
    ask(&mut *reach(&host, &options).unwrap(), "true", b"");
}

#[test]
fn a_dead_agent_does_no_harm_where_a_file_opens() {
    let sshd = Sshd::start().known("ed25519");
    let mut options = sshd.options();
    options.environment.agent = Some(sshd.path("no-agent"));
    reach(&sshd.host(), &options).unwrap();
}

#[test]
fn a_certificate_beside_the_key_logs_in() {
    let sshd = Sshd::with("TrustedUserCAKeys @/ca.pub").known("ed25519");
    // The CA comes after sshd, which reads the file at each login.
    keygen(&sshd.path("ca"), "ed25519", "");
    keygen(&sshd.path("mine"), "ed25519", "");
    run(Command::new("ssh-keygen")
        .arg("-q")
        .arg("-s")
        .arg(sshd.path("ca"))
        .args(["-I", "x", "-n", "root"])
        .arg(sshd.path("mine.pub")));
    let mut host = sshd.host();
    host.ssh.identity_file = Some(sshd.path("mine"));
    ask(&mut *reach(&host, &sshd.options()).unwrap(), "true", b"");
    assert_eq!(sshd.logged("ED25519-CERT"), 1, "{}", sshd.log());
}

#[test]
fn a_key_that_others_can_read_is_refused_as_by_openssh() {
    use std::os::unix::fs::PermissionsExt as _;
    let sshd = Sshd::start().known("ed25519");
    let chmod = |mode| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(sshd.path("id"), mode).unwrap();
    };
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        chmod(mode);
        let failure = unreachable(reach(&sshd.host(), &sshd.options()));
        let detail = failure.detail.unwrap();
        let words = format!("permissions {mode:04o} are too open");
        assert!(
            detail.contains(&words) && detail.contains("chmod 600"),
            "{detail}"
        );
        let mut host = sshd.host();
        host.ssh.client = SshClient::OpenSsh;
        unreachable(reach(&host, &sshd.options()));
    }
    for mode in [0o600, 0o400, 0o700] {
        chmod(mode);
        reach(&sshd.host(), &sshd.options()).unwrap();
    }
    // One of the usual keys is passed over, and named.
    fs::copy(sshd.path("id"), sshd.path("home/.ssh/id_ed25519")).unwrap();
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(sshd.path("home/.ssh/id_ed25519"), mode).unwrap();
    let mut host = sshd.host();
    host.ssh.identity_file = None;
    let failure = unreachable(reach(&host, &sshd.options()));
    assert!(failure.detail.unwrap().contains("0644 are too open"));
}
