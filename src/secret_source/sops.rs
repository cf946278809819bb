//! Secrets in files that are encrypted by sops, decrypted by its program.

use std::process::Command;
use std::time::Duration;

use super::command::not_started;
use super::{MOST, Text, file, first_lines, text_of};
use crate::diagnostic::Diagnostic;
use crate::program::{Bounds, Ended, run};
use crate::secret::SopsSource;

/// A key service of a cloud may be far away.
const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(60),
    bytes: MOST,
};

/// The largest encrypted file.
const MOST_FILE: u64 = 16 << 20;

/// Takes one value out of the file; sops prints nothing else of it.
pub(super) fn read(source: &SopsSource) -> Text {
    let path = file::expanded(&source.file);
    // The program says less well what is wrong with a path, and reads pipes and devices.
    file::public(&path, MOST_FILE)?;
    let (shown, key) = (path.display(), source.key.join("."));
    let mut command = Command::new("sops");
    command
        .args(["--decrypt", "--extract", &extract(&source.key)])
        .arg(&path);
    match run(&mut command, b"", BOUNDS) {
        Ended::Done { status, output, .. } if status.success() => {
            text_of(&output, &format!("`{key}` of `{shown}`"))
        }
        Ended::Done { messages, .. } => {
            let problem = Diagnostic::error(format!("sops cannot give `{key}` of `{shown}`"))
                .detail(first_lines(&messages));
            Err(problem.hint(hint(&messages)))
        }
        Ended::NotStarted(error) => Err(not_started("sops", &error)),
        Ended::TimedOut => Err(Diagnostic::error(format!(
            "sops did not decrypt `{shown}` within {:?}",
            BOUNDS.time
        ))
        .hint("check that its key service can be reached; sops cannot ask for anything here")),
        Ended::TooMuch => Err(Diagnostic::error(format!(
            "`{key}` of `{shown}` is too large for a secret"
        ))
        .hint("let the key path lead to one line of text")),
    }
}

/// The keys as sops takes them: `["ldap"]["password"]`, and numbers as places in a list.
fn extract(keys: &[String]) -> String {
    let part = |key: &String| match key.parse::<u32>() {
        Ok(place) => format!("[{place}]"),
        Err(_) => format!("[\"{key}\"]"),
    };
    keys.iter().map(part).collect()
}

fn hint(messages: &str) -> &'static str {
    if messages.contains("data key") || messages.contains("no master key") {
        "give sops a key of this file, such as by `SOPS_AGE_KEY_FILE`; `sops --decrypt FILE` shows the same error"
    } else if messages.contains("metadata not found") {
        "encrypt the file by `sops --encrypt --in-place FILE`"
    } else if messages.contains("not found") || messages.contains("not exist") {
        "correct the key path: `sops FILE` shows the keys"
    } else {
        "run `sops --decrypt FILE` by hand"
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_and_places_are_written_as_sops_reads_them() {
        let keys = ["users", "0", "pass word"].map(str::to_owned);
        assert_eq!(super::extract(&keys), "[\"users\"][0][\"pass word\"]");
    }
}
