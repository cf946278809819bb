//! The texts of files in a saved plan: each is stored once, and named by its number.

use std::collections::HashMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text by its number: its place in the plan's `texts`, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct TextId(pub u32);

/// The texts, in the order in which they were first needed.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    all: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Texts {
    /// The texts of a plan that was read.
    #[must_use]
    pub fn of(all: Vec<Arc<str>>) -> Self {
        let numbers = all.iter().cloned().zip(0..).collect();
        Self { all, numbers }
    }

    /// The number of a text; a new one for a text that has none yet.
    pub fn add(&mut self, text: &str) -> TextId {
        if let Some(number) = self.numbers.get(text) {
            return TextId(*number);
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.all.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        TextId(number)
    }

    /// The text of a number. None if there are fewer texts.
    #[must_use]
    pub fn get(&self, number: TextId) -> Option<&str> {
        let at = usize::try_from(number.0).ok()?;
        self.all.get(at).map(AsRef::as_ref)
    }

    /// All of them, by their numbers.
    #[must_use]
    pub fn all(&self) -> &[Arc<str>] {
        &self.all
    }
}
