//! `--ldif` and `--directory` of `plan` and `apply`: what a plan means for mail.

use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use super::directory::DirectoryArguments;
use super::error::CliError;
use super::output::PlanFormat;
use super::terminal::Terminal;
use crate::load::LoadedMurder;
use crate::name::HostName;
use crate::plan::{Plan, Refusal, RefusalKind, Verdict};
use crate::report::mail_change;
use crate::session::mail_change::MailStates;
use crate::session::options::{Consent, Reach};
use crate::session::remaining::remaining;
use crate::session::rollout::ApplyTurns;
use crate::session::rollout_order::RolloutOrder;
use crate::session::routes::CompiledMurder;
use crate::session::watched_hosts::WatchedHosts;
use crate::visible::visible_json;

/// The directory by which a plan is judged.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Mail")]
pub struct MailArguments {
    /// Say what the plan means for the addresses of an LDIF file (`slapcat`, `ldapsearch -LLL`): before, after, and while hosts are
    /// applied.
    #[arg(long, value_name = "FILE", conflicts_with = "directory", value_hint = clap::ValueHint::FilePath)]
    pub ldif: Option<PathBuf>,
    /// The same for the addresses of the manifest's LDAP servers.
    #[arg(long)]
    pub directory: bool,
    /// List addresses also where the output is no terminal.
    #[arg(long)]
    pub show_addresses: bool,
}

impl MailArguments {
    /// The flag that was given, if any.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        match (&self.ldif, self.directory) {
            (Some(_), _) => Some("--ldif"),
            (None, true) => Some("--directory"),
            (None, false) => None,
        }
    }

    /// Checks that the flags agree.
    ///
    /// # Errors
    /// If `--show-addresses` has nothing to show.
    pub fn check(&self) -> Result<(), CliError> {
        match self.show_addresses && self.given().is_none() {
            true => Err(CliError::message(
                "`--show-addresses` needs a directory: `--ldif FILE` or `--directory`",
            )),
            false => Ok(()),
        }
    }

    /// How hosts are reached, with a place for what is seen of them if a directory is given.
    #[must_use]
    pub fn watching(&self, reach: Reach) -> Reach {
        Reach {
            seen: self.given().map(|_| WatchedHosts::default()),
            ..reach
        }
    }

    /// Judges a plan by the directory, adds what `apply` refuses because of it, and gives the text about it. None without a
    /// directory.
    ///
    /// # Errors
    /// If the manifest does not compile without its hosts, or the directory cannot be read.
    pub fn judge(
        &self,
        loaded: &LoadedMurder,
        plan: &mut Plan,
        reach: &Reach,
        terminal: &Terminal,
    ) -> Result<Option<MailReport>, CliError> {
        let Some(seen) = &reach.seen else {
            return Ok(None);
        };
        if reach.untrusted && self.directory {
            return Err(CliError::message(
                "`--untrusted` asks no LDAP server: give an export by `--ldif FILE`",
            ));
        }
        let source = DirectoryArguments {
            ldif: self.ldif.clone(),
            ..DirectoryArguments::default()
        };
        let compiled = CompiledMurder::new(loaded, &reach.paths)
            .map_err(|problems| CliError::input(problems, &loaded.sources))?;
        let states = MailStates::new(loaded, &compiled, seen);
        let attributes = states.attributes();
        let directory = source.read(loaded, &attributes, reach.sources, terminal)?;
        let waves = waves(loaded, plan);
        let change = states.change(&directory, &attributes, &waves);
        if let Some(summary) = mail_change::refusal(&change) {
            for host in plan.hosts.values_mut() {
                if let Verdict::Changes(changes) = &mut host.verdict {
                    changes.refusals.push(Refusal {
                        kind: RefusalKind::Bounce,
                        summary: summary.clone(),
                    });
                }
            }
        }
        let hosts = loaded.murder.hosts.values();
        for (host, summary) in remaining(hosts, &directory, &attributes) {
            let verdict = plan.hosts.get_mut(&host).map(|host| &mut host.verdict);
            if let Some(Verdict::Changes(changes)) = verdict {
                changes.refusals.push(Refusal {
                    kind: RefusalKind::Bounce,
                    summary,
                });
            }
        }
        let shows = self.show_addresses || std::io::stdout().is_terminal();
        let names = states.names();
        Ok(Some(MailReport {
            text: mail_change::text(&change, &names, waves.len(), shows),
            value: mail_change::value(&change, &names, self.show_addresses),
        }))
    }
}

/// What a plan means for mail.
#[derive(Debug, Clone)]
pub struct MailReport {
    /// For people.
    pub text: String,
    /// For programs.
    pub value: serde_json::Value,
}

/// The hosts with changes, wave by wave.
fn waves(loaded: &LoadedMurder, plan: &Plan) -> Vec<Vec<HostName>> {
    let order = RolloutOrder::of_manifest(loaded);
    let consent = Consent::default();
    let turns = ApplyTurns::new(&order, plan, &consent, None);
    turns.waves().map(<[HostName]>::to_vec).collect()
}

/// A plan in some form with what it means for mail.
///
/// # Errors
/// If it is no JSON document although it should be.
pub fn with_mail(
    plan: String,
    mail: Option<&MailReport>,
    format: PlanFormat,
) -> Result<String, CliError> {
    let Some(mail) = mail else { return Ok(plan) };
    let failed = |error: serde_json::Error| CliError::message(error.to_string());
    Ok(match format {
        PlanFormat::Text => format!("{plan}\n{}", mail.text),
        PlanFormat::Markdown => format!("{plan}\n```text\n{}```\n", mail.text.replace('`', "'")),
        PlanFormat::Json => {
            let mut document: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&plan).map_err(failed)?;
            document.insert("mail".to_owned(), mail.value.clone());
            let text = serde_json::to_string_pretty(&document).map_err(failed)?;
            format!("{}\n", visible_json(&text))
        }
    })
}
