//! The defaults of the manifest's keys: what a key is where the manifest does not give it.
//!
//! The grammar names them for the JSON Schema and the documentation, and `model` fills them in. A default that depends
//! on something else (the host's name, another key) is prose in the grammar.

use crate::history;

/// `topology`.
pub const TOPOLOGY: &str = "discrete";
/// `recipient_delimiter`: what Cyrus and Postfix use.
pub const RECIPIENT_DELIMITER: &str = "+";
/// `cyrus.postuser`.
pub const POSTUSER: &str = "folder";
/// `ldap.scope`.
pub const LDAP_SCOPE: &str = "sub";
/// `ldap.timeout`, in seconds.
pub const LDAP_TIMEOUT: u64 = 10;
/// `ldap.tls.mode`.
pub const TLS_MODE: &str = "none";
/// `ldap.tls.require_cert`.
pub const TLS_REQUIRE_CERT: bool = true;
/// `rollout.<role>.pause`, in seconds.
pub const ROLLOUT_PAUSE: u64 = 0;
/// `verify.in_plan`.
pub const VERIFY_IN_PLAN: bool = false;
/// `history.keep`.
pub const HISTORY_KEEP: u32 = history::KEPT;
/// `state` of a host.
pub const STATE: &str = "active";
/// `ssh.client`.
pub const SSH_CLIENT: &str = "ssh2";
/// `ssh.connect_timeout`, in seconds.
pub const CONNECT_TIMEOUT: u64 = 10;
/// `ssh.command_timeout`, in seconds.
pub const COMMAND_TIMEOUT: u64 = 120;
/// `owner` of a file.
pub const FILE_OWNER: &str = "root";
/// `group` of a file.
pub const FILE_GROUP: &str = "root";
/// `mode` of a file.
pub const FILE_MODE: u32 = 0o644;
/// `table` of a file, where no wider layer says that it is one.
pub const FILE_TABLE: bool = false;

/// How long the program of a secret may run, in seconds.
pub const SECRET_COMMAND_TIMEOUT: u64 = 30;

/// Where Vault's own `vault server -dev` mounts its KV v2 store.
pub const VAULT_MOUNT: &str = "secret";

/// Where Vault mounts the method AppRole unless told otherwise.
pub const APPROLE_MOUNT: &str = "approle";

/// Where Vault mounts the method JWT unless told otherwise.
pub const JWT_MOUNT: &str = "jwt";
