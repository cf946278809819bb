//! The shipped modules: what each role's host gets, for each choice a site can make.

use std::collections::BTreeMap;
use std::time::Duration;

use murder::compile::{Compiled, compile};
use murder::diagnostic::{Diagnostic, SourceId, Sources, Span};
use murder::model::{
    Become, ContentSpec, Domain, FileSpec, Host, HostState, Layer, Ldap, Level, ListEdit, Murder,
    ServiceSpec, SettingSpec, SharedFolder, Ssh, SshClient, Tls, TlsMode, Topology,
};
use murder::module::{Modules, embedded, parse};
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
        tls: Tls {
            mode: TlsMode::None,
            ca_file: None,
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
        ssh: Ssh {
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
        lmtp_socket: None,
        probes: Probes::default(),
        facts: Facts::debian(),
        settings: BTreeMap::new(),
        services: BTreeMap::new(),
        files: BTreeMap::new(),
        vars: BTreeMap::new(),
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
        smart_host: Some(name("smtp.example.org")),
        external: Vec::new(),
        recipient_delimiter: "+".to_owned(),
        shared_folders: Vec::new(),
        rollout: BTreeMap::new(),
        probes: Probes {
            accept: vec!["canary@example.org".to_owned()],
            refuse: vec!["nosuch@example.org".to_owned()],
        },
        hosts: BTreeMap::new(),
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
    let (modules, problems) = parse(&embedded(), &mut sources);
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
