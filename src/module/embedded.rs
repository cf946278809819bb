//! The shipped modules, compiled into the binary.

use std::borrow::Cow;

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "modules/"]
struct Shipped;

/// The files under `modules/`, by their path there.
#[must_use]
pub fn embedded() -> Vec<super::ModuleFile> {
    Shipped::iter()
        .filter_map(|name| {
            let text = match Shipped::get(&name)?.data {
                Cow::Borrowed(bytes) => Cow::Borrowed(std::str::from_utf8(bytes).ok()?),
                Cow::Owned(bytes) => Cow::Owned(String::from_utf8(bytes).ok()?),
            };
            Some((name, text))
        })
        .collect()
}
