//! What a plan says of the members of lists.

use crate::state::Note;

use super::*;

fn note(dropped: Option<&str>, class: &str) -> Note {
    Note {
        dropped: dropped.map(str::to_owned),
        class: Some(class.to_owned()),
    }
}

fn bench(main_cf: &str) -> Bench {
    let mut bench = Bench::new(main_cf);
    bench.desired.postfix_mut().notes.insert(
        parameter("relay_domains"),
        note(Some("keep them so"), "relay"),
    );
    bench
        .desired
        .postfix_mut()
        .notes
        .insert(parameter("mydestination"), note(None, "local"));
    bench
}

fn said(bench: &Bench) -> Vec<String> {
    bench
        .verdict()
        .remarks
        .into_iter()
        .map(|remark| format!("{} ({})", remark.text, remark.hint.unwrap_or_default()))
        .collect()
}

#[test]
fn first_contact_names_the_members_that_go() {
    let found = bench("relay_domains = lists.example.com a.b, $x example.org\n")
        .want("relay_domains", "example.org");
    assert_eq!(
        said(&found),
        [
            "this plan removes `lists.example.com`, `a.b` from `main.cf:relay_domains` (keep them so)"
        ]
    );
    let known = bench("relay_domains = a.b\n")
        .want("relay_domains", "example.org")
        .ledger(ledger(&[(
            parameter("relay_domains"),
            Origin::Created,
            Some("a.b"),
        )]));
    assert_eq!(said(&known), [""; 0], "the manifest itself wants that");
}

#[test]
fn a_domain_that_changes_its_class_is_shown_as_that() {
    let moved = bench("relay_domains = example.org\nmydestination = $myhostname\n")
        .want("mydestination", "$myhostname, Example.org")
        .ledger(ledger(&[
            (
                parameter("relay_domains"),
                Origin::Created,
                Some("example.org"),
            ),
            (
                parameter("mydestination"),
                Origin::Created,
                Some("$myhostname"),
            ),
        ]));
    let said = said(&moved);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("the address class of `example.org` changes from relay to local"),
        "{said:?}"
    );
}

#[test]
fn a_name_of_the_host_itself_is_no_loss() {
    let mut own = bench("myhostname = a.b\nmydestination = a.b, localhost.b, c.d\n")
        .want("mydestination", "$myhostname");
    own.desired
        .postfix_mut()
        .notes
        .insert(parameter("mydestination"), note(Some("so"), "local"));
    assert_eq!(
        said(&own),
        ["this plan removes `c.d` from `main.cf:mydestination` (so)"]
    );
}

/// What a plan of `wanted` for one list says of a host with this main.cf.
fn of_list(main_cf: &str, name: &str, wanted: &str) -> Vec<String> {
    let mut bench = Bench::new(main_cf).want(name, wanted);
    bench.postfix_live().environment.hostname = Some("mx.example.org".to_owned());
    let notes = &mut bench.desired.postfix_mut().notes;
    notes.insert(parameter(name), note(Some("keep"), "x"));
    said(&bench)
}

#[test]
fn members_by_name_and_by_default_are_said_as_literal_ones() {
    let removed =
        |members: &str, name: &str| format!("this plan removes {members} from `main.cf:{name}`");
    for (main_cf, name, wanted, members) in [
        (
            "mydestination = $myhostname, $mydomain\n",
            "mydestination",
            "$myhostname, localhost",
            "`example.org`",
        ),
        (
            "others = a.b c.d\nrelay_domains = $others\n",
            "relay_domains",
            "a.b",
            "`c.d`",
        ),
        (
            "virtual_maps = hash:/etc/postfix/virtual\n",
            "virtual_alias_maps",
            "ldap:/x.cf",
            "`hash:/etc/postfix/virtual`",
        ),
        (
            "relay_domains = hash:/etc/postfix/rd\n",
            "relay_domains",
            "a.b",
            "`hash:/etc/postfix/rd`",
        ),
        (
            "mynetworks = 127.0.0.0/8, 192.0.2.0/24\n",
            "mynetworks",
            "127.0.0.0/8 192.0.2.5/32",
            "`192.0.2.0/24`",
        ),
    ] {
        let said = of_list(main_cf, name, wanted);
        assert_eq!(said.len(), 1, "{main_cf}: {said:?}");
        assert!(said[0].starts_with(&removed(members, name)), "{said:?}");
        let table = members.contains(':');
        let append = said[0].contains(&format!("{name}: {{append: ["));
        assert_eq!(append, table, "{said:?}");
    }
    let by_default = of_list(
        "virtual_maps = hash:/v\n",
        "virtual_alias_maps",
        "ldap:/x.cf",
    );
    assert!(
        by_default[0].contains("its default has them"),
        "{by_default:?}"
    );
}

#[test]
fn networks_of_a_style_are_said() {
    let mut bench = Bench::new("mynetworks_style = subnet\n").want("mynetworks", "127.0.0.0/8");
    bench.postfix_live().environment.networks.subnet =
        Some("127.0.0.0/8 192.0.2.0/24 [::1]/128 [fe80::]/64".to_owned());
    let notes = &mut bench.desired.postfix_mut().notes;
    notes.insert(parameter("mynetworks"), note(Some("keep"), "x"));
    let said = said(&bench);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("removes `192.0.2.0/24` from"), "{said:?}");
}

#[test]
fn what_another_member_covers_is_no_loss() {
    for (main_cf, name, wanted) in [
        (
            "mynetworks = 127.0.0.1, [::1], 192.0.2.5\n",
            "mynetworks",
            "127.0.0.0/8 [::1]/128 192.0.2.0/24",
        ),
        (
            "transport_maps = ldap:/x.cf\n",
            "transport_maps",
            "proxy:ldap:/x.cf",
        ),
        (
            "mydestination = mx.example.org, localhost.example.org, localhost\n",
            "mydestination",
            "$myhostname",
        ),
        ("", "mydestination", "$myhostname, localhost"),
        ("compatibility_level = 3.6\n", "mynetworks", "127.0.0.0/8"),
    ] {
        let said = of_list(main_cf, name, wanted);
        assert_eq!(said, [""; 0], "{main_cf}");
    }
}

#[test]
fn a_class_changes_by_name_too() {
    let main_cf = "mydestination = $myhostname, $mydomain\n";
    let mut bench = Bench::new(main_cf)
        .want("mydestination", "$myhostname")
        .want("relay_domains", "example.org");
    bench.postfix_live().environment.hostname = Some("mx.example.org".to_owned());
    let said = said(&bench);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].starts_with("the address class of `example.org` changes from local to relay"),
        "{said:?}"
    );
}
