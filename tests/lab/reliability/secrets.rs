//! The directory's password: in the files that need it, with their mode, and nowhere else at any time.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::colours::leftovers;
use crate::world::{BIND_PASSWORD, HOSTS, World, text, until};

/// Reads the command line and the environment of every process of the lab, over and over.
pub struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Samples>,
}

#[derive(Default)]
struct Samples {
    rounds: usize,
    processes: usize,
    found: BTreeSet<String>,
}

/// Begins to sample; it goes on until the password's own story.
pub fn begin_sampling(world: &mut World) {
    if world.sampler.is_some() {
        return;
    }
    let stop = Arc::new(AtomicBool::new(false));
    let thread = {
        let stop = stop.clone();
        std::thread::spawn(move || {
            let mut samples = Samples::default();
            while !stop.load(Ordering::Relaxed) {
                sample(&mut samples);
                std::thread::sleep(Duration::from_millis(50));
            }
            samples
        })
    };
    world.sampler = Some(Sampler { stop, thread });
}

fn sample(samples: &mut Samples) {
    // Other labs of this machine are none of our business: ours are known by their networks.
    let lab = std::env::var("LAB_ID").unwrap_or_else(|_| "lab".to_owned());
    let ours: BTreeSet<u64> = entries(Path::new("/run/netns"))
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(&format!("{lab}-")))
        })
        .filter_map(|path| Some(fs::metadata(path).ok()?.ino()))
        .collect();
    samples.rounds += 1;
    for process in entries(Path::new("/proc")) {
        let network = fs::metadata(process.join("ns/net")).map_or(0, |meta| meta.ino());
        let client = fs::read_link(process.join("exe"))
            .is_ok_and(|exe| exe == Path::new(env!("CARGO_BIN_EXE_murder")));
        if !client && !ours.contains(&network) {
            continue;
        }
        samples.processes += 1;
        for what in ["cmdline", "environ"] {
            let words = fs::read(process.join(what)).unwrap_or_default();
            if words
                .windows(BIND_PASSWORD.len())
                .any(|part| part == BIND_PASSWORD.as_bytes())
            {
                samples
                    .found
                    .insert(format!("{what}: {}", text(&words).replace('\0', " ")));
            }
        }
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
}

/// Files below a folder that hold the password.
fn holding(folder: &Path) -> Vec<PathBuf> {
    let output = Command::new("grep")
        .args(["-rlsF", BIND_PASSWORD])
        .arg(folder)
        .output()
        .unwrap();
    text(&output.stdout).lines().map(PathBuf::from).collect()
}

/// Every process that an apply begins on a host, with all its words and its whole environment: what samples
/// miss is seen here.
fn every_process_of_an_apply(world: &World) {
    const HOST: &str = "backend1";
    let root = world.lab.root(HOST);
    let is_sshd = |process: &PathBuf| {
        let words = fs::read(process.join("cmdline")).unwrap_or_default();
        text(&words).contains("[listener]")
            && fs::read_link(process.join("root")).is_ok_and(|link| link == root)
    };
    let sshd = entries(Path::new("/proc")).find(is_sshd).expect("an sshd");
    let record = world.room().join("execve");
    let mut strace = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-v",
            "-s",
            "100000",
            "-e",
            "trace=execve",
            "-p",
        ])
        .arg(sshd.file_name().unwrap())
        .arg("-o")
        .arg(&record)
        .spawn()
        .expect("strace: tests/run installs it");
    until("strace is there", 20, || {
        let status = fs::read_to_string(sshd.join("status")).unwrap_or_default();
        (!status.contains("TracerPid:\t0")).then_some(())
    });
    world.write("longer.yaml", "ldap: {timeout: 12s}\n");
    let only = ["--host", "backend1.example.org", "--yes"];
    world
        .murder(
            "apply",
            &[&only[..], &["--overlay", "longer.yaml"]].concat(),
        )
        .exits(0)
        .says("done");
    let ended = Command::new("kill").arg(strace.id().to_string()).status();
    assert!(ended.unwrap().success());
    strace.wait().unwrap();
    let record = fs::read_to_string(&record).unwrap();
    let begun = record.matches("execve(").count();
    assert!(
        begun > 100 && record.contains("postmap") && !record.contains("\"..."),
        "{record}"
    );
    assert!(!record.contains(BIND_PASSWORD), "{record}");
    println!(
        "\n    password: in the words and environments of all {begun} processes of an apply, 0 times"
    );
    world.murder("apply", &only).exits(0);
}

/// After everything: every file that was ever written on a host, the client's own, and what was sampled.
pub fn the_password_stands_where_it_must(world: &mut World) {
    every_process_of_an_apply(world);
    let samples = world.sampler.take().map(|sampler| {
        sampler.stop.store(true, Ordering::Relaxed);
        sampler.thread.join().unwrap()
    });
    let own = super::HOSTS
        .iter()
        .filter(|host| world.lab.root(host).join("etc").exists());
    let hosts: Vec<&str> = HOSTS.iter().chain(own).copied().collect();
    let mut right = 0;
    for host in &hosts {
        let root = world.lab.root(host);
        // What differs from Debian's base: logs, queues and mailboxes too.
        let upper = root.parent().unwrap().join("upper");
        for path in holding(&upper) {
            let meta = fs::metadata(&path).unwrap();
            let there = Path::new("/").join(path.strip_prefix(&upper).unwrap());
            let owner = world
                .lab
                .sh(host, &format!("stat -c %U:%G {}", there.display()));
            assert!(
                there.starts_with("/etc/postfix/ldap")
                    && meta.permissions().mode() & 0o7777 == 0o640
                    && owner.trim() == "root:postfix",
                "{host}: {} {:o} {owner}",
                there.display(),
                meta.permissions().mode()
            );
            let managed = world.lab.sh(host, "cat /var/lib/murder/paths");
            assert!(
                managed.lines().any(|path| Path::new(path) == there),
                "{host}: {}",
                there.display()
            );
            right += 1;
        }
        // File systems of its own: their files are not below the root seen from outside.
        let pattern = root.join("root/pattern");
        fs::write(&pattern, BIND_PASSWORD).unwrap();
        let volatile = world
            .lab
            .sh(host, "grep -rlsF -f /root/pattern /run /dev/shm || true");
        fs::remove_file(&pattern).unwrap();
        assert_eq!(volatile, "", "{host}");
        assert_eq!(leftovers(world, host), "", "{host}");
    }
    assert!(right > 0, "no file holds the password at all");
    let own = world.room().join("manifest/secrets/kolab-service.pw");
    assert_eq!(holding(world.room()), [own], "on the client");
    println!(
        "\n    password: in {right} files of {} hosts, all 0640 root:postfix and managed",
        hosts.len()
    );
    if let Some(samples) = samples {
        println!(
            "    password: in the words and environments of {} processes sampled in {} rounds, {} times",
            samples.processes,
            samples.rounds,
            samples.found.len()
        );
        assert!(samples.rounds > 0 && samples.processes > samples.rounds);
        assert_eq!(samples.found, BTreeSet::new());
    }
}
