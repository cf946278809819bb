//! Murders that were set up by hand, by `setup-kolab` and by Ansible: imported, nothing is to do; the first apply writes the
//! ledger alone, and mail flows throughout.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::mail::{Answer, arrives_within, offer, send, sendmail, token};
use crate::world::{World, until};

/// A way in which a murder was set up.
struct Style {
    /// The name of the folder of its manifest.
    name: &'static str,
    /// A script of tests/adopted.
    script: &'static str,
    /// What each host is to it.
    hosts: &'static [(&'static str, &'static str)],
    /// Where mail from outside enters.
    entry: &'static str,
    /// Roles that must be found, by host.
    roles: &'static [(&'static str, &'static str)],
    /// What the import must say besides.
    says: &'static [&'static str],
}

/// Two more on each host than without the content filter of Kolab.
const HOPS: usize = 12;

const MAILBOXES: [(&str, &str, &str); 2] = [
    ("john@example.org", "backend1", "user/john"),
    ("jane@example.org", "backend2", "user/jane"),
];

pub fn the_seed_s_recipe_is_adopted(world: &mut World) {
    is_adopted(
        world,
        &Style {
            name: "by-hand",
            script: include_str!("../adopted/seed"),
            hosts: &[
                ("smtp", "router"),
                ("backend1", "backend"),
                ("backend2", "backend"),
            ],
            entry: "smtp",
            roles: &[("smtp", "internal-mta"), ("backend[1:2]", "backend")],
            says: &["unknown_local_recipient_reject_code"],
        },
    );
}

pub fn the_files_of_setup_kolab_are_adopted(world: &mut World) {
    world.lab.sh(
        "ldap",
        "printf 'dn: ou=Domains,dc=example,dc=org\\nobjectClass: organizationalUnit\\nobjectClass: domainRelatedObject\\nou: Domains\\nassociatedDomain: example.org\\n' \
         | ldapadd -x -H ldap:/// -D cn=admin,dc=example,dc=org -w admin >&2",
    );
    is_adopted(
        world,
        &Style {
            name: "kolab",
            script: include_str!("../adopted/setup-kolab"),
            hosts: &[
                ("smtp", "router"),
                ("backend1", "backend"),
                ("backend2", "backend"),
            ],
            entry: "smtp",
            roles: &[("smtp", "internal-mta"), ("backend[1:2]", "backend")],
            says: &["smtpd_sender_login_maps"],
        },
    );
}

pub fn a_murder_of_ansible_is_adopted(world: &mut World) {
    is_adopted(
        world,
        &Style {
            name: "ansible",
            script: include_str!("../adopted/ansible"),
            hosts: &[
                ("smtp", "router"),
                ("backend1", "backend"),
                ("backend2", "backend"),
                ("mx", "edge"),
                ("frontend1", "client"),
                ("mupdate", "client"),
            ],
            entry: "mx",
            roles: &[
                ("smtp", "internal-mta"),
                ("backend[1:2]", "backend"),
                ("mx", "internet-mta"),
                ("frontend1", "frontend"),
                ("mupdate", "mupdate"),
            ],
            says: &["`/etc/postfix/main.cf` is also written by Ansible"],
        },
    );
}

