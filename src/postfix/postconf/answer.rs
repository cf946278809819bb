//! What postconf is given and what it answers.

/// The two files; none where one cannot be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// main.cf.
    pub main: Option<Vec<u8>>,
    /// master.cf.
    pub master: Option<Vec<u8>>,
}

/// What postconf does with a request. `error` is the reason where it fails (exit code 1);
/// nothing is to be written then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// What it prints.
    pub stdout: Vec<u8>,
    /// What it warns of.
    pub warnings: Vec<String>,
    /// Why it fails.
    pub error: Option<String>,
    /// The new main.cf, where it was edited (perhaps to the same bytes).
    pub main: Option<Vec<u8>>,
    /// The new master.cf, where it was edited.
    pub master: Option<Vec<u8>>,
}

/// The text of a file.
///
/// # Errors
/// The words with which postconf says that it cannot be read.
pub(super) fn readable<'a>(text: Option<&'a Vec<u8>>, name: &str) -> Result<&'a [u8], String> {
    text.map(Vec::as_slice)
        .ok_or_else(|| format!("cannot read {name}"))
}

/// Prints a line with runs of blanks as one, folded where that is asked for.
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
