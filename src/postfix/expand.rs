//! `$name` in values: `$name`, `${name}`, `${name?text}`, `${name:text}`,
//! `${name?{text}:{text}}`, `${{text} == {text} ? {text} : {text}}`, and since Postfix 3.11 functions such as
//! `${domain_to_ascii{text}}` (postconf(5)).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::text::BLANKS;
use super::text::lossy;

/// How deep references may nest.
const DEPTH: usize = 100;

/// Bytes that one expansion may read: its text, and each value that a name stands for, each time that it is
/// referred to. A value of Postfix has a few hundred; sixty lines such as `p0 = $p1 $p1` would have 2^60.
const MOST_BYTES: usize = 1 << 20;

/// References that one expansion may replace; a value of Postfix has a few.
const MOST_REFERENCES: usize = 10_000;

/// What the error begins with where an expansion is over its limits.
const TOO_FAR: &str = "its references lead too far: ";

/// Whether an error of [`expand`] is about its limits, and not about the syntax.
pub(crate) fn is_too_far(error: &str) -> bool {
    error.starts_with(TOO_FAR)
}

/// Gives the value of a name; none if it has none.
pub(crate) type Lookup<'a> = dyn FnMut(&[u8]) -> Option<Vec<u8>> + 'a;

/// Expands all references, and the references in their values.
///
/// # Errors
/// The syntax error, at which Postfix stops with a fatal error; or that the references lead too far ([`is_too_far`]).
pub(crate) fn expand(text: &[u8], lookup: &mut Lookup<'_>) -> Result<Vec<u8>, String> {
    expand_with(text, Functions::None, lookup)
}

/// The same with the functions that a release has.
///
/// # Errors
/// As [`expand`], and where a function has a domain beyond ASCII, which is not converted.
pub(crate) fn expand_with(
    text: &[u8],
    functions: Functions,
    lookup: &mut Lookup<'_>,
) -> Result<Vec<u8>, String> {
    let mut walk = Walk {
        lookup,
        functions,
        scan: false,
        compare: true,
        depth: 0,
        spent: 0,
        references: 0,
        result: Vec::new(),
    };
    walk.text(text)?;
    Ok(walk.result)
}

/// The names that a text refers to, both branches of its conditions included; up to the
/// first error in its syntax.
pub(crate) fn names(text: &[u8]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut lookup = |name: &[u8]| {
        found.insert(lossy(name));
        None
    };
    let mut walk = Walk {
        lookup: &mut lookup,
        functions: Functions::Domains,
        scan: true,
        compare: true,
        depth: 0,
        spent: 0,
        references: 0,
        result: Vec::new(),
    };
    // An error ends the search, as in postconf, which only warns of it.
    let _ = walk.text(text);
    found
}

/// Checks the syntax of all references in a text without their values.
///
/// # Errors
/// The syntax error, at which Postfix stops with a fatal error.
pub(crate) fn syntax(text: &[u8]) -> Result<(), String> {
    let mut walk = Walk {
        lookup: &mut |_| None,
        functions: Functions::Domains,
        scan: true,
        compare: false,
        depth: 0,
        spent: 0,
        references: 0,
        result: Vec::new(),
    };
    walk.text(text)
}

/// Which functions a release knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Functions {
    /// None: before Postfix 3.11 they are an error in syntax.
    None,
    /// `domain_to_ascii` and `domain_to_utf8`.
    Domains,
}

struct Walk<'a, 'b> {
    lookup: &'a mut Lookup<'b>,
    functions: Functions,
    /// Visit both branches of each condition, and expand nothing.
    scan: bool,
    /// Evaluate comparisons.
    compare: bool,
    depth: usize,
    /// Bytes that were read, see [`MOST_BYTES`].
    spent: usize,
    /// References that were replaced, see [`MOST_REFERENCES`].
    references: usize,
    result: Vec<u8>,
}

