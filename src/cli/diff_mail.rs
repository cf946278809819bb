//! `murder diff --ldif`: what the difference of two manifests means for mail.

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::mail_change::shown;
use crate::comparison::{Comparison, Side};
use crate::directory_source;
use crate::plan::mail_change::MailChange;
use crate::report::mail_change::refusal;
use crate::session::diff_mail::diff_waves;
use crate::session::mail_change::Turns;
use crate::session::mail_states::MailStates;
use crate::session::path_policy::PathPolicy;
use crate::session::routes::CompiledMurder;

/// What the difference of two manifests means for mail.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Mail")]
pub struct DiffMailArguments {
    /// Say what the difference means for the addresses of an LDIF file (`slapcat`, `ldapsearch -LLL`): before, after, and while hosts
    /// are applied. Ends with 1 if mail for an address is refused for good, thrown away, bounces or loops.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub ldif: Option<PathBuf>,
    /// List addresses also where the output is no terminal.
    #[arg(long, requires = "ldif")]
    pub show_addresses: bool,
    /// Do not end with 1 because mail is refused for good, thrown away, bounces or loops.
    #[arg(long, requires = "ldif")]
    pub allow_bounce: bool,
}

/// What a difference means for mail.
#[derive(Debug)]
pub struct DiffMail {
    /// For people.
    pub text: String,
    /// For programs.
    pub change: MailChange,
    /// Whether `apply` would refuse it.
    pub refuses: bool,
}

impl DiffMailArguments {
    /// Judges the difference of two manifests, the older one first. None without `--ldif`.
    ///
    /// # Errors
    /// If a manifest does not compile, or the file cannot be read.
    pub fn judge(
        &self,
        sides: [Side<'_>; 2],
        comparison: &Comparison,
    ) -> Result<Option<DiffMail>, CliError> {
        let Some(file) = &self.ldif else {
            return Ok(None);
        };
        let compiled = |side: Side<'_>| {
            // What it manages is nothing to a host here.
            let paths = PathPolicy {
                allow: vec!["*".to_owned()],
            };
            CompiledMurder::new(side.murder, side.modules, &paths)
                .map_err(|problems| CliError::input(problems, side.sources))
        };
        let [old, new] = sides;
        let states =
            MailStates::of_manifests((old.murder, &compiled(old)?), (new.murder, &compiled(new)?));
        let directory = directory_source::from_ldif(file).map_err(CliError::arguments)?;
        let waves = diff_waves(comparison, old.murder, new.murder, new.modules);
        let turns = Turns {
            waves: &waves,
            goes_on: false,
        };
        let change = states.change(&directory, &states.attributes(), turns);
        let loss = refusal(&change).filter(|_| !self.allow_bounce);
        let (mut text, change) = shown(change, self.show_addresses);
        if let Some(loss) = &loss {
            text.push_str(&format!(
                "  ! `apply` would refuse this without --allow-bounce: {loss}\n"
            ));
        }
        Ok(Some(DiffMail {
            text,
            change,
            refuses: loss.is_some(),
        }))
    }
}
