//! Cyrus that is reached by LMTP over TCP: beside its backend's Postfix, without one, and behind a frontend.

use crate::mail::{arrives, send, token};
use crate::routing::lookup;
use crate::world::World;

/// The password of the accounts that tests/lab/cyrus makes.
const CYRUS_PASSWORD: &str = "murdersecret";

/// How Postfix logs in to lmtpd: over TCP only the accounts of `lmtp_admins` may deliver.
fn login(servers: &[&str]) -> String {
    let lines: String = servers
        .iter()
        .map(|server| format!("{server} murder:{{{{ secret.lmtp }}}}\\n"))
        .collect();
    format!(
        "settings: {{lmtp_sasl_auth_enable: \"yes\", lmtp_sasl_security_options: noanonymous, lmtp_sasl_password_maps: \"$default_database_type:/etc/postfix/lmtp_login\"}}\n\
         files: {{/etc/postfix/lmtp_login: {{content: \"{lines}\", table: true, secrets: {{lmtp: {{file: ../lmtp.pw}}}}}}}}"
    )
}

/// Applies an overlay on one host, and demands that a second look finds nothing to do.
#[track_caller]
fn converge(world: &World, host: &str, overlay: &str) {
    let name = format!("{host}.example.org");
    let words = ["--overlay", overlay, "--host", &name];
    world
        .murder(
            "apply",
            &[&words[..], &["--yes", "--allow-delete"]].concat(),
        )
        .exits(0);
    world
        .murder("plan", &[&words[..], &["--detailed-exitcode"]].concat())
        .exits(0);
}

/// The recipients of a murder, each with the host and the mailbox that it means.
const RECIPIENTS: &[(&str, &str, &str)] = &[
    ("john@example.org", "backend1", "user/john"),
    ("john.doe+lists@example.org", "backend1", "user/john/lists"),
    ("jane@Example.ORG", "backend2", "user/jane"),
    ("memo@example.org", "backend2", "shared/memo"),
];

#[track_caller]
fn all_arrive(world: &World, server: &str) {
    for (recipient, host, mailbox) in RECIPIENTS {
        let token = token();
        send(world, server, recipient, &token).unwrap();
        arrives(world, host, mailbox, &token);
    }
}

pub fn cyrus_takes_lmtp_over_tcp(world: &mut World) {
    let secret = world.write("lmtp.pw", &format!("{CYRUS_PASSWORD}\n"));
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    beside_postfix(world);
    without_postfix(world);
    behind_a_frontend(world);
    world.converge();
    all_arrive(world, "mx");
}

/// The backend's Postfix delivers to a port of its own host.
fn beside_postfix(world: &World) {
    let login = login(&["127.0.0.1"]);
    world.write_overlay(
        "tcp.yaml",
        &[("backend1", &format!("lmtp: inet:127.0.0.1:24\n{login}"))],
        "",
    );
    converge(world, "backend1", "tcp.yaml");
    let log = "grep -c 'relay=127.0.0.1\\[127.0.0.1\\]:24.*status=sent' /var/log/mail.log || true";
    let before: u32 = world.lab.sh("backend1", log).trim().parse().unwrap();
    all_arrive(world, "mx");
    let news = token();
    send(world, "mx", "news@example.org", &news).unwrap();
    arrives(world, "backend1", "news", &news);
    let after: u32 = world.lab.sh("backend1", log).trim().parse().unwrap();
    assert!(after >= before + 3, "{before} before, {after} after");
}

/// No host of the manifest has the mailboxes: the internal MTA delivers to the servers themselves.
fn without_postfix(world: &World) {
    let servers = ["backend1.example.org", "backend2.example.org"];
    let login = login(&servers);
    world.write_overlay(
        "servers.yaml",
        &[("smtp", &login)],
        "cyrus:\n  servers: {\"backend[1:2].example.org\": {}}\nremove: [hosts.backend1.example.org, hosts.backend2.example.org]\n",
    );
    converge(world, "smtp", "servers.yaml");
    // A person without mailHost; again where an earlier story of this lab has added her.
    world.lab.sh(
        "ldap",
        "printf 'dn: uid=yet,ou=People,dc=example,dc=org\\nobjectClass: inetOrgPerson\\nobjectClass: kolabInetOrgPerson\\n\
         uid: yet\\ncn: Yet\\nsn: New\\nmail: yet@example.org\\n' \
         | ldapadd -c -x -H ldap:/// -D cn=admin,dc=example,dc=org -w admin >&2 || true",
    );
    for (address, answer) in [
        ("john@example.org", "lmtp:inet:[backend1.example.org]:24"),
        ("JANE@example.org", "lmtp:inet:[backend2.example.org]:24"),
        (
            "folder+shared/memo@example.org.backend2.example.org",
            "lmtp:inet:[backend2.example.org]:24",
        ),
        (
            "yet@example.org",
            "retry:4.2.1 Mailbox is not yet placed on a server",
        ),
    ] {
        assert_eq!(
            transport(world, address).as_deref(),
            Some(answer),
            "{address}"
        );
    }
    all_arrive(world, "mx");
    let news = token();
    send(world, "mx", "news@example.org", &news).unwrap();
    arrives(world, "backend1", "news", &news);
    refused(world);
}

/// All mailboxes are behind the LMTP proxy of a frontend.
fn behind_a_frontend(world: &World) {
    world.write_overlay(
        "proxy.yaml",
        &[("smtp", "")],
        "cyrus: {lmtp: \"inet:frontend1.example.org:24\"}\nshared_folders: []\nremove: [hosts.backend1.example.org, hosts.backend2.example.org]\n",
    );
    converge(world, "smtp", "proxy.yaml");
    all_arrive(world, "mx");
    refused(world);
}

/// What `transport_maps` of the internal MTA says of an address, or else of its domain.
fn transport(world: &World, address: &str) -> Option<String> {
    let domain = address.rsplit('@').next().unwrap_or(address);
    [address, domain]
        .iter()
        .find_map(|key| lookup(world, "smtp", "transport_maps", key))
}

fn refused(world: &World) {
    let words = send(world, "smtp", "nosuch@example.org", &token())
        .unwrap_err()
        .0;
    assert!(words.starts_with("550 5.1.1"), "{words}");
}
