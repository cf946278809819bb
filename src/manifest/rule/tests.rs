//! What each rule takes and refuses.

use super::*;

#[test]
fn rules_know_right_from_wrong() {
    let cases: [(&Rule, &[&str], &[&str]); 9] = [
        (
            &NETWORK,
            &["192.0.2.5", "192.0.2.0/24", "2001:db8::/32"],
            &[
                "192.0.2.300",
                "192.0.2.5/24",
                "192.0.2.0/33",
                "x",
                "192.0.2.0/",
                "::1/0",
                "0.0.0.0/0",
                "::/0",
            ],
        ),
        (
            &LDAP_URI,
            &[
                "ldap://l.example.org:389",
                "ldaps://[2001:db8::1]:636/",
                "ldapi://%2Frun%2Fslapd",
            ],
            &[
                "l.example.org",
                "http://x",
                "ldap://",
                "ldap://a b",
                "ldap://h/dc=x",
                "ldap://h:0",
            ],
        ),
        (
            &JUMP,
            &["bastion.example.org", "me@b:2222", "a,b@c", "[::1]:22"],
            &["", "a,,b", "x:99999", "@b", "-b"],
        ),
        (&ADDRESS, &["a@b.c", "a+b@c"], &["a", "@b", "a b@c", "a@-b"]),
        (&MODE, &["0640", "644"], &["0666", "8", "0o644", "rw"]),
        (
            &HOST_KEY,
            &["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1VnLFhYrD8mDrFQ7mJ2YQy8hPqCx0Tj2aRkqYq1oZx"],
            &[
                "ssh-ed25519",
                "ssh-dss AAAA",
                "ssh-ed25519 AAAA",
                "ssh-ed25519 ***",
            ],
        ),
        (
            &ENDPOINT,
            &["192.0.2.1", "::1", "h.example.org"],
            &["192.0.2.300", "a_b"],
        ),
        (&WAKEUP, &["60", "60?", "-"], &["", "?", "1m"]),
        (
            &DN,
            &["dc=example,dc=org", "uid=a b,ou=c"],
            &["example.org", "=x", ""],
        ),
    ];
    for (rule, right, wrong) in cases {
        for text in right {
            assert_eq!((rule.check)(text), Ok(()), "{}: {text}", rule.what);
        }
        for text in wrong {
            assert!((rule.check)(text).is_err(), "{}: {text}", rule.what);
        }
    }
}
