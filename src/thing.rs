//! The things that `murder` can manage on a host, and their one text form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::name::{NameError, Parameter, RemotePath, ServiceName};

/// One thing that `murder` can manage on a host. Its text form is what ledger, plan and
/// `explain` use: `/etc/postfix/transport`, `main.cf:relayhost`, `master.cf:lmtp/unix`,
/// `master.cf:lmtp/unix/chroot`, `master.cf:lmtp/unix:soft_bounce`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Thing {
    /// A whole file.
    File(RemotePath),
    /// A main.cf parameter.
    Parameter(Parameter),
    /// A whole master.cf entry.
    Service(ServiceName),
    /// One column of a master.cf entry (postconf(1) `-F`).
    Field(ServiceName, Field),
    /// One `-o name=value` of a master.cf entry (postconf(1) `-P`).
    Option(ServiceName, Parameter),
}

/// The columns of master.cf after name and type, in their order (master(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Access restricted to the mail system.
    Private,
    /// Runs without root privileges.
    Unprivileged,
    /// Runs in the chroot jail.
    Chroot,
    /// Wake-up timer, seconds.
    Wakeup,
    /// Most processes at once.
    ProcessLimit,
    /// Command and arguments.
    Command,
}

impl Field {
    /// All fields, in master.cf's order.
    pub const ALL: [Self; 6] = [
        Self::Private,
        Self::Unprivileged,
        Self::Chroot,
        Self::Wakeup,
        Self::ProcessLimit,
        Self::Command,
    ];

    /// The name that postconf(1) `-F` uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Unprivileged => "unprivileged",
            Self::Chroot => "chroot",
            Self::Wakeup => "wakeup",
            Self::ProcessLimit => "process_limit",
            Self::Command => "command",
        }
    }
}

impl Field {
    /// The value of a column that is not set, for a type of service: the default of master(5), except for `private`. Its
    /// default is `y`, and a private inet service ends master(8).
    #[must_use]
    pub fn default_of(self, kind: &str) -> &'static str {
        if self == Self::Private && kind == "inet" {
            "n"
        } else {
            "-"
        }
    }
}

impl Thing {
    /// Whether it is the other one, or a field or option of that entry of master.cf.
    #[must_use]
    pub fn is_part_of(&self, whole: &Self) -> bool {
        match (whole, self) {
            (Self::Service(whole), Self::Field(of, _) | Self::Option(of, _)) => whole == of,
            _ => self == whole,
        }
    }
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{path}"),
            Self::Parameter(name) => write!(f, "main.cf:{name}"),
            Self::Service(service) => write!(f, "master.cf:{service}"),
            Self::Field(service, field) => write!(f, "master.cf:{service}/{}", field.as_str()),
            Self::Option(service, name) => write!(f, "master.cf:{service}:{name}"),
        }
    }
}

impl FromStr for Thing {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        if text.starts_with('/') {
            return RemotePath::new(text).map(Self::File);
        }
        if let Some(rest) = text.strip_prefix("master.cf:") {
            // `inet` names may hold colons (`[::1]:smtp`), so the option is cut from the right, after the type.
            if let Some((service, option)) = rest.rsplit_once(':')
                && let Ok(service) = ServiceName::new(service)
            {
                return Parameter::new(option).map(|name| Self::Option(service, name));
            }
            for field in Field::ALL {
                if let Some(service) = rest
                    .strip_suffix(field.as_str())
                    .and_then(|service| service.strip_suffix('/'))
                    && let Ok(service) = ServiceName::new(service)
                {
                    return Ok(Self::Field(service, field));
                }
            }
            return ServiceName::new(rest).map(Self::Service);
        }
        Parameter::new(text.strip_prefix("main.cf:").unwrap_or(text)).map(Self::Parameter)
    }
}

impl TryFrom<String> for Thing {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Thing> for String {
    fn from(thing: Thing) -> String {
        thing.to_string()
    }
}
