//! The files and tables that a plan must know of and that nothing manages: those that parameters name, before and after it.

use std::collections::BTreeSet;

use crate::name::{RemotePath, ServiceName};
use crate::postfix::catalogue::{table_files, tables};
use crate::postfix::configuration::{AddressClass, Configuration, OpenedFile, View};
use crate::state::{References, Running, Want};

use super::draft::Draft;

impl Draft<'_> {
    /// Those of the configuration after the plan, which the host keeps; and those of both configurations.
    pub(super) fn references(&self) -> (References, References) {
        if self.input.desired.retired {
            return <_>::default();
        }
        let (live, planned) = (self.live_settings(), self.planned_settings());
        let (before, after) = (self.configuration(&live), self.configuration(&planned));
        let kept = self.of_configuration(after);
        let mut all = kept.clone();
        // Nearly always nothing changes.
        if !(self.entry_steps.is_empty() && self.settings.is_empty()) {
            all.extend(self.of_configuration(before));
            all.read.extend(lost_tables(before.main(), after.main()));
            all.read.extend(self.results_to_judge(before, after));
        }
        (kept, all)
    }

    /// The unmanaged tables whose results may name a transport that master.cf lacks after the plan: those that the
    /// plan brings into use, or all if it takes away a service, or if it is the first one for the host.
    fn results_to_judge(
        &self,
        before: Configuration<'_>,
        after: Configuration<'_>,
    ) -> BTreeSet<String> {
        let names = |side: Configuration<'_>| -> BTreeSet<ServiceName> {
            let services = side.services().unwrap_or_default().into_iter();
            services.map(|service| service.name.clone()).collect()
        };
        let mut tables = after.tables_naming_transports();
        if self.ownership.ledger().is_some() && names(before).is_subset(&names(after)) {
            let known = before.tables_naming_transports();
            tables.retain(|table| !known.contains(table));
        }
        tables.retain(|word| is_asked(word) && has_results(word) && !self.is_managed(word));
        tables
    }

    fn of_configuration(&self, configuration: Configuration<'_>) -> References {
        let mut references = References::default();
        self.tables_of_classes(configuration.main(), &mut references);
        // A sandbox has the files that a person put there, and no others.
        if self.live.running == Running::NotHere {
            return references;
        }
        for file in configuration.opened_files() {
            let Some(path) = self.unmanaged_path(&file) else {
                continue;
            };
            match file.of_postfix {
                true => references.of_postfix.insert(path),
                false => references.files.insert(path),
            };
        }
        references
    }

    /// The path of a file, if the host can be asked about it and no file of the manifest comes there.
    pub(super) fn unmanaged_path(&self, file: &OpenedFile) -> Option<RemotePath> {
        let path = RemotePath::new(&file.path).ok()?;
        let is_managed = self.desired.files.iter().any(|(managed, want)| {
            let named = file.path.strip_prefix(managed.as_str());
            let is_wanted = |want: &Want<_>| matches!(want, Want::Present(_));
            named.is_some_and(|rest| rest.is_empty() || is_index_suffix(rest)) && is_wanted(want)
        });
        (!is_managed).then_some(path)
    }

    /// The tables in the lists of the address classes, which are asked for the domains of all classes.
    fn tables_of_classes(&self, main: View<'_>, references: &mut References) {
        let lists: Vec<String> = AddressClass::ALL
            .into_iter()
            .flat_map(|class| words(main, class.parameter()))
            .filter(|word| is_asked(word))
            .collect();
        if lists.is_empty() {
            return;
        }
        let classes = main.classes();
        let keys: BTreeSet<String> = AddressClass::ALL
            .into_iter()
            .flat_map(|class| classes.named(class))
            .filter(|key| !key.contains([' ', '$']))
            .collect();
        for word in lists.into_iter().filter(|_| !keys.is_empty()) {
            if !self.is_managed(&word) {
                references
                    .asked
                    .entry(word)
                    .or_default()
                    .extend(keys.clone());
            }
        }
    }

    /// Whether the manifest has the text of a table.
    pub(super) fn is_managed(&self, word: &str) -> bool {
        let table = tables::read(word).into_iter().next();
        let name = table.map_or_else(|| word.to_owned(), |table| table.name);
        RemotePath::new(name).is_ok_and(|path| self.desired.files.contains_key(&path))
    }
}

fn is_index_suffix(text: &str) -> bool {
    [".db", ".lmdb", ".cdb", ".pag", ".dir"].contains(&text)
}

/// The words of a list, without negation; none if its value is not known.
fn words(main: View<'_>, name: &str) -> Vec<String> {
    let text = main.expanded(name).text.unwrap_or_default();
    let words = crate::postfix::split_list(&text).into_iter();
    words
        .map(|word| word.trim_start_matches('!').to_owned())
        .collect()
}

/// Whether a word is a file of members, or a table that a host can be asked about by its name.
fn is_asked(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._+@:%=-".contains(&byte);
    let is_table = || {
        tables::read(word)
            .iter()
            .any(|table| !["static", "inline"].contains(&table.kind.as_str()))
    };
    word.bytes().all(plain) && (word.starts_with('/') || is_table())
}

/// The tables and files with members of `mynetworks` and of the address classes that the plan takes out of these lists.
fn lost_tables(before: View<'_>, after: View<'_>) -> BTreeSet<String> {
    let classes = AddressClass::ALL.map(AddressClass::parameter);
    let lists = classes.into_iter().chain(["mynetworks"]);
    let lost = lists.flat_map(|name| {
        let stays = words(after, name);
        words(before, name)
            .into_iter()
            .filter(move |word| !stays.contains(word))
    });
    lost.filter(|word| is_asked(word) && has_text(word))
        .collect()
}

/// Whether a word is a table whose source has the results that it gives.
fn has_results(word: &str) -> bool {
    has_text(word)
        || ["regexp:/", "pcre:/"]
            .iter()
            .any(|kind| word.starts_with(kind))
}

/// Whether a word is a file of members, or a table whose source has a line for each entry.
fn has_text(word: &str) -> bool {
    let table = tables::read(word).into_iter().next();
    word.starts_with('/') || table.is_some_and(|table| table_files::has_lines(&table.kind))
}
