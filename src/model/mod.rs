//! What a manifest means: every reference resolved, every host with a role, every default filled in.
//!
//! Only `resolve` builds a [`Murder`]; whoever holds one need not doubt it.

mod instances;
mod ldap_logins;
mod offered_secrets;
mod resolve;
mod role;
mod roster;

pub use instances::InstanceLayers;
pub use resolve::{Context, Meaning, Resolved, resolve};
pub use role::{MAILBOXES, Role, SMART_HOST};
pub use roster::Roster;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::access::Access;
use crate::diagnostic::Span;
use crate::lmtp::LmtpDestination;
use crate::name::{
    HostName, Mode, Parameter, RemotePath, RoleName, ServiceName, SiteName, UserName,
};
use crate::policy::Policy;
use crate::secret::{SecretName, SecretSource};
use crate::service::Service;
use crate::state::{Facts, Maintenance, Probes};
use crate::thing::Field;

/// How the Cyrus servers share the work (imapd.conf `mupdate_config`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topology {
    /// Frontends apart from backends.
    Discrete,
    /// Every node is both.
    Unified,
    /// Backends share a spool.
    Replicated,
}

/// A whole murder, resolved.
#[derive(Debug, Clone)]
pub struct Murder {
    /// The manifest's `murder`: the owner's name in each ledger.
    pub name: String,
    /// How the servers share the work.
    pub topology: Topology,
    /// The mail domains, in the order of the manifest.
    pub domains: Vec<Domain>,
    /// Hostless LDAP settings (each host has its own, merged with its site's).
    pub ldap: Option<Ldap>,
    /// imapd.conf `postuser`: deliveries to shared folders go to `<postuser>+<folder>@domain`.
    pub postuser: String,
    /// Where the manifest says it; none where it is the default.
    pub postuser_at: Option<Span>,
    /// Cyrus servers that have no Postfix of their own.
    pub servers: Vec<CyrusServer>,
    /// Where mail leaves and inner mail is routed; a host of ours or an external name.
    pub smart_host: Option<HostName>,
    /// Names that are no hosts of ours.
    pub external: Vec<HostName>,
    /// One character, the same on all hosts (postconf(5) `recipient_delimiter`).
    pub recipient_delimiter: String,
    /// Shared folders named in the manifest.
    pub shared_folders: Vec<SharedFolder>,
    /// How roles are rolled out, by role.
    pub rollout: BTreeMap<RoleName, Rollout>,
    /// How many generations each host keeps.
    pub keep: u32,
    /// Whether `plan` and `apply` judge by the LDAP servers what a plan means for mail.
    pub verifies_in_plan: bool,
    /// Asked over SMTP after an apply, murder-wide.
    pub probes: Probes,
    /// The hosts, by name.
    pub hosts: BTreeMap<HostName, Host>,
    /// The policies of the manifest, and those that the operator names.
    pub policies: Vec<Policy>,
    /// Where the secrets come from.
    pub secrets: BTreeMap<SecretName, (SecretSource, Span)>,
}

/// One mail domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// Its name.
    pub name: HostName,
    /// The LDAP base of its entries, where it differs from `ldap.base`.
    pub base: Option<String>,
    /// The domain that it is another name of.
    pub alias_of: Option<HostName>,
}

/// An LDAP directory, as one host queries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ldap {
    /// `ldap://`, `ldaps://` or `ldapi://` URIs, tried in order.
    pub uris: Vec<String>,
    /// Search base.
    pub base: String,
    /// `sub`, `one` or `base`.
    pub scope: String,
    /// A condition of every query (RFC 4515).
    pub filter: Option<String>,
    /// What stands before each address in the values of an attribute.
    pub prefixes: BTreeMap<String, String>,
    /// Bind DN, or the user of a SASL bind; none for anonymous.
    pub bind_dn: Option<String>,
    /// The bind password, by name.
    pub bind_pw: Option<SecretName>,
    /// How a SASL bind logs in; none for a simple or no bind.
    pub sasl: Option<Sasl>,
    /// How the connection is protected.
    pub tls: Tls,
    /// For each search.
    pub timeout: Duration,
}

/// A SASL bind (ldap_table(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sasl {
    /// `sasl_mechs`, in order.
    pub mechanisms: Vec<String>,
    /// `sasl_realm`.
    pub realm: Option<String>,
    /// `sasl_authz_id`.
    pub authz_id: Option<String>,
    /// `sasl_minssf`.
    pub min_ssf: Option<u32>,
}

/// How an LDAP connection is protected (ldap_table(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `none`, `starttls` or `ldaps`.
    pub mode: TlsMode,
    /// `tls_ca_cert_file`.
    pub ca_file: Option<RemotePath>,
    /// `tls_ca_cert_dir`.
    pub ca_dir: Option<RemotePath>,
    /// `tls_cert`.
    pub cert_file: Option<RemotePath>,
    /// `tls_key`.
    pub key_file: Option<RemotePath>,
    /// `tls_cipher_suite`.
    pub cipher_suite: Option<String>,
    /// `tls_require_cert`; on unless said otherwise.
    pub require_cert: bool,
}

/// See [`Tls::mode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// In clear.
    None,
    /// StartTLS on an `ldap://` connection.
    StartTls,
    /// `ldaps://`.
    Ldaps,
}

/// A Cyrus server without a Postfix of its own; `murder` does not log in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CyrusServer {
    /// Its name.
    pub name: HostName,
    /// imapd.conf `servername`, the LDAP `mailHost` value; its name where none is given.
    pub mailhost: HostName,
    /// Where it takes LMTP over TCP; port 24 of its name where none is given.
    pub lmtp: LmtpDestination,
    /// Where the manifest names it.
    pub at: Span,
}

