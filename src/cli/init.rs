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
use crate::visible::visible;

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
#[derive(Clone)]
struct Answers {
    domains: String,
    router: String,
    mailboxes: String,
    ldap: String,
    base: String,
    bind_dn: String,
}

impl Answers {
    /// The usual answers where these are the mail domains.
    fn usual(domains: &str) -> Self {
        let first = split_list(domains).first().cloned().unwrap_or_default();
        let labels = first.split('.').map(|label| format!("dc={label}"));
        Self {
            router: format!("smtp.{first}"),
            mailboxes: format!("backend[1:2].{first}"),
            ldap: format!("ldap://ldap.{first}"),
            base: labels.collect::<Vec<_>>().join(","),
            bind_dn: String::new(),
            domains: domains.to_owned(),
        }
    }

    /// These answers with another one to a question. The usual ones to later questions follow the mail domains.
    fn with(&self, question: &Question, answer: &str) -> Self {
        let mut changed = match question.flag {
            "domains" => Self::usual(answer),
            _ => self.clone(),
        };
        answer.clone_into((question.place)(&mut changed));
        changed
    }
}

/// One of the six questions.
struct Question {
    /// The flag that answers it.
    flag: &'static str,
    /// What is asked at a terminal.
    text: &'static str,
    given: fn(&InitArguments) -> Option<&String>,
    place: fn(&mut Answers) -> &mut String,
}

const QUESTIONS: [Question; 6] = [
    Question {
        flag: "domains",
        text: "Mail domains, with commas between them",
        given: |arguments| arguments.domains.as_ref(),
        place: |answers| &mut answers.domains,
    },
    Question {
        flag: "router",
        text: "The internal MTA, which routes each address to its mailbox",
        given: |arguments| arguments.router.as_ref(),
        place: |answers| &mut answers.router,
    },
    Question {
        flag: "mailboxes",
        text: "The backends, which have the mailboxes",
        given: |arguments| arguments.mailboxes.as_ref(),
        place: |answers| &mut answers.mailboxes,
    },
    Question {
        flag: "ldap",
        text: "The LDAP server",
        given: |arguments| arguments.ldap.as_ref(),
        place: |answers| &mut answers.ldap,
    },
    Question {
        flag: "base",
        text: "The LDAP search base",
        given: |arguments| arguments.base.as_ref(),
        place: |answers| &mut answers.base,
    },
    Question {
        flag: "bind-dn",
        text: "The login at the LDAP server (empty for an anonymous one)",
        given: |arguments| arguments.bind_dn.as_ref(),
        place: |answers| &mut answers.bind_dn,
    },
];

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
    accepted(&text).map_err(CliError::arguments)?;
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
    let mut answers = Answers::usual("example.org");
    for question in &QUESTIONS {
        let usual = (question.place)(&mut answers).clone();
        answers = match (question.given)(arguments) {
            Some(text) => answers.with(question, text.trim()),
            None if arguments.example => answers,
            None if may_ask => asked(&answers, question, &usual)?,
            None => {
                let problem = Diagnostic::error(format!(
                    "`--{}` is missing, and there is no terminal to ask at",
                    question.flag
                ));
                return Err(CliError::arguments(vec![
                    problem.hint("give the flag, or `--example` for a usual value"),
                ]));
            }
        };
    }
    Ok(answers)
}

/// Asks a question until its answer makes a manifest that `check` takes. What is wrong already with earlier answers, which flags
/// gave, is no reason to ask again.
fn asked(answers: &Answers, question: &Question, usual: &str) -> Result<Answers, CliError> {
    let was_right = accepted(&manifest(answers)).is_ok();
    loop {
        let found = answers.with(question, &ask(question.text, usual)?);
        let problems = match accepted(&manifest(&found)) {
            Err(problems) if was_right => problems,
            _ => return Ok(found),
        };
        for problem in problems {
            let hint = problem.hint.map(|hint| format!(": {hint}"));
            let text = format!("{}{}", problem.summary, hint.unwrap_or_default());
            let _ = writeln!(io::stderr().lock(), "  {}", visible(&text));
        }
    }
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
    let domains = split_list(&answers.domains);
    let first = domains.first().map_or("", String::as_str);
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
        .replace("@DOMAINS@", &domains.join(", "))
        .replace("@URI@", &answers.ldap)
        .replace("@BASE@", &answers.base)
        .replace("@BIND@", &bind)
        .replace("@BACKENDS@", &answers.mailboxes)
        .replace("@BACKEND@", &backend)
        .replace("@INTERNAL@", &answers.router)
        .replace("@FIRST@", first)
}

/// What `check` refuses of the manifest, without places.
fn accepted(text: &str) -> Result<(), Vec<Diagnostic>> {
    let none = std::collections::BTreeMap::new();
    let shipped = Shipped::read();
    let refused = |problems: Vec<Diagnostic>| {
        let said = problems.into_iter();
        let said = said.map(|problem| {
            let said = Diagnostic::error(problem.summary);
            match problem.hint {
                Some(hint) => said.hint(hint),
                None => said,
            }
        });
        said.collect::<Vec<_>>()
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
