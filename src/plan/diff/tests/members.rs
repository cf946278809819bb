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
