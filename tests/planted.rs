//! `murder verify` on a large directory with planted mistakes: it finds each of them, and nothing besides.
//!
//! `MURDER_PLANTED=100000,500` sets the number of entries and of mistakes of each kind, and `MURDER_PROGRAM` a program that was built for
//! speed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::routes::{MANIFEST, RouteFolder, text};

/// A finding: its code, and the names of its entries.
type Named = (&'static str, &'static [&'static str]);

/// A kind of mistake: its entries, with `#` for a number, and the findings.
const KINDS: &[(&str, &[Named])] = &[
    ("P a#\nmail: a#@example.org\n", &[("no-mailhost", &["a#"])]),
    (
        "P b#\nmail: b#@example.org\nmailHost: backend1.example.org\nmailHost: backend2.example.org\n",
        &[("many-mailhosts", &["b#"])],
    ),
    (
        "P c#\nmail: c#@example.org\nmailHost: backend2\n",
        &[("short-mailhost", &["c#"])],
    ),
    (
        "P d#\nmail: d#@example.org\nmailHost: gone#.example.org\n",
        &[("unknown-mailhost", &["d#"])],
    ),
    (
        "P e#\nmail: e#@example.org\nmailHost: BACKEND1.example.org\n",
        &[("mailhost-case", &["e#"])],
    ),
    (
        "P f#\nmail: f#@example.org\nmailHost: backend1.example.org\n\nP FFF#\nmail: f#@example.org\nmailHost: backend2.example.org\n",
        &[("two-backends", &["f#", "FFF#"])],
    ),
    (
        "P g#\nmail: g#@example.org\nmailHost: backend1.example.org\n\nP GGG#\nmail: g#@example.org\nmailHost: backend1.example.org\n",
        &[("duplicate-address", &["g#", "GGG#"])],
    ),
    (
        "P h#\nmail: h#@example.org\nmailHost: backend1.example.org\n\nP HHH#\nmail: hh#@example.org\nalias: h#@example.org\nmailHost: backend1.example.org\n",
        &[("alias-shadows-primary", &["h#", "HHH#"])],
    ),
    (
        "F i#\nmail: i#@example.org\nmailHost: backend1.example.org\n",
        &[("folder-without-target", &["i#"])],
    ),
    (
        "F j#\nmail: j#@example.org\nmailHost: backend1.example.org\nkolabTargetFolder: shared/j#@example.org\n\n\
         F JJJ#\nmail: jj#@example.org\nmailHost: backend1.example.org\nkolabTargetFolder: shared/j#@example.org\n",
        &[("folder-name-collision", &["j#", "JJJ#"])],
    ),
    (
        "G k#\nmail: k#@example.org\nuniqueMember: cn=p1,dc=example,dc=org\nuniqueMember: cn=none#,dc=example,dc=org\n",
        &[("missing-member", &["k#"])],
    ),
    (
        "G l#\nmail: l#@example.org\nuniqueMember: cn=LLL#,dc=example,dc=org\n\nG LLL#\nmail: ll#@example.org\nuniqueMember: cn=l#,dc=example,dc=org\n",
        &[("group-cycle", &["l#", "LLL#"])],
    ),
    (
        "P m#\nmail: m#@example.org\nmailForwardingAddress: mm#@example.org\nmailHost: backend1.example.org\n\n\
         P MMM#\nmail: mm#@example.org\nmailForwardingAddress: m#@example.org\nmailHost: backend1.example.org\n",
        &[("forward-cycle", &["m#", "MMM#"])],
    ),
    (
        "U n#\nmail: n#@example.org\nmemberURL: ldap:///dc=example,dc=org??sub?(mail=\n",
        &[("bad-filter", &["n#"])],
    ),
    (
        "P o#\nmail: o#@example.org\nmailHost: smtp.example.org\n",
        &[("loop", &["o#"]), ("unknown-mailhost", &["o#"])],
    ),
    // Only the host knows its accounts.
    (
        "P t#\nmail: t#@example.org\nmailHost: backend1.example.org\nmailForwardingAddress: z#@frontend1.example.org\n",
        &[("not-modelled", &["t#"])],
    ),
    // Two folders with one target in a group.
    (
        "F q#\nmail: q#@example.org\nmailHost: backend1.example.org\nkolabTargetFolder: shared/q#@example.org\n\n\
         F QQQ#\nmail: qq#@example.org\nmailHost: backend1.example.org\nkolabTargetFolder: shared/q#@example.org\n\n\
         G qg#\nmail: qg#@example.org\nuniqueMember: cn=q#,dc=example,dc=org\nuniqueMember: cn=QQQ#,dc=example,dc=org\n",
        &[
            ("folder-name-collision", &["q#", "QQQ#"]),
            ("duplicate-delivery", &["qg#"]),
        ],
    ),
    // Mistakes that others could hide: of a member, behind a mistake of its group; and two of one entry.
    (
        "G r#\nmail: r#@example.org\nuniqueMember: cn=RRR#,dc=example,dc=org\nuniqueMember: cn=none#,dc=example,dc=org\n\n\
         P RRR#\nmail: rr#@example.org\nmailForwardingAddress: unknown#@example.org\nmailHost: backend1.example.org\n",
        &[
            ("missing-member", &["r#"]),
            ("backscatter", &["r#", "RRR#"]),
        ],
    ),
    (
        "P s#\nmail: s#@example.org\nmail: p2@example.org\nmailHost: Backend2.example.org\n",
        &[("mailhost-case", &["s#"]), ("two-backends", &["s#", "p2"])],
    ),
];

/// The entries of `count` people without a mistake, and the findings of `each` mistakes of each kind.
fn planted(count: usize, each: usize) -> (String, BTreeSet<(String, String)>) {
    let mut ldif = String::from("dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n\n");
    for number in 0..count {
        let _ = write!(
            ldif,
            "dn: cn=p{number},dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: p{number}@example.org\nalias: x.{number}@example.org\nmailHost: backend{}.example.org\n\n",
            1 + number % 2
        );
    }
    let classes = [
        ("P ", "kolabInetOrgPerson"),
        ("F ", "kolabSharedFolder"),
        ("G ", "kolabGroupOfUniqueNames"),
        ("U ", "kolabGroupOfUrls"),
    ];
    let mut expected = BTreeSet::new();
    for number in 0..each {
        for (entries, findings) in KINDS {
            for entry in entries.split("\n\n") {
                let (letter, class) = classes
                    .iter()
                    .find(|(letter, _)| entry.starts_with(letter))
                    .unwrap();
                let (name, rest) = entry[letter.len()..].split_once('\n').unwrap();
                let entry =
                    format!("dn: cn={name},dc=example,dc=org\nobjectClass: {class}\n{rest}\n");
                ldif.push_str(&entry.replace('#', &number.to_string()));
                ldif.push('\n');
            }
            for (code, names) in *findings {
                let names = names
                    .iter()
                    .map(|name| name.replace('#', &number.to_string()));
                expected.extend(names.map(|name| ((*code).to_owned(), name)));
            }
        }
    }
    (ldif, expected)
}

#[test]
fn each_planted_mistake_is_found_and_nothing_besides() {
    let wanted = std::env::var("MURDER_PLANTED").unwrap_or_else(|_| "2000,4".to_owned());
    let (count, each) = wanted.split_once(',').unwrap();
    let (ldif, expected) = planted(count.parse().unwrap(), each.parse().unwrap());
    let folder = RouteFolder::with(MANIFEST, &ldif);
    let output = folder.run(&["verify", "m.yaml", "--ldif", "d.ldif", "--format", "json"]);
    let report: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    let mut found = BTreeSet::new();
    for finding in report["findings"].as_array().unwrap() {
        let code = finding["code"].as_str().unwrap();
        for entry in finding["entries"].as_array().unwrap() {
            let name = entry.as_str().unwrap().trim_start_matches("cn=");
            found.insert((code.to_owned(), name.split(',').next().unwrap().to_owned()));
        }
    }
    let missing: Vec<_> = expected.difference(&found).take(20).collect();
    let besides: Vec<_> = found.difference(&expected).take(20).collect();
    assert!(
        missing.is_empty() && besides.is_empty(),
        "missing: {missing:#?}\nbesides: {besides:#?}"
    );
}
