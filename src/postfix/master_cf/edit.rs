//! Editing master.cf as postconf(1) does: `-M`, `-F`, `-P`, `-MX`, `-PX`, `-M#`.

use super::entry::COMMAND;
use super::entry::MasterEntry;
use super::pattern::Pattern;
use crate::postfix::lines::PhysicalLines;
use crate::postfix::lines::is_filler;
use crate::postfix::text::BLANKS;
use crate::postfix::text::is_space;
use crate::postfix::text::lossy;
use crate::postfix::text::split_name_value;
use crate::postfix::text::trim_end;
use crate::postfix::text::trim_start;
use crate::postfix::text::words;

/// What one call of postconf does to master.cf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// `-M name/type=entry`.
    SetEntry,
    /// `-MX name/type`.
    RemoveEntry,
    /// `-M# name/type`.
    CommentOutEntry,
    /// `-F name/type/field=value`.
    SetField,
    /// `-P name/type/parameter=value`.
    SetOption,
    /// `-PX name/type/parameter`.
    RemoveOption,
}

impl Change {
    fn takes_value(self) -> bool {
        matches!(self, Self::SetEntry | Self::SetField | Self::SetOption)
    }

    fn is_of_entry(self) -> bool {
        matches!(
            self,
            Self::SetEntry | Self::RemoveEntry | Self::CommentOutEntry
        )
    }
}

/// The result of an edit.
pub(crate) struct Changed {
    /// The new text.
    pub(crate) text: Vec<u8>,
    /// What postconf warns of.
    pub(crate) warnings: Vec<String>,
    /// The arguments that name a service which master.cf does not have (never for whole entries).
    pub(crate) unmatched: Vec<usize>,
    /// Whether the last entry of the text is one that a request names.
    pub(crate) last_is_changed: bool,
}

struct Request<'a> {
    raw: &'a [u8],
    pattern: Pattern,
    /// The column, for `-F`.
    column: usize,
    value: &'a [u8],
    matched: usize,
}

const CALLED: &str = "-Me, -Fe, -Pe, -X, or -#";

/// Edits `text`.
///
/// # Errors
/// The message with which postconf refuses. Nothing is written then.
pub(crate) fn change(text: &[u8], change: Change, arguments: &[&[u8]]) -> Result<Changed, String> {
    let mut requests = arguments
        .iter()
        .map(|argument| request(change, argument))
        .collect::<Result<Vec<_>, _>>()?;
    let mut editor = Editor {
        change,
        lines: PhysicalLines::new(text),
        result: Vec::with_capacity(text.len() + 64),
        warnings: Vec::new(),
    };
    // Whether a pattern matches the logical line that the current line belongs to.
    let mut ours = false;
    while let Some(line) = editor.lines.next_line() {
        if is_filler(line) {
            editor.result.extend_from_slice(line);
        } else if is_space(line[0]) {
            editor.pass(line, ours);
        } else {
            ours = editor.entry(line, &mut requests)?;
        }
    }
    let mut unmatched = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        if request.matched > 0 {
            continue;
        }
        if change == Change::SetEntry {
            let entry = editor.parse(request.value, request.raw)?;
            editor.print(&entry);
        } else if !change.is_of_entry() {
            unmatched.push(at);
            editor.warnings.push(format!(
                "unmatched service_name/type: \"{}\"",
                lossy(request.raw)
            ));
        }
    }
    Ok(Changed {
        text: editor.result,
        warnings: editor.warnings,
        unmatched,
        last_is_changed: ours,
    })
}

struct Editor<'a> {
    change: Change,
    lines: PhysicalLines<'a>,
    result: Vec<u8>,
    warnings: Vec<String>,
}