impl Walk<'_, '_> {
    fn text(&mut self, text: &[u8]) -> Result<(), String> {
        // An empty text costs a step, too.
        self.spent = self.spent.saturating_add(text.len().max(1));
        if self.spent > MOST_BYTES && !self.scan {
            return Err(format!("{TOO_FAR}more than {MOST_BYTES} bytes"));
        }
        let mut rest = text;
        while let Some((byte, after)) = rest.split_first() {
            if *byte != b'$' {
                self.result.push(*byte);
                rest = after;
                continue;
            }
            let expression;
            match after.first() {
                Some(b'$') => {
                    self.result.push(b'$');
                    rest = &after[1..];
                    continue;
                }
                Some(open @ (b'{' | b'(')) => {
                    let close = if *open == b'{' { b'}' } else { b')' };
                    let end = balanced(after, *open, close)
                        .ok_or_else(|| format!("truncated macro reference: \"{}\"", lossy(text)))?;
                    expression = &after[1..end];
                    rest = &after[end + 1..];
                }
                _ => {
                    let end = name_length(after);
                    expression = &after[..end];
                    rest = &after[end..];
                }
            }
            if expression.is_empty() {
                return Err(format!("empty macro name: \"{}\"", lossy(text)));
            }
            self.depth += 1;
            if self.depth > DEPTH {
                return Err(format!(
                    "unreasonable macro call nesting: \"{}\"",
                    lossy(expression)
                ));
            }
            self.expression(expression)?;
            self.depth -= 1;
        }
        Ok(())
    }

    /// Handles the text between the braces, or the name after a bare `$`.
    fn expression(&mut self, text: &[u8]) -> Result<(), String> {
        let value;
        let mut rest;
        if skip_blanks(text).first() == Some(&b'{') {
            (value, rest) = self.comparison(skip_blanks(text))?;
            if !matches!(rest.first(), None | Some(b'?' | b':')) {
                return Err(expected("\"?\" or \":\"", rest));
            }
        } else {
            let end = name_length(text);
            if !matches!(text.get(end), None | Some(b'?' | b':')) {
                let (name, rest) = text.split_at(end);
                if self.functions != Functions::None && skip_blanks(rest).first() == Some(&b'{') {
                    return self.function(name, skip_blanks(rest));
                }
                return Err(format!("attribute name syntax error: \"{}\"", lossy(text)));
            }
            self.references += 1;
            if self.references > MOST_REFERENCES && !self.scan {
                return Err(format!(
                    "{TOO_FAR}more than {MOST_REFERENCES} references, those in their values included"
                ));
            }
            value = (self.lookup)(&text[..end]);
            rest = &text[end..];
        }
        let holds = value.as_ref().is_some_and(|value| !value.is_empty());
        let Some((operator, after)) = rest.split_first() else {
            return match value {
                Some(value) if holds && !self.scan => self.text(&value),
                _ => Ok(()),
            };
        };
        rest = after;
        if *operator == b'?' {
            let (branch, after) = branch(rest)?;
            if holds || self.scan {
                self.text(branch)?;
            }
            match after.split_first() {
                None => return Ok(()),
                Some((b':', after)) => rest = after,
                Some(_) => return Err(expected("\":\"", after)),
            }
        }
        let (branch, after) = branch(rest)?;
        if !holds || self.scan {
            self.text(branch)?;
        }
        if after.is_empty() {
            Ok(())
        } else {
            Err(format!("unexpected input at: \"{}\"", lossy(after)))
        }
    }

    /// Evaluates `name{text}`. A domain in ASCII is the same in both forms, unless it has a label `xn--…`.
    fn function(&mut self, name: &[u8], text: &[u8]) -> Result<(), String> {
        let name = lossy(name);
        if !["domain_to_ascii", "domain_to_utf8"].contains(&name.as_str()) {
            return Err(format!("unknown function \"{name}\""));
        }
        let (argument, rest) = payload(text)?;
        if !rest.is_empty() {
            return Err(format!("unexpected input at: \"{}\"", lossy(rest)));
        }
        let domain = self.apart(argument)?;
        if self.scan {
            return Ok(());
        }
        let encoded = || lossy(&domain).to_ascii_lowercase().contains("xn--");
        if domain.is_empty() {
            return Err(format!("bad domain argument in: \"{name}{{}}\""));
        }
        if !domain.is_ascii() || (name == "domain_to_utf8" && encoded()) {
            return Err(format!(
                "`{name}` of a domain beyond ASCII is not converted here: \"{}\"",
                lossy(&domain)
            ));
        }
        self.result.extend_from_slice(&domain);
        Ok(())
    }

