//! Pins: by what a saved plan knows again a value that it must not show.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ledger::{PinningKey, pin_of};
use crate::name::RemotePath;
use crate::secret::mask;
use crate::state::{Live, LiveFile};
use crate::thing::Thing;

/// By what a value is known again that may hold a secret. It does not help to guess the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// HMAC-SHA-256 by the key that the host's ledger keeps.
    Keyed(String),
    /// The file itself, on a host without a key: it was not touched since.
    Untouched(Identity),
}

/// By what a host knows whether a file was touched (stat(2)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Inode number.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// Time of the last change of its bytes, in seconds since the epoch.
    pub mtime: i64,
    /// Time of the last change of its inode, in seconds since the epoch.
    pub ctime: i64,
}

/// A value that is not the text of a file, masked as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedValue {
    /// Its text, masked if its name says that it is a secret.
    pub text: String,
    /// The pin of a masked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<Pin>,
}

/// What pins the values of one host.
#[derive(Debug, Clone, Default)]
pub struct Pins {
    key: Option<PinningKey>,
    identities: BTreeMap<RemotePath, Identity>,
}

impl Pins {
    /// The pins of a host as an observation found it.
    #[must_use]
    pub fn of(live: &Live) -> Self {
        let identity = |(path, file): (&RemotePath, &LiveFile)| match file {
            LiveFile::Present(state) => Some((
                path.clone(),
                Identity {
                    inode: state.inode,
                    size: state.size,
                    mtime: state.mtime,
                    ctime: state.ctime,
                },
            )),
            LiveFile::Absent | LiveFile::Other(_) => None,
        };
        Self {
            key: live.host_key().cloned(),
            identities: live.files.iter().filter_map(identity).collect(),
        }
    }

    /// Whether the host has a key.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        self.key.is_some()
    }

    /// The pin of a file's bytes, by their hash. Without a key there is none.
    #[must_use]
    pub fn bytes(&self, sha256: &str) -> Option<Pin> {
        self.key.as_ref().map(|key| {
            // A ledger may have the keyed hash alone.
            let pin = pin_of(sha256).map_or_else(|| key.pin(sha256), str::to_owned);
            Pin::Keyed(pin)
        })
    }

    /// The pin of a file as it is on the host. Without a key, `hidden` bytes are pinned by the file's identity.
    #[must_use]
    pub fn file(&self, path: &RemotePath, sha256: &str, hidden: bool) -> Option<Pin> {
        let identity = || self.identities.get(path).filter(|_| hidden).cloned();
        self.bytes(sha256)
            .or_else(|| identity().map(Pin::Untouched))
    }

    /// A value as a plan shows it.
    #[must_use]
    pub fn value(&self, thing: &Thing, value: &str) -> SavedValue {
        let name = match thing {
            Thing::Parameter(name) | Thing::Option(_, name) => name.as_str(),
            Thing::File(_) | Thing::Service(_) | Thing::Field(..) => "",
        };
        let text = mask::mask_value(name, value);
        let pin = (text != value).then(|| self.bytes(value)).flatten();
        SavedValue { text, pin }
    }
}
