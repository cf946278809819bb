//! `murder trace ADDRESS…`: the route of mail for an address, by the manifest and the directory.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::directory::DirectoryArguments;
use super::error::CliError;
use super::exit::Exit;
use super::live_trace::TracedMurder;
use super::manifest_arguments::AdditionArguments;
use super::terminal::Terminal;
use super::{StrangerArguments, open, output, selection};
use crate::directory_source;
use crate::load::LoadedMurder;
use crate::mail::{EndAction, Entry, LiveTrace, MailTrace, SmtpClient};
use crate::name::{Parameter, RemotePath};
use crate::report::route::{self, OriginOf};
use crate::report::route_graph::RouteGraph;
use crate::report::route_json::{self, EntryPoint};
use crate::report::route_live;
use crate::secret_source::SourceOptions;
use crate::session::live_tables::{self, HostLookups};
use crate::session::options::Reach;
use crate::session::routes::{CompiledMurder, default_entry, outside_client};
use crate::session::watched_hosts::WatchedHosts;
use crate::thing::Thing;
use crate::verify::Attributes;
use crate::visible::visible_json;

/// Arguments of `murder trace`.
#[derive(Debug, Args)]
pub struct TraceArguments {
    /// Addresses of recipients.
    #[arg(required_unless_present = "addresses")]
    pub address: Vec<String>,
    /// The host where the mail arrives over SMTP; an internet MTA, else the internal MTA, if none is given.
    #[arg(long, value_name = "HOST", conflicts_with = "submit")]
    pub at: Option<String>,
    /// The address of the SMTP client; one outside of every network of the manifest if none is given.
    #[arg(long, value_name = "IP", conflicts_with = "submit")]
    pub client: Option<IpAddr>,
    /// The host where the mail is submitted by sendmail(1).
    #[arg(long, value_name = "HOST")]
    pub submit: Option<String>,
    /// Trace the addresses in this file too, one on each line; `# ` begins a comment, and `-` is the standard input.
    #[arg(long, value_name = "FILE")]
    pub addresses: Option<PathBuf>,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t = TraceFormat::Text)]
    pub format: TraceFormat,
    /// The manifest: a file, or a folder whose *.yaml and *.yml files are one manifest.
    #[arg(long, value_name = "PATH", default_value = ".", value_hint = clap::ValueHint::AnyPath)]
    pub manifest: PathBuf,
    /// What the operator adds to the manifest.
    #[command(flatten)]
    pub added: AdditionArguments,
    /// Trace by what the hosts on the way have, too, ask them the same lookups (`postmap -q`), and mark where they disagree.
    #[arg(long, conflicts_with = "untrusted")]
    pub live: bool,
    /// With --live: accept and record the key of a host that is not in known_hosts.
    #[arg(long, requires = "live")]
    pub accept_new: bool,
    /// With --live: the one host on the way is this machine itself.
    #[arg(long, requires = "live", conflicts_with = "accept_new")]
    pub local: bool,
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

/// The forms of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TraceFormat {
    /// For people.
    Text,
    /// For programs: one object on each line.
    Json,
    /// A picture of all routes, in the language of Graphviz.
    Dot,
    /// A picture of all routes.
    Svg,
    /// A picture of all routes, in the language of Mermaid.
    Mermaid,
}

