//! Stories on real hosts: the lab is booted once, and the stories are told one after another.
//!
//! `cargo test --test lab` runs all, `cargo test --test lab -- WORD...` those with one of the words in their name.
//! It needs root (see `tests/lab/README.md`), so it is no default test target; `tests/run` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

// The hosts, and the program run against them.
mod world;
// Messages sent, and looked for where they should arrive.
mod mail;
// Murders that were set up by other means.
mod adopted;
// First contact, and what is found there.
mod first_contact;
// Mail that arrives, waits, or is refused.
mod routing;
// A directory like Active Directory.
mod active_directory;
// LMTP over TCP.
mod lmtp;
// Two instances of Postfix on one machine.
mod instances;
// Entries of a real directory that are easily got wrong.
mod entries;
// What somebody changed by hand.
mod drift;
// A day of drift by cron, with a clock that is moved.
mod day;
// Every report is as its schema says.
#[path = "../reports.rs"]
mod reports;
// A change on its way through git and a pipeline.
mod gitops;
// The HTTP server that is told.
#[path = "../sandbox/server.rs"]
mod server;
// The states on the way of a change.
mod states;
// What nobody names any more.
mod removal;
// The way back, and the lock.
mod history;
// Hosts that cannot be reached or cannot serve.
mod failures;
// Failed logins, which newer sshds count against the address of the client.
mod penalties;
// The ways to become root, and the shells that stand in between.
mod shells;
// Faults, races and steady mail: no host is left half-way.
mod reliability;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use world::World;

