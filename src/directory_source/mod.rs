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

/// By which program a file is compressed, and which one unpacks it to its standard output, by the first bytes.
fn compressed(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let forms: [(&[u8], _, _); 4] = [
        (b"\x1f\x8b", "gzip", "zcat"),
        (b"BZh", "bzip2", "bzcat"),
        (b"\xfd7zXZ", "xz", "xzcat"),
        (b"\x28\xb5\x2f\xfd", "zstd", "zstdcat"),
    ];
    let mut forms = forms.into_iter();
    let (_, form, unpack) = forms.find(|(first, _, _)| bytes.starts_with(first))?;
    Some((form, unpack))
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
    if let Some((form, unpack)) = compressed(&text) {
        let problem = Diagnostic::error(format!("`{shown}` is compressed with {form}"));
        return Err(vec![problem.hint(format!(
            "unpack it first: `{unpack} {shown} > directory.ldif`"
        ))]);
    }
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
