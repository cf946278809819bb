//! The hashes in a ledger, keyed by the host's key: whoever reads the ledger alone cannot try texts.
//!
//! The rooms after this one compare hashes, so a ledger that was read has plain ones again wherever the client knows them
//! ([`Ledger::resolve_hashes`]). A hash that stays keyed is of bytes that the host no longer has and the manifest does not
//! want: it equals no hash, which is right.

use std::collections::BTreeMap;

use super::{Ledger, Managed, Origin, PinningKey, Previous};
use crate::secret::mask::mask_value;
use crate::thing::Thing;

/// What a keyed hash begins with.
const KEYED: &str = "hmac-sha256-";

impl PinningKey {
    /// The keyed form of a hash, as ledgers and the names in `adopted/` have it. One that is keyed stays as it is.
    #[must_use]
    pub fn keyed(&self, hash: &str) -> String {
        match pin_of(hash) {
            Some(_) => hash.to_owned(),
            None => format!("{KEYED}{}", self.pin(hash)),
        }
    }
}

/// The pin in a keyed hash; none in a plain one.
#[must_use]
pub fn pin_of(hash: &str) -> Option<&str> {
    hash.strip_prefix(KEYED)
}

impl Ledger {
    /// The hashes of files' bytes: as last applied, as adopted, and as indexed.
    fn hashes_mut(&mut self) -> impl Iterator<Item = &mut String> {
        self.services.values_mut().flat_map(|service| {
            let managed = service.managed.iter_mut();
            let of_files = managed.filter(|(thing, _)| matches!(thing, Thing::File(_)));
            let of_each = of_files.flat_map(|(_, managed)| {
                let Managed { origin, value, .. } = managed;
                let before = match origin {
                    Origin::Adopted(Previous::File { sha256, .. }) => Some(sha256),
                    Origin::Adopted(Previous::Value(_)) | Origin::Created => None,
                };
                value.iter_mut().chain(before)
            });
            of_each.chain(service.indexes.values_mut())
        })
    }

    /// Puts another text in the place of every hash of a file's bytes.
    pub fn change_hashes(&mut self, mut change: impl FnMut(&str) -> String) {
        for hash in self.hashes_mut() {
            *hash = change(hash);
        }
    }

    /// Masks the values that may hold a secret by their names.
    pub fn mask_values(&mut self) {
        let services = self.services.values_mut();
        for (thing, managed) in services.flat_map(|service| &mut service.managed) {
            let (Thing::Parameter(name) | Thing::Option(_, name)) = thing else {
                continue;
            };
            let before = match &mut managed.origin {
                Origin::Adopted(Previous::Value(value)) => Some(value),
                Origin::Adopted(Previous::File { .. }) | Origin::Created => None,
            };
            for value in managed.value.iter_mut().chain(before) {
                *value = mask_value(name.as_str(), value);
            }
        }
    }

    /// Makes every hash of a file's bytes a keyed one.
    pub fn key_hashes(&mut self, key: &PinningKey) {
        for hash in self.hashes_mut() {
            *hash = key.keyed(hash);
        }
    }

    /// Makes each keyed hash a plain one that is the hash of bytes among `known`.
    pub fn resolve_hashes<'a>(&mut self, known: impl IntoIterator<Item = &'a str>) {
        let Some(key) = self.host_key.clone() else {
            return;
        };
        if !self.hashes_mut().any(|hash| pin_of(hash).is_some()) {
            return;
        }
        let known: BTreeMap<String, &str> = known
            .into_iter()
            .map(|plain| (key.keyed(plain), plain))
            .collect();
        for hash in self.hashes_mut() {
            if let Some(plain) = known.get(hash) {
                (*plain).clone_into(hash);
            }
        }
    }

    /// The hashes of files as they were before the first apply, whose bytes may be in `adopted/`.
    pub fn adopted_hashes(&self) -> impl Iterator<Item = &str> {
        let managed = self.services.values().flat_map(|one| one.managed.values());
        managed.filter_map(|managed| match &managed.origin {
            Origin::Adopted(Previous::File { sha256, .. }) => Some(sha256.as_str()),
            Origin::Adopted(Previous::Value(_)) | Origin::Created => None,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const PLAIN: &str = r#"{"version":2,"host_key":"k","murder":"m","generation":1,"services":{"postfix":{"managed":{
        "/etc/postfix/x":{"origin":{"adopted":{"file":{"sha256":"11","owner":"root","group":"root","mode":"0644"}}},"value":"22"},
        "main.cf:relayhost":{"origin":"created","value":"22"}},"indexes":{"/etc/postfix/x":"22"}}}}"#;

    #[test]
    fn hashes_of_files_are_keyed_and_known_ones_are_plain_again() {
        let plain = Ledger::from_bytes(PLAIN.as_bytes()).unwrap();
        let key = plain.host_key.clone().unwrap();
        let mut ledger = plain.clone();
        ledger.key_hashes(&key);
        let text = String::from_utf8(ledger.to_bytes()).unwrap();
        assert!(!text.contains("\"11\""), "{text}");
        // The value of the parameter is no hash.
        assert_eq!(text.matches("\"22\"").count(), 1, "{text}");
        let once = ledger.clone();
        ledger.key_hashes(&key);
        assert_eq!(ledger, once, "a keyed hash stays as it is");
        ledger.resolve_hashes(["22", "33"]);
        assert_eq!(ledger.adopted_hashes().next(), Some(&*key.keyed("11")));
        let text = String::from_utf8(ledger.to_bytes()).unwrap();
        assert_eq!(text.matches("\"22\"").count(), 3, "{text}");
        ledger.resolve_hashes(["11"]);
        assert_eq!(ledger, plain);
    }
}
