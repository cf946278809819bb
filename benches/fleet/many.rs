//! A thousand hosts, which are one sshd with a thousand addresses; one more that is dead; an sshd that refuses.

use std::fmt::Write as _;

use crate::hosts::Lab;
use crate::run::{Cost, head, row, run};
use crate::{Options, floor};

const HOSTS: usize = 1_000;

/// Addresses of the one host: 10.99.0.1 and so on.
fn address(number: usize) -> String {
    format!("10.99.{}.{}", number / 250, number % 250 + 1)
}

/// Prints time, memory, threads and files, and how they change with a dead host and with refusals.
pub fn measure(lab: &Lab, options: &Options) {
    let host = ["many".to_owned()];
    lab.up(&host);
    let mut script = String::new();
    for number in 0..HOSTS {
        let _ = writeln!(script, "ip addr add {}/32 dev lo", address(number));
    }
    script.push_str("/usr/sbin/sshd -p 2222 -o MaxStartups=3:50:10 -o PidFile=/run/sshd-few.pid\n");
    std::fs::write(
        lab.run(&["root", "many"]).trim().to_owned() + "/root/many.sh",
        script,
    )
    .unwrap();
    lab.sh("many", "sh /root/many.sh");
    let route = std::process::Command::new("ip")
        .args([
            "route",
            "replace",
            "10.99.0.0/16",
            "via",
            &lab.address("many"),
        ])
        .status()
        .unwrap();
    assert!(route.success());
    let known = std::fs::read_to_string(lab.file("known_hosts")).unwrap();
    let key = known
        .lines()
        .find_map(|line| line.strip_prefix("many.example.org,")?.split_once(' '))
        .unwrap()
        .1
        .to_owned();
    let mut known = String::new();
    for number in 0..HOSTS {
        let _ = writeln!(known, "{0},[{0}]:2222 {key}", address(number));
    }
    lab.write("many.known", &known);
    let manifest = |name: &str, hosts: usize, port: u16, dead: bool| {
        let mut list: Vec<(String, String)> = (0..hosts)
            .map(|number| {
                let place = address(number);
                let body = format!("roles: [frontend], ssh: {{address: {place}, port: {port}}}");
                (format!("n{number}"), body)
            })
            .collect();
        if dead {
            // In the net of the others, and none of theirs: what is sent there vanishes.
            list[hosts / 2].1 =
                "roles: [frontend], ssh: {address: 10.99.200.200, connect_timeout: 5s}".to_owned();
        }
        lab.manifest(name, &lab.room().join("many.known"), &list);
    };
    manifest("one.yaml", 1, 22, false);
    manifest("hundred.yaml", 100, 22, false);
    manifest("thousand.yaml", HOSTS, 22, false);
    manifest("dead.yaml", HOSTS, 22, true);
    manifest("refused.yaml", HOSTS, 2222, false);
    run(&mut lab.apply("one.yaml"), &[0]);

    let key = lab.file("id_ed25519");
    let sockets: Vec<String> = (0..32)
        .map(|number| format!("{}:22", address(number)))
        .collect();
    let best = |mut work: Box<dyn FnMut() -> Cost>| {
        let costs: Vec<Cost> = (0..options.rounds.min(3)).map(|_| work()).collect();
        crate::run::median(&costs)
    };
    head();
    let floor = best(Box::new(|| {
        run(&mut floor::command(&key, "true", &sockets), &[0]).0
    }));
    row("floor: 32 handshakes with `true`, all at once", floor);
    let plan = |name: &str, codes: &[i32]| {
        let (cost, said) = run(&mut lab.murder("plan", name, &["--diff", "summary"]), codes);
        let counts = |line: &&str| line.starts_with(|first: char| first.is_ascii_digit());
        let end = said.lines().find(counts).unwrap_or_default().to_owned();
        (cost, end)
    };
    let hundred = best(Box::new(|| plan("hundred.yaml", &[0]).0));
    row("murder plan, 100 hosts, 32 at once", hundred);
    for (name, work) in [
        ("thousand.yaml", "1,000 hosts"),
        ("dead.yaml", "1,000 hosts, one of them dead (time-out 5 s)"),
        ("refused.yaml", "1,000 hosts, sshd with MaxStartups=3:50:10"),
    ] {
        let (cost, end) = plan(name, &[0, 4]);
        row(&format!("murder plan, {work}"), cost);
        println!("    {end}");
    }
    println!(
        "1,000 handshakes ÷ parallelism: {:.1} s by the floor; must be: under 300 MiB",
        floor.time.as_secs_f64() * HOSTS as f64 / 32.0
    );
}
