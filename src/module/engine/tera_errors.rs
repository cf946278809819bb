//! What Tera says of one template once it was parsed, taken apart: it comes as one text.

use tera::ErrorKind;

/// One thing that Tera says of a template among others, in text.
pub(super) struct Report<'a> {
    /// What is wrong.
    pub(super) what: &'a str,
    /// Its line in the template, from 1.
    pub(super) line: usize,
    /// Its column, from 1.
    pub(super) column: usize,
}

impl Report<'_> {
    /// The template that another one includes, and that Tera does not have.
    pub(super) fn missing(&self) -> Option<&str> {
        self.what
            .strip_prefix("Unknown template `")?
            .strip_suffix('`')
    }
}

/// What Tera found in a template once it was parsed: `error: WHAT`, and below it
/// `--> NAME:LINE:COLUMN`. None where it says one thing, by its kind.
pub(super) fn reports(error: &tera::Error) -> Vec<Report<'_>> {
    let ErrorKind::Msg(text) = error.kind() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(what) = line.strip_prefix("error: ") {
            let mut place = lines.next().unwrap_or_default().rsplit(':');
            let mut number = || place.next().and_then(|number| number.trim().parse().ok());
            let column = number().unwrap_or(1);
            found.push(Report {
                what,
                line: number().unwrap_or(1),
                column,
            });
        }
    }
    found
}
