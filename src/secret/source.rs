//! Where the text of a secret comes from, as a value. The room `secret_source` reads it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;

/// Where the text of a secret comes from.
///
/// A saved plan holds it as it is, but for a literal secret, which it cannot hold.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretSource {
    /// A file that only its owner can read.
    File(LocalFile),
    /// An environment variable of the `murder` process.
    Env(String),
    /// What a program of the client prints.
    Command(CommandSource),
    /// A credential that systemd gives the service (systemd.exec(5) `LoadCredential=`), by its name.
    Credential(String),
    /// A text that is encrypted by age(1).
    Age(AgeSource),
    /// A value of a file that is encrypted by sops.
    Sops(SopsSource),
    /// A value of a KV v2 store of HashiCorp Vault or OpenBao.
    Vault(VaultSource),
    /// Written in the manifest itself; works, with a warning.
    #[serde(skip)]
    Literal(Secret),
}

/// A file of this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LocalFile {
    /// By its path, as resolved against the manifest's folder.
    Path(PathBuf),
    /// By an environment variable that holds its path, as GitLab's variables of the type file do.
    Variable {
        /// The variable's name.
        env: String,
    },
}

/// A program of the client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandSource {
    /// The program and its arguments; no shell reads them.
    pub argv: Vec<String>,
    /// How long it may run.
    pub timeout: Duration,
}

/// A text that is encrypted by age(1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgeSource {
    /// The encrypted text.
    pub content: AgeContent,
    /// The files of identities (secret keys), tried in order.
    pub identities: Vec<LocalFile>,
}

/// Where the encrypted text is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgeContent {
    /// In a file.
    File(PathBuf),
    /// In the manifest, in age's form for text (armor).
    Text(String),
}

/// A value of a file that is encrypted by sops.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SopsSource {
    /// The file: YAML or JSON.
    pub file: PathBuf,
    /// The keys that lead to the value; a number is the place in a list, from 0.
    pub key: Vec<String>,
}

/// A value of a KV v2 store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultSource {
    /// The server.
    pub server: Arc<VaultServer>,
    /// Where the KV v2 store is mounted.
    pub mount: String,
    /// The path of the secret in the store.
    pub path: String,
    /// The key of the value.
    pub key: String,
    /// The version; the newest where none is given.
    pub version: Option<u64>,
}

/// How a Vault or OpenBao server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VaultServer {
    /// `https://HOST:PORT`; `VAULT_ADDR` or `BAO_ADDR` where none is given.
    pub address: Option<String>,
    /// The namespace (`X-Vault-Namespace`).
    pub namespace: Option<String>,
    /// A file of certificates in PEM form that the server's must be signed by, in place of the system's.
    pub ca_file: Option<LocalFile>,
    /// How `murder` logs in.
    pub login: VaultLogin,
}

/// How `murder` logs in to Vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VaultLogin {
    /// By the token in `VAULT_TOKEN` or `BAO_TOKEN`.
    Environment,
    /// By a token.
    Token(Box<SecretSource>),
    /// By AppRole.
    AppRole {
        /// Where the method is mounted.
        mount: String,
        /// The role's ID.
        role_id: String,
        /// The role's secret.
        secret_id: Box<SecretSource>,
    },
    /// By a JWT, such as GitLab's `id_tokens`.
    Jwt {
        /// Where the method is mounted.
        mount: String,
        /// The role.
        role: String,
        /// The JWT.
        token: Box<SecretSource>,
    },
}

impl SecretSource {
    /// Whether nothing is opened or run to have the text.
    #[must_use]
    pub fn is_in_manifest(&self) -> bool {
        matches!(self, Self::Literal(_))
    }

    /// The same source with every path changed by `change`, such as made absolute. Variables that hold paths stay.
    #[must_use]
    pub fn with_paths(&self, change: &dyn Fn(&Path) -> PathBuf) -> Self {
        let file = |file: &LocalFile| match file {
            LocalFile::Path(path) => LocalFile::Path(change(path)),
            LocalFile::Variable { .. } => file.clone(),
        };
        let way_in = |source: &Self| Box::new(source.with_paths(change));
        match self {
            Self::File(one) => Self::File(file(one)),
            Self::Age(age) => Self::Age(AgeSource {
                content: match &age.content {
                    AgeContent::File(path) => AgeContent::File(change(path)),
                    AgeContent::Text(_) => age.content.clone(),
                },
                identities: age.identities.iter().map(file).collect(),
            }),
            Self::Sops(sops) => Self::Sops(SopsSource {
                file: change(&sops.file),
                key: sops.key.clone(),
            }),
            Self::Vault(vault) => {
                let mut server = VaultServer::clone(&vault.server);
                server.ca_file = server.ca_file.as_ref().map(file);
                server.login = match &server.login {
                    VaultLogin::Token(source) => VaultLogin::Token(way_in(source)),
                    VaultLogin::AppRole {
                        mount,
                        role_id,
                        secret_id,
                    } => VaultLogin::AppRole {
                        mount: mount.clone(),
                        role_id: role_id.clone(),
                        secret_id: way_in(secret_id),
                    },
                    VaultLogin::Jwt { mount, role, token } => VaultLogin::Jwt {
                        mount: mount.clone(),
                        role: role.clone(),
                        token: way_in(token),
                    },
                    VaultLogin::Environment => VaultLogin::Environment,
                };
                Self::Vault(VaultSource {
                    server: Arc::new(server),
                    ..vault.clone()
                })
            }
            Self::Env(_) | Self::Command(_) | Self::Credential(_) | Self::Literal(_) => {
                self.clone()
            }
        }
    }
}

impl fmt::Display for SecretSource {
    /// In words that follow "read from"; never the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => file.fmt(f),
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            Self::Command(command) => write!(f, "the command `{}`", command.argv.join(" ")),
            Self::Credential(name) => write!(f, "the systemd credential `{name}`"),
            Self::Age(age) => match &age.content {
                AgeContent::File(path) => write!(f, "the age file `{}`", path.display()),
                AgeContent::Text(_) => f.write_str("the age text in the manifest"),
            },
            Self::Sops(sops) => write!(
                f,
                "`{}` of the sops file `{}`",
                sops.key.join("."),
                sops.file.display()
            ),
            Self::Vault(vault) => {
                let server = vault.server.address.as_deref();
                write!(
                    f,
                    "`{}` of `{}/{}` in the Vault server {}",
                    vault.key,
                    vault.mount,
                    vault.path,
                    server.map_or("of `VAULT_ADDR`".to_owned(), |address| format!(
                        "`{address}`"
                    )),
                )
            }
            Self::Literal(_) => f.write_str("a literal"),
        }
    }
}

impl fmt::Display for LocalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "the file `{}`", path.display()),
            Self::Variable { env: name } => {
                write!(f, "the file that the environment variable `{name}` names")
            }
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