impl Editor<'_> {
    /// Copies a line unless new text replaces it.
    fn pass(&mut self, line: &[u8], ours: bool) {
        if !ours {
            self.result.extend_from_slice(line);
        } else if self.change == Change::CommentOutEntry {
            self.result.push(b'#');
            self.result.extend_from_slice(line);
        }
    }

    /// Handles the first line of an entry; gives whether a pattern matches the entry.
    fn entry(&mut self, line: &[u8], requests: &mut [Request<'_>]) -> Result<bool, String> {
        let mut columns = words(line, BLANKS);
        let (Some(name), Some(kind)) = (columns.next(), columns.next()) else {
            return Err("specify service name and type on the same line".to_owned());
        };
        if name.contains(&b'=') {
            return Err(format!(
                "service name syntax \"{}\" is unsupported with {CALLED}",
                lossy(name)
            ));
        }
        if kind.iter().any(|byte| b"=/".contains(byte)) {
            return Err(format!(
                "service type syntax \"{}\" is unsupported with {CALLED}",
                lossy(kind)
            ));
        }
        let mut ours = false;
        let mut replacement: Option<MasterEntry> = None;
        for request in requests {
            let tentative = if self.change == Change::SetEntry {
                Some(self.parse(request.value, request.raw)?)
            } else {
                None
            };
            // A new entry also replaces the one of its own name, which may differ from the pattern's.
            let meant = request.pattern.matches(name, kind)
                || tentative
                    .as_ref()
                    .is_some_and(|entry| entry.matches(name, kind));
            if !meant {
                continue;
            }
            ours = true;
            request.matched += 1;
            match self.change {
                Change::RemoveEntry | Change::CommentOutEntry => {}
                Change::SetEntry => {
                    if request.matched == 1 {
                        replacement = tentative;
                    }
                }
                Change::SetField | Change::SetOption | Change::RemoveOption => {
                    let entry = match &mut replacement {
                        Some(entry) => entry,
                        None => replacement.insert(self.whole_entry(line)?),
                    };
                    self.warnings.extend(amend(entry, self.change, request)?);
                }
            }
        }
        match replacement {
            Some(entry) => self.print(&entry),
            None => self.pass(line, ours),
        }
        Ok(ours)
    }

    /// Handles the lines that continue an entry. Comments among them are moved before the entry.
    fn whole_entry(&mut self, first: &[u8]) -> Result<MasterEntry, String> {
        let mut text = first.to_vec();
        while self
            .lines
            .peek()
            .is_some_and(|byte| byte == b'#' || is_space(byte))
        {
            let Some(line) = self.lines.next_line() else {
                break;
            };
            if is_filler(line) {
                self.result.extend_from_slice(line);
            } else {
                text.extend_from_slice(line);
            }
        }
        let raw = first.to_vec();
        self.parse(&text, &raw)
    }

    fn parse(&mut self, text: &[u8], raw: &[u8]) -> Result<MasterEntry, String> {
        let (entry, complaints) = MasterEntry::parse(text)
            .map_err(|why| format!("{why}: \"{}\"", lossy(trim_end(raw))))?;
        self.warnings.extend(complaints);
        Ok(entry)
    }

    fn print(&mut self, entry: &MasterEntry) {
        let text = entry.print(true, &mut <[u8]>::to_vec);
        self.result.extend_from_slice(&text);
    }
}

fn amend(
    entry: &mut MasterEntry,
    change: Change,
    request: &Request<'_>,
) -> Result<Vec<String>, String> {
    let name = request.pattern.detail().unwrap_or_default();
    match change {
        Change::SetField => return entry.set_column(request.column, request.value),
        Change::SetOption => entry.set_option(name, request.value),
        _ => entry.remove_option(name),
    }
    Ok(Vec::new())
}

fn request(change: Change, raw: &[u8]) -> Result<Request<'_>, String> {
    if raw.contains(&b'\n') {
        return Err(format!("{CALLED} accept no multi-line input"));
    }
    let argument = trim_start(raw);
    if argument.first() == Some(&b'#') {
        return Err(format!("{CALLED} accept no comment input"));
    }
    let (pattern, value): (&[u8], &[u8]) = if change.takes_value() {
        split_name_value(argument).map_err(|why| format!("{why}: \"{}\"", lossy(raw)))?
    } else {
        if argument.contains(&b'=') {
            return Err("-X or -# requires names without value".to_owned());
        }
        // Blanks at the end are kept, so that the pattern matches nothing, as in postconf.
        (argument, b"")
    };
    let parts = if change.is_of_entry() { 2 } else { 3 };
    let pattern = Pattern::parse(pattern, parts, parts).ok_or(match change {
        Change::SetField => "-Fe or -FX requires service_name/type/field_name",
        Change::SetOption | Change::RemoveOption => {
            "-Pe or -PX requires service_name/type/parameter"
        }
        _ => "-Me, -MX or -M# requires service_name/type",
    })?;
    let blank = value.iter().any(|byte| BLANKS.contains(byte));
    let mut column = COMMAND;
    match change {
        Change::SetField => {
            column = pattern
                .column()?
                .ok_or("-Fe does not accept wild-card field name")?;
            if column < COMMAND && blank {
                return Err("-Fe does not accept whitespace in non-command field".to_owned());
            }
        }
        Change::SetOption | Change::RemoveOption => {
            if pattern.detail().is_none() {
                return Err("-Pe does not accept wild-card parameter name".to_owned());
            }
            if blank {
                return Err("-Pe does not accept whitespace in parameter value".to_owned());
            }
        }
        _ => {}
    }
    Ok(Request {
        raw,
        pattern,
        column,
        value,
        matched: 0,
    })
}
