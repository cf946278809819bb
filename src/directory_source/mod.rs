//! Reads a directory from outside: LDAP servers, an LDIF file, and lists of addresses.

mod connection;
mod entry;
mod fault;
mod indexes;
mod ldap;
mod options;
mod tls;

pub use ldap::{LdapDirectory, from_ldap, login_secrets};
pub use options::LdapOptions;

use std::fs;
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::directory::{Directory, read_ldif};

/// Reads a text file, such as a list of addresses.
///
/// # Errors
/// If it cannot be read or is not UTF-8.
pub fn text(path: &Path) -> Result<String, Diagnostic> {
    let text = fs::read_to_string(path);
    text.map_err(|error| Diagnostic::error(format!("cannot read `{}`: {error}", path.display())))
}

/// Reads an LDIF file.
///
/// # Errors
/// If the file cannot be read, or is not LDIF with the content of a directory: one for each fault.
pub fn from_ldif(path: &Path) -> Result<Directory, Vec<Diagnostic>> {
    let shown = path.display();
    let text = fs::read(path).map_err(|error| {
        let problem = Diagnostic::error(format!("cannot read `{shown}`: {error}"));
        vec![problem.hint("export the directory with `slapcat` or `ldapsearch -LLL`")]
    })?;
    let directory = read_ldif(&text).map_err(|errors| {
        let problems = errors
            .into_iter()
            .map(|error| Diagnostic::error(format!("`{shown}`, {error}")));
        problems.collect::<Vec<_>>()
    })?;
    if directory.is_empty() {
        let problem = Diagnostic::error(format!("`{shown}` has no entry"));
        return Err(vec![problem.hint("see whether the export failed")]);
    }
    if let Some((entry, _)) = directory.doubled() {
        let dn = directory.dn(entry);
        let problem = Diagnostic::error(format!("`{shown}` has the entry `{dn}` more than once"));
        return Err(vec![problem.hint(
            "give one export alone; no server has two entries of one name",
        )]);
    }
    Ok(directory)
}
