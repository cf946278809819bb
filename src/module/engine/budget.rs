//! What a template may cost. Tera has no limits of its own for loops and for what they collect, so each loop and each
//! variable of a template gets a call to a function of ours, which counts. No clock is involved: the same template
//! ends in the same way everywhere.

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use crate::module::{growth, spend::spend};

/// Bytes that the value of a variable may have, all values in it together.
const MOST_VALUE: usize = 256 << 10;
/// How deep values may lie in each other.
const MOST_DEPTH: usize = 64;
/// Bytes of one tag.
const MOST_TAG: usize = 8 << 10;
/// Filters and `~` of one tag, each.
const MOST_OPERATORS: usize = 32;
/// The tags that a template may have. The others collect text out of sight of these limits.
const TAGS: [&str; 13] = [
    "for",
    "endfor",
    "if",
    "elif",
    "else",
    "endif",
    "set",
    "set_global",
    "include",
    "break",
    "continue",
    "raw",
    "endraw",
];

/// Registers the functions that count, and those of Tera that could make much out of little.
pub(super) fn register(tera: &mut Tera) {
    tera.register_function("murder_step", |arguments: Kwargs, _: &State| {
        spend(arguments.must_get::<u64>("cost")?).map(|()| "")
    });
    tera.register_function("murder_weigh", |arguments: Kwargs, _: &State| {
        let value = arguments.must_get::<Value>("value")?;
        let mut left = MOST_VALUE;
        weigh(&value, MOST_DEPTH, &mut left).map(|()| "")
    });
    growth::register(tera);
}

/// That a value is small and shallow.
fn weigh(value: &Value, depth: usize, left: &mut usize) -> TeraResult<()> {
    let too_large = || Error::message(format!("a variable has more than {MOST_VALUE} bytes"));
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| Error::message("the values of a variable are nested too deeply"))?;
    // A number or an empty text costs something, too.
    let own = value.as_str().map_or(8, |text| text.len().max(8));
    *left = left.checked_sub(own).ok_or_else(too_large)?;
    if let Some(values) = value.as_array() {
        values
            .iter()
            .try_for_each(|value| weigh(value, depth, left))?;
    }
    if let Some(map) = value.as_map() {
        for (key, value) in map {
            let key = key.to_string().len();
            *left = left.checked_sub(key).ok_or_else(too_large)?;
            weigh(value, depth, left)?;
        }
    }
    Ok(())
}

/// A text for Tera, with calls that count.
#[derive(Debug, Clone, Default)]
pub(super) struct Guarded {
    pub(super) text: String,
    inserted: Vec<Insertion>,
}

/// A call that was inserted.
#[derive(Debug, Clone)]
struct Insertion {
    /// Where, in the text for Tera.
    at: usize,
    length: usize,
    /// Its line, from 1.
    line: usize,
}

/// Why a template is refused before Tera sees it, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) at: usize,
    pub(super) why: String,
}

impl Guarded {
    /// Where a place of the text for Tera is in the template as it is written.
    pub(super) fn original(&self, at: usize) -> usize {
        let mut moved = 0;
        for insertion in &self.inserted {
            if insertion.at + insertion.length <= at {
                moved += insertion.length;
            } else if insertion.at < at {
                moved += at - insertion.at;
            }
        }
        at - moved
    }

    /// The column of a place, as it is written; both are counted from the same number.
    pub(super) fn original_column(&self, at: usize, line: usize, column: usize) -> usize {
        let before = self.inserted.iter();
        let before = before.filter(|insertion| insertion.line == line && insertion.at < at);
        column.saturating_sub(before.map(|insertion| insertion.length).sum())
    }
}

/// Inserts a call into each loop, and one after each variable.
///
/// # Errors
/// Where a tag is one that cannot be counted.
pub(super) fn guard(text: &str) -> Result<Guarded, Refused> {
    let tags = tags(text)?;
    let mut guarded = Guarded::default();
    let mut copied = 0;
    for (number, tag) in tags.iter().enumerate() {
        let call = match tag.word {
            "for" => {
                let body = text.get(tag.end..end_of_loop(&tags, number, text.len()));
                let body = body.unwrap_or_default();
                let filters = body.matches('|').count();
                format!("murder_step(cost={})", 64 + body.len() + 256 * filters)
            }
            "set" | "set_global" => format!("murder_weigh(value={})", tag.name),
            _ => continue,
        };
        guarded
            .text
            .push_str(text.get(copied..tag.end).unwrap_or_default());
        copied = tag.end;
        // A tag that trims what follows it must go on to do so.
        let trim = if tag.trims { "-" } else { "" };
        let call = format!("{{{{ {call} {trim}}}}}");
        guarded.inserted.push(Insertion {
            at: guarded.text.len(),
            length: call.len(),
            line: guarded.text.matches('\n').count() + 1,
        });
        guarded.text.push_str(&call);
    }
    guarded
        .text
        .push_str(text.get(copied..).unwrap_or_default());
    Ok(guarded)
}

