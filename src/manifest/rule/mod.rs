//! The rules that texts of a manifest obey, each in one place.

mod filter;
mod holds;
mod network;
mod postfix;
mod source;

pub use self::filter::{ATTRIBUTE, FILTER, MECHANISM, PREFIX};
pub use self::network::{ENDPOINT, HOST_KEY, JUMP, LDAP_URI, LMTP, LMTP_TCP, NETWORK};
pub use self::postfix::{
    COMMAND, DELIMITER, INSTANCE, MEMBER, PARAMETER, PROCESS_LIMIT, SERVICE, TABLE_TYPE, THING,
    VALUE, WAKEUP, YES_NO,
};
pub use self::source::{CREDENTIAL, HTTPS, KEY_PATH, KV_PATH, MOMENT, SOPS_FILE};

use self::holds::{named, require};
use crate::manifest::range;
use crate::manifest::requires;
use crate::manifest::shape::Rule;
use crate::name::{HostName, Mode, RemotePath, RoleName, SiteName, UserName};

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
    check: |text| range::count(text).map(drop),
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

/// The path of a managed file.
pub static FILE_PATH: Rule = Rule {
    what: "an absolute path",
    hint: "write a path such as `/etc/postfix/access`; for main.cf and master.cf use `settings` and `services`",
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
    hint: "write octal digits such as `0644`, or `0640` for a file that only its group may read",
    check: |text| {
        named(text.parse::<Mode>())?;
        let mode: Mode = text.parse().map_err(|_| String::new())?;
        require(
            mode.bits() & 0o022 == 0,
            "group or world could write the file",
        )
    },
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
            "it can only hold lower-case letters, digits and `_`",
        )
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
        require(!local.is_empty(), "it has nothing before its `@`")?;
        require(
            local
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b)),
            "its local part has a character that needs quotes (RFC 5321)",
        )?;
        named(HostName::new(domain))
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
            "it can only hold letters, digits and `_`",
        )
    },
};

/// Which versions of `murder` may read the manifest.
pub static REQUIREMENT: Rule = Rule {
    what: "a version requirement",
    hint: "write comparisons such as `>=0.2`; several with commas between them, as in `>=0.2, <1`",
    check: requires::check,
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

/// A Cyrus `postuser`.
pub static LOCAL_PART: Rule = Rule {
    what: "a local part",
    hint: "write the part before the `@` of an address, such as `folder`",
    check: |text| {
        require(
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)),
            "it can only hold letters, digits, `-`, `_` and `.`",
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

#[cfg(test)]
mod tests;
