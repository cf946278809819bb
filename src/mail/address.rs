//! Mail addresses: the form that Postfix works with (internal), the one in tables (external, quoted), and extensions.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The local part and the domain of an address in internal form; the last `@` separates them.
#[must_use]
pub fn split(address: &str) -> (&str, Option<&str>) {
    match address.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (address, None),
    }
}

/// Whether the domain of an address is none, or may be one. Names are judged after the host's own are stripped.
#[must_use]
pub fn has_mail_domain(address: &str) -> bool {
    let domain = split(address).1;
    domain.is_none_or(|domain| match domain.starts_with('[') {
        true => is_mail_domain(domain),
        false => !domain.is_empty(),
    })
}

/// Whether a domain has the form of a host name, or of an address in brackets (`valid_hostname` of Postfix).
#[must_use]
pub fn is_mail_domain(domain: &str) -> bool {
    const LONGEST: usize = 255;
    const LONGEST_LABEL: usize = 63;
    if let Some(literal) = domain.strip_prefix('[') {
        let address = literal.strip_suffix(']').unwrap_or_default();
        let is_ipv6 = address
            .get(..5)
            .is_some_and(|word| word.eq_ignore_ascii_case("ipv6:"));
        return match is_ipv6 {
            true => address[5..].parse::<Ipv6Addr>().is_ok(),
            false => address.parse::<Ipv4Addr>().is_ok(),
        };
    }
    // A name with other letters is one where IDNA can convert it.
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii();
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(is_letter)
    };
    let is_numeric = domain.chars().all(|c| c.is_ascii_digit() || c == '.');
    domain.len() <= LONGEST && !is_numeric && domain.split('.').all(is_label)
}

/// The external form of an address: the local part is quoted where RFC 822 requires it.
#[must_use]
pub fn quoted(address: &str) -> String {
    let (local, domain) = split(address);
    let local = if is_dot_string(local) {
        local.to_owned()
    } else {
        let escaped = local.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{escaped}\"")
    };
    domain.map_or(local.clone(), |domain| format!("{local}@{domain}"))
}

/// Whether a local part needs no quotes. UTF-8 needs none.
fn is_dot_string(local: &str) -> bool {
    let is_special = |c: char| c.is_ascii_control() || " ()<>@,;:\\\"[]".contains(c);
    !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && !local.contains(is_special)
}

/// The internal form of an address: without quotes and escapes in the local part.
#[must_use]
pub fn unquoted(address: &str) -> String {
    let mut plain = String::with_capacity(address.len());
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, c) in address.char_indices() {
        match c {
            c if is_escaped => {
                plain.push(c);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '@' if !is_quoted => return plain + &address[at..],
            c => plain.push(c),
        }
    }
    plain
}

/// The internal form of an address as people and directories write it: with quotes around its local part it is in external
/// form, else it is in internal form already.
#[must_use]
pub fn internal(address: &str) -> String {
    let (local, _) = split(address);
    match local.len() > 1 && local.starts_with('"') && local.ends_with('"') {
        true => unquoted(address),
        false => address.to_owned(),
    }
}

/// How the extension of an address is recognized.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtensionRules {
    /// `recipient_delimiter`.
    pub delimiters: String,
    /// `owner_request_special`.
    pub owner_request_special: bool,
    /// `double_bounce_sender`.
    pub double_bounce: String,
}

impl ExtensionRules {
    /// An address without its extension, and the extension with its delimiter; none if it has no extension.
    #[must_use]
    pub fn split(&self, address: &str) -> Option<(String, String)> {
        let (local, domain) = split(address);
        let is = |name: &str| local.eq_ignore_ascii_case(name);
        if is("postmaster") || is("mailer-daemon") || is(&self.double_bounce) {
            return None;
        }
        let lower = local.to_ascii_lowercase();
        let is_list = lower.starts_with("owner-") || lower.len() > 8 && lower.ends_with("-request");
        if self.delimiters.contains('-') && self.owner_request_special && is_list {
            return None;
        }
        let at = local
            .find(|c| self.delimiters.contains(c))
            .filter(|at| *at > 0)?;
        let bare = domain.map_or(local[..at].to_owned(), |domain| {
            format!("{}@{domain}", &local[..at])
        });
        Some((bare, local[at..].to_owned()))
    }
}

