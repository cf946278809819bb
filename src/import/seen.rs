//! One host as an import saw it, with what its Postfix reads.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::targets::Login;
use crate::name::{HostName, RemotePath};
use crate::postfix::catalogue::tables::{self, Table};
use crate::postfix::configuration::{Configuration, ConfigurationFiles, FilePurpose, Release};
use crate::postfix::{inline_entries, logical_texts, split_list, table_settings};
use crate::state::{Live, LiveFile, LiveService, LiveState, PostfixLive};

/// Where Cyrus's configuration is on every distribution.
pub const CYRUS_FILES: [&str; 2] = ["/etc/imapd.conf", "/etc/cyrus.conf"];

/// The configuration of the default instance of Postfix, whole.
pub const CONFIGURATION: [&str; 2] = ["/etc/postfix/main.cf", "/etc/postfix/master.cf"];

/// A host as it was seen.
#[derive(Debug, Clone)]
pub struct SeenHost {
    /// Its name in the manifest.
    pub name: HostName,
    /// The name by which the user asked for it.
    pub typed: HostName,
    /// How it is reached.
    pub login: Login,
    /// What it has.
    pub live: Live,
    tables: OnceLock<OpenedTableFiles>,
}

/// The files of tables, with the parameters that name each and its type.
pub type OpenedTableFiles = BTreeMap<String, (Vec<String>, Table)>;

/// An LDAP table that a host's Postfix opens.
#[derive(Debug, Clone)]
pub struct SeenTable {
    /// Its file.
    pub path: String,
    /// The parameters that name it.
    pub parameters: Vec<String>,
    /// What the file sets.
    pub settings: BTreeMap<String, String>,
}

impl SeenHost {
    /// A host as an observation found it. Its main.cf and master.cf stay as they are from now on.
    #[must_use]
    pub fn new(name: HostName, typed: HostName, login: Login, live: Live) -> Self {
        Self {
            name,
            typed,
            login,
            live,
            tables: OnceLock::new(),
        }
    }

    /// Its Postfix.
    #[must_use]
    pub fn postfix(&self) -> Option<&PostfixLive> {
        let LiveService::Postfix(postfix) = self.live.services.values().next()?;
        Some(postfix)
    }

    /// A regular file that was read.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&LiveState> {
        match self.live.files.get(&RemotePath::new(path).ok()?)? {
            LiveFile::Present(state) => Some(state),
            LiveFile::Absent | LiveFile::Other(_) => None,
        }
    }

    /// The text of a file that was read.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        self.file(path)?.text.as_deref()
    }

    /// The value of a parameter with its references replaced; empty where it is not known.
    #[must_use]
    pub fn expanded(&self, name: &str) -> String {
        self.with_configuration(|configuration| configuration.main().expanded(name).text.ok())
            .flatten()
            .unwrap_or_default()
    }

    /// The value of a parameter as main.cf has it.
    #[must_use]
    pub fn set(&self, name: &str) -> Option<&str> {
        self.postfix()?.main_cf.get(name)
    }

    /// The members of a list, with references replaced.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<String> {
        split_list(&self.expanded(name))
    }

    /// The tables that a parameter names.
    #[must_use]
    pub fn tables(&self, name: &str) -> Vec<Table> {
        tables::read(&self.expanded(name))
    }

    fn with_configuration<R>(&self, use_it: impl FnOnce(Configuration<'_>) -> R) -> Option<R> {
        let postfix = self.postfix()?;
        let files = ConfigurationFiles {
            main_cf: &postfix.main_cf,
            master_cf: &postfix.master_cf,
        };
        let release = Release::new(&self.live.facts.postfix_version);
        Some(use_it(Configuration::new(
            &files,
            release,
            &postfix.environment,
        )))
    }

    /// The files of the tables that main.cf or master.cf names and a program opens.
    pub fn table_files(&self) -> &OpenedTableFiles {
        self.tables.get_or_init(|| self.find_table_files())
    }

    fn find_table_files(&self) -> OpenedTableFiles {
        let opened = self.with_configuration(|configuration| configuration.opened_files());
        let mut found = OpenedTableFiles::new();
        for file in opened.unwrap_or_default() {
            let FilePurpose::Table(table) = file.purpose else {
                continue;
            };
            if file.is_set && table.name.starts_with('/') {
                let entry = found.entry(table.name.clone());
                let (parameters, _) = entry.or_insert_with(|| (Vec::new(), table));
                parameters.push(file.parameter);
            }
        }
        found
    }

    /// Whether a service of master.cf runs in the chroot jail.
    #[must_use]
    pub fn is_chrooted(&self, service: &str) -> bool {
        let services = self.with_configuration(|configuration| configuration.services());
        let services = services.flatten().unwrap_or_default();
        services
            .iter()
            .any(|running| running.name.as_str() == service && running.chroot)
    }

    /// The instances of Postfix beside the default one that an apply of `murder` manages.
    #[must_use]
    pub fn managed_instances(&self) -> Vec<String> {
        let ledger = self.live.ledger.iter();
        let services = ledger.flat_map(|ledger| ledger.services.keys());
        let named = services.filter(|service| service.named_instance().is_some());
        named.map(ToString::to_string).collect()
    }

    /// The LDAP tables that it opens.
    #[must_use]
    pub fn ldap_tables(&self) -> Vec<SeenTable> {
        let tables = self.table_files().iter();
        let ldap = tables.filter(|(_, (_, table))| table.kind == "ldap");
        ldap.filter_map(|(path, (parameters, _))| {
            Some(SeenTable {
                settings: table_settings(self.text(path)?)?,
                path: path.clone(),
                parameters: parameters.clone(),
            })
        })
        .collect()
    }

    /// The entries of the tables with a source that a parameter names: key and value.
    #[must_use]
    pub fn entries(&self, parameter: &str) -> Vec<(String, String)> {
        let tables = self.tables(parameter).into_iter();
        tables
            .filter(|table| table.kind != "ldap")
            .flat_map(|table| self.entries_of(&table))
            .collect()
    }

    /// The entries of a table.
    #[must_use]
    pub fn entries_of(&self, table: &Table) -> Vec<(String, String)> {
        if table.kind == "inline" {
            return inline_entries(&table.name).unwrap_or_default();
        }
        let text = self.text(&table.name).unwrap_or_default();
        let lines = logical_texts(text.as_bytes()).into_iter();
        lines
            .filter_map(|line| {
                let (key, value) = line.trim().split_once([' ', '\t'])?;
                Some((key.to_owned(), value.trim().to_owned()))
            })
            .collect()
    }

    /// The names by which the host calls itself, in lower case.
    #[must_use]
    pub fn own_names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::from([self.name.as_str().to_lowercase()]);
        let myhostname = self.expanded("myhostname").to_lowercase();
        if myhostname.contains('.') {
            names.insert(myhostname);
        }
        names
    }
}
