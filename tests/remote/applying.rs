//! Applying: whole, or not at all.

use std::collections::BTreeMap;

use murder::ledger::{Applied, LEDGER_VERSION, Ledger, Managed, Origin};
use murder::machine::remote::Remote;
use murder::machine::{Act, Ending, FileOrder, Look, Orders, Questions, Tell};
use murder::name::{Mode, Parameter, ServiceName, TableType, UserName};
use murder::plan::Expects;
use murder::postfix::Edit;
use murder::state::{LiveFile, Probes, Running};
use murder::thing::{Field, Thing};
use sha2::{Digest, Sha256};

use super::host::Host;
use super::{asking, fingerprint, leftovers, path};

const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];
const PASSWORD: &str = "Welcome2KolabSystems";

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

fn parameter(text: &str) -> Parameter {
    Parameter::new(text).unwrap()
}

fn table(text: &str) -> TableType {
    TableType::new(text).unwrap()
}

fn file(name: &str, text: &str, group: &str, mode: u32) -> FileOrder {
    FileOrder {
        path: path(name),
        bytes: text.as_bytes().to_vec().into(),
        sha256: sha256(text.as_bytes()),
        owner: UserName::new("root").unwrap(),
        group: UserName::new(group).unwrap(),
        mode: Mode::from_bits(mode),
    }
}

fn ledger(files: &[&str]) -> Vec<u8> {
    let managed = files.iter().map(|name| {
        (
            Thing::File(path(name)),
            Managed {
                origin: Origin::Created,
                value: None,
            },
        )
    });
    serde_json::to_vec_pretty(&Ledger {
        version: LEDGER_VERSION,
        murder: "example.org".to_owned(),
        generation: 1,
        managed: managed.collect(),
        indexes: BTreeMap::new(),
        told: None,
        applied: Applied::default(),
    })
    .unwrap()
}

/// Orders that expect the host as it is now, and change nothing yet.
fn orders(host: &Host, run: &str, files: &[&str]) -> Orders {
    let live = Remote::new(host.shell())
        .observe(&asking(files))
        .unwrap()
        .live;
    let expected = live.files.iter().map(|(path, file)| {
        let hash = match file {
            LiveFile::Present(file) => Some(file.sha256.clone()),
            _ => None,
        };
        (path.clone(), hash)
    });
    Orders {
        run: run.to_owned(),
        by: "tester@\"here\"".to_owned(),
        at: "2026-11-23T00:00:00Z".to_owned(),
        expects: Expects {
            main_cf: live.main_cf_sha256.clone(),
            master_cf: live.master_cf_sha256.clone(),
            ledger: live.ledger_sha256.clone(),
            files: expected.collect(),
        },
        files: vec![],
        restores: vec![],
        adopts: vec![],
        indexes: vec![],
        edits: vec![],
        check: true,
        tell: Tell::Reload,
        tables: vec![],
        probes: Probes::default(),
        allow_unverified: false,
        deletes: vec![],
        ledger: Some(ledger(files)),
    }
}

/// A plan that has every kind of step.
fn everything(host: &Host, run: &str) -> Orders {
    let mut orders = orders(
        host,
        run,
        &[
            "/etc/postfix/transport",
            "/etc/postfix/murder/secret.cf",
            "/etc/postfix/old",
            "/etc/postfix/adopted",
        ],
    );
    orders.files = vec![
        file(
            "/etc/postfix/transport",
            "a.example relay:[b.example]:25\n",
            "root",
            0o644,
        ),
        file(
            "/etc/postfix/murder/secret.cf",
            &format!("# a secret\nbind_pw = {PASSWORD}\n\0\u{e9}\n"),
            "postfix",
            0o640,
        ),
        file("/etc/postfix/adopted", "new\n", "root", 0o644),
    ];
    orders.adopts = vec![path("/etc/postfix/adopted")];
    orders.indexes = vec![(path("/etc/postfix/transport"), table("hash"))];
    orders.tables = vec![(path("/etc/postfix/transport"), table("hash"))];
    orders.edits = vec![
        Edit::SetField(
            ServiceName::new("lmtp/unix").unwrap(),
            Field::Chroot,
            "n".to_owned(),
        ),
        Edit::SetOption(
            ServiceName::new("lmtp/unix").unwrap(),
            parameter("soft_bounce"),
            "yes".to_owned(),
        ),
        Edit::Set(
            parameter("transport_maps"),
            "hash:/etc/postfix/transport".to_owned(),
        ),
        Edit::Set(
            parameter("mydestination"),
            "$myhostname, it's.example".to_owned(),
        ),
        Edit::Unset(parameter("biff")),
    ];
    orders.deletes = vec![(path("/etc/postfix/old"), Some(".db"))];
    orders
}