/// Runs the verb.
///
/// # Errors
/// If the manifest, the directory or an argument is wrong.
pub fn run(arguments: &TraceArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let loaded = open::manifest(
        &arguments.manifest,
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
    let (entry, point) = entry(arguments, &loaded, &murder)?;
    if arguments.live && !matches!(arguments.format, TraceFormat::Text | TraceFormat::Json) {
        let problem = "`--live` has no picture: use `--format text` or `--format json`";
        return Err(CliError::message(problem));
    }
    let addresses = addresses(arguments)?;
    let attributes = Attributes::of(&murder.mail);
    let sources = SourceOptions {
        commands: arguments.allow_commands,
    };
    let directory = arguments
        .directory
        .read(&loaded, &attributes, sources, terminal)?;
    if arguments.live {
        live_tables::record(&murder);
    }
    let traced = addresses.iter().map(|address| {
        let trace = murder.mail.trace(address, entry, &directory);
        (trace, live_tables::recorded(&murder))
    });
    let (traces, lookups): (Vec<MailTrace>, Vec<HostLookups>) = traced.unzip();
    let live = match arguments.live {
        true => {
            let of = TracedMurder {
                directory: &arguments.directory,
                reach: reach(arguments),
                loaded: &loaded,
                murder: &murder,
                entry,
            };
            Some(of.live(&traces, &lookups, terminal)?)
        }
        false => None,
    };
    let origin = |host: &str, thing: &str| origin(&loaded, &murder, host, thing);
    let text = shown(arguments.format, &traces, live.as_deref(), &point, &origin)?;
    output::print(text.as_bytes(), terminal)?;
    let mut all = live.iter().flatten();
    Ok(match all.all(LiveTrace::agrees) {
        true => Exit::Done,
        false => Exit::Refused,
    })
}

/// How the hosts on the way are reached.
fn reach(arguments: &TraceArguments) -> Reach {
    Reach {
        sandbox: None,
        local: arguments.local,
        accept_new: arguments.accept_new,
        parallel: super::reach::PARALLEL,
        untrusted: false,
        files_unread: true,
        from_live_file: false,
        without_holds: false,
        sources: SourceOptions {
            commands: arguments.allow_commands,
        },
        paths: arguments.added.paths(),
        reason: None,
        seen: Some(WatchedHosts::default()),
    }
}

fn shown(
    format: TraceFormat,
    traces: &[MailTrace],
    live: Option<&[LiveTrace]>,
    point: &EntryPoint,
    origin: OriginOf<'_>,
) -> Result<String, CliError> {
    Ok(match format {
        TraceFormat::Text => {
            let texts = traces.iter().enumerate().map(|(at, trace)| {
                let own = live.and_then(|all| all.get(at));
                let live = own.map_or(String::new(), route_live::text);
                route::text(trace, origin) + &live
            });
            let mut text = texts.collect::<Vec<_>>().join("\n");
            if traces
                .iter()
                .any(|trace| trace.verdict() != EndAction::Refused)
            {
                text.push_str(
                    "\nby the manifest, and the main.cf and master.cf that the hosts' distribution installs\n",
                );
            }
            text
        }
        TraceFormat::Json => {
            let mut text = String::new();
            for (at, trace) in traces.iter().enumerate() {
                let own = live.and_then(|all| all.get(at));
                let value = route_json::value(trace, point, origin, own)
                    .map_err(|error| CliError::message(error.to_string()))?;
                text.push_str(&visible_json(&value.to_string()));
                text.push('\n');
            }
            text
        }
        TraceFormat::Dot => RouteGraph::new(traces).dot(),
        TraceFormat::Svg => RouteGraph::new(traces).svg(),
        TraceFormat::Mermaid => RouteGraph::new(traces).mermaid(),
    })
}

/// Where the mail enters.
fn entry(
    arguments: &TraceArguments,
    loaded: &LoadedMurder,
    murder: &CompiledMurder,
) -> Result<(Entry, EntryPoint), CliError> {
    // A host, or an instance of Postfix on it that the model knows by itself: `mx.example.org/postfix-out`.
    let named = |text: &str| match murder.places.contains_key(text) {
        true => Ok(text.to_owned()),
        false => selection::named(&loaded.murder, text)
            .map(|host| host.name.to_string())
            .map_err(|problem| CliError::arguments(vec![problem])),
    };
    let at = |name: &str| {
        murder
            .mail
            .host(name)
            .ok_or_else(|| CliError::message(format!("`{name}` is retired: no mail goes there")))
    };
    if let Some(text) = &arguments.submit {
        let name = named(text)?;
        let point = EntryPoint {
            at: None,
            submit: Some(name.clone()),
            client: None,
        };
        return Ok((Entry::Submit(at(&name)?), point));
    }
    let name = match &arguments.at {
        Some(text) => named(text)?,
        None => {
            default_entry(loaded).ok_or_else(|| CliError::message("the manifest has no hosts"))?
        }
    };
    // Postfix sees an address of IPv4 that is mapped into IPv6 as the one of IPv4.
    let client = arguments.client.map(|client| client.to_canonical());
    let client = client.unwrap_or_else(|| outside_client(loaded));
    let point = EntryPoint {
        at: Some(name.clone()),
        submit: None,
        client: Some(client.to_string()),
    };
    Ok((Entry::Smtp(at(&name)?, SmtpClient::Address(client)), point))
}

/// The addresses of the arguments and of the file.
fn addresses(arguments: &TraceArguments) -> Result<Vec<String>, CliError> {
    let mut addresses = arguments.address.clone();
    if let Some(path) = &arguments.addresses {
        let text = match path.as_os_str() == "-" {
            true => std::io::read_to_string(std::io::stdin()).map_err(|error| {
                CliError::message(format!("cannot read the standard input: {error}"))
            })?,
            false => directory_source::text(path)
                .map_err(|problem| CliError::arguments(vec![problem]))?,
        };
        // Editors of Windows put a mark before the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let lines = text.lines().map(str::trim);
        // A comment; an address may begin with `#`, and not with `# `.
        let lines = lines.filter(|line| !matches!(*line, "" | "#") && !line.starts_with("# "));
        addresses.extend(lines.map(str::to_owned));
    }
    addresses.iter().map(|text| recipient(text)).collect()
}

/// The address of a text, which may be copied from a header: `NAME <ADDRESS>` or `<ADDRESS>`.
fn recipient(text: &str) -> Result<String, CliError> {
    let inner = text.trim_end().strip_suffix('>');
    let inner = inner.and_then(|text| text.rsplit_once('<'));
    let address = inner.map_or(text, |(_, address)| address);
    match address.trim().is_empty() {
        true => Err(CliError::message(format!(
            "`{text}` is no address of a recipient"
        ))),
        false => Ok(address.to_owned()),
    }
}

/// The line of the manifest or of a module that sets a parameter or a file of a host.
pub(super) fn origin(
    loaded: &LoadedMurder,
    murder: &CompiledMurder,
    host: &str,
    thing: &str,
) -> Option<String> {
    let thing = if Path::new(thing).is_absolute() {
        Thing::File(RemotePath::new(thing).ok()?)
    } else {
        Thing::Parameter(Parameter::new(thing).ok()?)
    };
    let (host, service) = murder.places.get(host)?;
    let origins = murder.compiled.get(host)?.origins(service, &thing)?;
    let origin = origins.first()?;
    let place = loaded.sources.place(origin.at);
    let file = place.file.strip_prefix("built-in ").unwrap_or(&place.file);
    (place.line > 0).then(|| format!("{file}:{}", place.line))
}
