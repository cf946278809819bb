//! Our own postconf(1): text in, text out, as Debian 12's Postfix 3.7 does it.
//!
//! It behaves as the real one does in what it prints, in its exit code, and in the bytes
//! of the files that it edits; its warnings have words of their own. It never touches a
//! file: who calls it reads and writes. Beyond it are `-a -A -b -l -m -t -T`, which ask
//! programs and libraries that are not here, default values that only the machine knows,
//! and the main.cf names of database tables of Postfix before 2.1 (`ldap:NAME`).

mod main_cf;
mod master_cf;
mod names;
mod options;

pub use options::Request;

use super::main_cf as main_edit;
use super::master_cf as master_edit;
use options::Mode;

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

impl Request {
    /// Answers the request.
    #[must_use]
    pub fn answer(&self, files: &Files) -> Answer {
        let mut answer = Answer::default();
        let result = match self.mode {
            Mode::EditMain(change) => self.edit_main(change, files, &mut answer),
            Mode::EditMaster(change) => self.edit_master(change, files, &mut answer),
            Mode::ShowMain => main_cf::show(self, files, &mut answer),
            Mode::ShowEntries | Mode::ShowFields | Mode::ShowOptions => {
                master_cf::show(self, files, &mut answer)
            }
        };
        if let Err(error) = result {
            // The real one dies with its output still in its buffer.
            answer.stdout.clear();
            answer.error = Some(error);
        }
        answer
    }

    fn operands(&self) -> Vec<&[u8]> {
        self.operands.iter().map(Vec::as_slice).collect()
    }

    fn edit_main(
        &self,
        change: main_edit::Change,
        files: &Files,
        answer: &mut Answer,
    ) -> Result<(), String> {
        let text = readable(files.main.as_ref(), "main.cf")?;
        let (text, warnings) = main_edit::change(text, change, &self.operands())?;
        answer.main = Some(text);
        answer.warnings.extend(warnings);
        Ok(())
    }

    fn edit_master(
        &self,
        change: master_edit::Change,
        files: &Files,
        answer: &mut Answer,
    ) -> Result<(), String> {
        let text = readable(files.master.as_ref(), "master.cf")?;
        let done = master_edit::change(text, change, &self.operands())?;
        answer.master = Some(done.text);
        answer.warnings.extend(done.warnings);
        Ok(())
    }
}

fn readable<'a>(text: Option<&'a Vec<u8>>, name: &str) -> Result<&'a [u8], String> {
    text.map(Vec::as_slice)
        .ok_or_else(|| format!("cannot read {name}"))
}

/// Prints a line with runs of blanks as one, folded where that is asked for.
fn print_line(out: &mut Vec<u8>, line: &[u8], fold: bool) {
    const LIMIT: usize = 80;
    const INDENT: &[u8] = b"\n    ";
    let mut width = 0;
    for word in super::text::words(line, super::text::BLANKS) {
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
