//! What a module would do in another way than the hosts do: yours, recommended, why, and the line that takes it over.
//!
//! The first rows are what loses, bounces or delays mail on real sites. Then comes every other word of the manifest that takes
//! the place of what a module sets.

use std::collections::BTreeMap;

use super::assembly::{Assembly, thing_of};
use super::seen::{LdapTable, SeenHost};
use super::word::{WordKey, Words};
use super::yaml::Yaml;
use crate::name::{HostName, Parameter, RemotePath, RoleName, ServiceName};
use crate::session::precompile::on_every_core;
use crate::state::{DesiredService, Want};
use crate::thing::{Field, Thing};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Advice {
    /// How bad it is; the lowest number is the worst.
    pub rank: u8,
    /// What the hosts have.
    pub yours: String,
    /// What a module has.
    pub recommended: String,
    /// Why.
    pub why: String,
    /// What to do in the manifest.
    pub line: String,
}

/// The differences, the worst first, each with its hosts.
#[must_use]
pub fn of(assembly: &Assembly<'_>) -> Vec<(Advice, Vec<HostName>)> {
    let mut found: BTreeMap<Advice, Vec<HostName>> = BTreeMap::new();
    for host in assembly.hosts {
        for mut advice in known_faults(host) {
            advice.line = line_of(assembly, &host.name, &advice.line);
            found.entry(advice).or_default().push(host.name.clone());
        }
    }
    for (host, advice) in others(assembly) {
        found.entry(advice).or_default().push(host);
    }
    found.into_iter().collect()
}

/// A row of which `line` is still the thing that the manifest keeps.
fn row(rank: u8, yours: impl Into<String>, recommended: &str, why: &str, thing: &str) -> Advice {
    Advice {
        rank,
        yours: yours.into(),
        recommended: recommended.to_owned(),
        why: why.to_owned(),
        line: thing.to_owned(),
    }
}

/// What goes wrong with hosts like this one.
fn known_faults(host: &SeenHost) -> Vec<Advice> {
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
        of_router(host, &mut found);
    }
    let subdomains = host.list("parent_domain_matches_subdomains");
    if !host.list("relay_domains").is_empty()
        && subdomains.iter().any(|word| word == "relay_domains")
        && routes
    {
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

fn get<'t>(table: &'t LdapTable, name: &str) -> &'t str {
    table.settings.get(name).map_or("", String::as_str)
}

fn asks_own_mailhost(table: &LdapTable) -> bool {
    let asked = super::evidence::comparisons(get(table, "query_filter"));
    asked
        .iter()
        .any(|(name, value)| name.to_lowercase().ends_with("host") && !value.contains(['%', '*']))
}

fn is_route(table: &LdapTable) -> bool {
    table.parameters.iter().any(|name| name == "transport_maps")
}

