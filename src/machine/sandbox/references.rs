//! What a sandbox says of the files and tables that parameters name: a folder holds what a person put there, so that a file
//! that it lacks is no fault, and no table is asked by a program of this machine.

use std::collections::BTreeMap;
use std::path::Path;

use super::Sandbox;
use crate::machine::Questions;
use crate::postfix::catalogue::table_files;
use crate::state::{LiveReferences, LiveTable, ReferencesAnswered};

/// The bytes of a table's source that are read at most.
const TABLE_CAP: u64 = 64 * 1024;

impl Sandbox {
    /// About which files it has answered; none of them is at fault.
    pub(super) fn references(&self, questions: &Questions) -> LiveReferences {
        let asked = questions.references.clone();
        LiveReferences {
            answered: asked.map_or(ReferencesAnswered::Nothing, |asked| {
                ReferencesAnswered::Asked(Box::new(asked))
            }),
            faults: BTreeMap::new(),
        }
    }

    /// The tables whose source is in the folder.
    pub(super) fn tables(&self, questions: &Questions) -> BTreeMap<String, LiveTable> {
        let asked = questions.references.iter();
        let words = asked.flat_map(|asked| asked.asked.keys().chain(&asked.read));
        let table = |word: &String| (word.clone(), self.table(word));
        words.map(table).collect()
    }

    fn table(&self, word: &str) -> LiveTable {
        let not_here = || LiveTable::NotRead("a sandbox has only its source, if any".to_owned());
        let table = word.trim_start_matches("proxy:");
        let path = match table.split_once(':') {
            _ if table.starts_with('/') => table,
            Some((kind, path)) if table_files::has_lines(kind) => path,
            _ => return not_here(),
        };
        let Ok(Some(folder)) = self.folder() else {
            return not_here();
        };
        match folder.read(Path::new(path), TABLE_CAP) {
            Ok(bytes) => LiveTable::Text(String::from_utf8_lossy(&bytes).into_owned()),
            Err(_) => not_here(),
        }
    }
}
