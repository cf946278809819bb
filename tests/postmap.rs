//! Lookup tables as the manual pages describe them: what the model answers is what postmap(1) answers.

use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::UNIX_EPOCH;

use murder::directory::{Directory, read_ldif};
use murder::mail::table::{HostTables, LookupError};

use super::ldap::{READER, Slapd};

/// A key, and the value that the table has for it; `!` if the lookup fails, `-` if there is none. A value in front of which there
/// is a `?` is Postfix's alone: the model says that it does not know it.
type Answers<'a> = &'a [(&'a str, &'a str)];

/// What postmap(1) says to each key.
fn real(folder: &Path, table: &str, key: &str) -> String {
    let mut child = Command::new("/usr/sbin/postmap")
        .args(["-c", folder.to_str().unwrap(), "-q", "-", table])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("postmap is missing: tests/run installs it (packages postfix, postfix-ldap, postfix-pcre)");
    let mut input = child.stdin.take().unwrap();
    input.write_all(format!("{key}\n").as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let fails = [
        "fatal",
        "table lookup error",
        "lookup error",
        "unsupported dictionary",
    ];
    match found.strip_prefix(&format!("{key}\t")) {
        Some(value) => value.trim_end_matches('\n').to_owned(),
        None if fails.iter().any(|word| errors.contains(word)) => "!".to_owned(),
        None => "-".to_owned(),
    }
}

/// What the model says to each key.
fn modelled(
    files: &HashMap<String, String>,
    table: &str,
    key: &str,
    directory: &Directory,
) -> String {
    let table = HostTables::new(files.clone()).open(table);
    match table.find(key, directory) {
        Ok(Some(answer)) => answer.value,
        Ok(None) => "-".to_owned(),
        Err(LookupError::Temporary(_)) => "!".to_owned(),
        Err(LookupError::NotModelled(_)) => "?".to_owned(),
    }
}

/// Asks a table of both: `TYPE:` with the text of its file, or a whole name without one.
fn compare(
    table: &str,
    text: Option<&str>,
    cases: Answers<'_>,
    directory: &Directory,
) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let main_cf = folder.path().join("main.cf");
    fs::write(&main_cf, "compatibility_level = 3.6\n").unwrap();
    // Postfix programs wait for a file that was written just now.
    let file = fs::File::options().write(true).open(main_cf).unwrap();
    file.set_modified(UNIX_EPOCH).unwrap();
    let path = folder.path().join("table");
    let mut files = HashMap::new();
    let mut name = table.to_owned();
    if let Some(text) = text {
        fs::write(&path, text).unwrap();
        name = format!("{table}{}", path.display());
        files.insert(path.display().to_string(), text.to_owned());
        if table == "hash:" {
            let status = Command::new("/usr/sbin/postmap")
                .args(["-c", folder.path().to_str().unwrap(), &name])
                .stderr(Stdio::null())
                .status();
            assert!(status.unwrap().success(), "{text}");
        }
    }
    let mut wrong = Vec::new();
    for (key, expected) in cases {
        let (expected, is_known) = match expected.strip_prefix('?') {
            Some(value) => (value, false),
            None => (*expected, true),
        };
        let postfix = real(folder.path(), &name, key);
        let model = modelled(&files, &name, key, directory);
        let agrees = if is_known {
            model == postfix
        } else {
            model == "?"
        };
        if postfix != expected || !agrees {
            wrong.push(format!(
                "{table} {:?} `{key}`: Postfix `{postfix}`, model `{model}`, expected `{expected}`",
                text.unwrap_or_default()
            ));
        }
    }
    wrong
}

