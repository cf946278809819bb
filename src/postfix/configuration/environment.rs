//! What defaults need of the machine.

/// What only a host knows and some defaults depend on; none where nothing has asked it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostEnvironment {
    /// Its name, as gethostname(3) gives it: the default of `myhostname`.
    pub hostname: Option<String>,
    /// The first line of `/etc/mailname`, where a value is that path (Debian's `myorigin`).
    pub mail_name: Option<String>,
    /// The default of `mynetworks` for each value of `mynetworks_style`.
    pub networks: Networks,
}

/// The networks of a host by how far they reach, each as `mynetworks` has them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Networks {
    /// `mynetworks_style = host`: the addresses of its interfaces.
    pub host: Option<String>,
    /// `mynetworks_style = subnet`: their subnets.
    pub subnet: Option<String>,
    /// `mynetworks_style = class`: their class A, B or C networks.
    pub class: Option<String>,
}

impl Networks {
    /// The networks of a `mynetworks_style`; none where they are unknown, or the word is no style.
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

/// The domain that Postfix takes from a host's name: what follows its first dot (postconf(5), `mydomain`).
pub(super) fn domain_of(hostname: &str) -> &str {
    /// Of a name without a dot (`DEF_MYDOMAIN`).
    const NONE: &str = "localdomain";
    hostname.split_once('.').map_or(NONE, |(_, domain)| domain)
}
