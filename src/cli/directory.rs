//! The flags that say where the directory comes from.

use std::path::PathBuf;

use clap::Args;

use super::StrangerArguments;
use super::error::CliError;
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::directory::Directory;
use crate::directory_source::LdapOptions;
use crate::load::LoadedMurder;
use crate::manifest::rule;
use crate::model::Murder;
use crate::secret_source::SourceOptions;
use crate::session::directory::{DirectoryFrom, read_directory};
use crate::verify::Attributes;

/// Where the directory comes from.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Directory")]
pub struct DirectoryArguments {
    /// Read the directory from an LDIF file (`slapcat`, `ldapsearch -LLL`), and not from the manifest's LDAP servers.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["ldap_uri", "ldap_ca"])]
    pub ldif: Option<PathBuf>,
    /// Ask this LDAP server, with the manifest's login, and not the servers that it names (repeatable).
    #[arg(long, value_name = "URI")]
    pub ldap_uri: Vec<String>,
    /// Trust the CA certificates in this file, and not those that the manifest names on the hosts.
    #[arg(long, value_name = "FILE")]
    pub ldap_ca: Option<PathBuf>,
    /// Read no directory: what depends on it is not modelled.
    #[arg(long, conflicts_with_all = ["ldif", "ldap_uri", "ldap_ca"])]
    pub no_directory: bool,
}

impl DirectoryArguments {
    /// The same, for the session.
    #[must_use]
    pub fn source(&self) -> DirectoryFrom {
        match &self.ldif {
            Some(path) => DirectoryFrom::Ldif(path.clone()),
            None if self.no_directory => DirectoryFrom::Nothing,
            None => DirectoryFrom::Ldap(LdapOptions {
                uris: self.ldap_uri.clone(),
                ca_file: self.ldap_ca.clone(),
            }),
        }
    }

    /// Checks that no LDAP server of a manifest that may be a stranger's would be asked.
    ///
    /// # Errors
    /// If one would be.
    pub fn refuse_servers(
        &self,
        murder: &Murder,
        stranger: StrangerArguments,
    ) -> Result<(), CliError> {
        let asks = matches!(self.source(), DirectoryFrom::Ldap(_))
            && murder.ldap_logins().next().is_some();
        match stranger.untrusted && asks {
            false => Ok(()),
            true => Err(CliError::arguments(vec![
                Diagnostic::error("`--untrusted` asks no LDAP server, and reads no secret for its login")
                    .hint("give an export by `--ldif FILE`, or leave the directory out by `--no-directory`"),
            ])),
        }
    }

    /// Reads the directory, and prints the warnings about it.
    ///
    /// # Errors
    /// If it cannot be read whole.
    pub fn read(
        &self,
        loaded: &LoadedMurder,
        attributes: &Attributes,
        sources: SourceOptions,
        terminal: &Terminal,
    ) -> Result<Directory, CliError> {
        for uri in &self.ldap_uri {
            (rule::LDAP_URI.check)(uri).map_err(|why| {
                let problem =
                    Diagnostic::error(format!("`--ldap-uri {uri}` is no LDAP URI: {why}"));
                CliError::arguments(vec![problem.hint(rule::LDAP_URI.hint)])
            })?;
        }
        let found = read_directory(&loaded.murder, &self.source(), attributes, sources);
        let found = found.map_err(|problems| CliError::input(problems, &loaded.sources))?;
        terminal.diagnostics(&found.warnings, &loaded.sources);
        Ok(found.directory)
    }
}
