//! Observation of files and tables that parameters name and nothing manages.

use murder::machine::remote::Remote;
use murder::machine::{Observe, Questions};
use murder::state::{Live, LiveTable, References, TableAnswer};

use super::host::Host;
use super::path;

const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

fn look(host: &Host, sh: &str, references: Option<&References>) -> Live {
    let questions = Questions {
        references: references.cloned(),
        ..Questions::default()
    };
    let mut remote = Remote::new(host.shell()).with_sh(sh);
    remote.observe(&questions).unwrap().live
}

#[test]
fn files_are_looked_at_for_their_faults_alone() {
    let host = Host::new();
    host.run("mkdir -p /etc/tls/shut /etc/tls/open /etc/tls/dir; cd /etc/tls; echo secret >key; chmod 0600 key; cp key shut/map.cf; chmod 0644 shut/map.cf; chmod 0700 shut; cp key open/map.cf; chmod 0640 open/map.cf; cp key open/ours.cf; chown root:postfix open/ours.cf; chmod 0640 open/ours.cf");
    let mut asked = References::default();
    for file in [
        "/etc/tls/key",
        "/etc/tls/none",
        "/etc/tls/dir",
        "/etc/tls/link",
    ] {
        asked.files.insert(path(file));
    }
    host.run("ln -s key /etc/tls/link");
    for file in [
        "/etc/tls/shut/map.cf",
        "/etc/tls/open/map.cf",
        "/etc/tls/open/ours.cf",
        "/etc/tls/open/none.cf",
        "/etc/postfix/main.cf",
    ] {
        asked.of_postfix.insert(path(file));
    }
    for sh in SHELLS {
        let live = look(&host, sh, Some(&asked));
        assert!(live.references.cover(&asked), "{sh}");
        let faults: Vec<(&str, &str)> = live
            .references
            .faults
            .iter()
            .map(|(path, fault)| (path.as_str(), fault.as_str()))
            .collect();
        assert_eq!(
            faults,
            [
                ("/etc/tls/dir", "is a directory"),
                ("/etc/tls/none", "does not exist"),
                (
                    "/etc/tls/open/map.cf",
                    "cannot be read by user postfix (0640 root:root)"
                ),
                ("/etc/tls/open/none.cf", "does not exist"),
                (
                    "/etc/tls/shut",
                    "cannot be entered by user postfix (0700 root:root)"
                ),
            ],
            "{sh}"
        );
    }
}

#[test]
fn what_an_apply_leaves_is_looked_at_without_being_asked_for() {
    let host = Host::new();
    let mut kept = References::default();
    kept.files.insert(path("/etc/ssl/none.pem"));
    kept.files.insert(path("/etc/passwd"));
    let keys = ["example.org".to_owned(), "example.net".to_owned()];
    kept.asked
        .insert("hash:/etc/postfix/domains".to_owned(), keys.into());
    host.write(
        "/etc/postfix/domains",
        "example.org OK\n#example.net no\nsub.example.net x\n",
    );
    let lines = kept.kept_lines();
    let digest = kept.digest().unwrap();
    host.write("/var/lib/murder/references", &format!("={digest}\n{lines}"));
    for sh in SHELLS {
        let live = look(&host, sh, None);
        assert!(live.references.cover(&kept), "{sh}: {:?}", live.references);
        let faults: Vec<&String> = live.references.faults.keys().collect();
        assert_eq!(faults, ["/etc/ssl/none.pem"], "{sh}");
        let says = |key| live.table_says("hash:/etc/postfix/domains", key);
        assert_eq!(
            says("Example.org"),
            TableAnswer::Yes("OK".to_owned()),
            "{sh}"
        );
        assert_eq!(says("example.net"), TableAnswer::No, "{sh}");
        assert!(
            matches!(says("x.example"), TableAnswer::NotJudged(_)),
            "{sh}"
        );
    }
    host.run("echo junk >/var/lib/murder/references");
    assert!(!look(&host, "dash", None).references.cover(&kept));
}

