//! Hosts that have all that is wanted, and where Postfix cannot work all the same: a plan says so.

use murder::machine::remote::Remote;
use murder::machine::{Ending, Observe};
use murder::name::Parameter;
use murder::plan::questions;
use murder::state::{Desired, Want};
use murder::thing::Thing;

use super::host::Host;
use super::path;
use super::world::{self, desired, failure, perform, plan, remarks, secrets};

/// What is wanted: the first state, and a table in a directory of its own.
fn wanted() -> Desired {
    let mut wanted = desired(false);
    let table = wanted.postfix_mut().files[&path("/etc/postfix/transport")].clone();
    wanted
        .postfix_mut()
        .files
        .insert(path("/etc/postfix/ldap/table"), table);
    wanted
}

/// A host that has it.
fn host() -> Host {
    let host = world::host();
    let plan = plan(&host, &wanted()).unwrap();
    let performed = perform(&host, &plan, "wanted", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    host
}

fn said(host: &Host) -> String {
    remarks(host, &wanted()).join("\n")
}

#[test]
fn a_configuration_that_postfix_cannot_come_to_is_remarked() {
    let host = host();
    assert_eq!(said(&host), "");
    for (spoil, mend, wanted) in [
        (
            "chmod 0700 /etc/postfix/ldap",
            "chmod 0755 /etc/postfix/ldap",
            "user postfix cannot enter /etc/postfix/ldap (0700 root:root)",
        ),
        (
            "chmod 0600 /etc/postfix/main.cf",
            "chmod 0644 /etc/postfix/main.cf",
            "users cannot read /etc/postfix/main.cf (0600 root:root)",
        ),
        (
            "chown postfix /etc/postfix/master.cf",
            "chown root /etc/postfix/master.cf",
            "users other than root can write /etc/postfix/master.cf (0644 postfix:root)",
        ),
    ] {
        host.run(spoil);
        assert!(said(&host).contains(wanted), "{spoil}: {}", said(&host));
        host.run(mend);
        assert_eq!(said(&host), "");
    }
    host.run("chgrp postfix /etc/postfix/ldap; chmod 0750 /etc/postfix/ldap");
    assert_eq!(said(&host), "", "its group may enter");
    // What runs works on with what it has read: telling it anything would be the end of that.
    host.run("chmod 0700 /etc/postfix");
    let asked = questions(&wanted(), &secrets(), None).unwrap();
    let Err(error) = Remote::new(host.shell()).observe(&asked) else {
        panic!("it was passed over")
    };
    let words = "user postfix cannot search `/etc/postfix` (0700 root:root)";
    assert!(error.to_string().contains(words), "{error}");
}

/// What Postfix answers on port 25 within two seconds.
fn greeting(host: &Host) -> String {
    host.run("postfix reload 2>/dev/null; sleep 1; timeout 2 bash -c 'exec 3<>/dev/tcp/127.0.0.1/25 && head -c 4 <&3'; true")
}

#[test]
fn values_by_hand_that_stop_mail_are_remarked() {
    let host = host();
    assert!(greeting(&host).contains("220"), "{}", greeting(&host));
    for (setting, words) in [
        ("smtpd_timeout=soon", "`smtpd_timeout = soon` is not a time"),
        (
            "smtpd_relay_restrictions=permit_mynetworks",
            "neither `smtpd_relay_restrictions` nor `smtpd_recipient_restrictions` of this host stops relaying",
        ),
        (
            "smtpd_sender_login_maps=hsah:/x",
            "unknown table type `hsah` in `smtpd_sender_login_maps`",
        ),
    ] {
        host.run(&format!("postconf -e '{setting}'"));
        assert!(said(&host).contains(words), "{setting}: {}", said(&host));
        assert!(
            plan(&host, &wanted()).is_none(),
            "they are nobody's difference"
        );
        assert!(!greeting(&host).contains("220"), "{setting} is harmless");
        host.run(&format!(
            "postconf -X '{}'",
            setting.split('=').next().unwrap()
        ));
        assert_eq!(said(&host), "");
    }
}

/// `postconf -m` dies of it too, so nobody could say which tables the host can open.
#[test]
fn a_value_that_refers_to_itself_is_mended() {
    let host = host();
    host.run("printf 'myorigin = $myorigin\\n' >>/etc/postfix/main.cf");
    assert_eq!(host.run("postconf -m 2>&1 | grep -c fatal").trim(), "1");
    let words = "`myorigin = $myorigin` cannot be expanded";
    assert!(said(&host).contains(words), "{}", said(&host));
    let mut wanted = wanted();
    let myorigin = Thing::Parameter(Parameter::new("myorigin").unwrap());
    wanted
        .postfix_mut()
        .values
        .insert(myorigin, Want::Present("example.org".to_owned()));
    let observed = world::look(&host, &wanted);
    assert!(observed.live.facts.table_types.contains("ldap"));
    let plan = plan(&host, &wanted).unwrap();
    let performed = perform(&host, &plan, "mend", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(
        host.run("postconf -m 2>&1 | grep -c fatal; true").trim(),
        "0"
    );
}

#[test]
fn what_stands_where_a_directory_or_an_index_must_is_found_by_the_plan() {
    let host = host();
    let asked = questions(&wanted(), &secrets(), None).unwrap();
    host.run("rm -r /etc/postfix/ldap; touch /etc/postfix/ldap");
    let Err(error) = Remote::new(host.shell()).observe(&asked) else {
        panic!("it was passed over")
    };
    let words = "/etc/postfix/ldap is a plain file, but must be a directory";
    assert!(error.to_string().contains(words), "{error}");
    host.run("rm /etc/postfix/ldap /etc/postfix/transport.db; mkdir /etc/postfix/transport.db");
    let words = "`/etc/postfix/transport.db` is a directory, but must be a file";
    assert_eq!(failure(&host, &wanted()).summary, words);
}

#[test]
fn a_table_from_the_future_converges() {
    let host = host();
    host.run("touch -d '2099-01-01' /etc/postfix/transport");
    let first = plan(&host, &wanted()).expect("its index looks stale");
    let performed = perform(&host, &first, "r1", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(plan(&host, &wanted()).is_none());
}
