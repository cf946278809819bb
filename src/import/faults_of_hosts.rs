//! What loses, bounces or delays mail because of a host as a whole: its chroot jail, its own names, its Cyrus, its neighbours.

use super::advice_row::Advice;
use super::evidence::{comparisons, is_host};
use super::known_faults::{MAILHOST, asks_own_mailhost, get, is_route, row};
use super::seen::{SeenHost, SeenTable};

/// What goes wrong with a host as a whole. `line` of each row is still the thing that the manifest keeps.
#[must_use]
pub fn faults_of_host(host: &SeenHost) -> Vec<Advice> {
    let tables = host.ldap_tables();
    let own = tables.iter().any(asks_own_mailhost);
    let routes = tables
        .iter()
        .any(|table| is_route(table) && !asks_own_mailhost(table));
    let mut found = Vec::new();
    in_the_jail(host, &mut found);
    unreadable(host, &mut found);
    if own {
        own_names(host, &mut found);
        server_name(host, &tables, &mut found);
        no_recipients(host, &mut found);
        submission(host, &mut found);
    }
    // The module leaves that to the site: a murder that is managed has chosen.
    if routes && host.live.ledger.is_none() {
        dead_mailhost(host, &mut found);
    }
    if !own && !routes {
        edge(host, &mut found);
    }
    let transport = host.expanded("local_transport");
    if ["relay", "smtp"].contains(&transport.as_str()) {
        found.push(row(
            1,
            format!("local_transport = {transport}"),
            "relay:[HOST]:25",
            "without a host it sends mail to the MX of the mail domain, which sends it back",
            "main.cf:local_transport",
        ));
    }
    if host.expanded("soft_bounce") == "yes" {
        found.push(row(
            3,
            "soft_bounce = yes",
            "soft_bounce = no",
            "senders of mail that cannot be delivered learn it after days; it is meant for the time of a change",
            "main.cf:soft_bounce",
        ));
    }
    found
}

/// Of what programs in the chroot jail cannot reach.
fn in_the_jail(host: &SeenHost, found: &mut Vec<Advice>) {
    let over_socket = host
        .ldap_tables()
        .iter()
        .filter(|table| is_route(table))
        .any(|table| get(table, "result_format").starts_with("lmtp:unix:/"))
        || host
            .entries("transport_maps")
            .iter()
            .any(|(_, value)| value.starts_with("lmtp:unix:/"));
    if over_socket && host.is_chrooted("lmtp/unix") {
        found.push(row(
            0,
            "lmtp/unix runs in the chroot jail",
            "chroot: n",
            "the socket of Cyrus is outside of the jail: no mail is delivered",
            "master.cf:lmtp/unix/chroot",
        ));
    }
    let opened = [
        (
            "smtp/inet",
            &[
                "local_recipient_maps",
                "relay_recipient_maps",
                "virtual_alias_maps",
            ][..],
        ),
        ("rewrite/unix", &["transport_maps"]),
    ];
    for (service, parameters) in opened {
        let direct = parameters.iter().find(|name| {
            let tables = host.tables(name);
            tables
                .iter()
                .any(|table| table.kind == "ldap" && !table.proxied)
        });
        if let Some(name) = direct
            && host.is_chrooted(service)
        {
            found.push(row(
                0,
                format!("{name} has ldap: tables, and {service} runs in the chroot jail"),
                "proxy:ldap:",
                "in Debian's jail the directory's name and its certificates are not found: mail waits (451)",
                &format!("main.cf:{name}"),
            ));
        }
    }
}

/// Of tables that proxymap(8) opens as user postfix.
fn unreadable(host: &SeenHost, found: &mut Vec<Advice>) {
    for (path, (_, table)) in host.table_files() {
        let Some(state) = host.file(path).filter(|_| table.proxied) else {
            continue;
        };
        let bits = state.mode.bits();
        let may = bits & 0o004 != 0
            || (state.group == "postfix" && bits & 0o040 != 0)
            || (state.owner == "postfix" && bits & 0o400 != 0);
        if !may {
            found.push(row(
                0,
                format!(
                    "{path}: proxymap(8) cannot read it (mode {}, {}:{})",
                    state.mode, state.owner, state.group
                ),
                "mode 0640, group postfix",
                "proxymap(8) opens it as user postfix: mail that needs it waits (451)",
                path,
            ));
        }
    }
}

/// Of mail for users of the host itself, such as that of cron.
fn own_names(host: &SeenHost, found: &mut Vec<Advice>) {
    let transport = host.expanded("local_transport");
    let leaves = transport.starts_with("relay:") || transport.starts_with("smtp:");
    let names = host.own_names();
    let takes = host.list("mydestination");
    let is_local = takes
        .iter()
        .any(|name| names.contains(&name.to_lowercase()));
    let entries = host.entries("transport_maps");
    let stays = entries
        .iter()
        .any(|(key, value)| names.contains(&key.to_lowercase()) && value.starts_with("local:"));
    let origin = host.expanded("myorigin").to_lowercase();
    if leaves && is_local && !stays && names.contains(&origin) {
        found.push(row(
            1,
            "mail for root of the host itself leaves it",
            "an entry `HOST local:` in transport_maps",
            "mail of cron and of the system goes to the internal MTA and back until it is bounced, to the same address",
            "/etc/postfix/transport",
        ));
    }
}

