//! The secrets that a host may have in its files: those that the manifest offers it.

use std::collections::BTreeSet;

use super::{ContentSpec, FileSpec, Host};
use crate::secret::{Body, SecretName};

impl Host {
    /// The secrets that the manifest offers this host in any layer of its files: those of `files:`, and the password of
    /// the LDAP directory that it queries, which templates see. Never one of a login (`ssh:`), its own or another
    /// host's. Whatever a host says of itself may name only these.
    #[must_use]
    pub fn offered_secrets(&self) -> BTreeSet<SecretName> {
        let mut offered: BTreeSet<SecretName> = BTreeSet::new();
        offered.extend(self.ldap.iter().filter_map(|ldap| ldap.bind_pw.clone()));
        for layer in self.files.values().flatten() {
            if let FileSpec::Present { content, .. } = &layer.value {
                let (ContentSpec::Literal(text) | ContentSpec::Template { text, .. }) = content;
                if Body::reserved(text) {
                    offered.extend(Body::from_rendered(text).secrets().cloned());
                }
            }
        }
        offered
    }
}
