//! A host or an LDAP server that does not run: what `verify --single-failures` and `--without` say of it, and what becomes of real mail.

use std::collections::BTreeMap;

use super::murder::{HOSTS, add_entries, addresses, boot, forgiving, leave, murder};
use super::outcome::Action;
use super::sent::{OUTSIDE, Outcomes, Place, places, send_all};
use super::worse;
use crate::world::World;

/// What stops something, and starts it again.
struct Failure {
    /// Its name in the report.
    name: &'static str,
    /// The hosts whose Postfix does not run.
    hosts: &'static [&'static str],
    /// The hosts whose LDAP server does not run.
    servers: &'static [&'static str],
}

const SERVERS: [&str; 2] = ["ldap", "ldap2"];

const FAILURES: &[Failure] = &[
    Failure {
        name: "backend2.example.org",
        hosts: &["backend2"],
        servers: &[],
    },
    Failure {
        name: "smtp.example.org",
        hosts: &["smtp"],
        servers: &[],
    },
    Failure {
        name: "mx.example.org",
        hosts: &["mx"],
        servers: &[],
    },
    Failure {
        name: "ldap.example.org",
        hosts: &[],
        servers: &["ldap"],
    },
    Failure {
        name: "ldap.example.org, ldap2.example.org",
        hosts: &[],
        servers: &SERVERS,
    },
];

/// Each backend, the internal MTA, the edge, one of two LDAP servers and both are stopped in turn. Mail from everywhere waits as `verify` counted,
/// and none bounces.
pub fn a_failure_delays_mail_and_bounces_none(world: &mut World) {
    let world = &*world;
    boot(world);
    world.lab.run(&["up", SERVERS[1]]);
    let here = env!("CARGO_MANIFEST_DIR");
    let served = std::process::Command::new(format!("{here}/tests/lab/directory"))
        .arg(SERVERS[1])
        .status();
    assert!(served.unwrap().success());
    add_entries(world, SERVERS[1]);
    let plain = forgiving(world, &SERVERS);
    let flags = ["--yes", "--allow-bounce", "--adopt", "--allow-restart"];
    murder(world, "apply", &plain, &flags).exits(0);
    let verify = |more: &[&str]| {
        let words = [&["--format", "json"], more].concat();
        let report = murder(world, "verify", &plain, &words).json();
        report["what_if"].as_array().unwrap().clone()
    };
    let both = SERVERS.map(|server| format!("{server}.example.org"));
    let mut said = verify(&["--single-failures"]);
    said.extend(verify(&["--without", &both[0], "--without", &both[1]]));
    let before = send_all(world, &places(), &addresses());
    for failure in FAILURES {
        stop(world, failure);
        let left: Vec<Place> = places()
            .into_iter()
            .filter(|place| !failure.hosts.contains(&place.host))
            .collect();
        let now = send_all(world, &left, &addresses());
        start(world, failure);
        let real = counted(&before, &now, failure.hosts.contains(&"mx"));
        let effect = said.iter().find(|effect| effect["without"] == failure.name);
        let effect = effect.unwrap_or_else(|| panic!("{}: {said:#?}", failure.name));
        let number = |key: &str| effect[key].as_u64().unwrap();
        assert_eq!(
            ["deferred", "bounced", "loop", "not_modelled"].map(number),
            [real["deferred"], real["bounced"], real["looped"], 0],
            "{}: {effect:#} {now:#?}",
            failure.name
        );
        assert_eq!(real["bounced"] + real["looped"], 0, "{}", failure.name);
        // The other LDAP server answers.
        assert_eq!(real["deferred"] == 0, failure.servers == ["ldap"]);
    }
    leave(world);
    world.lab.run(&["down", SERVERS[1]]);
}

fn stop(world: &World, failure: &Failure) {
    for host in failure.hosts {
        world.lab.sh(host, "postfix stop 2>/dev/null");
    }
    for server in failure.servers {
        world.lab.sh(
            server,
            "pid=$(cat /run/slapd/slapd.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.1; done",
        );
    }
}

fn start(world: &World, failure: &Failure) {
    for host in failure.hosts {
        world.lab.sh(host, "postfix start 2>/dev/null");
    }
    for server in failure.servers {
        world.lab.sh(
            server,
            "slapd -f /etc/ldap/slapd.conf -u openldap -g openldap -h ldap:///",
        );
    }
    // qmgr(8) remembers for minutes which hosts did not answer, unless the queue is flushed.
    for (host, _, _) in HOSTS {
        world.lab.sh(host, "postqueue -f");
    }
}

/// How many addresses wait, bounce (or are refused for good) and loop that did not before. If the only host that faces the Internet is down, what
/// came in there waits at its senders.
fn counted(before: &Outcomes, now: &Outcomes, is_shut: bool) -> BTreeMap<&'static str, u64> {
    let mut all = worse::worse(before, now, &addresses());
    let came_in = before.iter().filter(|((place, _), outcome)| {
        let is_door = place.host == "mx" && place.from == Some(OUTSIDE);
        is_shut && is_door && outcome.worst() == Action::Delivered
    });
    for ((_, address), _) in came_in {
        all.entry(address.clone()).or_default();
    }
    let mut counts = BTreeMap::from([("deferred", 0), ("bounced", 0), ("looped", 0)]);
    for (kind, addresses) in worse::counted(&all, None) {
        let kind = if kind == "refused" { "bounced" } else { kind };
        *counts.entry(kind).or_default() += addresses.len() as u64;
    }
    counts
}
