//! Groups of hand-made plans.

use super::*;
use crate::plan::{Failure, OwnNames};
use crate::report::line::Tone;
use crate::report::text;
use crate::state::Remark;

fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

#[test]
fn a_remark_that_differing_hosts_share_is_shown_once() {
    let host = |words: Option<&str>, notes: &[&str]| HostVerdict {
        verdict: match words {
            None => Verdict::Converged,
            Some(words) => Verdict::Failed {
                error: Failure {
                    summary: words.to_owned(),
                    detail: None,
                    hint: None,
                },
            },
        },
        remarks: notes
            .iter()
            .map(|text| Remark {
                text: (*text).to_owned(),
                hint: None,
            })
            .collect(),
        ..HostVerdict::of(Verdict::Converged)
    };
    let hosts = [
        ("a.x", host(Some("one"), &["on a.x", "alone"])),
        ("b.x", host(Some("two"), &["on b.x"])),
        ("c.x", host(None, &["on c.x"])),
        ("d.x", host(None, &["with its like"])),
        ("e.x", host(None, &["with its like"])),
    ];
    let plan = Plan {
        murder: "x".to_owned(),
        hosts: hosts
            .into_iter()
            .map(|(host, verdict)| (name(host), verdict))
            .collect(),
        own_names: BTreeMap::new(),
    };
    let shown: Vec<String> = of_plan(&plan, Detail::Summary)
        .iter()
        .map(|group| {
            let lines: Vec<&str> = group.lines.iter().map(|line| line.text.trim()).collect();
            format!("{}: {}", text::title(group), lines.join(", "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "a.x: ! failed: one, note: alone",
            "b.x: ! failed: two",
            "d.x, e.x: 2 hosts, same report: note: with its like",
            "a.x, b.x, c.x: 3 hosts, same report; {host}: each host's own: note: on {host}",
        ]
    );
}

#[test]
fn equal_hosts_are_one_group_whatever_their_names() {
    let hosts = [name("a.x"), name("b.x"), name("c.x")];
    let texts = ["myhostname: a.x", "myhostname: b.x", "myhostname: a.x"];
    let lines = |text| vec![Line::new(Tone::Plain, text)];
    let groups = of_lines(hosts.iter().zip(texts.map(lines)));
    assert_eq!(groups.len(), 2, "the third names another host, not itself");
    assert_eq!(groups[0].hosts, [&hosts[0], &hosts[1]]);
    assert_eq!(groups[0].lines[0].text, "myhostname: {host}");
    assert!(groups[1].place_holders.is_empty());
}

#[test]
fn a_list_of_all_hosts_keeps_no_host_apart() {
    let hosts = [name("b1.x"), name("b2.x"), name("mx.x")];
    let lines = |text| vec![Line::new(Tone::Plain, text)];
    let texts = ["b1.x b2.x", "b1.x b2.x", "other"].map(lines);
    let groups = of_lines(hosts.iter().zip(texts));
    assert_eq!(groups[0].hosts.len(), 2);
    assert_eq!(groups[0].lines[0].text, "b1.x b2.x");
}

/// A plan of hosts that create files: the path and the text of each.
fn creating(hosts: &[(&str, &[(&str, &str)])]) -> Plan {
    use crate::ledger::{LEDGER_VERSION, Ledger};
    use crate::name::{Mode, RemotePath};
    use crate::plan::{Cause, Change, Expects, FileState, HostPlan, Step};
    use crate::service::Service;
    let step = |(path, text): &(&str, &str)| Step::File {
        service: Service::POSTFIX,
        path: RemotePath::new(*path).unwrap(),
        change: Change::Create {
            after: FileState {
                text: Some((*text).to_owned()),
                sha256: String::new(),
                owner: "root".to_owned(),
                group: "root".to_owned(),
                mode: Mode::from_bits(0o644),
                secret: false,
                withheld: None,
                link: None,
            },
        },
        cause: Cause::Wanted,
        file: None,
    };
    let verdict = |files: &[(&str, &str)]| {
        let ledger = Ledger {
            version: LEDGER_VERSION,
            murder: "x".to_owned(),
            generation: 1,
            services: BTreeMap::new(),
            applied: None,
            hosts: Vec::new(),
            facts: None,
            host_key: None,
        };
        let mut plan = HostPlan::empty(ledger, Expects::default());
        plan.steps = files.iter().map(step).collect();
        HostVerdict::of(Verdict::Changes(Box::new(plan)))
    };
    let hosts = hosts.iter();
    Plan {
        murder: "x".to_owned(),
        hosts: hosts
            .map(|(host, files)| (name(host), verdict(files)))
            .collect(),
        own_names: BTreeMap::new(),
    }
}

fn shown(plan: &Plan, detail: Detail) -> String {
    let mut out = String::new();
    text::write_plan(plan, detail, false, &mut out).unwrap();
    out
}

#[test]
fn hosts_that_differ_in_little_are_told_by_the_others() {
    let common = [
        ("/e/a", "1\n"),
        ("/e/b", "2\n"),
        ("/e/c", "3\n"),
        ("/e/d", "4\n"),
    ];
    let more = [common.as_slice(), &[("/e/z", "5\n")]].concat();
    let other = [
        ("/e/a", "9\n"),
        ("/e/b", "2\n"),
        ("/e/c", "3\n"),
        ("/e/d", "4\n"),
    ];
    let plan = creating(&[
        ("b1.x", &more),
        ("b2.x", &common),
        ("b3.x", &common),
        ("b4.x", &common[1..]),
        ("b5.x", &other),
    ]);
    insta::assert_snapshot!(shown(&plan, Detail::Context), @"
    b[2:3].x: 2 hosts, same changes
      + create /e/a, root:root 0644
          --- /dev/null
          +++ /e/a
          @@ -0,0 +1 @@
          +1
      + create /e/b, root:root 0644
          --- /dev/null
          +++ /e/b
          @@ -0,0 +1 @@
          +2
      + create /e/c, root:root 0644
          --- /dev/null
          +++ /e/c
          @@ -0,0 +1 @@
          +3
      + create /e/d, root:root 0644
          --- /dev/null
          +++ /e/d
          @@ -0,0 +1 @@
          +4

    b1.x: the same as b[2:3].x, and
      + create /e/z, root:root 0644
          --- /dev/null
          +++ /e/z
          @@ -0,0 +1 @@
          +5

    b4.x: the same as b[2:3].x, except
      without:
      + create /e/a, root:root 0644

    b5.x: the same as b[2:3].x, except
      these steps differ:
      + create /e/a, root:root 0644
          --- /dev/null
          +++ /e/a
          @@ -0,0 +1 @@
          +9

    5 hosts: 20 to create, 0 to update, 0 to delete, 0 converged
    ");
    insta::assert_snapshot!(shown(&plan, Detail::Summary), @"
    b[2:3,5].x: 3 hosts, same changes
      + create 4 files in /e, root:root 0644: a, b, c, d

    b1.x: the same as b[2:3,5].x, and
      + create /e/z, root:root 0644

    b4.x
      + create 3 files in /e, root:root 0644: b, c, d

    5 hosts: 20 to create, 0 to update, 0 to delete, 0 converged
    ");
}

#[test]
fn no_text_of_a_file_is_printed_twice() {
    let plan = creating(&[
        ("a1.x", &[("/e/a", "common\n"), ("/e/b", "of a1.x\n")]),
        (
            "b1.x",
            &[
                ("/e/a", "common\n"),
                ("/e/b", "of b1.x\n"),
                ("/e/c", "3\n"),
                ("/e/d", "4\n"),
                ("/e/f", "5\n"),
            ],
        ),
    ]);
    insta::assert_snapshot!(shown(&plan, Detail::Full), @"
    a1.x
      + create /e/a, root:root 0644
          --- /dev/null
          +++ /e/a
          @@ -0,0 +1 @@
          +common
      + create /e/b, root:root 0644
          --- /dev/null
          +++ /e/b
          @@ -0,0 +1 @@
          +of a1.x

    b1.x
      + create /e/a, root:root 0644
          (the same text as above for a1.x)
      + create /e/b, root:root 0644
          (the same text as above for a1.x, with its own names)
      + create /e/c, root:root 0644
          --- /dev/null
          +++ /e/c
          @@ -0,0 +1 @@
          +3
      + create /e/d, root:root 0644
          --- /dev/null
          +++ /e/d
          @@ -0,0 +1 @@
          +4
      + create /e/f, root:root 0644
          --- /dev/null
          +++ /e/f
          @@ -0,0 +1 @@
          +5

    2 hosts: 7 to create, 0 to update, 0 to delete, 0 converged
    ");
}

#[test]
fn addresses_and_mailhosts_are_each_hosts_own() {
    let mut plan = creating(&[
        ("a1.x", &[("/e/a", "192.0.2.1 store1.x\n")]),
        ("a2.x", &[("/e/a", "192.0.2.2 store2.x\n")]),
    ]);
    for number in 1..3 {
        let own = OwnNames {
            mailhost: Some(format!("store{number}.x")),
            addresses: vec![format!("192.0.2.{number}")],
        };
        plan.own_names.insert(name(&format!("a{number}.x")), own);
    }
    insta::assert_snapshot!(shown(&plan, Detail::Context), @"
    a[1:2].x: 2 hosts, same changes; {mailhost}, {address}: each host's own
      + create /e/a, root:root 0644
          --- /dev/null
          +++ /e/a
          @@ -0,0 +1 @@
          +{address} {mailhost}

    2 hosts: 2 to create, 0 to update, 0 to delete, 0 converged
    ");
}
