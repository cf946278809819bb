//! POSIX extended regular expressions (regex(7)) in the syntax of the `regex` crate.

/// The expression with the same meaning; none if it has parts that are not modelled.
pub(super) fn translated(pattern: &str) -> Option<String> {
    let mut text = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let next = rest.next()?;
                // `\d` and the like are not POSIX, and `\1` looks back.
                if next.is_alphanumeric() {
                    return None;
                }
                if next.is_ascii_punctuation() {
                    text.push('\\');
                }
                text.push(next);
            }
            '[' => bracket(&mut rest, &mut text)?,
            '(' if rest.peek() == Some(&'?') => return None,
            '*' | '+' | '?' if matches!(rest.peek(), Some('?' | '+')) => return None,
            c => text.push(c),
        }
    }
    Some(text)
}

/// A set of characters: a backslash in it is itself.
fn bracket(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, text: &mut String) -> Option<()> {
    text.push('[');
    if rest.next_if_eq(&'^').is_some() {
        text.push('^');
    }
    let mut is_first = true;
    loop {
        let c = rest.next()?;
        match c {
            ']' if !is_first => {
                text.push(']');
                return Some(());
            }
            '[' if matches!(rest.peek(), Some('.' | '=')) => return None,
            '[' if rest.peek() == Some(&':') => {
                let mut class = String::from('[');
                while !class.ends_with(":]") || class.len() < 4 {
                    class.push(rest.next()?);
                }
                text.push_str(&class);
            }
            '\\' | '[' | ']' | '&' | '~' => {
                text.push('\\');
                text.push(c);
            }
            // Between two characters it is a range, at the ends it is itself.
            '-' if is_first || rest.peek() == Some(&']') => text.push_str("\\-"),
            c => text.push(c),
        }
        is_first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// regex(7), "bracket expression".
    #[test]
    fn brackets_are_translated() {
        for (posix, expected) in [
            (r#"^[^"\\]+ ([^" ]+)$"#, Some(r#"^[^"\\\\]+ ([^" ]+)$"#)),
            ("[]a-z-]", Some("[\\]a-z\\-]")),
            ("[[:space:]]*", Some("[[:space:]]*")),
            ("[^ -~][a&&b]", Some("[^ -\\~][a\\&\\&b]")),
            (r"a\.b\@", Some(r"a\.b\@")),
            ("[[.a.]]", None),
            (r"(a)\1", None),
            ("a*?", None),
            ("[a", None),
        ] {
            assert_eq!(translated(posix).as_deref(), expected, "{posix}");
            let compiled = expected.is_none_or(|text| regex::Regex::new(text).is_ok());
            assert!(compiled, "{posix}");
        }
    }
}
