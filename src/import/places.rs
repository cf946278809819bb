//! Sites of hosts whose names say where they are: `backend1.west.example.org` is in `west`. A directory of its own is another
//! sign of a site, which is known before.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, SiteDraft};
use crate::name::HostName;

/// Gives hosts the site that their names say, where the names of the murder's hosts end in different domains.
pub fn suppose(draft: &mut Draft) {
    let mut by_domain: BTreeMap<String, Vec<HostName>> = BTreeMap::new();
    for (name, host) in &draft.hosts {
        if let Some((_, domain)) = name.as_str().split_once('.')
            && host.site.is_none()
        {
            by_domain
                .entry(domain.to_owned())
                .or_default()
                .push(name.clone());
        }
    }
    if by_domain.len() < 2 {
        return;
    }
    // A domain that all others lie in is the murder's, and no place.
    let domains: BTreeSet<String> = by_domain.keys().cloned().collect();
    let holds_others = |domain: &String| {
        domains
            .iter()
            .any(|other| other.ends_with(&format!(".{domain}")))
    };
    for (domain, hosts) in by_domain {
        let label = domain.split('.').next().unwrap_or_default().to_owned();
        if hosts.len() < 2 || holds_others(&domain) || draft.sites.contains_key(&label) {
            continue;
        }
        draft.sites.insert(label.clone(), SiteDraft::default());
        for name in hosts {
            if let Some(host) = draft.hosts.get_mut(&name) {
                host.site = Some(label.clone());
            }
        }
    }
}

/// Takes out the sites that say nothing.
pub fn drop_idle(draft: &mut Draft) {
    draft
        .sites
        .retain(|_, site| site.ldap.is_some() || !site.words.is_empty());
    for host in draft.hosts.values_mut() {
        host.site = host
            .site
            .take()
            .filter(|site| draft.sites.contains_key(site));
    }
}
