//! Effective values of small configurations, by hand.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::postfix::{DEBIAN_MASTER_CF, MainCf, MasterCf};

struct Host {
    main_cf: MainCf,
    master_cf: MasterCf,
    environment: HostEnvironment,
}

impl Host {
    fn new(main_cf: &str) -> Self {
        let options = "tlsproxy unix - - y - 0 tlsproxy\nsubmission inet n - y - - smtpd\n  -o { mynetworks = 10.0.0.0/8 }\n  -o relay_domains=$mydomain\n";
        Self {
            main_cf: MainCf::parse(main_cf.as_bytes()),
            master_cf: MasterCf::parse(format!("{DEBIAN_MASTER_CF}{options}").as_bytes()),
            environment: HostEnvironment {
                hostname: Some("mx.example.org".to_owned()),
                ..HostEnvironment::default()
            },
        }
    }

    fn ask<T>(&self, version: &str, question: impl FnOnce(Configuration<'_>) -> T) -> T {
        let files = ConfigurationFiles {
            main_cf: &self.main_cf,
            master_cf: &self.master_cf,
        };
        question(Configuration::new(
            &files,
            Release::new(version),
            &self.environment,
        ))
    }

    fn main(&self, name: &str) -> Result<String, ExpandError> {
        self.ask("3.7.11", |configuration| {
            configuration.main().expanded(name).text
        })
    }
}

fn service(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

#[test]
fn a_value_says_where_it_comes_from() {
    let host = Host::new("relay_domains = $mydestination\nmynetworks = 127.0.0.0/8\n");
    host.ask("3.7.11", |configuration| {
        let submission = service("submission/inet");
        let view = configuration.service(&submission);
        for (name, text, source) in [
            ("mynetworks", "10.0.0.0/8", ValueSource::Option),
            (
                "smtpd_banner",
                "$myhostname ESMTP $mail_name",
                ValueSource::Default,
            ),
            ("service_name", "submission", ValueSource::Default),
            ("of_ones_own", "", ValueSource::Undefined),
            (
                "x_recipient_limit",
                "$default_recipient_limit",
                ValueSource::Default,
            ),
        ] {
            let value = view.get(name).unwrap();
            assert_eq!((&*value.text, value.source), (text, source), "{name}");
        }
        let main = configuration.main().get("mynetworks").unwrap();
        assert_eq!(
            (&*main.text, main.source),
            ("127.0.0.0/8", ValueSource::MainCf)
        );
    });
}

#[test]
fn a_service_expands_with_its_own_options() {
    let host = Host::new("compatibility_level = 3.6\n");
    host.ask("3.7.11", |configuration| {
        let submission = service("submission/inet");
        let text = |view: View<'_>| view.expanded("relay_domains").text.unwrap();
        assert_eq!(text(configuration.service(&submission)), "example.org");
        assert_eq!(text(configuration.main()), "");
    });
}

#[test]
fn defaults_depend_on_the_compatibility_level_and_the_release() {
    let old = Host::new("");
    assert_eq!(
        old.main("relay_domains").as_deref(),
        Ok("mx.example.org, localhost.example.org, localhost")
    );
    assert_eq!(old.main("mynetworks_style").as_deref(), Ok("subnet"));
    let new = Host::new("compatibility_level = 3.6");
    assert_eq!(new.main("mynetworks_style").as_deref(), Ok("host"));
    for version in ["3.5.25", "3.6.4", "3.10.2"] {
        let style = |host: &Host| {
            host.ask(version, |configuration| {
                configuration.main().expanded("mynetworks_style").text
            })
        };
        assert_eq!(style(&old).as_deref(), Ok("subnet"), "{version}");
        let new = Host::new("compatibility_level = 2");
        assert_eq!(style(&new).as_deref(), Ok("host"), "{version}");
    }
}

#[test]
fn what_needs_an_unknown_name_is_unknown_and_says_why() {
    let mut host = Host::new("relay_domains = $mydomain\nmyorigin = /etc/mailname\n");
    assert_eq!(host.main("relay_domains").as_deref(), Ok("example.org"));
    assert!(matches!(
        host.main("myorigin"),
        Err(ExpandError::Unknown(_))
    ));
    host.environment = HostEnvironment::default();
    let error = host.main("relay_domains").unwrap_err();
    assert_eq!(
        error.to_string(),
        "`myhostname` is not known: the host's name is not known"
    );
    assert!(host.main("mynetworks").is_err());
    host.environment.mail_name = Some("example.net".to_owned());
    assert_eq!(host.main("myorigin").as_deref(), Ok("example.net"));
    host.environment.networks.subnet = Some("127.0.0.0/8 192.0.2.0/24".to_owned());
    assert_eq!(
        host.main("mynetworks").as_deref(),
        Ok("127.0.0.0/8 192.0.2.0/24")
    );
    let host = Host::new("a = $b\nb = $a$a\n");
    assert!(matches!(
        host.main("a"),
        Err(ExpandError::Syntax(_) | ExpandError::Unknown(_))
    ));
}

#[test]
fn tables_are_found_by_name_default_restriction_and_class() {
    let host = Host::new(
        "transport_maps = proxy:unionmap:{ldap:/a, $default_database_type:/b}, cidr:/c\n\
         smtpd_restriction_classes = careful\ncareful = check_sender_access hash:/d\n\
         smtpd_client_restrictions = check_policy_service unix:private/policy, check_client_access cidr:/e\n\
         relay_clientcerts = hash:/f\n",
    );
    host.ask("3.7.11", |configuration| {
        let view = configuration.main();
        let shown = |name: &str| -> Vec<String> {
            let tables = view.tables(name).unwrap().into_iter();
            tables
                .map(|table| {
                    format!(
                        "{}{}:{}",
                        if table.proxied { "proxy " } else { "" },
                        table.kind,
                        table.name
                    )
                })
                .collect()
        };
        assert_eq!(
            shown("transport_maps"),
            ["proxy ldap:/a", "proxy hash:/b", "cidr:/c"]
        );
        assert_eq!(shown("careful"), ["hash:/d"]);
        assert_eq!(shown("smtpd_client_restrictions"), ["cidr:/e"]);
        assert_eq!(shown("mailbox_transport"), [""; 0]);
        let (opened, unknown) = view.opened_by("smtpd");
        let names: BTreeSet<&str> = opened
            .iter()
            .map(|table| table.parameter.as_str())
            .collect();
        for name in [
            "careful",
            "relay_clientcerts",
            "local_recipient_maps",
            "alias_maps",
        ] {
            assert!(names.contains(name), "{name}");
        }
        assert!(!names.contains("transport_maps"));
        let unknown: Vec<&str> = unknown.iter().map(|(name, _)| name.as_str()).collect();
        assert!(unknown.contains(&"mynetworks"), "{unknown:?}");
    });
}

#[test]
fn listeners_classes_and_transports() {
    let host = Host::new(
        "inet_interfaces = loopback-only\nvirtual_alias_maps = hash:/a\ncontent_filter = scan:[127.0.0.1]:10024\n",
    );
    host.ask("3.7.11", |configuration| {
        let view = configuration.main();
        let services = [
            "smtp/inet",
            "127.0.0.1:10025/inet",
            "[::1]:smtp/inet",
            "lmtp/unix",
        ]
        .map(service);
        let listeners = view.listeners(&services);
        let shown: Vec<(String, &str)> = listeners
            .iter()
            .map(|listener| match &listener.on {
                ListensOn::Interfaces(text) => (text.clone().unwrap(), listener.port.as_str()),
                ListensOn::Address(address) => (address.clone(), listener.port.as_str()),
            })
            .collect();
        let expected = [
            ("loopback-only", "smtp"),
            ("127.0.0.1", "10025"),
            ("::1", "smtp"),
        ];
        assert_eq!(shown, expected.map(|(on, port)| (on.to_owned(), port)));
        let classes = view.classes();
        assert_eq!(classes.of(AddressClass::VirtualAlias).known, ["hash:/a"]);
        assert_eq!(classes.of(AddressClass::Local).known.len(), 3);
        let missing = configuration.missing_transports(&|_| None);
        let missing: Vec<_> = missing.iter().map(|used| used.transport.as_str()).collect();
        assert_eq!(missing, ["scan"]);
    });
}

#[test]
fn a_list_has_the_members_that_are_known() {
    let mut host = Host::new("mydestination = a, $myhostname, $others\nothers = b $mydomain c\n");
    host.environment.hostname = None;
    host.ask("3.7.11", |configuration| {
        let list = configuration.main().list("mydestination");
        assert_eq!(list.known, ["a", "b", "c"]);
        assert_eq!(list.unknown, ["$myhostname", "$mydomain"]);
    });
}

#[test]
fn files_are_named_as_the_program_that_opens_them_finds_them() {
    let files = |main_cf: &str| {
        let host = Host::new(main_cf);
        host.ask("3.7.11", |configuration| {
            let files = configuration.opened_files().into_iter();
            let set = files.filter(|file| file.is_set);
            set.map(|file| (file.parameter, file.path, file.of_postfix))
                .collect::<Vec<_>>()
        })
    };
    for (main_cf, parameter, path, of_postfix) in [
        (
            "smtpd_tls_security_level=may\nsmtpd_tls_cert_file=tls/a.pem\n",
            "smtpd_tls_cert_file",
            "/var/spool/postfix/tls/a.pem",
            false,
        ),
        (
            "transport_maps=hash:routes\n",
            "transport_maps",
            "/var/spool/postfix/routes.db",
            false,
        ),
        // smtp(8) of Debian runs in the jail.
        (
            "smtp_tls_security_level=secure\nsmtp_tls_CApath=/etc/ssl/certs\n",
            "smtp_tls_CApath",
            "/var/spool/postfix/etc/ssl/certs",
            true,
        ),
        (
            "smtpd_sasl_auth_enable=yes\nsmtpd_sasl_type=cyrus\nsmtpd_sasl_path=smtpd\ncyrus_sasl_config_path=/etc/sasl\n",
            "cyrus_sasl_config_path",
            "/etc/sasl/smtpd.conf",
            false,
        ),
        (
            "smtpd_sasl_auth_enable=yes\ncyrus_sasl_config_path=/etc/sasl:/usr/lib/sasl2\n",
            "cyrus_sasl_config_path",
            "/usr/lib/sasl2/smtpd.conf",
            false,
        ),
        (
            "smtpd_tls_security_level=may\nsmtpd_tls_ask_ccert=yes\ntlsproxy_tls_CApath=/etc/ssl/clients\n",
            "tlsproxy_tls_CApath",
            "/var/spool/postfix/etc/ssl/clients",
            true,
        ),
        (
            "smtp_tls_security_level=verify\nsmtp_tls_connection_reuse=yes\ntlsproxy_client_CApath=/etc/ssl/certs\n",
            "tlsproxy_client_CApath",
            "/var/spool/postfix/etc/ssl/certs",
            true,
        ),
        (
            "smtp_tls_security_level=may\nlmtp_tls_connection_reuse=yes\ntlsproxy_client_cert_file=/etc/c.pem\n",
            "tlsproxy_client_cert_file",
            "/etc/c.pem",
            false,
        ),
    ] {
        let found = files(main_cf);
        let wanted = (parameter.to_owned(), path.to_owned(), of_postfix);
        assert!(found.contains(&wanted), "{main_cf}{found:?}");
    }
    for main_cf in [
        "smtp_tls_security_level=may\nsmtp_tls_CApath=/etc/ssl/certs\n",
        "smtpd_sasl_type=cyrus\ncyrus_sasl_config_path=/etc/sasl\n",
        "smtp_tls_security_level=may\ntlsproxy_client_cert_file=/etc/c.pem\n",
        "smtpd_tls_security_level=may\ntlsproxy_tls_CApath=/etc/ssl/clients\n",
        "transport_maps=inline:{a=b}, ldap:routes\n",
    ] {
        assert_eq!(files(main_cf), [], "{main_cf}");
    }
}
