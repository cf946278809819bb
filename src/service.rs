//! The services that `murder` configures on a host, and their one text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A service that `murder` configures. Its text form is a key of ledgers, generations and plans:
/// `postfix` is the default instance of Postfix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Service {
    /// An instance of Postfix.
    Postfix(Instance),
}

/// An instance of Postfix, as postmulti(1) knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {
    /// The one of `/etc/postfix`.
    Default,
}

impl Service {
    /// The default instance of Postfix.
    pub const POSTFIX: Self = Self::Postfix(Instance::Default);

    /// The folder of its configuration on a host.
    #[must_use]
    pub fn folder(&self) -> &'static str {
        match self {
            Self::Postfix(Instance::Default) => "/etc/postfix",
        }
    }
}

/// A text that names no service of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown service `{0}`: this murder configures `postfix`")]
pub struct UnknownService(String);

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postfix(Instance::Default) => f.write_str("postfix"),
        }
    }
}

impl FromStr for Service {
    type Err = UnknownService;
    fn from_str(text: &str) -> Result<Self, UnknownService> {
        match text {
            "postfix" => Ok(Self::POSTFIX),
            other => Err(UnknownService(other.to_owned())),
        }
    }
}

impl TryFrom<String> for Service {
    type Error = UnknownService;
    fn try_from(text: String) -> Result<Self, UnknownService> {
        text.parse()
    }
}

impl From<Service> for String {
    fn from(service: Service) -> String {
        service.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_text_form_is_read_back_and_an_unknown_one_is_refused() {
        let text = serde_json::to_string(&Service::POSTFIX).unwrap();
        assert_eq!(text, "\"postfix\"");
        let read: Service = serde_json::from_str(&text).unwrap();
        assert_eq!(read, Service::POSTFIX);
        let error = "cyrus".parse::<Service>().unwrap_err();
        assert!(error.to_string().contains("`cyrus`"), "{error}");
    }
}
