//! Checks values by the rules of Postfix's programs, which stop with a fatal error at any other value.

use super::keywords;
use super::problem::Problem;
use super::table::Kind;
use super::table::Row;
use crate::nearest::nearest;
use crate::postfix::defaults;
use crate::postfix::text::collapse;
use crate::postfix::text::lossy;

/// Checks a value against the kind and the limits of its parameter.
pub(super) fn check(name: &str, value: &str, row: &Row) -> Result<(), Problem> {
    // The value of a reference is not known here.
    if value.contains('$') {
        return Ok(());
    }
    let value = lossy(&collapse(value.as_bytes()));
    if let Some((word, known)) = keywords::unknown_keyword(name, &value) {
        let hint = match nearest(word, known.iter().copied()) {
            Some(near) => format!(
                "did you mean `{near}`? The keywords are {}",
                known.join(", ")
            ),
            None => format!("write one of {}", known.join(", ")),
        };
        return Err(fatal_value(
            name,
            &value,
            &format!("has the word `{word}`, which is not a keyword of this parameter"),
            &hint,
        ));
    }
    if name == "compatibility_level" && !value.split('.').all(|part| part.parse::<u32>().is_ok()) {
        return Err(fatal_value(
            name,
            &value,
            "is not a version",
            "write one such as `3.6`",
        ));
    }
    let Some(kind) = row.kind else {
        return Ok(());
    };
    match kind {
        Kind::Boolean => boolean(name, &value),
        Kind::Integer => {
            let number = number(name, &value, i64::from(i32::MIN), i64::from(i32::MAX))?;
            within(name, &value, number, row, "")
        }
        Kind::Long => {
            let number = number(name, &value, i64::MIN, i64::MAX)?;
            within(name, &value, number, row, "")
        }
        Kind::Time => {
            let seconds = seconds(name, &value)?;
            within(name, &value, seconds, row, " seconds")
        }
        Kind::Text if value.is_empty() && INSTALL_PATHS.contains(&name) => Ok(()),
        Kind::Text => length(name, &value, row),
    }
}

/// Parameters that only postfix-install(1) and the documentation use: no program of a running Postfix reads them, so that
/// an empty one is no fault.
const INSTALL_PATHS: [&str; 4] = [
    "html_directory",
    "manpage_directory",
    "readme_directory",
    "sample_directory",
];

fn boolean(name: &str, value: &str) -> Result<(), Problem> {
    if value.eq_ignore_ascii_case("yes") || value.eq_ignore_ascii_case("no") {
        return Ok(());
    }
    let hint = match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" | "y" => "write `yes`",
        "false" | "off" | "0" | "n" => "write `no`",
        _ => "write `yes` or `no`",
    };
    Err(fatal_value(name, value, "is neither `yes` nor `no`", hint))
}

/// A number that C's `strtol` reads, with nothing after it.
fn number(name: &str, value: &str, least: i64, most: i64) -> Result<i64, Problem> {
    value
        .parse::<i64>()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| {
            let digits = value.bytes().take_while(u8::is_ascii_digit).count();
            let hint = match value
                .get(digits..)
                .map(|unit| unit.trim().to_ascii_uppercase())
            {
                Some(unit) if digits > 0 => match size_of_unit(&unit)
                    .and_then(|size| value[..digits].parse::<i64>().ok()?.checked_mul(size))
                {
                    Some(bytes) => format!("write `{bytes}`: Postfix accepts no unit here"),
                    None => "write a whole number".to_owned(),
                },
                _ => "write a whole number".to_owned(),
            };
            fatal_value(name, value, "is not a whole number", &hint)
        })
}

fn size_of_unit(unit: &str) -> Option<i64> {
    match unit {
        "K" | "KB" | "KIB" => Some(1 << 10),
        "M" | "MB" | "MIB" => Some(1 << 20),
        "G" | "GB" | "GIB" => Some(1 << 30),
        _ => None,
    }
}

/// A time: digits and at most one of the letters of postconf(5).
pub(super) fn seconds(name: &str, value: &str) -> Result<i64, Problem> {
    let wrong = || {
        fatal_value(
            name,
            value,
            "is not a time",
            "write a whole number and one of s, m, h, d, w, as in `10s`",
        )
    };
    let (digits, unit) = match value.bytes().last() {
        Some(last) if last.is_ascii_digit() => (value, default_unit(name)),
        Some(last) if last.is_ascii() => (&value[..value.len() - 1], last),
        _ => return Err(wrong()),
    };
    let factor: i64 = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        b'w' => 604_800,
        _ => return Err(wrong()),
    };
    digits
        .parse::<i64>()
        .ok()
        .filter(|number| (0..=i64::from(i32::MAX)).contains(number))
        .and_then(|number| number.checked_mul(factor))
        .filter(|seconds| *seconds <= i64::from(i32::MAX))
        .ok_or_else(wrong)
}

/// The unit of a bare number: that of the default value (`maximal_queue_lifetime = 5` are days).
fn default_unit(name: &str) -> u8 {
    defaults::value(name)
        .and_then(|value| value.bytes().last())
        .filter(|unit| b"smhdw".contains(unit))
        .unwrap_or(b's')
}

fn within(name: &str, value: &str, number: i64, row: &Row, unit: &str) -> Result<(), Problem> {
    if number < row.least {
        return Err(fatal_value(
            name,
            value,
            &format!("is less than {}{unit}", row.least),
            &format!("write {}{unit} or more", row.least),
        ));
    }
    match row.most {
        Some(most) if number > most => Err(fatal_value(
            name,
            value,
            &format!("is more than {most}{unit}"),
            &format!("write {most}{unit} or less"),
        )),
        _ => Ok(()),
    }
}

fn length(name: &str, value: &str, row: &Row) -> Result<(), Problem> {
    let length = i64::try_from(value.len()).unwrap_or(i64::MAX);
    if length < row.least {
        let (what, hint) = if value.is_empty() {
            (
                "must not be empty".to_owned(),
                "give it a value, or do not set it at all".to_owned(),
            )
        } else {
            (
                format!("is shorter than {} characters", row.least),
                format!("write {} characters or more", row.least),
            )
        };
        return Err(fatal_value(name, value, &what, &hint));
    }
    match row.most {
        Some(most) if length > most => Err(fatal_value(
            name,
            value,
            &format!("is longer than {most} characters"),
            &format!("write {most} characters or less"),
        )),
        _ => Ok(()),
    }
}

fn fatal_value(name: &str, value: &str, what: &str, hint: &str) -> Problem {
    let shown = if value.is_empty() && what.starts_with("must") {
        format!("`{name}` {what}")
    } else {
        format!("`{name} = {value}` {what}")
    };
    Problem {
        summary: shown,
        detail: Some(
            "`postfix check` and `postfix reload` accept it; the program that reads it then stops with a fatal error"
                .to_owned(),
        ),
        hint: Some(hint.to_owned()),
        word: None,
    }
}
