//! The secrets that the files of hosts need.

use std::collections::BTreeSet;

use crate::load::LoadedMurder;
use crate::model::{ContentSpec, FileSpec};
use crate::name::HostName;
use crate::secret::{Body, SecretName};

/// The secrets that stand in the hosts' files: those of templates, and those that the manifest
/// places in a text itself.
pub(super) fn of_files(loaded: &LoadedMurder, hosts: &[HostName]) -> BTreeSet<SecretName> {
    let hosts = hosts
        .iter()
        .filter_map(|name| loaded.murder.hosts.get(name));
    let mut needed = BTreeSet::new();
    for host in hosts {
        needed.extend(host.ldap.as_ref().and_then(|ldap| ldap.bind_pw.clone()));
        for layer in host.files.values().filter_map(|layers| layers.first()) {
            if let FileSpec::Present {
                content: ContentSpec::Literal(text),
                ..
            } = &layer.value
            {
                needed.extend(Body::from_rendered(text).secrets().cloned());
            }
        }
    }
    needed
}
