//! Words that cannot be wrong: each type checks its text where it is made.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not a name of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}: {why}")]
pub struct NameError {
    /// The text as it was given.
    pub text: String,
    /// What was wanted, with its article.
    pub wanted: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// Whether a character is not visible as itself: a control character, one that changes the direction of the text around
/// it, so that a line can look like another one (CVE-2021-42574), one without width, a line end of Unicode, or a tag.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $wanted:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text` and takes it.
            ///
            /// # Errors
            /// A [`NameError`] that says what is wrong with the text.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let check: fn(&str) -> Result<String, &'static str> = $check;
                check(&text)
                    .map(Self)
                    .map_err(|why| NameError { text, wanted: $wanted, why })
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type!(
    /// The name of a host, in lower case: DNS labels (RFC 1123) joined by dots.
    HostName,
    "a host name",
    |text| {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.len() > 253 {
            return Err("it is longer than 253 bytes");
        }
        for label in text.split('.') {
            if label.is_empty() {
                return Err("it has an empty label");
            }
            if label.len() > 63 {
                return Err("a label is longer than 63 bytes");
            }
            if label.starts_with('-') || label.ends_with('-') {
                return Err("a label begins or ends with `-`");
            }
            if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err("only letters, digits, `-` and `.` are allowed");
            }
        }
        Ok(text.to_ascii_lowercase())
    }
);

name_type!(
    /// The name of a role, which is the name of a module: `backend`.
    RoleName,
    "a role name",
    |text| plain_word(text, "only lower-case letters, digits and `-` are allowed")
);

name_type!(
    /// The name of a site.
    SiteName,
    "a site name",
    |text| plain_word(text, "only lower-case letters, digits and `-` are allowed")
);

fn plain_word(text: &str, why: &'static str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.starts_with('-')
        || !text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    {
        return Err(why);
    }
    Ok(text.to_owned())
}

name_type!(
    /// The name of a main.cf parameter, as postconf(5) spells it.
    Parameter,
    "a main.cf parameter",
    |text| {
        if text.is_empty() {
            return Err("it is empty");
        }
        // Per-service parameters carry the service's name: `smtp-amavis_destination_concurrency_limit`.
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b == b'.')
        {
            return Err("only letters, digits, `_`, `-` and `.` are allowed");
        }
        Ok(text.to_owned())
    }
);

name_type!(
    /// An absolute path on a managed host, normalised, with no byte that a shell,
    /// `type:table` syntax or main.cf would read as something else.
    RemotePath,
    "an absolute path",
    |text| {
        if !text.starts_with('/') {
            return Err("it does not begin with `/`");
        }
        if text.len() > 1024 {
            return Err("it is longer than 1024 bytes");
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"/._+@:%=-".contains(&b))
        {
            return Err("only letters, digits and `/._+@:%=-` are allowed");
        }
        if text == "/" || text.ends_with('/') {
            return Err("it names a directory");
        }
        if text[1..]
            .split('/')
            .any(|part| part.is_empty() || part == "." || part == "..")
        {
            return Err("it has an empty, `.` or `..` part");
        }
        Ok(text.to_owned())
    }
);

impl RemotePath {
    /// The directory of the path; `/` for a path directly below it.
    #[must_use]
    pub fn directory(&self) -> &str {
        match self.0.rfind('/') {
            Some(0) | None => "/",
            Some(at) => &self.0[..at],
        }
    }

    /// The last part of the path.
    #[must_use]
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

name_type!(
    /// A master.cf entry: service name and type, as in `lmtp/unix` (postconf(1) `-M`).
    ServiceName,
    "a master.cf service",
    |text| {
        let Some((name, kind)) = text.rsplit_once('/') else {
            return Err("it is not NAME/TYPE, as in `lmtp/unix`");
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic() && b != b'#') {
            return Err("its name is empty or has blanks");
        }
        // postconf(1) could not name it.
        if name.contains('/') {
            return Err("its name has a `/`");
        }
        if !matches!(kind, "inet" | "unix" | "fifo" | "pass" | "unix-dgram") {
            return Err("its type must be inet, unix, unix-dgram, fifo or pass");
        }
        // `PORT` or `HOST:PORT`, a number or a word of services(5) (master(5)).
        let port = name.rsplit(':').next().unwrap_or(name);
        let number = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if kind == "inet" && number && !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err("its port is not a number from 1 to 65535");
        }
        Ok(text.to_owned())
    }
);

impl ServiceName {
    /// Name and type, apart.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('/').unwrap_or((&self.0, ""))
    }
}

name_type!(
    /// The name of a user or group on a managed host.
    UserName,
    "a user or group name",
    |text| {
        if text.is_empty() || text.len() > 32 {
            return Err("it is empty or longer than 32 bytes");
        }
        if text.starts_with('-')
            || !text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        {
            return Err("only letters, digits, `.`, `_` and `-` are allowed");
        }
        Ok(text.to_owned())
    }
);

name_type!(
    /// A Postfix lookup table type: `hash`, `lmdb`, `ldap`.
    TableType,
    "a Postfix table type",
    |text| {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err("only letters, digits and `_` are allowed");
        }
        Ok(text.to_owned())
    }
);

impl TableType {
    /// The suffix of the index that `postmap` builds beside the source (postmap(1)),
    /// or none where the type has no index.
    #[must_use]
    pub fn index_suffix(&self) -> Option<&'static str> {
        match self.as_str() {
            "hash" | "btree" => Some(".db"),
            "lmdb" => Some(".lmdb"),
            "cdb" => Some(".cdb"),
            "dbm" => Some(".pag"),
            "sdbm" => Some(".pag"),
            _ => None,
        }
    }

    /// A type whose index has this suffix.
    #[must_use]
    pub fn of_index_suffix(suffix: &str) -> Option<Self> {
        ["hash", "lmdb", "cdb", "dbm"]
            .into_iter()
            .filter_map(|word| Self::new(word).ok())
            .find(|kind| kind.index_suffix() == Some(suffix))
    }
}

/// The permission bits of a file, octal in text: `0640`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mode(u32);

impl Mode {
    /// Takes the bits; anything above 0o7777 is cut.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits & 0o7777)
    }

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether a file with this mode may hold a secret: its owner and its group may read it, and no other user.
    #[must_use]
    pub const fn may_hold_secret(self) -> bool {
        self.0 & 0o027 == 0
    }

    /// Whether a user who is neither owner nor in the group can read.
    #[must_use]
    pub const fn world_readable(self) -> bool {
        self.0 & 0o004 != 0
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

impl FromStr for Mode {
    type Err = NameError;
    fn from_str(text: &str) -> Result<Self, NameError> {
        let error = |why| NameError {
            text: text.to_owned(),
            wanted: "a file mode",
            why,
        };
        if !(3..=4).contains(&text.len()) || !text.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
            return Err(error("it is not three or four octal digits, as in `0640`"));
        }
        u32::from_str_radix(text, 8)
            .map(Self)
            .map_err(|_| error("it is not octal"))
    }
}

impl TryFrom<String> for Mode {
    type Error = NameError;
    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Mode> for String {
    fn from(mode: Mode) -> String {
        mode.to_string()
    }
}
