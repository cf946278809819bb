//! A generator of murders: roles, layouts, variables, sites, ranges, and odd values.

use std::fmt::Write as _;

/// A small generator of numbers (xorshift64), so that each seed gives the same murder everywhere.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Some of these.
    fn some<'a>(&mut self, of: &[&'a str], percent: u64) -> Vec<&'a str> {
        of.iter()
            .copied()
            .filter(|_| self.chance(percent))
            .collect()
    }
}

/// Values of variables of the roles that have a directory, each in the form `name: value`.
const OF_DIRECTORY: [&str; 4] = [
    "person_classes: [inetOrgPerson]",
    "person_classes: [kolabInetOrgPerson, mailRecipient]",
    "mail_attribute: mailPrimaryAddress",
    "alias_attribute: mailAlternateAddress",
];
const OF_ROUTER: [&str; 14] = [
    "layout: local",
    "layout: relay",
    "groups: false",
    "dynamic_groups: false",
    "aliases: false",
    "forwarding: false",
    "forwarding_attribute: mailRoutingAddress",
    "group_classes: [groupOfNames]",
    "group_member_attribute: member",
    "defer_unknown: false",
    "other_relay_domains: [lists.example.com]",
    "role_addresses: {postmaster: john@example.org, hostmaster: \"\"}",
    "relayhost: \"[out.example.net]:587\"",
    "trusted_networks: [198.51.100.0/24]",
];
const OF_BACKEND: [&str; 7] = [
    "layout: relay",
    "layout: local",
    "shared_folders: false",
    "defer_unknown: false",
    "mailhost_attribute: homeServer",
    "folder_classes: [mailSharedFolder]",
    "lmtp_chroot: \"y\"",
];
const OF_EDGE: [&str; 5] = [
    "recipient_check: verify",
    "recipient_check: none",
    "{recipient_check: table, recipients: [john@example.org, jane@example.org]}",
    "other_relay_domains: [lists.example.com, example.edu]",
    "role_addresses: [postmaster]",
];

/// Parameters with usual and odd values.
const SETTINGS: [&str; 26] = [
    "smtpd_banner: \"$myhostname ESMTP: hello, you\"",
    "smtpd_banner: \"${myhostname} ESMTP ${mail_name?{yes}:{no}}\"",
    "biff: null",
    "header_size_limit: \"4096\"",
    "mail_name: \"a # b\"",
    "mail_name: \"no\"",
    "mail_name: \"1e3\"",
    "mail_name: \"0o7\"",
    "mail_name: \"it's \\\"quoted\\\" {{ braces\"",
    "mail_name: \"~\"",
    "mail_name: \"- dash: colon\"",
    "mail_name: \"Postfix \u{fc}ber alles\"",
    "syslog_name: \"{curly}\"",
    "message_size_limit: 20480000",
    "maximal_queue_lifetime: 3d",
    "smtpd_helo_required: \"yes\"",
    "smtpd_recipient_restrictions: \"permit_mynetworks, reject_unauth_destination\"",
    "smtpd_client_restrictions: \"permit_mynetworks, reject_unauth_pipelining\"",
    "mydestination: {append: [other.example.com]}",
    "mynetworks: \"127.0.0.0/8 !198.51.100.7 198.51.100.0/24 [2001:db8::]/32\"",
    "smtp_tls_security_level: may",
    "smtpd_tls_mandatory_protocols: \">=TLSv1.2\"",
    "delay_warning_time: 4h",
    "local_destination_concurrency_limit: 2",
    "unknown_address_reject_code: 550",
    "notify_classes: \"\"",
];

/// Entries of master.cf.
const SERVICES: [&str; 7] = [
    "submission/inet: {private: n, chroot: n, command: smtpd, options: {smtpd_tls_security_level: encrypt, syslog_name: postfix/submission}}",
    "\"127.0.0.1:10025/inet\": {private: n, chroot: n, process_limit: \"7\", command: smtpd, options: {mynetworks: 127.0.0.0/8, smtpd_recipient_restrictions: \"permit_mynetworks, reject\"}}",
    "smtp/inet: {process_limit: \"50\", options: {smtpd_client_connection_count_limit: \"5\"}}",
    "lmtp/unix: {process_limit: \"7\"}",
    "policy/unix: {unprivileged: n, chroot: n, command: \"spawn user=nobody argv=/usr/bin/policy -x\"}",
    "relay/unix: {options: {smtp_helo_timeout: 20s}}",
    "scan/unix: {private: \"-\", chroot: n, process_limit: \"3\", command: smtp, options: {disable_dns_lookups: \"yes\"}}",
];

