//! LDAP filters (RFC 4515), and the names of attributes and mechanisms.

use super::holds::require;
use crate::manifest::shape::Rule;

/// An LDAP filter.
pub static FILTER: Rule = Rule {
    what: "an LDAP filter",
    hint: "write it with its parentheses, as in `(!(nsAccountLock=TRUE))`; in values, write `*`, `(`, `)` and `\\` as `\\2a`, `\\28`, `\\29` and `\\5c` (RFC 4515)",
    check: |text| {
        let mut filter = Filter { text, at: 0 };
        filter.one(0)?;
        match filter.peek() {
            None => Ok(()),
            Some(_) => Err(filter.wrong("nothing can follow the filter")),
        }
    },
};

/// An attribute's name.
pub static ATTRIBUTE: Rule = Rule {
    what: "the name of an LDAP attribute",
    hint: "write a name such as `proxyAddresses`",
    check: |text| {
        require(
            is_descriptor(text),
            "it can only hold letters, digits and `-`",
        )
    },
};

/// What stands before each address in the values of an attribute.
pub static PREFIX: Rule = Rule {
    what: "what stands before each address",
    hint: "write it as the directory has it, such as `smtp:`",
    check: |text| {
        require(
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()),
            "it is empty, or has blanks or characters beyond ASCII",
        )?;
        require(!text.contains('@'), "an address has only one `@`")
    },
};

/// A SASL mechanism.
pub static MECHANISM: Rule = Rule {
    what: "a SASL mechanism",
    hint: "write a name such as `GSSAPI`, `EXTERNAL` or `SCRAM-SHA-256`",
    check: |text| {
        let fits = |byte: u8| {
            byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
        };
        require(
            (1..=20).contains(&text.len()) && text.bytes().all(fits),
            "it is not one to twenty capital letters, digits, `-` and `_` (RFC 4422)",
        )
    },
};

/// Filters nested deeper than this are refused.
const DEPTH: usize = 32;

/// A filter that is being read.
struct Filter<'a> {
    text: &'a str,
    /// How many bytes have been read.
    at: usize,
}

impl Filter<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    /// What is wrong, with the place where reading stopped, counted in characters from 1.
    fn wrong(&self, why: &str) -> String {
        let before = self.text.get(..self.at).unwrap_or(self.text);
        format!("{why} (at character {})", before.chars().count() + 1)
    }

    fn demand(&mut self, wanted: char) -> Result<(), String> {
        if self.peek() == Some(wanted) {
            self.take();
            return Ok(());
        }
        Err(self.wrong(&format!("a `{wanted}` is missing")))
    }

    /// `filter = "(" filtercomp ")"`
    fn one(&mut self, depth: usize) -> Result<(), String> {
        if depth > DEPTH {
            return Err(self.wrong("it is nested too deeply"));
        }
        self.demand('(')?;
        match self.peek() {
            Some('&' | '|') => {
                self.take();
                if self.peek() != Some('(') {
                    return Err(self.wrong("`&` and `|` need a filter in parentheses"));
                }
                while self.peek() == Some('(') {
                    self.one(depth + 1)?;
                }
            }
            Some('!') => {
                self.take();
                self.one(depth + 1)?;
            }
            _ => self.item()?,
        }
        self.demand(')')
    }

    /// `attr=value`, `attr~=value`, `attr>=value`, `attr<=value`, `attr=*`, substrings, or an extensible match
    /// (`attr:dn:rule:=value`).
    fn item(&mut self) -> Result<(), String> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|c| c.is_ascii_alphanumeric() || "-.;:".contains(c))
        {
            self.take();
        }
        let name = self.text.get(start..self.at).unwrap_or_default();
        let extensible = name.contains(':');
        let operator = match self.peek() {
            Some(sign @ ('~' | '>' | '<')) => {
                self.take();
                Some(sign)
            }
            _ => None,
        };
        if self.peek() != Some('=') {
            return Err(self.wrong("an attribute and `=` are missing"));
        }
        let good = if extensible {
            operator.is_none() && is_extensible(name)
        } else {
            is_description(name)
        };
        if !good {
            self.at = start;
            return Err(self.wrong("the attribute before `=` is not one of RFC 4512"));
        }
        self.take();
        let stars = operator.is_none() && !extensible;
        self.value(stars)
    }

    fn value(&mut self, stars: bool) -> Result<(), String> {
        let mut before = None;
        while let Some(character) = self.peek() {
            match character {
                ')' => return Ok(()),
                '(' => return Err(self.wrong("a `(` in a value is written as `\\28`")),
                '*' if !stars || before == Some('*') => {
                    return Err(self.wrong("a `*` of the value itself is written as `\\2a`"));
                }
                '\\' => {
                    let digits = self.text.get(self.at + 1..self.at + 3);
                    if !digits.is_some_and(|two| two.bytes().all(|b| b.is_ascii_hexdigit())) {
                        return Err(self.wrong("a `\\` needs two hexadecimal digits"));
                    }
                    self.at += 3;
                    before = Some(character);
                    continue;
                }
                _ => {}
            }
            before = self.take();
        }
        Err(self.wrong("a `)` is missing"))
    }
}

