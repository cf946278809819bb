//! A host goes back to what it was, and forward again; a lock that is held is explained.

use crate::reports::Judged as _;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::mail::{arrives, send, token};
use crate::world::{World, text};

const HOST: &str = "backend1.example.org";

/// Runs a verb about one host; it must end with this code. Gives what it prints.
#[track_caller]
fn ask(world: &World, code: i32, verb: &str, more: &[&str]) -> String {
    let mut words = vec![verb, HOST];
    match verb {
        "release" => words.push("all"),
        "unhold" => words.push("message_size_limit"),
        _ => {}
    }
    words.extend(["manifest", "--overlay", "lab.yaml"]);
    words.extend(more);
    let output = world.command(&words).judged();
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{words:?}\n{said}");
    text(&output.stdout)
}

fn history(world: &World) -> Value {
    serde_json::from_str(&ask(world, 0, "history", &["--format", "json"])).unwrap()
}

pub fn a_host_goes_back_in_its_history(world: &mut World) {
    world.converge();
    let before = history(world)["generation"].as_u64().unwrap();
    let limit = |world: &World| world.lab.postconf("backend1", "message_size_limit");
    let default = limit(world);
    let more = format!("hosts:\n  {HOST}:\n    settings: {{message_size_limit: \"31000000\"}}\n");
    world.write("more.yaml", &more);
    world
        .murder(
            "apply",
            &["--yes", "--host", HOST, "--overlay", "more.yaml"],
        )
        .exits(0);
    assert_eq!(limit(world), "31000000");

    ask(world, 0, "rollback", &["--yes"]);
    assert_eq!(limit(world), default);
    world.murder("plan", &["--detailed-exitcode"]).exits(0);
    // The rollback holds what it changed: an apply of the same manifest leaves it, until that is ended.
    world
        .murder(
            "apply",
            &["--yes", "--host", HOST, "--overlay", "more.yaml"],
        )
        .exits(0);
    assert_eq!(limit(world), default);
    ask(world, 0, "unhold", &[]);
    let after = history(world);
    assert_eq!(after["generation"], before + 2);
    assert_eq!(
        after["generations"][0]["applied"]["revision"],
        format!("rollback to {before}")
    );
    // Nothing is left to do, and so nothing is written.
    let snapshot = world.snapshot("backend1");
    let generation = before.to_string();
    ask(
        world,
        0,
        "rollback",
        &["--yes", "--no-hold", "--to", &generation],
    );
    assert_eq!(snapshot, world.snapshot("backend1"));

    // Forward, as the host was in between; then without `murder`, and back to where it belongs.
    ask(world, 0, "rollback", &["--yes", "--no-hold"]);
    assert_eq!(limit(world), "31000000");
    ask(world, 0, "rollback", &["--yes", "--no-hold", "--to", "0"]);
    let main_cf = world.lab.sh("backend1", "cat /etc/postfix/main.cf");
    assert!(!main_cf.contains("virtual_alias_maps"), "{main_cf}");
    ask(
        world,
        0,
        "rollback",
        &["--yes", "--no-hold", "--to", &generation],
    );
    world.murder("plan", &["--detailed-exitcode"]).exits(0);
    let token = token();
    send(world, "mx", "john@example.org", &token).unwrap();
    arrives(world, "backend1", "user/john", &token);
    let found = world.lab.try_sh(
        "backend1",
        &format!(
            "grep -rl {} /var/lib/murder/history",
            crate::world::BIND_PASSWORD
        ),
    );
    assert_eq!(text(&found.stdout), "", "a generation holds no secret");
}

pub fn a_lock_is_explained_and_never_broken(world: &mut World) {
    ask(world, 0, "unlock", &[]);
    let mut holder = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/lab"))
        .args(["exec", "backend1", "sh", "-c"])
        .arg(
            "cd /var/lib/murder; exec 9>>lock; flock 9; echo $$; \
             echo \"by ops@desk since noon (run r1, process $$)\" >|lock; exec sleep 60 >/dev/null",
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let process: u32 = line.trim().parse().unwrap();
    let snapshot = world.snapshot("backend1");
    let said = ask(world, 3, "unlock", &[]);
    assert!(
        said.contains("started by ops@desk since noon") && said.contains(&format!("-p {process}")),
        "{said}"
    );
    assert_eq!(snapshot, world.snapshot("backend1"));
    ask(world, 3, "release", &["--yes"]);
    // Its process ends, and the lock with it.
    world.lab.sh("backend1", &format!("kill {process}"));
    holder.wait().unwrap();
    ask(world, 0, "unlock", &[]);
}
