//! What loses, bounces or delays mail on hosts that are set up in some well-known ways.

use super::advice_row::Advice;
use super::evidence::{comparisons, is_host};
use super::seen::{SeenHost, SeenTable};

/// A row of which `line` is still the thing that the manifest keeps.
pub(super) fn row(
    rank: u8,
    yours: impl Into<String>,
    recommended: &str,
    why: &str,
    thing: &str,
) -> Advice {
    Advice {
        rank,
        yours: yours.into(),
        recommended: recommended.to_owned(),
        why: why.to_owned(),
        line: thing.to_owned(),
    }
}

/// The thing of rows about how the directory is reached.
pub const DIRECTORY: &str = "ldap";

/// The thing of rows about the directory's password.
pub const PASSWORD: &str = "ldap.bind_pw";

/// The thing of rows about the name of a host's Cyrus.
pub const MAILHOST: &str = "mailhost";

/// The thing of rows about all LDAP tables of a host's own.
pub const TABLES: &str = "tables";

/// What goes wrong with hosts like this one. `line` of each row is still the thing that is kept.
#[must_use]
pub fn known_faults(host: &SeenHost) -> Vec<Advice> {
    let mut found = Vec::new();
    let tables = host.ldap_tables();
    for table in &tables {
        of_table(host, table, &mut found);
    }
    let own = tables.iter().any(asks_own_mailhost);
    let routes = tables
        .iter()
        .any(|table| is_route(table) && !asks_own_mailhost(table));
    if own {
        of_backend(host, &tables, &mut found);
    }
    if routes {
        of_router(host, &tables, &mut found);
    }
    let subdomains = host.list("parent_domain_matches_subdomains");
    let relays = host
        .list("relay_domains")
        .iter()
        .any(|name| name.contains('.'));
    if relays && subdomains.iter().any(|word| word == "relay_domains") && !own {
        found.push(row(
            5,
            "parent_domain_matches_subdomains has relay_domains",
            "without relay_domains",
            "mail for subdomains, such as root@backend1, is taken for the relay domain and refused",
            "main.cf:parent_domain_matches_subdomains",
        ));
    }
    found
}

pub(super) fn get<'t>(table: &'t SeenTable, name: &str) -> &'t str {
    table.settings.get(name).map_or("", String::as_str)
}

pub(super) fn asks_own_mailhost(table: &SeenTable) -> bool {
    let asked = comparisons(get(table, "query_filter"));
    asked.iter().any(|(name, value)| is_host(name, value, &[]))
}

pub(super) fn is_route(table: &SeenTable) -> bool {
    table.parameters.iter().any(|name| name == "transport_maps")
}

fn of_table(host: &SeenHost, table: &SeenTable, found: &mut Vec<Advice>) {
    let path = table.path.as_str();
    let name = path.rsplit('/').next().unwrap_or(path);
    if get(table, "query_filter").contains('\\') && get(table, "query_filter").contains("\\ ") {
        found.push(row(
            0,
            format!("{name}: a filter with `\\` at the ends of lines"),
            "a filter on one line",
            "Postfix takes the backslash as a part of the filter: each search fails, and all mail waits (451)",
            path,
        ));
    }
    if is_route(table)
        && !["retry:", "error:"]
            .iter()
            .any(|word| get(table, "result_format").starts_with(word))
        && get(table, "expansion_limit") != "1"
        && !get(table, "result_attribute").is_empty()
    {
        found.push(row(
            2,
            format!("{name}: no expansion_limit"),
            "expansion_limit = 1",
            "an address with two results gets a route that does not exist, and its mail waits for ever",
            path,
        ));
    }
    of_connection(host, table, found);
    let delivers = get(table, "result_format").starts_with("lmtp:");
    if delivers
        && get(table, "query_filter")
            .to_lowercase()
            .contains("(alias=")
    {
        found.push(row(
            2,
            format!("{name}: asks for aliases, too"),
            "asks for primary addresses",
            "Cyrus has no mailbox of an alias: mail that comes with one is refused",
            path,
        ));
    }
}

/// Of how a table reaches its directory.
fn of_connection(host: &SeenHost, table: &SeenTable, found: &mut Vec<Advice>) {
    let path = table.path.as_str();
    let name = path.rsplit('/').next().unwrap_or(path);
    let has_password = !get(table, "bind_pw").is_empty();
    if let Some(state) = host
        .file(path)
        .filter(|state| has_password && state.mode.bits() & 0o004 != 0)
    {
        found.push(row(
            1,
            format!(
                "tables with a password of the directory have mode {}",
                state.mode
            ),
            "mode 0640, group postfix",
            "every user of the host can read the password of the directory",
            TABLES,
        ));
    }
    let server = get(table, "server_host");
    let clear = !server.contains("ldaps://")
        && !server.contains("ldapi://")
        && get(table, "start_tls") != "yes";
    found.extend(sample_password(table));
    if has_password && clear {
        found.push(row(
            3,
            "the password of the directory goes over the network in clear",
            "ldap: {tls: {mode: starttls}}",
            "whoever listens on the network has the password of the directory",
            DIRECTORY,
        ));
    }
    if !clear && get(table, "tls_require_cert") != "yes" && !server.contains("ldapi://") {
        found.push(row(
            4,
            "the certificate of the directory's server is not checked",
            "ldap: {tls: {require_cert: true}}",
            "another server can answer in the directory's place",
            DIRECTORY,
        ));
    }
    if get(table, "version").is_empty() {
        found.push(row(
            6,
            format!("{name}: no version"),
            "version = 3",
            "the default of Postfix is 2, which servers refuse",
            path,
        ));
    }
}