/// Text of the file `canonical` beside the manifest.
pub const TEMPLATE: &str = "root@{{ host.name }}  admin@example.org\n";

/// Files with the parameter that names each.
const FILES: [(&str, &str); 6] = [
    (
        "header_checks: \"regexp:/etc/postfix/header_checks\"",
        "/etc/postfix/header_checks: {content: \"# ours\\n/^X-Spam: yes/ REJECT no: spam\\n\"}",
    ),
    (
        "smtpd_client_event_limit_exceptions: \"cidr:/etc/postfix/near.cidr\"",
        "/etc/postfix/near.cidr: {content: \"192.0.2.0/24 permit\\n198.51.100.0/24 permit\\n203.0.113.0/24 permit\\n2001:db8::/32 permit\\n10.0.0.0/8 permit\\n\"}",
    ),
    (
        "smtp_sasl_password_maps: \"hash:/etc/postfix/sasl_passwd\"",
        "/etc/postfix/sasl_passwd: {content: \"[out.example.net]:587 murder:{{ secret.pw }}\\n\", secrets: {pw: {env: MURDER_LMTP_PW}}, table: true}",
    ),
    (
        "canonical_maps: \"hash:/etc/postfix/canonical\"",
        "/etc/postfix/canonical: {template: canonical, table: true, group: postfix}",
    ),
    (
        "smtpd_sender_login_maps: \"hash:/etc/postfix/logins\"",
        "/etc/postfix/logins: {content: \"john@example.org   john\\n# end\\n\", table: true}",
    ),
    (
        "sender_dependent_relayhost_maps: \"ldap:/etc/postfix/ldap/relayhosts.cf\"",
        "/etc/postfix/ldap/relayhosts.cf: {content: \"server_host = ldap://other.example.net\\nversion = 3\\nsearch_base = o=other\\nquery_filter = (mail=%s)\\nresult_attribute = host\\n\"}",
    ),
];

/// What a layer says, as keys of a flow map.
fn layer(n: &mut Numbers, percent: u64) -> String {
    let mut settings: Vec<String> = Vec::new();
    let mut names = Vec::new();
    let mut add = |settings: &mut Vec<String>, setting: &str| {
        let name = setting.split(':').next().unwrap().to_owned();
        if !names.contains(&name) {
            names.push(name);
            settings.push(setting.to_owned());
        }
    };
    for setting in n.some(&SETTINGS, percent / 3) {
        add(&mut settings, setting);
    }
    let mut files = Vec::new();
    for (setting, file) in FILES {
        if n.chance(percent / 4) {
            add(&mut settings, setting);
            files.push(file);
        }
    }
    let services = n.some(&SERVICES, percent / 4);
    let mut parts = Vec::new();
    for (key, entries) in [
        ("settings", settings.join(", ")),
        ("services", services.join(", ")),
        ("files", files.join(", ")),
    ] {
        if !entries.is_empty() {
            parts.push(format!("{key}: {{{entries}}}"));
        }
    }
    parts.join(", ")
}

/// The variables of a role: of each name one value at most.
fn variables(n: &mut Numbers, of: &[&str], percent: u64) -> String {
    let mut found: Vec<&str> = Vec::new();
    for value in n.some(of, percent) {
        let plain = value.trim_matches(['{', '}']);
        let plain = if value.starts_with('{') { plain } else { value };
        let name = plain.split(':').next().unwrap();
        if !found
            .iter()
            .any(|known| known.starts_with(&format!("{name}:")))
        {
            found.push(plain);
        }
    }
    found.join(", ")
}

