//! What the hosts say of the murder as a whole: its domains, its directory, its smart host, its shared folders.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::{self, Connection, most_common};
use super::draft::{DomainDraft, Draft, FolderDraft, SiteDraft};
use super::evidence::{comparisons, is_host};
use super::seen::SeenHost;
use crate::name::HostName;
use crate::postfix::split_list;

/// Lists of domains that a Postfix takes mail for.
const CLASSES: [&str; 4] = [
    "relay_domains",
    "mydestination",
    "virtual_mailbox_domains",
    "virtual_alias_domains",
];

/// The mail domains of the hosts, in the order in which they name them.
#[must_use]
pub fn domains(hosts: &[SeenHost]) -> Vec<DomainDraft> {
    let own: BTreeSet<String> = hosts.iter().flat_map(SeenHost::own_names).collect();
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut order = 0;
    let mut count = |name: &str| {
        let is_domain = name.contains('.')
            && HostName::new(name).is_ok()
            && !own.contains(&name.to_lowercase())
            && !name.starts_with("localhost.")
            && !name.starts_with("localdomain")
            && !name.contains(".localhost");
        if is_domain {
            order += 1;
            counts.entry(name.to_lowercase()).or_insert((0, order)).0 += 1;
        }
    };
    // The lists of the MTAs give the order; where there is a directory, it says which domains are its own.
    for host in hosts {
        for class in CLASSES {
            host.list(class).iter().for_each(|name| count(name));
        }
    }
    let mut in_directory = BTreeSet::new();
    for table in hosts.iter().flat_map(SeenHost::ldap_tables) {
        let domain = table.settings.get("domain").map_or("", String::as_str);
        for name in split_list(domain) {
            count(&name);
            in_directory.insert(name.to_lowercase());
        }
    }
    if counts.keys().any(|name| in_directory.contains(name)) {
        counts.retain(|name, _| in_directory.contains(name));
    }
    let mut names: Vec<(String, (usize, usize))> = counts.into_iter().collect();
    names.sort_by_key(|(_, (_, order))| *order);
    let mut found: Vec<DomainDraft> = names
        .into_iter()
        .map(|(name, _)| DomainDraft {
            name,
            base: None,
            alias_of: None,
        })
        .collect();
    if found.is_empty() {
        found.push(some_domain(hosts, &own));
    }
    bases(hosts, &mut found);
    found
}

/// A domain for a manifest that must name one. Nothing of a host that has no mail domain depends on it.
fn some_domain(hosts: &[SeenHost], own: &BTreeSet<String>) -> DomainDraft {
    let names = hosts.iter().flat_map(|host| {
        let parent = host
            .name
            .as_str()
            .split_once('.')
            .map(|(_, domain)| domain.to_owned());
        [Some(host.expanded("mydomain")), parent]
    });
    let usable = |name: &String| {
        HostName::new(name.as_str()).is_ok() && name.contains('.') && !own.contains(name)
    };
    let domain = most_common(names.flatten().filter(usable));
    DomainDraft {
        name: domain.unwrap_or_else(|| "example.org".to_owned()),
        base: None,
        alias_of: None,
    }
}

/// The bases of the domains, and which one is another name of which.
fn bases(hosts: &[SeenHost], domains: &mut [DomainDraft]) {
    let wide = most_common(
        hosts
            .iter()
            .filter_map(connection::of_host)
            .map(|one| one.base),
    );
    let mut bases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut targets: BTreeMap<String, String> = BTreeMap::new();
    for table in hosts.iter().flat_map(SeenHost::ldap_tables) {
        let get = |name: &str| table.settings.get(name).map_or("", String::as_str);
        for name in split_list(get("domain")) {
            let base = get("search_base").to_owned();
            bases.entry(name.to_lowercase()).or_default().push(base);
            for (_, value) in comparisons(get("query_filter")) {
                if let Some((_, target)) = value.split_once("%u@") {
                    targets.insert(name.to_lowercase(), target.to_lowercase());
                }
            }
        }
    }
    let names: BTreeSet<String> = domains.iter().map(|domain| domain.name.clone()).collect();
    for domain in domains {
        let target = targets.get(&domain.name);
        domain.alias_of = target.filter(|target| names.contains(*target)).cloned();
        let base = bases
            .get(&domain.name)
            .and_then(|found| most_common(found.clone()));
        domain.base = base.filter(|base| domain.alias_of.is_none() && wide.as_ref() != Some(base));
    }
}

