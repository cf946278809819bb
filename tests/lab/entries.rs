//! Entries of a real directory that are easily got wrong: groups without members, addresses that cannot be delivered, and
//! several values where one is expected.

use crate::mail::{Refused, arrives, send, token};
use crate::routing::lookup;
use crate::world::World;

/// Recipients that no backend can deliver, and the answer to each. All are values of the lab's directory, and UTF-8.
const UNDELIVERABLE: [(&str, &str); 11] = [
    ("ghosts@example.org", "550 5.1.1"),
    ("phantoms@example.org", "550 5.1.1"),
    ("retired@example.org", "550 5.1.1"),
    ("pensioners+x@example.org", "550 5.1.1"),
    ("john..doe@example.org", "501 5.1.3"),
    (".john@example.org", "501 5.1.3"),
    ("john.@example.org", "501 5.1.3"),
    ("john.+lists@example.org", "501 5.1.3"),
    ("\"john..doe\"@EXAMPLE.org", "501 5.1.3"),
    ("j\u{f6}rg@example.org", "501 5.1.3"),
    ("backslash@example.org", "550 5.1.1"),
];

/// Folders whose targets Postfix would read as several recipients, or as none.
const BAD_FOLDERS: [&str; 4] = [
    "quote@example.org",
    "quotes@example.org",
    "quotes+x@example.org",
    "backslashes@example.org",
];

pub fn what_cannot_be_delivered_is_refused_at_the_first_hop(world: &mut World) {
    for entrance in ["mx", "smtp"] {
        let folders = BAD_FOLDERS.map(|folder| (folder, "550 5.1.1"));
        for (to, answer) in UNDELIVERABLE.into_iter().chain(folders) {
            let Err(Refused(words)) = send(world, entrance, to, &token()) else {
                panic!("{entrance} accepts {to}");
            };
            assert!(words.starts_with(answer), "{entrance}: {to}: {words}");
        }
    }
    for folder in BAD_FOLDERS {
        assert_eq!(
            lookup(world, "backend2", "virtual_alias_maps", folder),
            None
        );
    }
}

pub fn both_primary_addresses_of_a_person_arrive(world: &mut World) {
    let here = env!("CARGO_MANIFEST_DIR");
    for mailbox in ["user/kim", "user/kim.both"] {
        let made = std::process::Command::new(format!("{here}/tests/lab/cyrus"))
            .args(["mailbox", "backend1", mailbox])
            .status()
            .unwrap();
        assert!(made.success());
    }
    for (to, mailbox) in [
        ("kim@example.org", "user/kim"),
        ("kim.both@example.org", "user/kim.both"),
    ] {
        for entrance in ["mx", "backend1"] {
            let token = token();
            send(world, entrance, to, &token)
                .unwrap_or_else(|Refused(answer)| panic!("{entrance} refuses {to}: {answer}"));
            arrives(world, "backend1", mailbox, &token);
        }
    }
}

pub fn a_hosts_own_users_are_valid_at_its_own_name(world: &mut World) {
    for to in [
        "root@backend1.example.org",
        "root+cron@backend1.example.org",
    ] {
        send(world, "backend1", to, &token())
            .unwrap_or_else(|Refused(answer)| panic!("backend1 refuses {to}: {answer}"));
    }
    // Users of the system have no address in the mail domains.
    for to in ["nosuch@backend1.example.org", "www-data@example.org"] {
        let Err(Refused(answer)) = send(world, "backend1", to, &token()) else {
            panic!("backend1 accepts {to}");
        };
        assert!(answer.starts_with("450"), "{to}: {answer}");
    }
}
