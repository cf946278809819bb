//! Postfix's small text tools: blanks, words, braces, `name = value`.
//!
//! Everything works on bytes, because Postfix does: its configuration files have no
//! encoding. A rule that looks odd is Postfix's own: the differential test compares the result
//! with the real postconf(1).

/// The blanks that separate words (Postfix's `CHARS_SPACE`). Vertical tab and form feed
/// are not among them, although [`is_space`] counts them as blank.
pub(crate) const BLANKS: &[u8] = b" \t\r\n";

/// What separates the items of a list: blanks and commas (Postfix's `CHARS_COMMA_SP`).
pub(crate) const COMMA_BLANKS: &[u8] = b", \t\r\n";

/// Whether C's `isspace` counts an ASCII byte as white space.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The text up to its first NUL: Postfix keeps lines as C strings.
pub(crate) fn until_nul(text: &[u8]) -> &[u8] {
    match text.iter().position(|byte| *byte == 0) {
        Some(at) => &text[..at],
        None => text,
    }
}

/// The text without white space at its ends.
pub(crate) fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

/// The text without white space at its beginning.
pub(crate) fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(*byte));
    &text[start.unwrap_or(text.len())..]
}

/// The text without white space at its end.
pub(crate) fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_space(*byte));
    &text[..end.map_or(0, |at| at + 1)]
}

/// Splits `name = value`; the error says what is missing.
pub(crate) fn split_name_value(text: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    let text = trim_start(text);
    if text.is_empty() || text[0] == b'=' {
        return Err("missing attribute name");
    }
    let end = text
        .iter()
        .position(|byte| is_space(*byte) || *byte == b'=')
        .unwrap_or(text.len());
    match trim_start(&text[end..]).split_first() {
        Some((b'=', value)) => Ok((&text[..end], trim(value))),
        _ => Err("missing '=' after attribute name"),
    }
}

/// The words between runs of separators.
pub(crate) fn words<'a>(text: &'a [u8], separators: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    text.split(|byte| separators.contains(byte))
        .filter(|word| !word.is_empty())
}

/// The words between runs of separators, where text in braces is not split.
pub(crate) fn words_in_braces<'a>(text: &'a [u8], separators: &[u8]) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        while at < text.len() && separators.contains(&text[at]) {
            at += 1;
        }
        if at == text.len() {
            return found;
        }
        let start = at;
        let mut level = 0_usize;
        while at < text.len() {
            match text[at] {
                b'{' => level += 1,
                b'}' if level > 0 => level -= 1,
                byte if level == 0 && separators.contains(&byte) => break,
                _ => {}
            }
            at += 1;
        }
        found.push(&text[start..at]);
    }
}

/// Gives the text inside the braces that `text` begins with, without blanks at its ends.
///
/// Unbalanced braces and text after the closing brace are complaints, not errors: the first value is the text that
/// Postfix continues with, the second the complaint.
pub(crate) fn out_of_braces(text: &[u8]) -> (&[u8], Option<String>) {
    let mut level = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'{' => level += 1,
            b'}' => {
                level = level.saturating_sub(1);
                if level == 0 {
                    let complaint = (at + 1 < text.len())
                        .then(|| format!("syntax error after '}}' in \"{}\"", lossy(text)));
                    return (trim(&text[1..at]), complaint);
                }
            }
            _ => {}
        }
    }
    let inner = text.get(1..).unwrap_or_default();
    (
        trim(inner),
        Some(format!("missing '}}' in \"{}\"", lossy(text))),
    )
}

/// Replaces each run of blanks by one blank and removes those at the ends, as postconf(1) prints values.
pub(crate) fn collapse(text: &[u8]) -> Vec<u8> {
    let mut line = Vec::with_capacity(text.len());
    for word in words(text, BLANKS) {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend_from_slice(word);
    }
    line
}

/// The text as UTF-8, for messages and for types that need it; other bytes become U+FFFD.
pub(crate) fn lossy(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// The beginning of a line for a message.
pub(crate) fn beginning(text: &[u8]) -> String {
    // Only the part before `=`: the part after it may be a secret.
    let name = text.split(|byte| *byte == b'=').next().unwrap_or(text);
    let shown: String = lossy(name).trim().chars().take(30).collect();
    if text.len() > name.len() || shown.len() < name.len() {
        format!("{shown}…")
    } else {
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_split_as_postfix_splits_them() {
        assert_eq!(
            split_name_value(b" a =  b c \r"),
            Ok((&b"a"[..], &b"b c"[..]))
        );
        assert_eq!(split_name_value(b"a="), Ok((&b"a"[..], &b""[..])));
        assert_eq!(
            split_name_value(b"a b=c"),
            Err("missing '=' after attribute name")
        );
        assert_eq!(split_name_value(b"= b"), Err("missing attribute name"));
        assert_eq!(split_name_value(b""), Err("missing attribute name"));
    }

    #[test]
    fn braces_keep_words_together() {
        assert_eq!(
            words_in_braces(b"-o { a = b } c}d {e", BLANKS),
            [&b"-o"[..], b"{ a = b }", b"c}d", b"{e"]
        );
        assert_eq!(out_of_braces(b"{ a {b} }"), (&b"a {b}"[..], None));
        assert_eq!(out_of_braces(b"{a}b").0, b"a");
        assert!(out_of_braces(b"{a}b").1.is_some());
        assert_eq!(out_of_braces(b"{a ").0, b"a");
    }
}
