//! LDAP URLs (RFC 4516), as dynamic groups have them.

use super::search::SearchScope;

/// The parts of an LDAP URL that a search uses. The server in it is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapUrl {
    /// The base of the search.
    pub base: String,
    /// The attributes that are wanted; empty for all.
    pub attributes: Vec<String>,
    /// The scope; the base alone if the URL names none.
    pub scope: SearchScope,
    /// The filter; none stands for every entry.
    pub filter: Option<String>,
}

/// Whether and how a text is an LDAP URL: none if it is not one, an error if it is one with faults.
#[must_use]
pub fn read_url(text: &str) -> Option<Result<LdapUrl, ()>> {
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    let scheme = ["ldap://", "ldaps://", "ldapi://"];
    let scheme = scheme
        .into_iter()
        .find(|scheme| lower.starts_with(scheme))?;
    Some(parts(&text[scheme.len()..]))
}

fn parts(rest: &str) -> Result<LdapUrl, ()> {
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let mut parts = path.split('?');
    let mut next = || decoded(parts.next().unwrap_or_default());
    let base = next()?;
    let attributes = next()?;
    let scope = match next()?.to_ascii_lowercase().as_str() {
        "" | "base" => SearchScope::Base,
        "one" | "onelevel" => SearchScope::One,
        "sub" | "subtree" => SearchScope::Subtree,
        _ => return Err(()),
    };
    let filter = Some(next()?).filter(|filter| !filter.is_empty());
    let attributes = attributes.split(',').filter(|name| !name.is_empty());
    Ok(LdapUrl {
        base,
        attributes: attributes.map(str::to_owned).collect(),
        scope,
        filter,
    })
}

/// A text with each `%` and two hexadecimal digits as the byte that they stand for.
fn decoded(text: &str) -> Result<String, ()> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit().ok_or(())?, digit().ok_or(())?);
        bytes.push(u8::try_from(high * 16 + low).map_err(|_| ())?);
    }
    String::from_utf8(bytes).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4516, section 4.
    #[test]
    fn urls_are_read() {
        let url = read_url("ldap:///ou=People,dc=example,dc=org??sub?(title=eng%20ineer)");
        assert_eq!(
            url,
            Some(Ok(LdapUrl {
                base: "ou=People,dc=example,dc=org".to_owned(),
                attributes: Vec::new(),
                scope: SearchScope::Subtree,
                filter: Some("(title=eng ineer)".to_owned()),
            }))
        );
        let short = read_url("LDAP://host/dc=x?mail,cn");
        let expected = (SearchScope::Base, None, 2);
        assert_eq!(
            short
                .and_then(Result::ok)
                .map(|url| (url.scope, url.filter, url.attributes.len())),
            Some(expected)
        );
        assert_eq!(read_url("uid=a,dc=x"), None);
        assert_eq!(read_url("ldap:///dc=x??children?(a=1)"), Some(Err(())));
    }
}