#[test]
fn tables_are_read_where_they_have_a_text_and_asked_otherwise() {
    let host = Host::new();
    host.write(
        "/etc/postfix/nets.cidr",
        "192.0.2.0/24 OK\n2001:db8::/32 OK\n",
    );
    host.write("/etc/postfix/list", "# ours\nexample.org,example.net\n");
    host.write("/etc/postfix/re", "/^example\\.(org|net)$/ yes it is\n");
    host.write("/etc/postfix/lost", "example.org by index\n");
    host.write("/etc/postfix/large", &"a.example x\n".repeat(9000));
    host.run("postmap hash:/etc/postfix/lost; rm /etc/postfix/lost; mkfifo /etc/postfix/pipe");
    let mut asked = References::default();
    asked.read.insert("cidr:/etc/postfix/nets.cidr".to_owned());
    asked.read.insert("texthash:/etc/postfix/large".to_owned());
    let keys = ["example.org".to_owned(), "x.example".to_owned()];
    for table in [
        "/etc/postfix/list",
        "/etc/postfix/none",
        "regexp:/etc/postfix/re",
        "proxy:hash:/etc/postfix/lost",
        "hash:/etc/postfix/none",
        "texthash:/etc/postfix/pipe",
        "static:all",
    ] {
        asked.asked.insert(table.to_owned(), keys.clone().into());
    }
    for sh in SHELLS {
        let live = look(&host, sh, Some(&asked));
        let members = live.table_members("!cidr:/etc/postfix/nets.cidr");
        assert_eq!(members.unwrap(), ["192.0.2.0/24", "2001:db8::/32"], "{sh}");
        assert!(
            live.table_members("texthash:/etc/postfix/large").is_err(),
            "{sh}"
        );
        let yes = |value: &str| TableAnswer::Yes(value.to_owned());
        for (table, ours, other) in [
            ("/etc/postfix/list", yes(""), TableAnswer::No),
            ("regexp:/etc/postfix/re", yes("yes it is"), TableAnswer::No),
            (
                "proxy:hash:/etc/postfix/lost",
                yes("by index"),
                TableAnswer::No,
            ),
            ("static:all", yes("all"), yes("all")),
        ] {
            assert_eq!(live.table_says(table, "example.org"), ours, "{sh}: {table}");
            assert_eq!(live.table_says(table, "x.example"), other, "{sh}: {table}");
        }
        for table in [
            "/etc/postfix/none",
            "hash:/etc/postfix/none",
            "texthash:/etc/postfix/pipe",
        ] {
            assert!(
                matches!(live.tables[table], LiveTable::NotRead(_)),
                "{sh}: {table}: {:?}",
                live.tables[table]
            );
        }
    }
}

#[test]
fn waiting_mails_are_counted_and_a_missing_queue_is_said() {
    let host = Host::new();
    let remarks = |sh: &str| -> Vec<String> {
        let remarks = look(&host, sh, None).remarks.into_iter();
        let of_queue = |text: &String| text.contains("queue");
        remarks.map(|remark| remark.text).filter(of_queue).collect()
    };
    assert!(remarks("dash").is_empty());
    host.run("cd /var/spool/postfix; mkdir -p deferred/A deferred/B/C active; touch deferred/A/4FqA12 deferred/A/4FqA13 deferred/B/C/4FqB1 active/4FqD7");
    for sh in SHELLS {
        assert_eq!(remarks(sh), ["queue: 3 deferred, 1 active"], "{sh}");
    }
    host.run("cd /var/spool/postfix/deferred/A; i=0; while [ $i -lt 10100 ]; do i=$((i + 1)); : >x$i; done");
    assert_eq!(remarks("dash"), ["queue: 10000+ deferred, 1 active"]);
    host.run("postconf -e queue_directory=/nowhere/spool");
    for sh in SHELLS {
        let said = remarks(sh);
        assert!(
            said.len() == 1 && said[0].contains("/nowhere/spool"),
            "{sh}: {said:?}"
        );
    }
}
