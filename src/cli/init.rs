//! `murder init`: a commented manifest to begin with.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::error::CliError;
use super::exit::Exit;
use super::terminal::Terminal;
use crate::diagnostic::Diagnostic;
use crate::import::compiled::Shipped;
use crate::import::outcome::shown;
use crate::import::yaml::Yaml;
use crate::manifest::range;
use crate::name::HostName;
use crate::postfix::split_list;
use crate::root_folder::RootFolder;

/// The manifest, with the answers left out.
const STARTER: &str = include_str!("init/starter.yaml");
const GITHUB: &str = include_str!("init/github.yaml");
const GITLAB: &str = include_str!("init/gitlab.yaml");

/// Arguments of `murder init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// The folder of the manifest; it is created where it is missing. Nothing in it is overwritten.
    #[arg(default_value = ".", value_hint = clap::ValueHint::DirPath)]
    pub folder: PathBuf,
    /// The mail domains, with commas between them.
    #[arg(long, value_name = "DOMAINS")]
    pub domains: Option<String>,
    /// The host that knows every address, and routes each to its mailbox.
    #[arg(long, value_name = "HOST")]
    pub router: Option<String>,
    /// The hosts with the mailboxes: a name, or a range such as `backend[1:2].example.org`.
    #[arg(long, value_name = "HOSTS")]
    pub mailboxes: Option<String>,
    /// The LDAP server, as a URI.
    #[arg(long, value_name = "URI")]
    pub ldap: Option<String>,
    /// The LDAP search base.
    #[arg(long, value_name = "DN")]
    pub base: Option<String>,
    /// The login at the LDAP server; empty for an anonymous one. The password is then read from the variable MURDER_LDAP_PW.
    #[arg(long, value_name = "DN")]
    pub bind_dn: Option<String>,
    /// Ask nothing: what no flag says is as in the examples.
    #[arg(long)]
    pub example: bool,
    /// Write a file for a pipeline that checks the manifest, too.
    #[arg(long, value_enum, value_name = "KIND")]
    pub ci: Option<Pipeline>,
}

/// The pipelines that can check a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pipeline {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

/// The answers.
struct Answers {
    domains: Vec<String>,
    router: String,
    mailboxes: String,
    ldap: String,
    base: String,
    bind_dn: String,
}

/// Runs the verb.
///
/// # Errors
/// If an answer is missing or wrong, or a file exists already or cannot be written. Nothing is written then.
pub fn run(arguments: &InitArguments, terminal: &Terminal) -> Result<Exit, CliError> {
    let mut files = vec![("murder.yaml", String::new())];
    match arguments.ci {
        Some(Pipeline::Github) => files.push((".github/workflows/murder.yml", GITHUB.to_owned())),
        Some(Pipeline::Gitlab) => files.push((".gitlab-ci.yml", GITLAB.to_owned())),
        None => {}
    }
    for (path, _) in &files {
        if arguments.folder.join(path).symlink_metadata().is_ok() {
            return Err(exists(&arguments.folder.join(path)));
        }
    }
    let answers = answers(arguments)?;
    let text = manifest(&answers);
    accepted(&text)?;
    files[0].1 = text;
    let ignore = ".gitignore";
    let has_ignore = arguments.folder.join(ignore).symlink_metadata().is_ok();
    if !has_ignore {
        files.push((ignore, "/secrets/\n".to_owned()));
    }
    write(&arguments.folder, &files).map_err(|error| {
        CliError::message(format!(
            "cannot write to `{}`: {error}",
            arguments.folder.display()
        ))
    })?;
    for (path, _) in &files {
        terminal.say(&format!("wrote {}", arguments.folder.join(path).display()));
    }
    if has_ignore {
        terminal.say(&format!(
            "{ignore} exists already: add the line `/secrets/` to it"
        ));
    }
    terminal.say(&format!("next: murder check {}", shown(&arguments.folder)));
    Ok(Exit::Done)
}

fn exists(path: &Path) -> CliError {
    let problem = Diagnostic::error(format!("`{}` exists already", path.display()));
    CliError::arguments(vec![
        problem.hint("choose another folder: nothing is overwritten"),
    ])
}

