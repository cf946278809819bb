//! The key of one host, by which values that may hold secrets are pinned.

use std::fmt;

use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::digest::hex;
use crate::secret::Secret;

/// The secret key of one host. The client makes it at the host's first apply, and the host's ledger keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct PinningKey(String);

impl PinningKey {
    /// Takes a key's text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Makes a key of random bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8; 32]) -> Self {
        Self(hex(bytes))
    }

    /// The key as a secret, which no word of a host may show.
    #[must_use]
    pub fn secret(&self) -> Secret {
        Secret::new(self.0.clone())
    }

    /// HMAC-SHA-256 of a text by this key, in lower-case hexadecimal. Whoever does not have the key cannot try texts.
    #[must_use]
    pub fn pin(&self, text: &str) -> String {
        // HMAC takes a key of any length (RFC 2104), so there is no error.
        Hmac::<Sha256>::new_from_slice(self.0.as_bytes())
            .map(|mut mac| {
                mac.update(text.as_bytes());
                hex(&mac.finalize().into_bytes())
            })
            .unwrap_or_default()
    }
}

impl fmt::Debug for PinningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