fn of_table(host: &SeenHost, table: &LdapTable, found: &mut Vec<Advice>) {
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
    let has_password = !get(table, "bind_pw").is_empty();
    if let Some(state) = host
        .file(path)
        .filter(|state| has_password && state.mode.bits() & 0o004 != 0)
    {
        found.push(row(
            1,
            format!("{name}: mode {} with a password", state.mode),
            "mode 0640, group postfix",
            "every user of the host can read the password of the directory",
            path,
        ));
    }
    let server = get(table, "server_host");
    let clear = !server.contains("ldaps://")
        && !server.contains("ldapi://")
        && get(table, "start_tls") != "yes";
    if has_password && clear {
        found.push(row(
            3,
            format!("{name}: the password goes over the network in clear"),
            "ldap: {tls: {mode: starttls}}",
            "whoever listens on the network has the password of the directory",
            path,
        ));
    }
    if !clear && get(table, "tls_require_cert") != "yes" && !server.contains("ldapi://") {
        found.push(row(
            4,
            format!("{name}: the server's certificate is not checked"),
            "ldap: {tls: {require_cert: true}}",
            "another server can answer in the directory's place",
            path,
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

/// Of a host that delivers to its own mailboxes.
fn of_backend(host: &SeenHost, tables: &[LdapTable], found: &mut Vec<Advice>) {
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
    if host.expanded("recipient_delimiter").is_empty() {
        found.push(row(
            3,
            "no recipient_delimiter",
            "+",
            "mail for user+folder@ is refused",
            "main.cf:recipient_delimiter",
        ));
    }
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
    let folders = |table: &&LdapTable| {
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
fn of_router(host: &SeenHost, found: &mut Vec<Advice>) {
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
}

/// The manifest's way to take a thing over: which word has to go.
fn line_of(assembly: &Assembly<'_>, host: &HostName, thing: &str) -> String {
    let is_it = |key: &WordKey| match key {
        WordKey::Leave(left) => left == thing || format!("main.cf:{left}") == thing,
        key => thing_of(key) == thing,
    };
    for (place, words) in layers(assembly, host) {
        if let Some(key) = words.keys().find(|key| is_it(key)) {
            return format!("remove {} under {place}", shown_key(key));
        }
    }
    match thing.strip_prefix("main.cf:") {
        Some(name) => format!("set settings.{name} under hosts.{host}"),
        None => format!("change {thing}"),
    }
}

fn layers<'a>(assembly: &'a Assembly<'_>, host: &HostName) -> Vec<(String, &'a Words)> {
    let mut found = Vec::new();
    if let Some(draft) = assembly.draft.hosts.get(host) {
        found.push((format!("hosts.{host}"), &draft.words));
        for role in &draft.roles {
            if let Some(words) = assembly.draft.modules.get(role) {
                found.push((format!("modules.{role}"), words));
            }
        }
    }
    found.push(("defaults".to_owned(), &assembly.draft.defaults));
    found
}

fn shown_key(key: &WordKey) -> String {
    match key {
        WordKey::Variable(name) => format!("vars.{name}"),
        WordKey::Setting(name) => format!("settings.{name}"),
        WordKey::Column(service, column) => format!("services.{service}.{column}"),
        WordKey::Option(service, name) => format!("services.{service}.options.{name}"),
        WordKey::File(path) => format!("files.{path}"),
        WordKey::Leave(thing) => format!("leave: {thing}"),
    }
}

/// Every other word that takes the place of what a module sets.
fn others(assembly: &Assembly<'_>) -> Vec<(HostName, Advice)> {
    const RANK: u8 = 9;
    let mut found = Vec::new();
    let bare = without_words(assembly);
    for (host, desired) in &bare {
        for (place, words) in layers(assembly, host) {
            for (key, word) in words {
                let Some(recommended) = recommended(key, desired, assembly, host) else {
                    continue;
                };
                let yours = match (key, &word.value) {
                    (WordKey::Leave(thing), _) => format!("{thing} is not there"),
                    (WordKey::File(path), _) => format!("{path}, your own"),
                    (key, value) => format!("{} = {}", thing_of(key), short(value)),
                };
                let advice = Advice {
                    rank: RANK,
                    yours,
                    recommended: recommended.0,
                    why: recommended.1,
                    line: format!("remove {} under {place}", shown_key(key)),
                };
                found.push((host.clone(), advice));
            }
        }
    }
    found
}

fn short(value: &Yaml) -> String {
    let text = match value {
        Yaml::Null => "not set".to_owned(),
        Yaml::Text(text) | Yaml::Plain(text) => text.clone(),
        Yaml::List(items) => items.iter().map(short).collect::<Vec<_>>().join(", "),
        Yaml::Map(entries) => entries
            .iter()
            .map(|entry| format!("{}: {}", entry.key, short(&entry.value)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    cut(&text)
}

fn cut(text: &str) -> String {
    const MOST: usize = 60;
    match text.chars().count() > MOST {
        true => text.chars().take(MOST).chain("…".chars()).collect(),
        false => text.to_owned(),
    }
}

/// What the modules say of each host by themselves; without the hosts for which they do not compile so.
fn without_words(assembly: &Assembly<'_>) -> Vec<(HostName, DesiredService)> {
    let mut draft = assembly.draft.clone();
    draft.modules.clear();
    draft.defaults.clear();
    for host in draft.hosts.values_mut() {
        host.words.clear();
    }
    let texts = draft.texts(0);
    let texts = [texts.0.as_str(), texts.1.as_str()];
    let none = BTreeMap::new();
    let Ok(murder) = assembly
        .shipped
        .murder(&texts, &none, &assembly.files.secrets)
    else {
        return Vec::new();
    };
    let Ok(compiler) = assembly.shipped.compiler(&murder.murder) else {
        return Vec::new();
    };
    let compiled = on_every_core(assembly.hosts, |host| {
        let compiled = compiler.compile(&host.name, &host.live.facts).ok()?;
        Some((host.name.clone(), compiled.wanted().clone()))
    });
    compiled.into_iter().flatten().collect()
}

/// What a module has in the place of a word, and why. None where no module says anything there.
fn recommended(
    key: &WordKey,
    desired: &DesiredService,
    assembly: &Assembly<'_>,
    host: &HostName,
) -> Option<(String, String)> {
    let roles = &assembly.draft.hosts.get(host)?.roles;
    let module = |role: &RoleName| assembly.shipped.modules.0.get(role);
    let of_modules = || {
        let names: Vec<&str> = roles.iter().map(RoleName::as_str).collect();
        format!("as the module {} has it", names.join(", "))
    };
    let of_thing = |thing: &Thing| match desired.values.get(thing)? {
        Want::Present(value) => Some((cut(value), of_modules())),
        Want::Absent => Some(("not set".to_owned(), of_modules())),
    };
    match key {
        WordKey::Variable(name) => {
            let variable = roles
                .iter()
                .filter_map(module)
                .find_map(|module| module.vars.get(name))?;
            let default = variable.default.to_string();
            Some((cut(&default), variable.doc.clone()))
        }
        WordKey::Setting(name) => of_thing(&Thing::Parameter(parameter(name)?)),
        WordKey::Column(service, column) => {
            let field = Field::ALL
                .into_iter()
                .find(|field| field.as_str() == *column)?;
            of_thing(&Thing::Field(
                ServiceName::new(service.as_str()).ok()?,
                field,
            ))
        }
        WordKey::Option(service, name) => of_thing(&Thing::Option(
            ServiceName::new(service.as_str()).ok()?,
            parameter(name)?,
        )),
        WordKey::File(path) => {
            of_file(path, desired).then(|| ("the module's".to_owned(), of_modules()))
        }
        WordKey::Leave(thing) if thing.starts_with('/') => {
            of_file(thing, desired).then(|| ("the module's".to_owned(), of_modules()))
        }
        WordKey::Leave(thing) => match parameter(thing) {
            Some(name) => of_thing(&Thing::Parameter(name)),
            None => Some(("as the module has it".to_owned(), of_modules())),
        },
    }
}

fn of_file(path: &str, desired: &DesiredService) -> bool {
    RemotePath::new(path).is_ok_and(|path| desired.files.contains_key(&path))
}

fn parameter(name: &str) -> Option<Parameter> {
    Parameter::new(name).ok()
}
