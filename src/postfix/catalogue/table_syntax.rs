//! The syntax of tables whose contents or members are in the value itself: `inline:`, `static:`, `unionmap:`, `pipemap:`,
//! `randmap:`, and `regexp:`, `pcre:` and `cidr:` with braces (DATABASE_README). Postfix accepts any text in main.cf; the
//! program that opens such a table then fails each lookup.

use super::problem::Problem;
use super::restrictions;
use super::tables;
use crate::postfix::split_list;

/// Checks the tables in a parameter's value. Tables with a `$` pass, because they depend on other parameters.
///
/// # Errors
/// The first problem, with its word.
pub(super) fn check(name: &str, value: &str) -> Result<(), Problem> {
    if !tables::holds_tables(name) || restrictions::is_list(name) {
        return Ok(());
    }
    let words = split_list(value);
    match words.iter().find_map(|word| check_table(name, word)) {
        None => Ok(()),
        Some(problem) => Err(problem),
    }
}

/// The problem with one table in the value of `place`: `inline:{ a=b }`.
#[must_use]
pub fn check_table(place: &str, word: &str) -> Option<Problem> {
    if word.contains('$') {
        return None;
    }
    let (what, hint) = fault(word)?;
    Some(Problem {
        summary: format!("`{word}` in `{place}` {what}"),
        detail: Some(
            "`postfix check` accepts it; then each lookup in it fails, and mail waits or smtpd(8) answers 451".to_owned(),
        ),
        hint: Some(hint),
        word: Some(word.to_owned()),
    })
}

/// What is wrong with a table, and the hint.
fn fault(word: &str) -> Option<(String, String)> {
    let (kind, rest) = word.trim_start_matches('!').split_once(':')?;
    if rest.is_empty() && tables::is_type(kind) {
        return said(
            "has no name",
            "write what the table is after the colon, as in `static:OK`",
        );
    }
    match kind {
        "proxy" | "debug" if !rest.contains(':') => said(
            "names no table after its type",
            &format!("write `{kind}:TYPE:{rest}`, with a type such as `hash` or `ldap`"),
        ),
        "proxy" | "debug" => fault(rest),
        "inline" => inline(rest),
        "unionmap" | "pipemap" => members(kind, rest),
        "randmap" => match group(rest) {
            Some(inner) if !split_list(inner).is_empty() => None,
            _ => said(
                "has no list in braces",
                &format!("write `randmap:{{ {} }}`", bare(rest)),
            ),
        },
        "static" if rest.starts_with('{') && group(rest).is_none() => said(
            "has braces that do not match",
            &format!("write `static:{{ {} }}`", bare(rest)),
        ),
        "regexp" | "pcre" | "cidr" if rest.starts_with('{') => rules(kind, rest),
        _ => None,
    }
}

fn said(what: &str, hint: &str) -> Option<(String, String)> {
    Some((what.to_owned(), hint.to_owned()))
}

/// A text without the braces at its ends.
fn bare(text: &str) -> &str {
    text.trim_matches(['{', '}', ' '])
}

