//! What a folder knows about changes of its files: their times and the marks of other tools. It has no log of logins.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{MOST_BYTES, Sandbox};
use crate::exchange::{Evidence, EvidenceQuestion, FileTrace, MachineError, signature};
use crate::name::RemotePath;

impl Sandbox {
    /// Looks at each file that the question names.
    pub(super) fn evidence(&self, question: &EvidenceQuestion) -> Result<Evidence, MachineError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut evidence = Evidence {
            now: now.map_or(0, |since| since.as_secs().cast_signed()),
            ..Evidence::default()
        };
        for path in question.files.keys() {
            let trace = self
                .trace(path)
                .map_err(|error| self.unfit(&format!("cannot look at `{path}`"), &error))?;
            evidence.traces.insert(path.clone(), trace);
        }
        Ok(evidence)
    }

    fn trace(&self, path: &RemotePath) -> std::io::Result<FileTrace> {
        let real = Path::new(path.as_str());
        let Some(folder) = self.folder()? else {
            return Ok(FileTrace::default());
        };
        let meta = match folder.metadata(real) {
            Ok(meta) => meta,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(FileTrace::default()),
            Err(error) => return Err(error),
        };
        let bytes = match meta.is_file() {
            true => folder.read(real, MOST_BYTES)?,
            false => Vec::new(),
        };
        let text = String::from_utf8_lossy(&bytes);
        let lines = text.lines().enumerate();
        Ok(FileTrace {
            changed: Some(meta.ctime()),
            exists: true,
            markers: lines
                .filter(|(_, line)| signature(line).is_some())
                .map(|(at, line)| (at + 1, line.trim().to_owned()))
                .collect(),
            lines: std::collections::BTreeMap::new(),
        })
    }
}
