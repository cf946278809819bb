//! How the LDAP tables of a host reach their directory: what the manifest says under `ldap`.

use std::collections::BTreeMap;

use super::seen::{SeenHost, SeenTable};
use super::yaml::{Yaml, YamlEntry};
use crate::postfix::split_list;

/// A connection to a directory, as ldap_table(5) has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Connection {
    /// The servers, as URIs.
    pub uris: Vec<String>,
    /// The search base.
    pub base: String,
    /// `sub`, `one` or `base`.
    pub scope: String,
    /// Who asks.
    pub bind_dn: Option<String>,
    /// The password. It is written into a file of its own, and nowhere else.
    pub bind_pw: Option<String>,
    /// The SASL mechanisms, where the login is by SASL.
    pub sasl: Option<Vec<(String, String)>>,
    /// The settings of TLS, by their keys in the manifest.
    pub tls: Vec<(String, String)>,
    /// Seconds of a search.
    pub timeout: String,
}

impl Connection {
    /// The connection of a table. None where the file does not say it.
    #[must_use]
    pub fn of(table: &SeenTable) -> Option<Self> {
        let get = |name: &str| table.settings.get(name).filter(|text| !text.is_empty());
        let port = get("server_port").map_or("389", String::as_str);
        let servers = get("server_host")?;
        let uris: Vec<String> = split_list(servers)
            .iter()
            .map(|server| uri(server, port))
            .collect();
        let bind = get("bind").map_or("yes", String::as_str);
        let by_sasl = bind == "sasl";
        let logs_in = bind != "no" && bind != "none";
        Some(Self {
            scope: get("scope").map_or("sub", String::as_str).to_owned(),
            base: get("search_base")?.clone(),
            bind_dn: get("bind_dn").filter(|_| logs_in).cloned(),
            bind_pw: get("bind_pw").filter(|_| logs_in).cloned(),
            sasl: by_sasl.then(|| sasl(&table.settings)),
            tls: tls(&table.settings, &uris),
            timeout: get("timeout").map_or("10", String::as_str).to_owned(),
            uris,
        })
    }

    /// The same, whatever the base of its searches is.
    #[must_use]
    pub fn without_base(&self) -> Self {
        Self {
            base: String::new(),
            ..self.clone()
        }
    }

    /// The keys of `ldap`. `password` is the file that holds the password.
    #[must_use]
    pub fn entries(&self, password: Option<&str>) -> Vec<YamlEntry> {
        let mut entries = vec![
            YamlEntry::new("uris", Yaml::texts(self.uris.iter().map(String::as_str))),
            YamlEntry::new("base", Yaml::text(self.base.as_str())),
        ];
        let mut add = |key: &str, value: Yaml| entries.push(YamlEntry::new(key, value));
        if self.scope != "sub" {
            add("scope", Yaml::text(self.scope.as_str()));
        }
        if self.sasl.is_some() {
            add("bind", Yaml::text("sasl"));
        }
        if let Some(name) = &self.bind_dn {
            let key = if self.sasl.is_some() {
                None
            } else {
                Some("bind_dn")
            };
            if let Some(key) = key {
                add(key, Yaml::text(name.as_str()));
            }
        }
        if let Some(file) = password {
            add("bind_pw", Yaml::map([("file", Yaml::text(file))]));
        }
        if let Some(sasl) = &self.sasl {
            add("sasl", sasl_value(sasl, self.bind_dn.as_deref()));
        }
        if !self.tls.is_empty() {
            let keys = self.tls.iter();
            add(
                "tls",
                Yaml::map(keys.map(|(key, value)| (key.as_str(), tls_value(value)))),
            );
        }
        if self.timeout != "10" {
            add("timeout", Yaml::text(format!("{}s", self.timeout)));
        }
        entries
    }
}

fn uri(server: &str, port: &str) -> String {
    match server {
        server if server.contains("://") => server.trim_end_matches('/').to_owned(),
        server if server.contains(':') => format!("ldap://{server}"),
        server => format!("ldap://{server}:{port}"),
    }
}

fn sasl(settings: &BTreeMap<String, String>) -> Vec<(String, String)> {
    let keys = [
        ("mechanisms", "sasl_mechs"),
        ("realm", "sasl_realm"),
        ("authz_id", "sasl_authz_id"),
        ("min_ssf", "sasl_minssf"),
    ];
    let found = keys.into_iter().filter_map(|(key, name)| {
        let value = settings.get(name).filter(|text| !text.is_empty())?;
        Some((key.to_owned(), value.clone()))
    });
    found.collect()
}

fn sasl_value(sasl: &[(String, String)], user: Option<&str>) -> Yaml {
    let mut entries = Vec::new();
    for (key, value) in sasl {
        let value = match key.as_str() {
            "mechanisms" => Yaml::texts(value.split_whitespace()),
            _ => Yaml::text(value.as_str()),
        };
        entries.push(YamlEntry::new(key.as_str(), value));
    }
    if let Some(user) = user {
        entries.push(YamlEntry::new("user", Yaml::text(user)));
    }
    Yaml::Map(entries)
}

fn tls(settings: &BTreeMap<String, String>, uris: &[String]) -> Vec<(String, String)> {
    let mode = if settings.get("start_tls").is_some_and(|word| word == "yes") {
        "starttls"
    } else if uris.iter().any(|uri| uri.starts_with("ldaps://")) {
        "ldaps"
    } else {
        return Vec::new();
    };
    let mut found = vec![("mode".to_owned(), mode.to_owned())];
    let keys = [
        ("ca_file", "tls_ca_cert_file"),
        ("ca_dir", "tls_ca_cert_dir"),
        ("cert_file", "tls_cert"),
        ("key_file", "tls_key"),
        ("cipher_suite", "tls_cipher_suite"),
    ];
    for (key, name) in keys {
        if let Some(value) = settings.get(name).filter(|text| !text.is_empty()) {
            found.push((key.to_owned(), value.clone()));
        }
    }
    // ldap_table(5): off unless it is set. The manifest's default is on.
    let requires = settings
        .get("tls_require_cert")
        .is_some_and(|word| word == "yes");
    if !requires {
        found.push(("require_cert".to_owned(), "false".to_owned()));
    }
    found
}

fn tls_value(value: &str) -> Yaml {
    match value {
        "false" => Yaml::Plain("false".to_owned()),
        text => Yaml::text(text),
    }
}

/// The parameters whose tables say which addresses there are and where they go. Other tables may ask a directory of their own.
const ROUTING: [&str; 11] = [
    "alias_maps",
    "local_recipient_maps",
    "mydestination",
    "relay_domains",
    "relay_recipient_maps",
    "smtpd_sender_login_maps",
    "transport_maps",
    "virtual_alias_domains",
    "virtual_alias_maps",
    "virtual_mailbox_domains",
    "virtual_mailbox_maps",
];

/// The connection that most tables of a host have, with the base of most of them. Of those that come equally often it is the
/// one of the tables with short names: a table for one domain alone has the domain in its name.
#[must_use]
pub fn of_host(host: &SeenHost) -> Option<Connection> {
    let mut tables = host.ldap_tables();
    tables.retain(|table| {
        let mut parameters = table.parameters.iter();
        parameters.any(|name| ROUTING.contains(&name.as_str()))
    });
    tables.sort_by_key(|table| table.path.len());
    most_common(tables.iter().filter_map(Connection::of))
}

/// The value that comes most often; the first of those that come equally often.
#[must_use]
pub fn most_common<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut counts: Vec<(T, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    counts
        .into_iter()
        .find(|(_, count)| *count == most)
        .map(|(value, _)| value)
}