/// The whole way of one murder.
fn is_adopted(world: &World, style: &Style) {
    set_up(world, style);
    mail_flows(world, style);
    let inventory = workstation(world, style);
    let out = style.name;
    let before: Vec<String> = style
        .hosts
        .iter()
        .map(|(host, _)| files(world, host))
        .collect();

    let said = murder(
        world,
        &[
            "import",
            "--inventory",
            inventory.to_str().unwrap(),
            "--out",
            out,
        ],
    );
    for (host, role) in style.roles {
        let row = format!("{host}.example.org: {role}: ");
        assert!(said.contains(&row), "`{row}` is not said:\n{said}");
    }
    let advice = fs::read_to_string(world.room().join(out).join("RECOMMENDED.md")).unwrap();
    for word in style.says {
        let is_advised = advice.replace('\\', "").contains(word);
        assert!(
            said.contains(word) || is_advised,
            "`{word}` is not said:\n{said}\n{advice}"
        );
    }
    murder(world, &["check", out]);
    let plan = murder(world, &["plan", out, "--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    for (host, verdict) in plan["hosts"].as_object().unwrap() {
        let steps = verdict["steps"].as_array().unwrap();
        let other: Vec<_> = steps
            .iter()
            .filter(|step| step["step"] != "take_over")
            .collect();
        assert!(
            other.is_empty() && verdict["refusals"] == serde_json::json!([]),
            "{host}: {other:#?}\n{said}"
        );
    }

    apply_under_mail(world, style);
    for ((host, _), before) in style.hosts.iter().zip(&before) {
        let after = files(world, host);
        let changed: Vec<&str> = after
            .lines()
            .filter(|line| !before.contains(line))
            .collect();
        assert!(
            changed.is_empty() && after.len() == before.len(),
            "{host}: {changed:#?}"
        );
    }
    let plan = murder(world, &["plan", out, "--detailed-exitcode"]);
    assert!(
        plan.contains(&format!("{} hosts converged", style.hosts.len())),
        "{plan}"
    );
    mail_flows(world, style);
}

/// Debian's own configuration on each host, and on it the script.
fn set_up(world: &World, style: &Style) {
    let release = std::env::var("LAB_RELEASE").unwrap_or("bookworm".to_owned());
    let base = world.lab.run(&["base", &release]);
    for (host, role) in style.hosts {
        let root = world.lab.root(host);
        let copied = std::process::Command::new("sh")
            .args(["-c", "rm -rf \"$2/etc/postfix\" \"$2/var/lib/murder\" && cp -a \"$1/etc/postfix\" \"$2/etc/postfix\"", "sh", base.trim()])
            .arg(&root)
            .status()
            .unwrap();
        assert!(copied.success(), "{host}");
        fs::write(root.join("root/adopted"), style.script).unwrap();
        world.lab.sh(host, &format!("sh /root/adopted {role} && rm /root/adopted && postfix stop 2>/dev/null; postfix start >/dev/null 2>&1"));
    }
    for (host, _) in style.hosts.iter().filter(|(_, role)| *role != "client") {
        let address = world.lab.addr(host);
        until(&format!("SMTP on {host}"), 20, || {
            std::net::TcpStream::connect((address.as_str(), 25)).ok()
        });
    }
}

/// From outside and from a backend to both mailboxes.
fn mail_flows(world: &World, style: &Style) {
    let sent: Vec<_> = MAILBOXES
        .iter()
        .map(|(to, host, mailbox)| {
            let (outside, inside) = (token(), token());
            until(&format!("{to} is accepted"), 30, || {
                send(world, style.entry, to, &outside).ok()
            });
            sendmail(world, "backend1", "cron@example.org", to, &inside);
            (host, mailbox, [outside, inside])
        })
        .collect();
    for (host, mailbox, tokens) in sent {
        for token in tokens {
            arrives_within(world, host, mailbox, &token, HOPS);
        }
    }
}

/// Says that the mail may end, also where the story fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Applies while mail comes in without a pause: each message arrives.
fn apply_under_mail(world: &World, style: &Style) {
    let ended = AtomicBool::new(false);
    let address = world.lab.addr(style.entry);
    let sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut sent = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                for (to, host, mailbox) in MAILBOXES {
                    let token = token();
                    match offer(&address, to, &token) {
                        Ok(Answer::Taken) => sent.push((host, mailbox, token)),
                        other => panic!("{to}: {other:?}"),
                    }
                }
                std::thread::sleep(Duration::from_millis(700));
            }
            sent
        });
        let ending = Ending(&ended);
        murder(world, &["apply", style.name, "--yes"]);
        drop(ending);
        sender.join().unwrap()
    });
    assert!(!sent.is_empty());
    for (host, mailbox, token) in sent {
        arrives_within(world, host, mailbox, &token, HOPS);
    }
}

/// A home that reaches the lab's hosts by name, and an inventory of the hosts of the murder.
fn workstation(world: &World, style: &Style) -> PathBuf {
    let ssh = world.room().join("home/.ssh");
    fs::create_dir_all(&ssh).unwrap();
    let lab = world.directory();
    let mut config = String::new();
    let mut inventory = String::from("[murder]\n");
    for (host, _) in style.hosts {
        let address = world.lab.addr(host);
        config += &format!("Host {host}.example.org\n  HostName {address}\n");
        inventory += &format!("{host}.example.org\n");
    }
    config += &format!(
        "Host *\n  User root\n  IdentityFile {0}/id_ed25519\n  UserKnownHostsFile {0}/known_hosts\n",
        lab.display()
    );
    fs::write(ssh.join("config"), config).unwrap();
    world.write(&format!("{}.ini", style.name), &inventory)
}

/// Runs the program with that home; it must succeed.
#[track_caller]
fn murder(world: &World, words: &[&str]) -> String {
    let output = world.command(words).output().unwrap();
    let said = format!(
        "{}{}",
        crate::world::text(&output.stdout),
        crate::world::text(&output.stderr)
    );
    assert!(
        output.status.success(),
        "{words:?}: {:?}\n{said}",
        output.status
    );
    assert!(!said.contains(crate::world::BIND_PASSWORD), "{said}");
    match words.contains(&"json") {
        true => crate::world::text(&output.stdout),
        false => said,
    }
}

/// Each file of a host with inode, times, owner and mode, but for what `murder` keeps and what Postfix, Cyrus and logs write;
/// and how often Postfix was reloaded or started.
fn files(world: &World, host: &str) -> String {
    world.lab.sh(
        host,
        "find / -xdev \\( -path /var/lib/murder -o -path /var/log -o -path /var/spool -o -path /var/lib/postfix -o -path /var/lib/cyrus -o -path /dev \
         -o -path /tmp -o -path /var/outside \\) -prune -o ! -type d -printf '%p %i %T@ %C@ %m %u %g %l\\n' | sort; \
         grep -c 'reload --' /var/log/mail.log; cat /var/spool/postfix/pid/master.pid",
    )
}
