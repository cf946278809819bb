//! The hosts that `murder import` reads: by the words of the command line, an inventory, or a folder.

use std::path::Path;

use super::error::CliError;
use crate::diagnostic::Diagnostic;
use crate::import::look;
use crate::import::targets::{self, Login, Targets};
use crate::name::HostName;
use crate::root_folder::read_regular;
use crate::transport::ssh_config::{Environment, host_names};

/// Bytes of an inventory.
const INVENTORY: u64 = 16 << 20;

/// The hosts that are meant, each with how it is reached.
pub(super) fn targets(
    words: &[String],
    inventory: Option<&Path>,
    folder: Option<&Path>,
    login: &Login,
) -> Result<Targets, CliError> {
    let wrong = |why: String| CliError::message(why);
    if let Some(file) = inventory {
        let problem = |why: &str| {
            CliError::message(format!(
                "the inventory `{}` cannot be used: {why}",
                file.display()
            ))
        };
        let bytes = read_regular(file, INVENTORY).map_err(|error| problem(&error.to_string()))?;
        let all = targets::of_inventory(&String::from_utf8_lossy(&bytes), login)
            .map_err(|why| problem(&why))?;
        if words.is_empty() {
            return Ok(all);
        }
        let known: Vec<String> = all.keys().map(ToString::to_string).collect();
        let meant = targets::of_words(words, &known, login).map_err(wrong)?;
        let keep = |name: &HostName| all.get(name).cloned().unwrap_or_else(|| login.clone());
        return Ok(meant
            .into_keys()
            .map(|name| {
                let login = keep(&name);
                (name, login)
            })
            .collect());
    }
    let known: Vec<String> = match folder {
        Some(folder) => look::hosts_of_folder(folder)
            .map_err(|error| wrong(format!("cannot read `{}`: {error}", folder.display())))?
            .iter()
            .map(ToString::to_string)
            .collect(),
        None => host_names(&Environment::of_process()),
    };
    let found = match (words.is_empty(), folder) {
        (true, Some(_)) => targets::of_words(&known, &known, login),
        _ => targets::of_words(words, &known, login),
    };
    let found = found.map_err(wrong)?;
    if found.is_empty() {
        let folder = folder
            .map(|folder| folder.display().to_string())
            .unwrap_or_default();
        let problem = Diagnostic::error(format!("`{folder}` has no hosts"));
        let hint = "put a copy of each host's /etc/postfix below it, as in `DIR/backend1.example.org/main.cf`";
        return Err(CliError::arguments(vec![problem.hint(hint)]));
    }
    Ok(found)
}