/// Fills the murder-wide part of a manifest: the directory and the sites, the smart host, and what Cyrus says.
pub fn fill(draft: &mut Draft, hosts: &[SeenHost]) {
    directory(draft, hosts);
    let delimiters = hosts
        .iter()
        .filter_map(|host| host.set("recipient_delimiter"));
    draft.recipient_delimiter = most_common(delimiters)
        .filter(|text| *text != "+" && !text.is_empty() && !text.contains('$'))
        .map(str::to_owned);
    shared_folders(draft, hosts);
    servers(draft, hosts);
    lmtp(draft, hosts);
    mailhosts(draft, hosts);
}

fn directory(draft: &mut Draft, hosts: &[SeenHost]) {
    let own: Vec<(&SeenHost, Connection)> = hosts
        .iter()
        .filter_map(|host| Some((host, connection::of_host(host)?)))
        .collect();
    // The one directory whose server has no place in its name is that of the murder; else the one that most hosts ask.
    let unplaced: BTreeSet<&Connection> = own
        .iter()
        .map(|(_, connection)| connection)
        .filter(|connection| place_of(connection).is_none())
        .collect();
    draft.ldap = match (unplaced.first(), unplaced.len()) {
        (Some(only), 1) => Some((*only).clone()),
        _ => most_common(own.iter().map(|(_, connection)| connection.clone())),
    };
    let Some(wide) = draft.ldap.clone() else {
        return;
    };
    for (host, connection) in own {
        if connection == wide {
            continue;
        }
        let known = draft
            .sites
            .iter()
            .find(|(_, site)| site.ldap.as_ref() == Some(&connection));
        let name = known.map(|(name, _)| name.clone()).unwrap_or_else(|| {
            let name = site_name(&connection, draft);
            let site = SiteDraft {
                ldap: Some(connection),
                ..SiteDraft::default()
            };
            draft.sites.insert(name.clone(), site);
            name
        });
        if let Some(host) = draft.hosts.get_mut(&host.name) {
            host.site = Some(name);
        }
    }
}

/// What the name of a directory's server has beside `ldap`: the place where it is. None where there is nothing, or no plain word.
fn place_of(connection: &Connection) -> Option<String> {
    let server = connection.uris.first().map_or("", String::as_str);
    let label = server.rsplit("//").next().unwrap_or_default();
    let label = label
        .split(['.', ':'])
        .next()
        .unwrap_or_default()
        .to_lowercase();
    let bare = label.replace("ldap", "");
    let bare = bare.trim_matches('-');
    let is_word = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    is_word.then(|| bare.to_owned())
}

/// A name for the hosts that ask this directory.
fn site_name(connection: &Connection, draft: &Draft) -> String {
    let base = place_of(connection).unwrap_or_else(|| "site".to_owned());
    let free = |name: &String| !draft.sites.contains_key(name);
    let numbered = (2..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.clone())
        .chain(numbered)
        .find(free)
        .unwrap_or_default()
}

/// The smart host: where the hosts that are not `edges` send what is not their own.
pub fn smart_host(
    draft: &mut Draft,
    hosts: &[SeenHost],
    senders: &BTreeSet<HostName>,
    routers: &[HostName],
) {
    let nexthops = hosts
        .iter()
        .filter(|host| senders.contains(&host.name))
        .filter_map(|host| {
            let transport = host.expanded("local_transport");
            let by_transport = transport.split_once(":[").map(|(_, rest)| rest.to_owned());
            let relayhost = host.expanded("relayhost");
            let name = by_transport.unwrap_or(relayhost);
            let name = name
                .trim_start_matches('[')
                .split([']', ':', ',', ' '])
                .next()?
                .to_lowercase();
            HostName::new(name.as_str())
                .ok()
                .filter(|name| name.as_str().contains('.'))
        });
    let found = most_common(nexthops);
    let only = match routers {
        [only] => Some(only),
        _ => None,
    };
    let Some(name) = found.or_else(|| routers.first().cloned()) else {
        return;
    };
    if only != Some(&name) {
        draft.smart_host = Some(name.to_string());
    }
    if !draft.hosts.contains_key(&name) {
        draft.external.push(name.to_string());
    }
}

