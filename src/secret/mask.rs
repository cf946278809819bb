//! Masks what looks like a secret in text that was read from hosts, by its key.
//!
//! The secrets of the manifest are known by name and never reach a text (see [`Body`](super::Body));
//! this is for values on a host that was set up by hand, which no manifest marks as secret.

use super::MASK;
use std::collections::BTreeMap;

/// The mask of a secret that differs from the one on the other side of a diff.
pub const CHANGED: &str = "*** (changed)";

/// Masks the values of keys that name a secret: `bind_pw`, `*password*`, `*passwd*`, `*secret*` of
/// `key = value` and `key: value` lines with their continuation lines, such words inside a line
/// (`-o key=value`), a password in a URI, and private keys in PEM.
///
/// Masking twice is masking once.
#[must_use]
pub fn mask_secrets(text: &str) -> String {
    let (masked, _) = cut(text);
    masked
}

/// Masks a file's text before and after a change; where a secret differs, the text after says
/// so (`*** (changed)`), since both would read the same otherwise. Both texts must be the real ones.
#[must_use]
pub fn mask_pair(before: &str, after: &str) -> (String, String) {
    let (before, old) = cut(before);
    let (after, new) = cut(after);
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines: Vec<String> = after.split('\n').map(str::to_owned).collect();
    for secret in &new {
        // The third `bind_pw` of one side is compared with the third of the other.
        let nth = seen.entry(&secret.key).or_default();
        let other = old.iter().filter(|one| one.key == secret.key).nth(*nth);
        *nth += 1;
        // A side that was masked before cannot be compared.
        if other.is_some_and(|other| other.value != secret.value && other.value != MASK)
            && secret.value != MASK
            && let Some(line) = lines.get_mut(secret.line)
            && let Some(start) = line.strip_suffix(MASK)
        {
            *line = format!("{start}{CHANGED}");
        }
    }
    (before, lines.join("\n"))
}

/// Masks one value by its name, as for a main.cf parameter.
#[must_use]
pub fn mask_value(name: &str, value: &str) -> String {
    if names_secret(name, value) {
        MASK.to_owned()
    } else {
        mask_words(value)
    }
}

/// Masks the text of the file at `path`: by its keys, and line by line where the file's very name
/// says that it holds passwords (`/etc/postfix/sasl_passwd` has `host user:password` lines).
#[must_use]
pub fn mask_file(path: &str, text: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if !["passwd", "password", "secret"]
        .iter()
        .any(|word| name.contains(word))
    {
        return mask_secrets(text);
    }
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| match line.split_once([' ', '\t']) {
            Some((key, value)) if !line.starts_with('#') && !value.trim().is_empty() => {
                format!("{key} {MASK}")
            }
            _ => mask_secrets(line),
        })
        .collect();
    lines.join("\n")
}