/// The answers of the flags, and of the person at the terminal for the rest.
fn answers(arguments: &InitArguments) -> Result<Answers, CliError> {
    let may_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    let answer = |flag: &str, given: &Option<String>, question: &str, usual: &str| match given {
        Some(text) => Ok(text.trim().to_owned()),
        None if arguments.example => Ok(usual.to_owned()),
        None if may_ask => ask(question, usual),
        None => {
            let problem = Diagnostic::error(format!(
                "`--{flag}` is missing, and there is no terminal to ask at"
            ));
            Err(CliError::arguments(vec![
                problem.hint("give the flag, or `--example` for a usual value"),
            ]))
        }
    };
    let domains = answer(
        "domains",
        &arguments.domains,
        "Mail domains, with commas between them",
        "example.org",
    )?;
    let domains = split_list(&domains);
    let first = domains.first().cloned().unwrap_or_default();
    let base: Vec<String> = first
        .split('.')
        .map(|label| format!("dc={label}"))
        .collect();
    let router = format!("smtp.{first}");
    let mailboxes = format!("backend[1:2].{first}");
    let ldap = format!("ldap://ldap.{first}");
    Ok(Answers {
        router: answer(
            "router",
            &arguments.router,
            "The internal MTA, which routes each address to its mailbox",
            &router,
        )?,
        mailboxes: answer(
            "mailboxes",
            &arguments.mailboxes,
            "The backends, which have the mailboxes",
            &mailboxes,
        )?,
        ldap: answer("ldap", &arguments.ldap, "The LDAP server", &ldap)?,
        base: answer(
            "base",
            &arguments.base,
            "The LDAP search base",
            &base.join(","),
        )?,
        bind_dn: answer(
            "bind-dn",
            &arguments.bind_dn,
            "The login at the LDAP server (empty for an anonymous one)",
            "",
        )?,
        domains,
    })
}

/// Asks at the terminal; an empty answer is the usual one.
fn ask(question: &str, usual: &str) -> Result<String, CliError> {
    let failed = |error: io::Error| CliError::message(format!("cannot read the answer: {error}"));
    let shown = if usual.is_empty() {
        String::new()
    } else {
        format!(" [{usual}]")
    };
    write!(io::stderr().lock(), "{question}{shown}: ").map_err(failed)?;
    let mut line = String::new();
    let length = io::stdin().lock().read_line(&mut line).map_err(failed)?;
    if length == 0 {
        return Err(CliError::message("stopped: nothing was written"));
    }
    Ok(match line.trim() {
        "" => usual.to_owned(),
        answer => answer.to_owned(),
    })
}

fn manifest(answers: &Answers) -> String {
    let first = answers.domains.first().map_or("", String::as_str);
    let backend = range::first(&answers.mailboxes)
        .map_or_else(|| answers.mailboxes.clone(), |name| name.to_string());
    let bind = match answers.bind_dn.as_str() {
        "" => "  # bind_dn: \"uid=service,ou=Special Users,dc=example,dc=org\"\n  # bind_pw: {file: secrets/ldap.pw}   # only you may read the file (chmod 600)\n".to_owned(),
        name => format!(
            "  bind_dn: {}\n  bind_pw: {{env: MURDER_LDAP_PW}}     # or {{file: secrets/ldap.pw}}, which only you may read\n",
            Yaml::text(name).on_a_line()
        ),
    };
    STARTER
        .replace("@MURDER@", first)
        .replace("@DOMAINS@", &answers.domains.join(", "))
        .replace("@URI@", &answers.ldap)
        .replace("@BASE@", &answers.base)
        .replace("@BIND@", &bind)
        .replace("@BACKENDS@", &answers.mailboxes)
        .replace("@BACKEND@", &backend)
        .replace("@INTERNAL@", &answers.router)
        .replace("@FIRST@", first)
}

/// Whether `check` takes the manifest.
fn accepted(text: &str) -> Result<(), CliError> {
    let none = std::collections::BTreeMap::new();
    let shipped = Shipped::read();
    let refused = |problems: Vec<Diagnostic>| {
        let said = problems.into_iter().map(|problem| {
            let said = Diagnostic::error(problem.summary);
            match problem.hint {
                Some(hint) => said.hint(hint),
                None => said,
            }
        });
        CliError::arguments(said.collect())
    };
    let made = shipped
        .murder(&[text], &none, &<_>::default())
        .map_err(refused)?;
    let compiler = shipped.compiler(&made.murder).map_err(refused)?;
    let hosts: Vec<HostName> = made.murder.hosts.keys().cloned().collect();
    for name in hosts {
        if let Some(host) = made.murder.hosts.get(&name) {
            compiler.compile(&name, &host.facts).map_err(refused)?;
        }
    }
    Ok(())
}

fn write(folder: &Path, files: &[(&str, String)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let root = RootFolder::open(folder)?;
    for (path, text) in files {
        if let Some(parent) = Path::new(path)
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            root.create_folders(parent)?;
        }
        let path = folder.join(path);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)?;
        file.write_all(text.as_bytes())?;
    }
    Ok(())
}