fn check(tables: &[(&str, Option<&str>, Answers<'_>)]) {
    let none = Directory::default();
    let wrong: Vec<String> = tables
        .iter()
        .flat_map(|(table, text, cases)| compare(table, *text, cases, &none))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// postmap(1), "TABLE FORMAT"; DATABASE_README.
#[test]
fn texts_and_indexes() {
    let text = "# comment\n\nJohn@example.org  a b\n  c \n \n# within\n  d\njohn@example.org second\nnovalue\n\"a b\"@x y\n\"esc\\\"aped\"@x z\nplus+x tab\there\n";
    let cases: Answers<'_> = &[
        ("john@example.org", "a b  c   d"),
        ("JOHN@Example.org", "a b  c   d"),
        ("novalue", "-"),
        ("\"a b\"@x", "y"),
        ("\"A B\"@x", "y"),
        ("a b@x", "-"),
        ("\"esc\\\"aped\"@x", "z"),
        ("plus+x", "tab\there"),
        ("none", "-"),
    ];
    check(&[
        ("texthash:", Some(text), cases),
        ("hash:", Some(text), cases),
    ]);
}

/// postconf(5), "inline"; DATABASE_README: `static`, `fail`, `unionmap`, `pipemap`.
#[test]
fn tables_in_a_word() {
    check(&[
        (
            "inline:{ a=b, { c = d e, f }, G@X=h, @d.org=@e.org, {j = k=l} }",
            None,
            &[
                ("a", "b"),
                ("A", "b"),
                ("c", "d e, f"),
                ("g@x", "h"),
                ("@D.org", "@e.org"),
                ("j", "k=l"),
                ("z", "-"),
            ],
        ),
        ("inline:{a=1, a=2}", None, &[("a", "2")]),
        ("static:v", None, &[("any", "v"), ("@x", "v")]),
        ("static:{ two words }", None, &[("any", "two words")]),
        ("fail:x", None, &[("any", "!")]),
        (
            "unionmap:{inline:{a=1,b=2}, inline:{{a=3,4},c=5}}",
            None,
            &[("a", "1,3,4"), ("b", "2"), ("c", "5"), ("d", "-")],
        ),
        (
            "unionmap:{inline:{a=1}, fail:x}",
            None,
            &[("a", "!"), ("b", "!")],
        ),
        ("unionmap:{static:x, static:x}", None, &[("a", "x,x")]),
        (
            "pipemap:{inline:{a=B,c=d,e=f},inline:{b=1,d=2}}",
            None,
            &[("a", "1"), ("c", "2"), ("e", "-"), ("b", "-"), ("A", "1")],
        ),
        (
            "pipemap:{inline:{a=b}, fail:x}",
            None,
            &[("a", "!"), ("c", "-")],
        ),
        ("pipemap:{static:a, inline:{a=b}}", None, &[("z", "b")]),
        (
            "pipemap:{inline:{{a=b,c}}, inline:{b=1}}",
            None,
            &[("a", "-")],
        ),
        (
            "pipemap:{inline:{a=user@x.org}, regexp:{{/^(.*)@/ $1}}}",
            None,
            &[("a", "user")],
        ),
        ("randmap:{a, b}", None, &[]),
    ]);
}

/// cidr_table(5): order, negation, IPv6, `if`, networks that are none.
#[test]
fn networks() {
    let text = "# net\n192.0.2.0/24 REJECT two\n192.0.2.7 never\n10.0.0.1 one\n!10.0.0.0/8 not ten\n10.1.0.0/16 OK\n2001:db8::/32 six\n::1/128 self\n";
    check(&[
        (
            "cidr:",
            Some(text),
            &[
                ("192.0.2.9", "REJECT two"),
                ("192.0.2.7", "REJECT two"),
                ("10.0.0.1", "one"),
                ("10.1.2.3", "OK"),
                ("10.2.0.1", "-"),
                ("203.0.113.1", "not ten"),
                ("name.org", "-"),
                ("192.0.2", "-"),
            ],
        ),
        (
            "cidr:",
            Some("10.0.0.0/8 ten\n2001:db8::/32 six\n[2001:db9::]/32 seven\n"),
            &[
                ("2001:db8::7", "six"),
                ("2001:DB8:0::7", "six"),
                ("2001:db9::7", "seven"),
                ("10.0.0.1", "ten"),
                ("::1", "-"),
            ],
        ),
        // A network with bits of a host is left out.
        (
            "cidr:",
            Some("10.0.0.1/8 wrong\n10.0.0.2 right\n"),
            &[("10.0.0.2", "right"), ("10.0.0.3", "-")],
        ),
        // Such lines are not modelled.
        (
            "cidr:",
            Some("if 10.0.0.0/8\n10.0.0.1 x\nendif\n"),
            &[("10.0.0.1", "?x")],
        ),
        (
            "cidr:{{192.0.2.0/24 a b}, {!10.0.0.0/8 c}}",
            None,
            &[("192.0.2.1", "a b"), ("10.0.0.1", "-"), ("1.1.1.1", "c")],
        ),
    ]);
}

/// regexp_table(5) and pcre_table(5): flags, negation, `if`, replacement.
#[test]
fn patterns() {
    let common = "# p\n/^5(\\.1\\.1 .*)$/ 4$1\nif /@example\\.org$/\n/^a@/ one\nif !/^c/\n!/^b/ not b\nendif\nendif\n/^B/i exact\n/xz(y)/ ${1}!$(1)?$$1\n~^/t~ tilde\n/^two$/ a\n  b\n/dup/ first\n/dup/ second\n";
    let cases: Answers<'_> = &[
        ("5.1.1 unknown", "4.1.1 unknown"),
        ("5x1.1 unknown", "-"),
        ("A@EXAMPLE.org", "one"),
        ("b@example.org", "-"),
        ("d@example.org", "not b"),
        ("c@example.org", "-"),
        ("B", "exact"),
        ("b", "-"),
        ("uxzy", "y!y?$1"),
        ("/t", "tilde"),
        ("TWO", "a  b"),
        ("dup", "first"),
        ("none", "-"),
    ];
    check(&[
        ("regexp:", Some(common), cases),
        ("pcre:", Some(common), cases),
        // A group that took no part is empty.
        (
            "pcre:",
            Some("/^(a)?(b)$/ <$1$2>\n"),
            &[("b", "<b>"), ("ab", "<ab>")],
        ),
        (
            "pcre:",
            Some("/^u\\d+@(\\w+)\\.org$/x $1\n"),
            &[("u12@ex.org", "?ex"), ("ux@ex.org", "?-")],
        ),
        (
            "pcre:",
            Some("/^a.c/s x\n/^b.d/ y\n"),
            &[("abc", "x"), ("bcd", "y")],
        ),
        (
            "regexp:",
            Some("/^a[[:digit:]]{2}$/ two\n/^[^@]+@x$/ at\n"),
            &[("a12", "two"), ("a123", "-"), ("b@x", "at")],
        ),
        // A replacement that names a group that is not there, and an expression that is none, are left out.
        (
            "regexp:",
            Some("/^a$/ $1\n/^(a$/ x\n/a/ right\n"),
            &[("a", "?right")],
        ),
        ("pcre:", Some("/^a(?=b)/ ahead\n"), &[("ab", "?ahead")]),
        ("pcre:", Some("/^(a)\\1$/ twice\n"), &[("aa", "?twice")]),
        ("pcre:", Some("!/^a/ $1\n/b/ right\n"), &[("b", "right")]),
        (
            "regexp:{{/^a/ 1}, {/^b (.*)/ 2 $$1}}",
            None,
            &[("ax", "1"), ("b c", "2 $1")],
        ),
    ]);
}

/// Entries for tables of LDAP: names with signs that filters escape, groups in groups, several values.
const ENTRIES: &str = "dn: dc=example,dc=org
objectClass: domain
dc: example

dn: cn=reader,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: right

dn: ou=People,dc=example,dc=org
objectClass: organizationalUnit
ou: People

dn: uid=ann,ou=People,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: kolabInetOrgPerson
objectClass: mailRecipient
uid: ann
cn: Ann
sn: A
mail: ann@example.org
alias: a.n@example.org
alias: star*@example.org
alias: pa(r)en@example.org
alias: back\\slash@example.org
mailHost: backend1.example.org

dn: uid=bob,ou=People,dc=example,dc=org
objectClass: inetOrgPerson
objectClass: kolabInetOrgPerson
objectClass: mailRecipient
uid: bob
cn: Bob
sn: B
mail: bob@example.org
mail: bob2@example.org
mailHost: backend1.example.org
mailHost: backend2.example.org
mailForwardingAddress: far@outside.example

dn: cn=inner,ou=People,dc=example,dc=org
objectClass: groupOfUniqueNames
objectClass: kolabGroupOfUniqueNames
cn: inner
mail: inner@example.org
uniqueMember: uid=bob,ou=People,dc=example,dc=org

dn: cn=outer,dc=example,dc=org
objectClass: groupOfUniqueNames
objectClass: kolabGroupOfUniqueNames
cn: outer
mail: outer@example.org
uniqueMember: uid=ann,ou=People,dc=example,dc=org
uniqueMember: uid=gone,ou=People,dc=example,dc=org
uniqueMember: cn=inner,ou=People,dc=example,dc=org

dn: cn=self,dc=example,dc=org
objectClass: groupOfUniqueNames
objectClass: kolabGroupOfUniqueNames
cn: self
mail: self@example.org
uniqueMember: cn=self,dc=example,dc=org

dn: cn=url,dc=example,dc=org
objectClass: groupOfURLs
objectClass: kolabGroupOfUrls
cn: url
mail: url@example.org
memberURL: ldap:///ou=People,dc=example,dc=org??one?(mail=*b*@example.org)
";

/// ldap_table(5): each parameter, and RFC 4515.
#[test]
fn ldap_tables() {
    const BY_MAIL: &str = "query_filter = (mail=%s)\n";
    const GROUPS: &str = "query_filter = (mail=%s)\nspecial_result_attribute = uniqueMember, memberURL\nleaf_result_attribute = mail\nresult_attribute =\n";
    let slapd = Slapd::start(ENTRIES);
    let directory = read_ldif(ENTRIES.as_bytes()).unwrap();
    let mut wrong = Vec::new();
    let tables: &[(String, Answers<'_>)] = &[
        (
            format!("{BY_MAIL}result_attribute = mailHost\nresult_format = relay:[%s]:25"),
            &[
                ("ann@example.org", "relay:[backend1.example.org]:25"),
                ("ANN@Example.org", "relay:[backend1.example.org]:25"),
                ("bob2@example.org", "relay:[backend1.example.org]:25,relay:[backend2.example.org]:25"),
                ("none@example.org", "-"),
                ("outer@example.org", "-"),
                ("*@example.org", "-"),
            ],
        ),
        // Signs of a filter in the key are escaped.
        (
            "query_filter = (alias=%s)\nresult_attribute = uid".to_owned(),
            &[
                ("a.n@example.org", "ann"),
                ("star*@example.org", "ann"),
                ("*", "-"),
                ("a*@example.org", "-"),
                ("pa(r)en@example.org", "ann"),
                ("back\\slash@example.org", "ann"),
                (")(mail=*", "-"),
            ],
        ),
        // Parts of the key, in the filter, the base and the result.
        (
            "query_filter = (&(uid=%u)(mail=*@%d))\nresult_attribute = mail\nresult_format = %U at %D is %u of %d: %s 100%%".to_owned(),
            &[
                ("ann@example.org", "ann at example.org is ann of example.org: ann@example.org 100%"),
                ("ann", "-"),
                ("@example.org", "-"),
                ("ann@outside.example", "-"),
            ],
        ),
        (
            "search_base = ou=People,dc=%2,dc=%1\nquery_filter = (uid=%u)\nresult_attribute = uid\nresult_format = %1.%2 %s".to_owned(),
            &[("ann@example.org", "org.example ann"), ("ann@nowhere.example", "-"), ("ann@org", "-"), ("ann", "-")],
        ),
        (
            "search_base = uid=%u,ou=People,dc=example,dc=org\nscope = base\nquery_filter = (objectClass=*)\nresult_attribute = mailHost".to_owned(),
            &[("ann@x.org", "backend1.example.org"), ("gone@x.org", "-"), ("ann,x@x.org", "-"), ("ann+x@x.org", "-")],
        ),
        (
            "search_base = dc=gone,dc=org\nquery_filter = (uid=%u)\nresult_attribute = uid".to_owned(),
            &[("ann@example.org", "!")],
        ),
        (
            format!("scope = one\n{BY_MAIL}result_attribute = mail"),
            &[("outer@example.org", "outer@example.org"), ("ann@example.org", "-")],
        ),
        // `domain`.
        (
            format!("domain = sub.example.org, example.org\n{BY_MAIL}result_attribute = uid"),
            &[("ann@example.org", "ann"), ("ann", "-"), ("example.org", "-"), ("@example.org", "-")],
        ),
        (format!("domain = outside.example\n{BY_MAIL}result_attribute = uid"), &[("ann@example.org", "-")]),
        // Limits.
        (
            format!("{BY_MAIL}result_attribute = mailHost\nexpansion_limit = 1"),
            &[("ann@example.org", "backend1.example.org"), ("bob@example.org", "!")],
        ),
        (
            "query_filter = (mail=*%d)\nresult_attribute = uid\nsize_limit = 1".to_owned(),
            &[("x@example.org", "!")],
        ),
        (format!("{GROUPS}recursion_limit = 2"), &[("inner@example.org", "bob@example.org,bob2@example.org"), ("outer@example.org", "!")]),
        (
            format!("{GROUPS}expansion_limit = 2"),
            &[("inner@example.org", "bob@example.org,bob2@example.org"), ("outer@example.org", "!")],
        ),
        // Groups, with members that are gone, and one that contains itself.
        (
            GROUPS.to_owned(),
            &[
                ("outer@example.org", "ann@example.org,bob@example.org,bob2@example.org"),
                ("self@example.org", "!"),
                ("url@example.org", "bob@example.org,bob2@example.org"),
                ("ann@example.org", "ann@example.org"),
            ],
        ),
        // Without leaf attributes the group's own values count too.
        (
            format!("{BY_MAIL}special_result_attribute = uniqueMember\nresult_attribute = mail"),
            &[("inner@example.org", "inner@example.org,bob@example.org,bob2@example.org")],
        ),
        (
            format!("{BY_MAIL}terminal_result_attribute = mailForwardingAddress\nresult_attribute = mail"),
            &[("bob@example.org", "far@outside.example"), ("ann@example.org", "ann@example.org")],
        ),
        // Filters: and, or, not, presence, parts, case, escapes, undefined attributes.
        (
            "query_filter = (&(|(mail=%s)(alias=%s))(!(mailForwardingAddress=*)))\nresult_attribute = uid".to_owned(),
            &[("ann@example.org", "ann"), ("a.n@example.org", "ann"), ("bob@example.org", "-")],
        ),
        ("query_filter = (&(mail=%s)(MAILHOST=BACKEND1.example.org))\nresult_attribute = uid".to_owned(), &[("ann@example.org", "ann")]),
        ("query_filter = (&(mail=%s)(objectClass=person))\nresult_attribute = uid".to_owned(), &[("ann@example.org", "ann"), ("outer@example.org", "-")]),
        ("query_filter = (&(mail=%s)(uniqueMember=UID=ann, ou=people,dc=example,dc=org))\nresult_attribute = cn".to_owned(), &[("outer@example.org", "outer"), ("inner@example.org", "-")]),
        ("query_filter = (&(mail=%s)(cn=\\41nn))\nresult_attribute = uid".to_owned(), &[("ann@example.org", "ann"), ("bob@example.org", "-")]),
        // Servers differ in whether this attribute is compared by parts.
        ("query_filter = (&(mail=%s)(mailHost=backend1*))\nresult_attribute = uid".to_owned(), &[("ann@example.org", "?-")]),
        ("query_filter = (mail=%s\nresult_attribute = uid".to_owned(), &[("ann@example.org", "!")]),
        ("query_filter = (&(mail=%s) \\ (uid=*))\nresult_attribute = uid".to_owned(), &[("ann@example.org", "!")]),
        // Attributes that are not there, and the defaults.
        (format!("{BY_MAIL}result_attribute = uid, mailHost, nothing"), &[("ann@example.org", "ann,backend1.example.org")]),
        (BY_MAIL.to_owned(), &[("ann@example.org", "-")]),
        ("result_attribute = uid".to_owned(), &[("ann@example.org", "-")]),
    ];
    for (lines, cases) in tables {
        let base = match lines.contains("search_base") {
            true => "",
            false => "search_base = dc=example,dc=org\n",
        };
        let head = format!(
            "version = 3\nserver_host = {}\nbind = yes\nbind_dn = {READER}\nbind_pw = right\n{base}{lines}\n",
            slapd.uri()
        );
        wrong.extend(compare("ldap:", Some(&head), cases, &directory));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
