//! The properties of a host on which some defaults depend.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The properties of a host on which some defaults depend; none where they were not observed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostEnvironment {
    /// The result of gethostname(3), from which Postfix makes the default of `myhostname`.
    pub hostname: Option<String>,
    /// The first line of `/etc/mailname`. Debian's `myorigin` is this path, and Postfix reads the value from the file.
    pub mail_name: Option<String>,
    /// The default of `mynetworks` for each value of `mynetworks_style`.
    pub networks: Networks,
}

/// The networks of a host for each `mynetworks_style`, in the form of `mynetworks`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Networks {
    /// `mynetworks_style = host`: the addresses of its interfaces.
    pub host: Option<String>,
    /// `mynetworks_style = subnet`: their subnets.
    pub subnet: Option<String>,
    /// `mynetworks_style = class`: their class A, B or C networks.
    pub class: Option<String>,
}

impl HostEnvironment {
    /// The environment of a host about which nothing was observed.
    pub const UNKNOWN: &'static Self = &Self {
        hostname: None,
        mail_name: None,
        networks: Networks {
            host: None,
            subnet: None,
            class: None,
        },
    };
}

impl Networks {
    /// The networks of one style; those of the others are not known.
    #[must_use]
    pub fn only(style: &str, networks: String) -> Self {
        let mut known = Self::default();
        match style {
            "host" => known.host = Some(networks),
            "subnet" => known.subnet = Some(networks),
            "class" => known.class = Some(networks),
            _ => {}
        }
        known
    }

    /// The networks of a `mynetworks_style`; none if they are not known, or the word is not a style.
    #[must_use]
    pub fn of_style(&self, style: &str) -> Option<&str> {
        let known = match style {
            "host" => &self.host,
            "subnet" => &self.subnet,
            "class" => &self.class,
            _ => &None,
        };
        known.as_deref()
    }
}

/// The domain that Postfix derives from a host's name: the part after the first dot (postconf(5), `mydomain`).
pub(super) fn domain_of(hostname: &str) -> &str {
    /// The domain for a name without a dot (`DEF_MYDOMAIN`).
    const NONE: &str = "localdomain";
    hostname.split_once('.').map_or(NONE, |(_, domain)| domain)
}
