//! Observation.

use murder::machine::remote::Remote;
use murder::machine::{MachineError, Observe, Questions};
use murder::state::{LiveFile, Running};
use murder::transport::{ProgramExit, ProgramResponse};
use proptest::prelude::*;

use super::host::{Answering, Host};
use super::{asking, fingerprint, path, summary};

const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

#[test]
fn what_defaults_are_made_of_is_seen_and_networks_only_where_they_count() {
    let host = Host::new();
    host.run("ip addr add 192.0.2.6/24 dev lo; echo mail.example.org >/etc/mailname; postconf -e inet_interfaces=all inet_protocols=ipv4");
    for (main_cf, subnet, mine) in [
        (
            "postconf -X mynetworks; postconf -e mynetworks_style=subnet",
            Some("192.0.2.0/24"),
            None,
        ),
        (
            "postconf -e mynetworks_style=host",
            None,
            Some("192.0.2.6/32"),
        ),
        ("postconf -e mynetworks=127.0.0.0/8", None, None),
    ] {
        host.run(main_cf);
        for sh in SHELLS {
            let mut remote = Remote::new(host.shell()).with_sh(sh);
            let live = remote.observe(&Questions::default()).unwrap().live;
            let environment = &live.postfix().unwrap().environment;
            assert_eq!(
                environment.hostname.as_deref(),
                Some("host.example.org"),
                "{sh}"
            );
            assert_eq!(
                environment.mail_name.as_deref(),
                Some("mail.example.org"),
                "{sh}"
            );
            let networks = &environment.networks;
            for (known, wanted) in [(&networks.subnet, subnet), (&networks.host, mine)] {
                assert_eq!(
                    known.is_some(),
                    wanted.is_some(),
                    "{sh}: {main_cf}: {networks:?}"
                );
                let known = known.as_deref().unwrap_or_default();
                assert!(
                    known.contains(wanted.unwrap_or_default()),
                    "{sh}: {networks:?}"
                );
            }
        }
    }
}

#[test]
fn every_shell_sees_the_same_host() {
    let host = Host::running();
    host.write("/etc/postfix/transport", "a.example relay:b\n");
    host.run("chmod 0640 /etc/postfix/transport; chown root:postfix /etc/postfix/transport; postmap /etc/postfix/transport; mkfifo /etc/postfix/pipe; ln -s transport /etc/postfix/link; ln -s nowhere /etc/postfix/dangling");
    let mut questions = asking(&[
        "/etc/postfix/transport",
        "/etc/postfix/absent",
        "/etc/postfix/pipe",
        "/etc/postfix/link",
        "/etc/postfix/dangling",
        "/etc/postfix/sasl",
    ]);
    questions.indexes.insert(path("/etc/postfix/transport.db"));
    questions.indexes.insert(path("/etc/postfix/absent.db"));
    let before = fingerprint(&host);
    for sh in SHELLS {
        let mut remote = Remote::new(host.shell()).with_sh(sh);
        let observed = remote
            .observe(&questions)
            .unwrap_or_else(|error| panic!("{sh}: {error:?}"));
        let live = observed.live;
        assert_eq!(live.facts.postfix_version, "3.7.11", "{sh}");
        assert!(
            live.facts.table_types.contains("ldap") && live.facts.parameters.len() > 500,
            "{sh}"
        );
        assert_eq!(
            (
                live.facts.distribution.as_str(),
                live.facts.lmtp_socket.as_str()
            ),
            ("debian", "/run/cyrus/socket/lmtp")
        );
        assert_eq!(live.postfix().unwrap().running, Running::Yes, "{sh}");
        assert_eq!(
            live.postfix().unwrap().main_cf_sha256,
            host.run("sha256sum </etc/postfix/main.cf")[..64],
            "{sh}"
        );
        let LiveFile::Present(file) = &live.files[&path("/etc/postfix/transport")] else {
            panic!("{sh}: {live:?}")
        };
        assert_eq!(
            (
                file.owner.as_str(),
                file.group.as_str(),
                file.mode.to_string().as_str()
            ),
            ("root", "postfix", "0640")
        );
        assert_eq!(file.text.as_deref(), Some("a.example relay:b\n"));
        assert_eq!(live.files[&path("/etc/postfix/absent")], LiveFile::Absent);
        assert!(matches!(
            live.files[&path("/etc/postfix/pipe")],
            LiveFile::Other(_)
        ));
        assert!(matches!(
            live.files[&path("/etc/postfix/sasl")],
            LiveFile::Other(_)
        ));
        assert!(matches!(
            live.files[&path("/etc/postfix/dangling")],
            LiveFile::Other(_)
        ));
        let LiveFile::Present(link) = &live.files[&path("/etc/postfix/link")] else {
            panic!("{sh}")
        };
        assert_eq!(link.link.as_deref(), Some("/etc/postfix/transport"));
        assert!(matches!(
            live.indexes[&path("/etc/postfix/transport.db")],
            LiveFile::Present(_)
        ));
        assert_eq!(
            live.indexes[&path("/etc/postfix/absent.db")],
            LiveFile::Absent
        );
        assert!(live.ledger.is_none() && live.journal.is_none());

        // A second look with what is known: no text, no facts, far less to say.
        let expected = Questions {
            files: [(path("/etc/postfix/transport"), Some(file.sha256.clone()))].into(),
            known: observed.known.clone(),
            ..Questions::default()
        };
        let again = remote.observe(&expected).unwrap();
        assert_eq!(again.known, observed.known, "{sh}");
        let LiveFile::Present(file) = &again.live.files[&path("/etc/postfix/transport")] else {
            panic!("{sh}")
        };
        assert_eq!(file.text, None, "{sh}");
    }
    assert_eq!(fingerprint(&host), before);
    assert_eq!(
        host.run("ls /var/lib/murder 2>&1; ls -A /tmp"),
        "ls: cannot access '/var/lib/murder': No such file or directory\n"
    );
}

