//! The files that services open because a parameter names them: certificates, keys, tables and their indexes, sockets.

use super::{Configuration, OpenedTable, RunningService, View};
use crate::postfix::catalogue::table_files;
use crate::postfix::catalogue::tables::Table;
use crate::postfix::split_list;

/// What a file is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilePurpose {
    /// A certificate, a key or a list of certificate authorities. Without it, TLS fails.
    Tls,
    /// A lookup table.
    Table(Table),
    /// The socket of an authentication server.
    AuthSocket,
    /// A directory with certificate authorities, by which a certificate must be verified.
    Authorities,
    /// The settings of the Cyrus SASL library: it opens the first of these files that exists, of which this is one.
    SaslSettings(Vec<String>),
    /// Another file, without which the program works in another way than it should.
    Other,
}

/// A file that a service opens because a parameter names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenedFile {
    /// The absolute path.
    pub path: String,
    /// The parameter.
    pub parameter: String,
    /// The program that opens it.
    pub program: String,
    /// What it is for.
    pub purpose: FilePurpose,
    /// Whether user postfix opens it. Other files are opened as root, before the program gives that up or enters its chroot
    /// jail.
    pub of_postfix: bool,
    /// Whether main.cf or master.cf sets the parameter.
    pub is_set: bool,
}

/// The endings of parameters with the certificates and keys of a program, after `smtpd_tls_` or `smtp_tls_`. If
/// `chain_files` is set, Postfix ignores the others but the last one (postconf(5)).
const TLS: [&str; 8] = [
    "cert_file",
    "key_file",
    "dcert_file",
    "dkey_file",
    "eccert_file",
    "eckey_file",
    "chain_files",
    "CAfile",
];

/// What the names of tlsproxy(8)'s parameters as a client begin with, where those of other programs have `smtp_tls_`.
const TLSPROXY_CLIENT: &str = "tlsproxy_client_";

impl Configuration<'_> {
    /// The files that services open; empty if master.cf is not known. A file whose name depends on something unknown is not
    /// among them. A relative name begins in the queue directory, where each program goes first.
    #[must_use]
    pub fn opened_files(self) -> Vec<OpenedFile> {
        let mut found = Vec::new();
        let mut done: Vec<String> = Vec::new();
        for service in self.services().unwrap_or_default() {
            // Services of the same program open the same files, unless they have options.
            if !service.has_options && !service.chroot_matters() {
                if done.contains(&service.program) {
                    continue;
                }
                done.push(service.program.clone());
            }
            self.service(&service.name).files(&service, &mut found);
        }
        found.sort();
        found.dedup();
        found
    }
}

impl RunningService {
    /// Whether the files that it opens depend on its chroot jail.
    fn chroot_matters(&self) -> bool {
        ["smtpd", "smtp", "lmtp", "tlsproxy"].contains(&self.program.as_str())
    }
}

