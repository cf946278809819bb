//! `murder verify`: what is wrong with the routes of mail and with the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::directory::DirectoryArguments;
use super::error::CliError;
use super::exit::Exit;
use super::manifest_arguments::AdditionArguments;
use super::terminal::Terminal;
use super::{StrangerArguments, explain, open, output, selection, trace, verify_baseline};
use crate::diagnostic::{Diagnostic, SourceId};
use crate::directory::Directory;
use crate::load::LoadedMurder;
use crate::mail::{Entry, MailMurder, SmtpClient};
use crate::name::HostName;
use crate::report::findings::RESULTS;
use crate::report::route;
use crate::report::route_json::{self, EntryPoint};
use crate::report::verify::{SHOWN, VerifyCounts};
use crate::report::{verify as report, verify_json, verify_markdown};
use crate::secret_source::SourceOptions;
use crate::session::routes::{CompiledMurder, outside_clients};
use crate::session::verify::{SortedDirectory, Verified, servers};
use crate::verify::{
    Attributes, FailureEffect, Finding, FindingCode, FindingSeverity, MailFailure,
};

/// Arguments of `murder verify`.
#[derive(Debug, Args)]
pub struct VerifyArguments {
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub path: PathBuf,
    /// The form of the report.
    #[arg(long, value_enum, default_value_t = VerifyFormat::Text)]
    pub format: VerifyFormat,
    /// Show every finding, and not only the first ones of each code.
    #[arg(long)]
    pub all: bool,
    /// Report only findings with this code (repeatable).
    #[arg(long, value_name = "CODE")]
    pub code: Vec<String>,
    /// Leave out the findings that this file accepts; its key is in FILE.key.
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Write the findings into the baseline, and accept them from now on; with --code, only those, beside what it accepts of other
    /// codes.
    #[arg(long, requires = "baseline")]
    pub write_baseline: bool,
    /// Show what becomes of mail while these do not run: hosts, LDAP servers, or sites (repeatable).
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub without: Vec<String>,
    /// The same for each host, LDAP server and site alone.
    #[arg(long, conflicts_with = "without")]
    pub single_failures: bool,
    /// Exit with 1 also where the model cannot tell what becomes of mail.
    #[arg(long)]
    pub strict: bool,
    /// What the operator adds to the manifest.
    #[command(flatten)]
    pub added: AdditionArguments,
    /// Run the programs that the manifest names as sources of secrets.
    #[arg(long)]
    pub allow_commands: bool,
    /// Whether the manifest is trusted.
    #[command(flatten)]
    pub stranger: StrangerArguments,
    /// Where the directory comes from.
    #[command(flatten)]
    pub directory: DirectoryArguments,
}

/// The forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerifyFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For the pages of code review (SARIF 2.1.0).
    Sarif,
    /// For a comment or an issue.
    Markdown,
}

/// Runs the verb: exit code 0, also with warnings, or 1 with an error.
///
/// # Errors
/// If the manifest, the directory or an argument is wrong.
pub fn run(arguments: &VerifyArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let codes = codes(&arguments.code)?;
    let loaded = open::manifest(
        &arguments.path,
        &arguments.added.overlay,
        arguments.stranger.links(),
        &[],
        terminal,
    )?;
    arguments
        .directory
        .refuse_servers(&loaded.murder, arguments.stranger)?;
    let murder = CompiledMurder::new(&loaded.murder, &loaded.modules, &arguments.added.paths())
        .map_err(|problems| CliError::input(problems, &loaded.sources))?;
    let attributes = Attributes::of(&murder.mail);
    let sources = SourceOptions {
        commands: arguments.allow_commands,
    };
    let directory = arguments
        .directory
        .read(&loaded, &attributes, sources, terminal)?;
    let outsiders = outside_clients(&loaded.murder);
    let prepared = SortedDirectory::new(&murder.mail, &directory, &attributes, &outsiders);
    let failures = failures(arguments, &loaded, &murder, &prepared)?;
    let results = prepared.judge(&prepared.ids());
    let mut verified = prepared.verify(&results);
    let is_meant = |finding: &Finding| codes.is_empty() || codes.contains(&finding.code);
    let (meant, others) = verified.findings.into_iter().partition(is_meant);
    verified.findings = meant;
    let accepted = accept(arguments, &mut verified, &others)?;
    let effects = prepared.what_if(&results, &failures);
    let effects: Vec<_> = failures.into_iter().zip(effects).collect();
    let view = View {
        loaded: &loaded,
        murder: &murder,
        directory: &directory,
        arguments,
        terminal,
    };
    let text = view.text(&verified, accepted, &effects)?;
    output::print_text(&text, terminal)?;
    let is_kept = effects.iter().all(|(_, effect)| effect.is_kept());
    Ok(match is_kept {
        true => exit(&verified.findings, arguments.strict),
        false => Exit::Refused,
    })
}

