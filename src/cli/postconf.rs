//! `murder postconf`: our own postconf(1).

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use super::error::CliError;
use super::exit::Exit;
use super::output;
use super::terminal::Terminal;
use crate::postfix::configuration::Release;
use crate::postfix::postconf::Files;
use crate::postfix::postconf::Request;
use crate::replace_file::replace;

/// Runs it with postconf's own arguments.
///
/// # Errors
/// What postconf calls fatal.
pub fn run(arguments: &[OsString], terminal: &Terminal) -> Result<Exit, CliError> {
    let printed = answer(arguments, terminal)
        .map_err(|why| CliError::verbatim(format!("postconf: fatal: {why}")))?;
    output::print(&printed, terminal)?;
    Ok(Exit::Done)
}

/// Carries out the edits, and gives the text to print.
fn answer(arguments: &[OsString], terminal: &Terminal) -> Result<Vec<u8>, String> {
    let arguments: Vec<Vec<u8>> = arguments
        .iter()
        .map(|argument| argument.clone().into_vec())
        .collect();
    let (release, arguments) = release_of(&arguments)?;
    let request = Request::parse(arguments)?.of_release(release);
    let directory = directory(&request)?;
    let files = Files {
        main: read(&directory.join("main.cf"))?,
        master: read(&directory.join("master.cf"))?,
    };
    let answer = request.answer(&files);
    for warning in &answer.warnings {
        // The form of warnings of all Postfix programs.
        terminal.report(&format!("postconf: warning: {warning}"));
    }
    if let Some(error) = answer.error {
        return Err(format!("{}: {error}", directory.display()));
    }
    for (name, text) in [("main.cf", &answer.main), ("master.cf", &answer.master)] {
        if let Some(text) = text {
            write(&directory, name, text)?;
        }
    }
    Ok(answer.stdout)
}

/// `--release VERSION` before all other arguments, and those: the release of Postfix whose postconf is meant.
fn release_of(arguments: &[Vec<u8>]) -> Result<(Release, &[Vec<u8>]), String> {
    let [first, rest @ ..] = arguments else {
        return Ok((Release::default(), arguments));
    };
    let (version, rest) = match (first.as_slice(), rest) {
        (b"--release", [version, rest @ ..]) => (version.as_slice(), rest),
        (b"--release", []) => return Err("option --release requires an argument".to_owned()),
        (first, rest) => match first.strip_prefix(b"--release=") {
            Some(version) => (version, rest),
            None => return Ok((Release::default(), arguments)),
        },
    };
    let text = String::from_utf8_lossy(version);
    let mut numbers = text.split('.');
    let good = numbers.clone().count() >= 2 && numbers.all(|one| one.parse::<u32>().is_ok());
    if !good {
        return Err(format!(
            "`{text}` is no release of Postfix: write one such as 3.10"
        ));
    }
    Ok((Release::new(&text), rest))
}

/// `-c`, or MAIL_CONFIG. There is no default, so that a missing option never edits the configuration of the system.
fn directory(request: &Request) -> Result<PathBuf, String> {
    request
        .directory()
        .map(|directory| PathBuf::from(OsStr::from_bytes(directory)))
        .or_else(|| std::env::var_os("MAIL_CONFIG").map(PathBuf::from))
        .ok_or_else(|| "no configuration directory: use -c DIR or set MAIL_CONFIG".to_owned())
}

/// The text of a file, or nothing if it does not exist; postconf decides whether that is an error.
fn read(path: &Path) -> Result<Option<Vec<u8>>, String> {
    match fs::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read {}: {error}", path.display())),
    }
}

/// Writes a file whole. The mode stays, where Postfix's own postconf makes it 0644.
fn write(directory: &Path, name: &str, text: &[u8]) -> Result<(), String> {
    let path = directory.join(name);
    let written = fs::metadata(&path)
        .and_then(|found| replace(&path, text, Some(found.permissions().mode() & 0o7777)));
    written.map_err(|error| format!("cannot write {}: {error}", path.display()))
}