/// The password that Kolab's documents, and many copies of them, have.
fn sample_password(table: &SeenTable) -> Option<Advice> {
    (get(table, "bind_pw") == "Welcome2KolabSystems").then(|| {
        row(
            1,
            "the password of the directory is the sample of published documents",
            "a password of your own",
            "whoever has read these documents can read the directory",
            PASSWORD,
        )
    })
}

/// Of a host that delivers to its own mailboxes.
fn of_backend(host: &SeenHost, tables: &[SeenTable], found: &mut Vec<Advice>) {
    let code = host.expanded("unknown_local_recipient_reject_code");
    if code != "450" && !host.tables("local_recipient_maps").is_empty() {
        found.push(row(
            1,
            format!("unknown_local_recipient_reject_code = {code}"),
            "450",
            "while a mailbox moves to another backend, its mail is bounced",
            "main.cf:unknown_local_recipient_reject_code",
        ));
    }
    if host.expanded("lmtp_delivery_status_filter").is_empty() {
        found.push(row(
            1,
            "no lmtp_delivery_status_filter",
            "keeps mail that Cyrus answers with 5.1.1",
            "while a mailbox moves to another backend, its mail is bounced",
            "main.cf:lmtp_delivery_status_filter",
        ));
    }
    no_delimiter(host, found);
    of_tables_of_backend(host, tables, found);
}

/// Of the tables of a host that delivers to its own mailboxes.
fn of_tables_of_backend(host: &SeenHost, tables: &[SeenTable], found: &mut Vec<Advice>) {
    for table in tables {
        let aliases = table
            .parameters
            .iter()
            .any(|name| name == "virtual_alias_maps");
        if aliases && !asks_own_mailhost(table) {
            found.push(row(
                2,
                format!("{}: rewrites addresses of all backends", table.path.rsplit('/').next().unwrap_or_default()),
                "rewrites those of its own mailboxes",
                "every address of the directory is valid here; with a stale mailHost its mail loops",
                &table.path,
            ));
        }
    }
    let folders = |table: &&SeenTable| {
        get(table, "query_filter")
            .to_lowercase()
            .contains("sharedfolder")
    };
    let local = tables.iter().filter(|table| {
        table
            .parameters
            .iter()
            .any(|name| name == "local_recipient_maps")
    });
    let delivered = tables
        .iter()
        .filter(|table| is_route(table))
        .any(|table| folders(&table));
    if local.clone().any(|table| folders(&table)) && !delivered {
        found.push(row(
            0,
            "shared folders are valid recipients, and no transport delivers them",
            "virtual_alias_maps to postuser+folder",
            "their mail loops between the backend and the internal MTA, and is bounced",
            "main.cf:virtual_alias_maps",
        ));
    }
    if host
        .set("smtpd_sender_login_maps")
        .is_some_and(|value| value.contains("$local_recipient_maps"))
    {
        found.push(row(
            4,
            "smtpd_sender_login_maps = $local_recipient_maps",
            "a map of its own",
            "the recipients of one backend are not the senders of all",
            "main.cf:smtpd_sender_login_maps",
        ));
    }
}

/// Of a host that sends mail to the host in the directory.
fn of_router(host: &SeenHost, tables: &[SeenTable], found: &mut Vec<Advice>) {
    let validates = ["relay_recipient_maps", "local_recipient_maps"]
        .iter()
        .any(|name| host.tables(name).iter().any(|table| table.kind == "ldap"));
    let refuses = host.expanded("relay_transport").starts_with("error:")
        || host
            .entries("transport_maps")
            .iter()
            .any(|(_, value)| value.starts_with("error:"));
    if !validates && !refuses {
        found.push(row(
            0,
            "no list of valid recipients",
            "relay_recipient_maps from the directory",
            "unknown addresses are accepted, loop between the MTAs, and are bounced to forged senders",
            "main.cf:relay_recipient_maps",
        ));
    }
    if host.expanded("relay_transport").starts_with("retry:") {
        found.push(row(
            3,
            "relay_transport = retry:",
            "a table that answers only for entries without a mailHost",
            "unknown addresses are answered with 450: senders try for days, and learn nothing",
            "main.cf:relay_transport",
        ));
    }
    of_tables_of_router(tables, found);
    no_delimiter(host, found);
}

/// Of a host that looks up recipients, and knows no address extensions.
fn no_delimiter(host: &SeenHost, found: &mut Vec<Advice>) {
    if host.expanded("recipient_delimiter").is_empty() {
        found.push(row(
            3,
            "no recipient_delimiter",
            "+",
            "mail for user+folder@ is refused",
            "main.cf:recipient_delimiter",
        ));
    }
}

/// Of the tables of a host that sends mail to the host in the directory.
fn of_tables_of_router(tables: &[SeenTable], found: &mut Vec<Advice>) {
    let formats = tables.iter().filter(|table| is_route(table));
    let mut formats = formats.map(|table| get(table, "result_format"));
    if !formats.any(|format| format.starts_with("retry:")) {
        found.push(row(
            2,
            "nothing for entries without a mailHost",
            "a table of transport_maps with result_format = retry:4.2.1",
            "Kolab sets mailHost some time after it makes an entry: until then its mail is bounced, or loops",
            "main.cf:transport_maps",
        ));
    }
    for table in tables {
        let rewrites = table
            .parameters
            .iter()
            .any(|name| name == "virtual_alias_maps");
        let to_folder = get(table, "result_format").contains("+%");
        if rewrites && to_folder {
            found.push(row(
                1,
                format!("{}: rewrites addresses of shared folders before they are routed", name_of(table)),
                "only backends rewrite them",
                "no entry of the directory has postuser+folder as its address: no host is found for it",
                &table.path,
            ));
        }
    }
}

fn name_of(table: &SeenTable) -> &str {
    table.path.rsplit('/').next().unwrap_or_default()
}
