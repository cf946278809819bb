//! Adds entries to a directory.

use super::indexes::ServerIndexes;
use super::matching::MatchingRule;
use super::store::{AttributeId, Directory, StoredValue};

/// The directory is too large: more than 4 GiB of text, or more than 65,535 attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory has more than 4 GiB of text")]
pub struct TooLarge;

/// Attributes whose values nothing here uses: they are secrets or large.
const LEFT_OUT: [&str; 6] = [
    "userpassword",
    "jpegphoto",
    "usercertificate;binary",
    "usercertificate",
    "sambantpassword",
    "usersmimecertificate;binary",
];

/// Whether the values of an attribute, named in lower case, are not kept.
pub(super) fn is_left_out(attribute: &str) -> bool {
    LEFT_OUT.contains(&attribute)
}

impl Directory {
    /// Adds an entry with its attributes and values. Passwords, pictures and certificates are left out.
    ///
    /// # Errors
    /// If the directory becomes too large.
    pub fn add_entry<'v>(
        &mut self,
        dn: &str,
        values: impl IntoIterator<Item = (&'v str, &'v str)>,
    ) -> Result<(), TooLarge> {
        self.begin(dn)?;
        for (attribute, value) in values {
            if !is_left_out(&attribute.to_ascii_lowercase()) {
                self.add(attribute, value)?;
            }
        }
        Ok(())
    }

    /// What the server that the directory comes from says of its indexes; none if it does not say it, or for an export.
    #[must_use]
    pub fn server_indexes(&self) -> Option<&ServerIndexes> {
        self.server.as_ref()
    }

    /// Records what the server says of its indexes.
    pub fn set_server_indexes(&mut self, indexes: ServerIndexes) {
        self.server = Some(indexes);
    }

    /// Begins an entry; the values that follow are its own.
    pub(super) fn begin(&mut self, dn: &str) -> Result<(), TooLarge> {
        if self.entries.is_empty() {
            self.entries.push(0);
        }
        let place = self.keep(dn)?;
        self.dns.push(place);
        let end = self.entries.last().copied().unwrap_or_default();
        self.entries.push(end);
        Ok(())
    }

    /// Adds a value to the last entry.
    pub(super) fn add(&mut self, attribute: &str, value: &str) -> Result<(), TooLarge> {
        let attribute = self.intern(attribute)?;
        let (start, length) = self.keep(value)?;
        self.values.push(StoredValue {
            attribute,
            start,
            length,
        });
        let end = u32::try_from(self.values.len()).map_err(|_| TooLarge)?;
        if let Some(last) = self.entries.last_mut() {
            *last = end;
        }
        Ok(())
    }

    /// Adds the entries of another directory, which follow these.
    pub(super) fn append(&mut self, other: Self) -> Result<(), TooLarge> {
        if other.is_empty() {
            return Ok(());
        }
        if self.entries.is_empty() {
            self.entries.push(0);
        }
        let start = u32::try_from(self.text.len()).map_err(|_| TooLarge)?;
        let first = u32::try_from(self.values.len()).map_err(|_| TooLarge)?;
        let text = self.text.len().checked_add(other.text.len());
        u32::try_from(text.unwrap_or(usize::MAX)).map_err(|_| TooLarge)?;
        let values = self.values.len() + other.values.len();
        u32::try_from(values).map_err(|_| TooLarge)?;
        let names = other.names.iter().map(|name| self.intern(name));
        let names = names.collect::<Result<Vec<AttributeId>, TooLarge>>()?;
        self.text.push_str(&other.text);
        self.values.extend(other.values.iter().filter_map(|value| {
            Some(StoredValue {
                attribute: *names.get(usize::from(value.attribute.0))?,
                start: value.start + start,
                length: value.length,
            })
        }));
        let dns = other.dns.iter();
        self.dns
            .extend(dns.map(|(at, length)| (at + start, *length)));
        let ends = other.entries.iter().skip(1);
        self.entries.extend(ends.map(|end| end + first));
        Ok(())
    }

    fn intern(&mut self, name: &str) -> Result<AttributeId, TooLarge> {
        if let Some(known) = self.attribute(name) {
            return Ok(known);
        }
        let id = AttributeId(u16::try_from(self.names.len()).map_err(|_| TooLarge)?);
        let name: Box<str> = name.to_ascii_lowercase().into();
        self.rules.push(MatchingRule::of(&name));
        self.names.push(name.clone());
        self.by_name.insert(name, id);
        Ok(id)
    }

    fn keep(&mut self, text: &str) -> Result<(u32, u32), TooLarge> {
        let start = u32::try_from(self.text.len()).map_err(|_| TooLarge)?;
        let length = u32::try_from(text.len()).map_err(|_| TooLarge)?;
        self.text.push_str(text);
        Ok((start, length))
    }
}