/// `descr` of RFC 4512, or an OID.
fn is_descriptor(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_oid(text: &str) -> bool {
    is_descriptor(text)
        || (text.contains('.')
            && text
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())))
}

/// An attribute with options: `cn;lang-en`.
fn is_description(text: &str) -> bool {
    let mut parts = text.split(';');
    parts.next().is_some_and(is_oid)
        && parts.all(|option| {
            !option.is_empty()
                && option
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// `[attr][":dn"][":" rule]":"`, with an attribute or a rule.
fn is_extensible(text: &str) -> bool {
    let Some(text) = text.strip_suffix(':') else {
        return false;
    };
    let mut parts = text.split(':');
    let attribute = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    if rest
        .first()
        .is_some_and(|part| part.eq_ignore_ascii_case("dn"))
    {
        rest.remove(0);
    }
    let named = attribute.is_empty() || is_description(attribute);
    match rest.as_slice() {
        [] => named && !attribute.is_empty(),
        [rule] => named && is_oid(rule),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::FILTER;

    #[test]
    fn filters_of_rfc_4515_and_of_sites_are_taken() {
        for text in [
            "(cn=Babs Jensen)",
            "(!(cn=Tim Howes))",
            "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
            "(o=univ*of*mich*)",
            "(seeAlso=)",
            "(cn:caseExactMatch:=Fred Flintstone)",
            "(cn:=Betty Rubble)",
            "(sn:dn:2.4.6.8.10:=Barney Rubble)",
            "(o:dn:=Ace Industry)",
            "(:1.2.3:=Wilma Flintstone)",
            "(:DN:2.4.6.8.10:=Dino)",
            "(o=Parens R Us \\28for all your parenthetical needs\\29)",
            "(cn=*\\2A*)",
            "(filename=C:\\5cMyFile)",
            "(bin=\\00\\00\\00\\04)",
            "(sn=Lu\\c4\\8di\\c4\\87)",
            "(sn=Lučić)",
            "(1.3.6.1.4.1.1466.0=\\04\\02\\48\\69)",
            "(!(userAccountControl:1.2.840.113556.1.4.803:=2))",
            "(mail=*)",
            "(cn;lang-en~=x)",
            "(accountExpires>=1)",
            "(quota=100%)",
        ] {
            assert_eq!((FILTER.check)(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_says_why_and_where() {
        for (text, why) in [
            ("", "a `(` is missing (at character 1)"),
            ("objectClass=person", "a `(` is missing (at character 1)"),
            ("(objectClass=person", "a `)` is missing (at character 20)"),
            ("(a=b))", "nothing can follow the filter (at character 6)"),
            (
                "(a=b)(c=d)",
                "nothing can follow the filter (at character 6)",
            ),
            ("(a=b) ", "nothing can follow the filter (at character 6)"),
            ("(&)", "need a filter in parentheses (at character 3)"),
            ("(&(a=b)", "a `)` is missing (at character 8)"),
            ("(& (a=b))", "need a filter in parentheses (at character 3)"),
            ("(!a=b)", "a `(` is missing (at character 3)"),
            ("(a=b(c))", "`\\28` (at character 5)"),
            ("(a=\\2)", "two hexadecimal digits (at character 4)"),
            ("(a=\\zz)", "two hexadecimal digits (at character 4)"),
            ("(a=é\\)", "two hexadecimal digits (at character 5)"),
            ("(a>=*)", "`\\2a` (at character 5)"),
            ("(a=b**c)", "`\\2a` (at character 6)"),
            ("(=b)", "not one of RFC 4512 (at character 2)"),
            (
                "(a_b=c)",
                "an attribute and `=` are missing (at character 3)",
            ),
            (
                "(person)",
                "an attribute and `=` are missing (at character 8)",
            ),
            ("(a:b:c:=d)", "not one of RFC 4512 (at character 2)"),
            ("(:=d)", "not one of RFC 4512 (at character 2)"),
        ] {
            let error = (FILTER.check)(text).unwrap_err();
            assert!(error.ends_with(why), "{text}: {error}");
        }
        let deep = format!("{}(a=b){}", "(!".repeat(40), ")".repeat(40));
        assert!((FILTER.check)(&deep).unwrap_err().contains("too deeply"));
    }
}
