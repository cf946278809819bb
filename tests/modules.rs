//! The shipped modules: what each role's host gets, for each choice a site can make.

use std::collections::BTreeMap;
use std::time::Duration;

use murder::access::{Access, Become, SshClient};
use murder::compile::{Compiled, compile};
use murder::diagnostic::{Diagnostic, SourceId, Sources, Span};
use murder::model::{
    ContentSpec, Domain, FileSpec, Host, HostState, Layer, Ldap, Level, ListEdit, Murder,
    ServiceSpec, SettingSpec, SharedFolder, Tls, TlsMode, Topology,
};
use murder::module::{Modules, ParsedModules, embedded, parse};
use murder::name::{HostName, Mode, Parameter, RemotePath, RoleName, ServiceName, UserName};
use murder::secret::{SecretName, Secrets};
use murder::state::{Facts, File, Probes, Want};
use murder::thing::{Field, Thing};
use serde_json::json;

pub fn at(start: u32) -> Span {
    Span {
        source: SourceId(0),
        start,
        end: start,
    }
}

pub fn name(text: &str) -> HostName {
    HostName::new(text).unwrap()
}

/// The manifest's directory.
pub fn ldap() -> Ldap {
    Ldap {
        uris: vec!["ldap://ldap.example.org:389".to_owned()],
        base: "dc=example,dc=org".to_owned(),
        scope: "sub".to_owned(),
        bind_dn: Some("uid=kolab-service,ou=Special Users,dc=example,dc=org".to_owned()),
        bind_pw: Some(SecretName("ldap.bind_pw".to_owned())),
        filter: None,
        prefixes: BTreeMap::new(),
        sasl: None,
        tls: Tls {
            mode: TlsMode::None,
            ca_file: None,
            ca_dir: None,
            cert_file: None,
            key_file: None,
            cipher_suite: None,
            require_cert: true,
        },
        timeout: Duration::from_secs(10),
    }
}

pub fn host(text: &str, roles: &[&str]) -> Host {
    Host {
        name: name(text),
        at: at(0),
        roles: roles
            .iter()
            .map(|role| RoleName::new(*role).unwrap())
            .collect(),
        site: None,
        mailhost: name(text),
        state: HostState::Active,
        addresses: Vec::new(),
        placement: BTreeMap::new(),
        instances: BTreeMap::new(),
        ssh: Access {
            client: SshClient::Ssh2,
            address: None,
            user: None,
            port: None,
            jump: None,
            identity_file: None,
            passphrase: None,
            password: None,
            host_key: None,
            known_hosts: None,
            become_: Become::No,
            connect_timeout: Duration::from_secs(10),
            command_timeout: Duration::from_secs(60),
        },
        ldap: Some(ldap()),
        lmtp: None,
        probes: Probes::default(),
        facts: Facts::debian(),
        settings: BTreeMap::new(),
        services: BTreeMap::new(),
        files: BTreeMap::new(),
        vars: BTreeMap::new(),
        maintenance: None,
        leave: Vec::new(),
    }
}

/// The seed's murder with an internet MTA, a frontend and an mupdate master beside it.
pub fn seed() -> Murder {
    let mut murder = Murder {
        name: "example.org".to_owned(),
        topology: Topology::Discrete,
        domains: vec![domain("example.org")],
        ldap: Some(ldap()),
        postuser: "folder".to_owned(),
        postuser_at: None,
        smart_host: Some(name("smtp.example.org")),
        servers: Vec::new(),
        external: Vec::new(),
        recipient_delimiter: "+".to_owned(),
        shared_folders: Vec::new(),
        verifies_in_plan: false,
        keep: murder::history::KEPT,
        rollout: BTreeMap::new(),
        probes: Probes {
            accept: vec!["canary@example.org".to_owned()],
            refuse: vec!["nosuch@example.org".to_owned()],
        },
        hosts: BTreeMap::new(),
        policies: Vec::new(),
        secrets: BTreeMap::new(),
    };
    for (text, role) in [
        ("mx.example.org", "internet-mta"),
        ("smtp.example.org", "internal-mta"),
        ("backend1.example.org", "backend"),
        ("backend2.example.org", "backend"),
        ("frontend1.example.org", "frontend"),
        ("mupdate.example.org", "mupdate"),
    ] {
        let mut host = host(text, &[role]);
        host.probes = murder.probes.clone();
        murder.hosts.insert(name(text), host);
    }
    murder
}

pub fn domain(text: &str) -> Domain {
    Domain {
        name: name(text),
        base: None,
        alias_of: None,
    }
}

pub fn modules() -> Modules {
    let mut sources = Sources::default();
    sources.add("murder.yaml", "");
    let ParsedModules {
        modules, problems, ..
    } = parse(&[], &embedded(), "modules", |_| false, &mut sources);
    let said: Vec<String> = problems
        .iter()
        .map(|problem| problem.render(&sources, false))
        .collect();
    assert!(problems.is_empty(), "{}", said.join("\n\n"));
    modules
}

fn built(murder: &Murder, host: &str) -> Compiled {
    match compile(murder, &modules(), &name(host), &Facts::debian()) {
        Ok(compiled) => compiled,
        Err(problems) => panic!("{problems:#?}"),
    }
}

