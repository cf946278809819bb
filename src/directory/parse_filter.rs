//! Parses LDAP filters as OpenLDAP's library does.

use super::filter::{Assertion, LdapFilter, Pattern, PatternPart};

/// Why a filter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The LDAP library refuses it (error -7, "Bad search filter"): each search fails.
    #[error("it is not an LDAP filter")]
    Syntax,
    /// The server understands it, and this model does not.
    #[error("`{0}` is not modelled")]
    NotModelled(String),
}

/// Filters nested deeper than this are not parsed.
const DEPTH: usize = 64;

/// Attributes that servers compare by parts in different ways, in lower case.
const WITHOUT_SUBSTRINGS: [&str; 3] = ["mailhost", "maillocaladdress", "mailroutingaddress"];

/// Parses a filter. With `is_template`, `%` and a character are a place-holder, and `%%` is a percent sign.
///
/// # Errors
/// If it is no filter, or has an item that is not modelled: `>=`, `<=`, `~=`, an extensible match, or a part of a value of an attribute
/// that only some servers compare by parts.
pub fn parse_filter(text: &str, is_template: bool) -> Result<LdapFilter, FilterError> {
    let mut parser = Parser {
        rest: text.trim(),
        is_template,
    };
    let filter = if parser.rest.starts_with('(') {
        parser.filter(DEPTH)?
    } else {
        // The library takes one item without parentheses.
        let item = std::mem::take(&mut parser.rest);
        parser.item(item)?
    };
    if parser.rest.trim().is_empty() {
        Ok(filter)
    } else {
        Err(FilterError::Syntax)
    }
}

struct Parser<'a> {
    rest: &'a str,
    is_template: bool,
}

impl<'a> Parser<'a> {
    fn filter(&mut self, depth: usize) -> Result<LdapFilter, FilterError> {
        let depth = depth.checked_sub(1).ok_or(FilterError::Syntax)?;
        self.rest = self.rest.trim_start();
        self.rest = self
            .rest
            .strip_prefix('(')
            .ok_or(FilterError::Syntax)?
            .trim_start();
        let first = self.rest.chars().next().ok_or(FilterError::Syntax)?;
        let filter = match first {
            '&' | '|' => {
                let parts = self.parts(depth)?;
                if first == '&' {
                    LdapFilter::And(parts)
                } else {
                    LdapFilter::Or(parts)
                }
            }
            '!' => {
                self.rest = &self.rest[1..];
                LdapFilter::Not(Box::new(self.filter(depth)?))
            }
            _ => {
                let end = self.end_of_item().ok_or(FilterError::Syntax)?;
                let (item, rest) = self.rest.split_at(end);
                self.rest = rest;
                self.item(item)?
            }
        };
        self.rest = self.rest.trim_start();
        self.rest = self.rest.strip_prefix(')').ok_or(FilterError::Syntax)?;
        Ok(filter)
    }

    fn parts(&mut self, depth: usize) -> Result<Vec<LdapFilter>, FilterError> {
        self.rest = &self.rest[1..];
        let mut parts = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('(') {
                return Ok(parts);
            }
            parts.push(self.filter(depth)?);
        }
    }

    /// Where the `)` of an item is; parentheses in values are escaped.
    fn end_of_item(&self) -> Option<usize> {
        let mut is_escaped = false;
        for (at, c) in self.rest.char_indices() {
            match c {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '(' => return None,
                ')' => return Some(at),
                _ => {}
            }
        }
        None
    }

    fn item(&self, item: &'a str) -> Result<LdapFilter, FilterError> {
        let (left, value) = item.split_once('=').ok_or(FilterError::Syntax)?;
        let attribute = left.trim();
        if attribute.ends_with(['<', '>', '~', ':']) {
            return Err(FilterError::NotModelled(format!("({item})")));
        }
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ';' | '.' | '_');
        if attribute.is_empty() || !attribute.chars().all(is_name) {
            let holder = self.is_template && attribute.contains('%');
            let item = format!("({item})");
            return Err(if holder {
                FilterError::NotModelled(item)
            } else {
                FilterError::Syntax
            });
        }
        let mut parts = self.patterns(value)?;
        let assertion = match parts.len() {
            2 if parts.iter().all(Pattern::is_empty) => Assertion::Present,
            0 | 1 => Assertion::Equal(parts.pop().unwrap_or_default()),
            // OpenLDAP's schemas have no substring rule for it, so that nothing matches there; other servers have one.
            _ if WITHOUT_SUBSTRINGS
                .iter()
                .any(|own| attribute.eq_ignore_ascii_case(own)) =>
            {
                return Err(FilterError::NotModelled(format!("({item})")));
            }
            _ => Assertion::Substrings(parts),
        };
        Ok(LdapFilter::Item {
            attribute: attribute.to_ascii_lowercase(),
            assertion,
        })
    }

    /// The parts of a value between its `*`.
    fn patterns(&self, value: &str) -> Result<Vec<Pattern>, FilterError> {
        let (mut parts, mut part, mut text) = (Vec::new(), Pattern::default(), Vec::new());
        let mut rest = value.chars();
        while let Some(c) = rest.next() {
            let mut buffer = [0; 4];
            match c {
                '*' => {
                    close(&mut part, &mut text);
                    parts.push(std::mem::take(&mut part));
                }
                '\\' => text.push(escaped(&mut rest)?),
                '%' if self.is_template => match rest.next() {
                    Some('%') => text.push(b'%'),
                    Some(letter) => {
                        close(&mut part, &mut text);
                        part.0.push(PatternPart::Placeholder(letter));
                    }
                    None => return Err(FilterError::Syntax),
                },
                c => text.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes()),
            }
        }
        close(&mut part, &mut text);
        parts.push(part);
        Ok(parts)
    }
}

