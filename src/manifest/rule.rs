//! The rules that texts of a manifest obey, each in one place.

use std::net::IpAddr;

use base64::Engine as _;

use crate::manifest::range;
use crate::manifest::shape::Rule;
use crate::name::{
    HostName, Mode, NameError, Parameter, RemotePath, RoleName, ServiceName, SiteName, TableType,
    UserName,
};
use crate::thing::Thing;

fn named<T>(result: Result<T, NameError>) -> Result<(), String> {
    result.map(drop).map_err(|error| error.why.to_owned())
}

fn require(holds: bool, why: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

/// A host name, and no IP address.
pub static HOST: Rule = Rule {
    what: "a host name",
    hint: "write a name such as `backend1.example.org`",
    check: |text| {
        named(HostName::new(text))?;
        require(!range::looks_like_address(text), "it is an IP address")
    },
};

/// A host name with ranges.
pub static HOSTS: Rule = Rule {
    what: "a host name",
    hint: "write a name such as `backend1.example.org`, or a range such as `backend[1:9].example.org`",
    check: |text| range::expand(text).map(drop),
};

/// A mail domain.
pub static DOMAIN: Rule = Rule {
    what: "a mail domain",
    hint: "write a domain such as `example.org`",
    check: |text| {
        named(HostName::new(text))?;
        require(!range::looks_like_address(text), "it is an IP address")
    },
};

/// A role's name.
pub static ROLE: Rule = Rule {
    what: "a role name",
    hint: "write a role that has a module, such as `backend`",
    check: |text| named(RoleName::new(text)),
};

/// A site's name.
pub static SITE: Rule = Rule {
    what: "a site name",
    hint: "write a short word, such as `west`",
    check: |text| named(SiteName::new(text)),
};

/// A main.cf parameter's name.
pub static PARAMETER: Rule = Rule {
    what: "a main.cf parameter",
    hint: "write a name as postconf(5) has it, such as `relayhost`",
    check: |text| named(Parameter::new(text)),
};

/// A main.cf value; empty is a value too.
pub static VALUE: Rule = Rule {
    what: "a main.cf value",
    hint: "write it as main.cf has it",
    check: |_| Ok(()),
};

/// A member of a comma- or blank-separated list of main.cf.
pub static MEMBER: Rule = Rule {
    what: "a member of a main.cf list",
    hint: "write one member of the list, such as `hash:/etc/postfix/x`",
    check: |text| require(!text.trim().is_empty(), "it is empty"),
};

/// A master.cf entry's name.
pub static SERVICE: Rule = Rule {
    what: "a master.cf service",
    hint: "write name and type as master.cf has them, such as `lmtp/unix` or `smtp/inet`",
    check: |text| named(ServiceName::new(text)),
};

/// A yes-or-no column of master.cf (master(5)).
pub static YES_NO: Rule = Rule {
    what: "`y`, `n` or `-`",
    hint: "write `y`, `n`, or `-` for the default, in quotes where YAML would ask for them",
    check: |text| {
        require(
            matches!(text, "y" | "n" | "-"),
            "master.cf knows only these",
        )
    },
};

/// The wake-up column of master.cf (master(5)): seconds, with `?` only for services in use.
pub static WAKEUP: Rule = Rule {
    what: "a number of seconds, also with `?`, or `-`",
    hint: "write seconds such as `60` or `60?`, `0` for never, or `-` for the default",
    check: |text| {
        let digits = text.strip_suffix('?').unwrap_or(text);
        require(
            text == "-" || is_number(digits),
            "master.cf knows only these",
        )
    },
};

/// The process limit column of master.cf (master(5)).
pub static PROCESS_LIMIT: Rule = Rule {
    what: "a number of processes or `-`",
    hint: "write a number such as `50`, `0` for no limit, or `-` for the default",
    check: |text| require(text == "-" || is_number(text), "master.cf knows only these"),
};

/// The command column of master.cf.
pub static COMMAND: Rule = Rule {
    what: "a command",
    hint: "write the program and its arguments, such as `smtpd` or `pipe flags=R user=x argv=/bin/y`",
    check: |text| require(!text.trim().is_empty(), "it is empty"),
};

/// The path of a managed file.
pub static FILE_PATH: Rule = Rule {
    what: "an absolute path",
    hint: "write a path such as `/etc/postfix/access`; main.cf and master.cf are `settings` and `services`",
    check: |text| {
        named(RemotePath::new(text))?;
        require(
            !text.starts_with("/var/lib/murder/"),
            "`murder` keeps its own files there",
        )?;
        require(
            !text.ends_with("/postfix/main.cf") && !text.ends_with("/postfix/master.cf"),
            "main.cf and master.cf are edited by `settings` and `services`, never replaced",
        )
    },
};

/// A path on a managed host.
pub static REMOTE_PATH: Rule = Rule {
    what: "an absolute path",
    hint: "write the whole path from `/`, without `..`, such as `/etc/postfix/x`",
    check: |text| named(RemotePath::new(text)),
};

/// A path on this machine.
pub static LOCAL_PATH: Rule = Rule {
    what: "a path",
    hint: "write a path, such as `secrets/ldap.pw`",
    check: |text| require(!text.is_empty(), "it is empty"),
};

/// A user or group.
pub static USER: Rule = Rule {
    what: "a user or group name",
    hint: "write a name such as `postfix`",
    check: |text| named(UserName::new(text)),
};

/// A file mode.
pub static MODE: Rule = Rule {
    what: "a file mode",
    hint: "write octal digits such as `0644`, or `0640` where not everybody may read it",
    check: |text| {
        named(text.parse::<Mode>())?;
        let mode: Mode = text.parse().map_err(|_| String::new())?;
        require(
            mode.bits() & 0o022 == 0,
            "group or world could write the file",
        )
    },
};

/// A Postfix table type.
pub static TABLE_TYPE: Rule = Rule {
    what: "a Postfix table type",
    hint: "write a type as `postconf -m` lists it, such as `hash` or `lmdb`",
    check: |text| named(TableType::new(text)),
};

/// A module variable's name.
pub static VARIABLE: Rule = Rule {
    what: "a variable name",
    hint: "write it as the module's `vars` does, such as `mail_attribute`",
    check: |text| {
        require(
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "only lower-case letters, digits and `_` may stand in it",
        )
    },
};

/// A thing as `leave:` names it.
pub static THING: Rule = Rule {
    what: "a parameter, a path, or a service",
    hint: "write `relayhost`, `/etc/postfix/access` or `lmtp/unix`",
    check: |text| {
        if ServiceName::new(text).is_ok() && !text.starts_with('/') {
            return Ok(());
        }
        named(text.parse::<Thing>())
    },
};

/// A mail address.
pub static ADDRESS: Rule = Rule {
    what: "a mail address",
    hint: "write it as `user@example.org`",
    check: |text| {
        let (local, domain) = text
            .rsplit_once('@')
            .ok_or_else(|| "it has no `@`".to_owned())?;
        require(!local.is_empty(), "nothing stands before its `@`")?;
        require(
            local
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b)),
            "its local part has a character that needs quotes (RFC 5321)",
        )?;
        named(HostName::new(domain))
    },
};