/// Takes the findings out that the baseline has, after it was written if that is asked for; gives their number. Of the `others`,
/// which are not reported, the baseline keeps what it had.
fn accept(
    arguments: &VerifyArguments,
    verified: &mut Verified,
    others: &[Finding],
) -> Result<usize, CliError> {
    let Some(path) = &arguments.baseline else {
        return Ok(0);
    };
    if arguments.write_baseline {
        verify_baseline::write(path, &verified.findings, others)?;
    }
    let baseline = verify_baseline::read(path)?;
    let all = verified.findings.len();
    verified.findings.retain(|finding| !baseline.has(finding));
    Ok(all - verified.findings.len())
}

/// What the arguments let fail.
fn failures(
    arguments: &VerifyArguments,
    loaded: &LoadedMurder,
    murder: &CompiledMurder,
    prepared: &SortedDirectory<'_>,
) -> Result<Vec<MailFailure>, CliError> {
    let sites = sites(loaded, &murder.mail);
    if arguments.single_failures {
        return Ok(prepared.failures(&sites));
    }
    if arguments.without.is_empty() {
        return Ok(Vec::new());
    }
    let servers = servers(&murder.mail);
    let mut failure = MailFailure {
        name: arguments.without.join(", "),
        hosts: Vec::new(),
        servers: Vec::new(),
    };
    for name in &arguments.without {
        let lower = name.to_lowercase();
        let site = sites.iter().find(|(site, _)| *site == lower);
        if let Some((_, hosts)) = site {
            failure.hosts.extend(hosts);
        } else if servers.contains(&lower) && murder.mail.host(&lower).is_none() {
            failure.servers.push(lower);
        } else {
            let host = HostName::new(name).ok();
            let host = host.and_then(|name| loaded.murder.hosts.get(&name));
            let Some(host) = host else {
                let hosts = loaded.murder.hosts.keys().map(HostName::as_str);
                let sites = sites.iter().map(|(site, _)| site.as_str());
                let servers = servers.iter().map(String::as_str);
                let known: Vec<&str> = hosts.chain(sites).chain(servers).collect();
                let problem = format!("`{name}` is no host, site or LDAP server of this murder");
                let problem = selection::with_known(Diagnostic::error(problem), &lower, &known);
                return Err(CliError::arguments(vec![problem]));
            };
            failure.hosts.extend(murder.mail.host(host.name.as_str()));
            failure.servers.extend(servers.get(&lower).cloned());
        }
    }
    Ok(vec![failure])
}

/// The sites with their hosts.
fn sites(loaded: &LoadedMurder, mail: &MailMurder) -> Vec<(String, Vec<usize>)> {
    let mut sites: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for host in loaded.murder.hosts.values() {
        if let (Some(site), Some(at)) = (&host.site, mail.host(host.name.as_str())) {
            let name = site.as_str().to_lowercase();
            sites.entry(name).or_default().push(at);
        }
    }
    sites.into_iter().collect()
}

