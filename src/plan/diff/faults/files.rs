//! Files that parameters name and that the program which opens them cannot open.

use crate::name::RemotePath;
use crate::plan::diff::draft::Draft;
use crate::postfix::catalogue::table_files;
use crate::postfix::catalogue::tables::Table;
use crate::postfix::configuration::{FilePurpose, OpenedFile};

use super::{Fault, Faults, Side};

impl Draft<'_> {
    /// The files of one configuration that cannot be opened, as far as the host was asked about them.
    pub(super) fn unopened_files(&self, side: &Side<'_>) -> Faults {
        let references = &self.input.live.references;
        let mut faults = Faults::new();
        // Most hosts have no fault.
        if references.faults.is_empty() {
            return faults;
        }
        for file in side.configuration.opened_files() {
            let Some(path) = self.unmanaged_path(&file) else {
                continue;
            };
            let Some((at, problem)) = references.fault(&path, file.of_postfix) else {
                continue;
            };
            if let FilePurpose::SaslSettings(paths) = &file.purpose
                && !self.is_none_there(paths, &file.path)
            {
                continue;
            }
            let fault = fault(&file, at, problem);
            let known = faults
                .entry(format!("file {path}"))
                .or_insert_with(|| fault.clone());
            known.about.extend(fault.about);
            known.is_default &= fault.is_default;
        }
        faults
    }

    /// Whether none of the files of which one is enough can be opened. True for the first of them alone, so that it is
    /// said once.
    fn is_none_there(&self, paths: &[String], path: &str) -> bool {
        let references = &self.input.live.references;
        let is_missing = |path: &String| {
            let path = RemotePath::new(path.as_str()).ok();
            path.is_some_and(|path| references.fault(&path, false).is_some())
        };
        paths.first().is_some_and(|first| first == path) && paths.iter().all(is_missing)
    }
}

fn fault(file: &OpenedFile, at: &str, problem: &str) -> Fault {
    let OpenedFile {
        path,
        parameter,
        program,
        ..
    } = file;
    let is = if at == path {
        format!("`{path}` {problem}")
    } else {
        format!("`{path}` cannot be opened: `{at}` {problem}")
    };
    let (effect, hint) = match &file.purpose {
        FilePurpose::Tls
            if ["smtp", "lmtp"].contains(&program.as_str())
                || parameter.starts_with("tlsproxy_client_") =>
        {
            (
                format!("TLS fails in {program}(8), and mail to servers that need it waits"),
                put_there(path, parameter),
            )
        }
        FilePurpose::Tls => (
            format!("{program}(8) answers `454 4.7.0 TLS not available` to STARTTLS"),
            put_there(path, parameter),
        ),
        FilePurpose::AuthSocket => (
            format!("{program}(8) ends each session with a fatal error"),
            format!("start the authentication server, or correct `{parameter}`"),
        ),
        FilePurpose::Table(table) => (
            format!(
                "{program}(8) cannot look anything up in `{table}`, and mail is refused or waits"
            ),
            how_to_build(table, parameter).unwrap_or_else(|| put_there(path, parameter)),
        ),
        FilePurpose::Authorities => (
            format!(
                "{program}(8) verifies no certificate, and what must be verified is refused or waits"
            ),
            use_a_file(parameter),
        ),
        FilePurpose::SaslSettings(_) => (
            "the Cyrus SASL library uses its own settings, and logins fail".to_owned(),
            put_there(path, parameter),
        ),
        FilePurpose::Other => (
            format!("{program}(8) works without it"),
            put_there(path, parameter),
        ),
    };
    Fault {
        text: format!("`{parameter}` names a file that {program}(8) cannot open: {is}; {effect}"),
        hint,
        is_default: !file.is_set,
        stays: false,
        about: [parameter.clone()].into(),
    }
}

fn put_there(path: &str, parameter: &str) -> String {
    format!("put `{path}` there with the right permissions, or correct `{parameter}`")
}

/// What to do about a directory of authorities.
fn use_a_file(parameter: &str) -> String {
    format!(
        "put the directory there with the links of `openssl rehash`, or set `{}`, which is opened outside of the chroot jail",
        parameter.replace("CApath", "CAfile")
    )
}

fn how_to_build(table: &Table, parameter: &str) -> Option<String> {
    let program = match parameter {
        "alias_maps" | "alias_database" => "postalias",
        _ => "postmap",
    };
    let command = format!("run `{program} {}:{}` on the host", table.kind, table.name);
    table_files::has_index(&table.kind).then_some(command)
}
