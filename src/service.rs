//! The services that `murder` configures on a host, and their one text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::RemotePath;
use crate::thing::Thing;

/// A service that `murder` configures. Its text form is a key of ledgers, generations and plans:
/// `postfix` is the default instance of Postfix, and `postfix-out` the instance of that name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Service {
    /// An instance of Postfix.
    Postfix(Instance),
}

/// An instance of Postfix, as postmulti(1) knows them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {
    /// The one of `/etc/postfix`.
    #[default]
    Default,
    /// One of the others.
    Named(InstanceName),
}

/// The name of an instance beside the default one, and of its folder below `/etc`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceName(String);

/// How the name of an instance begins (postmulti(1), `-I`).
const PREFIX: &str = "postfix-";

/// The longest name of an instance, in bytes.
const LONGEST_NAME: usize = 64;

impl InstanceName {
    /// Takes a name such as `postfix-out`.
    ///
    /// # Errors
    /// A text that is no such name.
    pub fn new(text: &str) -> Result<Self, NotAnInstance> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let rest = text.strip_prefix(PREFIX).unwrap_or_default();
        let good = rest
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
            && rest.bytes().all(plain)
            && text.len() <= LONGEST_NAME;
        match good {
            true => Ok(Self(text.to_owned())),
            false => Err(NotAnInstance(text.to_owned())),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Instance {
    /// Reads an instance as a manifest names it: `postfix` or `/etc/postfix` for the default one, `postfix-out` or
    /// `/etc/postfix-out` for another one.
    ///
    /// # Errors
    /// A text that names no instance.
    pub fn new(text: &str) -> Result<Self, NotAnInstance> {
        match text.strip_prefix("/etc/").unwrap_or(text) {
            "postfix" => Ok(Self::Default),
            name => match InstanceName::new(name) {
                Ok(name) => Ok(Self::Named(name)),
                Err(_) => Err(NotAnInstance(text.to_owned())),
            },
        }
    }

    /// Its name: `postfix` for the default one.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Default => "postfix",
            Self::Named(name) => name.as_str(),
        }
    }
}

impl Default for Service {
    fn default() -> Self {
        Self::POSTFIX
    }
}

impl Service {
    /// The default instance of Postfix.
    pub const POSTFIX: Self = Self::Postfix(Instance::Default);

    /// The folder of its configuration on a host.
    #[must_use]
    pub fn folder(&self) -> String {
        let Self::Postfix(instance) = self;
        format!("/etc/{}", instance.name())
    }

    /// The instance of Postfix, unless it is the default one.
    #[must_use]
    pub fn named_instance(&self) -> Option<&InstanceName> {
        match self {
            Self::Postfix(Instance::Default) => None,
            Self::Postfix(Instance::Named(name)) => Some(name),
        }
    }

    /// A thing of the service, as a plan shows it: with the folder of its configuration, where that is not the usual one.
    #[must_use]
    pub fn shown(&self, thing: &Thing) -> String {
        match (self.named_instance(), thing) {
            (None, _) | (_, Thing::File(_)) => thing.to_string(),
            (Some(_), _) => format!("{}/{thing}", self.folder()),
        }
    }

    /// The words of a command that starts it.
    #[must_use]
    pub fn start_command(&self) -> String {
        match self.named_instance() {
            None => "postfix start".to_owned(),
            Some(name) => format!("postmulti -i {} -p start", name.as_str()),
        }
    }

    /// The path of a file that a module names: below `/etc/postfix` it stands for one in the service's folder.
    #[must_use]
    pub fn placed(&self, path: &RemotePath) -> RemotePath {
        self.moved(path, "/etc/postfix", &self.folder())
    }

    /// The path by which a module names a file of the service's folder: the inverse of [`Service::placed`].
    #[must_use]
    pub fn as_in_modules(&self, path: &RemotePath) -> RemotePath {
        self.moved(path, &self.folder(), "/etc/postfix")
    }

    fn moved(&self, path: &RemotePath, from: &str, to: &str) -> RemotePath {
        let below = path.as_str().strip_prefix(from);
        let below = below.filter(|rest| rest.starts_with('/'));
        let moved = below.and_then(|rest| RemotePath::new(format!("{to}{rest}")).ok());
        moved.unwrap_or_else(|| path.clone())
    }
}

/// A text that names no instance of Postfix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of an instance of Postfix")]
pub struct NotAnInstance(String);

/// A text that names no service of this program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown service `{0}`: this murder configures `postfix` and its other instances, such as `postfix-out`"
)]
pub struct UnknownService(String);

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Postfix(instance) = self;
        f.write_str(instance.name())
    }
}

impl FromStr for Service {
    type Err = UnknownService;
    fn from_str(text: &str) -> Result<Self, UnknownService> {
        match text {
            "postfix" => Ok(Self::POSTFIX),
            other => match InstanceName::new(other) {
                Ok(name) => Ok(Self::Postfix(Instance::Named(name))),
                Err(_) => Err(UnknownService(other.to_owned())),
            },
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

    #[test]
    fn instances_have_names_as_postmulti_gives_them() {
        for text in ["postfix-out", "/etc/postfix-out", "postfix-2.x_y"] {
            let instance = Instance::new(text).unwrap();
            assert_eq!(instance.name(), text.trim_start_matches("/etc/"));
        }
        for text in ["postfix", "/etc/postfix"] {
            assert_eq!(Instance::new(text).unwrap(), Instance::Default);
        }
        let long = format!("postfix-{}", "x".repeat(57));
        for text in [
            "",
            "-",
            "out",
            "/etc/out",
            "/etc/cron.d",
            "postfix-",
            "postfix-a/b",
            "postfix-..",
            "postfix-a b",
            "/srv/postfix-out",
            "postfix_out",
            "Postfix-out",
            "postfix-ü",
            &long,
        ] {
            assert!(Instance::new(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_module_names_the_files_of_an_instance_as_those_of_the_default_one() {
        let service: Service = "postfix-out".parse().unwrap();
        let path = |text: &str| RemotePath::new(text).unwrap();
        for (module, host) in [
            ("/etc/postfix/a", "/etc/postfix-out/a"),
            ("/etc/postfix/ldap/a.cf", "/etc/postfix-out/ldap/a.cf"),
            ("/etc/aliases", "/etc/aliases"),
            ("/etc/postfixes/a", "/etc/postfixes/a"),
        ] {
            assert_eq!(service.placed(&path(module)), path(host));
            assert_eq!(service.as_in_modules(&path(host)), path(module));
            assert_eq!(Service::POSTFIX.placed(&path(module)), path(module));
        }
    }
}
