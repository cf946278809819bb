//! Editing main.cf as postconf(1) does: `-e`, `-X`, `-#`.

use std::collections::BTreeMap;

use crate::postfix::lines::PhysicalLines;
use crate::postfix::lines::is_filler;
use crate::postfix::text::is_space;
use crate::postfix::text::lossy;
use crate::postfix::text::split_name_value;
use crate::postfix::text::trim_start;

/// What one call of postconf does to main.cf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// `-e`: set `name=value`.
    Set,
    /// `-X`: remove `name`.
    Remove,
    /// `-#`: comment `name` out.
    CommentOut,
}

struct Wanted<'a> {
    value: &'a [u8],
    found: usize,
}

/// Edits `text`; the second value holds the warnings.
///
/// # Errors
/// The message with which postconf refuses. Nothing is written then.
pub(crate) fn change(
    text: &[u8],
    change: Change,
    arguments: &[&[u8]],
) -> Result<(Vec<u8>, Vec<String>), String> {
    let mut warnings = Vec::new();
    let mut wanted = requests(change, arguments, &mut warnings)?;
    let mut result = Vec::with_capacity(text.len() + 64);
    let mut lines = PhysicalLines::new(text);
    // Whether the logical line that the current line belongs to is one of those to change.
    let mut ours = false;
    while let Some(line) = lines.next_line() {
        if is_filler(line) {
            result.extend_from_slice(line);
            continue;
        }
        if is_space(line[0]) {
            match change {
                _ if !ours => result.extend_from_slice(line),
                Change::CommentOut => comment(&mut result, line),
                Change::Set | Change::Remove => {}
            }
            continue;
        }
        let end = line
            .iter()
            .position(|byte| b" \t\r\n=".contains(byte))
            .unwrap_or(line.len());
        let name = &line[..end];
        let Some(request) = wanted.get_mut(name) else {
            ours = false;
            result.extend_from_slice(line);
            continue;
        };
        ours = true;
        request.found += 1;
        if request.found == 2 {
            warnings.push(format!("multiple entries for \"{}\"", lossy(name)));
        }
        match change {
            Change::Set => entry(&mut result, name, request.value),
            Change::CommentOut => comment(&mut result, line),
            Change::Remove => {}
        }
    }
    if change == Change::Set {
        for (name, request) in &wanted {
            if request.found == 0 {
                entry(&mut result, name, request.value);
            }
        }
    }
    Ok((result, warnings))
}

fn requests<'a>(
    change: Change,
    arguments: &[&'a [u8]],
    warnings: &mut Vec<String>,
) -> Result<BTreeMap<&'a [u8], Wanted<'a>>, String> {
    let mut wanted = BTreeMap::new();
    for argument in arguments {
        if argument.contains(&b'\n') {
            return Err("-e, -X, or -# accepts no multi-line input".to_owned());
        }
        let argument = trim_start(argument);
        if argument.first() == Some(&b'#') {
            return Err("-e, -X, or -# accepts no comment input".to_owned());
        }
        let (name, value): (&[u8], &[u8]) = match change {
            Change::Set => split_name_value(argument)
                .map_err(|why| format!("{why}: \"{}\"", lossy(argument)))?,
            Change::Remove | Change::CommentOut => {
                if argument.is_empty() {
                    return Err("-X or -# requires non-blank parameter names".to_owned());
                }
                if argument.contains(&b'=') {
                    return Err("-X or -# requires parameter names without value".to_owned());
                }
                // Blanks at the end are kept, so that the name matches nothing, as in postconf.
                (argument, b"")
            }
        };
        if wanted.insert(name, Wanted { value, found: 0 }).is_some() {
            warnings.push(format!("ignoring earlier request for \"{}\"", lossy(name)));
        }
    }
    Ok(wanted)
}

fn entry(result: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    result.extend_from_slice(name);
    result.extend_from_slice(b" = ");
    result.extend_from_slice(value);
    result.push(b'\n');
}

fn comment(result: &mut Vec<u8>, line: &[u8]) {
    result.push(b'#');
    result.extend_from_slice(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, how: Change, arguments: &[&str]) -> String {
        let arguments: Vec<&[u8]> = arguments.iter().map(|text| text.as_bytes()).collect();
        lossy(
            &change(text.as_bytes(), how, &arguments)
                .map_or_else(String::into_bytes, |done| done.0),
        )
    }

    #[test]
    fn setting_keeps_comments_and_drops_what_continued_the_old_value() {
        assert_eq!(
            edited(
                "# top\na = 1\n # in\n 2\n\nb=3\n",
                Change::Set,
                &["a=x  y", "z=1", "c="]
            ),
            "# top\na = x  y\n # in\n\nb=3\nc = \nz = 1\n"
        );
    }

    #[test]
    fn every_duplicate_is_replaced() {
        assert_eq!(
            edited("a=1\nb=2\na=3\n", Change::Set, &["a=4"]),
            "a = 4\nb=2\na = 4\n"
        );
    }

    #[test]
    fn removing_and_commenting_out() {
        assert_eq!(edited("a=1\n 2\nb=3\n", Change::Remove, &["a"]), "b=3\n");
        assert_eq!(
            edited("a=1\n 2\nb=3\n", Change::CommentOut, &["a"]),
            "#a=1\n# 2\nb=3\n"
        );
    }

    #[test]
    fn what_postconf_refuses() {
        for (how, argument) in [
            (Change::Set, "a=1\n2"),
            (Change::Set, "#a=1"),
            (Change::Set, "a"),
            (Change::Set, "=a"),
            (Change::Remove, "a=1"),
            (Change::Remove, "  "),
        ] {
            assert!(
                change(b"", how, &[argument.as_bytes()]).is_err(),
                "{argument:?}"
            );
        }
    }
}
