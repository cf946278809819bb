//! Which role a host has: what its configuration says, compared with the signs that the modules name.

use std::collections::{BTreeMap, BTreeSet};

use super::seen::SeenHost;
use crate::module::Modules;
use crate::name::{HostName, RoleName};
use crate::postfix::logical_texts;

/// The role of a host, and why.
#[derive(Debug, Clone)]
pub struct Recognized {
    /// The role.
    pub role: RoleName,
    /// What on the host says so.
    pub reasons: Vec<String>,
}

/// The signs of a host, each with what was found.
#[must_use]
pub fn signs(host: &SeenHost, domains: &[String]) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    lmtp(host, &mut found);
    directory(host, domains, &mut found);
    if !found.contains_key("routes-by-directory") {
        relays(host, domains, &mut found);
    }
    if found.is_empty() && null_client(host, domains) {
        let relayhost = host.expanded("relayhost");
        found.insert("null-client", format!("sends all mail to `{relayhost}`"));
    }
    cyrus(host, &mut found);
    found
}

/// Where mail is delivered over LMTP.
fn lmtp(host: &SeenHost, found: &mut BTreeMap<&'static str, String>) {
    let mut nexthops: Vec<String> = ["mailbox_transport", "virtual_transport", "local_transport"]
        .iter()
        .map(|name| host.expanded(name))
        .collect();
    nexthops.extend(
        host.entries("transport_maps")
            .into_iter()
            .map(|(_, value)| value),
    );
    for table in host.ldap_tables() {
        nexthops.extend(table.settings.get("result_format").cloned());
    }
    for nexthop in nexthops {
        let Some(target) = nexthop.strip_prefix("lmtp:") else {
            continue;
        };
        let is_local = target.starts_with("unix:")
            || target.starts_with("inet:127.")
            || target.starts_with("inet:localhost")
            || target.starts_with("inet:[127.")
            || target.starts_with("inet:[::1]");
        let (sign, text) = match is_local {
            true => ("delivers-over-lmtp", "delivers over LMTP to"),
            false => (
                "delivers-to-cyrus-servers",
                "delivers over LMTP to the server",
            ),
        };
        let shown = target
            .trim_start_matches("unix:")
            .trim_start_matches("inet:");
        found.insert(sign, format!("{text} {shown}"));
    }
}

/// What the LDAP tables ask for.
fn directory(host: &SeenHost, domains: &[String], found: &mut BTreeMap<&'static str, String>) {
    let names = host.own_names();
    for table in host.ldap_tables() {
        let get = |name: &str| table.settings.get(name).map_or("", String::as_str);
        for (attribute, value) in comparisons(get("query_filter")) {
            let is_own = names.contains(&value.to_lowercase());
            // imapd.conf `servername` may differ from the host's name.
            if is_own || is_host(&attribute, &value, domains) {
                found.insert("asks-own-mailhost", format!("asks {attribute}={value}"));
            }
        }
        let routes = table.parameters.iter().any(|name| name == "transport_maps")
            && !get("query_filter").is_empty()
            && !get("result_format").starts_with("retry:")
            && !get("result_format").starts_with("error:")
            && (get("result_format").contains("[%s]") || is_part_of_pipe(host, &table.path));
        if routes {
            found.insert(
                "routes-by-directory",
                format!(
                    "sends mail to the host in {} ({})",
                    get("result_attribute"),
                    table.path
                ),
            );
        }
    }
    if found.contains_key("asks-own-mailhost") {
        found.remove("routes-by-directory");
    }
}

/// Whether a comparison of a filter asks for one host: by the attribute, or by a value that is the full name of a host and no
/// mail domain.
#[must_use]
pub fn is_host(attribute: &str, value: &str, domains: &[String]) -> bool {
    let attribute = attribute.to_lowercase();
    let is_fixed = !value.is_empty() && !value.contains(['%', '*']);
    let last = value.rsplit('.').next().unwrap_or_default();
    let is_name = value.contains('.')
        && last.bytes().all(|byte| byte.is_ascii_alphabetic())
        && HostName::new(value).is_ok()
        && attribute != "objectclass"
        && !domains
            .iter()
            .any(|domain| domain.eq_ignore_ascii_case(value));
    is_fixed && (attribute.ends_with("host") || is_name)
}

