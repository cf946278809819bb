//! Hosts that cannot be reached or cannot serve: each says why and what to do, and fails alone.

use crate::world::World;

/// A host, how it is spoilt, the exit code it gives by itself, and words that must be said of it.
struct Case {
    host: &'static str,
    spoil: &'static str,
    code: i32,
    says: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        host: "nokey",
        spoil: "rm /root/.ssh/authorized_keys",
        code: 4,
        says: &["key"],
    },
    Case {
        host: "changed",
        spoil: "",
        code: 4,
        says: &["has changed: it is SHA256:", "known_hosts"],
    },
    Case {
        host: "bare",
        spoil: "postfix stop 2>/dev/null; dpkg --purge --force-depends postfix-ldap postfix-lmdb postfix >/dev/null 2>&1; ! command -v postconf",
        code: 3,
        says: &["postfix"],
    },
    Case {
        host: "noldap",
        spoil: "dpkg --purge --force-depends postfix-ldap >/dev/null 2>&1; ! postconf -m | grep -q ldap",
        code: 3,
        says: &["postfix-ldap"],
    },
    Case {
        host: "full",
        spoil: "cp -a /etc/postfix /root/p; mount -t tmpfs -o size=160k tmpfs /etc/postfix; cp -a /root/p/. /etc/postfix/; dd if=/dev/zero of=/etc/postfix/ballast bs=1k 2>/dev/null; true",
        code: 3,
        says: &["space"],
    },
    Case {
        host: "readonly",
        spoil: "mount --bind /etc /etc; mount -o remount,bind,ro /etc; ! touch /etc/x 2>/dev/null",
        code: 3,
        says: &["read-only"],
    },
];

pub fn a_host_that_fails_fails_alone(world: &mut World) {
    // `sound` is in their wave, and `gone` is a name without a machine.
    let mut hosts: Vec<&str> = CASES.iter().map(|case| case.host).collect();
    hosts.push("sound");
    for host in &hosts {
        world.lab.up(host);
    }
    for case in CASES.iter().filter(|case| !case.spoil.is_empty()) {
        world.lab.sh(case.host, case.spoil);
    }
    let gone = world.lab.addr("gone");
    hosts.push("gone");
    let entries: Vec<(&str, &str)> = hosts
        .iter()
        .map(|host| (*host, "roles: [backend]"))
        .collect();
    world.write_overlay("failures.yaml", &entries, "");
    // The key of one host is another one's in the list of known hosts.
    let list = world.directory().join("known_hosts");
    let known = std::fs::read_to_string(&list).unwrap();
    let key = |host: &str| {
        let line = known
            .lines()
            .find(|line| line.starts_with(&format!("{host}.example.org,")))
            .unwrap();
        line.split_once(' ').unwrap().1.to_owned()
    };
    std::fs::write(&list, known.replace(&key("changed"), &key("sound"))).unwrap();

    let only = |host: &str| {
        [
            "--overlay".to_owned(),
            "failures.yaml".to_owned(),
            "--host".to_owned(),
            format!("{host}.example.org"),
        ]
    };
    for case in CASES {
        let words = only(case.host);
        let words: Vec<&str> = words.iter().map(String::as_str).chain(["--yes"]).collect();
        let before = world
            .lab
            .try_sh(
                case.host,
                "find /etc/postfix -type f -exec sha256sum {} + 2>/dev/null | sort",
            )
            .stdout;
        let mut run = world
            .murder("apply", &words)
            .exits(case.code)
            .says(&format!("{}.example.org", case.host));
        for word in case.says {
            run = run.says(word);
        }
        let after = world
            .lab
            .try_sh(
                case.host,
                "find /etc/postfix -type f -exec sha256sum {} + 2>/dev/null | sort",
            )
            .stdout;
        assert_eq!(
            String::from_utf8_lossy(&before),
            String::from_utf8_lossy(&after),
            "{}: {run}",
            case.host
        );
    }
    let words = only("gone");
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    world
        .murder("plan", &words)
        .exits(4)
        .says("gone.example.org")
        .says(&gone);

    // All at once: every host has its own line, and the sound one is set up.
    let all = [
        "--overlay",
        "failures.yaml",
        "--role",
        "backend",
        "--yes",
        "--max-fail",
        "100",
    ];
    let run = world.murder("apply", &all).exits(3);
    let mut run = run.says("sound.example.org");
    for host in &hosts {
        run = run.says(&format!("{host}.example.org"));
    }
    assert_eq!(
        world.lab.postconf("sound", "relayhost"),
        "[smtp.example.org]",
        "{run}"
    );
    std::fs::write(&list, known).unwrap();
    for host in CASES.iter().map(|case| case.host).chain(["sound"]) {
        world.lab.run(&["down", host]);
    }
}
