//! Rust text as tokens with their lines, without comments, and without what only test builds have.

/// A token of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token as it is written; `::` is one token, every other sign is one of its own.
    pub text: String,
    /// Its line, counted from 1.
    pub line: usize,
}

/// Cuts Rust text into tokens. Comments, doc comments among them, are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let length = length(rest, first);
        let (token, behind) = rest.split_at(length);
        let is_comment = token.starts_with("//") || token.starts_with("/*");
        if !is_comment && !first.is_whitespace() {
            tokens.push(Token {
                text: token.to_owned(),
                line,
            });
        }
        line += token.matches('\n').count();
        rest = behind;
    }
    tokens
}

/// How many bytes the token, comment or blank at the beginning of a text has.
fn length(text: &str, first: char) -> usize {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let word = text.find(|c| !is_word(c)).unwrap_or(text.len());
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    // Prefixes of strings: r"", br"", c"", r#""#; and not raw identifiers such as r#type.
    let quote = text[word..].trim_start_matches('#');
    if word <= 2 && quote.starts_with('"') && (word > 0 || first == '"') {
        let hashes = text[word..].len() - quote.len();
        let start = word + hashes + 1;
        return start + string(&text[start..], hashes, text[..word].contains('r'));
    }
    if word == 1 && first == 'b' && text[1..].starts_with('\'') {
        return 1 + quoted(&text[1..]);
    }
    if word > 0 {
        return word;
    }
    match first {
        '\'' => quoted(text),
        ':' if text.starts_with("::") => 2,
        _ => first.len_utf8(),
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        at += match rest {
            _ if rest.starts_with("/*") => {
                depth += 1;
                2
            }
            _ if rest.starts_with("*/") => {
                depth -= 1;
                2
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        if depth == 0 {
            break;
        }
    }
    at
}

/// The bytes of a string behind its opening quote, the closing one and its `#` included.
fn string(text: &str, hashes: usize, is_raw: bool) -> usize {
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if !is_raw => {
                chars.next();
            }
            '"' if text[at + 1..].starts_with(&"#".repeat(hashes)) => return at + 1 + hashes,
            _ => {}
        }
    }
    text.len()
}

/// The bytes of a character or a lifetime that begins with `'`.
fn quoted(text: &str) -> usize {
    let mut chars = text[1..].char_indices();
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, c))) => {
            let behind = 1 + at + c.len_utf8();
            behind + text[behind..].find('\'').map_or(0, |end| end + 1)
        }
        (Some(_), Some((at, '\''))) => 1 + at + 1,
        _ => {
            let end = text[1..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
            1 + end.unwrap_or(text.len() - 1)
        }
    }
}

/// The tokens without each item, field or statement that stands under `#[cfg(test)]` or `#[test]`.
pub fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match attribute(tokens, at) {
            Some((text, _)) if is_test_attribute(&text) => at = end_of_item(tokens, at),
            _ => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    kept
}

/// The text inside `#[...]` or `#![...]` where one begins at this place, and the place behind it.
fn attribute(tokens: &[Token], at: usize) -> Option<(String, usize)> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    if text(at) != "#" {
        return None;
    }
    let open = at + if text(at + 1) == "!" { 2 } else { 1 };
    if text(open) != "[" {
        return None;
    }
    let end = end_of_group(tokens, open);
    let inner = &tokens[open + 1..end - 1];
    Some((inner.iter().map(|token| token.text.as_str()).collect(), end))
}

/// The place behind the bracket that closes the one here.
fn end_of_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Whether code under this attribute is only in test builds. `cfg(not(test))` is in all others.
fn is_test_attribute(attribute: &str) -> bool {
    attribute == "test" || attribute == "cfg(test)" || attribute.starts_with("cfg(all(test,")
}

/// The place behind the item, field, variant or statement whose first attribute begins here.
fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while let Some((_, behind)) = attribute(tokens, at) {
        at = behind;
    }
    let mut keyword = None;
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "fn" | "mod" | "struct" | "enum" | "union" | "trait" | "impl" | "macro_rules" => {
                keyword = Some("braces");
            }
            "use" | "const" | "static" | "type" | "let" if keyword.is_none() => {
                keyword = Some("semicolon");
            }
            "{" if keyword != Some("semicolon") => return end_of_group(tokens, at),
            "{" | "(" | "[" => {
                at = end_of_group(tokens, at);
                continue;
            }
            ";" => return at + 1,
            "," if keyword.is_none() => return at + 1,
            // The end of what holds it: its last field or variant.
            "}" | ")" | "]" => return at,
            _ => {}
        }
        at += 1;
    }
    at
}

fn words(tokens: &[Token]) -> String {
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    words.join(" ")
}

#[test]
fn text_is_cut_as_rustc_cuts_it() {
    let text = r####"
        let a: &'a str = "x \" // y"; // c
        let b = r#"a "quoted" word"#; /* no /* code */ here */
        let c = ('"', '\'', b'\\', '\u{e9}', b"x", r#type, 'é');
        /// `doc`
        x::<'static>::y(0x1f, 1.5)
    "####;
    let cut = tokens(text);
    assert_eq!(
        words(&cut),
        r####"let a : & 'a str = "x \" // y" ; let b = r#"a "quoted" word"# ; let c = ( '"' , '\'' , b'\\' , '\u{e9}' , b"x" , r # type , 'é' ) ; x :: < 'static > :: y ( 0x1f , 1 . 5 )"####
    );
    assert_eq!(cut.last().unwrap().line, 6);
}

#[test]
fn code_behind_tests_is_read_and_tests_are_not() {
    let text = "
        #[cfg(test)] mod tests;
        #[cfg(test)] #[allow(x)] fn a<A, B>(c: [u8; 3]) { b!() }
        enum E { #[cfg(test)] T(u8), K, #[cfg(test)] L }
        #[cfg(test)] use x::{y, z};
        #[cfg(not(test))] fn kept() {}
        #[cfg(test)] mod beside { use k::l; }
        fn last() { #[cfg(test)] let a = { 1 }; done() }
    ";
    let kept = without_tests(&tokens(text));
    assert_eq!(
        words(&kept),
        "enum E { K , } # [ cfg ( not ( test ) ) ] fn kept ( ) { } fn last ( ) { done ( ) }"
    );
    assert_eq!(kept.last().unwrap().line, 8);
}
