//! An implementation of postconf(1) on texts, after Postfix 3.7 of Debian 12, and with [`Request::of_release`] of another release.
//!
//! Its output, its exit code and the bytes of the edited files are those of the real postconf; the texts of its warnings
//! differ. It does not access files: the caller reads and writes them. It does not support `-a -A -b -l -m -t -T`, which
//! need Postfix's programs and libraries, default values that depend on the machine, and the main.cf parameters of database
//! tables of Postfix before 2.1 (`ldap:NAME`).

mod answer;
mod known;
mod main_cf;
mod master_cf;
mod names;
mod options;
mod read;

use std::borrow::Cow;

pub use answer::{Answer, Files};
pub use options::Request;

use super::main_cf as main_edit;
use super::master_cf as master_edit;
use answer::readable;
use options::Mode;

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
            // The real postconf stops before it flushes its output.
            answer.stdout.clear();
            answer.error = Some(error);
        }
        answer
    }

    /// A text as an edit of parameters or whole entries reads it. Postfix 3.10 ends its last line where 3.7 does not, and takes the byte 0xff at its end for
    /// the end of the file, so that the line is lost; 3.8 and 3.9 were not measured.
    fn ended<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        match text.last() {
            Some(b'\n') | None => Cow::Borrowed(text),
            _ if !self.release.is_from(3, 10) => Cow::Borrowed(text),
            Some(0xff) => {
                let before = text.iter().rposition(|byte| *byte == b'\n');
                Cow::Borrowed(&text[..before.map_or(0, |at| at + 1)])
            }
            Some(_) => Cow::Owned([text, b"\n"].concat()),
        }
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
        let text = self.ended(readable(files.main.as_ref(), "main.cf")?);
        let (text, warnings) = main_edit::change(&text, change, &self.operands())?;
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
        use master_edit::Change::{CommentOutEntry, RemoveEntry, SetEntry};
        let text = match change {
            SetEntry | RemoveEntry | CommentOutEntry => self.ended(text),
            // Whole entries are read in another way than their parts.
            _ => Cow::Borrowed(text),
        };
        let mut done = master_edit::change(&text, change, &self.operands())?;
        // A changed entry is written behind the comments that follow it, so that their last line stays as it is.
        if !done.last_is_changed && !text.ends_with(b"\n") {
            done.text = self.ended(&done.text).into_owned();
        }
        answer.master = Some(done.text);
        answer.warnings.extend(done.warnings);
        Ok(())
    }
}
