//! `--untrusted`: what a manifest of a stranger may not have, and what is said of it.

use super::Selection;
use super::error::CliError;
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::load::LoadedMurder;
use crate::model::Murder;
use crate::session::options::Reach;
use crate::visible::visible;

/// That no live host is meant.
///
/// # Errors
/// Where one is: it says what would have been read.
pub fn refuse_hosts(loaded: &LoadedMurder, reach: &Reach) -> Result<(), CliError> {
    if !reach.untrusted || reach.sandbox.is_some() {
        return Ok(());
    }
    let sources = sources(&loaded.murder);
    let mut would =
        "it would have read your SSH keys, agent, configuration and known_hosts".to_owned();
    if !sources.is_empty() {
        would = format!("{would}, and {}", sources.join(", "));
    }
    Err(CliError::arguments(vec![
        Diagnostic::error("`--untrusted` contacts no live host")
            .detail(would)
            .hint("plan on folders (`--sandbox=DIR`) or on a live file (`plan --live FILE`); or leave `--untrusted` out, for a manifest that you trust"),
    ]))
}

/// Says which secrets are not read.
pub fn say_unread(murder: Option<&Murder>, selection: &Selection, terminal: &Terminal) {
    let Some(murder) = murder.filter(|_| selection.untrusted) else {
        return;
    };
    for source in sources(murder) {
        terminal.say(&format!(
            "not read with `--untrusted`: {}",
            visible(&source)
        ));
    }
}

/// Each secret with where it would be read from.
fn sources(murder: &Murder) -> Vec<String> {
    let secrets = murder.secrets.iter();
    let sources = secrets.filter(|(_, (source, _))| !source.is_in_manifest());
    sources
        .map(|(name, (source, _))| format!("the secret `{name}` from {source}"))
        .collect()
}