fn refused(murder: &Murder, host: &str) -> Vec<Diagnostic> {
    compile(murder, &modules(), &name(host), &Facts::debian()).expect_err("must be refused")
}

fn value(compiled: &Compiled, thing: &str) -> Option<Want<String>> {
    let thing: Thing = thing.parse().unwrap();
    compiled.desired.postfix().values.get(&thing).cloned()
}

#[track_caller]
fn assert_value(compiled: &Compiled, thing: &str, wanted: &str) {
    assert_eq!(
        value(compiled, thing),
        Some(Want::Present(wanted.to_owned())),
        "{thing}"
    );
}

#[track_caller]
fn file(compiled: &Compiled, path: &str) -> File {
    match compiled.desired.postfix().files.get(path) {
        Some(Want::Present(file)) => file.clone(),
        other => panic!("{path} is {other:?}"),
    }
}

/// The line of a file that begins with `start`.
#[track_caller]
fn line(compiled: &Compiled, path: &str, start: &str) -> String {
    let text = file(compiled, path).body.masked();
    match text.lines().find(|line| line.starts_with(start)) {
        Some(line) => line.to_owned(),
        None => panic!("no line `{start}` in {path}:\n{text}"),
    }
}

fn edit(murder: &mut Murder, host: &str, change: impl FnOnce(&mut Host)) {
    change(murder.hosts.get_mut(&name(host)).unwrap());
}

fn layer<T>(level: Level, start: u32, value: T) -> Layer<T> {
    Layer {
        level,
        at: at(start),
        value,
    }
}

fn set_var(murder: &mut Murder, host: &str, var: &str, value: serde_json::Value) {
    edit(murder, host, |host| {
        host.vars
            .insert(var.to_owned(), vec![layer(Level::Host, 7, value)]);
    });
}

fn set(murder: &mut Murder, host: &str, parameter: &str, layers: Vec<Layer<SettingSpec>>) {
    edit(murder, host, |host| {
        host.settings
            .insert(Parameter::new(parameter).unwrap(), layers);
    });
}

fn text(value: &str) -> SettingSpec {
    SettingSpec::Value(value.to_owned())
}

fn summaries(problems: &[Diagnostic]) -> Vec<&str> {
    problems
        .iter()
        .map(|problem| problem.summary.as_str())
        .collect()
}

const SMTP: &str = "smtp.example.org";
const BACKEND: &str = "backend1.example.org";
const MX: &str = "mx.example.org";

