//! Failed logins: sshd of OpenSSH 9.8 and later blocks an address whose failures add up (`PerSourcePenalties`, on by default).
//! No row of them reaches that, so that the right login after them succeeds at once.

use std::fs;
use std::process::Command;
use std::time::Instant;

use crate::world::{HOSTS, World};

/// How many wrong runs one after the other.
const RUNS: usize = 100;

/// What sshd on a host has said since it booted.
fn log(world: &World, host: &str) -> String {
    let log = world.lab.root(host).parent().unwrap().join("log");
    String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned()
}

/// The release of a host's sshd, and whether it counts penalties.
fn sshd(world: &World, host: &str) -> (String, bool) {
    let version = world.lab.sh(host, "ssh -V 2>&1").trim().to_owned();
    let counts = world.lab.sh(
        host,
        "sshd -T 2>/dev/null | grep -ci '^persourcepenalties' || true",
    );
    (version, counts.trim() != "0")
}

/// Demands that no sshd of the lab has dropped a connection for its penalties.
#[track_caller]
fn nobody_is_blocked(world: &World, host: &str) {
    let said = log(world, host);
    let blocked: Vec<&str> = said.lines().filter(|line| line.contains("enalt")).collect();
    assert!(blocked.is_empty(), "{host}: {blocked:?}");
}

pub fn failed_logins_never_block_the_client(world: &mut World) {
    let (version, counts) = sshd(world, "backend1");
    let key = world.room().join("wrong_key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status()
        .unwrap();
    assert!(made.success());
    let empty = world.write("no_known_hosts", "");
    let wrong = [
        format!("known_hosts: {}", empty.display()),
        format!("identity_file: {}", key.display()),
        "user: nobody-there".to_owned(),
    ];
    for (number, line) in wrong.iter().enumerate() {
        let text = format!("defaults:\n  ssh: {{{line}}}\n");
        world.write(&format!("wrong{number}.yaml"), &text);
    }
    let begun = Instant::now();
    for run in 0..RUNS {
        let overlay = format!("wrong{}.yaml", run % wrong.len());
        let words = ["--overlay", &overlay, "--host", "backend1.example.org"];
        world.murder("plan", &words).exits(4);
    }
    let passed = begun.elapsed().as_secs();
    world
        .murder("plan", &["--host", "backend1.example.org"])
        .exits(0);
    nobody_is_blocked(world, "backend1");
    // An sshd without penalties is not waited for.
    assert!(counts || passed < 120, "{passed} s");
    print!("({RUNS} wrong runs against {version} in {passed} s) ");
}

pub fn failed_logins_at_one_jump_host_neither(world: &mut World) {
    let (version, counts) = sshd(world, "mx");
    let jump = world.lab.addr("mx");
    let behind = HOSTS.iter().filter(|host| **host != "mx");
    let names: Vec<String> = behind.map(|host| format!("{host}.example.org")).collect();
    let mut words = vec!["--overlay", "jump.yaml"];
    for name in &names {
        words.extend(["--host", name]);
    }
    let begun = Instant::now();
    for user in ["nobody-there", "root"] {
        let text = format!("defaults:\n  ssh: {{jump: {user}@{jump}}}\n");
        world.write("jump.yaml", &text);
        let code = if user == "root" { 0 } else { 4 };
        world.murder("plan", &words).exits(code);
    }
    nobody_is_blocked(world, "mx");
    let passed = begun.elapsed().as_secs();
    assert!(counts || passed < 30, "{passed} s");
    print!("({} at once against {version} in {passed} s) ", names.len());
}
