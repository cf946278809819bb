//! Hosts by the system's own ssh.

use std::fs;

use murder::access::SshClient;
use murder::machine::MachineError;
use murder::model::Host;
use murder::transport::ConnectOptions;
use murder::transport::{ProgramExit, Shell};

use super::sshd::{Sshd, ask, keygen, reach, unreachable};

fn host(sshd: &Sshd) -> Host {
    let mut host = sshd.host();
    host.ssh.client = SshClient::OpenSsh;
    host
}

fn connect(sshd: &Sshd) -> Result<Box<dyn Shell>, MachineError> {
    let host = host(sshd);
    reach(&host, &options(sshd))
}

fn options(sshd: &Sshd) -> ConnectOptions {
    sshd.options()
}

#[test]
fn two_exchanges_share_a_connection_that_ends_with_the_object() {
    let sshd = Sshd::start().known("ed25519");
    let mut shell = connect(&sshd).unwrap();
    let response = ask(&mut *shell, "cat; echo no >&2; exit 7", b"yes\n");
    assert_eq!(
        (response.stdout, response.stderr, response.exit),
        (b"yes\n".to_vec(), b"no\n".to_vec(), ProgramExit::Code(7))
    );
    let large: Vec<u8> = (0..64_usize << 20).map(|i| (i % 251) as u8).collect();
    let response = ask(&mut *shell, "exec tee /dev/stderr", &large);
    assert!(response.stdout == large && response.stderr == large);
    assert_eq!(sshd.logged("Accepted publickey"), 1);
    drop(shell);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while sshd.logged("Disconnected from user root") == 0 {
        assert!(
            std::time::Instant::now() < deadline,
            "the master lives on: {}",
            sshd.log()
        );
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn its_refusals_are_told_apart() {
    let sshd = Sshd::start();
    let failure = unreachable(connect(&sshd));
    assert!(
        failure.summary.ends_with("is not in any known_hosts file"),
        "{failure:?}"
    );
    keygen(&sshd.path("other"), "ed25519", "");
    let other = fs::read_to_string(sshd.path("other.pub")).unwrap();
    fs::write(
        sshd.known_hosts(),
        format!("[127.0.0.1]:{} {other}", sshd.port),
    )
    .unwrap();
    let failure = unreachable(connect(&sshd));
    assert!(failure.summary.contains("another key"), "{failure:?}");
    fs::write(
        sshd.known_hosts(),
        format!("@revoked * {}\n", sshd.host_key("ed25519")),
    )
    .unwrap();
    let failure = unreachable(connect(&sshd));
    assert!(failure.summary.contains("revokes"), "{failure:?}");
    let mut wrong = host(&sshd);
    wrong.ssh.host_key = Some(sshd.host_key("ed25519"));
    wrong.ssh.identity_file = Some(sshd.path("other"));
    let failure = unreachable(reach(&wrong, &options(&sshd)));
    assert!(
        failure.summary.contains("does not accept the login"),
        "{failure:?}"
    );
    wrong.ssh.identity_file = Some(sshd.path("id"));
    ask(&mut *reach(&wrong, &options(&sshd)).unwrap(), "true", b"");
}

#[test]
fn a_jump_host_is_opened_and_known_by_what_opens_and_knows_the_host() {
    let target = Sshd::start().known("ed25519");
    let bastion = Sshd::start().known("ed25519");
    fs::copy(target.path("id.pub"), bastion.path("authorized")).unwrap();
    let mut through = host(&target);
    through.ssh.jump = Some(format!("root@127.0.0.1:{}", bastion.port));
    let failure = unreachable(reach(&through, &options(&target)));
    assert!(
        failure.summary.contains("through its jump host"),
        "{failure:?}"
    );
    // The key of the host alone: the bastion's must be in known_hosts all the same.
    through.ssh.host_key = Some(target.host_key("ed25519"));
    unreachable(reach(&through, &options(&target)));
    assert_eq!(bastion.logged("Accepted publickey"), 0);

    let both = fs::read_to_string(target.known_hosts()).unwrap()
        + &fs::read_to_string(bastion.known_hosts()).unwrap();
    fs::write(target.known_hosts(), both).unwrap();
    for host_key in [through.ssh.host_key.clone(), None] {
        through.ssh.host_key = host_key;
        let mut shell = reach(&through, &options(&target)).unwrap();
        assert_eq!(ask(&mut *shell, "exec cat", b"far").stdout, b"far");
    }
    assert_eq!(bastion.logged("Accepted publickey"), 2);
    assert_eq!(target.logged("Accepted publickey"), 2);

    // The user's configuration still counts: here it names the bastion.
    fs::write(
        target.path("home/.ssh/config"),
        format!(
            "Host bastion\nHostName 127.0.0.1\nPort {}\nUser root\n",
            bastion.port
        ),
    )
    .unwrap();
    through.ssh.jump = Some("bastion".to_owned());
    reach(&through, &options(&target)).unwrap();
    assert_eq!(bastion.logged("Accepted publickey"), 3);
}
