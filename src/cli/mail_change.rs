//! `--ldif` and `--directory` of `plan` and `apply`, and `verify.in_plan` of the manifest: what a plan means for mail.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::Args;
use serde_json::Value;

use super::directory::DirectoryArguments;
use super::error::CliError;
use super::open;
use super::output::PlanFormat;
use super::terminal::Terminal;
use crate::load::LoadedMurder;
use crate::model::Murder;
use crate::name::HostName;
use crate::plan::Plan;
use crate::plan::mail_change::MailChange;
use crate::plan::saved::{DirectoryKind, SavedJudgement};
use crate::report::mail_change;
use crate::session::mail_judgement::{MailEvidence, judge, refuse_everywhere};
use crate::session::mail_states::MailStates;
use crate::session::options::Reach;
use crate::session::provenance;
use crate::session::rollout_order::RolloutOrder;
use crate::session::routes::CompiledMurder;
use crate::session::watched_hosts::WatchedHosts;
use crate::visible::visible_json;

/// The directory by which a plan is judged.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Mail")]
pub struct MailArguments {
    /// Say what the plan means for the addresses of an LDIF file (`slapcat`, `ldapsearch -LLL`): before, after, and while hosts are
    /// applied. Hosts that the selection leaves out are observed too.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["directory", "ldap_uri", "ldap_ca"], value_hint = clap::ValueHint::FilePath)]
    pub ldif: Option<PathBuf>,
    /// The same for the addresses of the manifest's LDAP servers. `verify.in_plan` of the manifest does it without this flag.
    #[arg(long)]
    pub directory: bool,
    /// The same for those of this LDAP server, with the manifest's login (repeatable).
    #[arg(long, value_name = "URI")]
    pub ldap_uri: Vec<String>,
    /// Trust the CA certificates in this file, and not those that the manifest names on the hosts.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub ldap_ca: Option<PathBuf>,
    /// Do not ask what the plan means for mail, whatever `verify.in_plan` says.
    #[arg(long, conflicts_with_all = ["ldif", "directory", "ldap_uri", "ldap_ca", "show_addresses"])]
    pub no_directory: bool,
    /// List addresses also where the output is no terminal, and in a saved plan.
    #[arg(long)]
    pub show_addresses: bool,
}

/// A plan that is to be judged.
pub struct JudgedPlan<'a> {
    /// The manifest.
    pub loaded: &'a LoadedMurder,
    /// The plan. What `apply` refuses because of mail is added to it.
    pub plan: &'a mut Plan,
    /// The plans of hosts that were observed and are left out.
    pub rest: Plan,
    /// The order of the hosts.
    pub order: &'a RolloutOrder,
    /// How many hosts of each wave go first.
    pub canary: Option<usize>,
    /// Whether later waves begin although a host failed.
    pub goes_on: bool,
}

impl MailArguments {
    /// The flag that was given, if any.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--ldif", self.ldif.is_some()),
            ("--directory", self.directory),
            ("--ldap-uri", !self.ldap_uri.is_empty()),
            ("--ldap-ca", self.ldap_ca.is_some()),
        ];
        flags.iter().find(|(_, is)| *is).map(|(flag, _)| *flag)
    }

    /// How hosts are reached, with a place for what is seen of them if the plan is judged.
    ///
    /// # Errors
    /// If a server of a manifest that may be a stranger's would be asked, or `--show-addresses` has nothing to show.
    pub fn watching(
        &self,
        reach: Reach,
        murder: &Murder,
        terminal: &Terminal,
    ) -> Result<Reach, CliError> {
        let asks_servers = self.ldif.is_none();
        if let Some(flag) = self.given().filter(|_| reach.untrusted && asks_servers) {
            return Err(CliError::message(format!(
                "`{flag}` asks LDAP servers, and `--untrusted` asks none: give an export by `--ldif FILE`"
            )));
        }
        let mut judges = self.given().is_some();
        if !judges && murder.verifies_in_plan && !self.no_directory {
            let why = match (reach.untrusted, &reach.sandbox) {
                (true, _) => Some("`--untrusted` asks no LDAP server"),
                (false, Some(_)) => Some("a sandbox asks no LDAP server"),
                (false, None) => None,
            };
            match why {
                Some(why) => terminal.say(&format!(
                    "note: this plan is not judged by `verify.in_plan`: {why}; give an export by `--ldif FILE`"
                )),
                None => judges = true,
            }
        }
        if self.show_addresses && !judges {
            return Err(CliError::message(NO_DIRECTORY));
        }
        Ok(Reach {
            seen: judges.then(WatchedHosts::default),
            ..reach
        })
    }

    /// Judges a plan by the directory, adds what `apply` refuses because of it, and gives what it means. None if it is not to be
    /// judged. Where only the manifest asks for it and the directory cannot be read, each host with changes is refused.
    ///
    /// # Errors
    /// If the manifest does not compile without its hosts, or the directory that a flag asks for cannot be read.
    pub fn judge(
        &self,
        judged: JudgedPlan<'_>,
        reach: &Reach,
        terminal: &Terminal,
    ) -> Result<Option<MailReport>, CliError> {
        let JudgedPlan { loaded, plan, .. } = judged;
        let Some(seen) = &reach.seen else {
            return Ok(None);
        };
        let compiled = CompiledMurder::new(&loaded.murder, &loaded.modules, &reach.paths)
            .map_err(|problems| CliError::input(problems, &loaded.sources))?;
        let rest = with_rest(loaded, plan, judged.rest, reach, terminal);
        let states = MailStates::of_plan(loaded, &compiled, seen);
        let attributes = states.attributes();
        let source = DirectoryArguments {
            ldif: self.ldif.clone(),
            ldap_uri: self.ldap_uri.clone(),
            ldap_ca: self.ldap_ca.clone(),
            no_directory: false,
        };
        let directory = match source.read(loaded, &attributes, reach.sources, terminal) {
            Ok(directory) => directory,
            Err(error) if self.given().is_some() => return Err(error),
            Err(error) => {
                _ = error.print(terminal);
                refuse_everywhere(plan, NOT_READ);
                return Ok(Some(MailReport::not_read()));
            }
        };
        let evidence = MailEvidence {
            loaded,
            states: &states,
            directory: &directory,
            attributes: &attributes,
            order: judged.order,
            canary: judged.canary,
            goes_on: judged.goes_on,
            rest: &rest,
        };
        let means = judge(plan, evidence);
        let by = match self.ldif {
            Some(_) => DirectoryKind::Ldif,
            None => DirectoryKind::Ldap,
        };
        Ok(Some(MailReport::new(means, by, self.show_addresses)))
    }
}

