//! Which configurations give a host no job.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::ledger::{LEDGER_VERSION, Ledger, ServiceLedger};
use crate::postfix::configuration::HostEnvironment;
use crate::postfix::{DEBIAN_MASTER_CF, INSTANCE_MAIN_CF, MasterCf};
use crate::state::{Facts, LiveReferences, Running};

const DEBIAN: &str = include_str!("../../../tests/styles/debian-12.cf");

fn live(main_cf: &str, master_cf: &str, mail_name: &str) -> Live {
    let main_cf = main_cf.split("# master.cf").next().unwrap();
    let main_cf = main_cf.replace("@HOST@", "backend7.example.org");
    let postfix = PostfixLive {
        main_cf: MainCf::parse(main_cf.as_bytes()),
        master_cf: MasterCf::shared(master_cf.as_bytes()),
        main_cf_sha256: String::new(),
        master_cf_sha256: String::new(),
        environment: HostEnvironment {
            hostname: Some("backend7.example.org".to_owned()),
            mail_name: Some(mail_name.to_owned()),
            ..HostEnvironment::default()
        },
        running: Running::Yes,
        queue: None,
    };
    Live {
        facts: Facts::debian(),
        services: [(Service::POSTFIX, LiveService::Postfix(postfix))].into(),
        default_instance: None,
        files: BTreeMap::new(),
        indexes: BTreeMap::new(),
        unsound_indexes: BTreeSet::new(),
        tables: BTreeMap::new(),
        references: LiveReferences::default(),
        ledger: None,
        ledger_sha256: None,
        journal: None,
        pending: None,
        lock: None,
        leftovers: Vec::new(),
        exposed: BTreeMap::new(),
        configuration_links: BTreeMap::new(),
        last_words: false,
        remarks: Vec::new(),
    }
}

fn is_untouched(live: &Live) -> bool {
    live.is_untouched(&Service::POSTFIX, &["example.org"].into())
}

fn ledger(managed: BTreeMap<Thing, Managed>) -> Ledger {
    let service = ServiceLedger {
        managed,
        ..ServiceLedger::default()
    };
    Ledger {
        version: LEDGER_VERSION,
        host_key: None,
        murder: "example.org".to_owned(),
        generation: 1,
        services: [(Service::POSTFIX, service)].into(),
        applied: None,
        hosts: Vec::new(),
        facts: None,
    }
}

#[test]
fn what_distributions_install_has_no_job() {
    let unchrooted = DEBIAN_MASTER_CF.replace("  y  ", "  n  ");
    for (distribution, main_cf, master_cf) in [
        ("debian", DEBIAN, DEBIAN_MASTER_CF),
        (
            "debian",
            include_str!("../../../tests/styles/debian-10.cf"),
            DEBIAN_MASTER_CF,
        ),
        (
            "debian",
            include_str!("../../../tests/styles/debian-13.cf"),
            DEBIAN_MASTER_CF,
        ),
        (
            "debian",
            include_str!("../../machine/sandbox/main.cf"),
            DEBIAN_MASTER_CF,
        ),
        (
            "ubuntu",
            include_str!("../../../tests/styles/ubuntu-22.cf"),
            DEBIAN_MASTER_CF,
        ),
        (
            "rhel",
            include_str!("../../../tests/styles/rhel.cf"),
            &unchrooted,
        ),
        (
            "rhel",
            include_str!("../../../tests/styles/rhel-8.cf"),
            &unchrooted,
        ),
        (
            "opensuse-leap",
            include_str!("../../../tests/styles/opensuse.cf"),
            &unchrooted,
        ),
        ("debian", INSTANCE_MAIN_CF, DEBIAN_MASTER_CF),
        ("debian", "", ""),
    ] {
        let mut live = live(main_cf, master_cf, "backend7.example.org");
        distribution.clone_into(&mut live.facts.distribution);
        assert!(is_untouched(&live), "{distribution} {main_cf}");
    }
}

