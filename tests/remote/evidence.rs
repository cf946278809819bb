//! Who changed a host: changes that are made on a host by a package, another tool, sudo, a login, or without a trace.
//!
//! Nothing is made up but the lines of Ansible and Puppet: dpkg(1), sudo(8), sshd(8) and rsyslogd(8) write their logs themselves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_io::block_on;
use murder::attribution::{ChangedBy, attribute, question};
use murder::machine::Observe;
use murder::machine::remote::Remote;

use super::host::Host;
use super::world::{desired, plan};

/// How many drifts are made, on how many hosts at once. Most of the time of each is waiting, so that times in logs differ.
const HOSTS: u64 = 20;

/// How many drifts are made: MURDER_DRIFTS, for a shorter run by hand.
fn drifts() -> u64 {
    let wanted = std::env::var("MURDER_DRIFTS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(200)
}

/// A small generator of numbers (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// A change: the command, and the file that it concerns.
const CHANGES: [(&str, &str); 9] = [
    (
        "postconf -e maximal_queue_lifetime=5d",
        "/etc/postfix/main.cf",
    ),
    ("postconf -X maximal_queue_lifetime", "/etc/postfix/main.cf"),
    ("postconf -e transport_maps=", "/etc/postfix/main.cf"),
    ("postconf -F lmtp/unix/chroot=y", "/etc/postfix/master.cf"),
    (
        "sed -i s/one/other/ /etc/postfix/transport",
        "/etc/postfix/transport",
    ),
    ("echo more >>/etc/postfix/given", "/etc/postfix/given"),
    ("chmod 600 /etc/postfix/given", "/etc/postfix/given"),
    (
        "rm /etc/postfix/murder/secret.cf",
        "/etc/postfix/murder/secret.cf",
    ),
    ("rm /etc/postfix/old.db", "/etc/postfix/old.db"),
];

/// Prepares the programs that leave traces.
fn prepare(host: &Host) {
    host.run(
        "useradd -m -s /bin/sh alice; echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
         mkdir -p /run/sshd /root/.ssh; ssh-keygen -A; ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
         cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys; chmod 700 /root /root/.ssh
         /usr/sbin/sshd -o UsePAM=yes -o PermitRootLogin=yes; mkdir -p /root/deb/DEBIAN; cp -a /etc/postfix /root/kept",
    );
    host.run("ssh -o StrictHostKeyChecking=no root@127.0.0.1 true");
    wait_for_logs(host);
    let log = host.run("cat /var/log/auth.log");
    assert!(log.contains("Accepted publickey for root"), "{log}");
}

/// Waits until no session is left and rsyslogd(8) has written all that was said, however busy the machine is.
fn wait_for_logs(host: &Host) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mark = format!("evidence-mark-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let said = host.run(&format!(
        "n=0; while pgrep -f '^sshd(-session)?: (root|alice)' >/dev/null && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.1; done
         logger -p auth.info {mark}; until grep -q {mark} /var/log/auth.log || [ $n -ge 600 ]; do n=$((n + 1)); sleep 0.1; done
         tail -n 5 /var/log/auth.log"
    ));
    assert!(said.contains(&mark), "{said}");
}

