//! The parameters that postconf knows on one host, and their values.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::answer::Files;
use super::answer::readable;
use super::known::{Class, Known, known};
use super::options::Request;
use super::read::{Settings, local_settings, name_space, read_entries, read_main};
use crate::postfix::catalogue;
use crate::postfix::catalogue::definitions;
use crate::postfix::defaults;
use crate::postfix::expand;
use crate::postfix::master_cf::MasterEntry;
use crate::postfix::text::COMMA_BLANKS;
use crate::postfix::text::lossy;
use crate::postfix::text::split_name_value;
use crate::postfix::text::words;

/// The parameters of one host.
pub(super) struct Names {
    /// The values that main.cf sets, before expansion.
    pub(super) set: Settings,
    /// The values that each service sets with `-o`. Entries of the same name and type share them.
    local: BTreeMap<Vec<u8>, Settings>,
    pub(super) entries: Vec<MasterEntry>,
    known: Known,
    /// The functions that values may have.
    functions: expand::Functions,
    /// Names that an expansion used and whose default depends on the machine.
    unknowable: RefCell<BTreeSet<String>>,
}

impl Names {
    /// Reads both files. With `-d` main.cf is not read, and nothing is set.
    pub(super) fn read(
        request: &Request,
        files: &Files,
        master_needed: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Self, String> {
        let entries = match readable(files.master.as_ref(), "master.cf") {
            Ok(text) => read_entries(text, warnings)?,
            Err(why) if master_needed => return Err(why),
            Err(why) => {
                warnings.push(why);
                Vec::new()
            }
        };
        let defaults_only = request.has('d');
        let mut set = BTreeMap::new();
        if !defaults_only {
            if let Some(directory) = request.directory() {
                set.insert(b"config_directory".to_vec(), directory.to_vec());
            }
            read_main(
                readable(files.main.as_ref(), "main.cf")?,
                &mut set,
                warnings,
            )?;
            for argument in &request.overrides {
                let (name, value) = split_name_value(argument)
                    .map_err(|why| format!("invalid parameter override: {why}"))?;
                set.insert(name.to_vec(), value.to_vec());
            }
        }
        let mut names = Self {
            set,
            local: local_settings(&entries),
            known: known(&entries, request.release),
            functions: request.release.functions(),
            entries,
            unknowable: RefCell::default(),
        };
        if !defaults_only {
            names.add_user_names(warnings);
            names.warn_undefined(warnings);
            if request.release.is_from(3, 10) {
                names.warn_comments(warnings);
            }
            names.check_references()?;
        }
        Ok(names)
    }

    pub(super) fn class(&self, name: &[u8]) -> Option<Class> {
        self.known.get(name).map(|(class, _)| *class)
    }

    /// The values that entry number `at` sets with `-o`; none if no entry of its name and type up to this one sets any.
    pub(super) fn options(&self, at: usize) -> Option<&Settings> {
        let space = name_space(self.entries.get(at)?);
        self.entries
            .iter()
            .take(at + 1)
            .any(|entry| name_space(entry) == space && !entry.options().is_empty())
            .then(|| self.local.get(&space))
            .flatten()
    }

    /// All known names, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (&[u8], Class)> {
        self.known
            .iter()
            .map(|(name, (class, _))| (name.as_slice(), *class))
    }

    /// The default value; none if it depends on the machine.
    pub(super) fn default(&self, name: &[u8]) -> Option<&[u8]> {
        self.known.get(name)?.1.as_deref()
    }

    /// Expands `$name` in a value. The options of `service` come before main.cf.
    pub(super) fn expand(
        &self,
        value: &[u8],
        service: Option<&MasterEntry>,
    ) -> Result<Vec<u8>, String> {
        let expanded = self.expand_known(value, service)?;
        match self.unknowable.borrow().first() {
            Some(name) => Err(unknowable(name)),
            None => Ok(expanded),
        }
    }

    fn expand_known(&self, value: &[u8], service: Option<&MasterEntry>) -> Result<Vec<u8>, String> {
        let local = service.and_then(|entry| self.local.get(&name_space(entry)));
        expand::expand_with(value, self.functions, &mut |name| {
            if let Some(value) = local.and_then(|local| local.get(name)) {
                return Some(value.clone());
            }
            if let (b"service_name", Some(entry)) = (name, service) {
                return Some(entry.word(0).to_vec());
            }
            self.known.get(name)?;
            let value = self.set.get(name).map(Vec::as_slice);
            let value = value.or_else(|| self.default(name));
            if value.is_none() {
                self.unknowable.borrow_mut().insert(lossy(name));
            }
            value.map(<[u8]>::to_vec)
        })
        .map_err(|why| format!("macro processing error: {why}"))
    }

    /// The real postconf expands the values of all known parameters to find database tables in them. It stops at wrong
    /// syntax even if the request does not concern that parameter.
    fn check_references(&self) -> Result<(), String> {
        let set = self.set.iter();
        for (name, value) in set.chain(self.local.values().flatten()) {
            let own = self.class(name).is_some_and(|class| class != Class::User);
            if own && !Self::is_raw(name) {
                self.expand_known(value, None)?;
            }
        }
        self.unknowable.borrow_mut().clear();
        Ok(())
    }

    pub(super) fn is_raw(name: &[u8]) -> bool {
        std::str::from_utf8(name).is_ok_and(|name| !catalogue::is_expanded(name))
    }

