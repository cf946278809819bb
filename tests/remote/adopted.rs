//! A murder that was set up by hand, imported over SSH with the program itself: real sshd, real Postfix.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::host::Host;
use crate::ssh::sshd::Sshd;

/// A host with an sshd that runs each command inside it.
struct Reached {
    host: Host,
    sshd: Sshd,
    name: &'static str,
}

impl Reached {
    /// Boots a host and sets it up by a script of tests/adopted.
    fn new(name: &'static str, role: &str) -> Self {
        let host = Host::running();
        host.run(&format!(
            "hostname {name}; echo {name} >/etc/mailname
             echo '127.0.0.1 localhost {name}' >/etc/hosts; echo '192.0.2.5 smtp.example.org' >>/etc/hosts"
        ));
        host.write("/root/seed", include_str!("../adopted/seed"));
        let said = host.run(&format!(
            "sh /root/seed {role} 2>&1 || echo failed; rm /root/seed"
        ));
        assert!(!said.contains("failed"), "{said}");
        host.run("postfix reload");
        Self::behind(host, name, "")
    }

    /// A host as it is behind an sshd, whose commands `wrapper` runs there.
    fn behind(host: Host, name: &'static str, wrapper: &str) -> Self {
        let sshd = Sshd::with("ForceCommand @/enter");
        let enter = format!(
            "#!/bin/sh\nexec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin nsenter -t {} -m -p -n -u -i -r -w {wrapper} /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"\n",
            host.pid()
        );
        let file = sshd.path("enter");
        fs::write(&file, enter).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self { host, sshd, name }
    }

    /// Each file of the host with inode, times, owner and mode, but for what `murder` keeps and what a running host writes.
    fn files(&self) -> String {
        self.host.run(
            "find / -xdev \\( -path /var/lib/murder -o -path /var/log -o -path /var/spool/postfix -o -path /var/lib/postfix \\) -prune \
             -o ! -type d -printf '%p %i %T@ %C@ %m %u %g %l\\n' | sort",
        )
    }

    /// How often Postfix was reloaded, and its first process.
    fn master(&self) -> (usize, String) {
        let log = self.host.read("/var/log/mail.log");
        let pid = self.host.read("/var/spool/postfix/pid/master.pid");
        assert!(!pid.trim().is_empty(), "Postfix does not run: {log}");
        (log.matches("reload --").count(), pid)
    }
}

/// A workstation that knows the hosts by `~/.ssh/config`.
fn workstation(hosts: &[Reached]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let ssh = home.path().join(".ssh");
    fs::create_dir(&ssh).unwrap();
    let (mut config, mut known) = (String::new(), String::new());
    for Reached { sshd, name, .. } in hosts {
        let port = sshd.port;
        config += &format!(
            "Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User root\n  IdentityFile {}\n",
            sshd.path("id").display()
        );
        known += &format!("[127.0.0.1]:{port} {}\n", sshd.host_key("ed25519"));
    }
    fs::write(ssh.join("config"), config).unwrap();
    fs::write(ssh.join("known_hosts"), known).unwrap();
    home
}

fn murder(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", home)
        .output()
        .unwrap()
}

#[track_caller]
fn succeeds(home: &Path, arguments: &[&str]) -> String {
    let output = murder(home, arguments);
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(0), "{arguments:?}\n{said}");
    assert!(!said.contains("Welcome2KolabSystems"), "{said}");
    said
}

#[test]
fn a_murder_is_imported_over_ssh_and_its_first_apply_writes_the_ledger_alone() {
    let hosts = [
        Reached::new("smtp.example.org", "router"),
        Reached::new("backend1.example.org", "backend"),
        Reached::new("backend2.example.org", "backend"),
    ];
    let home = workstation(&hosts);
    let home = home.path();
    let before = hosts.each_ref().map(Reached::files);
    let masters = hosts.each_ref().map(Reached::master);

    let said = succeeds(home, &["import", "*.example.org", "--out", "found"]);
    for Reached { sshd, name, .. } in &hosts {
        assert_eq!(sshd.logged("Accepted publickey"), 1, "{name}");
        let execs = sshd.logged("Starting session");
        assert!(
            (1..=2).contains(&execs),
            "{name}: {execs} execs\n{}",
            sshd.log()
        );
    }
    assert!(
        said.contains(
            "backend[1:2].example.org: backend: delivers over LMTP to /run/cyrus/socket/lmtp"
        ),
        "{said}"
    );
    assert!(said.contains("smtp.example.org: internal-mta: "), "{said}");
    assert!(said.contains("changes nothing but the ledger"), "{said}");

    succeeds(home, &["check", "found"]);
    let plan = succeeds(home, &["plan", "found"]);
    assert!(plan.contains("take over"), "{plan}");
    succeeds(home, &["apply", "found", "--yes"]);
    for (host, before) in hosts.iter().zip(&before) {
        let after = host.files();
        let changed: Vec<&str> = after
            .lines()
            .filter(|line| !before.contains(line))
            .collect();
        assert!(
            changed.is_empty() && after.len() == before.len(),
            "{}: {changed:?}",
            host.name
        );
    }
    assert_eq!(hosts.each_ref().map(Reached::master), masters);
    let plan = succeeds(home, &["plan", "found", "--detailed-exitcode"]);
    assert!(plan.contains("3 hosts converged"), "{plan}");
}

#[test]
fn hosts_that_cannot_be_imported_have_a_row_each_and_the_rest_is_imported() {
    let with = |name, command: &str, wrapper| {
        let host = Host::new();
        host.run(command);
        Reached::behind(host, name, wrapper)
    };
    let mut hosts = vec![
        Reached::new("backend1.example.org", "backend"),
        with(
            "weak.example.org",
            "true",
            "setpriv --reuid=65534 --regid=65534 --clear-groups",
        ),
        with(
            "bare.example.org",
            "rm /usr/sbin/postconf /etc/postfix/main.cf",
            "",
        ),
        with(
            "broken.example.org",
            "echo 'no equals sign' >>/etc/postfix/main.cf",
            "",
        ),
        with(
            "many.example.org",
            "echo 'multi_instance_directories = /etc/postfix-out' >>/etc/postfix/main.cf",
            "",
        ),
        with("gone.example.org", "true", ""),
    ];
    // Nothing listens where this one was.
    let home = workstation(&hosts);
    let home = home.path();
    drop(hosts.pop());
    let output = murder(home, &["import", "*.example.org", "--out", "found"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let row = |host: &str| {
        let rows = said.split("\n").filter(|line| line.starts_with(host));
        rows.collect::<Vec<_>>().join("\n")
    };
    // A host that failed counts more than one that was not reached.
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        row("gone").contains("not imported, unreachable: "),
        "{said}"
    );
    assert!(
        row("weak").contains("not imported, failed: ") && row("weak").contains("root"),
        "{said}"
    );
    assert!(
        row("bare").contains("not imported, failed: ") && row("bare").contains("Postfix"),
        "{said}"
    );
    assert!(said.contains("no equals sign"), "{said}");
    assert!(said.contains("several instances of Postfix"), "{said}");
    assert!(row("backend1").contains(": backend: "), "{said}");
    let manifest = fs::read_to_string(home.join("found/murder.yaml")).unwrap();
    assert!(
        manifest.contains("backend1.example.org") && !manifest.contains("gone."),
        "{manifest}"
    );
}
