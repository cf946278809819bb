//! Files of a host's own: as texts beside the manifest or in it, and their secrets in files of their own.

use std::collections::BTreeMap;

use super::seen::SeenHost;
use super::yaml::{Yaml, YamlEntry};
use crate::name::Mode;
use crate::postfix::catalogue::tables::Table;
use crate::secret::Secret;
use crate::secret::mask::{mask_file, mask_secrets};
use crate::state::LiveState;

/// Lines of a text that is written into the manifest itself.
const SHORT: usize = 4;
/// Bytes of a text that is taken into the manifest's folder.
const MOST_BYTES: usize = 256 << 10;

/// How a host uses a file.
#[derive(Debug, Clone, Copy)]
pub struct FileUse<'a> {
    /// The table as which Postfix opens it.
    pub table: Option<&'a Table>,
    /// The parameters that name it.
    pub parameters: &'a [String],
    /// Whether it has an index.
    pub is_indexed: bool,
}

impl FileUse<'_> {
    fn is_ldap(&self) -> bool {
        self.table.is_some_and(|table| table.kind == "ldap")
    }

    /// Whether its values are logins.
    fn holds_logins(&self) -> bool {
        self.parameters
            .iter()
            .any(|name| name.ends_with("password_maps"))
    }
}

/// The files beside the manifest.
#[derive(Debug, Default)]
pub struct OwnFiles {
    /// Templates, by their path beside the manifest.
    pub templates: BTreeMap<String, String>,
    /// Secrets, by their path beside the manifest.
    pub secrets: BTreeMap<String, Secret>,
}

impl OwnFiles {
    /// The file that holds a secret; `like` is the name for a new one.
    pub fn secret(&mut self, text: &str, like: &str) -> String {
        let known = self
            .secrets
            .iter()
            .find(|(_, known)| known.expose() == text);
        if let Some((path, _)) = known {
            return path.clone();
        }
        let path = free(&self.secrets, "secrets/", like, ".pw");
        self.secrets
            .insert(path.clone(), Secret::new(text.to_owned()));
        path
    }

    fn template(&mut self, text: &str, like: &str) -> String {
        let known = self.templates.iter().find(|(_, known)| *known == text);
        if let Some((path, _)) = known {
            return path.clone();
        }
        let path = free(&self.templates, "files/", like, "");
        self.templates.insert(path.clone(), text.to_owned());
        path
    }

    /// What a manifest says of a file that the host has. `password` is the host's LDAP password.
    ///
    /// # Errors
    /// Why a manifest cannot say it, as a clause.
    pub fn take(
        &mut self,
        host: &SeenHost,
        path: &str,
        use_: &FileUse<'_>,
        password: Option<&str>,
    ) -> Result<Yaml, &'static str> {
        let state = host.file(path).ok_or("it is not a file that was read")?;
        let text = state.text.as_deref().ok_or("its text was not read")?;
        judge(path, text)?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let mut entries = Vec::new();
        let pieces = secrets_in(path, text, use_, state)?;
        let only_password = pieces.iter().all(|piece| Some(piece.as_str()) == password);
        let has_name = text.contains(host.name.as_str());
        let long = text.lines().count() > SHORT;
        if pieces.is_empty() || only_password {
            if pieces.is_empty() && !has_name && !long && !text.contains("{{") {
                entries.push(YamlEntry::new("content", Yaml::text(whole(text))));
            } else {
                let template = as_template(
                    text,
                    host.name.as_str(),
                    password.filter(|_| !pieces.is_empty()),
                )?;
                let file = self.template(&template, name);
                entries.push(YamlEntry::new("template", Yaml::text(file)));
            }
        } else {
            let (content, named) = self.with_secrets(text, &pieces, name)?;
            entries.push(YamlEntry::new("content", Yaml::text(content)));
            entries.push(YamlEntry::new("secrets", named));
        }
        entries.extend(access(state, !pieces.is_empty()));
        if use_.is_indexed {
            entries.push(YamlEntry::new("table", Yaml::Plain("true".to_owned())));
        }
        Ok(Yaml::Map(entries))
    }

    /// A text with place-holders for its secrets, and where each is.
    fn with_secrets(
        &mut self,
        text: &str,
        pieces: &[String],
        name: &str,
    ) -> Result<(String, Yaml), &'static str> {
        let mut content = whole(text);
        // What is left without the secrets must have no braces of its own.
        let without = pieces.iter().fold(content.clone(), |text, piece| {
            text.replace(piece.as_str(), "")
        });
        if without.contains("{{") {
            return Err("it has a secret beside `{{`");
        }
        let mut named = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            let key = match pieces.len() {
                1 => "pw".to_owned(),
                _ => format!("pw{}", number + 1),
            };
            let file = self.secret(piece, name.trim_end_matches(".cf"));
            content = content.replace(piece.as_str(), &format!("{{{{ secret.{key} }}}}"));
            named.push((key, Yaml::map([("file", Yaml::text(file))])));
        }
        Ok((content, Yaml::map(named)))
    }
}

fn judge(path: &str, text: &str) -> Result<(), &'static str> {
    if !path.starts_with("/etc/postfix/") {
        return Err("it is outside of /etc/postfix");
    }
    if text.len() > MOST_BYTES {
        return Err("it is larger than 256 KiB");
    }
    if text.trim().is_empty() {
        return Err("it is empty");
    }
    let strange = |c: char| {
        c == '\u{fffd}'
            || (c.is_control() && c != '\n' && c != '\t')
            || crate::import::yaml::is_unprintable(c)
    };
    if text.chars().any(strange) {
        return Err("it has characters that a manifest cannot hold");
    }
    Ok(())
}

