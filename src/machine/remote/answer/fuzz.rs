//! Answers that are whole by their frame and broken within: a host may send anything, and whatever
//! it sends must come out as an observation or as an error.

use proptest::prelude::*;

use super::super::frame::{sha256, unframe};
use super::*;
use crate::plan::{DiffInput, diff};
use crate::secret::Secrets;
use crate::state::{Desired, Want};

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const TABLE: &str = "/etc/postfix/transport";
const GENERATION: &str = "/var/lib/murder/history/3.json";
const SOCKET: &str = "/run/cyrus/socket/lmtp";

const LEDGER_LINE: &str = r#"{"version":1,"murder":"example.org","generation":3,"managed":{"/etc/postfix/transport":{"origin":"created","value":"00"},"main.cf:relayhost":{"origin":{"adopted":{"value":"[b]"}},"value":"[a]"},"master.cf:lmtp/unix/chroot":{"origin":{"adopted":{"value":"y"}},"value":"n"},"/etc/postfix/x":{"origin":{"adopted":{"file":{"sha256":"11","owner":"root","group":"root","mode":"0644"}}},"value":"22","access":{"owner":"root","group":"root","mode":"0640"}}},"indexes":{"/etc/postfix/transport":"00"},"told":"33","applied":{"by":"a@b","at":"2026-01-01T00:00:00Z","revision":"r"},"hosts":["backend[1:3].example.org"]}"#;
const GENERATION_TEXT: &str = r#"{"generation":3,"murder":"example.org","applied":{"by":"a@b","at":"2026-01-01T00:00:00Z","revision":"r"},"changed":[{"thing":"main.cf:relayhost","action":"update"}]}
{"files":{},"values":{"main.cf:relayhost":"[a]"},"probes":{"accept":[],"refuse":[]}}
"#;