#[test]
fn noise_around_the_answer_does_no_harm() {
    let host = Host::new();
    let mut remote = Remote::new(host.noisy(
        "echo WELCOME; printf 'x BEGIN y\\n\\377\\0'; echo hm >&2; ",
        "echo bye",
    ));
    let observed = remote.observe(&Questions::default()).unwrap();
    assert_eq!(observed.live.postfix().unwrap().running, Running::No);
}

#[test]
fn a_host_that_cannot_serve_is_an_error_with_a_way_out() {
    let host = Host::new();
    let observe = || {
        Remote::new(host.shell())
            .observe(&Questions::default())
            .unwrap_err()
    };
    host.run("mv /usr/bin/flock /usr/bin/flock.away");
    let error = observe();
    assert!(
        summary(&error).contains("programs are missing on the host: flock"),
        "{error:?}"
    );
    assert!(format!("{error:?}").contains("util-linux"));
    host.run(
        "mv /usr/bin/flock.away /usr/bin/flock; mv /usr/sbin/postconf /usr/sbin/postconf.away",
    );
    let error = observe();
    assert!(
        summary(&error).contains("Postfix is not installed"),
        "{error:?}"
    );
    host.run("mv /usr/sbin/postconf.away /usr/sbin/postconf; mkdir -p /var/lib/murder; echo nonsense >/var/lib/murder/ledger.json");
    assert!(summary(&observe()).contains("ledger"), "{:?}", observe());
}

#[test]
fn a_directory_that_shuts_postfix_out_is_remarked_with_its_mend() {
    let host = Host::new();
    host.run("mkdir -p /run/cyrus/socket; touch /run/cyrus/socket/lmtp; chown cyrus:mail /run/cyrus/socket; chmod 0750 /run/cyrus/socket");
    let questions = Questions {
        sockets: [path("/run/cyrus/socket/lmtp")].into(),
        ..Questions::default()
    };
    let remarks = Remote::new(host.shell())
        .observe(&questions)
        .unwrap()
        .live
        .remarks;
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(
        remarks[0]
            .text
            .contains("user postfix cannot enter /run/cyrus/socket (0750 cyrus:mail)")
    );
    assert_eq!(
        remarks[0].hint.as_deref(),
        Some("usermod -a -G mail postfix && postfix reload")
    );
    host.run("usermod -a -G mail postfix");
    let remarks = Remote::new(host.shell())
        .observe(&questions)
        .unwrap()
        .live
        .remarks;
    assert_eq!(remarks, []);
}

proptest! {
    #[test]
    fn any_answer_is_an_error_or_an_answer(stdout: Vec<u8>, stderr: Vec<u8>) {
        let answer = ProgramResponse { stdout, stderr, exit: ProgramExit::Code(0) };
        let result = Remote::new(Box::new(Answering(answer))).observe(&Questions::default());
        prop_assert!(matches!(result, Err(MachineError::Unfit(_))));
    }
}

#[test]
fn the_texts_of_one_observation_have_a_limit_together() {
    let host = Host::new();
    let large = [
        "/etc/postfix/first",
        "/etc/postfix/second",
        "/etc/postfix/third",
    ];
    for (path, size) in large.iter().zip(["30M", "30M", "10M"]) {
        host.run(&format!("head -c {size} /dev/zero | tr '\\0' x >{path}"));
    }
    for sh in SHELLS {
        let observed = Remote::new(host.shell())
            .with_sh(sh)
            .observe(&asking(&large))
            .unwrap();
        let texts = large.map(|name| match &observed.live.files[&path(name)] {
            LiveFile::Present(file) => (file.size >> 20, file.text.is_some()),
            other => panic!("{sh}: {other:?}"),
        });
        assert_eq!(texts, [(30, true), (30, false), (10, true)], "{sh}");
    }
}
