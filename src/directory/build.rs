//! Adds entries to a directory.

use super::store::{AttributeId, Directory, StoredValue};

/// The directory is too large: more than 4 GiB of text, or more than 65,535 attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge;

impl Directory {
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

    fn intern(&mut self, name: &str) -> Result<AttributeId, TooLarge> {
        if let Some(known) = self.attribute(name) {
            return Ok(known);
        }
        let id = AttributeId(u16::try_from(self.names.len()).map_err(|_| TooLarge)?);
        let name: Box<str> = name.to_ascii_lowercase().into();
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
