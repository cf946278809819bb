//! Clients, shells, hosts and cables that die in the middle of an apply.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use super::colours::{Colour, Stands, Target, leftovers};
use super::watch::{Seen, Watch, together};
use super::{Chance, Tally, only, times};
use crate::world::{Run, Running, World, until};

/// Kills of the client, and of the shells on the host, over all hosts together.
const KILLS: usize = 50;
/// Power failures.
const FAILURES: usize = 10;
/// How long a cable is out.
const CUT: Duration = Duration::from_secs(30);

/// How the hosts stood after the fault, before the next apply.
#[derive(Default)]
struct Found {
    before: usize,
    after: usize,
    between: usize,
}

impl Found {
    fn note(&mut self, stands: Stands, wanted: Colour) {
        match stands {
            Stands::As(colour) if colour == wanted => self.after += 1,
            Stands::As(_) => self.before += 1,
            Stands::Between => self.between += 1,
        }
    }

    fn say(&self) -> String {
        format!(
            "after the fault {} as before, {} as desired, {} between, finished by the next apply",
            self.before, self.after, self.between
        )
    }
}

/// Waits until no apply is at work on the host any more, nor about to be.
pub fn settle(world: &World, host: &str) {
    world.lab.sh(
        host,
        "sleep 0.1; for _ in $(seq 2400); do pgrep -f '[i]ncoming[.]|[s]pool[.]' >/dev/null || exit 0; sleep 0.05; done; exit 1",
    );
}

