//! Changes whose meaning for mail is known.
#![allow(clippy::unwrap_used)]

use super::*;

/// The hosts of a manifest, each with its settings.
type Hosts<'a> = [(&'a str, &'a str)];

const ALL: [(&str, &str); 4] = [("mx", ""), ("smtp", ""), ("backend1", ""), ("backend2", "")];

fn manifest(hosts: &Hosts<'_>) -> String {
    let mut text = String::from(
        "version: 1\nmurder: way\ntopology: discrete\ndomains: [example.org]\n\
         ldap: {uris: ['ldap://ldap.example.org'], base: 'dc=example,dc=org', tls: {mode: none}}\n\
         cyrus: {lmtp_socket: /run/cyrus/socket/lmtp, postuser: folder}\nhosts:\n",
    );
    for (name, settings) in hosts {
        let (role, address) = match *name {
            "mx" => ("internet-mta", 1),
            "mx2" => ("internet-mta", 2),
            "mx3" => ("internet-mta", 3),
            "smtp" => ("internal-mta", 5),
            "backend1" => ("backend", 11),
            "backend2" => ("backend", 12),
            _ => ("backend", 13),
        };
        let _ = writeln!(
            text,
            "  {name}.example.org: {{roles: [{role}], addresses: [192.0.2.{address}], settings: {{{settings}}}}}"
        );
    }
    text
}

/// The hosts of [`ALL`] with other settings for some, and more hosts.
fn with<'a>(others: &Hosts<'a>) -> Vec<(&'a str, &'a str)> {
    let kept = ALL.into_iter();
    let kept = kept.filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    kept.chain(others.iter().copied()).collect()
}

/// What a change means for ann on backend1 and bob on backend2, in these waves.
fn judged(old: &Hosts<'_>, new: &Hosts<'_>, waves: &[&[&str]]) -> Option<MailChange> {
    let person = |(name, host): (&str, &str)| {
        format!(
            "dn: uid={name},dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nmail: {name}@example.org\nmailHost: {host}.example.org\n\n"
        )
    };
    let people = [("ann", "backend1"), ("bob", "backend2")].map(person);
    let text = "dn: dc=example,dc=org\nobjectClass: domain\n\n".to_owned() + &people.concat();
    let directory = read_ldif(text.as_bytes()).ok()?;
    let (old, old_compiled) = compiled(&manifest(old))?;
    let (new, new_compiled) = compiled(&manifest(new))?;
    let (old, new) = (old.murder.as_ref()?, new.murder.as_ref()?);
    let states = MailStates::of_manifests((old, &old_compiled), (new, &new_compiled));
    let name = |name: &&str| HostName::new(format!("{name}.example.org")).ok();
    let waves = waves.iter().map(|wave| wave.iter().map(name).collect());
    let waves: Vec<Vec<HostName>> = waves.collect::<Option<_>>()?;
    let turns = Turns {
        waves: &waves,
        goes_on: false,
    };
    Some(states.change(&directory, &states.attributes(), turns))
}

const REFUSED: &str =
    "smtpd_recipient_restrictions: 'check_recipient_access inline:{{ann@example.org=reject}}'";
const GONE: &str = "transport_maps: {prepend: ['inline:{{ann@example.org=error:5.1.1 gone}}']}";
const SHORT: &str =
    "transport_maps: {prepend: ['inline:{{ann@example.org=relay:[backend1.example.org]}}']}";

#[test]
fn the_worst_of_all_places_counts_once() {
    let new = with(&[("mx", REFUSED), ("backend2", GONE)]);
    let change = judged(&ALL, &new, &[&["backend2"], &["mx"]]).unwrap();
    let worse = BTreeMap::from([(WorseMail::Bounced, 1)]);
    assert_eq!(counts(&change.worse), worse, "{change:#?}");
    // What is as bad at the end is not told again of the states before it.
    assert!(change.states.is_empty(), "{change:#?}");
    assert_eq!(change.tried.len(), 3, "{change:#?}");
}

#[test]
fn a_new_edge_is_compared_with_the_best_of_the_old_ones() {
    for (old_edges, expected) in [
        (
            &[("mx", REFUSED), ("mx3", "")][..],
            Some(WorseMail::Refused),
        ),
        (&[("mx", REFUSED), ("mx3", REFUSED)], None),
    ] {
        let old = with(old_edges);
        let new = [&old[..], &[("mx2", REFUSED)]].concat();
        let change = judged(&old, &new, &[&["mx2"]]).unwrap();
        let worse = expected.map(|kind| (kind, 1)).into_iter().collect();
        assert_eq!(counts(&change.worse), worse, "{change:#?}");
    }
}

#[test]
fn an_edge_that_refuses_for_now_makes_mail_wait_and_one_that_is_shut_keeps_it_out() {
    for (settings, kind) in [
        ("smtpd_client_restrictions: defer", WorseMail::Deferred),
        ("smtpd_client_restrictions: reject", WorseMail::Refused),
        ("inet_interfaces: loopback-only", WorseMail::ShutOut),
    ] {
        let change = judged(&ALL, &with(&[("mx", settings)]), &[&["mx"]]).unwrap();
        let worse = BTreeMap::from([(kind, 2)]);
        assert_eq!(counts(&change.worse), worse, "{settings}: {change:#?}");
    }
}

#[test]
fn mail_is_mended_where_none_is_worse_off() {
    let new = with(&[("smtp", GONE), ("mx", SHORT)]);
    let waves: &[&[&str]] = &[&["backend2", "mx"]];
    let change = judged(&with(&[("smtp", GONE)]), &new, waves).unwrap();
    assert_eq!((change.mended, change.worse.len()), (1, 0), "{change:#?}");
    // sendmail(1) on backend2 knew a way that it does not know any more.
    let old = with(&[("smtp", GONE), ("backend2", SHORT)]);
    let change = judged(&old, &new, waves).unwrap();
    let worse = BTreeMap::from([(WorseMail::Bounced, 1)]);
    let found = (change.mended, counts(&change.worse));
    assert_eq!(found, (0, worse), "{change:#?}");
}

#[test]
fn a_host_that_goes_takes_its_mail_and_its_places_with_it() {
    let new = [&ALL[..3], &[("backend3", "")]].concat();
    let change = judged(&ALL, &new, &[&["backend3"], &["backend2"]]).unwrap();
    let worse = BTreeMap::from([(WorseMail::Bounced, 1)]);
    assert_eq!(counts(&change.worse), worse, "{change:#?}");
    let lines = [&change.vanished, &change.appeared].map(|lines| lines.concat());
    assert!(lines[0].starts_with("`backend2.example.org`"), "{lines:?}");
    assert!(lines[1].starts_with("`backend3.example.org`"), "{lines:?}");
    // It goes last, so it is not tried alone.
    let alone = MailState::Alone("backend2.example.org".to_owned());
    assert!(!change.tried.contains(&alone), "{change:#?}");
}
