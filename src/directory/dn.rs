//! Distinguished names (RFC 4514) in one form, so that equal names are equal texts.

/// A text that is not a distinguished name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a distinguished name")]
pub struct DnError;

/// A distinguished name in lower case, without blanks around `,`, `=` and `+`, and with each special character of a value
/// as `\` and two hexadecimal digits. Each `,` in the result therefore separates two names.
///
/// # Errors
/// If a part has no `=`, or an escape is not complete.
pub fn normalized_dn(text: &str) -> Result<String, DnError> {
    let mut names = Vec::new();
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    for name in split(text, &[',', ';']) {
        let mut parts = Vec::new();
        for part in split(name, &['+']) {
            let (kind, value) = part.split_once('=').ok_or(DnError)?;
            let kind = kind.trim().to_lowercase();
            let is_kind = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            if kind.is_empty() || !kind.chars().all(is_kind) {
                return Err(DnError);
            }
            parts.push(format!("{kind}={}", escaped(&value_of(value)?)));
        }
        parts.sort();
        names.push(parts.join("+"));
    }
    Ok(names.join(","))
}

/// The parts of a text between separators that are neither escaped nor within quotes.
fn split<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_escaped, mut is_quoted) = (false, false);
    for (at, c) in text.char_indices() {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == '"' {
            is_quoted = !is_quoted;
        } else if separators.contains(&c) && !is_quoted {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

/// The value of a part without escapes and quotes, in lower case, each run of blanks as one.
fn value_of(text: &str) -> Result<String, DnError> {
    let text = text.trim_start();
    let mut bytes = Vec::new();
    // An escaped blank at the end belongs to the value.
    let mut end = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let mut buffer = [0; 4];
        match c {
            '"' => continue,
            '\\' => {
                let next = rest.next().ok_or(DnError)?;
                match (next.to_digit(16), rest.peek().and_then(|c| c.to_digit(16))) {
                    (Some(high), Some(low)) => {
                        rest.next();
                        bytes.push(u8::try_from(high * 16 + low).map_err(|_| DnError)?);
                    }
                    _ => bytes.extend(next.encode_utf8(&mut buffer).as_bytes()),
                }
                end = bytes.len();
            }
            c => {
                bytes.extend(c.encode_utf8(&mut buffer).as_bytes());
                if c != ' ' {
                    end = bytes.len();
                }
            }
        }
    }
    bytes.truncate(end);
    let value = String::from_utf8_lossy(&bytes).to_lowercase();
    Ok(value
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" "))
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' | '#') {
            text.push_str(&format!("\\{:02x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4514, section 3 and 4.
    #[test]
    fn equal_names_are_equal_texts() {
        for (text, normal) in [
            (
                "UID=John, OU=People,dc=example,dc=org",
                "uid=john,ou=people,dc=example,dc=org",
            ),
            (r"cn=Doe\, John,dc=x", r"cn=doe\2c john,dc=x"),
            (r"cn=Doe\2C John,dc=x", r"cn=doe\2c john,dc=x"),
            (r#"cn="Doe, John",dc=x"#, r"cn=doe\2c john,dc=x"),
            (r"cn=L\C3\BCcke,dc=x", "cn=lücke,dc=x"),
            ("ou=Special   Users ,dc=x", "ou=special users,dc=x"),
            ("b=1+a=2,dc=x", "a=2+b=1,dc=x"),
            ("", ""),
        ] {
            assert_eq!(normalized_dn(text).as_deref(), Ok(normal), "{text}");
        }
        for text in ["john", "uid=a,,dc=x", r"cn=a\", "=x"] {
            assert_eq!(normalized_dn(text), Err(DnError), "{text}");
        }
    }
}