/// Makes a change in one of the ways; gives how it must be explained.
fn make(host: &Host, way: u64, number: u64, (command, file): (&str, &str)) -> &'static str {
    match way {
        0 => {
            host.write(
                "/root/deb/DEBIAN/control",
                &format!("Package: postfix-site\nVersion: {number}\nArchitecture: all\nMaintainer: a\nDescription: b\n"),
            );
            host.write(
                "/root/deb/DEBIAN/postinst",
                &format!("#!/bin/sh\n{command}\n"),
            );
            let said = host.run("cd /root && chmod 755 deb/DEBIAN/postinst && dpkg-deb -b deb a.deb && dpkg -i a.deb 2>&1");
            assert!(said.contains("Setting up postfix-site"), "{said}");
            "package"
        }
        1 => {
            host.run(&format!(
                "su - alice -c \"sudo {command}\" || su - alice -c 'sudo sh -c \"{command}\"'"
            ));
            "sudo"
        }
        2 => {
            host.run(&format!(
                "ssh -o StrictHostKeyChecking=no root@127.0.0.1 '{command}'"
            ));
            "login"
        }
        3 => {
            host.run(&format!(
                "ssh -o StrictHostKeyChecking=no root@127.0.0.1 'logger -t python3 \"ansible-ansible.builtin.command Invoked with path={file} state=present\"; {command}'"
            ));
            "tool"
        }
        4 => {
            host.run(&format!(
                "{command}; logger -t puppet-agent '(/Stage[main]/Site/File[{file}]/content) content changed'"
            ));
            "tool"
        }
        5 => {
            host.run("printf '# Ansible managed\\nothers\\n' >/etc/postfix/given");
            "tool"
        }
        _ => {
            host.run(command);
            "unknown"
        }
    }
}

fn word(by: &ChangedBy) -> &str {
    match by {
        ChangedBy::Package { .. } => "package",
        ChangedBy::Tool { .. } => "tool",
        ChangedBy::Session { session, .. } => session,
        ChangedBy::Unknown => "unknown",
    }
}

/// What became of the drifts of a host.
#[derive(Default)]
struct Tally {
    right: usize,
    unknown: Vec<String>,
    wrong: Vec<String>,
}

impl Tally {
    /// Makes these drifts on a host of its own, and asks who made each.
    fn of(numbers: impl Iterator<Item = u64>, seed: u64) -> Self {
        let host = super::world::host();
        prepare(&host);
        let first = desired(false);
        let mut chance = Chance(seed | 1);
        let mut tally = Self::default();
        for number in numbers {
            // Each way once, and then by chance.
            let way = if number < 7 { number } else { chance.below(7) };
            let change = CHANGES[usize::try_from(chance.below(9)).unwrap()];
            std::thread::sleep(Duration::from_millis(1100));
            let wanted = make(&host, way, number, change);
            wait_for_logs(&host);
            std::thread::sleep(Duration::from_millis(1100));
            let found = plan(&host, &first).unwrap_or_else(|| panic!("no drift: {way} {change:?}"));
            let mut machine = Remote::new(host.shell());
            let asked = question(&found);
            let evidence = block_on(machine.witnessing(&asked)).unwrap();
            let said = attribute(&found, &evidence);
            assert!(!said.is_empty(), "{change:?}: {:?}", found.steps);
            for one in said {
                let by = word(&one.by);
                let case = format!("{way} {change:?}: wanted {wanted}, got {}", one.sentence());
                if by == wanted {
                    tally.right += 1;
                } else if by == "unknown" {
                    tally.unknown.push(case);
                } else {
                    tally.wrong.push(case);
                }
            }
            host.run("cp -a /root/kept/. /etc/postfix/");
            assert!(plan(&host, &first).is_none(), "{change:?}");
        }
        tally
    }
}

#[test]
fn changes_are_attributed_to_who_made_them_and_never_to_another() {
    let seed = std::env::var("MURDER_TEST_SEED").ok();
    let seed = seed.and_then(|text| text.parse().ok()).unwrap_or(4711_u64);
    let all = drifts();
    let mut sum = Tally::default();
    std::thread::scope(|scope| {
        let hosts: Vec<_> = (0..HOSTS)
            .map(|host| {
                let numbers = (0..all).filter(move |number| number % HOSTS == host);
                scope.spawn(move || Tally::of(numbers, seed.wrapping_add(host << 32)))
            })
            .collect();
        for host in hosts {
            let one = host.join().unwrap();
            sum.right += one.right;
            sum.unknown.extend(one.unknown);
            sum.wrong.extend(one.wrong);
        }
    });
    let (right, unknown) = (sum.right, sum.unknown);
    println!(
        "{right} right, {} unknown, {} wrong",
        unknown.len(),
        sum.wrong.len()
    );
    assert!(sum.wrong.is_empty(), "{:#?}", sum.wrong);
    let total = right + unknown.len();
    assert!(
        right * 100 >= total * 95,
        "{right} of {total}: {unknown:#?}"
    );
}