impl View<'_> {
    /// Adds the files that a service opens.
    fn files(&self, service: &RunningService, found: &mut Vec<OpenedFile>) {
        let program = service.program.as_str();
        for OpenedTable { parameter, table } in self.opened_by(program).0 {
            if let Some(path) = self.table_file(&table) {
                let of_postfix = table.proxied;
                let purpose = FilePurpose::Table(table);
                found.push(OpenedFile {
                    of_postfix,
                    ..self.file(program, &parameter, path, purpose)
                });
            }
        }
        match program {
            "smtpd" if self.serves_tls("smtpd_tls_") => {
                self.tls_files(program, "smtpd_tls_", found);
                self.named(program, "smtpd_tls_dh1024_param_file", found);
            }
            "tlsproxy" => {
                if self.serves_tls("tlsproxy_tls_") {
                    self.tls_files(program, "tlsproxy_tls_", found);
                }
                if self.connects_for_others() {
                    self.tls_files(program, TLSPROXY_CLIENT, found);
                }
            }
            "smtp" if self.uses_tls("smtp_tls_") => self.tls_files(program, "smtp_tls_", found),
            "lmtp" if self.uses_tls("lmtp_tls_") => self.tls_files(program, "lmtp_tls_", found),
            "bounce" => self.named(program, "bounce_template_file", found),
            _ => {}
        }
        self.authorities(service, found);
        if program == "smtpd" {
            self.auth_socket(service, found);
            self.sasl_settings(found);
        }
    }

    /// A path as a program finds it: a relative one begins in the queue directory.
    fn whole(&self, path: &str) -> String {
        match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("{}/{path}", self.text("queue_directory")),
        }
    }

    fn table_file(&self, table: &Table) -> Option<String> {
        let is_relative = !table.name.starts_with(['/', '{']) && !table.name.is_empty();
        if is_relative && table_files::has_index(&table.kind) {
            let name = self.whole(&table.name);
            return file_of(&Table {
                name,
                ..table.clone()
            });
        }
        file_of(table)
    }

    /// The directories with certificate authorities, which user postfix searches during a handshake, from within the chroot
    /// jail. They count where a certificate must be verified.
    fn authorities(&self, service: &RunningService, found: &mut Vec<OpenedFile>) {
        let program = service.program.as_str();
        let verifies = |prefix: &str| {
            let level = self.text(&format!("{prefix}security_level"));
            ["verify", "secure"].contains(&level.as_str())
        };
        let asks = |prefix: &str| {
            let is_on = |end| self.text(&format!("{prefix}{end}")) == "yes";
            self.serves_tls(prefix) && (is_on("ask_ccert") || is_on("req_ccert"))
        };
        let uses: &[(&str, bool)] = match program {
            "smtp" => &[("smtp_tls_", verifies("smtp_tls_"))],
            "lmtp" => &[("lmtp_tls_", verifies("lmtp_tls_"))],
            "smtpd" => &[("smtpd_tls_", asks("smtpd_tls_"))],
            "tlsproxy" => &[
                ("tlsproxy_tls_", asks("tlsproxy_tls_")),
                (
                    TLSPROXY_CLIENT,
                    self.connects_for_others() && verifies(TLSPROXY_CLIENT),
                ),
            ],
            _ => &[],
        };
        for (prefix, _) in uses.iter().filter(|(_, is_used)| *is_used) {
            let name = format!("{prefix}CApath");
            let path = self.text(&name);
            let path = match (path.is_empty(), service.chroot) {
                (true, _) => continue,
                (false, true) => {
                    let queue = self.text("queue_directory");
                    format!("{queue}/{}", path.trim_start_matches('/'))
                }
                (false, false) => self.whole(&path),
            };
            found.push(OpenedFile {
                of_postfix: true,
                ..self.file(program, &name, path, FilePurpose::Authorities)
            });
        }
    }

    /// Whether tlsproxy(8) connects to servers for smtp(8) or lmtp(8), which then keep their connections.
    fn connects_for_others(&self) -> bool {
        ["smtp", "lmtp"]
            .iter()
            .any(|program| self.text(&format!("{program}_tls_connection_reuse")) == "yes")
            && self.uses_tls(TLSPROXY_CLIENT)
    }

    /// The files that the Cyrus SASL library looks for, in the directories of `cyrus_sasl_config_path`.
    fn sasl_settings(&self, found: &mut Vec<OpenedFile>) {
        const PATH: &str = "cyrus_sasl_config_path";
        let directories = self.text(PATH);
        let is_used =
            self.text("smtpd_sasl_auth_enable") == "yes" && self.text("smtpd_sasl_type") == "cyrus";
        if !is_used {
            return;
        }
        let name = self.text("smtpd_sasl_path");
        let directories = directories.split(':').filter(|path| !path.is_empty());
        let paths: Vec<String> = directories
            .map(|directory| self.whole(&format!("{directory}/{name}.conf")))
            .collect();
        for path in &paths {
            let purpose = FilePurpose::SaslSettings(paths.clone());
            found.push(self.file("smtpd", PATH, path.clone(), purpose));
        }
    }

    fn text(&self, name: &str) -> String {
        self.expanded(name).text.unwrap_or_default()
    }

    fn file(
        &self,
        program: &str,
        parameter: &str,
        path: String,
        purpose: FilePurpose,
    ) -> OpenedFile {
        OpenedFile {
            path,
            parameter: parameter.to_owned(),
            program: program.to_owned(),
            purpose,
            of_postfix: false,
            is_set: self.is_set(parameter),
        }
    }

    /// Whether a server offers TLS. An empty level leaves the decision to the older parameters.
    fn serves_tls(&self, prefix: &str) -> bool {
        self.uses_tls(prefix) || self.text("smtpd_tls_wrappermode") == "yes"
    }

    fn uses_tls(&self, prefix: &str) -> bool {
        match self.text(&format!("{prefix}security_level")).as_str() {
            "" => {
                let start = prefix.strip_suffix("tls_").unwrap_or(prefix);
                let older = ["use_tls", "enforce_tls"];
                older
                    .iter()
                    .any(|name| self.text(&format!("{start}{name}")) == "yes")
            }
            level => level != "none",
        }
    }

    fn tls_files(&self, program: &str, prefix: &str, found: &mut Vec<OpenedFile>) {
        let chain = format!("{prefix}chain_files");
        let is_chain = !self.text(&chain).is_empty();
        for end in TLS {
            let name = format!("{prefix}{end}");
            if is_chain && end.ends_with("_file") {
                continue;
            }
            for path in split_list(&self.text(&name)) {
                found.push(self.file(program, &name, self.whole(&path), FilePurpose::Tls));
            }
        }
    }

    fn named(&self, program: &str, name: &str, found: &mut Vec<OpenedFile>) {
        let path = self.text(name);
        // `auto` is the group that OpenSSL chooses, and no file.
        if !path.is_empty() && path != "auto" {
            found.push(self.file(program, name, self.whole(&path), FilePurpose::Other));
        }
    }

    /// The socket of Dovecot's authentication server: smtpd(8) connects to it from the queue directory, and from within its
    /// chroot jail.
    fn auth_socket(&self, service: &RunningService, found: &mut Vec<OpenedFile>) {
        const PATH: &str = "smtpd_sasl_path";
        let path = self.text(PATH);
        let is_used = self.text("smtpd_sasl_auth_enable") == "yes"
            && self.text("smtpd_sasl_type") == "dovecot";
        if !is_used || path.is_empty() || path.starts_with("inet:") {
            return;
        }
        let path = path.strip_prefix("unix:").unwrap_or(&path);
        let queue = self.text("queue_directory");
        let path = match path.starts_with('/') {
            true if service.chroot => format!("{queue}{path}"),
            true => path.to_owned(),
            false => format!("{queue}/{path}"),
        };
        found.push(self.file(&service.program, PATH, path, FilePurpose::AuthSocket));
    }
}

/// The file that Postfix opens for a table: its index, if it has one, or its source. None if it has no file, or not one
/// with an absolute path.
#[must_use]
pub fn file_of(table: &Table) -> Option<String> {
    let name = table.name.as_str();
    if !name.starts_with('/') {
        return None;
    }
    let suffix = match table.kind.as_str() {
        "hash" | "btree" => ".db",
        "lmdb" => ".lmdb",
        "cdb" => ".cdb",
        "dbm" | "sdbm" => ".pag",
        kind if table_files::has_lines(kind) => "",
        "regexp" | "pcre" | "ldap" | "mysql" | "pgsql" | "sqlite" | "mongodb" => "",
        _ => return None,
    };
    Some(format!("{name}{suffix}"))
}