fn codes(words: &[String]) -> Result<BTreeSet<FindingCode>, CliError> {
    let read = |word: &String| explain::code(word);
    let codes: Result<_, _> = words.iter().map(read).collect();
    codes.map_err(|problem| CliError::arguments(vec![problem]))
}

fn exit(findings: &[Finding], strict: bool) -> Exit {
    let fails = |finding: &Finding| {
        finding.code.severity() == FindingSeverity::Error
            || strict && finding.code == FindingCode::NotModelled
    };
    if findings.iter().any(fails) {
        Exit::Refused
    } else {
        Exit::Done
    }
}

/// What a report needs beside the findings.
struct View<'a> {
    loaded: &'a LoadedMurder,
    murder: &'a CompiledMurder,
    directory: &'a Directory,
    arguments: &'a VerifyArguments,
    terminal: &'a Terminal,
}

impl View<'_> {
    fn text(
        &self,
        verified: &Verified,
        accepted: usize,
        effects: &[(MailFailure, FailureEffect)],
    ) -> Result<String, CliError> {
        let by_verdict: Vec<_> = verified
            .by_verdict
            .iter()
            .map(|(verdict, count)| (*verdict, *count))
            .collect();
        let counts = VerifyCounts {
            addresses: verified.addresses,
            entries: verified.entries,
            by_verdict: &by_verdict,
            accepted,
        };
        let findings = &verified.findings;
        let most = if self.arguments.all {
            usize::MAX
        } else {
            SHOWN
        };
        let failed = |error: serde_json::Error| CliError::message(error.to_string());
        Ok(match self.arguments.format {
            VerifyFormat::Text => {
                let evidence = |finding: &Finding| self.evidence(finding);
                let text = report::text(findings, counts, most, &evidence);
                match effects.is_empty() {
                    true => text,
                    false => format!("{text}\n{}", report::what_if(effects)),
                }
            }
            VerifyFormat::Json => {
                let evidence = |finding: &Finding| self.evidence_json(finding);
                verify_json::json(findings, counts, effects, &evidence).map_err(failed)?
            }
            VerifyFormat::Sarif => {
                let first = self.loaded.sources.get(SourceId(0));
                let file = first.map_or("murder.yaml", |source| &source.name);
                let (text, left_out) = verify_json::sarif(findings, file);
                if left_out > 0 {
                    self.terminal.report(&format!(
                        "{left_out} more findings are left out of the report: code scanning shows {RESULTS} of them"
                    ));
                }
                text
            }
            VerifyFormat::Markdown => verify_markdown::markdown(findings, counts, effects, most),
        })
    }

    fn evidence(&self, finding: &Finding) -> Option<String> {
        let (address, entry) = finding.evidence.as_ref()?;
        let trace = self.murder.mail.trace(address, *entry, self.directory);
        let origin = |host: &str, thing: &str| trace::origin(self.loaded, self.murder, host, thing);
        Some(route::text(&trace, &origin))
    }

    fn evidence_json(&self, finding: &Finding) -> Option<serde_json::Value> {
        let (address, entry) = finding.evidence.as_ref()?;
        let trace = self.murder.mail.trace(address, *entry, self.directory);
        let origin = |host: &str, thing: &str| trace::origin(self.loaded, self.murder, host, thing);
        let name = |at: usize| {
            let host = self.murder.mail.hosts.get(at);
            host.map(|host| host.name.clone())
        };
        let point = match *entry {
            Entry::Submit(at) => EntryPoint {
                at: None,
                submit: name(at),
                client: None,
            },
            Entry::Smtp(at, client) => EntryPoint {
                at: name(at),
                submit: None,
                client: match client {
                    SmtpClient::Address(address) => Some(address.to_string()),
                    SmtpClient::Unknown => None,
                },
            },
        };
        route_json::value(&trace, &point, &origin, None).ok()
    }
}