/// Where the body of a loop ends.
fn end_of_loop(tags: &[Tag<'_>], number: usize, length: usize) -> usize {
    let mut depth = 0_usize;
    for tag in tags.iter().skip(number) {
        match tag.word {
            "for" => depth += 1,
            "endfor" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return tag.end;
        }
    }
    length
}

/// A tag `{% … %}`.
struct Tag<'t> {
    /// Its first word.
    word: &'t str,
    /// Its second word: of `set` the variable.
    name: &'t str,
    /// One past its end.
    end: usize,
    /// Whether it ends with `-%}`.
    trims: bool,
}

/// The tags of a template, read as Tera's lexer reads them. A template that it would refuse is read up to there.
fn tags(text: &str) -> Result<Vec<Tag<'_>>, Refused> {
    let mut tags = Vec::new();
    let mut at = 0;
    while let Some(open) = text.get(at..).and_then(|rest| rest.find('{')) {
        let open = at + open;
        let start = open + 2;
        let end = match text.as_bytes().get(open + 1) {
            Some(b'#') => text.get(start..).and_then(|rest| rest.find("#}")),
            Some(b'{') => end_of_code(text.get(start..).unwrap_or_default(), "}}"),
            Some(b'%') => match raw_length(text.get(start..).unwrap_or_default()) {
                Some(length) => {
                    at = start + length;
                    continue;
                }
                None => end_of_code(text.get(start..).unwrap_or_default(), "%}"),
            },
            _ => {
                at = open + 1;
                continue;
            }
        };
        let Some(end) = end else { break };
        let code = text.get(start..start + end).unwrap_or_default();
        at = start + end + 2;
        let block = match text.as_bytes().get(open + 1) {
            Some(b'#') => continue,
            other => other == Some(&b'%'),
        };
        let code = code.strip_prefix('-').unwrap_or(code);
        let trims = code.ends_with('-');
        judge(code, block).map_err(|why| Refused { at: open, why })?;
        if block {
            let mut words = code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let mut words = words.by_ref().filter(|word| !word.is_empty());
            tags.push(Tag {
                word: words.next().unwrap_or_default(),
                name: words.next().unwrap_or_default(),
                end: at,
                trims,
            });
        }
    }
    Ok(tags)
}

/// The length of a raw block after its `{%`, up to one past its end; none where it is no raw block.
fn raw_length(text: &str) -> Option<usize> {
    let mut at = word_tag(text, "raw")?;
    while let Some(open) = text.get(at..)?.find("{%") {
        at += open + 2;
        if let Some(length) = word_tag(text.get(at..)?, "endraw") {
            return Some(at + length);
        }
    }
    None
}

/// The length of a tag that is one word, from behind its `{%`.
fn word_tag(text: &str, word: &str) -> Option<usize> {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let rest = rest.strip_prefix(word)?;
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    Some(text.len() - rest.strip_prefix("%}")?.len())
}

/// Where code ends that is closed by `close`, strings left out.
fn end_of_code(code: &str, close: &str) -> Option<usize> {
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if let Some(b'"' | b'\'' | b'`') = bytes.get(at) {
            at = end_of_string(bytes, at)?;
        } else if bytes.get(at..)?.starts_with(close.as_bytes()) {
            return Some(at);
        } else {
            at += 1;
        }
    }
    None
}

/// One past the end of the string that begins at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> Option<usize> {
    let quote = bytes.get(at)?;
    let mut next = at + 1;
    loop {
        match bytes.get(next)? {
            b'\\' => next += 2,
            byte if byte == quote => return Some(next + 1),
            _ => next += 1,
        }
    }
}

/// Why the code of a tag cannot be counted.
fn judge(code: &str, block: bool) -> Result<(), String> {
    if code.len() > MOST_TAG {
        return Err(format!("a tag has more than {MOST_TAG} bytes"));
    }
    let bare = without_strings(code);
    let words = || {
        bare.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|word| !word.is_empty())
    };
    let first = words().next().unwrap_or_default();
    if block && !TAGS.contains(&first) {
        return Err(format!("the tag `{first}` is not supported"));
    }
    if words().skip(usize::from(block)).any(|word| word == "for") {
        return Err("a loop in an expression is not supported: use the tag `for`".to_owned());
    }
    if bare.contains('{') {
        return Err("a map in an expression is not supported".to_owned());
    }
    for operator in ['|', '~'] {
        if bare.matches(operator).count() > MOST_OPERATORS {
            return Err(format!(
                "a tag has more than {MOST_OPERATORS} times `{operator}`"
            ));
        }
    }
    if matches!(first, "set" | "set_global") {
        let rest = bare.trim_start().trim_start_matches(first).trim_start();
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if !rest.trim_start().starts_with('=') {
            return Err(format!("`{first}` without `=` is not supported"));
        }
    }
    Ok(())
}

/// The code with a blank for each string.
fn without_strings(code: &str) -> String {
    let bytes = code.as_bytes();
    let (mut bare, mut at) = (String::with_capacity(code.len()), 0);
    for (place, c) in code.char_indices() {
        if place < at {
            continue;
        }
        if matches!(c, '"' | '\'' | '`') {
            at = end_of_string(bytes, place).unwrap_or(code.len());
            bare.push(' ');
        } else {
            bare.push(c);
        }
    }
    bare
}

#[cfg(test)]
mod tests;