/// A shared folder that the manifest names (beside those in LDAP).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedFolder {
    /// Its mail address.
    pub address: String,
    /// The host that holds it; a host of the murder.
    pub backend: HostName,
    /// Its path with the hierarchy separator `/`, as `shared/memo`.
    pub folder: String,
    /// Where the manifest names it.
    pub at: Span,
}

/// How the hosts of a role are taken in turn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rollout {
    /// How many at once; all where none is given.
    pub serial: Option<u32>,
    /// Waited between batches.
    pub pause: Duration,
    /// How many go first, alone.
    pub canary: Option<u32>,
    /// By how many the deferred mails of one of them may rise before no further hosts begin.
    pub max_deferred: Option<u32>,
}

/// Where a host is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostState {
    /// Being set up: configured, nothing routes to it yet.
    Joining,
    /// In service.
    Active,
    /// Keeps relaying, takes no new mailboxes.
    Draining,
    /// Its managed things go.
    Retired,
}

/// One host, with every default filled in.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its name.
    pub name: HostName,
    /// Where the manifest names it.
    pub at: Span,
    /// Its roles, at least one, in the manifest's order.
    pub roles: Vec<RoleName>,
    /// Its site.
    pub site: Option<SiteName>,
    /// imapd.conf `servername`, the LDAP `mailHost` value; the host's own name where none is given.
    pub mailhost: HostName,
    /// Where it is in its life.
    pub state: HostState,
    /// Until when and why it is not contacted, and where the manifest says so.
    pub maintenance: Option<(Maintenance, Span)>,
    /// IP addresses or networks that it sends from.
    pub addresses: Vec<String>,
    /// The service that has each of its roles: an instance of Postfix. The default one, where it is not here.
    pub placement: BTreeMap<RoleName, Service>,
    /// What its own layers say of one instance of Postfix alone.
    pub instances: BTreeMap<Service, InstanceLayers>,
    /// How it is reached.
    pub ssh: Access,
    /// The LDAP directory that it queries.
    pub ldap: Option<Ldap>,
    /// Where Cyrus takes LMTP, if the manifest says it (host, site, defaults, `cyrus`, in this order).
    pub lmtp: Option<LmtpDestination>,
    /// Asked over SMTP after an apply: murder-wide and its own.
    pub probes: Probes,
    /// Facts that the manifest states (`facts:`), laid over Debian's where nothing is observed.
    pub facts: Facts,
    /// main.cf parameters, the nearest layer first.
    pub settings: BTreeMap<Parameter, Vec<Layer<SettingSpec>>>,
    /// master.cf entries, the nearest layer first.
    pub services: BTreeMap<ServiceName, Vec<Layer<ServiceSpec>>>,
    /// Whole files, the nearest layer first.
    pub files: BTreeMap<RemotePath, Vec<Layer<FileSpec>>>,
    /// Module variables by name, the nearest layer first. `Level::Role` layers count for that role's module only.
    pub vars: BTreeMap<String, Vec<Layer<serde_json::Value>>>,
    /// Things that a module would manage, and that are left alone here, as in the manifest: a parameter's name,
    /// a path, or `name/type` of a service.
    pub leave: Vec<Layer<String>>,
}

/// What one layer says of a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer<T> {
    /// Which layer.
    pub level: Level,
    /// Where it was written.
    pub at: Span,
    /// What was written.
    pub value: T,
}

/// The layers, the nearest (strongest) first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// On the host, written by itself.
    Host,
    /// On a range of hosts that it is one of.
    Range,
    /// On its site.
    Site(SiteName),
    /// Under `modules.<role>` of the manifest.
    Role(RoleName),
    /// Under `defaults`.
    Defaults,
    /// In the module itself.
    Module(RoleName),
    /// In no file: Postfix's own default, which a list edit starts from where no layer sets the list.
    Postfix,
}

/// What a layer says of a main.cf parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingSpec {
    /// It has this value.
    Value(String),
    /// `null`: it must not be set in main.cf.
    Unset,
    /// The list that the next layer down gives, edited.
    Edit(ListEdit),
}

/// An edit of a comma- or blank-separated list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListEdit {
    /// Put before the list, in this order.
    pub prepend: Vec<String>,
    /// Put after it.
    pub append: Vec<String>,
    /// Taken out of it.
    pub remove: Vec<String>,
    /// What is put in, each with its place.
    pub places: Vec<(String, Span)>,
}

/// What a layer says of a master.cf entry; what it does not say is left to the next layer or the live line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceSpec {
    /// `null`: it must not be there.
    Absent,
    /// These fields and options are so.
    Entry {
        /// Columns.
        fields: BTreeMap<Field, String>,
        /// `-o name=value`; none for an option that must not be there.
        options: BTreeMap<Parameter, Option<String>>,
    },
}

/// What a layer says of a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSpec {
    /// `null`: it must not be there.
    Absent,
    /// It is so.
    Present {
        /// Its text, or the template that gives it.
        content: ContentSpec,
        /// Default `root`.
        owner: UserName,
        /// Default `root` (`postfix` where the body has a secret).
        group: UserName,
        /// Default `0644` (`0640` where the body has a secret).
        mode: Option<Mode>,
        /// Whether it is an indexed table; what the layer below says where none is given, else it is none.
        table: Option<bool>,
    },
}

impl FileSpec {
    /// Whether it is an indexed table, where it says so.
    #[must_use]
    pub fn table(&self) -> Option<bool> {
        match self {
            Self::Absent => None,
            Self::Present { table, .. } => *table,
        }
    }
}

/// Where a file's text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentSpec {
    /// Written out.
    Literal(String),
    /// A Tera template: its name for errors, and its text.
    Template {
        /// As written.
        name: String,
        /// The text, read by the loader.
        text: String,
    },
}
