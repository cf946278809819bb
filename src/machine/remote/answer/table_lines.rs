//! The lines of an answer that are about one lookup table.

/// A table in an answer: how it was asked, its name, the keys, and the lines about it.
#[derive(Debug)]
pub(super) struct TableLines<'a> {
    pub kind: &'a str,
    pub table: &'a str,
    pub keys: Vec<&'a str>,
    pub lines: Vec<&'a str>,
}

impl<'a> TableLines<'a> {
    /// The table of a title: `KIND TABLE KEY...`.
    pub fn titled(title: &'a str) -> Self {
        let mut words = title.split_whitespace();
        Self {
            kind: words.next().unwrap_or_default(),
            table: words.next().unwrap_or_default(),
            keys: words.collect(),
            lines: Vec::new(),
        }
    }

    /// The path of its source, which precedes each line of it.
    pub fn path(&self) -> &'a str {
        let at = self.table.find(":/").map_or(0, |at| at + 1);
        self.table.get(at..).unwrap_or_default()
    }
}
