//! The input of postconf and its answer.

/// The two files; none for one that cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// main.cf.
    pub main: Option<Vec<u8>>,
    /// master.cf.
    pub master: Option<Vec<u8>>,
}

/// The answer of postconf to a request. If `error` is set, postconf fails with exit code 1, and the caller must not write
/// anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it prints.
    pub stdout: Vec<u8>,
    /// What it warns of.
    pub warnings: Vec<String>,
    /// Why it fails.
    pub error: Option<String>,
    /// The new main.cf, if it was edited (its bytes may be the same).
    pub main: Option<Vec<u8>>,
    /// The new master.cf, if it was edited.
    pub master: Option<Vec<u8>>,
}

/// The text of a file.
///
/// # Errors
/// The message of postconf for a file that cannot be read.
pub(super) fn readable<'a>(text: Option<&'a Vec<u8>>, name: &str) -> Result<&'a [u8], String> {
    text.map(Vec::as_slice)
        .ok_or_else(|| format!("cannot read {name}"))
}

/// Prints a line with each run of blanks as one blank, folded if `fold` is set.
pub(super) fn print_line(out: &mut Vec<u8>, line: &[u8], fold: bool) {
    const LIMIT: usize = 80;
    const INDENT: &[u8] = b"\n    ";
    let mut width = 0;
    for word in crate::postfix::text::words(line, crate::postfix::text::BLANKS) {
        if width > 0 {
            if !fold || width + word.len() < LIMIT {
                out.push(b' ');
                width += 1;
            } else {
                out.extend_from_slice(INDENT);
                width = INDENT.len() - 1;
            }
        }
        out.extend_from_slice(word);
        width += word.len();
    }
    out.push(b'\n');
}
