//! The directory that a verb judges mail by: an LDIF file, or the LDAP servers of the manifest.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Severity};
use crate::directory_source::{self, LdapDirectory, LdapOptions, login_secrets};
use crate::model::Murder;
use crate::secret_source::{SourceOptions, read_secrets};
use crate::verify::Attributes;

/// Where the directory comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryFrom {
    /// An LDIF file.
    Ldif(PathBuf),
    /// The LDAP servers of the manifest, asked with the hosts' login; a manifest without `ldap` has an empty directory.
    Ldap(LdapOptions),
    /// Nowhere: it is empty.
    Nothing,
}

/// Reads the directory, with the attributes that the tables of the hosts use. Gives it with warnings.
///
/// # Errors
/// If the file or a secret cannot be read, or no server gives the whole directory.
pub fn read_directory(
    murder: &Murder,
    from: &DirectoryFrom,
    attributes: &Attributes,
    sources: SourceOptions,
) -> Result<LdapDirectory, Vec<Diagnostic>> {
    let options = match from {
        DirectoryFrom::Ldif(path) => {
            return directory_source::from_ldif(path).map(|directory| LdapDirectory {
                directory,
                warnings: Vec::new(),
            });
        }
        DirectoryFrom::Nothing => return Ok(LdapDirectory::default()),
        DirectoryFrom::Ldap(options) => options,
    };
    let mut wanted = attributes.names().clone();
    let found = read_ldap(murder, options, &wanted, sources)?;
    // Filters of dynamic groups may ask for attributes that no table names.
    let more = attributes.names_in_groups(&found.directory);
    if more.is_subset(&wanted) {
        return Ok(found);
    }
    wanted.extend(more);
    read_ldap(murder, options, &wanted, sources)
}

/// Reads these attributes (in lower case) of all entries from the LDAP servers of the manifest.
///
/// # Errors
/// If a secret cannot be read, or no server gives the whole directory.
pub fn read_ldap(
    murder: &Murder,
    options: &LdapOptions,
    wanted: &BTreeSet<String>,
    sources: SourceOptions,
) -> Result<LdapDirectory, Vec<Diagnostic>> {
    let (secrets, mut problems) = read_secrets(murder, &login_secrets(murder), sources);
    if problems.iter().any(|one| one.level == Severity::Error) {
        return Err(problems);
    }
    let mut found = directory_source::from_ldap(murder, &secrets, wanted, options)?;
    problems.append(&mut found.warnings);
    found.warnings = problems;
    Ok(found)
}