    /// Adds the user's own parameters: names that main.cf sets and that another value refers to.
    fn add_user_names(&mut self, warnings: &mut Vec<String>) {
        let mut referenced: BTreeSet<Vec<u8>> = BTreeSet::new();
        for local in self.local.values() {
            let mut names = classes_in(local);
            for (name, value) in local {
                if !Self::is_raw(name) {
                    names.extend(references(value));
                }
            }
            // A name that the service itself sets is not a reference to main.cf.
            referenced.extend(names.into_iter().filter(|name| !local.contains_key(name)));
        }
        for (name, (_, default)) in &self.known {
            if let Some(default) = default
                && !self.set.contains_key(name)
                && !Self::is_raw(name)
            {
                referenced.extend(references(default));
            }
        }
        referenced.extend(classes_in(&self.set));
        for name in defaults::OF_THE_PROCESS {
            if self.set.remove(name.as_bytes()).is_some() {
                warnings.push(format!("main.cf: read-only parameter assignment: {name}"));
            }
        }
        for (name, value) in &self.set {
            if !Self::is_raw(name) {
                referenced.extend(references(value));
            }
        }
        for name in referenced {
            if self.set.contains_key(&name) {
                self.known
                    .entry(name)
                    .or_insert_with(|| (Class::User, Some(Vec::new())));
            }
        }
        for name in defaults::OBSOLETE {
            if self.set.contains_key(name.as_bytes()) {
                self.known
                    .insert(name.as_bytes().to_vec(), (Class::User, Some(Vec::new())));
            }
        }
        self.add_definitions();
        for name in self.set.keys() {
            if !self.known.contains_key(name) {
                warnings.push(format!("main.cf: unused parameter: {}", lossy(name)));
            }
        }
    }

    /// Adds the parameters of databases that main.cf defines itself, where the value of a known parameter names one.
    fn add_definitions(&mut self) {
        let values = self.set.iter().chain(self.local.values().flatten());
        let mut defined: BTreeSet<String> = BTreeSet::new();
        for (name, value) in values {
            if self.known.contains_key(name) && !Self::is_raw(name) {
                // Wrong syntax is reported where references are checked.
                let value = self.expand_known(value, None).unwrap_or_default();
                defined.extend(definitions::parameters(&lossy(&value)));
            }
        }
        self.unknowable.borrow_mut().clear();
        for name in defined {
            if self.set.contains_key(name.as_bytes()) {
                self.known
                    .entry(name.into_bytes())
                    .or_insert_with(|| (Class::User, Some(Vec::new())));
            }
        }
    }

    /// Warns of each `#` that begins a word of a value: it is part of the value.
    fn warn_comments(&self, warnings: &mut Vec<String>) {
        let known = self
            .set
            .iter()
            .filter(|(name, _)| self.known.contains_key(*name));
        for (_, value) in known {
            let text = lossy(value);
            let starts = text.char_indices().filter(|(at, letter)| {
                *letter == '#' && (*at == 0 || text[..*at].ends_with(char::is_whitespace))
            });
            if let Some((at, _)) = { starts }.next() {
                let (word, rest) = text[at..]
                    .split_once(char::is_whitespace)
                    .unwrap_or((&text[at..], ""));
                let rest: String = rest.chars().take(20).collect();
                warnings.push(format!(
                    "main.cf: #comment after other text is not allowed: {word} {rest}..."
                ));
            }
        }
    }

    /// Warns of each `$name` that is neither set nor built in: its value is empty.
    fn warn_undefined(&self, warnings: &mut Vec<String>) {
        let known = |name: &[u8]| self.known.contains_key(name) || self.set.contains_key(name);
        let set_anywhere =
            |name: &[u8]| known(name) || self.local.values().any(|local| local.contains_key(name));
        for local in self.local.values() {
            warn_undefined_in(
                local,
                &|name| known(name) || local.contains_key(name),
                "master.cf",
                warnings,
            );
        }
        warn_undefined_in(&self.set, &set_anywhere, "main.cf", warnings);
    }
}

fn warn_undefined_in(
    set: &Settings,
    defined: &dyn Fn(&[u8]) -> bool,
    file: &str,
    warnings: &mut Vec<String>,
) {
    let expanded = set.iter().filter(|(name, _)| !Names::is_raw(name));
    let mut referenced: BTreeSet<Vec<u8>> =
        expanded.flat_map(|(_, value)| references(value)).collect();
    referenced.extend(classes_in(set));
    for name in referenced.iter().filter(|name| !defined(name)) {
        warnings.push(format!("{file}: undefined parameter: {}", lossy(name)));
    }
}

pub(super) fn unknowable(name: &str) -> String {
    format!("the default of {name} depends on the machine; set it in main.cf or with -o")
}

fn references(value: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    expand::names(value).into_iter().map(String::into_bytes)
}

/// The names in `smtpd_restriction_classes`.
fn classes_in(set: &Settings) -> BTreeSet<Vec<u8>> {
    let Some(value) = set.get(&b"smtpd_restriction_classes"[..]) else {
        return BTreeSet::new();
    };
    let value = expand::expand(value, &mut |name| set.get(name).cloned()).unwrap_or_default();
    words(&value, COMMA_BLANKS).map(<[u8]>::to_vec).collect()
}