/// A story: its name, and how it goes.
type Story = (&'static str, fn(&mut World));

/// In this order: the first finds the hosts as Debian installs them.
const STORIES: &[Story] = &[
    ("fresh_hosts_are_set_up", routing::fresh_hosts_are_set_up),
    (
        "a_second_apply_writes_nothing",
        drift::a_second_apply_writes_nothing,
    ),
    ("observing_is_small", drift::observing_is_small),
    (
        "tables_answer_as_the_recipe_says",
        routing::tables_answer_as_the_recipe_says,
    ),
    (
        "hosts_on_the_way_agree_with_the_model",
        routing::hosts_on_the_way_agree_with_the_model,
    ),
    (
        "mail_from_outside_arrives",
        routing::mail_from_outside_arrives,
    ),
    (
        "mail_from_inside_arrives",
        routing::mail_from_inside_arrives,
    ),
    (
        "unknown_recipients_are_refused",
        routing::unknown_recipients_are_refused,
    ),
    (
        "what_cannot_be_delivered_is_refused_at_the_first_hop",
        entries::what_cannot_be_delivered_is_refused_at_the_first_hop,
    ),
    (
        "both_primary_addresses_of_a_person_arrive",
        entries::both_primary_addresses_of_a_person_arrive,
    ),
    (
        "a_hosts_own_users_are_valid_at_its_own_name",
        entries::a_hosts_own_users_are_valid_at_its_own_name,
    ),
    (
        "undecided_recipients_wait",
        routing::undecided_recipients_wait,
    ),
    ("cyrus_takes_lmtp_over_tcp", lmtp::cyrus_takes_lmtp_over_tcp),
    (
        "mail_flows_through_two_instances",
        instances::mail_flows_through_two_instances,
    ),
    (
        "a_directory_like_active_directory_serves",
        active_directory::a_directory_like_active_directory_serves,
    ),
    (
        "changes_by_hand_are_seen_and_put_right",
        drift::changes_by_hand_are_seen_and_put_right,
    ),
    (
        "what_nobody_names_goes_or_goes_back",
        removal::what_nobody_names_goes_or_goes_back,
    ),
    (
        "a_retired_host_is_emptied",
        removal::a_retired_host_is_emptied,
    ),
    (
        "a_host_goes_back_in_its_history",
        history::a_host_goes_back_in_its_history,
    ),
    (
        "a_lock_is_explained_and_never_broken",
        history::a_lock_is_explained_and_never_broken,
    ),
    (
        "first_contact_shows_and_refuses",
        first_contact::first_contact_shows_and_refuses,
    ),
    ("any_shell_serves", shells::any_shell_serves),
    ("any_way_to_root_serves", shells::any_way_to_root_serves),
    (
        "a_host_that_fails_fails_alone",
        failures::a_host_that_fails_fails_alone,
    ),
    (
        "failed_logins_never_block_the_client",
        penalties::failed_logins_never_block_the_client,
    ),
    (
        "failed_logins_at_one_jump_host_neither",
        penalties::failed_logins_at_one_jump_host_neither,
    ),
    (
        "an_apply_cut_off_is_finished_by_the_next",
        reliability::an_apply_cut_off_is_finished_by_the_next,
    ),
    (
        "mail_flows_through_applies",
        reliability::mail_flows_through_applies,
    ),
    (
        "no_fault_leaves_a_host_half_way",
        reliability::no_fault_leaves_a_host_half_way,
    ),
    (
        "a_host_without_its_client_finishes",
        reliability::a_host_without_its_client_finishes,
    ),
    (
        "a_host_that_moved_is_left_alone",
        reliability::a_host_that_moved_is_left_alone,
    ),
    (
        "a_failed_probe_puts_back",
        reliability::a_failed_probe_puts_back,
    ),
    (
        "deleting_much_is_asked_for",
        reliability::deleting_much_is_asked_for,
    ),
    (
        "a_failed_host_stops_the_waves",
        reliability::a_failed_host_stops_the_waves,
    ),
    (
        "deferred_mail_stops_the_next_wave",
        reliability::deferred_mail_stops_the_next_wave,
    ),
    ("interrupts_are_safe", reliability::interrupts_are_safe),
    (
        "a_folder_moves_under_its_mail",
        reliability::a_folder_moves_under_its_mail,
    ),
    (
        "a_day_of_cron_tells_each_event_once",
        day::a_day_of_cron_tells_each_event_once,
    ),
    (
        "a_change_goes_through_a_pipeline",
        gitops::a_change_goes_through_a_pipeline,
    ),
    ("no_message_ever_looped", routing::no_message_ever_looped),
    // The wrong orders of these loop, which is what they are about.
    (
        "states_on_the_way_are_what_the_plan_says",
        states::states_on_the_way_are_what_the_plan_says,
    ),
    (
        "a_failure_delays_mail_and_bounces_none",
        states::a_failure_delays_mail_and_bounces_none,
    ),
    (
        "the_password_stands_where_it_must",
        reliability::the_password_stands_where_it_must,
    ),
    // These set the hosts up anew, so they come last.
    (
        "the_seed_s_recipe_is_adopted",
        adopted::the_seed_s_recipe_is_adopted,
    ),
    (
        "the_files_of_setup_kolab_are_adopted",
        adopted::the_files_of_setup_kolab_are_adopted,
    ),
    (
        "a_murder_of_ansible_is_adopted",
        adopted::a_murder_of_ansible_is_adopted,
    ),
];

fn main() -> ExitCode {
    // As for other tests: words that the names have, and `--skip WORD` for those that they must not have.
    let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--skip" => unwanted.extend(words.next()),
            option if option.starts_with('-') => {}
            _ => wanted.push(word),
        }
    }
    let mut world = World::boot();
    let (mut passed, mut failed, mut filtered) = (0, Vec::new(), 0);
    for (name, story) in STORIES {
        // The first story sets the hosts up, so it is told always.
        let first = *name == STORIES[0].0;
        let has = |word: &String| name.contains(word.as_str());
        let is_wanted = wanted.is_empty() || wanted.iter().any(has);
        if !first && (!is_wanted || unwanted.iter().any(has)) {
            filtered += 1;
            continue;
        }
        print!("test {name} ... ");
        std::io::stdout().flush().unwrap();
        let start = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| story(&mut world))).is_ok() {
            passed += 1;
            println!("ok ({:.1} s)", start.elapsed().as_secs_f32());
        } else {
            failed.push(*name);
            println!("FAILED ({:.1} s)", start.elapsed().as_secs_f32());
            if first {
                break; // nothing else can be told
            }
        }
    }
    if std::env::var_os("LAB_KEEP").is_none() {
        world.lab.run(&["down"]);
    }
    for name in &failed {
        println!("failed: {name}");
    }
    println!(
        "\ntest result: {}. {passed} passed; {} failed; 0 ignored; 0 measured; {filtered} filtered out",
        if failed.is_empty() { "ok" } else { "FAILED" },
        failed.len()
    );
    ExitCode::from(u8::from(!failed.is_empty()))
}
