//! The limits of numbers and times in the catalogue against those of the real Postfix.

use std::fs;
use std::path::Path;
use std::process::Command;

use murder::postfix::catalogue;

/// The numbers and times that every program of Postfix reads, also postmap(1).
const READ_BY_POSTMAP: [&str; 32] = [
    "application_event_drain_time",
    "berkeley_db_create_buffer_size",
    "berkeley_db_read_buffer_size",
    "daemon_timeout",
    "debug_peer_level",
    "default_process_limit",
    "delay_logging_resolution_limit",
    "deliver_lock_attempts",
    "deliver_lock_delay",
    "fault_injection_code",
    "fork_attempts",
    "fork_delay",
    "hash_queue_depth",
    "header_address_token_limit",
    "header_size_limit",
    "in_flow_delay",
    "ipc_idle",
    "ipc_timeout",
    "ipc_ttl",
    "line_length_limit",
    "lmdb_map_size",
    "max_idle",
    "max_use",
    "message_size_limit",
    "mime_boundary_length_limit",
    "mime_nesting_limit",
    "smtputf8_enable",
    "soft_bounce",
    "stale_lock_time",
    "strict_smtputf8",
    "tcp_windowsize",
    "trigger_timeout",
];

/// The values to try for a parameter: around 0 and around its limits.
fn values(name: &str) -> Vec<String> {
    let (least, most) = catalogue::limits(name);
    let mut numbers = vec![-2_147_483_648, -1, 0, 1, i64::from(i32::MAX)];
    numbers.extend([Some(least), most].into_iter().flatten().flat_map(|limit| {
        [limit.checked_sub(1), Some(limit), limit.checked_add(1)]
            .into_iter()
            .flatten()
    }));
    numbers.sort_unstable();
    numbers.dedup();
    let mut values: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    values.extend(["abc", "yes"].map(str::to_owned));
    values
}

/// Whether postmap(1) runs with a value.
fn runs(directory: &Path, name: &str, value: &str) -> bool {
    let folder = directory.join(format!("{name}{value}"));
    fs::create_dir(&folder).unwrap();
    // A short message_size_limit needs a shorter queue, and nothing else matters here.
    fs::write(
        folder.join("main.cf"),
        format!("compatibility_level = 3.6\n{name} = {value}\n"),
    )
    .unwrap();
    let output = Command::new("/usr/sbin/postmap")
        .arg("-c")
        .arg(&folder)
        .args(["-q", "key", "static:value"])
        .output()
        .unwrap();
    output.status.success()
}

#[test]
fn numbers_are_refused_as_postfix_refuses_them() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    // A program that dies sleeps a second first.
    let differences: Vec<String> = std::thread::scope(|scope| {
        let judged = READ_BY_POSTMAP.map(|name| {
            scope.spawn(move || {
                let tried = values(name).into_iter().filter_map(|value| {
                    let here = catalogue::check(name, &value).is_ok();
                    let there = runs(root, name, &value);
                    (here != there).then(|| format!("{name} = {value}: {here}, Postfix {there}"))
                });
                tried.collect::<Vec<String>>()
            })
        });
        judged
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(differences, [""; 0]);
}
