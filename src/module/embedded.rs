//! The shipped modules, compiled into the binary.

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "modules/"]
struct Shipped;

/// The files under `modules/`, by their path there.
#[must_use]
pub fn embedded() -> Vec<(String, String)> {
    Shipped::iter()
        .filter_map(|name| {
            let file = Shipped::get(&name)?;
            let text = String::from_utf8(file.data.into_owned()).ok()?;
            Some((name.into_owned(), text))
        })
        .collect()
}