fn prepared() -> Host {
    let host = Host::running();
    host.write("/etc/postfix/old", "x y\n");
    host.write("/etc/postfix/adopted", "old\n");
    host.run("postmap /etc/postfix/old");
    host
}

#[test]
fn every_shell_applies_a_plan_with_every_kind_of_step() {
    for sh in SHELLS {
        let host = prepared();
        let orders = everything(&host, "r1");
        let mut remote = Remote::new(host.shell()).with_sh(sh);
        let performed = remote
            .perform(&orders)
            .unwrap_or_else(|error| panic!("{sh}: {error:?}"));
        assert_eq!(performed.ending, Ending::Done, "{sh}: {performed:?}");
        assert!(
            performed.log.iter().any(|line| line == "told: reload"),
            "{sh}: {performed:?}"
        );
        for file in &orders.files {
            assert_eq!(
                host.run(&format!("sha256sum <{}", file.path))[..64],
                file.sha256,
                "{sh}: {}",
                file.path
            );
        }
        assert_eq!(host.run("stat -c '%U:%G %a' /etc/postfix/murder/secret.cf /etc/postfix/transport /etc/postfix/transport.db"), "root:postfix 640\nroot:root 644\nroot:root 644\n", "{sh}");
        assert_eq!(
            host.run(
                "postconf -h transport_maps mydestination; postconf -n biff; postconf -M lmtp/unix"
            ),
            "hash:/etc/postfix/transport\n$myhostname, it's.example\nlmtp       unix  -       -       n       -       -       lmtp -o soft_bounce=yes\n",
            "{sh}"
        );
        assert_eq!(
            host.run("postmap -q a.example hash:/etc/postfix/transport"),
            "relay:[b.example]:25\n"
        );
        assert_eq!(
            host.run("ls /etc/postfix/old /etc/postfix/old.db 2>/dev/null"),
            ""
        );
        assert_eq!(
            host.read(&format!("/var/lib/murder/adopted/{}", sha256(b"old\n"))),
            "old\n"
        );
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{sh}");
        assert_eq!(
            host.run("find /var/lib/murder -perm /077 ! -path '*/adopted'"),
            "",
            "{sh}"
        );

        let after = fingerprint(&host);
        let live = remote.observe(&Questions::default()).unwrap().live;
        assert_eq!(live.running, Running::Yes, "{sh}");
        assert_eq!(live.ledger.map(|ledger| ledger.managed.len()), Some(4));
        assert!(
            live.journal.is_none() && live.remarks.is_empty(),
            "{sh}: {:?}",
            live.remarks
        );
        assert!(
            live.files.contains_key(&path("/etc/postfix/transport")),
            "the ledger's files are looked at unasked"
        );
        assert_eq!(fingerprint(&host), after);
        // A second one with the same expectations is stale, and says of what.
        let again = remote.perform(&orders).unwrap();
        assert_eq!(
            again.ending,
            Ending::Stale("/etc/postfix/main.cf".to_owned()),
            "{sh}"
        );
        assert_eq!(fingerprint(&host), after);
        assert_eq!(leftovers(&host), Vec::<String>::new(), "{sh}");
    }
}
