//! The murder of these stories: its manifest before and after a change, and its mailboxes.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::world::{Lab, Run, Running, World};

/// The hosts: name, role, and the short name of the host that relays mail to it.
pub const HOSTS: &[(&str, &str, &str)] = &[
    ("mx", "internet-mta", "smtp"),
    ("smtp", "internal-mta", "backend1"),
    ("backend1", "backend", "smtp"),
    ("backend2", "backend", "smtp"),
    ("backend3", "backend", "smtp"),
];

/// A host with more lines in the manifest.
pub type HostLines<'a> = (&'a str, &'a str);

/// Writes a manifest: each host with what it has in all states, and some with more. Its backends refuse whom they do not know, so that mail in
/// the wrong order bounces. Gives its path.
pub fn manifest(world: &World, lines: &[HostLines<'_>]) -> PathBuf {
    written(
        world,
        &["ldap"],
        lines,
        "    vars: {defer_unknown: false}\n",
    )
}

/// The same with these LDAP servers, and backends as they are by default: mail for whom they do not know waits.
pub fn forgiving(world: &World, servers: &[&str]) -> PathBuf {
    written(world, servers, &[], "")
}

fn written(world: &World, servers: &[&str], lines: &[HostLines<'_>], of_backends: &str) -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let uri = |server: &&str| format!("'ldap://{server}.example.org:389'");
    let servers: Vec<String> = servers.iter().map(uri).collect();
    let keys = world.directory();
    let keys = keys.display();
    let mut text = format!(
        "version: 1\nmurder: lab\ntopology: discrete\ndomains: [example.org]\n\
         ldap:\n  uris: [{}]\n  base: ou=States,dc=example,dc=org\n  \
         bind_dn: uid=kolab-service,ou=Special Users,dc=example,dc=org\n  bind_pw: {{file: {}}}\n  tls: {{mode: none}}\n\
         cyrus: {{lmtp_socket: /run/states/lmtp, postuser: folder}}\n\
         defaults:\n  ssh: {{user: root, identity_file: {keys}/id_ed25519, known_hosts: {keys}/known_hosts, connect_timeout: 3s}}\n\
         hosts:\n",
        servers.join(", "),
        world
            .room()
            .join("manifest/secrets/kolab-service.pw")
            .display()
    );
    for (host, role, _) in HOSTS {
        let address = world.lab.addr(host);
        let _ = write!(
            text,
            "  {host}.example.org:\n    roles: [{role}]\n    addresses: [{address}]\n    ssh: {{address: {address}}}\n"
        );
        if *role == "backend" {
            text.push_str(of_backends);
        }
        for (_, more) in lines.iter().filter(|(name, _)| name == host) {
            for line in more.lines() {
                let _ = writeln!(text, "    {}", line.trim());
            }
        }
    }
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    world.write(&format!("states-{number}.yaml"), &text)
}

/// Boots the host that the lab lacks, adds the part of the directory, and gives each backend a server for LMTP that takes all.
pub fn boot(world: &World) {
    world.lab.up("backend3");
    add_entries(world, "ldap");
    for (host, _, _) in HOSTS {
        let script = world.lab.root(host).join("root/send.py");
        std::fs::write(script, SENDER).unwrap();
    }
    let script = world.lab.root("ldap").join("root/send.py");
    std::fs::write(script, SENDER).unwrap();
    for backend in backends() {
        world.lab.sh(backend, "mkdir -p /run/states; cd /run/states; smtp-sink -u postfix -L unix:/run/states/lmtp 100 >/dev/null 2>&1 </dev/null & echo $! >pid; \
             for _ in $(seq 50); do [ -S /run/states/lmtp ] && break; sleep 0.1; done; chmod 777 /run/states/lmtp");
    }
}

/// Adds the part of the directory to an LDAP server.
pub fn add_entries(world: &World, server: &str) {
    let entries = world.lab.root(server).join("root/states.ldif");
    std::fs::write(entries, DIRECTORY).unwrap();
    world.lab.sh(
        server,
        "ldapadd -x -H ldap:/// -D cn=admin,dc=example,dc=org -w admin -f /root/states.ldif >/dev/null",
    );
}

/// Takes away what [`boot`] brought.
pub fn leave(world: &World) {
    world.lab.sh(
        "ldap",
        "ldapdelete -r -x -H ldap:/// -D cn=admin,dc=example,dc=org -w admin ou=States,dc=example,dc=org",
    );
    for backend in ["backend1", "backend2"] {
        world
            .lab
            .sh(backend, "kill $(cat /run/states/pid); rm -rf /run/states");
    }
    world.lab.run(&["down", "backend3"]);
    world.converge();
}

/// The names of the backends.
pub fn backends() -> impl Iterator<Item = &'static str> {
    let backends = HOSTS.iter().filter(|(_, role, _)| *role == "backend");
    backends.map(|(name, _, _)| *name)
}

/// The directory of these stories.
pub const DIRECTORY: &str = include_str!("directory.ldif");

const SENDER: &str = include_str!("send.py");

/// The addresses of the directory, each once.
pub fn addresses() -> Vec<&'static str> {
    let lines = DIRECTORY.lines();
    lines
        .filter_map(|line| line.strip_prefix("mail: ").or(line.strip_prefix("alias: ")))
        .collect()
}

/// Runs the program on a manifest, with the directory.
pub fn murder(world: &World, verb: &str, manifest: &std::path::Path, more: &[&str]) -> Run {
    let ldif = world.write("states.ldif", DIRECTORY);
    let (manifest, ldif) = (manifest.to_str().unwrap(), ldif.to_str().unwrap());
    let words = [&[verb, manifest, "--ldif", ldif], more].concat();
    let child = world
        .command(&words)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Running::new(child, &words).finish()
}

/// Takes the key of a host's root away, or puts it back: without it no apply reaches the host, and mail does.
pub fn let_in(lab: &Lab, host: &str, is_let_in: bool) {
    let names = match is_let_in {
        true => "off authorized_keys",
        false => "authorized_keys off",
    };
    lab.sh(host, &format!("cd /root/.ssh; mv {names}"));
}
