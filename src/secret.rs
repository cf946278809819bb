//! Secrets: text that cannot be printed, and the text of files with references to secrets.

pub mod mask;
mod source;

pub use source::{
    AgeContent, AgeSource, CommandSource, LocalFile, SecretSource, SopsSource, VaultLogin,
    VaultServer, VaultSource,
};

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// What a secret looks like in everything that is shown.
pub const MASK: &str = "***";

/// A secret's text. It prints as `***`, cannot be serialised, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a secret's text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself: only for bytes on their way to a host that needs them.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Where a secret comes from, by its place in the manifest: `ldap.bind_pw`, `sites.west.ldap.bind_pw`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretName(pub String);

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The secrets of one run, by name, once they have been read.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    read: BTreeMap<SecretName, Secret>,
    partial: bool,
}

impl Secrets {
    /// The same, where those of files were left unread on purpose: such files are compared as far as their masked texts go.
    #[must_use]
    pub fn without_those_of_files(self) -> Self {
        Self {
            partial: true,
            ..self
        }
    }

    /// See [`Self::without_those_of_files`].
    #[must_use]
    pub fn are_partial(&self) -> bool {
        self.partial
    }

    /// Adds a secret under its name.
    pub fn insert(&mut self, name: SecretName, secret: Secret) {
        self.read.insert(name, secret);
    }

    /// All of them, in no order that means anything.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        self.read.values()
    }

    /// Adds those of `others`.
    pub fn extend(&mut self, others: &Self) {
        for (name, secret) in &others.read {
            self.insert(name.clone(), secret.clone());
        }
    }

    /// The secret of that name.
    #[must_use]
    pub fn get(&self, name: &SecretName) -> Option<&Secret> {
        self.read.get(name)
    }

    /// Replaces every known secret in a host's own words by the mask, in upper and lower case, as postmap(1) writes keys
    /// in lower case. Only for text without words of `murder`: a password `master` would make `/etc/postfix/***.cf` of
    /// them. See [`Self::scrub_beside`].
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        self.scrub_beside(text, "")
    }

    /// The same for text in which words of a host stand among those of `program`: a secret that is part of the program
    /// stays, as its presence says nothing.
    #[must_use]
    pub fn scrub_beside(&self, text: &str, program: &str) -> String {
        let mut words: Vec<Zeroizing<String>> =
            self.read.values().flat_map(scrubbed_words).collect();
        // A secret may be part of another one.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        let mut text = text.to_owned();
        for word in words {
            if find_in_any_case(program, &word).is_none() {
                text = masked_in_any_case(&text, &word);
            }
        }
        text
    }
}

/// The texts by which a secret shows: itself, each of its lines, and these in lower case. Scrubbing a very short one
/// would shred ordinary words and give it away by the holes.
#[must_use]
pub fn scrubbed_words(secret: &Secret) -> Vec<Zeroizing<String>> {
    let whole = secret.expose();
    let mut words: Vec<Zeroizing<String>> = Vec::new();
    for word in std::iter::once(whole).chain(whole.lines()).map(str::trim) {
        for form in [word.to_owned(), word.to_lowercase()].map(Zeroizing::new) {
            if form.len() >= 4 && !words.contains(&form) {
                words.push(form);
            }
        }
    }
    words
}

/// Where `word` begins in `text`, letters of ASCII in either case.
fn find_in_any_case(text: &str, word: &str) -> Option<usize> {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let mut windows = text.windows(word.len());
    windows.position(|window| window.eq_ignore_ascii_case(word))
}

fn masked_in_any_case(text: &str, word: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_in_any_case(rest, word) {
        // Both are valid UTF-8, so that a match begins and ends where characters do.
        masked.push_str(rest.get(..at).unwrap_or_default());
        masked.push_str(MASK);
        rest = rest.get(at + word.len()..).unwrap_or_default();
    }
    masked + rest
}

/// One stretch of a file's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Piece {
    /// Plain text.
    Text(String),
    /// A secret, by name.
    Secret(SecretName),
}

