//! Ledgers and generations as a hostile host could write them: whatever they say, there is a plan or an error, and what is
//! read is what would be written.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::history::{Generation, HistoryEntry};
use crate::ledger::{Applied, Ledger};
use crate::plan::Run;
use crate::secret::{Secret, SecretName};

/// The highest generation that is read.
const LAST_GENERATION: u64 = 1_000_000_000;

/// One forgery; `way` leads to a part of the JSON, each number modulo what there is.
#[derive(Debug, Clone)]
enum Forgery {
    /// The part becomes another value.
    Value(Vec<u8>, Value),
    /// The last key on the way becomes another one.
    Key(Vec<u8>, String),
    /// The part is taken away.
    Remove(Vec<u8>),
    /// The part becomes a copy of another part.
    Copy(Vec<u8>, Vec<u8>),
}

const WORDS: [&str; 22] = [
    "",
    "/",
    "/etc/shadow",
    "/etc/postfix/../shadow",
    "/etc/postfix/x",
    "/etc/postfix/main.cf",
    "main.cf:relayhost",
    "main.cf:x\ny",
    "master.cf:lmtp/unix/chroot",
    "master.cf:lmtp/unix",
    "master.cf:x/y/z/w",
    "created",
    "adopted",
    "postfix",
    "postfix-out",
    "postfix-../..",
    "root; reboot",
    "rollback to 3 (0123abc)",
    "--upload-pack=x",
    "ssh.become.password",
    "\u{1b}]52;c;x\u{7}\n::error::x",
    "backend[1:99999999].example.org",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => word().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => prop::sample::select(vec![
            json!(null), json!(true), json!([]), json!({}), json!(0), json!(1), json!(2), json!(3),
            json!(u64::MAX), json!(1e300), json!("0777"), json!("7777777"),
            json!({"adopted": {"value": "x"}}), json!({"secret": "ldap.bind_pw"}), json!({"text": "x"}),
        ]),
    ]
}

fn forgery() -> impl Strategy<Value = Forgery> {
    let way = || prop::collection::vec(any::<u8>(), 1..8);
    prop_oneof![
        4 => (way(), value()).prop_map(|(way, value)| Forgery::Value(way, value)),
        2 => (way(), word()).prop_map(|(way, key)| Forgery::Key(way, key)),
        1 => way().prop_map(Forgery::Remove),
        1 => (way(), way()).prop_map(|(way, from)| Forgery::Copy(way, from)),
    ]
}

/// The part that a way leads to, and does `change` there: to the part's parent, with the part's key.
fn at<T>(whole: &mut Value, way: &[u8], change: impl FnOnce(&mut Value, &str) -> T) -> Option<T> {
    let (first, rest) = way.split_first()?;
    let keys: Vec<String> = match &*whole {
        Value::Object(map) => map.keys().cloned().collect(),
        Value::Array(list) => (0..list.len()).map(|at| at.to_string()).collect(),
        _ => return None,
    };
    let key = keys.get(usize::from(*first) % keys.len().max(1))?;
    let part = match &mut *whole {
        Value::Object(map) => map.get_mut(key)?,
        Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?)?,
        _ => return None,
    };
    let inner = part.is_object() || part.is_array();
    if inner && !rest.is_empty() {
        return at(part, rest, change);
    }
    Some(change(whole, key))
}

fn part<'v>(parent: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match parent {
        Value::Object(map) => map.get_mut(key),
        Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?),
        _ => None,
    }
}

fn forged(mut whole: Value, forgeries: &[Forgery]) -> Value {
    for forgery in forgeries {
        match forgery {
            Forgery::Value(way, value) => {
                at(&mut whole, way, |parent, key| {
                    part(parent, key).map(|part| *part = value.clone())
                });
            }
            Forgery::Key(way, new) => {
                at(&mut whole, way, |parent, key| {
                    let map = parent.as_object_mut()?;
                    let value = map.remove(key)?;
                    map.insert(new.clone(), value)
                });
            }
            Forgery::Remove(way) => {
                at(&mut whole, way, |parent, key| {
                    parent.as_object_mut().and_then(|map| map.remove(key))
                });
            }
            Forgery::Copy(way, from) => {
                let copy = at(&mut whole, from, |parent, key| part(parent, key).cloned());
                at(&mut whole, way, |parent, key| {
                    part(parent, key).map(|part| *part = copy.flatten().unwrap_or_default())
                });
            }
        }
    }
    whole
}