/// Ends the text that was collected so far.
fn close(part: &mut Pattern, text: &mut Vec<u8>) {
    if !text.is_empty() {
        let text = String::from_utf8_lossy(&std::mem::take(text)).into_owned();
        part.0.push(PatternPart::Text(text));
    }
}

/// The byte of an escape: two hexadecimal digits, or one of the characters that LDAPv2 escaped by themselves.
fn escaped(rest: &mut std::str::Chars<'_>) -> Result<u8, FilterError> {
    let mut ahead = rest.clone();
    let first = ahead.next().ok_or(FilterError::Syntax)?;
    if matches!(first, '(' | ')' | '*' | '\\') {
        rest.next();
        return u8::try_from(u32::from(first)).map_err(|_| FilterError::Syntax);
    }
    let digits = first
        .to_digit(16)
        .zip(ahead.next().and_then(|c| c.to_digit(16)));
    let (high, low) = digits.ok_or(FilterError::Syntax)?;
    *rest = ahead;
    u8::try_from(high * 16 + low).map_err(|_| FilterError::Syntax)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(attribute: &str, assertion: Assertion) -> LdapFilter {
        LdapFilter::Item {
            attribute: attribute.to_owned(),
            assertion,
        }
    }

    fn text(text: &str) -> Pattern {
        if text.is_empty() {
            return Pattern::default();
        }
        Pattern(vec![PatternPart::Text(text.to_owned())])
    }

    /// RFC 4515, section 4.
    #[test]
    fn filters_are_parsed() {
        let holder = Pattern(vec![PatternPart::Placeholder('s')]);
        for (filter, parsed) in [
            ("(mail=%s)", item("mail", Assertion::Equal(holder.clone()))),
            ("mail=%s", item("mail", Assertion::Equal(holder))),
            ("(objectClass=*)", item("objectclass", Assertion::Present)),
            (r"(cn=a\2ab%%)", item("cn", Assertion::Equal(text("a*b%")))),
            (r"(cn=a\(b)", item("cn", Assertion::Equal(text("a(b")))),
            (
                "(cn=a*)",
                item("cn", Assertion::Substrings(vec![text("a"), text("")])),
            ),
            (
                "( & (a=1) (!(b=2)) )",
                LdapFilter::And(vec![
                    item("a", Assertion::Equal(text("1"))),
                    LdapFilter::Not(Box::new(item("b", Assertion::Equal(text("2"))))),
                ]),
            ),
            ("(|)", LdapFilter::Or(Vec::new())),
        ] {
            assert_eq!(parse_filter(filter, true), Ok(parsed), "{filter}");
        }
    }

    /// What OpenLDAP's library refuses with -7, as an `\` at a line's end in the published recipe does.
    #[test]
    fn what_is_no_filter_is_refused() {
        for filter in [
            "",
            "(",
            "(mail=a",
            "(&(mail=a) \\ (b=c))",
            "(mail)",
            "(a=1))",
            r"(a=\zz)",
            "(=x)",
        ] {
            assert_eq!(
                parse_filter(filter, true),
                Err(FilterError::Syntax),
                "{filter}"
            );
        }
        for filter in [
            "(a>=1)",
            "(a~=1)",
            "(cn:dn:=x)",
            "(%s=1)",
            "(mailHost=b*)",
            "(mailroutingaddress=*@x)",
        ] {
            let parsed = parse_filter(filter, true);
            assert!(
                matches!(parsed, Err(FilterError::NotModelled(_))),
                "{filter}"
            );
        }
        let deep = format!("{}(a=1){}", "(!".repeat(9000), ")".repeat(9000));
        assert_eq!(parse_filter(&deep, false), Err(FilterError::Syntax));
    }
}
