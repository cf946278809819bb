//! The search bases of a directory, each with the mail domains below it, as templates see them.

use tera::Value;

use super::Map;
use crate::model::{Ldap, Murder};

/// The directories of one search base.
#[derive(Debug)]
pub(super) struct Directories {
    /// Those of the domains that hold addresses.
    pub(super) main: Value,
    /// Those of the domains with other names (`alias_of`).
    pub(super) aliases: Value,
}

impl Directories {
    pub(super) fn new(murder: &Murder, ldap: &Ldap) -> Self {
        Self {
            main: Directory::list(directories(murder, ldap)),
            aliases: Directory::list(alias_directories(murder, ldap)),
        }
    }
}

/// A search base with the mail domains whose entries are below it.
#[derive(Default)]
struct Directory {
    /// Distinguishes the files of this directory; empty for the main one.
    suffix: String,
    base: String,
    domains: Vec<String>,
    /// For other names of a domain: the domain that they mean.
    target: String,
}

impl Directory {
    fn value(self) -> Value {
        Value::from(Map::from([
            ("suffix", Value::from(self.suffix)),
            ("base", Value::from(self.base)),
            ("domains", Value::from(self.domains)),
            ("target", Value::from(self.target)),
        ]))
    }

    fn list(directories: Vec<Self>) -> Value {
        Value::from(
            directories
                .into_iter()
                .map(Self::value)
                .collect::<Vec<Value>>(),
        )
    }
}

/// Domains with one base share their tables; those under `ldap.base` have the plain file names.
fn directories(murder: &Murder, ldap: &Ldap) -> Vec<Directory> {
    let mut list: Vec<Directory> = Vec::new();
    for domain in &murder.domains {
        if domain.alias_of.is_some() {
            continue;
        }
        let base = domain.base.as_ref().unwrap_or(&ldap.base);
        if let Some(known) = list.iter_mut().find(|known| known.base == *base) {
            known.domains.push(domain.name.to_string());
            continue;
        }
        let suffix = if *base == ldap.base {
            String::new()
        } else {
            format!("-{}", domain.name)
        };
        list.push(Directory {
            suffix,
            base: base.clone(),
            domains: vec![domain.name.to_string()],
            target: String::new(),
        });
    }
    list
}

/// The other names of each domain that has some.
fn alias_directories(murder: &Murder, ldap: &Ldap) -> Vec<Directory> {
    let mut list: Vec<Directory> = Vec::new();
    for domain in &murder.domains {
        let Some(target) = &domain.alias_of else {
            continue;
        };
        if let Some(known) = list
            .iter_mut()
            .find(|known| known.target == target.as_str())
        {
            known.domains.push(domain.name.to_string());
            continue;
        }
        let base = murder
            .domains
            .iter()
            .find(|other| other.name == *target)
            .and_then(|other| other.base.as_ref())
            .unwrap_or(&ldap.base);
        list.push(Directory {
            suffix: format!("-{target}"),
            base: base.clone(),
            domains: vec![domain.name.to_string()],
            target: target.to_string(),
        });
    }
    list
}