/// Why `--show-addresses` alone is refused.
pub(super) const NO_DIRECTORY: &str =
    "`--show-addresses` needs a directory: `--ldif FILE` or `--directory`";

/// Why `apply` refuses where the directory could not be read.
const NOT_READ: &str =
    "the directory could not be read (`verify.in_plan`), so it is not known whether mail bounces";

/// The plans of all hosts that a plan leaves out: those that were observed already, and the others, which are observed now.
fn with_rest(
    loaded: &LoadedMurder,
    plan: &Plan,
    rest: Plan,
    reach: &Reach,
    terminal: &Terminal,
) -> Plan {
    let mut rest = rest;
    let is_known = |host: &HostName| plan.hosts.contains_key(host) || rest.hosts.contains_key(host);
    let (present, _) = open::contactable(loaded);
    let others: Vec<HostName> = present.into_iter().filter(|host| !is_known(host)).collect();
    // `--local` reaches this machine alone.
    if others.is_empty() || reach.local {
        return rest;
    }
    let reach = reach.without_file_secrets();
    match open::planner(loaded, &others, &reach, terminal) {
        Ok(planner) => {
            let murder = &loaded.murder;
            let found = open::plan(murder, &others, &*planner, reach.parallel, terminal);
            rest.hosts.extend(found.hosts);
        }
        Err(error) => _ = error.print(terminal),
    }
    rest
}

/// What a change means for mail: in words, with addresses if they are asked for or standard output is a terminal; and as a value,
/// with addresses only if they are asked for.
pub(super) fn shown(change: MailChange, shows_addresses: bool) -> (String, MailChange) {
    let lists = shows_addresses || std::io::stdout().is_terminal();
    let text = mail_change::text(&change, None, lists);
    let change = match shows_addresses {
        true => change,
        false => change.without_addresses(),
    };
    (text, change)
}

/// What a plan means for mail.
#[derive(Debug, Clone)]
pub struct MailReport {
    /// For people.
    pub text: String,
    /// For programs.
    pub value: Value,
    /// The judgement, to save it. None where the directory could not be read.
    pub judgement: Option<SavedJudgement>,
}

impl MailReport {
    fn new(means: MailChange, by: DirectoryKind, shows_addresses: bool) -> Self {
        let (text, means) = shown(means, shows_addresses);
        Self {
            text,
            value: serde_json::to_value(&means).unwrap_or_default(),
            judgement: Some(SavedJudgement {
                at: provenance::run(SystemTime::now()).at,
                by,
                means,
            }),
        }
    }

    /// Of a saved plan.
    #[must_use]
    pub fn of_saved(saved: &SavedJudgement) -> Self {
        let judged = format!("at {} by {}", saved.at, saved.by.words());
        let mut value = serde_json::to_value(&saved.means).unwrap_or_default();
        if let Value::Object(keys) = &mut value {
            keys.insert("judged_at".to_owned(), saved.at.clone().into());
            keys.insert(
                "judged_by".to_owned(),
                serde_json::to_value(saved.by).unwrap_or_default(),
            );
        }
        Self {
            // There are addresses only where the user asked for them.
            text: mail_change::text(&saved.means, Some(&judged), true),
            value,
            judgement: Some(saved.clone()),
        }
    }

    fn not_read() -> Self {
        Self {
            text: "mail: not judged: the directory could not be read\n".to_owned(),
            value: serde_json::json!({"failure": "the directory could not be read"}),
            judgement: None,
        }
    }
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
        // It is in the head, above what may be cut.
        PlanFormat::Markdown => plan,
        PlanFormat::Json => {
            let mut document: serde_json::Map<String, Value> =
                serde_json::from_str(&plan).map_err(failed)?;
            document.insert("mail".to_owned(), mail.value.clone());
            let text = serde_json::to_string_pretty(&document).map_err(failed)?;
            format!("{}\n", visible_json(&text))
        }
    })
}

/// How old a judgement of mail is, in words, and how to renew it. `file` is the saved plan.
#[must_use]
pub fn age(saved: &SavedJudgement, file: &Path, now: SystemTime) -> String {
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let seconds = crate::calendar::moment(&saved.at).map(|at| now.as_secs().saturating_sub(at));
    let old = match seconds {
        None => "some time".to_owned(),
        Some(seconds) => span(seconds),
    };
    format!(
        "what this plan means for mail was judged {old} ago, by {}; to judge it by the directory of now: `murder apply {} --manifest PATH` with `--ldif FILE` or `--directory`",
        saved.by.words(),
        file.display()
    )
}

/// A span of time in its largest unit.
fn span(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}