/// An IP address or network.
pub static NETWORK: Rule = Rule {
    what: "an IP address or network",
    hint: "write an address such as `192.0.2.5`, or a network such as `192.0.2.0/24` or `2001:db8::/32`",
    check: network,
};

/// What is connected to: an address or a host name.
pub static ENDPOINT: Rule = Rule {
    what: "an IP address or host name",
    hint: "write an address such as `192.0.2.5`, or a name such as `backend1.example.org`",
    check: |text| {
        if text.parse::<IpAddr>().is_ok() {
            return Ok(());
        }
        named(HostName::new(text))?;
        require(
            !range::looks_like_address(text),
            "it is no valid IPv4 address",
        )
    },
};

/// A jump host as ssh(1) `-J` takes it; several joined by commas.
pub static JUMP: Rule = Rule {
    what: "a jump host",
    hint: "write `[user@]host[:port]`; several stand in one text, parted by commas",
    check: |text| text.split(',').try_for_each(jump),
};

/// A public host key, as in known_hosts without the names.
pub static HOST_KEY: Rule = Rule {
    what: "a host key",
    hint: "take a line of `ssh-keyscan HOST` without its first word, once it is known to be the right key",
    check: |text| {
        let mut words = text.split_ascii_whitespace();
        let (Some(kind), Some(key)) = (words.next(), words.next()) else {
            return Err("it is not a type and a key, as in `ssh-ed25519 AAAA…`".to_owned());
        };
        let kinds = [
            "ssh-ed25519",
            "ssh-rsa",
            "ecdsa-sha2-nistp256",
            "ecdsa-sha2-nistp384",
            "ecdsa-sha2-nistp521",
        ];
        require(
            kinds.contains(&kind),
            "its type is none that OpenSSH has for hosts",
        )?;
        let blob = base64::engine::general_purpose::STANDARD
            .decode(key)
            .map_err(|_| "the key is not base64".to_owned())?;
        // RFC 4253 §6.6: the key begins with its type's name, length first.
        require(
            blob.get(4..4 + kind.len()) == Some(kind.as_bytes()),
            "the key is cut off, or of another type",
        )
    },
};