/// Whether a local part in internal form has a character that Postfix takes for a route to another host (`resolve_dequoted_address`,
/// `allow_percent_hack`, `swap_bangpath`).
#[must_use]
pub fn is_routed(local: &str) -> bool {
    local.contains(['@', '%', '!'])
}

/// The addresses of a list in external form, separated by commas or blanks, each in internal form; none if the list has a
/// form that is not modelled: comments, routes, names before `<`.
#[must_use]
pub fn list(text: &str) -> Option<Vec<String>> {
    let (mut items, mut item) = (Vec::new(), String::new());
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '(' | ')' | '<' | '>' | ';' | ':' if !is_quoted => return None,
            ',' | ' ' | '\t' | '\n' if !is_quoted => {
                if !item.is_empty() {
                    items.push(std::mem::take(&mut item));
                }
                continue;
            }
            _ => {}
        }
        item.push(c);
    }
    if is_quoted || is_escaped {
        return None;
    }
    if !item.is_empty() {
        items.push(item);
    }
    Some(items.iter().map(|item| unquoted(item)).collect())
}

/// An address with an extension added to its local part.
#[must_use]
pub fn with_extension(address: &str, extension: &str) -> String {
    let (local, domain) = split(address);
    domain.map_or(format!("{local}{extension}"), |domain| {
        format!("{local}{extension}@{domain}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5321, 4.1.2, as quote_822_local of Postfix applies it.
    #[test]
    fn local_parts_are_quoted_where_they_must_be() {
        for (internal, external) in [
            ("john@example.org", "john@example.org"),
            (
                "folder+shared/memo@example.org",
                "folder+shared/memo@example.org",
            ),
            ("a b@example.org", "\"a b\"@example.org"),
            ("a\"b@example.org", "\"a\\\"b\"@example.org"),
            ("a@b@example.org", "\"a@b\"@example.org"),
            (".a@example.org", "\".a\"@example.org"),
            ("ü@example.org", "ü@example.org"),
            ("john", "john"),
        ] {
            assert_eq!(quoted(internal), external);
            assert_eq!(unquoted(external), internal);
        }
        assert_eq!(unquoted("\"dora\"@x"), "dora@x");
    }

    #[test]
    fn only_what_is_in_quotes_is_in_external_form() {
        for (text, expected) in [
            ("\"a b\"@x.org", "a b@x.org"),
            ("\"a\\\"b\"@x.org", "a\"b@x.org"),
            ("\"dora\"@x.org", "dora@x.org"),
            ("a b@x.org", "a b@x.org"),
            ("back\\slash@x.org", "back\\slash@x.org"),
            ("\"@x.org", "\"@x.org"),
            ("\"\"@x.org", "@x.org"),
            ("\"john\"", "john"),
        ] {
            assert_eq!(internal(text), expected, "{text}");
        }
    }

    /// postconf(5), `recipient_delimiter` and `owner_request_special`.
    #[test]
    fn extensions_are_split() {
        let rules = |delimiters: &str| ExtensionRules {
            delimiters: delimiters.to_owned(),
            owner_request_special: true,
            double_bounce: "double-bounce".to_owned(),
        };
        for (delimiters, address, bare) in [
            ("+", "john+x+y@example.org", Some("john@example.org")),
            ("+", "john@example.org", None),
            ("", "john+x@example.org", None),
            ("+", "+x@example.org", None),
            ("+", "postmaster+x", Some("postmaster")),
            ("-", "owner-list@example.org", None),
            ("-", "list-request@example.org", None),
            ("-", "double-bounce@example.org", None),
            ("+-", "john-x@example.org", Some("john@example.org")),
        ] {
            let split = rules(delimiters).split(address);
            assert_eq!(split.map(|(bare, _)| bare).as_deref(), bare, "{address}");
        }
    }

    /// virtual(5), "TABLE FORMAT": several addresses.
    #[test]
    fn lists_are_split() {
        for (text, items) in [
            ("a@x, b@x", Some(vec!["a@x", "b@x"])),
            ("a@x b@x,", Some(vec!["a@x", "b@x"])),
            ("\"f+a b\"@x", Some(vec!["f+a b@x"])),
            ("", Some(vec![])),
            ("John <a@x>", None),
            ("\"a", None),
        ] {
            let items = items.map(|items| items.into_iter().map(str::to_owned).collect());
            assert_eq!(list(text), items, "{text}");
        }
    }
}