/// Masks the live text of a file that is or was to hold secrets. `placed` is the desired text with its secrets masked:
/// its lines may be shown. Of other lines only the first word is shown, which is the key in `key value` tables.
#[must_use]
pub fn mask_beside(text: &str, placed: &str) -> String {
    let known: Vec<&str> = placed.lines().collect();
    let leads = known.iter().any(|line| line.starts_with(MASK));
    let lines = text.split('\n').map(|line| {
        if let Some(same) = known.iter().find(|known| differs_in_secret(line, known)) {
            return (*same).to_owned();
        }
        let by_key = key_and_value(line).is_some_and(|(start, ..)| start.contains(" ="));
        if line.trim().is_empty() || line.starts_with('#') || known.contains(&line) || by_key {
            return line.to_owned();
        }
        match line.split_whitespace().next() {
            Some(first) if !leads && first.len() < line.trim().len() => format!("{first} {MASK}"),
            _ => MASK.to_owned(),
        }
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// Whether a line is a masked one with another secret in its place.
fn differs_in_secret(line: &str, masked: &str) -> bool {
    masked.split_once(MASK).is_some_and(|(before, after)| {
        !before.is_empty()
            && line.len() >= before.len() + after.len()
            && line.starts_with(before)
            && line.ends_with(after)
    })
}

/// A masked value: its line, its key, and the value.
struct Cut {
    line: usize,
    key: String,
    value: String,
}

fn cut(text: &str) -> (String, Vec<Cut>) {
    let mut lines: Vec<String> = Vec::new();
    let mut cuts: Vec<Cut> = Vec::new();
    let mut continues = false;
    let mut private_key = false;
    for line in text.split('\n') {
        if private_key || (line.contains("-----BEGIN ") && line.contains("PRIVATE KEY-----")) {
            // The frame stays, so that a reader sees what was masked.
            private_key = !line.contains("-----END ");
            lines.push(if line.contains("-----") {
                line.to_owned()
            } else {
                MASK.to_owned()
            });
            continue;
        }
        if continues && line.starts_with([' ', '\t']) && !line.trim().is_empty() {
            if let Some(last) = cuts.last_mut() {
                last.value.push_str(line);
            }
            lines.push(format!("  {MASK}"));
            continue;
        }
        continues = false;
        match key_and_value(line) {
            Some((start, key, value)) if names_secret(key, value) => {
                continues = true;
                cuts.push(Cut {
                    line: lines.len(),
                    key: key.to_ascii_lowercase(),
                    value: value.to_owned(),
                });
                // Nothing after the key: the value may follow on the next line, or there is none.
                let shown = matches!(value, "" | MASK | CHANGED);
                lines.push(format!("{start}{}", if shown { value } else { MASK }));
            }
            _ => lines.push(mask_words(line)),
        }
    }
    (lines.join("\n"), cuts)
}

/// Splits a `key = value` or `key: value` line into all before the value, the key, and the value.
fn key_and_value(line: &str) -> Option<(&str, &str, &str)> {
    let at = line.find(['=', ':'])?;
    let key = line[..at]
        .trim()
        .trim_start_matches(['#', ' ', '"', '\''])
        .trim_end_matches(['"', '\'']);
    let well_formed = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    if !well_formed {
        return None;
    }
    let value = line[at + 1..].trim();
    let start = line.len() - line[at + 1..].trim_start().len();
    Some((&line[..start], key, value))
}

/// Whether the value under `key` is a secret.
fn names_secret(key: &str, value: &str) -> bool {
    let key = key.trim_start_matches('-').to_ascii_lowercase();
    let named = key.ends_with("bind_pw")
        || key.ends_with("bindpw")
        || key.ends_with("passphrase")
        || ["password", "passwd", "secret"]
            .iter()
            .any(|word| key.contains(word));
    // `smtp_sasl_password_maps = hash:/…` names a table and is worth reading; only the tables that
    // stand in the value itself hold the passwords (postconf(5), DATABASE_README).
    let table = key.ends_with("_maps") || key.ends_with("_file") || key.ends_with("_delimiter");
    named && (!table || value.contains("static:") || value.contains("inline:"))
}

/// Masks `key=value` words and passwords of URIs within a line.
fn mask_words(line: &str) -> String {
    if !line.contains(['=', '@']) {
        return line.to_owned();
    }
    line.split_inclusive([' ', '\t', ','])
        .map(|word| {
            let text = word.trim_end_matches([' ', '\t', ',']);
            let tail = &word[text.len()..];
            if let Some((key, value)) = text.split_once('=')
                && !value.is_empty()
                && names_secret(key, value)
            {
                return format!("{key}={MASK}{tail}");
            }
            if let Some((scheme, rest)) = text.split_once("://")
                && let Some((login, host)) = rest.split_once('@')
                && let Some((user, password)) = login.split_once(':')
                && !password.is_empty()
                && !login.contains('/')
            {
                return format!("{scheme}://{user}:{MASK}@{host}{tail}");
            }
            word.to_owned()
        })
        .collect()
}

#[cfg(test)]
mod beside {
    use super::*;

    #[test]
    fn a_live_line_shows_its_key_only_where_a_secret_belongs() {
        let placed = "# note\n[a]:587 user:***\n[b]:25 x\n";
        let live = "# note\n[a]:587 user:old\n[a]:587 other:old\n[b]:25 x\nhunter2\nscope = sub\n";
        assert_eq!(
            mask_beside(live, placed),
            "# note\n[a]:587 user:***\n[a]:587 ***\n[b]:25 x\n***\nscope = sub\n"
        );
        assert_eq!(mask_beside("hunter2 OK", "*** OK"), MASK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_masked_by_their_key() {
        for (text, masked) in [
            ("bind_pw = hunter2\n", "bind_pw = ***\n"),
            ("ldap_bind_pw=hunter2", "ldap_bind_pw=***"),
            ("db_password: hunter2", "db_password: ***"),
            ("#bind_pw = old", "#bind_pw = ***"),
            (
                "db_passwd =\n hunter2\nnext = 1",
                "db_passwd =\n  ***\nnext = 1",
            ),
            (
                "client_secret = a\n  b\nnext = 1",
                "client_secret = ***\n  ***\nnext = 1",
            ),
            ("bind_dn = cn=x", "bind_dn = cn=x"),
            (
                "smtp_sasl_password_maps = hash:/x",
                "smtp_sasl_password_maps = hash:/x",
            ),
            (
                "smtp_sasl_password_maps = static:u:pw",
                "smtp_sasl_password_maps = ***",
            ),
            (
                "x unix - n -o some_password=pw -v",
                "x unix - n -o some_password=*** -v",
            ),
            (
                "hosts = mysql://u:pw@db/mail",
                "hosts = mysql://u:***@db/mail",
            ),
        ] {
            assert_eq!(mask_secrets(text), masked);
            assert_eq!(mask_secrets(masked), masked, "twice is once");
        }
    }

    #[test]
    fn private_keys_are_masked_inside_their_frame() {
        let text =
            "-----BEGIN PRIVATE KEY-----\nMIIE\nAAAA\n-----END PRIVATE KEY-----\nafter = 1\n";
        assert_eq!(
            mask_secrets(text),
            "-----BEGIN PRIVATE KEY-----\n***\n***\n-----END PRIVATE KEY-----\nafter = 1\n"
        );
    }

    #[test]
    fn a_changed_secret_is_told_from_an_unchanged_one() {
        let (before, after) = mask_pair("a = 1\nbind_pw = x\n", "a = 2\nbind_pw = y\n");
        assert_eq!(before, "a = 1\nbind_pw = ***\n");
        assert_eq!(after, "a = 2\nbind_pw = *** (changed)\n");
        assert_eq!(mask_secrets(&after), after);
        let (_, after) = mask_pair("bind_pw = x\n", "bind_pw = x\n");
        assert_eq!(after, "bind_pw = ***\n");
    }

    #[test]
    fn a_password_file_is_masked_line_by_line() {
        assert_eq!(
            mask_file(
                "/etc/postfix/sasl_passwd",
                "# relays\n[smtp.x]:587 user:pw\n"
            ),
            "# relays\n[smtp.x]:587 ***\n"
        );
    }
}
