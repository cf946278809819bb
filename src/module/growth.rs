//! Filters and functions of Tera that make much out of little, with a limit for what they make.

use tera::{Error, Kwargs, State, Tera, TeraResult, Value};

use super::spend::spend;

/// Bytes that a filter may make.
const MOST_BYTES: usize = 4 << 20;
/// Values that `range` makes, as in Tera itself.
const MOST_NUMBERS: usize = 100_000;
/// Values that `unique` compares with each other.
const MOST_UNIQUE: usize = 10_000;

/// Puts them in the place of Tera's own.
pub(super) fn register(tera: &mut Tera) {
    tera.register_filter("replace", replace);
    tera.register_filter("join", join);
    tera.register_filter("indent", indent);
    tera.register_filter("unique", unique);
    tera.register_function("range", range);
}

/// A text that a filter made.
///
/// # Errors
/// Where it is too long.
pub(super) fn limited(text: String) -> TeraResult<String> {
    fits(text.len()).map(|()| text)
}

fn fits(bytes: usize) -> TeraResult<()> {
    if bytes > MOST_BYTES {
        return Err(Error::message(format!(
            "a filter makes more than {MOST_BYTES} bytes"
        )));
    }
    Ok(())
}

fn replace(text: &str, arguments: Kwargs, _: &State) -> TeraResult<String> {
    let from = arguments.must_get::<&str>("from")?;
    let to = arguments.must_get::<&str>("to")?;
    let more = text.matches(from).count().saturating_mul(to.len());
    fits(text.len().saturating_add(more))?;
    Ok(text.replace(from, to))
}

fn join(values: &[Value], arguments: Kwargs, _: &State) -> TeraResult<String> {
    let between = arguments.get::<&str>("sep")?.unwrap_or_default();
    let mut text = String::new();
    for (number, value) in values.iter().enumerate() {
        if number > 0 {
            text.push_str(between);
        }
        text.push_str(&value.to_string());
        fits(text.len())?;
    }
    Ok(text)
}

/// As Tera's own: lines after the first one begin with so many blanks, empty ones only with `blank`.
fn indent(text: &str, arguments: Kwargs, _: &State) -> TeraResult<String> {
    let width = arguments.get::<usize>("width")?.unwrap_or(4).min(1000);
    let sign = arguments.get::<&str>("indentation")?.unwrap_or(" ");
    if sign.chars().count() != 1 {
        return Err(Error::message(
            "the `indentation` argument must have exactly one character",
        ));
    }
    let first = arguments.get::<bool>("first")?.unwrap_or(false);
    let blank = arguments.get::<bool>("blank")?.unwrap_or(false);
    let before = sign.repeat(width);
    let more = text.lines().count().saturating_mul(before.len());
    fits(text.len().saturating_add(more))?;
    let mut made = String::new();
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            made.push('\n');
        }
        if (number == 0 && first) || (number > 0 && (blank || !line.is_empty())) {
            made.push_str(&before);
        }
        made.push_str(line);
    }
    if text.ends_with('\n') {
        made.push('\n');
    }
    Ok(made)
}

fn unique(values: &[Value], _: Kwargs, _: &State) -> TeraResult<Vec<Value>> {
    if values.len() > MOST_UNIQUE {
        return Err(Error::message(format!(
            "`unique` takes {MOST_UNIQUE} values at most"
        )));
    }
    spend((values.len() as u64).saturating_mul(values.len() as u64))?;
    let mut kept: Vec<Value> = Vec::new();
    for value in values {
        if !kept.contains(value) {
            kept.push(value.clone());
        }
    }
    Ok(kept)
}

fn range(arguments: Kwargs, _: &State) -> TeraResult<Vec<i64>> {
    let start = arguments.get::<i64>("start")?.unwrap_or_default();
    let end = arguments.must_get::<i64>("end")?;
    let step = arguments.get::<i64>("step_by")?.unwrap_or(1);
    if step == 0 || (start > end && step > 0) {
        return Err(Error::message(
            "`range` needs a `step_by` that leads from `start` to `end`",
        ));
    }
    let mut numbers = Vec::new();
    let mut next = Some(start);
    while let Some(number) = next.filter(|next| if step > 0 { *next < end } else { *next > end }) {
        spend(64)?;
        numbers.push(number);
        if numbers.len() > MOST_NUMBERS {
            return Err(Error::message(format!(
                "`range` makes {MOST_NUMBERS} numbers at most"
            )));
        }
        next = number.checked_add(step);
    }
    Ok(numbers)
}