/// The text in braces, if the first brace is closed by the last character.
fn group(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut depth = 0_usize;
    for sign in inner.chars() {
        match sign {
            '{' => depth += 1,
            '}' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    (depth == 0 && !inner.is_empty()).then_some(inner)
}

/// `inline:{ key=value, { key = value with blanks } }`.
fn inline(rest: &str) -> Option<(String, String)> {
    let Some(inner) = group(rest) else {
        let text = bare(rest);
        let hint = if text.is_empty() { "key=value" } else { text };
        return said(
            "has no list in braces",
            &format!("write `inline:{{ {hint} }}`"),
        );
    };
    let items = split_list(inner);
    if items.is_empty() {
        return said("has no entries", "write them, as in `inline:{ key=value }`");
    }
    let wrong = items.iter().find(|item| !is_entry(item))?;
    Some((
        format!("has an entry without `=`: `{wrong}`"),
        format!(
            "write `inline:{{ {} }}`: a value with blanks or commas needs braces of its own",
            mended(&items)
        ),
    ))
}

/// Whether a word is `key=value`, or `{ key = value }` in braces.
fn is_entry(item: &str) -> bool {
    let text = if item.starts_with('{') {
        match group(item) {
            Some(inner) => inner,
            None => return false,
        }
    } else {
        item
    };
    text.contains('=')
}

/// The entries of a list, where words without `=` belong to the value before them.
fn mended(items: &[String]) -> String {
    let mut entries: Vec<String> = Vec::new();
    for item in items {
        match entries.last_mut() {
            Some(last) if !is_entry(item) || item.starts_with('=') && !last.contains('=') => {
                let sign = if last.ends_with('=') || last.contains('=') {
                    " "
                } else {
                    " = "
                };
                *last = format!("{last}{sign}{}", bare(item).trim_start_matches('=').trim());
            }
            _ => entries.push(item.clone()),
        }
    }
    let entries: Vec<String> = entries
        .into_iter()
        .map(|entry| {
            if entry.starts_with('{') {
                return entry;
            }
            match entry.split_once('=') {
                Some((key, value)) if entry.contains(' ') => {
                    format!("{{ {} = {} }}", key.trim(), value.trim())
                }
                Some(_) => entry,
                None => format!("{{ {entry} = value }}"),
            }
        })
        .collect();
    entries.join(", ")
}

/// `unionmap:{type:name, …}` and `pipemap:{…}`.
fn members(kind: &str, rest: &str) -> Option<(String, String)> {
    let Some(inner) = group(rest) else {
        return said(
            "has no tables in braces",
            &format!("write `{kind}:{{ {} }}`", bare(rest)),
        );
    };
    let tables = split_list(inner);
    if tables.is_empty() {
        return said(
            "has no tables in braces",
            &format!("write them, as in `{kind}:{{ hash:/etc/postfix/a, static:OK }}`"),
        );
    }
    if let Some(braced) = tables.iter().find(|table| table.starts_with('{')) {
        return Some((
            format!("has a member in braces of its own: `{braced}`"),
            format!("write `{}` without the outer braces", bare(braced)),
        ));
    }
    if let Some(untyped) = tables.iter().find(|table| !table.contains(':')) {
        return Some((
            format!("has a member without a type: `{untyped}`"),
            format!("write `TYPE:{untyped}`, with a type such as `hash` or `ldap`"),
        ));
    }
    tables.iter().find_map(|table| {
        let (what, hint) = fault(table)?;
        Some((format!("has a member `{table}`, which {what}"), hint))
    })
}

/// `regexp:{ {/pattern/ result}, … }`, since Postfix 3.7.
fn rules(kind: &str, rest: &str) -> Option<(String, String)> {
    let example = if kind == "cidr" {
        "{ 192.0.2.0/24 OK }"
    } else {
        "{ /pattern/ result }"
    };
    let Some(inner) = group(rest) else {
        return said(
            "has braces that do not match",
            &format!("write `{kind}:{{ {example} }}`"),
        );
    };
    for rule in split_list(inner) {
        let Some(text) = group(&rule) else {
            return Some((
                format!("has a rule without braces: `{rule}`"),
                format!("write each rule in braces of its own, as in `{kind}:{{ {example} }}`"),
            ));
        };
        if kind != "cidr" && !is_pattern(text.trim()) {
            return Some((
                format!("has a rule without a pattern and a result: `{rule}`"),
                format!("write `{kind}:{{ {example} }}`"),
            ));
        }
    }
    None
}

/// Whether a rule is `/pattern/flags result`, with any delimiter, or one of `if`, `endif`.
fn is_pattern(rule: &str) -> bool {
    let text = rule.trim_start_matches(['!', ' ']);
    if ["if", "endif"]
        .iter()
        .any(|word| text.to_ascii_lowercase().starts_with(word))
    {
        return true;
    }
    let mut signs = text.chars();
    let Some(delimiter) = signs.next().filter(|sign| !sign.is_alphanumeric()) else {
        return false;
    };
    let mut escaped = false;
    for sign in signs.by_ref() {
        match sign {
            '\\' if !escaped => escaped = true,
            _ if sign == delimiter && !escaped => {
                let result = signs.as_str();
                return result
                    .split_once(char::is_whitespace)
                    .is_some_and(|(_, result)| !result.trim().is_empty());
            }
            _ => escaped = false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hint_is_the_right_table() {
        for (table, wanted) in [
            (
                "inline:{ outside.example=retry:4.4.4 not now }",
                "write `inline:{ { outside.example = retry:4.4.4 not now } }`: a value with blanks or commas needs braces of its own",
            ),
            (
                "inline:{ a = b }",
                "write `inline:{ { a = b } }`: a value with blanks or commas needs braces of its own",
            ),
            ("inline:a=b", "write `inline:{ a=b }`"),
            ("unionmap:hash:/a", "write `unionmap:{ hash:/a }`"),
            (
                "pipemap:{ /a, static:x }",
                "write `TYPE:/a`, with a type such as `hash` or `ldap`",
            ),
            (
                "proxy:/a",
                "write `proxy:TYPE:/a`, with a type such as `hash` or `ldap`",
            ),
        ] {
            assert_eq!(
                fault(table).map(|(_, hint)| hint).as_deref(),
                Some(wanted),
                "{table}"
            );
        }
        assert_eq!(check("transport_maps", "inline:{$x y}, hash:/a"), Ok(()));
        assert!(check("transport_maps", "hash:/a, inline:{x y}").is_err());
        assert_eq!(check("smtpd_banner", "inline:{x y}"), Ok(()));
    }
}
