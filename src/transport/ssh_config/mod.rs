//! What ssh_config(5) says of a host.
//!
//! Our own reader knows `Host`, `Include` and the few keywords that decide whom we talk to and how we log in.
//! Where a file has something that it does not know and that changes the meaning (`Match`, tokens), `ssh -G`
//! is asked, which knows everything and costs 5 ms of CPU for each host; where there is no `ssh`, that is
//! an error. What neither we nor libssh2 can do (`ProxyCommand`) is an error that names the way out.

mod dump;
mod names;
mod reader;

pub use names::host_names;

use std::path::{Path, PathBuf};

use crate::exchange::Failure;
use crate::exchange::MachineError;
use crate::transport::client_files::ClientFiles;

/// Where the configuration of OpenSSH lies on this workstation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// The home directory.
    pub home: PathBuf,
    /// The agent's socket (`SSH_AUTH_SOCK`).
    pub agent: Option<PathBuf>,
    /// A configuration file in place of the user's and the system's, as `ssh -F`.
    pub config: Option<PathBuf>,
    /// The user's name, which is the login name where nothing else is said.
    pub user: String,
}

impl Environment {
    /// That of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            home: set("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from),
            agent: set("SSH_AUTH_SOCK").map(PathBuf::from),
            config: None,
            user: set("USER").or_else(|| set("LOGNAME")).map_or_else(
                || "root".to_owned(),
                |name| name.to_string_lossy().into_owned(),
            ),
        }
    }

    /// Expands a leading `~/`.
    #[must_use]
    pub fn expand(&self, path: &str) -> PathBuf {
        match path.strip_prefix("~/") {
            Some(rest) => self.home.join(rest),
            None if path == "~" => self.home.clone(),
            None => PathBuf::from(path),
        }
    }
}

/// The settings of one host; what is not set is left to the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `HostName`.
    pub host_name: Option<String>,
    /// `User`.
    pub user: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `IdentityFile`, in order.
    pub identity_files: Vec<PathBuf>,
    /// `IdentitiesOnly`.
    pub identities_only: bool,
    /// `IdentityAgent`: another socket, or `none`.
    pub identity_agent: Option<String>,
    /// `ProxyJump`; `none` is none.
    pub proxy_jump: Option<String>,
    /// `UserKnownHostsFile`.
    pub known_hosts: Option<Vec<PathBuf>>,
    /// `GlobalKnownHostsFile`.
    pub global_known_hosts: Option<Vec<PathBuf>>,
    /// `HostKeyAlias`: the name in known_hosts.
    pub host_key_alias: Option<String>,
    /// `HashKnownHosts`.
    pub hash_known_hosts: bool,
}

/// Resolves `alias`, with the login name and port that are wanted already, if any.
///
/// # Errors
/// `Unreachable` where the configuration has something that we cannot follow.
pub async fn resolve(
    alias: &str,
    user: Option<&str>,
    port: Option<u16>,
    environment: &Environment,
    files: &ClientFiles,
) -> Result<Settings, MachineError> {
    match reader::read(alias, environment, files) {
        Ok(settings) => Ok(settings),
        Err(unsupported) => {
            let (alias, user) = (alias.to_owned(), user.map(str::to_owned));
            let environment = environment.clone();
            let asked = blocking::unblock(move || {
                dump::run_ssh(&alias, user.as_deref(), port, &environment)
            });
            asked.await?.ok_or_else(|| {
                not_followed(&unsupported, "and there is no `ssh` here to ask about it")
            })
        }
    }
}

/// A directive that our reader does not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unsupported {
    keyword: String,
    place: String,
}

fn not_followed(unsupported: &Unsupported, why: &str) -> MachineError {
    MachineError::Unreachable(Failure {
        summary: format!(
            "the built-in SSH client does not support `{}` in {}, {why}",
            unsupported.keyword, unsupported.place
        ),
        detail: None,
        hint: Some("use `ssh: {client: openssh}`".to_owned()),
    })
}

/// Sets what a keyword says; the first value wins, but identity files add up (ssh_config(5)).
///
/// # Errors
/// The keyword itself, where it changes the meaning and is not followed.
fn set(
    settings: &mut Settings,
    keyword: &str,
    arguments: &[String],
    tokens: &Tokens<'_>,
) -> Result<(), ()> {
    let Some(first) = arguments.first() else {
        return Ok(());
    };
    let yes = first.eq_ignore_ascii_case("yes");
    match keyword {
        "hostname" => keep(&mut settings.host_name, tokens.expand(first)?),
        "user" => keep(&mut settings.user, plain(first)?),
        "port" => keep(&mut settings.port, first.parse().map_err(|_| ())?),
        "identityfile" if first == "none" => {}
        "identityfile" => {
            let path = tokens.path(first)?;
            if !settings.identity_files.contains(&path) {
                settings.identity_files.push(path);
            }
        }
        "identitiesonly" => settings.identities_only |= yes,
        "identityagent" => keep(&mut settings.identity_agent, first.clone()),
        "proxyjump" => keep(&mut settings.proxy_jump, plain(first)?),
        "userknownhostsfile" => keep(&mut settings.known_hosts, tokens.paths(arguments)?),
        "globalknownhostsfile" => keep(&mut settings.global_known_hosts, tokens.paths(arguments)?),
        "hostkeyalias" => keep(&mut settings.host_key_alias, plain(first)?),
        "hashknownhosts" => settings.hash_known_hosts |= yes,
        "proxycommand" | "revokedhostkeys" | "bindinterface" | "certificatefile"
            if first.eq_ignore_ascii_case("none") => {}
        "proxycommand" | "revokedhostkeys" | "bindaddress" | "bindinterface"
        | "certificatefile" => {
            return Err(());
        }
        "canonicalizehostname" if !first.eq_ignore_ascii_case("no") && first != "false" => {
            return Err(());
        }
        "addressfamily" if !first.eq_ignore_ascii_case("any") => return Err(()),
        _ => {}
    }
    Ok(())
}

fn keep<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

/// A value without tokens or environment variables.
fn plain(value: &str) -> Result<String, ()> {
    if value.contains('%') || value.contains("${") {
        return Err(());
    }
    Ok(value.to_owned())
}

/// What `%h` and `~` stand for.
struct Tokens<'a> {
    alias: &'a str,
    environment: &'a Environment,
}

impl Tokens<'_> {
    /// Expands `%h` and `%%`; other tokens depend on what we do not know yet.
    fn expand(&self, value: &str) -> Result<String, ()> {
        plain(&value.replace("%%", "\u{0}").replace("%h", self.alias))
            .map(|text| text.replace('\u{0}', "%"))
    }

    fn path(&self, value: &str) -> Result<PathBuf, ()> {
        let value = value.replace("%d", &self.environment.home.to_string_lossy());
        Ok(self.environment.expand(&plain(&value)?))
    }

    fn paths(&self, values: &[String]) -> Result<Vec<PathBuf>, ()> {
        values
            .iter()
            .filter(|value| *value != "none")
            .map(|value| self.path(value))
            .collect()
    }
}

/// The private keys that are tried where nothing names one, in OpenSSH's order without the token kinds.
#[must_use]
pub fn default_identities(home: &Path) -> Vec<PathBuf> {
    ["id_rsa", "id_ecdsa", "id_ed25519"]
        .iter()
        .map(|name| home.join(".ssh").join(name))
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;
