//! Retired hosts that the directory still names: their mailboxes must move before they go.

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::{Directory, EntryId};
use crate::model::{Host, HostState};
use crate::name::HostName;
use crate::verify::Attributes;

/// The retired ones of these hosts that entries of the directory name, each with a sentence about it. An entry names a host by
/// a value of an attribute that the tables of the hosts read, such as `mailHost`.
#[must_use]
pub fn remaining<'a>(
    hosts: impl Iterator<Item = &'a Host>,
    directory: &Directory,
    attributes: &Attributes,
) -> BTreeMap<HostName, String> {
    let retired = hosts.filter(|host| host.state == HostState::Retired);
    let found = retired.filter_map(|host| {
        let (entries, named) = naming(host, directory, attributes);
        let entries = match entries.len() {
            0 => return None,
            1 => "1 entry of the directory still names".to_owned(),
            more => format!("{more} entries of the directory still name"),
        };
        let named = named.join("`, `");
        let text = format!("{entries} this retired host (`{named}`): move the mailboxes first");
        Some((host.name.clone(), text))
    });
    found.collect()
}

/// The entries that name a host, and the attributes by which they do, in lower case.
fn naming<'a>(
    host: &Host,
    directory: &'a Directory,
    attributes: &Attributes,
) -> (BTreeSet<EntryId>, Vec<&'a str>) {
    let (mut entries, mut named) = (BTreeSet::new(), Vec::new());
    for name in attributes.names() {
        let Some(attribute) = directory.attribute(name) else {
            continue;
        };
        let values = BTreeSet::from([host.name.as_str(), host.mailhost.as_str()]);
        let found = values
            .into_iter()
            .flat_map(|value| directory.with_value(name, value));
        let before = entries.len();
        entries.extend(found);
        if entries.len() > before {
            named.push(directory.attribute_name(attribute));
        }
    }
    (entries, named)
}
