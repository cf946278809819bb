//! Two applies at once, and hosts that move between plan and apply.

use std::io::{Read, Write};
use std::process::Stdio;
use std::thread::sleep;

use super::colours::{Colour, Stands, Target};
use super::{Chance, Tally, only, times};
use crate::world::{World, text, until};

/// Two applies of two manifests at once: one wins, the other says so, and the host is never a mixture.
pub fn two_apply_at_once(world: &World, target: &Target) {
    let mut tally = Tally::default();
    let mut chance = Chance::new(77);
    let (mut locked, mut stale, mut in_turn) = (0, 0, 0);
    for _ in 0..times(20) {
        // From a state that is neither's: both have work.
        world.lab.sh(&target.host, "postconf -X smtp_destination_concurrency_limit smtp_destination_recipient_limit; postconf -e bounce_queue_lifetime=4d");
        let start = |colour: Colour, user: &str| {
            world.start(
                "apply",
                &[&only(target, colour)[..], &["--yes", "--allow-overwrite"]].concat(),
                &[("USER", user)],
            )
        };
        let red = start(Colour::Red, "anna");
        sleep(chance.part_of(target.takes.mul_f64(0.25)));
        let blue = start(Colour::Blue, "bert");
        let (red, blue) = (red.finish(), blue.finish());
        let stands = target.stands(world);
        let says = |run: &crate::world::Run, other: &str| {
            let said = format!("{}{}", run.stdout, run.stderr);
            (
                said.contains("locked") && said.contains(&format!("{other}@")),
                said.contains("stale"),
            )
        };
        let result = match (red.code, blue.code) {
            (0, 3) => lost(
                says(&blue, "anna"),
                &mut locked,
                &mut stale,
                stands,
                Colour::Red,
                &blue,
            ),
            (3, 0) => lost(
                says(&red, "bert"),
                &mut locked,
                &mut stale,
                stands,
                Colour::Blue,
                &red,
            ),
            // One after the other: the later plan saw what the earlier one had made.
            (0, 0) => {
                in_turn += 1;
                match stands {
                    Stands::As(_) => Ok(()),
                    Stands::Between => Err(format!(
                        "both are done, and it is a mixture:\n{red}\n{blue}"
                    )),
                }
            }
            _ => Err(format!("neither won:\n{red}\n{blue}")),
        };
        tally.add(result.and_then(|()| target.converges(world, Colour::Blue)));
    }
    tally.notes.push(format!(
        "the other was told `locked` and by whom {locked} times, `stale` {stale} times, and came after it {in_turn} times"
    ));
    tally.tell("two applies at once");
}

fn lost(
    (is_locked, is_stale): (bool, bool),
    locked: &mut usize,
    stale: &mut usize,
    stands: Stands,
    winner: Colour,
    loser: &crate::world::Run,
) -> Result<(), String> {
    *locked += usize::from(is_locked);
    *stale += usize::from(is_stale && !is_locked);
    if !is_locked && !is_stale {
        return Err(format!("it does not say who was first: {loser}"));
    }
    match stands {
        Stands::As(colour) if colour == winner => Ok(()),
        _ => Err(format!(
            "{winner:?} won, and the host stands {stands:?}: {loser}"
        )),
    }
}

/// Somebody changes the host while the question waits for its answer: nothing is written there.
pub fn a_host_that_moved_is_left_alone(world: &mut World) {
    let mut tally = Tally::default();
    // What moves, how, and what the report must name.
    let moves = [
        (
            "main.cf",
            "postconf -e mail_spool_directory=/var/mail",
            "/etc/postfix/main.cf",
        ),
        (
            "master.cf",
            "printf '# a comment\\n' >>/etc/postfix/master.cf",
            "/etc/postfix/master.cf",
        ),
        (
            "a file that is to change",
            "printf '# x\\n' >>/etc/postfix/ldap/transport_maps.cf",
            "/etc/postfix/ldap/transport_maps.cf",
        ),
        (
            "a file that is to be made",
            "printf 'theirs\\n' >/etc/postfix/lab-new",
            "/etc/postfix/lab-new",
        ),
        (
            "the ledger",
            "printf ' ' >>/var/lib/murder/ledger.json",
            "/var/lib/murder/ledger.json",
        ),
    ];
    world.write(
        "moved.yaml",
        "ldap: {timeout: 12s}\nhosts:\n  backend2.example.org:\n    settings: {bounce_queue_lifetime: 4d}\n    services: {lmtp/unix: {options: {syslog_name: postfix/moved}}}\n    files: {/etc/postfix/lab-new: {content: \"new\\n\"}}\n",
    );
    let words = ["--overlay", "moved.yaml", "--host", "backend2.example.org"];
    let state = |world: &World| {
        world.lab.sh("backend2", "find /etc/postfix /var/lib/murder -type f ! -name lock ! -name last -printf '%p %i %T@ %m\\n' | sort; grep -c 'reload --' /var/log/mail.log")
    };
    for (what, change, named) in moves {
        let program = world
            .command(&[])
            .get_program()
            .to_string_lossy()
            .into_owned();
        let line = format!(
            "{program} apply manifest --overlay lab.yaml {}",
            words.join(" ")
        );
        // script(1) gives it the terminal that a question needs.
        let mut asking = world.command(&[]);
        let mut child = std::process::Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            .current_dir(world.room())
            .env_clear()
            .envs(
                asking
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        asking.stdin(Stdio::null());
        let said = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let mut stdout = child.stdout.take().unwrap();
        let reader = {
            let said = said.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stdout.read(&mut buffer) {
                    said.lock().unwrap().extend_from_slice(&buffer[..count]);
                }
            })
        };
        until("the question", 60, || {
            text(&said.lock().unwrap())
                .contains("Only `yes`")
                .then_some(())
        });
        world.lab.sh(
            "backend2",
            "cp -a /etc/postfix /root/kept; cp -a /var/lib/murder/ledger.json /root/kept.json",
        );
        world.lab.sh("backend2", change);
        let before = state(world);
        child.stdin.as_mut().unwrap().write_all(b"yes\n").unwrap();
        let status = child.wait().unwrap();
        reader.join().unwrap();
        let said = text(&said.lock().unwrap());
        let after = state(world);
        tally.add(
            if status.code() == Some(3)
                && said.contains("stale")
                && said.contains(named)
                && before == after
            {
                Ok(())
            } else {
                Err(format!("{what}: {status:?}\n{said}\n{before}\n{after}"))
            },
        );
        world.lab.sh("backend2", "rm -f /etc/postfix/lab-new; cp -a /root/kept/. /etc/postfix/; cp -a /root/kept.json /var/lib/murder/ledger.json; rm -rf /root/kept /root/kept.json");
    }
    tally.tell("host moved between plan and apply");
    world.converge();
}
