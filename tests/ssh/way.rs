//! The way to a host: what is in between, and what is not there.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::sshd::{Sshd, ask, reach, unreachable};

#[test]
fn a_jump_host_carries_sixteen_megabytes_both_ways_and_proves_its_key_too() {
    let target = Sshd::start().known("ed25519");
    let bastion = Sshd::start().known("ed25519");
    fs::copy(target.path("id.pub"), bastion.path("authorized")).unwrap();
    let mut host = target.host();
    host.ssh.jump = Some(format!("root@127.0.0.1:{}", bastion.port));
    let failure = unreachable(reach(&host, &target.options()));
    assert!(
        failure
            .summary
            .starts_with(&format!("127.0.0.1:{} is not in any", bastion.port)),
        "{failure:?}"
    );

    let both = fs::read_to_string(target.known_hosts()).unwrap()
        + &fs::read_to_string(bastion.known_hosts()).unwrap();
    fs::write(target.known_hosts(), both).unwrap();
    let large: Vec<u8> = (0..16_usize << 20).map(|i| (i % 251) as u8).collect();
    let mut shell = reach(&host, &target.options()).unwrap();
    let response = ask(&mut *shell, "exec tee /dev/stderr", &large);
    assert!(response.stdout == large && response.stderr == large);
    assert_eq!(bastion.logged("Accepted publickey"), 1);
    // Two in a row, the second of which is this one again.
    host.ssh.jump = Some(format!(
        "root@127.0.0.1:{0},root@127.0.0.1:{0}",
        bastion.port
    ));
    assert_eq!(
        ask(
            &mut *reach(&host, &target.options()).unwrap(),
            "exec cat",
            b"far"
        )
        .stdout,
        b"far"
    );
    // And by the configuration in place of the manifest.
    host.ssh.jump = None;
    fs::write(
        target.path("home/.ssh/config"),
        format!(
            "Host 127.0.0.1\nProxyJump root@localhost:{}\nHost localhost\nHostName 127.0.0.1\n",
            bastion.port
        ),
    )
    .unwrap();
    reach(&host, &target.options()).unwrap();
    assert_eq!(bastion.logged("Accepted publickey"), 4);
}

#[test]
fn a_jump_host_that_cannot_reach_the_target_says_so() {
    let bastion = Sshd::start().known("ed25519");
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let mut host = bastion.host();
    host.ssh.jump = Some(format!("root@127.0.0.1:{}", bastion.port));
    host.ssh.port = Some(nobody);
    let failure = unreachable(reach(&host, &bastion.options()));
    assert!(failure.summary.contains("cannot connect to"), "{failure:?}");
}

#[test]
fn nobody_there_no_name_and_a_dead_peer_each_have_their_words() {
    let sshd = Sshd::start().known("ed25519");
    let mut host = sshd.host();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    host.ssh.port = Some(closed);
    let failure = unreachable(reach(&host, &sshd.options()));
    assert!(
        failure.summary.contains("refuses connections"),
        "{failure:?}"
    );

    host.ssh.address = Some("nowhere.invalid".to_owned());
    let failure = unreachable(reach(&host, &sshd.options()));
    assert!(
        failure.summary.contains("`nowhere.invalid` has no address"),
        "{failure:?}"
    );

    // It takes the connection and never speaks.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    host.ssh.address = Some("127.0.0.1".to_owned());
    host.ssh.port = Some(hole.local_addr().unwrap().port());
    host.ssh.connect_timeout = Duration::from_millis(600);
    let started = Instant::now();
    let failure = unreachable(reach(&host, &sshd.options()));
    assert!(
        failure
            .summary
            .contains("did not finish the SSH handshake within 0.6 s"),
        "{failure:?}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_crowded_sshd_is_asked_again() {
    let sshd = Sshd::with("MaxStartups 1").known("ed25519");
    let crowd = sshd.hold_one();
    let leaving = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        drop(crowd);
    });
    ask(&mut *sshd.connect(), "true", b"");
    leaving.join().unwrap();
    assert!(sshd.logged("drop connection") > 0, "{}", sshd.log());
}

#[test]
fn something_that_is_no_sshd_is_refused_at_once() {
    use std::io::Write as _;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let sshd = Sshd::start().known("ed25519");
    let mut host = sshd.host();
    host.ssh.port = Some(listener.local_addr().unwrap().port());
    host.ssh.connect_timeout = Duration::from_secs(2);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream
                .unwrap()
                .write_all(b"220 mx.example.org ESMTP Postfix\r\n");
        }
    });
    let failure = unreachable(reach(&host, &sshd.options()));
    assert!(failure.summary.contains("handshake"), "{failure:?}");
}