/// A text with the end of its last line.
fn whole(text: &str) -> String {
    match text.ends_with('\n') {
        true => text.to_owned(),
        false => format!("{text}\n"),
    }
}

/// The template of a text: the host's own name and its LDAP password are place-holders.
fn as_template(text: &str, name: &str, password: Option<&str>) -> Result<String, &'static str> {
    let text = whole(text);
    let braces = ["{{", "{%", "{#"].iter().any(|word| text.contains(word));
    if braces {
        if password.is_some() || text.contains("endraw") {
            return Err("it has braces that a template cannot hold");
        }
        return Ok(format!("{{% raw %}}{text}{{% endraw %}}"));
    }
    let text = text.replace(name, "{{ host.name }}");
    Ok(match password {
        Some(password) => text.replace(password, "{{ host.ldap.bind_pw }}"),
        None => text,
    })
}

/// The secrets in a text: the values that a plan would mask, and the logins in a table of logins. A file that others cannot
/// read and in which none is found is one secret as a whole.
///
/// # Errors
/// Why a manifest cannot hold the file: its secrets are not known apart, or one is more than a line.
fn secrets_in(
    path: &str,
    text: &str,
    use_: &FileUse<'_>,
    state: &LiveState,
) -> Result<Vec<String>, &'static str> {
    let whole = || match text.trim_end_matches('\n') {
        line if line.contains('\n') || line.trim() != line => {
            Err("others cannot read it, and it is not known what in it is secret")
        }
        line => Ok(vec![line.to_owned()]),
    };
    let by_database = use_.table.is_some_and(|table| {
        ["ldap", "mysql", "pgsql", "sqlite", "memcache"].contains(&table.kind.as_str())
    });
    let masked = match by_database {
        true => mask_secrets(text),
        false if use_.holds_logins() => mask_file("/etc/postfix/passwd", text),
        false => mask_file(path, text),
    };
    if masked.lines().count() != text.lines().count() {
        return whole();
    }
    let mut found: Vec<String> = Vec::new();
    for (plain, shown) in text.lines().zip(masked.lines()) {
        if plain == shown {
            continue;
        }
        let Some((before, after)) = shown.split_once("***") else {
            return whole();
        };
        let inner = plain
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after));
        let Some(value) = inner.map(str::trim) else {
            return whole();
        };
        let value = if by_database {
            value
        } else {
            password_of(value)
        };
        if !value.is_empty() && !found.iter().any(|known| known == value) {
            found.push(value.to_owned());
        }
    }
    let for_few = state.mode.bits() & 0o004 == 0;
    if found.is_empty() && for_few && !use_.is_ldap() {
        return whole();
    }
    // The longest first: one may be a part of another.
    found.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    tellable(found, text)
}

/// The secrets, if each can be told from other text: a short one would be found in other words, too.
fn tellable(found: Vec<String>, text: &str) -> Result<Vec<String>, &'static str> {
    if found
        .iter()
        .any(|piece| piece.len() < 4 && text.matches(piece.as_str()).count() > 1)
    {
        return Err("a secret in it is too short to be told from other text");
    }
    Ok(found)
}

/// The password of `user:password`, as the tables of logins have it.
fn password_of(value: &str) -> &str {
    match value.split_once(':') {
        Some((_, password)) if !password.is_empty() => password,
        _ => value,
    }
}

/// The owner, group and mode, where they are not what the manifest has by itself.
fn access(state: &LiveState, secret: bool) -> Vec<YamlEntry> {
    let (group, mode) = match secret {
        true => ("postfix", 0o640),
        false => ("root", 0o644),
    };
    // A manifest holds no file with a secret that every user can read. The host's file stays as it is: Postfix reads the same.
    if secret && state.mode.bits() & 0o007 != 0 {
        return Vec::new();
    }
    let mut entries = Vec::new();
    if state.owner != "root" {
        entries.push(YamlEntry::new("owner", Yaml::text(state.owner.as_str())));
    }
    if state.group != group {
        entries.push(YamlEntry::new("group", Yaml::text(state.group.as_str())));
    }
    if state.mode != Mode::from_bits(mode) {
        entries.push(YamlEntry::new("mode", Yaml::text(state.mode.to_string())));
    }
    entries
}

/// Whether tables of a type have an index beside their source.
#[must_use]
pub fn is_indexed(kind: &str) -> bool {
    crate::name::TableType::new(kind).is_ok_and(|kind| kind.index_suffix().is_some())
}

fn free<T>(known: &BTreeMap<String, T>, folder: &str, like: &str, end: &str) -> String {
    let safe: String = like
        .chars()
        .map(|c| match c.is_ascii_alphanumeric() || "._-".contains(c) {
            true => c,
            false => '_',
        })
        .collect();
    let safe = safe.trim_start_matches('.');
    let first = format!("{folder}{safe}{end}");
    let numbered = (2..).map(|number| match safe.rsplit_once('.') {
        Some((stem, suffix)) if end.is_empty() => format!("{folder}{stem}-{number}.{suffix}"),
        _ => format!("{folder}{safe}-{number}{end}"),
    });
    std::iter::once(first)
        .chain(numbered)
        .find(|path| !known.contains_key(path))
        .unwrap_or_default()
}