/// An LDAP URI (ldap_table(5) `server_host`).
pub static LDAP_URI: Rule = Rule {
    what: "an LDAP URI",
    hint: "write `ldap://ldap.example.org:389`, `ldaps://…` or `ldapi://…`; the search base is `base`",
    check: |text| {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| {
            "it is not `ldap://HOST`, `ldaps://HOST` or `ldapi://PATH`".to_owned()
        })?;
        require(
            matches!(scheme, "ldap" | "ldaps" | "ldapi"),
            "its scheme is none of ldap, ldaps, ldapi",
        )?;
        require(!rest.is_empty(), "it names no server")?;
        require(
            rest.bytes().all(|b| b.is_ascii_graphic() && b != b','),
            "blanks and commas would make two URIs of it",
        )?;
        if scheme == "ldapi" {
            return Ok(());
        }
        require(
            !rest.trim_end_matches('/').contains(['/', '?']),
            "only host and port stand in it: base and filter are keys of their own",
        )?;
        authority(rest.trim_end_matches('/'))
    },
};

/// An environment variable's name.
pub static ENVIRONMENT: Rule = Rule {
    what: "the name of an environment variable",
    hint: "write a name such as `LDAP_PASSWORD`",
    check: |text| {
        require(
            !text.is_empty()
                && !text.starts_with(|c: char| c.is_ascii_digit())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'),
            "only letters, digits and `_` may stand in it",
        )
    },
};

/// Some text on one line.
pub static LINE: Rule = Rule {
    what: "text",
    hint: "write a text, or leave the key out",
    check: |text| require(!text.trim().is_empty(), "it is empty"),
};

/// An LDAP DN.
pub static DN: Rule = Rule {
    what: "a DN",
    hint: "write it as `dc=example,dc=org`",
    check: |text| {
        require(
            text.split(',').next().is_some_and(|part| {
                part.split_once('=')
                    .is_some_and(|(name, value)| !name.trim().is_empty() && !value.is_empty())
            }),
            "it does not begin with `name=value` (RFC 4514)",
        )
    },
};

/// postconf(5) `recipient_delimiter`, one character of it.
pub static DELIMITER: Rule = Rule {
    what: "one character",
    hint: "write `\"+\"`, which is what Cyrus and Postfix use",
    check: |text| {
        require(text.chars().count() == 1, "it is not one character")?;
        require(
            text.chars().all(|c| "+-_=.#~!%^&".contains(c)),
            "it cannot part a local part from its extension",
        )
    },
};

/// A Cyrus `postuser`.
pub static LOCAL_PART: Rule = Rule {
    what: "a local part",
    hint: "write what stands before the `@` of an address, such as `folder`",
    check: |text| {
        require(
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
            "only letters, digits, `-`, `_` and `.` may stand in it",
        )
    },
};

/// A Cyrus mailbox path.
pub static FOLDER: Rule = Rule {
    what: "a folder's path",
    hint: "write it as `shared/memo`: no `/` at its ends, and no `@`",
    check: |text| {
        require(
            !text.is_empty() && !text.starts_with('/') && !text.ends_with('/'),
            "it is not a path such as `shared/memo`",
        )?;
        require(!text.contains("//"), "it has an empty part")?;
        require(!text.contains('@'), "`@` ends the local part of an address")?;
        require(
            !text.contains(['"', '\\']),
            "Cyrus has no folder with `\"` or `\\` in its name",
        )
    },
};

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit())
}

fn network(text: &str) -> Result<(), String> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| "it is neither IPv4 nor IPv6".to_owned())?;
    let Some(prefix) = prefix else {
        return Ok(());
    };
    let (bits, width) = match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    };
    let length = prefix
        .parse::<u32>()
        .ok()
        .filter(|length| is_number(prefix) && *length <= width)
        .ok_or_else(|| format!("its prefix is not a number from 0 to {width}"))?;
    require(
        length > 0,
        "it is the whole Internet, for which a host would relay",
    )?;
    // Postfix refuses such patterns: "non-null host address bits" (cidr_match(3)).
    let host_bits = width - length;
    let mask = 1_u128
        .checked_shl(host_bits)
        .map_or(u128::MAX, |limit| limit - 1);
    require(bits & mask == 0, "it has host bits behind its prefix")
}

fn jump(text: &str) -> Result<(), String> {
    let host = match text.rsplit_once('@') {
        Some((user, host)) => {
            named(UserName::new(user))?;
            host
        }
        None => text,
    };
    authority(host)
}

/// `host[:port]`, with an IPv6 address in brackets.
fn authority(text: &str) -> Result<(), String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest
            .split_once(']')
            .ok_or_else(|| "its `[` has no `]`".to_owned())?;
        host.parse::<std::net::Ipv6Addr>()
            .map_err(|_| "no IPv6 address stands in its brackets".to_owned())?;
        match port {
            "" => return Ok(()),
            port => (
                None,
                Some(port.strip_prefix(':').ok_or_else(|| {
                    "something else than `:PORT` follows its brackets".to_owned()
                })?),
            ),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(text), None),
        }
    };
    if let Some(host) = host {
        (ENDPOINT.check)(host)?;
    }
    match port {
        Some(port) if !port.parse::<u16>().is_ok_and(|n| n > 0 && is_number(port)) => {
            Err("its port is not a number from 1 to 65535".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