#[test]
fn the_backend_asks_for_its_own_mailboxes_only() {
    let compiled = built(&seed(), BACKEND);
    let path = "/etc/postfix/ldap/transport_maps.cf";
    insta::assert_snapshot!(file(&compiled, path).body.masked(), @r"
    # Managed by murder: the next apply reverts changes made here.
    server_host = ldap://ldap.example.org:389
    version = 3
    timeout = 10
    search_base = dc=example,dc=org
    scope = sub
    domain = example.org
    bind = yes
    bind_dn = uid=kolab-service,ou=Special Users,dc=example,dc=org
    bind_pw = ***

    # The primary address only: the smart host rewrites the other addresses to it.
    query_filter = (&(mail=%s)(|(objectClass=kolabInetOrgPerson))(mailHost=backend1.example.org))
    # One result, however many addresses an entry has: the destination does not depend on the value.
    result_attribute = mailHost
    result_format = lmtp:unix:/run/cyrus/socket/lmtp
    expansion_limit = 1
    ");
    // What is accepted is delivered: the same entries in both, or mail goes round.
    assert_eq!(
        line(&compiled, path, "query_filter"),
        line(
            &compiled,
            "/etc/postfix/ldap/local_recipient_maps.cf",
            "query_filter"
        )
    );
    assert_eq!(
        file(&compiled, "/etc/postfix/transport").body.masked(),
        "# Managed by murder: the next apply reverts changes made here.\n\
         # Mail for the host itself (root, cron) stays here.\n\
         backend1.example.org local:\n\
         localhost local:\n\
         # The posting user of shared folders.\n\
         folder@example.org lmtp:unix:/run/cyrus/socket/lmtp\n"
    );
    assert_value(&compiled, "local_transport", "relay:[smtp.example.org]:25");
    assert_value(
        &compiled,
        "local_recipient_maps",
        "proxy:ldap:/etc/postfix/ldap/local_recipient_maps.cf, \
         pipemap:{regexp:/etc/postfix/own_addresses,proxy:unix:passwd.byname}, $alias_maps",
    );
    assert_value(&compiled, "unknown_local_recipient_reject_code", "450");
    assert_value(&compiled, "master.cf:lmtp/unix/chroot", "n");
    assert_eq!(
        line(&compiled, "/etc/postfix/lmtp_delivery_status_filter", "/"),
        r"/^5(\.1\.1 .*)$/ 4$1"
    );
}

#[test]
fn the_backend_as_relay_leaves_local_delivery_alone() {
    let mut murder = seed();
    set_var(&mut murder, BACKEND, "layout", json!("relay"));
    let compiled = built(&murder, BACKEND);
    assert_eq!(value(&compiled, "local_transport"), None);
    assert_value(&compiled, "mydestination", "$myhostname, localhost");
    assert_value(&compiled, "relay_domains", "example.org");
    assert_value(&compiled, "unknown_relay_recipient_reject_code", "450");
    assert_eq!(
        line(&compiled, "/etc/postfix/transport", "example.org"),
        "example.org relay:[smtp.example.org]:25"
    );
}

#[test]
fn a_backend_that_does_not_defer_says_550() {
    let mut murder = seed();
    set_var(&mut murder, BACKEND, "defer_unknown", json!(false));
    let compiled = built(&murder, BACKEND);
    assert_value(&compiled, "unknown_local_recipient_reject_code", "550");
    assert_eq!(value(&compiled, "lmtp_delivery_status_filter"), None);
}

#[test]
fn names_in_filters_are_names_and_percent_signs_are_doubled() {
    let mut murder = seed();
    set_var(&mut murder, BACKEND, "person_classes", json!(["a*(b)%s"]));
    let problems = refused(&murder, BACKEND);
    assert!(
        problems[0]
            .summary
            .starts_with("`a*(b)%s` in `person_classes` is not")
    );
    set_var(&mut murder, BACKEND, "person_classes", json!(["person"]));
    edit(&mut murder, BACKEND, |host| {
        host.ldap.as_mut().unwrap().base = "ou=100%,dc=example".to_owned();
    });
    let compiled = built(&murder, BACKEND);
    let path = "/etc/postfix/ldap/transport_maps.cf";
    assert!(line(&compiled, path, "query_filter").contains("(objectClass=person)"));
    assert_eq!(
        line(&compiled, path, "search_base"),
        "search_base = ou=100%%,dc=example"
    );
}

#[test]
fn a_file_with_a_secret_is_for_postfix_only_and_shows_none() {
    let compiled = built(&seed(), BACKEND);
    let table = file(&compiled, "/etc/postfix/ldap/transport_maps.cf");
    assert_eq!(
        (table.owner.as_str(), table.group.as_str(), table.mode),
        ("root", "postfix", Mode::from_bits(0o640))
    );
    assert_eq!(table.table.as_ref().unwrap().as_str(), "ldap");
    let names: Vec<_> = table.body.secrets().map(|name| name.0.as_str()).collect();
    assert_eq!(names, ["ldap.bind_pw"]);
    assert!(table.body.reveal(&Secrets::default()).is_err());
}

#[test]
fn the_internal_mta_routes_refuses_and_defers() {
    let compiled = built(&seed(), SMTP);
    assert_value(&compiled, "relay_domains", "example.org");
    assert_value(
        &compiled,
        "transport_maps",
        "proxy:ldap:/etc/postfix/ldap/transport_maps.cf, \
         proxy:ldap:/etc/postfix/ldap/no_mailhost.cf, hash:/etc/postfix/transport",
    );
    assert_eq!(
        line(
            &compiled,
            "/etc/postfix/ldap/transport_maps.cf",
            "result_format"
        ),
        "result_format = relay:[%s]:25"
    );
    assert_eq!(
        line(
            &compiled,
            "/etc/postfix/ldap/no_mailhost.cf",
            "result_format"
        ),
        "result_format = retry:4.2.1 Mailbox is not yet placed on a server"
    );
    assert_eq!(
        line(&compiled, "/etc/postfix/transport", "example.org"),
        "example.org error:5.1.1 Recipient address is unknown here"
    );
    // Other relay domains keep their own transport.
    assert_eq!(value(&compiled, "relay_transport"), None);
    assert_value(&compiled, "relayhost", "[mx.example.org]:25");
    assert_eq!(
        compiled.desired.postfix().probes.accept,
        ["canary@example.org"]
    );
}

#[test]
fn the_internal_mta_as_local_has_the_domain_in_mydestination() {
    let mut murder = seed();
    set_var(&mut murder, SMTP, "layout", json!("local"));
    let compiled = built(&murder, SMTP);
    assert_value(
        &compiled,
        "mydestination",
        "$myhostname, localhost, example.org",
    );
    assert_value(&compiled, "relay_domains", "");
    assert_value(
        &compiled,
        "local_recipient_maps",
        "proxy:ldap:/etc/postfix/ldap/relay_recipient_maps.cf, \
         pipemap:{proxy:ldap:/etc/postfix/ldap/folders.cf,regexp:/etc/postfix/folder_targets}, \
         pipemap:{regexp:/etc/postfix/own_addresses,proxy:unix:passwd.byname}, $alias_maps",
    );
}

/// While a layout changes, smtpd(8) may have one of them and trivial-rewrite(8) the other, and the class decides which list
/// is asked.
#[test]
fn a_layout_changes_no_list_of_recipients_and_no_answer() {
    for host in [SMTP, BACKEND] {
        let with = |layout: &str| {
            let mut murder = seed();
            murder.domains.push(Domain {
                alias_of: Some(name("example.org")),
                ..domain("example.com")
            });
            set_var(&mut murder, host, "layout", json!(layout));
            built(&murder, host)
        };
        let (relay, local) = (with("relay"), with("local"));
        for parameter in [
            "local_recipient_maps",
            "relay_recipient_maps",
            "unknown_local_recipient_reject_code",
            "unknown_relay_recipient_reject_code",
            "virtual_alias_maps",
        ] {
            assert_eq!(
                value(&relay, parameter),
                value(&local, parameter),
                "{host}: {parameter}"
            );
        }
        let directory = |parameter: &str| {
            let Some(Want::Present(maps)) = value(&local, parameter) else {
                panic!("{host}: {parameter}");
            };
            let tables = maps.split(", ").map(str::to_owned);
            tables
                .filter(|table| table.contains("ldap") || table.contains("relay_recipients"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            directory("local_recipient_maps"),
            directory("relay_recipient_maps"),
            "{host}"
        );
        let files = |compiled: &Compiled| {
            let files = compiled.desired.files();
            files.map(|(path, _)| path.clone()).collect::<Vec<_>>()
        };
        assert_eq!(files(&relay), files(&local), "{host}");
        // System users of the mail domains are valid in neither. Another name of a domain is no backend's business.
        let (begin, end) = match host {
            SMTP => ("if !/@example\\.com$/\n", "endif\n"),
            _ => ("", ""),
        };
        let own = file(&local, "/etc/postfix/own_addresses").body.masked();
        assert!(
            own.ends_with(&format!(
                "mail domains.\nif !/@example\\.org$/\n{begin}/^([^@+]+)([^@]*)?@[^@]+$/ $1\nendif\n{end}"
            )),
            "{own}"
        );
    }
}

#[test]
fn each_table_of_aliases_can_be_switched_off() {
    for (var, off, path) in [
        (
            "aliases",
            json!(false),
            "/etc/postfix/ldap/virtual_alias_maps.cf",
        ),
        (
            "groups",
            json!(false),
            "/etc/postfix/ldap/mailenabled_distgroups.cf",
        ),
        (
            "dynamic_groups",
            json!(false),
            "/etc/postfix/ldap/mailenabled_dynamic_distgroups.cf",
        ),
        (
            "forwarding",
            json!(false),
            "/etc/postfix/ldap/virtual_alias_maps_mailforwarding.cf",
        ),
        ("role_addresses", json!({}), "/etc/postfix/role_addresses"),
    ] {
        let named = |compiled: &Compiled| match value(compiled, "virtual_alias_maps") {
            Some(Want::Present(text)) => text.contains(path),
            _ => false,
        };
        let mut murder = seed();
        let on = built(&murder, SMTP);
        assert!(
            named(&on) && on.desired.postfix().files.contains_key(path),
            "{var}"
        );
        set_var(&mut murder, SMTP, var, off);
        let off = built(&murder, SMTP);
        assert!(
            !named(&off) && !off.desired.postfix().files.contains_key(path),
            "{var}"
        );
    }
}

#[test]
fn mynetworks_is_derived_or_left_alone_with_a_warning() {
    let mut murder = seed();
    let compiled = built(&murder, SMTP);
    assert_eq!(value(&compiled, "mynetworks"), None);
    assert!(
        compiled.warnings[0]
            .summary
            .contains("`mynetworks` is not set")
    );

    for host in murder.hosts.values_mut() {
        host.addresses = vec!["192.0.2.1".to_owned()];
    }
    edit(&mut murder, MX, |host| {
        host.addresses = vec!["2001:db8::25".to_owned()];
    });
    let plain = "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 192.0.2.1";
    let compiled = built(&murder, SMTP);
    assert_value(&compiled, "mynetworks", plain);
    assert!(compiled.warnings.is_empty());
    set_var(&mut murder, SMTP, "trust_edge", json!(true));
    let trusting = format!("{plain} [2001:db8::25]");
    assert_value(&built(&murder, SMTP), "mynetworks", &trusting);
}

#[test]
fn the_edge_checks_recipients_in_four_ways() {
    let mut murder = seed();
    let maps = |murder: &Murder| value(&built(murder, MX), "relay_recipient_maps");
    let present = |text: &str| Some(Want::Present(text.to_owned()));
    assert_eq!(
        maps(&murder),
        present(
            "proxy:ldap:/etc/postfix/ldap/relay_recipient_maps.cf, \
             pipemap:{proxy:ldap:/etc/postfix/ldap/folders.cf,regexp:/etc/postfix/folder_targets}, \
             proxy:ldap:/etc/postfix/ldap/mailenabled_distgroups.cf, \
             proxy:ldap:/etc/postfix/ldap/mailenabled_dynamic_distgroups.cf, \
             hash:/etc/postfix/relay_recipients"
        )
    );
    set_var(&mut murder, MX, "recipient_check", json!("table"));
    set_var(&mut murder, MX, "recipients", json!(["john@example.org"]));
    assert_eq!(maps(&murder), present("hash:/etc/postfix/relay_recipients"));
    assert_eq!(
        line(&built(&murder, MX), "/etc/postfix/relay_recipients", "john"),
        "john@example.org OK"
    );
    set_var(&mut murder, MX, "recipient_check", json!("verify"));
    assert_eq!(maps(&murder), present(""));
    assert_value(
        &built(&murder, MX),
        "smtpd_relay_restrictions",
        "check_recipient_access regexp:/etc/postfix/recipient_access, \
         permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
    );
    assert_eq!(
        line(&built(&murder, MX), "/etc/postfix/recipient_access", "/"),
        r"/@example\.org$/ reject_unverified_recipient",
        "subdomains are not verified"
    );
    assert_eq!(
        value(&built(&murder, MX), "smtpd_recipient_restrictions"),
        None,
        "a site's block lists and policy services stay"
    );
    set_var(&mut murder, MX, "recipient_check", json!("none"));
    let none = built(&murder, MX);
    assert_eq!(value(&none, "smtpd_relay_restrictions"), None);
    assert!(
        none.warnings
            .iter()
            .any(|warning| warning.summary.contains("forged"))
    );
}

/// What the internal MTA would refuse, the edge refuses: both ask the same tables.
#[test]
fn the_edge_and_the_internal_mta_ask_the_same_tables() {
    let mut murder = seed();
    murder.domains.push(Domain {
        alias_of: Some(name("example.org")),
        ..domain("example.com")
    });
    let (edge, inner) = (built(&murder, MX), built(&murder, SMTP));
    for table in [
        "relay_recipient_maps",
        "folders",
        "mailenabled_distgroups",
        "mailenabled_dynamic_distgroups",
        "alias_domains-example.org",
        "alias_domain_folders-example.org",
        "alias_domain_groups-example.org",
        "alias_domain_dynamic_groups-example.org",
    ] {
        let path = format!("/etc/postfix/ldap/{table}.cf");
        assert_eq!(
            file(&edge, &path).body.masked(),
            file(&inner, &path).body.masked(),
            "{table}"
        );
    }
    for (compiled, parameter) in [
        (&edge, "relay_recipient_maps"),
        (&inner, "virtual_alias_maps"),
    ] {
        let Some(Want::Present(maps)) = value(compiled, parameter) else {
            panic!("{parameter}");
        };
        for table in ["mailenabled_dynamic_distgroups", "alias_domain_groups"] {
            assert!(maps.contains(table), "{parameter}: {maps}");
        }
    }
    set_var(&mut murder, MX, "groups", json!(false));
    let edge = built(&murder, MX);
    let Some(Want::Present(maps)) = value(&edge, "relay_recipient_maps") else {
        panic!("no recipients");
    };
    assert!(!maps.contains("mailenabled_distgroups"), "{maps}");
}

#[test]
fn tables_name_a_host_as_its_postfix_does() {
    let mut murder = seed();
    let local = |murder: &Murder| {
        let compiled = built(murder, BACKEND);
        let transport = file(&compiled, "/etc/postfix/transport").body.masked();
        transport.contains("imap1.example.org local:")
    };
    for text_of in ["imap1.example.org", "imap1.$mydomain", "${own}.example.org"] {
        set(
            &mut murder,
            BACKEND,
            "myhostname",
            vec![layer(Level::Host, 7, text(text_of))],
        );
        set(
            &mut murder,
            BACKEND,
            "mydomain",
            vec![layer(Level::Host, 8, text("example.org"))],
        );
        set(
            &mut murder,
            BACKEND,
            "own",
            vec![layer(Level::Host, 8, text("imap1"))],
        );
        assert!(local(&murder), "{text_of}");
    }
    set(
        &mut murder,
        SMTP,
        "myhostname",
        vec![layer(Level::Host, 7, text("mta.example.org"))],
    );
    assert_eq!(
        line(
            &built(&murder, SMTP),
            "/etc/postfix/role_addresses",
            "root@"
        ),
        "root@example.org root@mta.example.org"
    );
    // What is no name, is a mail domain, or is the name of another host.
    for (text_of, said) in [
        (
            "$hostname_of_cloud",
            "`myhostname` of `backend1.example.org` is not known",
        ),
        (
            "imap 1",
            "`myhostname` of `backend1.example.org` is not known",
        ),
        (
            "example.org",
            "`myhostname` of `backend1.example.org` is a mail domain: `example.org`",
        ),
        (
            "mx.example.org",
            "`mx.example.org` and `backend1.example.org` have the same `myhostname`: `mx.example.org`",
        ),
    ] {
        set(
            &mut murder,
            BACKEND,
            "myhostname",
            vec![layer(Level::Host, 7, text(text_of))],
        );
        let problems = refused(&murder, BACKEND);
        assert!(
            summaries(&problems).contains(&said),
            "{text_of}: {problems:?}"
        );
    }
    set(
        &mut murder,
        BACKEND,
        "myhostname",
        vec![layer(Level::Host, 7, SettingSpec::Unset)],
    );
    let warned = built(&murder, BACKEND).warnings;
    assert!(
        warned
            .iter()
            .any(|warning| warning.summary.contains("is not set")),
        "{warned:?}"
    );
}

#[test]
fn null_clients_send_everything_to_the_smart_host() {
    for host in ["frontend1.example.org", "mupdate.example.org"] {
        let compiled = built(&seed(), host);
        assert_value(&compiled, "relayhost", "[smtp.example.org]");
        assert_value(&compiled, "myorigin", "example.org");
        assert_value(&compiled, "mydestination", "$myhostname, localhost");
        assert!(compiled.desired.postfix().probes.accept.is_empty());
    }
}

#[test]
fn a_shared_folder_of_the_manifest_has_one_way() {
    let mut murder = seed();
    murder.shared_folders.push(SharedFolder {
        address: "memo@example.org".to_owned(),
        backend: name("backend2.example.org"),
        folder: "shared/memo".to_owned(),
        at: at(3),
    });
    assert_eq!(
        line(&built(&murder, SMTP), "/etc/postfix/transport", "memo"),
        "memo@example.org relay:[backend2.example.org]:25"
    );
    assert_eq!(
        line(
            &built(&murder, "backend2.example.org"),
            "/etc/postfix/shared_folders",
            "memo"
        ),
        "memo@example.org folder+shared/memo@example.org"
    );
    let other = built(&murder, BACKEND);
    assert!(
        !other
            .desired
            .postfix()
            .files
            .contains_key("/etc/postfix/shared_folders")
    );
    assert_eq!(
        line(&built(&murder, MX), "/etc/postfix/relay_recipients", "memo"),
        "memo@example.org OK"
    );
}

/// Postfix takes an unquoted blank for the end of a recipient.
#[test]
fn a_folder_with_a_blank_is_one_recipient() {
    let mut murder = seed();
    murder.shared_folders.push(SharedFolder {
        address: "big@example.org".to_owned(),
        backend: name(BACKEND),
        folder: "shared/Big Folder".to_owned(),
        at: at(3),
    });
    let compiled = built(&murder, BACKEND);
    assert_eq!(
        line(&compiled, "/etc/postfix/shared_folders", "big"),
        r#"big@example.org "folder+shared/Big Folder"@example.org"#
    );
    assert_eq!(
        line(
            &compiled,
            "/etc/postfix/ldap/virtual_alias_maps.cf",
            "result_format"
        ),
        r#"result_format = "folder+%u"@%d"#
    );
}

#[test]
fn domains_have_their_own_base_and_other_names() {
    let mut murder = seed();
    murder.domains.push(Domain {
        base: Some("dc=example,dc=net".to_owned()),
        ..domain("example.net")
    });
    murder.domains.push(Domain {
        alias_of: Some(name("example.org")),
        ..domain("example.com")
    });
    let compiled = built(&murder, SMTP);
    let net = "/etc/postfix/ldap/transport_maps-example.net.cf";
    assert_eq!(line(&compiled, net, "domain"), "domain = example.net");
    assert_eq!(
        line(&compiled, net, "search_base"),
        "search_base = dc=example,dc=net"
    );
    let alias = "/etc/postfix/ldap/alias_domains-example.org.cf";
    assert_eq!(line(&compiled, alias, "domain"), "domain = example.com");
    assert!(
        line(&compiled, alias, "query_filter")
            .starts_with("query_filter = (&(|(mail=%u@example.org)(alias=%u@example.org))")
    );
}

#[test]
fn tables_are_of_the_hosts_own_type() {
    let murder = seed();
    let facts = Facts {
        index_type: murder::name::TableType::new("lmdb").unwrap(),
        ..Facts::debian()
    };
    let compiled = compile(&murder, &modules(), &name(BACKEND), &facts).unwrap();
    let table = file(&compiled, "/etc/postfix/transport");
    assert_eq!(table.index.unwrap().as_str(), "lmdb");
    assert_value(
        &compiled,
        "transport_maps",
        "proxy:ldap:/etc/postfix/ldap/transport_maps.cf, lmdb:/etc/postfix/transport",
    );
}

#[test]
fn the_nearest_layer_wins_and_the_others_are_remembered() {
    let mut murder = seed();
    let backend = RoleName::new("backend").unwrap();
    set(
        &mut murder,
        BACKEND,
        "relayhost",
        vec![
            layer(Level::Host, 1, text("[a]")),
            layer(Level::Role(backend.clone()), 2, text("[b]")),
            layer(Level::Defaults, 3, text("[c]")),
        ],
    );
    let compiled = built(&murder, BACKEND);
    assert_value(&compiled, "relayhost", "[a]");
    let origins = compiled
        .any_origins(&"relayhost".parse::<Thing>().unwrap())
        .unwrap();
    let values: Vec<&str> = origins.iter().map(|origin| origin.value.as_str()).collect();
    assert_eq!(values, ["[a]", "[b]", "[c]", "[smtp.example.org]"]);
    assert_eq!(origins[3].level, Level::Module(backend));
}

#[test]
fn null_takes_a_parameter_out() {
    let mut murder = seed();
    let unset = vec![layer(Level::Host, 1, SettingSpec::Unset)];
    set(&mut murder, BACKEND, "relayhost", unset);
    assert_eq!(
        value(&built(&murder, BACKEND), "relayhost"),
        Some(Want::Absent)
    );
}

#[test]
fn a_list_is_edited_over_the_next_layer_down() {
    let mut murder = seed();
    let change = ListEdit {
        prepend: vec!["hash:/etc/postfix/own".to_owned()],
        append: Vec::new(),
        remove: vec!["hash:/etc/postfix/transport".to_owned()],
        places: Vec::new(),
    };
    let edit = |change: &ListEdit| vec![layer(Level::Host, 1, SettingSpec::Edit(change.clone()))];
    set(&mut murder, BACKEND, "transport_maps", edit(&change));
    assert_value(
        &built(&murder, BACKEND),
        "transport_maps",
        "hash:/etc/postfix/own, proxy:ldap:/etc/postfix/ldap/transport_maps.cf",
    );
    // Where nobody gives the list, it is Postfix's own default that is edited.
    set(&mut murder, BACKEND, "sender_bcc_maps", edit(&change));
    let compiled = built(&murder, BACKEND);
    assert_value(&compiled, "sender_bcc_maps", "hash:/etc/postfix/own");
    let only_remove = ListEdit {
        prepend: Vec::new(),
        ..change.clone()
    };
    set(&mut murder, BACKEND, "sender_bcc_maps", edit(&only_remove));
    assert_eq!(
        summaries(&refused(&murder, BACKEND)),
        ["`main.cf:sender_bcc_maps` is an empty list"]
    );
    set(&mut murder, BACKEND, "sender_bcc_maps", Vec::new());
    set(&mut murder, BACKEND, "mynetworks", edit(&change));
    assert_eq!(
        summaries(&refused(&murder, BACKEND)),
        ["`main.cf:mynetworks` has no list to edit"],
        "its default is the host's own"
    );
}

#[test]
fn services_are_merged_field_by_field() {
    let mut murder = seed();
    edit(&mut murder, BACKEND, |host| {
        let entry = ServiceSpec::Entry {
            fields: BTreeMap::from([(Field::ProcessLimit, "20".to_owned())]),
            options: BTreeMap::from([(Parameter::new("soft_bounce").unwrap(), None)]),
        };
        host.services.insert(
            ServiceName::new("lmtp/unix").unwrap(),
            vec![layer(Level::Host, 1, entry)],
        );
    });
    let compiled = built(&murder, BACKEND);
    assert_value(&compiled, "master.cf:lmtp/unix/chroot", "n");
    assert_value(&compiled, "master.cf:lmtp/unix/process_limit", "20");
    assert_eq!(
        value(&compiled, "master.cf:lmtp/unix:soft_bounce"),
        Some(Want::Absent)
    );
}

#[test]
fn what_is_left_alone_is_not_named() {
    let mut murder = seed();
    edit(&mut murder, BACKEND, |host| {
        host.leave = ["relayhost", "lmtp/unix", "/etc/postfix/transport"]
            .map(|thing| layer(Level::Defaults, 1, thing.to_owned()))
            .into();
    });
    let compiled = built(&murder, BACKEND);
    assert_eq!(value(&compiled, "relayhost"), None);
    assert_eq!(value(&compiled, "master.cf:lmtp/unix/chroot"), None);
    assert!(
        !compiled
            .desired
            .postfix()
            .files
            .contains_key("/etc/postfix/transport")
    );
    let left: Vec<String> = compiled
        .desired
        .postfix()
        .leave
        .iter()
        .map(Thing::to_string)
        .collect();
    assert_eq!(
        left,
        [
            "/etc/postfix/transport",
            "main.cf:relayhost",
            "master.cf:lmtp/unix/chroot"
        ]
    );

    // A nearer layer that names the thing has the last word; the same layer contradicts itself.
    let own = |level| vec![layer(level, 2, text("[own]"))];
    set(&mut murder, BACKEND, "relayhost", own(Level::Host));
    assert_value(&built(&murder, BACKEND), "relayhost", "[own]");
    set(&mut murder, BACKEND, "relayhost", own(Level::Defaults));
    assert_eq!(
        summaries(&refused(&murder, BACKEND)),
        ["one layer both sets `main.cf:relayhost` and leaves it alone"]
    );
}

#[test]
fn two_roles_that_differ_are_settled_on_the_host() {
    let mut murder = seed();
    murder.hosts.insert(
        name("both.example.org"),
        host("both.example.org", &["frontend", "backend"]),
    );
    let problems = refused(&murder, "both.example.org");
    assert_eq!(
        summaries(&problems),
        ["the roles `frontend` and `backend` set `main.cf:mydestination` to different values"]
    );
    assert_eq!(problems[0].related.len(), 2);
    let settled = vec![layer(Level::Host, 1, text("localhost"))];
    set(&mut murder, "both.example.org", "mydestination", settled);
    assert_value(
        &built(&murder, "both.example.org"),
        "mydestination",
        "localhost",
    );
}

#[test]
fn variables_are_known_and_of_their_kind() {
    let mut murder = seed();
    set_var(&mut murder, BACKEND, "layot", json!("local"));
    set_var(&mut murder, BACKEND, "defer_unknown", json!("yes"));
    let problems = refused(&murder, BACKEND);
    assert_eq!(
        summaries(&problems),
        [
            "there is no variable `layot`",
            "`defer_unknown` is not `true` or `false`"
        ]
    );
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `layout`?"));
    assert_eq!(problems[0].at.as_ref().unwrap().0, at(7));
}

#[test]
fn a_network_of_a_variable_is_written_as_mynetworks_wants_it() {
    let mut murder = seed();
    for host in murder.hosts.values_mut() {
        host.addresses = vec!["192.0.2.1".to_owned()];
    }
    let networks = json!(["2001:db8::/32", "[2001:db8:1::]/48", "10.0.0.0/8"]);
    set_var(&mut murder, SMTP, "trusted_networks", networks);
    assert_value(
        &built(&murder, SMTP),
        "mynetworks",
        "127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 192.0.2.1 \
         [2001:db8::]/32 [2001:db8:1::]/48 10.0.0.0/8",
    );
}

#[test]
fn a_secret_in_a_setting_or_an_open_file_is_refused() {
    let mut murder = seed();
    let path = RemotePath::new("/etc/postfix/open").unwrap();
    edit(&mut murder, BACKEND, |host| {
        let content = ContentSpec::Template {
            name: "open.tera".to_owned(),
            text: "pw {{ host.ldap.bind_pw }}".to_owned(),
        };
        let open = FileSpec::Present {
            content,
            owner: UserName::new("root").unwrap(),
            group: UserName::new("mail").unwrap(),
            mode: Some(Mode::from_bits(0o644)),
            table: None,
        };
        host.files
            .insert(path.clone(), vec![layer(Level::Host, 9, open)]);
    });
    assert_eq!(
        summaries(&refused(&murder, BACKEND)),
        ["`/etc/postfix/open` holds a secret and has mode 0644"]
    );
    let token = murder::secret::Body::token(&SecretName("ldap.bind_pw".to_owned()));
    let mut murder = seed();
    let leak = vec![layer(Level::Host, 1, text(&token))];
    set(&mut murder, BACKEND, "smtpd_banner", leak);
    assert_eq!(
        summaries(&refused(&murder, BACKEND)),
        ["`main.cf:smtpd_banner` would hold a secret"]
    );
}

#[test]
fn a_value_that_stops_mail_is_refused() {
    let mut murder = seed();
    let wrong = vec![layer(Level::Host, 4, text("10 MB"))];
    set(&mut murder, BACKEND, "message_size_limit", wrong);
    let problems = refused(&murder, BACKEND);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].summary.contains("message_size_limit"));
    assert_eq!(problems[0].at.as_ref().unwrap().0, at(4));
}

#[test]
fn a_retired_host_wants_nothing() {
    let mut murder = seed();
    edit(&mut murder, BACKEND, |host| host.state = HostState::Retired);
    let desired = built(&murder, BACKEND).desired;
    assert!(
        desired.retired
            && desired.postfix().files.is_empty()
            && desired.postfix().values.is_empty()
    );
}

/// What `parse` says of a module of one file and one template.
fn module_problems(yaml: &str, template: &str) -> String {
    let mut sources = Sources::default();
    let files = [
        ("own/module.yaml".into(), yaml.to_owned().into()),
        ("own/templates/x.tera".into(), template.to_owned().into()),
    ];
    let problems = parse(&[], &files, "modules", |_| false, &mut sources).problems;
    let said: Vec<String> = problems
        .iter()
        .map(|problem| problem.render(&sources, false))
        .collect();
    said.join("\n\n")
}

#[test]
fn a_misspelt_name_in_a_template_is_found_where_it_stands() {
    let said = module_problems(
        "summary: own\nfiles:\n  /etc/x: {template: x.tera}\n",
        "first\n{% if host.mailhots %}x{% endif %}\n",
    );
    assert!(said.contains("`host.mailhots` does not exist"), "{said}");
    assert!(said.contains("modules/own/templates/x.tera:2:7"), "{said}");
    assert!(said.contains("did you mean `mailhost`?"), "{said}");
}

/// The shipped templates of a module that is replaced are there for what names them, and else nobody's matter.
#[test]
fn a_replaced_module_is_not_judged_by_templates_that_it_does_not_name() {
    let own = |files: &str| {
        let yaml = format!("summary: own\nfiles:\n{files}");
        let own = [("backend/module.yaml".into(), yaml.into())];
        let problems = parse(
            &embedded(),
            &own,
            "here/modules",
            |_| false,
            &mut Sources::default(),
        );
        let said = problems.problems.into_iter().map(|problem| problem.summary);
        said.collect::<Vec<_>>()
    };
    assert_eq!(
        own("  /etc/postfix/x: {content: x}\n"),
        Vec::<String>::new()
    );
    assert_eq!(
        own("  /etc/postfix/x: {template: transport.tera}\n"),
        ["`vars.layout` does not exist"]
    );
}

#[test]
fn wrong_modules_are_refused_with_their_place() {
    for (yaml, template, wanted) in [
        ("summary: own\nsetings: {}\n", "", "setings"),
        (
            "summary: own\nafter: [nowhere]\n",
            "",
            "which is not a module",
        ),
        (
            "summary: own\nvars: {n: {type: integer, default: x, doc: d}}\n",
            "",
            "the default of `n` is not a whole number",
        ),
        (
            "summary: own\nfiles:\n  /etc/x: {template: y.tera}\n",
            "",
            "there is no template `y.tera`",
        ),
        ("summary: own\n", "inline:{{a=b}}\n", "{% raw %}"),
        (
            "summary: own\nsettings: {relayhost: \"{{ now }}\"}\n",
            "",
            "`now` does not exist",
        ),
    ] {
        let said = module_problems(yaml, template);
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

#[test]
fn every_variable_of_the_shipped_modules_is_documented() {
    for module in modules().0.values() {
        for (name, variable) in &module.vars {
            assert!(variable.doc.ends_with('.'), "{} of {}", name, module.role);
        }
    }
}
