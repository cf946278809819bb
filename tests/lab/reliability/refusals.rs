//! A probe that fails puts everything back, and a plan that deletes much is asked for by name.

use super::{Tally, times};
use crate::world::World;

/// Every byte, mode and owner that Postfix or an apply has on a host.
fn bytes(world: &World, host: &str) -> String {
    world.lab.sh(
        host,
        "cd /; find etc/postfix var/lib/murder -type f ! -name lock ! -name last -exec sha256sum {} + | sort -k 2; \
         find etc/postfix var/lib/murder ! -name lock ! -name last -printf '%p %y %m %u:%g %l\\n' | sort; postconf -n",
    )
}

/// An address that was accepted before and is refused after: the host gets back what it had.
pub fn a_failed_probe_puts_back(world: &mut World) {
    let mut tally = Tally::default();
    let words = [
        "--overlay",
        "refusing.yaml",
        "--host",
        "smtp.example.org",
        "--yes",
    ];
    // Ways to lose john, each by another kind of step, and what the host says of it.
    let ways = [
        (
            "settings: {relay_recipient_maps: \"inline:{nobody@example.org=x}\"}",
            "550",
        ),
        (
            "settings: {smtpd_recipient_restrictions: \"reject\"}",
            "554",
        ),
        (
            "settings: {smtpd_recipient_restrictions: \"check_recipient_access TYPE:/etc/postfix/lab-doors, permit\"}\nfiles: {/etc/postfix/lab-doors: {content: \"john@example.org 550 5.7.1 the door is closed\\n\", table: true}}",
            "the door is closed",
        ),
    ];
    // Debian's newest releases have cdb in place of hash.
    let table = world.lab.postconf("smtp", "default_database_type");
    for round in 0..times(1) {
        for (lines, says) in &ways {
            let lines: String = lines
                .replace("TYPE", &table)
                .lines()
                .fold(String::new(), |all, line| all + "    " + line + "\n");
            world.write("refusing.yaml", &format!("hosts:\n  smtp.example.org:\n    probe: {{accept: [john@example.org]}}\n{lines}"));
            let before = bytes(world, "smtp");
            let run = world.murder("apply", &words);
            let after = bytes(world, "smtp");
            let said = format!("{}{}", run.stdout, run.stderr);
            let right = run.code == 3
                && said.contains(says)
                && said.contains("john@example.org")
                && said.contains("the host was restored");
            tally.add(if right && before == after {
                Ok(())
            } else {
                Err(format!(
                    "round {round}: {lines}{run}\n--- before\n{before}\n--- after\n{after}"
                ))
            });
        }
    }
    tally.tell("probe refused after the change");
    world.murder("plan", &["--detailed-exitcode"]).exits(0);
}

/// Most of what a host has would go: that is refused without `--allow-delete`.
pub fn deleting_much_is_asked_for(world: &mut World) {
    let host = "frontend1";
    let only = ["--host", "frontend1.example.org"];
    let files: String = (0..20).fold(String::new(), |all, number| {
        all + &format!("      /etc/postfix/lab-many-{number}: {{content: \"{number}\\n\"}}\n")
    });
    world.write(
        "many.yaml",
        &format!("hosts:\n  frontend1.example.org:\n    files:\n{files}"),
    );
    world
        .murder(
            "apply",
            &[&only[..], &["--overlay", "many.yaml", "--yes"]].concat(),
        )
        .exits(0);
    let before = world.snapshot(host);
    world
        .murder("apply", &[&only[..], &["--yes"]].concat())
        .exits(1)
        .says("--allow-delete")
        .says("frontend1.example.org");
    assert_eq!(before, world.snapshot(host), "a refusal writes nothing");
    world
        .murder("apply", &[&only[..], &["--yes", "--allow-delete"]].concat())
        .exits(0);
    assert_eq!(
        world
            .lab
            .sh(host, "ls /etc/postfix | grep -c lab-many || true")
            .trim(),
        "0"
    );
    world.murder("plan", &["--detailed-exitcode"]).exits(0);
}