/// Starts an apply of the other colour, on each of two hosts in turn as often as is asked for; `fault`
/// strikes it, and says whether it was in time. The first host is looked at all the while.
fn strike<'a>(
    what: &str,
    world: &'a World,
    targets: &[&'a Target],
    number: usize,
    fault: impl Fn(&Target, &mut Chance, Option<&mut Watch<'a>>, &mut dyn FnMut() -> Running) -> bool
    + Sync,
) {
    let tally = Mutex::new((Tally::default(), Found::default(), Vec::<Seen>::new(), 0));
    let share = number.div_ceil(targets.len());
    std::thread::scope(|scope| {
        for (place, target) in targets.iter().enumerate() {
            let (tally, fault) = (&tally, &fault);
            scope.spawn(move || {
                let mut chance = Chance::new(place as u64 + 10 * what.len() as u64);
                let mut watch = (place == 0).then(|| Watch::begin(world, &target.host));
                let mut colour = Colour::Blue;
                let (mut hits, mut tries) = (0, 0);
                while hits < share && tries < 3 * share {
                    colour = colour.other();
                    tries += 1;
                    let mut start = || {
                        world.start(
                            "apply",
                            &[&only(target, colour)[..], &["--yes"]].concat(),
                            &[],
                        )
                    };
                    let hit = fault(target, &mut chance, watch.as_mut(), &mut start);
                    settle(world, &target.host);
                    let stands = target.stands(world);
                    let result = target.converges(world, colour);
                    let mut tally = tally.lock().unwrap();
                    if hit {
                        hits += 1;
                        tally.0.add(result);
                        tally.1.note(stands, colour);
                    } else {
                        // It came too late to count, and yet nothing may be wrong.
                        tally.0.wrong.extend(result.err());
                        tally.3 += 1;
                    }
                }
                tally.lock().unwrap().2.extend(watch.map(Watch::end));
            });
        }
    });
    let (mut tally, found, seen, late) = tally.into_inner().unwrap();
    let (line, wrong) = together(&seen);
    tally.wrong.extend(wrong);
    for seen in seen.iter().filter(|seen| seen.later > 0) {
        tally
            .wrong
            .push(format!("SMTP said `later`: {}", seen.last_later));
    }
    tally.notes = vec![found.say(), format!("{late} more came too late"), line];
    tally.tell(what);
}

/// SIGKILL to the client, from its start to its end.
pub fn the_client_is_killed(world: &World, targets: [&Target; 2]) {
    strike(
        "client killed",
        world,
        &targets,
        times(KILLS),
        |target, chance, _, start| {
            let mut running = start();
            sleep(chance.part_of(target.takes));
            let hit = running.runs();
            let _ = running.child.kill();
            running.finish();
            hit
        },
    );
}

/// SIGKILL to what runs on the host: the worker's shell, its whole session, or the shell in front.
pub fn the_worker_is_killed(world: &World, targets: [&Target; 2]) {
    const VICTIMS: &[&str] = &["worker", "session", "front"];
    for target in targets {
        std::fs::write(
            world.lab.root(&target.host).join("root/hunt.py"),
            include_str!("hunt.py"),
        )
        .unwrap();
    }
    let turn = std::sync::atomic::AtomicUsize::new(0);
    strike(
        "shell killed on the host",
        world,
        &targets,
        times(KILLS),
        |target, chance, _, start| {
            let victim =
                VICTIMS[turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % VICTIMS.len()];
            // An apply's work on the host is the better half of it.
            let delay = chance
                .part_of(target.takes.mul_f64(0.6))
                .as_secs_f64()
                .to_string();
            let mut hunt = Command::new(world.lab.script())
                .args([
                    "exec",
                    &target.host,
                    "python3",
                    "/root/hunt.py",
                    &delay,
                    victim,
                ])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = std::io::BufReader::new(hunt.stdout.take().unwrap());
            let mut line = String::new();
            std::io::BufRead::read_line(&mut said, &mut line).unwrap();
            assert_eq!(line, "ready\n");
            let run = start().finish();
            line.clear();
            std::io::BufRead::read_line(&mut said, &mut line).unwrap();
            assert!(hunt.wait().unwrap().success(), "{line}");
            let hit = line == "hit\n";
            assert!([0, 3, 4, 5].contains(&run.code), "{run}");
            hit
        },
    );
}

/// All processes of the host end at once; it boots again from its disk.
pub fn the_power_fails(world: &World, target: &Target) {
    strike(
        "host power-cycled",
        world,
        &[target],
        times(FAILURES),
        |target, chance, watch, start| {
            let mut running = start();
            sleep(chance.part_of(target.takes));
            let hit = running.runs();
            world.lab.power(&target.host);
            if let Some(watch) = watch {
                watch.go_on();
            }
            ends(running);
            hit
        },
    );
}

/// A client whose host is gone must end by itself.
fn ends(mut running: Running) -> Run {
    until("the client ends", 150, || (!running.runs()).then_some(()));
    running.finish()
}

/// The cable out for half a minute, on all hosts at once, each at a moment of its own.
pub fn the_cable_is_cut(world: &World, targets: &[Target]) {
    let tally = Mutex::new((Tally::default(), Found::default(), Vec::new()));
    std::thread::scope(|scope| {
        for (place, target) in targets.iter().enumerate() {
            let tally = &tally;
            scope.spawn(move || {
                let mut chance = Chance::new(1000 + place as u64);
                for _ in 0..times(1) {
                    let colour = match target.stands(world) {
                        Stands::As(colour) => colour.other(),
                        Stands::Between => Colour::Red,
                    };
                    let watch = Watch::begin(world, &target.host);
                    let running = world.start(
                        "apply",
                        &[&only(target, colour)[..], &["--yes"]].concat(),
                        &[],
                    );
                    // In the part that works on the host: the first look takes a tenth.
                    sleep(target.takes.mul_f64(0.2) + chance.part_of(target.takes.mul_f64(0.6)));
                    world.lab.run(&["cut", &target.host]);
                    sleep(CUT);
                    world.lab.run(&["mend", &target.host]);
                    let run = ends(running);
                    settle(world, &target.host);
                    let stands = target.stands(world);
                    let mut result = target.converges(world, colour);
                    if ![0, 3, 4].contains(&run.code) {
                        result = Err(format!("a cut cable ends with {run}"));
                    }
                    let mut tally = tally.lock().unwrap();
                    tally.0.add(result);
                    tally.1.note(stands, colour);
                    tally.2.push(watch.end());
                }
            });
        }
    });
    let (mut tally, found, seen) = tally.into_inner().unwrap();
    // Without a network LDAP does not answer, so `later` is the right answer here.
    let (line, wrong) = together(&seen);
    tally.wrong.extend(wrong);
    tally.notes = vec![found.say(), line];
    tally.tell("cable out for 30 s");
}

/// The payload is whole on the host, and then nobody is there any more: it finishes by itself.
pub fn a_host_without_its_client_finishes(world: &mut World) {
    let host = "mupdate"; // it asks no directory, so it can finish without a network
    let folder = world.lab.root(host).join("var/lib/murder");
    let mut tally = Tally::default();
    for days in 1..=times(3) {
        world.write(
            "days.yaml",
            &format!(
                "hosts: {{mupdate.example.org: {{settings: {{bounce_queue_lifetime: {days}d}}}}}}\n"
            ),
        );
        let words = ["--overlay", "days.yaml", "--host", "mupdate.example.org"];
        let mut running = world.start("apply", &[&words[..], &["--yes"]].concat(), &[]);
        until("the payload is whole", 30, || {
            let mut entries = std::fs::read_dir(&folder).unwrap().filter_map(Result::ok);
            entries
                .any(|entry| entry.file_name().to_string_lossy().starts_with("spool."))
                .then_some(())
        });
        world.lab.run(&["cut", host]);
        let _ = running.child.kill();
        running.finish();
        settle(world, host);
        let there = world.lab.postconf(host, "bounce_queue_lifetime");
        let left = leftovers(world, host);
        world.lab.run(&["mend", host]);
        let plan = world.murder("plan", &[&words[..], &["--detailed-exitcode"]].concat());
        tally.add(
            if there == format!("{days}d") && left.is_empty() && plan.code == 0 {
                Ok(())
            } else {
                Err(format!(
                    "bounce_queue_lifetime is {there}, left: {left}; {plan}"
                ))
            },
        );
    }
    tally.tell("client and network gone once the payload is whole");
    world
        .murder("apply", &["--host", "mupdate.example.org", "--yes"])
        .exits(0);
}
