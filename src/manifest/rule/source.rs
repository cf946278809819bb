//! The rules of the texts that say where a secret comes from, and when something is.

use super::holds::require;
use crate::calendar::moment;
use crate::manifest::shape::Rule;

/// The name of a credential of systemd (systemd.exec(5)): a file name.
pub static CREDENTIAL: Rule = Rule {
    what: "the name of a credential",
    hint: "write the name that the unit gives it, as in `LoadCredential=NAME:PATH`",
    check: |text| {
        require(
            !text.is_empty() && text.len() <= 255,
            "it has no, or more than 255 bytes",
        )?;
        require(!matches!(text, "." | ".."), "it is no file name")?;
        let fits = |b: u8| b.is_ascii_graphic() && b != b'/' && b != b':';
        require(
            text.bytes().all(fits),
            "it can only hold printable characters without `/` and `:`",
        )
    },
};

/// A file that sops has encrypted.
pub static SOPS_FILE: Rule = Rule {
    what: "the path of a YAML or JSON file",
    hint: "write a path such as `secrets/mail.enc.yaml`; sops knows the format by the ending",
    check: |text| {
        let endings = [".yaml", ".yml", ".json"];
        require(
            endings.iter().any(|ending| text.ends_with(ending)),
            "it ends neither with `.yaml`, `.yml` nor with `.json`",
        )
    },
};

/// Keys with dots between them.
pub static KEY_PATH: Rule = Rule {
    what: "a path of keys",
    hint: "write the keys with dots between them, as in `ldap.password`; write a list where a key has a dot",
    check: |text| {
        require(
            !text.split('.').any(str::is_empty),
            "one of its keys is empty",
        )
    },
};

/// A path in a KV store, or of a mount.
pub static KV_PATH: Rule = Rule {
    what: "a path in Vault",
    hint: "write it without `/` at its ends, such as `mail/ldap`",
    check: |text| {
        require(
            !text.split('/').any(|part| matches!(part, "" | "." | "..")),
            "one of its parts is empty, `.` or `..`",
        )?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~@+=,:".contains(&b);
        require(
            text.bytes().all(fits),
            "it can only hold letters, digits and `/-_.~@+=,:`",
        )
    },
};

/// A moment.
pub static MOMENT: Rule = Rule {
    what: "a moment",
    hint: "write a day, such as `2026-12-18`, or a time of it in UTC, such as `2026-12-18T16:00Z`",
    check: |text| {
        require(
            moment(text).is_some(),
            "it is no day or time of the calendar",
        )
    },
};

/// A server that is reached over TLS.
pub static HTTPS: Rule = Rule {
    what: "the address of a server",
    hint: "write it as `https://vault.example.org:8200`",
    check: |text| {
        let rest = text
            .strip_prefix("https://")
            .ok_or_else(|| "it does not begin with `https://`".to_owned())?;
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._~:[]/".contains(&b);
        require(
            !rest.is_empty() && !rest.starts_with([':', '/']),
            "it names no host",
        )?;
        require(
            rest.bytes().all(fits),
            "it has a user, a query or a character that needs an escape",
        )
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_takes_what_its_program_takes() {
        let rows: [(&Rule, &str, &str); 5] = [
            (&CREDENTIAL, "ldap-pw", "a/b"),
            (&SOPS_FILE, "s/x.enc.yml", "x.env"),
            (&KEY_PATH, "a.0.b", "a..b"),
            (&KV_PATH, "mail/ldap", "mail/../x"),
            (&HTTPS, "https://[::1]:8200", "https://u@h"),
        ];
        for (rule, right, wrong) in rows {
            assert_eq!((rule.check)(right), Ok(()), "{right}");
            assert!((rule.check)(wrong).is_err(), "{wrong}");
            assert!((rule.check)("").is_err(), "{rule:?}");
        }
        for wrong in [
            "http://vault:8200",
            "https://",
            "https://:1",
            "https://h?x",
            "vault",
        ] {
            assert!((HTTPS.check)(wrong).is_err(), "{wrong}");
        }
        for wrong in ["/a", "a/", "a b", "a?b", "a#", "a%2e"] {
            assert!((KV_PATH.check)(wrong).is_err(), "{wrong}");
        }
    }
}
