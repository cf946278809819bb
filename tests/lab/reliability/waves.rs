//! The order of hosts, what stops it, and what takes it up again.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::crashes::settle;
use super::{Chance, Tally, times};
use crate::mail;
use crate::world::{HOSTS, Run, World, until};

/// Writes an overlay that gives every host of the murder something to do.
fn everywhere(world: &World, days: u32) -> [&'static str; 2] {
    world.write("everywhere.yaml", &format!("defaults: {{settings: {{bounce_queue_lifetime: {days}d}}, ssh: {{connect_timeout: 3s}}}}\n"));
    ["--overlay", "everywhere.yaml"]
}

/// The hosts that stand as the overlay says.
fn reached(world: &World, days: u32) -> Vec<&'static str> {
    let value = format!("{days}d");
    let there = |host: &&&str| world.lab.postconf(host, "bounce_queue_lifetime") == value;
    HOSTS.iter().filter(there).copied().collect()
}

fn apply(world: &World, overlay: [&str; 2], more: &[&str]) -> Run {
    world.murder("apply", &[&overlay[..], &["--yes"], more].concat())
}

/// What the report says was not attempted.
#[track_caller]
fn not_attempted(run: Run, hosts: &[&str]) -> Run {
    let json = run.json();
    for host in HOSTS {
        let outcome = &json["hosts"][format!("{host}.example.org")]["outcome"];
        assert_eq!(
            outcome == "not_attempted",
            hosts.contains(host),
            "{host}: {outcome}: {run}"
        );
    }
    run
}

/// A host that failed or cannot be reached stops the waves after its own; `--max-fail` lets them go.
pub fn a_failed_host_stops_the_waves(world: &mut World) {
    const JSON: [&str; 2] = ["--format", "json"];
    let mut days = 2;
    let mut next = || {
        days += 1;
        days
    };
    // One fails: its wave is finished, the MTAs behind it are not begun.
    let value = next();
    let overlay = everywhere(world, value);
    world.lab.sh("backend1", "chattr +i /etc/postfix/main.cf");
    let run = apply(world, overlay, &JSON).exits(3);
    not_attempted(run, &["mx", "smtp", "frontend1", "mupdate"]);
    assert_eq!(reached(world, value), ["backend2"]);
    // With `--max-fail` they are.
    apply(world, overlay, &["--max-fail", "1"])
        .exits(3)
        .says("backend1.example.org");
    assert_eq!(
        reached(world, value),
        ["mx", "smtp", "backend2", "frontend1", "mupdate"]
    );
    world.lab.sh("backend1", "chattr -i /etc/postfix/main.cf");
    apply(world, overlay, &[]).exits(0);
    assert_eq!(reached(world, value), HOSTS);

    // One cannot be reached.
    let value = next();
    let overlay = everywhere(world, value);
    world.lab.run(&["cut", "backend1"]);
    let run = apply(world, overlay, &JSON).exits(4);
    not_attempted(run, &["mx", "smtp", "frontend1", "mupdate"]);
    apply(world, overlay, &["--allow-unreachable", "backend1.*"])
        .exits(0)
        .says("allowed");
    assert_eq!(
        reached(world, value),
        ["mx", "smtp", "backend2", "frontend1", "mupdate"]
    );
    world.lab.run(&["mend", "backend1"]);
    apply(world, overlay, &[]).exits(0);
    assert_eq!(reached(world, value), HOSTS);

    // A canary that fails is the only one.
    let value = next();
    let overlay = everywhere(world, value);
    world.lab.sh("backend1", "chattr +i /etc/postfix/main.cf");
    let run = apply(world, overlay, &["--canary", "1", "--format", "json"]).exits(3);
    not_attempted(run, &["mx", "smtp", "backend2", "frontend1", "mupdate"]);
    world.lab.sh("backend1", "chattr -i /etc/postfix/main.cf");
    // One at a time, in the order that keeps mail flowing.
    apply(world, overlay, &["--canary", "1", "--parallel", "1"]).exits(0);
    let mut order: Vec<(String, &str)> = HOSTS
        .iter()
        .map(|host| {
            (
                world
                    .lab
                    .sh(host, "stat -c %.9Y /var/lib/murder/ledger.json"),
                *host,
            )
        })
        .collect();
    order.sort();
    let order: Vec<&str> = order.into_iter().map(|(_, host)| host).collect();
    assert_eq!(order[..3], ["backend1", "backend2", "smtp"]);
    world.murder("apply", &["--yes"]).exits(0);
}

/// Waits until a host works on its orders.
fn at_work(world: &World, host: &str) {
    let folder = world.lab.root(host).join("var/lib/murder");
    until("an apply is at work", 60, || {
        let mut entries = std::fs::read_dir(&folder).unwrap().filter_map(Result::ok);
        entries
            .any(|entry| entry.file_name().to_string_lossy().starts_with("spool."))
            .then_some(())
    });
}