/// A host that has applied files, values and entries, with its plan.
fn applied() -> (Bench, HostPlan) {
    let mut bench = Bench::new("relayhost = [old]\n")
        .want("relayhost", "[new]")
        .want_file("/etc/postfix/x", file(Body::plain("ours\n")))
        .want_file(
            "/etc/postfix/secret",
            file(Body::from_rendered(&format!(
                "bind_pw = {}\n",
                Body::token(&SecretName("ldap.bind_pw".to_owned()))
            ))),
        )
        .has_file("/etc/postfix/x", state("theirs\n"));
    let secret = Secret::new("hunter22".to_owned());
    bench
        .secrets
        .insert(SecretName("ldap.bind_pw".to_owned()), secret);
    let plan = bench.plan();
    (bench, plan)
}

/// Whatever is read becomes a verdict, and its orders need no more than what they name.
fn planned(bench: &Bench) {
    let verdict = bench.verdict();
    let text = serde_json::to_string(&verdict).unwrap();
    assert!(!text.contains("hunter22"), "{text}");
    if let Verdict::Changes(plan) = verdict.verdict {
        assert!(plan.ledger.generation <= LAST_GENERATION + 1);
        let run = Run {
            id: "r1".to_owned(),
            by: "a@b".to_owned(),
            at: "now".to_owned(),
            revision: String::new(),
            ..Run::default()
        };
        let _ = crate::plan::orders(&plan, &bench.secrets, &run, None, false);
    }
}

/// The config of the run; each of these is cheap.
fn many() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: config.cases.max(1000),
        ..config
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn a_forged_ledger_is_planned_with_or_refused(forgeries in prop::collection::vec(forgery(), 0..6)) {
        let (bench, plan) = applied();
        let honest: Value = serde_json::from_slice(&plan.ledger.to_bytes()).unwrap();
        let bytes = serde_json::to_vec(&forged(honest, &forgeries)).unwrap();
        if let Ok(ledger) = Ledger::from_bytes(&bytes) {
            prop_assert!(ledger.generation <= LAST_GENERATION);
            let again = Ledger::from_bytes(&ledger.to_bytes());
            prop_assert_eq!(again.as_ref(), Ok(&ledger));
            for pending in [None, Some(ledger.clone())] {
                let mut bench = Bench {
                    desired: bench.desired.clone(),
                    live: bench.live.clone(),
                    secrets: bench.secrets.clone(),
                    rollback: false,
                };
                bench.live.pending = pending;
                for path in ledger.files() {
                    bench.live.files.insert(path.clone(), LiveFile::Present(state("live\n")));
                }
                bench.live.ledger = Some(ledger.clone());
                planned(&bench);
            }
        }
    }

    #[test]
    fn a_forged_generation_is_gone_back_to_or_refused(
        entry in prop::collection::vec(forgery(), 0..4),
        snapshot in prop::collection::vec(forgery(), 0..6),
    ) {
        let (mut bench, plan) = applied();
        let generation = Generation {
            entry: HistoryEntry {
                generation: 1,
                murder: "example.org".to_owned(),
                applied: Applied {
                    by: "a@b".to_owned(),
                    at: "now".to_owned(),
                    revision: "0123abc".to_owned(),
                    ..Applied::default()
                },
                changed: Vec::new(),
                not_probed: false,
                fault_remains: false,
            },
            snapshot: *plan.snapshot.clone().unwrap(),
        };
        let bytes = generation.to_bytes();
        let mut lines = bytes.split(|byte| *byte == b'\n');
        let mut line = |forgeries: &[Forgery]| {
            let honest: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
            forged(honest, forgeries).to_string()
        };
        let text = format!("{}\n{}\n", line(&entry), line(&snapshot));
        if let Ok(read) = Generation::from_bytes(text.as_bytes()) {
            let again = Generation::from_bytes(&read.to_bytes());
            prop_assert!(again.is_ok_and(|again| again == read));
            bench.desired = read.snapshot.desired();
            bench.rollback = true;
            bench.live.ledger = Some(plan.ledger);
            planned(&bench);
        }
    }
}

#[test]
fn the_honest_ones_are_read() {
    let (_, plan) = applied();
    let bytes = plan.ledger.to_bytes();
    assert_eq!(Ledger::from_bytes(&bytes).unwrap(), plan.ledger);
    assert!(
        String::from_utf8(bytes)
            .unwrap()
            .contains("/etc/postfix/secret")
    );
    assert_eq!(plan.snapshot.unwrap().desired().postfix().files.len(), 2);
}
