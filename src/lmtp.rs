//! Where Postfix delivers mailboxes by LMTP: a UNIX-domain socket, or a TCP port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::name::{HostName, RemotePath};

/// A destination of lmtp(8), as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LmtpDestination {
    /// A socket on the host itself.
    Unix(RemotePath),
    /// A port of this host or of another one.
    Tcp {
        /// The server.
        server: LmtpServer,
        /// Its port.
        port: u16,
    },
}

/// The server of an LMTP destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LmtpServer {
    /// A name that the host resolves.
    Name(HostName),
    /// An IP address.
    Address(IpAddr),
}

impl LmtpDestination {
    /// The port of `server` that LMTP has by default (postconf(5) `lmtp_tcp_port`).
    #[must_use]
    pub fn default_port(server: HostName) -> Self {
        Self::Tcp {
            server: LmtpServer::Name(server),
            port: 24,
        }
    }

    /// The path of the socket; none for a TCP port.
    #[must_use]
    pub fn socket(&self) -> Option<&RemotePath> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Tcp { .. } => None,
        }
    }

    /// Whether it is a TCP port that other hosts can reach too, as far as its text says.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        match self {
            Self::Unix(_) => false,
            Self::Tcp { server, .. } => match server {
                LmtpServer::Name(name) => name.as_str() != "localhost",
                LmtpServer::Address(address) => !address.is_loopback(),
            },
        }
    }
}

impl fmt::Display for LmtpDestination {
    /// As the nexthop of lmtp(8) has it: `unix:/path`, `inet:[host]:24`. The brackets tell Postfix that it is one host.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{path}"),
            Self::Tcp { server, port } => match server {
                LmtpServer::Name(name) => write!(f, "inet:[{name}]:{port}"),
                LmtpServer::Address(IpAddr::V4(address)) => write!(f, "inet:{address}:{port}"),
                LmtpServer::Address(IpAddr::V6(address)) => write!(f, "inet:[{address}]:{port}"),
            },
        }
    }
}

impl FromStr for LmtpDestination {
    type Err = String;

    /// Reads `inet:HOST:PORT`, `unix:/PATH` or `/PATH`; the error says what is wrong.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(rest) = text.strip_prefix("inet:") {
            return tcp(rest);
        }
        if text.starts_with("lmtp:") {
            return Err("the transport is `lmtp` in any case: leave `lmtp:` out".to_owned());
        }
        let path = text.strip_prefix("unix:").unwrap_or(text);
        if !path.starts_with('/') {
            return Err(if path.len() < text.len() {
                "the path after `unix:` does not begin with `/`".to_owned()
            } else {
                "it begins neither with `inet:` nor with `/`".to_owned()
            });
        }
        RemotePath::new(path)
            .map(Self::Unix)
            .map_err(|error| error.why.to_owned())
    }
}

/// `HOST:PORT`, with an IPv6 address in brackets; a name or an IPv4 address may have brackets too.
fn tcp(text: &str) -> Result<LmtpDestination, String> {
    let no_port = || "it has no port".to_owned();
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest
            .split_once(']')
            .ok_or_else(|| "its `[` has no `]`".to_owned())?;
        if after.is_empty() {
            return Err(no_port());
        }
        let port = after
            .strip_prefix(':')
            .ok_or_else(|| "only `:PORT` can follow its brackets".to_owned())?;
        (host, port)
    } else {
        if text.parse::<Ipv6Addr>().is_ok() || text.matches(':').count() > 1 {
            return Err("an IPv6 address needs brackets, as in `inet:[2001:db8::5]:24`".to_owned());
        }
        text.split_once(':').ok_or_else(no_port)?
    };
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port
        .parse::<u16>()
        .ok()
        .filter(|port| *port > 0 && digits)
        .ok_or_else(|| "its port is not a number from 1 to 65535".to_owned())?;
    Ok(LmtpDestination::Tcp {
        server: server(host)?,
        port,
    })
}

fn server(text: &str) -> Result<LmtpServer, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(LmtpServer::Address(address));
    }
    let name = HostName::new(text).map_err(|error| error.why.to_owned())?;
    let last = name.as_str().rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_err() {
        return Err("it is not a valid IPv4 address".to_owned());
    }
    Ok(LmtpServer::Name(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::LmtpDestination;

    #[test]
    fn destinations_are_written_as_lmtp_8_reads_them() {
        for (text, nexthop) in [
            ("/run/cyrus/socket/lmtp", "unix:/run/cyrus/socket/lmtp"),
            ("unix:/run/lmtp", "unix:/run/lmtp"),
            ("inet:127.0.0.1:24", "inet:127.0.0.1:24"),
            ("inet:[192.0.2.5]:2003", "inet:192.0.2.5:2003"),
            ("inet:Imap.example.org:24", "inet:[imap.example.org]:24"),
            ("inet:[imap]:24", "inet:[imap]:24"),
            ("inet:[2001:db8::5]:24", "inet:[2001:db8::5]:24"),
        ] {
            let read: LmtpDestination = text.parse().unwrap();
            assert_eq!(read.to_string(), nexthop);
        }
    }

    #[test]
    fn what_is_no_destination_says_why() {
        for (text, why) in [
            ("inet:host", "no port"),
            ("inet:[::1]", "no port"),
            ("inet:", "no port"),
            ("inet::24", "names no host"),
            ("inet:[]:24", "names no host"),
            ("inet:2001:db8::5:24", "brackets"),
            ("inet:::1", "brackets"),
            ("inet:[::1:24", "no `]`"),
            ("inet:[::1]24", "can follow"),
            ("inet:host:lmtp", "port is not a number"),
            ("inet:host:0", "port is not a number"),
            ("inet:host:+24", "port is not a number"),
            ("inet:192.0.2.300:24", "IPv4"),
            ("inet:a_b:24", "letters, digits"),
            ("lmtp:inet:host:24", "leave `lmtp:` out"),
            ("host:24", "neither with `inet:`"),
            ("run/lmtp", "neither with `inet:`"),
            ("unix:run/lmtp", "after `unix:`"),
            ("/run/../lmtp", "`..`"),
            ("", "neither with `inet:`"),
        ] {
            let error = text.parse::<LmtpDestination>().unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_loopback_address_is_the_hosts_own() {
        for (text, remote) in [
            ("/run/lmtp", false),
            ("inet:127.0.0.1:24", false),
            ("inet:[::1]:24", false),
            ("inet:localhost:24", false),
            ("inet:imap.example.org:24", true),
            ("inet:192.0.2.5:24", true),
        ] {
            let read: LmtpDestination = text.parse().unwrap();
            assert_eq!(read.is_remote(), remote, "{text}");
        }
    }
}