/// Whether the results of a table are looked up in the next one, which gives the route.
fn is_part_of_pipe(host: &SeenHost, path: &str) -> bool {
    let value = host.expanded("transport_maps");
    value.contains("pipemap:") && value.contains(path)
}

/// The comparisons of an LDAP filter with a whole value: attribute and value.
#[must_use]
pub fn comparisons(filter: &str) -> Vec<(String, String)> {
    let parts = filter.split(['(', ')']);
    let found = parts.filter_map(|part| {
        let (attribute, value) = part.split_once('=')?;
        let is_name = !attribute.is_empty()
            && attribute
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_name.then(|| (attribute.to_owned(), value.to_owned()))
    });
    found.collect()
}

/// A mail domain that goes to one host as a whole.
fn relays(host: &SeenHost, domains: &[String], found: &mut BTreeMap<&'static str, String>) {
    let relayed: BTreeSet<String> = host.list("relay_domains").into_iter().collect();
    let known = |domain: &String| domains.contains(domain);
    for (key, value) in host.entries("transport_maps") {
        let to_host = ["smtp:", "relay:"]
            .iter()
            .any(|start| value.starts_with(start))
            && value.len() > 6;
        if known(&key) && to_host {
            found.insert("relays-mail-domains", format!("relays {key} to {value}"));
        }
    }
    let transport = host.expanded("relay_transport");
    if let Some(domain) = relayed.iter().find(|domain| known(domain))
        && transport.contains(":[")
    {
        found.insert(
            "relays-mail-domains",
            format!("relays {domain} to {transport}"),
        );
    }
}

fn null_client(host: &SeenHost, domains: &[String]) -> bool {
    let local = [
        "mydestination",
        "relay_domains",
        "virtual_mailbox_domains",
        "virtual_alias_domains",
    ];
    let has_domain = local.iter().any(|name| {
        host.list(name)
            .iter()
            .any(|member| domains.contains(member))
    });
    !host.expanded("relayhost").is_empty()
        && !has_domain
        && host.tables("transport_maps").is_empty()
}

/// What imapd.conf and cyrus.conf say: a frontend has `mupdate_server` and no `proxyservers`, a backend has both.
fn cyrus(host: &SeenHost, found: &mut BTreeMap<&'static str, String>) {
    let options: BTreeSet<String> = host
        .text("/etc/imapd.conf")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned()))
        .filter(|name| !name.starts_with('#'))
        .collect();
    if options.contains("mupdate_server") {
        let backend = options.contains("proxyservers");
        let (sign, text) = match backend {
            true => (
                "cyrus-backend",
                "imapd.conf has mupdate_server and proxyservers",
            ),
            false => (
                "cyrus-frontend",
                "imapd.conf has mupdate_server and no proxyservers",
            ),
        };
        found.insert(sign, text.to_owned());
    }
    let runs_master = logical_texts(host.text("/etc/cyrus.conf").unwrap_or_default().as_bytes())
        .iter()
        .any(|line| line.contains("mupdate -m"));
    if runs_master {
        found.remove("cyrus-frontend");
        found.insert(
            "cyrus-mupdate-master",
            "cyrus.conf runs `mupdate -m`".to_owned(),
        );
    }
}

/// The role whose signs the host has: the one with the most signs, then the one whose name the host's name begins with.
#[must_use]
pub fn recognize(host: &SeenHost, modules: &Modules, domains: &[String]) -> Option<Recognized> {
    let found = signs(host, domains);
    let label = host.name.as_str().split('.').next().unwrap_or_default();
    let mut best: Option<((usize, bool, bool), Recognized)> = None;
    for (role, module) in &modules.0 {
        for wanted in &module.recognized_by {
            if !wanted.iter().all(|sign| found.contains_key(sign.as_str())) {
                continue;
            }
            let is_named = label.starts_with(role.as_str());
            let rank = (wanted.len(), is_named, !module.at_most_one);
            if best.as_ref().is_none_or(|(known, _)| rank > *known) {
                let mut reasons: Vec<String> = wanted
                    .iter()
                    .filter_map(|sign| found.get(sign.as_str()).cloned())
                    .collect();
                if is_named {
                    reasons.push(format!("is named {label}"));
                }
                let recognized = Recognized {
                    role: role.clone(),
                    reasons,
                };
                best = Some((rank, recognized));
            }
        }
    }
    best.map(|(_, recognized)| recognized)
}