/// Of the name by which the directory knows the host's Cyrus.
fn server_name(host: &SeenHost, tables: &[SeenTable], found: &mut Vec<Advice>) {
    let Some(text) = host.text("/etc/imapd.conf") else {
        return;
    };
    let server = text
        .lines()
        .find_map(|line| line.strip_prefix("servername:"));
    let Some(server) = server.map(str::trim).filter(|name| !name.is_empty()) else {
        return;
    };
    let asked = tables
        .iter()
        .flat_map(|table| comparisons(get(table, "query_filter")));
    let other = asked
        .filter(|(name, value)| is_host(name, value, &[]) && value.contains('.'))
        .find(|(_, value)| !value.eq_ignore_ascii_case(server));
    if let Some((name, value)) = other {
        found.push(row(
            1,
            format!("asks for {name}={value}, and the servername of its Cyrus is {server}"),
            "mailhost: the servername of imapd.conf",
            "the directory has the servername of Cyrus as mailHost: no recipient is valid here",
            MAILHOST,
        ));
    }
}

/// Of a backend that takes the mail domain as its own, and does not ask the directory who is in it.
fn no_recipients(host: &SeenHost, found: &mut Vec<Advice>) {
    let value = host.expanded("local_recipient_maps");
    let mine = host.tables("local_recipient_maps");
    let by_directory = mine.iter().any(|table| table.kind == "ldap");
    let domains = host.ldap_tables();
    let domains = domains
        .iter()
        .filter_map(|table| table.settings.get("domain"));
    let takes = host.list("mydestination");
    let is_own = domains.clone().any(|domain| takes.contains(domain));
    if !is_own || by_directory {
        return;
    }
    if value.trim().is_empty() {
        found.push(row(
            1,
            "local_recipient_maps is empty",
            "the people of this backend, from the directory",
            "every address is accepted, and unknown ones are bounced to forged senders",
            "main.cf:local_recipient_maps",
        ));
    } else {
        found.push(row(
            0,
            "local_recipient_maps does not ask the directory",
            "the people of this backend, from the directory",
            "people who have no account of the system are refused as unknown (550)",
            "main.cf:local_recipient_maps",
        ));
    }
}

/// Of a host that takes mail from the internet and sends it on.
fn edge(host: &SeenHost, found: &mut Vec<Advice>) {
    // A local domain is no relay domain, as below compatibility level 2, where `relay_domains` is `$mydestination`.
    let local = host.list("mydestination");
    let is_relayed = |name: &String| name.contains('.') && !local.contains(name);
    let relays = host.list("relay_domains").iter().any(is_relayed);
    let asks = ["smtpd_recipient_restrictions", "smtpd_relay_restrictions"]
        .iter()
        .any(|name| host.expanded(name).contains("reject_unverified_recipient"));
    if relays && host.expanded("relay_recipient_maps").trim().is_empty() && !asks {
        found.push(row(
            1,
            "relay_recipient_maps is empty",
            "a list of recipients, or reject_unverified_recipient",
            "unknown addresses are accepted, refused by the next host, and bounced to forged senders",
            "main.cf:relay_recipient_maps",
        ));
    }
}

/// Of a backend at whose submission service its own people write to those of other backends, whom it knows as little as any
/// other SMTP service of the host.
fn submission(host: &SeenHost, found: &mut Vec<Advice>) {
    const PORTS: [&str; 5] = ["submission", "587", "submissions", "465", "smtps"];
    let Some(postfix) = host.postfix() else {
        return;
    };
    if !host
        .tables("local_recipient_maps")
        .iter()
        .any(|table| table.kind == "ldap")
    {
        return;
    }
    for entry in postfix.master_cf.services() {
        let name = entry.name();
        let port = name.rsplit(':').next().unwrap_or_default();
        if entry.program() != "smtpd" || entry.kind() != "inet" || !PORTS.contains(&port) {
            continue;
        }
        let value = |name: &str| {
            let option = name.parse().ok().and_then(|name| entry.option(&name));
            option.unwrap_or_else(|| host.expanded(name))
        };
        let asks_nobody = value("smtpd_reject_unlisted_recipient") == "no"
            || value("local_recipient_maps").is_empty()
            || value("receive_override_options").contains("no_unknown_recipient_checks");
        if !asks_nobody {
            found.push(row(
                2,
                format!("{name}/inet refuses recipients of other backends"),
                "-o smtpd_reject_unlisted_recipient=no",
                "people who send through this backend get 550 for everybody whose mailbox is on another one",
                &format!("master.cf:{name}/inet:smtpd_reject_unlisted_recipient"),
            ));
        }
    }
}

/// Of a host that sends mail to the mailHost of an entry, and bounces it at once where DNS has no such name.
fn dead_mailhost(host: &SeenHost, found: &mut Vec<Advice>) {
    const FILTER: &str = "smtp_delivery_status_filter";
    let by_option = host.postfix().is_some_and(|postfix| {
        let mut entries = postfix.master_cf.services().iter();
        entries.any(|entry| {
            FILTER
                .parse()
                .is_ok_and(|name| entry.option(&name).is_some())
        })
    });
    if host.expanded(FILTER).is_empty() && !by_option {
        found.push(row(
            4,
            "mail for a mailHost that names no host is bounced at once",
            "smtp_delivery_status_filter = a regexp: table with the line /^5(\\.4\\.4 .*)$/ 4$1, at least while a backend is retired",
            "a misspelt mailHost, or one of a host that is gone, gives 5.4.4: its mail is lost before the directory is mended",
            &format!("main.cf:{FILTER}"),
        ));
    }
}
