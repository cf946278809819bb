//! Attributes that each lookup compares, and that the LDAP server has no index for.

use super::attributes::Attributes;
use super::code::FindingCode;
use super::finding::{Finding, ldif_change, spelt};
use crate::directory::Directory;

/// A finding for each attribute that is compared with keys and has no equality index, where the server says which it has.
#[must_use]
pub fn index_findings(attributes: &Attributes, directory: &Directory) -> Vec<Finding> {
    let Some(indexes) = directory.server_indexes() else {
        return Vec::new();
    };
    let mut names: Vec<&str> = attributes
        .keys
        .iter()
        .map(|key| key.attribute.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let missing = names.into_iter().filter(|name| !indexes.has_equality(name));
    missing
        .map(|name| {
            let name = spelt(name);
            let text = format!("`{}` has no equality index for `{name}`", indexes.server);
            let change = ldif_change(
                "olcDatabase={1}mdb,cn=config",
                "add",
                "olcDbIndex",
                &[&format!("{name} eq")],
            );
            let help = format!(
                "# for the database of these entries; `ldapsearch -b cn=config olcSuffix=*` names it\n{change}"
            );
            Finding::new(FindingCode::AttributeNotIndexed, text, help)
        })
        .collect()
}