/// The head of an answer as `observe.sh` prints it, for what comes after it.
fn head(table: &[u8], generation: &[u8]) -> Vec<u8> {
    let (sizes, hashes) = (
        (table.len(), generation.len()),
        (sha256(table), sha256(generation)),
    );
    let entry = GENERATION_TEXT.lines().next().unwrap_or_default();
    let zero = "0".repeat(64);
    format!(
        "=stats
81a4 100 1700000000 main.cf root:root 0:0
81a4 100 1700000000 master.cf root:root 0:0
8180 900 1700000000 {LEDGER} root:root 0:0
8180 100 1700000000 {JOURNAL} root:root 0:0
81ed 100 1700000000 /usr/sbin/postconf root:root 0:0
81a4 {} 1700000000 {TABLE} root:domain users 0:4712
81a4 12288 1700000001 {TABLE}.db root:postfix 0:103
8180 {} 1700000000 {GENERATION} root:root 0:0
41e8 4096 1700000000 /run/cyrus/socket cyrus:mail 96:8
c1ff 0 1700000000 {SOCKET} cyrus:mail 96:8
=texts
main.cf:compatibility_level = 3.6
main.cf:relayhost = [a]
:transport_maps = hash:/etc/postfix/transport,
:  ldap:/etc/postfix/ldap/x.cf
main.cf:queue_directory = /var/spool/postfix
master.cf:smtp inet n - y - - smtpd
master.cf:  -o syslog_name=postfix/smtp -o {{ a = b c }}
master.cf:lmtp unix - - n - - lmtp -v
{LEDGER}:{LEDGER_LINE}
{JOURNAL}:{{\"run\":\"r9\",\"by\":\"a@b\",\"at\":\"then\",\"phase\":\"committing\"}}
{LAST}:ending putback
:by a@b
{LAST}:at 2026-01-01T00:00:00Z
{LAST}:summary postmap failed
{LAST}:| its own words
{LAST}:hint do this
{PENDING}r9.json:{LEDGER_LINE}
=history
{GENERATION} {entry}
=hashes
{zero}  /etc/postfix/main.cf
{zero}  /etc/postfix/master.cf
{zero}  {LEDGER}
{}  {TABLE}
{}  {GENERATION}
=links
{TABLE} /etc/postfix/real/transport
=identity :100.1700000000
=running yes
=lock free
=holder a@b since then (run r9, process 17)
=postfix
uid=101(postfix) gid=103(postfix) groups=103(postfix),8(mail)
=distribution debian
=types
btree
hash
ldap
=defaults
mail_version = 3.7.11
default_database_type = hash
relayhost
transport_maps
=stream {TABLE} {GENERATION}
",
        sizes.0, sizes.1, hashes.0, hashes.1
    )
    .into_bytes()
}

fn questions(history: Option<HistoryQuestion>) -> Questions {
    let path = |text: &str| RemotePath::new(text).ok();
    Questions {
        files: path(TABLE).into_iter().map(|path| (path, None)).collect(),
        indexes: path("/etc/postfix/transport.db").into_iter().collect(),
        sockets: path(SOCKET).into_iter().collect(),
        history,
        ..Questions::default()
    }
}

/// One way to break an answer; places are taken modulo what there is.
#[derive(Debug, Clone)]
enum Damage {
    Byte(usize, u8),
    DropLine(usize),
    DoubleLine(usize),
    MoveLine(usize, usize),
    Cut(usize),
    Insert(usize, Vec<u8>),
    /// A word of a line becomes another one.
    Word(usize, usize, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = || any::<u16>().prop_map(usize::from);
    let words = prop::sample::select(vec![
        "",
        "-1",
        "0",
        "18446744073709551616",
        "ffffffff",
        "/",
        "//",
        "/etc/../x",
        "=",
        "=texts",
        "=stream",
        "{}",
        "null",
        "é\u{0}",
        "[",
        "$",
        "main.cf:",
        ":",
        "missing",
        "held",
    ]);
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        at().prop_map(Damage::DropLine),
        at().prop_map(Damage::DoubleLine),
        (at(), at()).prop_map(|(from, to)| Damage::MoveLine(from, to)),
        at().prop_map(Damage::Cut),
        (at(), prop::collection::vec(any::<u8>(), 0..40))
            .prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        (at(), at(), words).prop_map(|(line, word, new)| Damage::Word(line, word, new)),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        if bytes.is_empty() {
            return bytes;
        }
        let length = bytes.len();
        let mut lines: Vec<Vec<u8>> = bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        let count = lines.len();
        match damage {
            Damage::Byte(at, byte) => {
                bytes[at % length] = *byte;
                continue;
            }
            Damage::Cut(at) => {
                bytes.truncate(at % length);
                continue;
            }
            Damage::Insert(at, new) => {
                let at = at % length;
                bytes.splice(at..at, new.iter().copied());
                continue;
            }
            Damage::DropLine(at) => drop(lines.remove(at % count)),
            Damage::DoubleLine(at) => {
                let line = lines[at % count].clone();
                lines.insert(at % count, line);
            }
            Damage::MoveLine(from, to) => {
                let line = lines.remove(from % count);
                lines.insert(to % count, line);
            }
            Damage::Word(at, word, new) => {
                let line = &mut lines[at % count];
                let mut words: Vec<Vec<u8>> = line
                    .split(|byte| *byte == b' ')
                    .map(<[u8]>::to_vec)
                    .collect();
                let word = word % words.len();
                words[word] = new.as_bytes().to_vec();
                *line = words.join(&b' ');
            }
        }
        bytes = lines.join(&b'\n');
    }
    bytes
}

fn framed(head: &[u8], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("Welcome!\n{NONCE} BEGIN {}\n", sha256(head)).into_bytes();
    bytes.extend(head);
    bytes.extend(format!("{NONCE} HEAD\n").bytes());
    bytes.extend(body);
    bytes.extend(format!("\n{NONCE} END\n").bytes());
    bytes
}

fn answer(head: &[u8], body: &[u8], questions: &Questions) -> Result<Observed, MachineError> {
    let bytes = framed(head, body);
    match unframe(&bytes, NONCE) {
        Ok(frame) => understand(&frame, questions, &Service::POSTFIX, &Secrets::default()),
        Err(broken) => Err(failure(broken.why(), None, "")),
    }
}

const TABLE_TEXT: &[u8] = b"example.org lmtp:unix:/run/cyrus/socket/lmtp\n";

#[test]
fn the_answer_that_is_broken_below_is_a_good_one() {
    let body = [TABLE_TEXT, GENERATION_TEXT.as_bytes()].concat();
    let head = head(TABLE_TEXT, GENERATION_TEXT.as_bytes());
    let asked = questions(Some(HistoryQuestion::Generation(3)));
    let seen = answer(&head, &body, &asked);
    let seen = seen.as_ref().ok();
    let live = seen.map(|seen| &seen.live);
    assert!(live.is_some_and(|live| live.ledger.is_some() && live.files.len() == 2));
    assert!(live.is_some_and(|live| live.journal.is_some() && live.remarks.len() == 1));
    assert!(seen.is_some_and(|seen| seen.generation.is_some()));
    let asked = questions(Some(HistoryQuestion::Entries));
    let seen = answer(&head, &body, &asked).ok();
    assert_eq!(seen.map(|seen| seen.entries.len()), Some(1));
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases.max(4000),
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_broken_answer_is_understood_or_refused(
        in_head in prop::collection::vec(damage(), 0..5),
        in_table in prop::collection::vec(damage(), 0..3),
        in_generation in prop::collection::vec(damage(), 0..3),
        in_body in prop::collection::vec(damage(), 0..2),
        history in prop::sample::select(vec![
            None,
            Some(HistoryQuestion::Entries),
            Some(HistoryQuestion::Generation(3)),
            Some(HistoryQuestion::Generation(u64::MAX)),
        ]),
    ) {
        // What is broken before the head is made has the right size and hash, and is looked into.
        let table = damaged(TABLE_TEXT.to_vec(), &in_table);
        let generation = damaged(GENERATION_TEXT.as_bytes().to_vec(), &in_generation);
        let head = damaged(head(&table, &generation), &in_head);
        let body = damaged([table, generation].concat(), &in_body);
        let questions = questions(history);
        match answer(&head, &body, &questions) {
            Ok(seen) => {
                prop_assert!(questions.files.keys().all(|path| seen.live.files.contains_key(path)));
                // Whatever it is, there is a difference to make of it.
                let mut desired = Desired::default();
                let files = questions.files.keys().map(|path| (path.clone(), Want::Absent));
                desired.postfix_mut().files = files.collect();
                let verdict = diff(DiffInput {
                    known: None,
                    murder: "example.org",
                    desired: &desired,
                    live: &seen.live,
                    secrets: &Secrets::default(),
                    hosts: &[],
                    keep: 20,
                    rollback: None,
                });
                let said = format!("{verdict:?}");
                prop_assert!(!said.is_empty());
            }
            Err(MachineError::Unfit(failure)) => prop_assert!(!failure.summary.is_empty()),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }
}