/// The text of a file, with the places of its secrets but not the secrets.
///
/// Templates see a secret as a private token; [`Body::from_rendered`] turns tokens into places.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Body(pub Vec<Piece>);

// Noncharacters: no valid manifest text holds them, so a token cannot be forged by a value.
const OPEN: char = '\u{FDD0}';
const CLOSE: char = '\u{FDD1}';

/// A secret that a body refers to and that has not been read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the secret `{0}` has not been read")]
pub struct MissingSecret(pub SecretName);

impl Body {
    /// A body without secrets.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self(vec![Piece::Text(text.into())])
    }

    /// The token that stands for a secret while a template is rendered.
    #[must_use]
    pub fn token(name: &SecretName) -> String {
        format!("{OPEN}{name}{CLOSE}")
    }

    /// Whether a text has a character that is reserved for tokens.
    #[must_use]
    pub fn reserved(text: &str) -> bool {
        // Both begin with this byte in UTF-8, and hardly any text has one.
        text.as_bytes().contains(&0xEF) && text.contains([OPEN, CLOSE])
    }

    /// Splits rendered text at its tokens.
    #[must_use]
    pub fn from_rendered(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let Some((name, tail)) = after.split_once(CLOSE) else {
                break;
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Secret(SecretName(name.to_owned())));
            rest = tail;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Self(pieces)
    }

    /// The names of the secrets in the body.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Secret(name) => Some(name),
            Piece::Text(_) => None,
        })
    }

    /// The text with every secret masked: what may be shown.
    #[must_use]
    pub fn masked(&self) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Secret(_) => MASK,
            })
            .collect()
    }

    /// The text with its secrets, for the bytes of the file.
    ///
    /// # Errors
    /// [`MissingSecret`] where a secret of the body is not among `secrets`.
    pub fn reveal(&self, secrets: &Secrets) -> Result<Zeroizing<String>, MissingSecret> {
        let mut text = Zeroizing::new(String::new());
        for piece in &self.0 {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Secret(name) => text.push_str(
                    secrets
                        .get(name)
                        .ok_or_else(|| MissingSecret(name.clone()))?
                        .expose(),
                ),
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_secret_prints_only_its_mask() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    }

    #[test]
    fn secrets_are_scrubbed_in_any_case_and_beside_our_own_words() {
        let mut secrets = Secrets::default();
        for (name, text) in [
            ("a", "Welcome2Kolab"),
            ("b", "Welcome2KolabSystems"),
            ("c", "master"),
            ("d", "abc"),
            ("e", "first Line\nSecond line"),
            ("f", "GEHEIMÄÖ"),
        ] {
            secrets.insert(SecretName(name.to_owned()), Secret::new(text.to_owned()));
        }
        for (said, scrubbed) in [
            (
                "duplicate entry: \"welcome2kolabsystems\"",
                "duplicate entry: \"***\"",
            ),
            ("WELCOME2KOLABX", "***X"),
            ("abc stays", "abc stays"),
            ("second LINE, first line", "***, ***"),
            ("geheimäö", "***"),
            ("/etc/postfix/master.cf", "/etc/postfix/***.cf"),
            ("ä", "ä"),
        ] {
            assert_eq!(secrets.scrub(said), scrubbed);
        }
        let ours = "/etc/postfix/master.cf, line 3: Welcome2Kolab";
        let scrubbed = "/etc/postfix/master.cf, line 3: ***";
        assert_eq!(
            secrets.scrub_beside(ours, "cp /etc/postfix/Master.cf"),
            scrubbed
        );
    }

    #[test]
    fn a_body_keeps_the_place_of_its_secret() {
        let name = SecretName("ldap.bind_pw".to_owned());
        let rendered = format!("bind_pw = {}\nx\n", Body::token(&name));
        let body = Body::from_rendered(&rendered);
        assert_eq!(body.masked(), "bind_pw = ***\nx\n");
        let mut secrets = Secrets::default();
        assert!(body.reveal(&secrets).is_err());
        secrets.insert(name, Secret::new("s3cret".to_owned()));
        assert_eq!(
            body.reveal(&secrets).unwrap().as_str(),
            "bind_pw = s3cret\nx\n"
        );
    }
}