/// Shared folders in tables: `address  postuser+folder@domain` on the host that holds them.
fn shared_folders(draft: &mut Draft, hosts: &[SeenHost]) {
    let mut postusers = Vec::new();
    for table in hosts.iter().flat_map(SeenHost::ldap_tables) {
        let format = table
            .settings
            .get("result_format")
            .map_or("", String::as_str);
        if let Some((postuser, _)) = format.trim_matches('"').split_once("+%") {
            postusers.push(postuser.to_owned());
        }
    }
    let mut folders = Vec::new();
    for host in hosts {
        for (address, target) in host.entries("virtual_alias_maps") {
            let target = target.replace('"', "");
            let Some((local, domain)) = target.rsplit_once('@') else {
                continue;
            };
            let same_domain = address
                .rsplit_once('@')
                .is_some_and(|(_, own)| own == domain);
            if let Some((postuser, folder)) = local.split_once('+')
                && same_domain
                && folder.contains('/')
            {
                postusers.push(postuser.to_owned());
                folders.push((
                    postuser.to_owned(),
                    address,
                    host.name.to_string(),
                    folder.to_owned(),
                ));
            }
        }
    }
    let postuser = most_common(postusers);
    for (of, address, backend, folder) in folders {
        let known = draft
            .shared_folders
            .iter()
            .any(|one| one.address == address);
        if Some(&of) == postuser.as_ref() && !known {
            draft.shared_folders.push(FolderDraft {
                address,
                backend,
                folder,
            });
        }
    }
    draft.postuser = postuser.filter(|name| name != "folder" && !name.contains('%'));
}

/// Cyrus servers without Postfix: the names of a table that gives an LMTP address for each.
fn servers(draft: &mut Draft, hosts: &[SeenHost]) {
    for (key, value) in hosts.iter().flat_map(|host| host.entries("transport_maps")) {
        let Some(target) = value.strip_prefix("lmtp:inet:") else {
            continue;
        };
        let name = HostName::new(key.as_str());
        let is_server = name.is_ok_and(|name| {
            !draft.hosts.contains_key(&name)
                && !draft.domains.iter().any(|domain| {
                    name.as_str().starts_with(&format!("{}.", domain.name))
                        || domain.name == name.as_str()
                })
        });
        if is_server {
            let usual = format!("[{key}]:24");
            let plain = target.replace(['[', ']'], "");
            draft
                .servers
                .insert(key, (target != usual).then(|| format!("inet:{plain}")));
        }
    }
}

/// Where the hosts deliver over LMTP, where that is not what the packages of Cyrus have: once where most agree.
fn lmtp(draft: &mut Draft, hosts: &[SeenHost]) {
    let found: Vec<(&SeenHost, String)> = hosts
        .iter()
        .filter_map(|host| Some((host, lmtp_of(host)?)))
        .collect();
    let most = most_common(found.iter().map(|(_, target)| target.clone()));
    let usual = |host: &SeenHost| host.live.facts.lmtp_socket.as_str().to_owned();
    draft.lmtp = most.filter(|most| {
        let odd = found
            .iter()
            .filter(|(host, target)| target == most && *target != usual(host));
        odd.count() > 1
    });
    for (host, target) in found {
        let known = draft.lmtp.clone().unwrap_or_else(|| usual(host));
        if target != known
            && let Some(host) = draft.hosts.get_mut(&host.name)
        {
            host.lmtp = Some(target);
        }
    }
}

/// Where a host delivers over LMTP on its own machine.
fn lmtp_of(host: &SeenHost) -> Option<String> {
    let formats = host.ldap_tables().into_iter();
    let formats = formats.filter_map(|table| table.settings.get("result_format").cloned());
    let transports = host
        .entries("transport_maps")
        .into_iter()
        .map(|(_, value)| value);
    formats.chain(transports).find_map(|text| {
        let target = text.strip_prefix("lmtp:")?.to_owned();
        let path = target.strip_prefix("unix:").map(str::to_owned);
        let local = target.starts_with("inet:127.") || target.starts_with("inet:[127.");
        path.or_else(|| local.then(|| target.replace(['[', ']'], "")))
    })
}

/// The `mailHost` that a host asks for, where it is not its name.
fn mailhosts(draft: &mut Draft, hosts: &[SeenHost]) {
    let domains = draft.domains.iter().map(|domain| domain.name.clone());
    let domains: Vec<String> = domains.collect();
    for host in hosts {
        let tables = host.ldap_tables();
        let asked = tables.iter().flat_map(|table| {
            let filter = table
                .settings
                .get("query_filter")
                .map_or("", String::as_str);
            comparisons(filter)
        });
        let asked = asked.filter(|(attribute, value)| {
            value.contains('.') && is_host(attribute, value, &domains)
        });
        let names: BTreeSet<String> = asked.map(|(_, value)| value).collect();
        let mut names = names.into_iter();
        if let (Some(name), None) = (names.next(), names.next())
            && name != host.name.as_str()
            && HostName::new(name.as_str()).is_ok()
            && !draft.hosts.keys().any(|other| other.as_str() == name)
            && let Some(host) = draft.hosts.get_mut(&host.name)
        {
            host.mailhost = Some(name);
        }
    }
}