/// Ctrl-C once finishes the hosts in flight and begins no others; twice stops at once. Both are safe.
pub fn interrupts_are_safe(world: &mut World) {
    let mut tally = Tally::default();
    let overlay = everywhere(world, 6);
    let words = [&overlay[..], &["--yes", "--format", "json"]].concat();
    let one_by_one = [&words[..], &["--parallel", "1"]].concat();
    let running = world.start("apply", &one_by_one, &[]);
    at_work(world, "backend1");
    running.signal("INT");
    let run = running.finish().exits(130);
    not_attempted(run, &["mx", "smtp", "backend2", "frontend1", "mupdate"]);
    assert_eq!(reached(world, 6), ["backend1"]);
    world
        .murder("plan", &[&overlay[..], &["--detailed-exitcode"]].concat())
        .exits(2);
    apply(world, overlay, &[]).exits(0);
    assert_eq!(reached(world, 6), HOSTS);
    tally.add(Ok(()));

    let mut chance = Chance::new(500);
    for round in 0..times(5) {
        let value = 7 + u32::try_from(round).unwrap();
        let overlay = everywhere(world, value);
        let running = world.start("apply", &[&overlay[..], &["--yes"]].concat(), &[]);
        at_work(world, "backend1");
        // The first time at once, when every host of the wave is certainly in flight; then at any moment.
        let early = round == 0;
        if !early {
            sleep(chance.part_of(Duration::from_millis(1500)));
        }
        running.signal("INT");
        sleep(Duration::from_millis(50));
        running.signal("INT");
        let start = Instant::now();
        let run = running.finish();
        let prompt = start.elapsed() < Duration::from_secs(2);
        for host in HOSTS {
            settle(world, host);
        }
        let next = apply(world, overlay, &[]);
        let plan = world.murder("plan", &[&overlay[..], &["--detailed-exitcode"]].concat());
        // Where the hosts in flight finish between the two signals there is nothing left to stop.
        let stopped = run.code == 130 || (!early && run.code == 0);
        let right = stopped && prompt && next.code == 0 && plan.code == 0;
        tally.add(if right && reached(world, value) == HOSTS {
            Ok(())
        } else {
            Err(format!("{run}\n{next}\n{plan}"))
        });
    }
    tally.tell("Ctrl-C once, and twice");
    world.murder("apply", &["--yes"]).exits(0);
}

/// Mails that wait on the first backend after its apply keep the second one from its turn: `max_deferred`.
pub fn deferred_mail_stops_the_next_wave(world: &mut World) {
    let overlay = |name: &str, settings: &str, limit: u32| {
        world.write(
            name,
            &format!(
                "rollout: {{backend: {{serial: 1, pause: 10s, max_deferred: {limit}}}}}\n\
                 modules: {{backend: {{settings: {settings}}}}}\n"
            ),
        );
    };
    overlay("waits.yaml", "{defer_transports: \"smtp, relay\"}", 2);
    let apply = |overlay: &[&str]| {
        world.murder(
            "apply",
            &[overlay, &["--yes", "--host", "backend*"]].concat(),
        )
    };
    // The backend's own users write as soon as its Postfix has the new value.
    let script = "for _ in $(seq 600); do [ \"$(postconf -h defer_transports)\" ] && break; sleep 0.1; done; sleep 1
         for i in 1 2 3 4; do printf 'Subject: x\n\nx\n' | sendmail -f john@example.org someone@outside.example; done";
    let mut writer = std::process::Command::new(world.lab.script())
        .args(["exec", "backend1", "sh", "-c", script])
        .stdin(std::process::Stdio::null())
        .spawn()
        .unwrap();
    apply(&["--overlay", "waits.yaml"])
        .exits(2)
        .says("backend1.example.org: 4 mails are deferred, 4 more than when the plan was made (`max_deferred: 2`)")
        .says("backend2.example.org\n  not attempted: the mails that wait");
    assert!(writer.wait().unwrap().success());
    assert_eq!(world.lab.postconf("backend2", "defer_transports"), "");
    // The next plan begins with the mails that wait by then.
    world
        .murder("plan", &["--overlay", "waits.yaml", "--host", "backend*"])
        .says("queue: 4 deferred, 0 active");
    apply(&["--overlay", "waits.yaml"]).exits(0);
    assert_eq!(
        world.lab.postconf("backend2", "defer_transports"),
        "smtp, relay"
    );
    apply(&[]).exits(0);
    for host in ["backend1", "backend2"] {
        world.lab.sh(host, "postqueue -f");
    }
    until("the mails leave backend1", 60, || {
        mail::queue(world, "backend1")
            .trim()
            .is_empty()
            .then_some(())
    });
}