/// What debconf(7) asks as "Internet Site", "Local only" and "Satellite system", and what gives a host a job.
#[test]
fn answers_of_an_installer_give_no_job_and_settings_do() {
    for (more, is_idle) in [
        ("inet_interfaces = loopback-only\n", true),
        ("relayhost = [smtp.example.org]\n", true),
        ("mynetworks = 127.0.0.0/8 192.0.2.0/24\n", true),
        ("myhostname = imap7.example.org\n", true),
        ("mailbox_command = procmail -a \"$EXTENSION\"\n", true),
        (
            "multi_instance_directories = /etc/postfix-out\nmulti_instance_enable = yes\n",
            true,
        ),
        ("alias_maps = lmdb:/etc/aliases\n", true),
        ("alias_maps = hash:/etc/mail/aliases\n", false),
        ("relay_domains = example.org\n", false),
        (
            "mydestination = $myhostname, example.org, localhost\n",
            false,
        ),
        ("transport_maps = hash:/etc/postfix/transport\n", false),
        ("virtual_alias_maps = hash:/etc/postfix/virtual\n", false),
        ("smtpd_recipient_restrictions = reject\n", false),
        ("content_filter = smtp-amavis:[127.0.0.1]:10024\n", false),
    ] {
        let main_cf = DEBIAN.replace("# master.cf", &format!("{more}# master.cf"));
        let live = live(&main_cf, DEBIAN_MASTER_CF, "backend7.example.org");
        assert_eq!(is_untouched(&live), is_idle, "{more}");
    }
}

#[test]
fn a_host_that_is_told_a_mail_domain_as_its_name_has_a_job() {
    let to_mail_name = DEBIAN.replace("@HOST@, localhost", "example.org, localhost");
    let to_itself = DEBIAN.replace("myhostname = @HOST@", "myhostname = example.org");
    for (main_cf, mail_name, is_idle) in [
        (DEBIAN, "example.org", true),
        (&to_mail_name, "example.org", false),
        (&to_itself, "backend7.example.org", false),
    ] {
        let live = live(main_cf, DEBIAN_MASTER_CF, mail_name);
        assert_eq!(is_untouched(&live), is_idle, "{main_cf}");
    }
}

#[test]
fn an_entry_of_master_cf_gives_a_job_if_mail_comes_by_it() {
    for (more, is_idle) in [
        (
            "cyrus unix - n n - - pipe\n  user=cyrus argv=/bin/x\n",
            true,
        ),
        ("maildrop unix - n n - - pipe\n  user=v argv=/bin/x\n", true),
        ("smtp inet n - y - 20 smtpd\n", true),
        ("submission inet n - y - - smtpd\n", false),
        ("smtp inet n - y - 1 postscreen\n", false),
        (
            "smtp inet n - y - - smtpd\n  -o content_filter=x:y\n",
            false,
        ),
        ("smtp unix - - y - - lmtp\n", false),
    ] {
        let master_cf = format!("{DEBIAN_MASTER_CF}{more}");
        let live = live(DEBIAN, &master_cf, "");
        assert_eq!(is_untouched(&live), is_idle, "{more}");
    }
}

/// What a first apply that did not end has set is not the site's; what it replaced is.
#[test]
fn an_apply_that_did_not_end_gave_no_job() {
    let text = "relay_domains = example.org\nmydestination = example.org\n# master.cf";
    let main_cf = DEBIAN.replace("# master.cf", text);
    let of = |origin: Origin| Managed {
        origin,
        value: Some("example.org".to_owned()),
        access: None,
    };
    let was = |text: &str| Origin::Adopted(Previous::Value(text.to_owned()));
    for (relay_domains, is_idle) in [
        (Origin::Created, true),
        (was("other.example"), false),
        (was(""), true),
    ] {
        let mut live = live(&main_cf, DEBIAN_MASTER_CF, "");
        assert!(!is_untouched(&live));
        let thing = |name: &str| Thing::Parameter(name.parse().unwrap());
        let managed = [
            (thing("relay_domains"), of(relay_domains)),
            (thing("mydestination"), of(was("$myhostname, localhost"))),
        ];
        let pending = ledger(managed.into());
        live.pending = Some(pending.clone());
        assert_eq!(is_untouched(&live), is_idle);
        // After an apply that ended, all is the host's job.
        live.ledger = Some(pending);
        assert!(!is_untouched(&live));
    }
}

/// A frontend that sends its mail to the internal MTA differs in nothing from what an installer makes.
#[test]
fn a_host_with_a_ledger_has_a_job_unless_it_was_installed_anew() {
    for (name, value, is_idle) in [
        ("relayhost", "[smtp.example.org]", false),
        ("transport_maps", "hash:/etc/postfix/transport", true),
    ] {
        let mut live = live(DEBIAN, DEBIAN_MASTER_CF, "");
        assert!(is_untouched(&live));
        let managed = Managed {
            origin: Origin::Created,
            value: Some(value.to_owned()),
            access: None,
        };
        live.ledger = Some(ledger(
            [(Thing::Parameter(name.parse().unwrap()), managed)].into(),
        ));
        assert_eq!(is_untouched(&live), is_idle, "{name}");
    }
}
