//! Turns questions into one sh program.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use super::access_checks;
use super::paths;
use crate::machine::{HistoryQuestion, Questions};
use crate::name::RemotePath;
use crate::service::Service;
use crate::state::References;
use crate::transport::limits::TEXTS;

/// Files larger than this are not read on the host; for `murder`, they are no files that it can manage.
pub(super) const HASH_CAP: u64 = 1024 * 1024 * 1024;

/// The largest main.cf, master.cf, ledger, journal, or list of paths that is read, in bytes.
pub(super) const OWN_CAP: u64 = 8 * 1024 * 1024;

/// How both programs follow a path.
pub(super) const WAYS: &str = include_str!("ways.sh");

/// The part that is the same for every host.
static PROGRAM: LazyLock<String> =
    LazyLock::new(|| without_comments(WAYS) + &without_comments(include_str!("observe.sh")));

/// The program that answers `questions` of some services one after another, each with a nonce of its own, for the standard
/// input of `sh -s`.
///
/// The shell parses the whole function before a line calls it, and every child reads from /dev/null: no child can
/// read a part of the program, and a program that is cut off in the function does nothing.
pub(super) fn program(
    questions: &Questions,
    services: &[(Service, String)],
    silence: Duration,
) -> String {
    let mut program = PROGRAM.clone();
    for (service, nonce) in services {
        program.push_str(&of_service(questions, service, nonce, silence));
    }
    program.push_str("exit\n");
    program
}

/// The part that looks at one service.
fn of_service(questions: &Questions, service: &Service, nonce: &str, silence: Duration) -> String {
    let mut program = String::new();
    // In halves, so that a host that echoes its input does not appear to answer.
    let (left, right) = nonce.split_at(nonce.len() / 2);
    let known = questions
        .known
        .as_ref()
        // Facts that were kept without the names of parameters cannot answer a question about names.
        .filter(|known| questions.names.is_empty() || !known.facts.parameters.is_empty())
        .map_or("", |known| known.identity.as_str());
    let _ = writeln!(program, "N={left}");
    let _ = writeln!(program, "N=${{N}}{right}");
    // The host ends its look before the client's patience ends, so that it can say so.
    let deadline = (silence * 5 / 6).as_secs().max(1);
    let _ = writeln!(
        program,
        "CAP={TEXTS} HASHED={HASH_CAP} OWN={OWN_CAP} DEADLINE={deadline}"
    );
    let folder = service.folder();
    let _ = writeln!(program, "CF={folder}");
    let _ = writeln!(program, "KNOWN={}", quote(known));
    let _ = writeln!(program, "FILES='{}'", words(questions.files.keys()));
    let checked: Vec<String> = access_checks::checked_paths(&folder, questions.files.keys())
        .into_iter()
        .collect();
    let _ = writeln!(program, "GROUND='{}'", checked.join(" "));
    let _ = writeln!(program, "INDEXES='{}'", words(&questions.indexes));
    let _ = writeln!(program, "SOCKETS='{}'", words(&questions.sockets));
    let references = questions.references.as_ref().map(References::lines);
    let references = references.unwrap_or_default();
    let _ = writeln!(program, "REFERENCES={}", quote(&references));
    let history = match questions.history {
        None => String::new(),
        Some(HistoryQuestion::Entries) => "entries".to_owned(),
        Some(HistoryQuestion::Generation(number)) => paths::history(number),
    };
    let _ = writeln!(program, "HISTORY={history}");
    program.push_str("EXPECTED='");
    for (path, sha256) in &questions.files {
        if let Some(sha256) = sha256.as_ref().filter(|text| is_hash(text)) {
            let _ = writeln!(program, "{sha256}  {path}");
        }
    }
    program.push_str("'\nmurder_observe </dev/null\n");
    program
}

/// A list of paths as words of sh: a [`RemotePath`] contains no blank and no quote.
fn words<'a>(paths: impl IntoIterator<Item = &'a RemotePath>) -> String {
    let words: Vec<&str> = paths.into_iter().map(RemotePath::as_str).collect();
    words.join(" ")
}

/// Any text as one word of sh.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether a text is a SHA-256 as sha256sum(1) prints it.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The program without comment lines and indentation, as it is sent at every observation.
pub(super) fn without_comments(program: &str) -> String {
    let mut short = String::with_capacity(program.len());
    for line in program.lines().map(str::trim_start) {
        if !line.starts_with('#') && !line.is_empty() {
            short.push_str(line);
            short.push('\n');
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_survives_every_character() {
        assert_eq!(quote("it's `$x`"), r"'it'\''s `$x`'");
    }

    #[test]
    fn the_nonce_is_not_in_the_program() {
        let nonce = "0123456789abcdef".to_owned();
        let program = program(
            &Questions::default(),
            &[(Service::POSTFIX, nonce)],
            Duration::from_secs(60),
        );
        assert!(!program.contains("0123456789abcdef"));
        assert!(program.len() < 14 * 1024, "{} bytes", program.len());
    }
}