fn directory(n: &mut Numbers) -> String {
    let mut text = format!(
        "ldap:\n  uris: [{}]\n  base: {}\n",
        n.one(&[
            "\"ldap://ldap.example.org:389\"",
            "\"ldaps://ldap.example.org\"",
            "\"ldap://ldap1.example.org\", \"ldap://ldap2.example.org:1389\"",
            "\"ldapi://%2Frun%2Fslapd%2Fldapi\"",
        ]),
        n.one(&[
            "dc=example,dc=org",
            "\"o=Example, Inc #1\"",
            "\"ou=a: b,o=x\""
        ])
    );
    if text.contains("ldaps:") {
        text += n.one(&[
            "  tls: {mode: ldaps}\n",
            "  tls: {mode: ldaps, require_cert: false}\n",
            "  tls: {mode: ldaps, ca_file: /etc/ssl/certs/ours.pem}\n",
        ]);
    } else if text.contains("ldap:") && n.chance(30) {
        text += n.one(&[
            "  tls: {mode: starttls, ca_file: /etc/ssl/certs/ca-certificates.crt}\n",
            "  tls: {mode: starttls, require_cert: false, cipher_suite: HIGH}\n",
        ]);
    }
    if n.chance(50) {
        text += "  bind_dn: cn=postfix,dc=example,dc=org\n  bind_pw: {env: MURDER_LDAP_PW}\n";
    }
    if n.chance(30) {
        text += n.one(&[
            "  timeout: 5s\n",
            "  scope: one\n",
            "  filter: \"(mailEnabled=TRUE)\"\n",
        ]);
    }
    text
}

/// A random murder.
pub fn random_murder(seed: u64) -> String {
    let mut n = Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for _ in 0..8 {
        n.below(2);
    }
    let n = &mut n;
    let domains = n.one(&[
        "[example.org]",
        "[example.org, example.net]",
        "{example.org: {}, example.net: {base: \"dc=example,dc=net\"}}",
        "{example.org: {}, example.com: {alias_of: example.org}}",
    ]);
    let mut text = format!("version: 1\nmurder: random{seed}\ndomains: {domains}\n");
    text += &directory(n);
    let lmtp = n.one(&[
        "",
        "",
        ", lmtp: /var/lib/imap/socket/lmtp",
        ", lmtp: \"inet:127.0.0.1:2003\"",
    ]);
    let postuser = n.one(&["folder", "shared", "post"]);
    let _ = writeln!(text, "cyrus: {{postuser: {postuser}{lmtp}}}");
    if n.chance(40) {
        text += "shared_folders:\n  - {address: memo@example.org, backend: backend1.example.org, folder: shared/memo}\n";
    }
    let routers = if n.chance(25) { 2 } else { 1 };
    if routers == 2 {
        text += n.one(&[
            "smart_host: smtp1.example.org\n",
            "smart_host: smtp.example.org\nexternal: [smtp.example.org]\n",
        ]);
    }
    modules(n, &mut text);
    let with_site = n.chance(40);
    let with_place = n.chance(30);
    sites(n, &mut text, with_site, with_place);
    if n.chance(50) {
        let _ = writeln!(text, "defaults: {{{}}}", layer(n, 40));
    }
    hosts(n, &mut text, routers, with_site);
    if with_place {
        places(n, &mut text);
    }
    text
}

/// A site with a directory of its own, and one that differs in other things.
fn sites(n: &mut Numbers, text: &mut String, with_site: bool, with_place: bool) {
    let mut sites = Vec::new();
    if with_site {
        let more = layer(n, 20);
        let more = if more.is_empty() {
            more
        } else {
            format!(", {more}")
        };
        // The site has its own connection, and keeps the rest.
        let scheme = match text.contains("mode: ldaps") {
            true => "ldaps",
            false => "ldap",
        };
        sites.push(format!(
            "west: {{ldap: {{uris: [\"{scheme}://ldap-west.example.org\"]}}{more}}}"
        ));
    }
    if with_place {
        sites.push(format!("east: {{{}}}", layer(n, 60)));
    }
    if !sites.is_empty() {
        let _ = writeln!(text, "sites: {{{}}}", sites.join(", "));
    }
}

