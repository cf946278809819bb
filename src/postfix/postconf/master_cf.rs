//! Shows services (`postconf -M`), their fields (`-F`) and their options (`-P`).

use super::answer::Answer;
use super::answer::Files;
use super::answer::print_line;
use super::names::Names;
use super::options::Mode;
use super::options::Request;
use super::read::name_space;
use crate::postfix::master_cf::COLUMN_NAMES;
use crate::postfix::master_cf::MasterEntry;
use crate::postfix::master_cf::Pattern;
use crate::postfix::text::lossy;

/// One pattern of the command line, and whether anything matched.
struct Wanted<'a> {
    raw: &'a [u8],
    pattern: Pattern,
    column: Option<usize>,
    matched: bool,
}

/// Shows what the patterns select, or everything if there are none.
pub(super) fn show(request: &Request, files: &Files, answer: &mut Answer) -> Result<(), String> {
    let names = Names::read(request, files, true, &mut answer.warnings)?;
    let all = [b"*".to_vec()];
    let asked = if request.operands.is_empty() {
        &all[..]
    } else {
        &request.operands
    };
    let mut wanted = asked
        .iter()
        .map(|raw| wanted(request.mode, raw))
        .collect::<Result<Vec<_>, _>>()?;
    for (at, entry) in names.entries.iter().enumerate() {
        for wanted in &mut wanted {
            if wanted.pattern.matches(entry.word(0), entry.word(1)) {
                wanted.matched |=
                    show_entry(request, &names, (at, entry), wanted, &mut answer.stdout)?;
            }
        }
    }
    if !request.operands.is_empty() {
        for wanted in wanted.iter().filter(|wanted| !wanted.matched) {
            answer
                .warnings
                .push(format!("unmatched request: \"{}\"", lossy(wanted.raw)));
        }
    }
    Ok(())
}

fn wanted(mode: Mode, raw: &[u8]) -> Result<Wanted<'_>, String> {
    let (most, form) = match mode {
        Mode::ShowEntries => (2, "-M option requires service_name[/type]"),
        Mode::ShowFields => (3, "-F option requires service_name[/type[/field]]"),
        _ => (3, "-P option requires service_name[/type[/parameter]]"),
    };
    let pattern = Pattern::parse(raw, 1, most).ok_or(form)?;
    let column = match mode {
        Mode::ShowFields => pattern.column()?,
        _ => None,
    };
    Ok(Wanted {
        raw,
        pattern,
        column,
        matched: false,
    })
}

/// Shows the part of an entry that a pattern selects; gives whether the entry has it.
fn show_entry(
    request: &Request,
    names: &Names,
    (at, entry): (usize, &MasterEntry),
    wanted: &Wanted<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, String> {
    match request.mode {
        Mode::ShowEntries => {
            let text = expanding(request, names, entry, |expand| {
                entry.print(request.has('f'), expand)
            })?;
            out.extend_from_slice(&text);
        }
        Mode::ShowFields => {
            let columns = wanted
                .column
                .map_or(0..COLUMN_NAMES.len(), |column| column..column + 1);
            for column in columns {
                show_field(request, names, entry, column, out)?;
            }
        }
        _ => return show_options(request, names, (at, entry), wanted, out),
    }
    Ok(true)
}

fn show_field(
    request: &Request,
    names: &Names,
    entry: &MasterEntry,
    column: usize,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let text = if request.has('H') {
        [
            &name_space(entry),
            &b"/"[..],
            COLUMN_NAMES[column].as_bytes(),
        ]
        .concat()
    } else {
        expanding(request, names, entry, |expand| {
            entry.print_column(column, request.has('h'), request.has('f'), expand)
        })?
    };
    out.extend_from_slice(&text);
    out.push(b'\n');
    Ok(())
}

fn show_options(
    request: &Request,
    names: &Names,
    (at, entry): (usize, &MasterEntry),
    wanted: &Wanted<'_>,
    out: &mut Vec<u8>,
) -> Result<bool, String> {
    let Some(options) = names.options(at) else {
        return Ok(false);
    };
    let mut any = wanted.pattern.detail().is_none();
    for (name, value) in options {
        if wanted.pattern.detail().is_some_and(|only| only != name) {
            continue;
        }
        any = true;
        let full = [&name_space(entry), &b"/"[..], name].concat();
        let value = if request.has('x') {
            names.expand(value, Some(entry))?
        } else {
            value.clone()
        };
        let line = match (request.has('H'), request.has('h')) {
            (true, _) => full,
            (_, true) => value,
            _ => [&full, &b" = "[..], &value].concat(),
        };
        print_line(out, &line, request.has('f'));
    }
    Ok(any)
}

/// Calls `print` with a function that expands values if `-x` is given.
fn expanding(
    request: &Request,
    names: &Names,
    entry: &MasterEntry,
    print: impl FnOnce(&mut dyn FnMut(&[u8]) -> Vec<u8>) -> Vec<u8>,
) -> Result<Vec<u8>, String> {
    let mut failure = None;
    let text = print(&mut |value| {
        if !request.has('x') {
            return value.to_vec();
        }
        names.expand(value, Some(entry)).unwrap_or_else(|why| {
            failure.get_or_insert(why);
            Vec::new()
        })
    });
    match failure {
        Some(why) => Err(why),
        None => Ok(text),
    }
}
