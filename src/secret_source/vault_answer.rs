//! What Vault and OpenBao answer: JSON, whose values are wiped when they are dropped.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// A value of a secret.
pub(super) enum Value {
    /// A text, or a number or truth value as it is written.
    Text(Zeroizing<String>),
    /// A list, a map or nothing.
    Other,
}

/// The answer to a read of a KV v2 store (`GET /v1/MOUNT/data/PATH`).
#[derive(Deserialize)]
pub(super) struct Reading {
    pub data: Option<ReadingData>,
}

#[derive(Deserialize)]
pub(super) struct ReadingData {
    /// None where the version is deleted.
    pub data: Option<BTreeMap<String, Value>>,
    pub metadata: Option<Metadata>,
}

/// What is known of a version.
#[derive(Deserialize)]
pub(super) struct Metadata {
    #[serde(default)]
    pub deletion_time: String,
    #[serde(default)]
    pub destroyed: bool,
}

/// The answer to a login.
#[derive(Deserialize)]
pub(super) struct Login {
    pub auth: Option<Auth>,
}

#[derive(Deserialize)]
pub(super) struct Auth {
    pub client_token: Value,
}

/// What is wrong, in the words of the server.
#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<String>,
}

/// The server's own words, in one line without the texts that were sent to it; none where it has none.
pub(super) fn errors(body: &[u8], sent: &[&str]) -> Option<String> {
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let mut text = errors.errors.join("; ").replace(['\n', '\t'], " ");
    for word in sent.iter().filter(|word| !word.is_empty()) {
        text = text.replace(word, "***");
    }
    let text: String = text.chars().take(300).collect();
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfValue)
    }
}

struct OfValue;

impl<'de> Visitor<'de> for OfValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(truth.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(number.to_string())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        // It may have been written in another way.
        Ok(Value::Other)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Other)
    }
}
