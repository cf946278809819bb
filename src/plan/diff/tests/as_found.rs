//! Files that Postfix reads as the wanted ones are taken over as they are.

use crate::ledger::{FileAccess, Previous};

use super::*;

const LDAP: &str = "/etc/postfix/ldap/x.cf";
const FOUND: &str = "# by hand\nserver_host = a\nscope = sub\nsearch_base = dc=x\n";
const WANTED: &str = "# Managed by murder\nsearch_base = dc=x\nserver_host = a\n";

fn wanted(text: &str) -> File {
    File {
        table: TableType::new("ldap").ok(),
        ..file(Body::plain(text))
    }
}

fn found(text: &str, mode: u32) -> LiveState {
    LiveState {
        mode: Mode::from_bits(mode),
        ..state(text)
    }
}

/// A host that has taken the file over as [`FOUND`], and has `live` by now.
fn recorded(live: LiveState) -> Bench {
    let origin = Origin::Adopted(super::super::adopted::previous(&found(FOUND, 0o644)));
    let thing = Thing::File(path(LDAP));
    let mut ledger = ledger(&[(thing.clone(), origin, Some(&sha256_hex(FOUND.as_bytes())))]);
    if let Some(managed) = postfix_mut(&mut ledger).managed.get_mut(&thing) {
        managed.access = Some(FileAccess {
            owner: "root".into(),
            group: "postfix".into(),
            mode: Mode::from_bits(0o644),
        });
    }
    Bench::new("").has_file(LDAP, live).ledger(ledger)
}

#[test]
fn a_file_with_the_wanted_settings_is_taken_over_as_it_is() {
    let bench = Bench::new("").has_file(LDAP, found(FOUND, 0o644));
    let plan = bench.want_file(LDAP, wanted(WANTED)).plan();
    assert!(plan.refusals.is_empty() && plan.adopts.is_empty());
    assert!(
        matches!(&plan.steps[..], [Step::TakeOver { .. }]),
        "{:?}",
        plan.steps
    );
    let managed = &postfix(&plan.ledger).managed[&Thing::File(path(LDAP))];
    assert_eq!(managed.value, Some(sha256_hex(FOUND.as_bytes())));
    let access = managed.access.as_ref().unwrap();
    assert_eq!(access.mode, Mode::from_bits(0o644));
}

#[test]
fn user_postfix_must_be_able_to_read_it_where_it_could_read_the_wanted_one() {
    let closed = LiveState {
        group: "root".into(),
        ..found(FOUND, 0o600)
    };
    let bench = Bench::new("").has_file(LDAP, closed);
    let plan = bench.want_file(LDAP, wanted(WANTED)).plan();
    assert!(
        plan.steps
            .iter()
            .any(|step| matches!(step, Step::File { .. }))
    );
}

#[test]
fn it_stays_until_a_setting_changes() {
    let same = recorded(found(FOUND, 0o644)).want_file(LDAP, wanted(WANTED));
    assert!(matches!(same.verdict().verdict, Verdict::Converged));
    // A comment is the administrator's own business; the ledger follows.
    let comment = format!("# and a comment\n{FOUND}");
    let plan = recorded(found(&comment, 0o644))
        .want_file(LDAP, wanted(WANTED))
        .plan();
    assert!(
        !plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::File { .. }))
    );
    let managed = &postfix(&plan.ledger).managed[&Thing::File(path(LDAP))];
    assert_eq!(managed.value, Some(sha256_hex(comment.as_bytes())));
    assert!(
        matches!(&managed.origin, Origin::Adopted(Previous::File { sha256, .. }) if *sha256 == sha256_hex(comment.as_bytes()))
    );
    // A setting, the manifest's or the host's, and a mode are not.
    let other = WANTED.replace("dc=x", "dc=y");
    for (live, text) in [
        (found(FOUND, 0o644), other.as_str()),
        (found(&FOUND.replace("= a", "= b"), 0o644), WANTED),
        (found(FOUND, 0o666), WANTED),
    ] {
        let plan = recorded(live).want_file(LDAP, wanted(text)).plan();
        assert!(
            plan.steps
                .iter()
                .any(|step| matches!(step, Step::File { .. }))
        );
    }
}
