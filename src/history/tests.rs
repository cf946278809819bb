//! Generations, written and read.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::name::{Mode, TableType, UserName};
use crate::secret::{Body, Piece, SecretName};

fn file(text: &str, secret: &str) -> File {
    File {
        body: Body(vec![
            Piece::Text(text.to_owned()),
            Piece::Secret(SecretName(secret.to_owned())),
        ]),
        owner: UserName::new("root").unwrap(),
        group: UserName::new("postfix").unwrap(),
        mode: Mode::from_bits(0o640),
        index: None,
        table: Some(TableType::new("ldap").unwrap()),
    }
}

fn generation(text: &str, secret: &str, value: Option<String>) -> Generation {
    let thing = |text: &str| text.parse::<Thing>().unwrap();
    Generation {
        entry: HistoryEntry {
            generation: 7,
            murder: text.to_owned(),
            applied: Applied {
                by: "ops@desk".to_owned(),
                at: "2026-01-02T03:04:05Z".to_owned(),
                revision: "0123abc-dirty".to_owned(),
                ..Applied::default()
            },
            changed: vec![Changed {
                service: Service::POSTFIX,
                thing: thing("master.cf:lmtp/unix:soft_bounce"),
                action: Action::TakeOver,
            }],
            not_probed: false,
            fault_remains: false,
        },
        snapshot: Snapshot {
            services: [(Service::POSTFIX, snapshot(text, secret, value))].into(),
        },
    }
}

fn snapshot(text: &str, secret: &str, value: Option<String>) -> ServiceSnapshot {
    let thing = |text: &str| text.parse::<Thing>().unwrap();
    ServiceSnapshot {
        files: [
            (
                RemotePath::new("/etc/postfix/ldap.cf").unwrap(),
                Some(file(text, secret)),
            ),
            (RemotePath::new("/etc/postfix/gone").unwrap(), None),
        ]
        .into(),
        values: [
            (thing("relayhost"), value),
            (thing("master.cf:lmtp/unix"), None),
        ]
        .into(),
        probes: Probes {
            accept: vec!["a@example.org".to_owned()],
            refuse: Vec::new(),
        },
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(text: String, secret: String, value: Option<String>) {
        let generation = generation(&text, &secret, value);
        let bytes = generation.to_bytes();
        prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
        prop_assert_eq!(&HistoryEntry::from_bytes(&bytes).unwrap(), &generation.entry);
        prop_assert_eq!(Generation::from_bytes(&bytes).unwrap(), generation);
    }

    #[test]
    fn a_file_cut_short_is_no_generation(cut in 1_usize..400) {
        let bytes = generation("text", "ldap.bind_pw", None).to_bytes();
        // The last byte is only the line end.
        let left = bytes.len().saturating_sub(cut + 1);
        prop_assert!(Generation::from_bytes(&bytes[..left]).is_err());
    }
}

#[test]
fn a_generation_of_format_1_is_read() {
    let new = generation("text", "ldap.bind_pw", Some("x".to_owned()));
    let postfix = snapshot("text", "ldap.bind_pw", Some("x".to_owned()));
    let entry = serde_json::to_string(&new.entry).unwrap();
    let entry = entry.replace("\"service\":\"postfix\",", "");
    let old = format!("{entry}\n{}\n", serde_json::to_string(&postfix).unwrap());
    assert!(
        !old.contains("\"postfix\":") && !old.contains("version"),
        "{old}"
    );
    assert_eq!(Generation::from_bytes(old.as_bytes()).unwrap(), new);
}

#[test]
fn a_generation_of_a_newer_format_is_refused_and_both_versions_are_named() {
    let bytes = generation("text", "ldap.bind_pw", None).to_bytes();
    let text = String::from_utf8(bytes).unwrap();
    let newer = text.replace("{\"version\":2,", "{\"version\":3,");
    assert_ne!(newer, text);
    let error = Generation::from_bytes(newer.as_bytes()).unwrap_err();
    let words = error.to_string();
    assert!(
        words.contains("format 3") && words.contains("formats 1 to 2"),
        "{words}"
    );
}

#[test]
fn the_first_line_alone_is_an_entry() {
    let generation = generation("example.org", "ldap.bind_pw", None);
    let bytes = generation.to_bytes();
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    assert_eq!(
        HistoryEntry::from_bytes(&bytes[..end]).unwrap(),
        generation.entry
    );
    assert!(Generation::from_bytes(&bytes[..end]).is_err());
}

#[test]
fn the_generation_before_the_last_change() {
    let entries = |changes: &[(u64, bool)]| -> Vec<HistoryEntry> {
        changes
            .iter()
            .map(|(number, changes)| {
                let mut entry = generation("", "", None).entry;
                entry.generation = *number;
                if !changes {
                    entry.changed.clear();
                }
                entry
            })
            .collect()
    };
    let three = entries(&[(4, true), (5, true), (6, true)]);
    assert_eq!(before_last(&three, 6), Some(5));
    assert_eq!(before_last(&three[..1], 4), None);
    assert_eq!(before_last(&[], 4), None);
    let told_again = entries(&[(4, true), (5, true), (6, false)]);
    assert_eq!(before_last(&told_again, 6), Some(4));
}

#[test]
fn a_rollback_of_a_rollback_names_the_manifest_once() {
    let once = revision_of_rollback(3, "0123abc-dirty");
    assert_eq!(once, "rollback to 3 (0123abc-dirty)");
    assert_eq!(
        revision_of_rollback(5, &once),
        "rollback to 5 (0123abc-dirty)"
    );
    assert_eq!(revision_of_rollback(3, ""), "rollback to 3");
    assert_eq!(manifest_revision("rollback to 3"), "");
    assert_eq!(manifest_revision("0123abc"), "0123abc");
}

#[test]
fn what_is_no_generation_says_which_part() {
    let error = Generation::from_bytes(b"{}\n{}\n").unwrap_err();
    assert!(error.to_string().starts_with("the entry of a generation"));
}