/// Hosts of the site that has no directory of its own; their names say where they are.
fn places(n: &mut Numbers, text: &mut String) {
    for (name, keys) in [
        (
            "\"store[1:3].east.example.org\"",
            "roles: [backend], addresses: [192.0.2.128/28]",
        ),
        (
            "\"front[1:2].east.example.org\"",
            "roles: [frontend], addresses: [192.0.2.60]",
        ),
    ] {
        if n.chance(60) {
            let words = layer(n, 15);
            let comma = if words.is_empty() { "" } else { ", " };
            let _ = writeln!(text, "  {name}: {{{keys}, site: east{comma}{words}}}");
        }
    }
}

fn modules(n: &mut Numbers, text: &mut String) {
    text.push_str("modules:\n");
    let directory = variables(n, &OF_DIRECTORY, 15);
    for (role, own, percent) in [
        ("internal-mta", &OF_ROUTER[..], 20),
        ("backend", &OF_BACKEND, 25),
        ("internet-mta", &OF_EDGE, 40),
    ] {
        let own = variables(n, own, percent);
        let both: Vec<&str> = [directory.as_str(), own.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let mut parts = vec![format!("vars: {{{}}}", both.join(", "))];
        let words = layer(n, 25);
        if !words.is_empty() {
            parts.push(words);
        }
        let _ = writeln!(text, "  {role}: {{{}}}", parts.join(", "));
    }
}

fn hosts(n: &mut Numbers, text: &mut String, routers: u64, with_site: bool) {
    text.push_str("hosts:\n");
    let mut entry = |name: &str, keys: &str, words: String| {
        let words = if words.is_empty() {
            words
        } else {
            format!(", {words}")
        };
        let _ = writeln!(text, "  {name}: {{{keys}{words}}}");
    };
    match routers {
        1 => entry(
            "smtp.example.org",
            "roles: [internal-mta], addresses: [192.0.2.5]",
            layer(n, 20),
        ),
        _ => entry(
            "\"smtp[1:2].example.org\"",
            "roles: [internal-mta], addresses: [192.0.2.5]",
            layer(n, 20),
        ),
    }
    let backends = 1 + n.below(5);
    for number in 1..=backends {
        let mut keys = format!("roles: [backend], addresses: [192.0.2.{}]", 10 + number);
        if with_site && n.chance(50) {
            keys += ", site: west";
        }
        if n.chance(20) {
            let _ = write!(keys, ", mailhost: store{number}.example.org");
        }
        if n.chance(15) {
            keys += ", lmtp: /run/other/lmtp";
        }
        let mut own = layer(n, 20);
        if n.chance(15) {
            let left = n.one(&[
                ", leave: [recipient_delimiter]",
                ", leave: [lmtp/unix]",
                ", leave: [lmtp/unix/chroot, myorigin]",
                ", leave: [smtpd_relay_restrictions]",
            ]);
            // A layer does not both set an entry and leave it alone.
            if left.contains("lmtp/unix") && own.contains("lmtp/unix:") {
                own.clear();
            }
            keys += left;
        }
        entry(&format!("backend{number}.example.org"), &keys, own);
    }
    if n.chance(30) {
        entry(
            "\"store[01:03].example.org\"",
            "roles: [backend], addresses: [192.0.2.64/28]",
            layer(n, 20),
        );
    }
    if n.chance(60) {
        entry(
            "mx.example.org",
            "roles: [internet-mta], addresses: [192.0.2.6]",
            layer(n, 20),
        );
    }
    if n.chance(40) {
        let vars = n.one(&[
            "",
            ", vars: {listen: all}",
            ", vars: {listen: loopback-only, myorigin: example.org}",
        ]);
        entry(
            "\"frontend[1:2].example.org\"",
            &format!("roles: [frontend], addresses: [192.0.2.40]{vars}"),
            layer(n, 10),
        );
    }
    if n.chance(40) {
        entry(
            "mupdate.example.org",
            "roles: [mupdate], addresses: [192.0.2.50]",
            layer(n, 10),
        );
    }
}
