//! `murder plan --out`: saves the plan, and prints what the file says.

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::mail_change::{MailArguments, MailReport};
use super::reach::{ConsentArguments, ReachArguments};
use super::terminal::Terminal;
use super::{Selection, judged_plan, open, selection, show, untrusted};
use crate::plan::Plan;
use crate::plan::saved::SavedPlan;
use crate::replace_file::replace;
use crate::session::saving::saved_plan;

/// The flags of `plan` that are about the file.
#[derive(Debug, Args)]
#[command(next_help_heading = "Saved plan")]
pub struct SaveArguments {
    /// Save the plan to FILE, for `show FILE` and `apply FILE`. It holds no secret, and may be published.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// The folder from which relative paths of secrets, keys and known_hosts in the saved plan resolve. Default: the
    /// current folder.
    #[arg(long, value_name = "DIR", requires = "out", value_hint = clap::ValueHint::DirPath)]
    pub base: Option<PathBuf>,
}

/// Plans the selected hosts, saves the plan to `file`, and gives what the file says.
///
/// # Errors
/// As [`judged_plan::difference`]; or if the plan would hold a secret, or the file cannot be written.
pub fn plan(
    selected: &Selection,
    reach: &ReachArguments,
    consents: &ConsentArguments,
    mail: &MailArguments,
    (file, base): (&Path, Option<&Path>),
    terminal: &Terminal,
) -> Result<(Plan, Option<MailReport>), CliError> {
    let (loaded, hosts) = open::hosts(selected, terminal)?;
    selection::allowed(loaded.murder.hosts.keys(), &consents.options())?;
    let reach = mail.watching(reach.of_selection(selected), &loaded.murder, terminal)?;
    untrusted::refuse_hosts(&loaded, &reach)?;
    let base = absolute(base)?;
    let recorder = open::recorder(&loaded, &hosts, &reach, terminal)?;
    let murder = &loaded.murder;
    let mut plan = open::plan(murder, &hosts, &*recorder, reach.parallel, terminal);
    let mail = judged_plan::judged(&loaded, &mut plan, mail, &reach, terminal)?;
    let mut saved = saved_plan(
        &loaded,
        &plan,
        &recorder.compared(),
        consents.flags(),
        &base,
    )
    .map_err(|error| CliError::session(error, &loaded.sources))?;
    drop(plan);
    saved.header.mail = mail.as_ref().and_then(|mail| mail.judgement.clone());
    let (bytes, digest) = saved
        .to_bytes()
        .map_err(|error| CliError::message(error.to_string()))?;
    saved.digest = digest;
    write(file, &bytes).map_err(|error| {
        CliError::message(format!("cannot write `{}`: {error}", file.display()))
    })?;
    say_saved(&saved, file, terminal);
    // What is printed is what the file says.
    let of_file = saved.header.mail.as_ref().map(MailReport::of_saved);
    Ok((show::shown(&saved, file)?, of_file.or(mail)))
}

fn say_saved(saved: &SavedPlan, file: &Path, terminal: &Terminal) {
    terminal.say(&format!(
        "saved to `{}` (sha256:{})",
        file.display(),
        saved.digest
    ));
}

/// The folder from which relative paths resolve.
///
/// # Errors
/// If it cannot be found out.
pub fn absolute(base: Option<&Path>) -> Result<PathBuf, CliError> {
    std::path::absolute(base.unwrap_or(Path::new(".")))
        .map_err(|error| CliError::message(format!("cannot find out the current folder: {error}")))
}

/// Writes a file whole, or leaves what was there.
///
/// # Errors
/// Those of the file system.
pub fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        // A pipe or /dev/stdout, which cannot be exchanged.
        return std::fs::write(path, bytes);
    }
    replace(path, bytes, None)
}
