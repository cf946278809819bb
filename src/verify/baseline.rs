//! Findings that were accepted: a file of keyed hashes, from which a reader without the key does not learn an address or an entry.

use std::collections::BTreeSet;

use hmac::{Hmac, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::finding::Finding;
use crate::digest::hex;

/// A key, and the accepted findings.
#[derive(Debug, Clone)]
pub struct Baseline {
    key: Vec<u8>,
    accepted: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BaselineFile {
    format_version: String,
    /// A hash of a constant, by which a wrong key is noticed.
    key_check: String,
    accepted: BTreeSet<String>,
}

const FORMAT: &str = "1.0";

impl Baseline {
    /// A baseline without findings, for a key.
    #[must_use]
    pub fn new(key: Vec<u8>) -> Self {
        Self {
            key,
            accepted: BTreeSet::new(),
        }
    }

    /// Reads the text of a baseline file.
    ///
    /// # Errors
    /// If it has another form, or was made with another key.
    pub fn read(text: &str, key: Vec<u8>) -> Result<Self, String> {
        let file: BaselineFile = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if file.format_version != FORMAT {
            return Err(format!(
                "its format is `{}`, and this version knows `{FORMAT}`",
                file.format_version
            ));
        }
        let baseline = Self {
            key,
            accepted: file.accepted,
        };
        if baseline.hash(&[]) != file.key_check {
            return Err("it was made with another key".to_owned());
        }
        Ok(baseline)
    }

    /// The text of the file.
    ///
    /// # Errors
    /// If it cannot be serialised.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let file = BaselineFile {
            format_version: FORMAT.to_owned(),
            key_check: self.hash(&[]),
            accepted: self.accepted.clone(),
        };
        Ok(format!("{}\n", serde_json::to_string_pretty(&file)?))
    }

    /// Accepts a finding: its code for each of its entries, else for each address, else for each host.
    pub fn accept(&mut self, finding: &Finding) {
        let hashes: Vec<String> = self.hashes(finding).collect();
        self.accepted.extend(hashes);
    }

    /// Accepts of a finding what another baseline with the same key accepts of it.
    pub fn keep(&mut self, finding: &Finding, other: &Self) {
        let hashes = self.hashes(finding);
        let kept: Vec<String> = hashes
            .filter(|hash| other.accepted.contains(hash))
            .collect();
        self.accepted.extend(kept);
    }

    /// Whether all of a finding is accepted.
    #[must_use]
    pub fn has(&self, finding: &Finding) -> bool {
        let hashes: Vec<String> = self.hashes(finding).collect();
        !hashes.is_empty() && hashes.iter().all(|hash| self.accepted.contains(hash))
    }

    fn hashes<'a>(&'a self, finding: &'a Finding) -> impl Iterator<Item = String> + 'a {
        let lists = [&finding.entries, &finding.addresses, &finding.hosts];
        let named = lists.into_iter().find(|list| !list.is_empty());
        let named = named.into_iter().flatten();
        named.map(|name| self.hash(&[finding.code.word(), &name.to_lowercase()]))
    }

    fn hash(&self, parts: &[&str]) -> String {
        // A key of any length is fine for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return String::new();
        };
        for part in parts {
            mac.update(part.as_bytes());
            mac.update(&[0]);
        }
        hex(&mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::code::FindingCode;
    use super::*;

    #[test]
    fn what_was_accepted_is_known_again() {
        let finding = |code, dn: &str| Finding::new(code, "text", "help").in_entry(dn);
        let old = finding(FindingCode::NoMailhost, "uid=a,dc=x");
        let mut baseline = Baseline::new(b"key".to_vec());
        baseline.accept(&old);
        let text = baseline.text().unwrap_or_default();
        assert!(!text.contains("uid=a"), "{text}");
        let read = Baseline::read(&text, b"key".to_vec());
        let read = read.unwrap_or_else(|_| Baseline::new(Vec::new()));
        assert!(read.has(&finding(FindingCode::NoMailhost, "UID=a,dc=x")));
        assert!(!read.has(&finding(FindingCode::NoMailhost, "uid=b,dc=x")));
        assert!(!read.has(&finding(FindingCode::Loop, "uid=a,dc=x")));
        assert!(!read.has(&old.in_entry("uid=b,dc=x")));
        assert!(Baseline::read(&text, b"other".to_vec()).is_err());
        assert!(Baseline::read("{}", Vec::new()).is_err());
    }
}
