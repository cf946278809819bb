//! Our own postconf(1): text in, text out, as Debian 12's Postfix 3.7 does it.
//!
//! It behaves as the real one does in what it prints, in its exit code, and in the bytes
//! of the files that it edits; its warnings have words of their own. It never touches a
//! file: who calls it reads and writes. Beyond it are `-a -A -b -l -m -t -T`, which ask
//! programs and libraries that are not here, default values that only the machine knows,
//! and the main.cf names of database tables of Postfix before 2.1 (`ldap:NAME`).

mod answer;
mod known;
mod main_cf;
mod master_cf;
mod names;
mod options;
mod read;

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
