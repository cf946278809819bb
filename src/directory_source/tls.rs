//! TLS to an LDAP server, as the manifest says it: the files are those of the hosts, read on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use native_tls::{Certificate, Identity, TlsConnector};
use zeroize::Zeroizing;

use super::options::LdapOptions;
use crate::diagnostic::Diagnostic;
use crate::model::Tls;

/// How a connection to a server is protected: trusts the CA certificates of the manifest alone where it names some, else
/// those of this machine.
///
/// # Errors
/// If a file that the manifest names is not on this machine, or is not PEM.
pub(super) fn connector(tls: &Tls, options: &LdapOptions) -> Result<TlsConnector, Diagnostic> {
    let mut builder = TlsConnector::builder();
    if !tls.require_cert {
        builder.danger_accept_invalid_certs(true);
        builder.danger_accept_invalid_hostnames(true);
    }
    if tls.require_cert || options.ca_file.is_some() {
        let authorities = authorities(tls, options)?;
        builder.disable_built_in_roots(!authorities.is_empty());
        for authority in authorities {
            builder.add_root_certificate(authority);
        }
    }
    if let (Some(certificate), Some(key)) = (&tls.cert_file, &tls.key_file) {
        builder.identity(identity(
            Path::new(certificate.as_str()),
            Path::new(key.as_str()),
        )?);
    }
    let connector = builder.build();
    connector.map_err(|error| Diagnostic::error(format!("TLS cannot be set up: {error}")))
}

/// The CA certificates that are trusted; empty for those of this machine.
fn authorities(tls: &Tls, options: &LdapOptions) -> Result<Vec<Certificate>, Diagnostic> {
    let mut files: Vec<PathBuf> = Vec::new();
    if let Some(file) = &options.ca_file {
        files.push(file.clone());
    } else {
        files.extend(tls.ca_file.iter().map(|path| PathBuf::from(path.as_str())));
        if let Some(folder) = &tls.ca_dir {
            files.extend(files_of(Path::new(folder.as_str()))?);
        }
    }
    let mut all = Vec::new();
    for file in files {
        let text = read(&file, "ca_file")?;
        let found = Certificate::stack_from_pem(&text);
        let found = found.map_err(|error| unfit(&file, "CA certificates", &error))?;
        if found.is_empty() {
            return Err(Diagnostic::error(format!(
                "`{}` has no certificate in PEM form",
                file.display()
            )));
        }
        all.extend(found);
    }
    Ok(all)
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let entries = fs::read_dir(folder).map_err(|error| missing(folder, "ca_dir", &error))?;
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let is_certificate = |path: &PathBuf| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        path.is_file() && matches!(ending, Some("pem" | "crt" | "0"))
    };
    Ok(paths.filter(is_certificate).collect())
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, Diagnostic> {
    let text = read(certificate, "cert_file")?;
    let secret = Zeroizing::new(read(key, "key_file")?);
    Identity::from_pkcs8(&text, &secret).map_err(|error| {
        unfit(key, "a key in PKCS #8 form", &error)
            .hint("convert it: `openssl pkcs8 -topk8 -nocrypt -in KEY -out KEY.pk8`")
    })
}

fn read(path: &Path, key: &str) -> Result<Vec<u8>, Diagnostic> {
    fs::read(path).map_err(|error| missing(path, key, &error))
}

fn missing(path: &Path, key: &str, error: &std::io::Error) -> Diagnostic {
    let problem = Diagnostic::error(format!(
        "cannot read `{}` on this machine: {error}",
        path.display()
    ));
    let problem = problem.detail(format!(
        "`ldap.tls.{key}` names it for the hosts; `murder` asks the directory from here"
    ));
    problem.hint(match key {
        "cert_file" | "key_file" => format!("copy it here, {}", super::fault::EXPORT),
        _ => "name a file of this machine by `--ldap-ca FILE`, or export the directory (`slapcat > directory.ldif`), and give it by `--ldif directory.ldif`".to_owned(),
    })
}

fn unfit(path: &Path, what: &str, error: &native_tls::Error) -> Diagnostic {
    Diagnostic::error(format!("`{}` is not {what}: {error}", path.display()))
}