#[test]
fn every_shell_gives_the_same_evidence() {
    let host = super::world::host();
    host.run("sed -i '/^maximal_queue_lifetime/d' /etc/postfix/main.cf; printf '# BEGIN ANSIBLE MANAGED BLOCK\\nmaximal_queue_lifetime = 9d\\n# END ANSIBLE MANAGED BLOCK\\n' >>/etc/postfix/main.cf; rm /etc/postfix/murder/secret.cf");
    let found = plan(&host, &desired(false)).unwrap();
    let asked = question(&found);
    assert_eq!(asked.files.len(), 2, "{asked:?}");
    for sh in ["dash", "bash", "busybox sh"] {
        let mut machine = Remote::new(host.shell()).with_sh(sh);
        let evidence = block_on(machine.witnessing(&asked)).unwrap();
        assert!(evidence.now > 1_700_000_000, "{sh}: {evidence:?}");
        let said = attribute(&found, &evidence);
        let words: Vec<&str> = said.iter().map(|one| word(&one.by)).collect();
        assert_eq!(words, ["unknown", "tool"], "{sh}: {said:?}");
        assert!(said.iter().all(|one| one.at.is_some()), "{sh}: {said:?}");
    }
}

#[test]
fn packages_of_rpm_are_known_by_the_logs_of_their_package_managers() {
    let host = super::world::host();
    // As dnf(8) of RHEL and zypper(8) of openSUSE write them.
    let logs = [
        (
            "/var/log/dnf.rpm.log",
            "$(date +%Y-%m-%dT%H:%M:%S%z) SUBDEBUG Upgrade: postfix-2:3.8.1-5.el9.x86_64",
        ),
        (
            "/var/log/dnf5.log",
            "$(date +%Y-%m-%dT%H:%M:%S%z) [814] INFO RPM callback install start \\\"postfix-2:3.9.0-1.fc42.x86_64\\\" total 3",
        ),
        (
            "/var/log/yum.log",
            "$(LC_ALL=C date '+%b %d %H:%M:%S') Updated: 2:postfix-2.10.1-9.el7.x86_64",
        ),
        (
            "/var/log/zypp/history",
            "$(date '+%Y-%m-%d %H:%M:%S')|install|postfix|3.8.4-150600.3.2|x86_64||repo-update|0a1b|",
        ),
    ];
    for (path, line) in logs {
        host.run(&format!(
            "mkdir -p /var/log/zypp; export TZ=Asia/Kolkata; cp /usr/share/zoneinfo/$TZ /etc/localtime; echo '# rubbish' >{path}; echo \"{line}\" >>{path}
             postconf -e maximal_queue_lifetime=9d"
        ));
        let found = plan(&host, &desired(false)).unwrap();
        let asked = question(&found);
        for sh in ["dash", "busybox sh"] {
            let mut machine = Remote::new(host.shell()).with_sh(sh);
            let evidence = block_on(machine.witnessing(&asked)).unwrap();
            for one in attribute(&found, &evidence) {
                let ChangedBy::Package { package, .. } = &one.by else {
                    panic!("{path}, {sh}: {}", one.sentence());
                };
                assert_eq!(package, "postfix", "{path}, {sh}");
            }
        }
        host.run(&format!(
            "rm {path}; postconf -e maximal_queue_lifetime=8d; sleep 1"
        ));
        let found = plan(&host, &desired(false)).unwrap();
        let asked = question(&found);
        let evidence = block_on(Remote::new(host.shell()).witnessing(&asked)).unwrap();
        let said = attribute(&found, &evidence);
        assert!(
            said.iter().all(|one| one.by == ChangedBy::Unknown),
            "{said:?}"
        );
    }
}