    /// Evaluates `{left} operator {right}`; also gives the text after it.
    fn comparison<'t>(&mut self, text: &'t [u8]) -> Result<(Option<Vec<u8>>, &'t [u8]), String> {
        let (left, rest) = payload(text)?;
        let end = rest
            .iter()
            .position(|byte| *byte == b'{' || BLANKS.contains(byte))
            .unwrap_or(rest.len());
        let (operator, rest) = rest.split_at(end);
        let rest = skip_blanks(rest);
        if rest.first() != Some(&b'{') {
            return Err(expected("\"{expression}\"", rest));
        }
        let (right, rest) = payload(rest)?;
        let left = self.apart(left)?;
        let right = self.apart(right)?;
        let (operator, order) = match operator.strip_suffix(b"level") {
            Some(operator) if !self.compare => (operator, Ordering::Equal),
            Some(operator) => (operator, levels(&left)?.cmp(&levels(&right)?)),
            None => (operator, plain_order(&left, &right)),
        };
        let holds = match operator {
            b"==" => order == Ordering::Equal,
            b"!=" => order != Ordering::Equal,
            b"<" => order == Ordering::Less,
            b"<=" => order != Ordering::Greater,
            b">=" => order != Ordering::Less,
            b">" => order == Ordering::Greater,
            _ => return Err(expected("an operator", operator)),
        };
        let value: &[u8] = if holds { b"true" } else { b"" };
        Ok((Some(value.to_vec()), rest))
    }

    /// Expands a text without adding it to the result.
    fn apart(&mut self, text: &[u8]) -> Result<Vec<u8>, String> {
        let outer = std::mem::take(&mut self.result);
        let done = self.text(text);
        let inner = std::mem::replace(&mut self.result, outer);
        done.map(|()| inner)
    }
}

/// A branch of a condition: `{text}`, or the whole rest.
fn branch(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    if skip_blanks(text).first() == Some(&b'{') {
        payload(skip_blanks(text))
    } else {
        Ok((text, b""))
    }
}

/// The text in the braces at the beginning, and the text after them without leading blanks.
fn payload(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let end = balanced(text, b'{', b'}').ok_or_else(|| {
        format!(
            "unbalanced {{}} in attribute expression: \"{}\"",
            lossy(text)
        )
    })?;
    Ok((&text[1..end], skip_blanks(&text[end + 1..])))
}

/// The position at which the bracket at the beginning is closed.
fn balanced(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut level = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        if *byte == open {
            level += 1;
        } else if *byte == close {
            level = level.saturating_sub(1);
            if level == 0 {
                return Some(at);
            }
        }
    }
    None
}

fn name_length(text: &[u8]) -> usize {
    text.iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        .unwrap_or(text.len())
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !BLANKS.contains(byte));
    &text[start.unwrap_or(text.len())..]
}

fn expected(what: &str, rest: &[u8]) -> String {
    format!("{what} expected at: \"{}\"", lossy(rest))
}

/// Compares numbers by value, and other texts by their bytes.
fn plain_order(left: &[u8], right: &[u8]) -> Ordering {
    let number = |text: &[u8]| {
        (!text.is_empty() && text.iter().all(u8::is_ascii_digit))
            .then(|| lossy(text).parse::<i64>().ok())
            .flatten()
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}

/// A compatibility level: `3.6` is `[3, 6, 0]`.
fn levels(text: &[u8]) -> Result<[u32; 3], String> {
    let mut level = [0; 3];
    let text = lossy(text);
    let parts: Vec<&str> = text.split('.').collect();
    if parts.len() > level.len() {
        return Err(format!("malformed compatibility level: \"{text}\""));
    }
    for (slot, part) in level.iter_mut().zip(parts) {
        *slot = part
            .parse()
            .map_err(|_| format!("malformed compatibility level: \"{text}\""))?;
    }
    Ok(level)
}

#[cfg(test)]
mod tests;
