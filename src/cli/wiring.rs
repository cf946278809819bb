//! Where the verbs meet the machines: the one place that knows both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::reach::{Consent, Reach};
use super::terminal::Terminal;
use super::{Selection, ask, compiled, provenance};
use crate::apply;
use crate::cache::FactsCache;
use crate::compile::Compiler;
use crate::diagnostic::{Diagnostic, Level, Sources};
use crate::load;
use crate::machine::remote::Remote;
use crate::machine::sandbox::Sandbox;
use crate::machine::shell::{self, ConnectOptions, Passphrases};
use crate::machine::ssh::HandshakeLimits;
use crate::machine::ssh_config::Environment;
use crate::machine::{Act, Look, MachineError};
use crate::model::{Become, Host, Murder};
use crate::module::Modules;
use crate::name::{HostName, RoleName};
use crate::plan::{Failure, HostPlan, HostVerdict, Permissions, Run, Situation, Verdict, diff};
use crate::report::Outcome;
use crate::secret::{SecretName, Secrets};
use crate::state::{Desired, Facts};
use crate::survey::{Surveyed, survey};

/// A manifest that was read without errors.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub murder: Murder,
    /// Each module's `after`.
    pub after: BTreeMap<RoleName, Vec<RoleName>>,
    modules: Modules,
    sources: Sources,
    revision: String,
}

/// Reads hosts. Called from many threads, for one host each.
pub trait Eyes: Sync {
    /// Observes a host and compares; `say` tells what it is at.
    fn look(&self, host: &HostName, say: &dyn Fn(&str)) -> HostVerdict;
}

/// Changes hosts.
pub trait Hands: Eyes {
    /// Does what the plan says, looks again, and says how the host stands. Words of the host come scrubbed.
    fn change(&self, host: &HostName, plan: &HostPlan, say: &dyn Fn(&str)) -> Outcome;
}

/// Reads and resolves the manifest; its problems and warnings go to standard error.
///
/// # Errors
/// Where there is an error among them; it has been said.
pub fn load(selection: &Selection, terminal: &Terminal) -> Result<Loaded, Said> {
    let loaded = load::load(&selection.path, &selection.overlay);
    say_all(&loaded.diagnostics, &loaded.sources, terminal);
    let failed = loaded.failed();
    let Some(murder) = loaded.murder.filter(|_| !failed) else {
        return Err(Said);
    };
    let after = loaded
        .modules
        .0
        .iter()
        .map(|(role, module)| (role.clone(), module.after.clone()))
        .collect();
    Ok(Loaded {
        murder,
        after,
        revision: provenance::revision(&loaded.folder),
        modules: loaded.modules,
        sources: loaded.sources,
    })
}

fn say_all(diagnostics: &[Diagnostic], sources: &Sources, terminal: &Terminal) {
    for diagnostic in diagnostics {
        let text = diagnostic.render(sources, terminal.color_err) + "\n";
        match diagnostic.level {
            Level::Error => terminal.report(&(text + "\n")),
            Level::Warning => terminal.say(&text),
        }
    }
}

/// What reads the hosts of a murder, and cannot write.
///
/// # Errors
/// What keeps any host from being reached at all: a manifest that does not compile, or a secret
/// that cannot be read. Nothing has been contacted.
pub fn eyes<'a>(
    loaded: &'a Loaded,
    hosts: &[HostName],
    reach: &'a Reach,
    terminal: &Terminal,
) -> Result<Box<dyn Eyes + 'a>, Said> {
    let work = Work::new(loaded, hosts, reach, Consent::default(), false, terminal)?;
    Ok(Box::new(work))
}

/// What reads and changes them.
///
/// # Errors
/// As [`eyes`].
pub fn hands<'a>(
    loaded: &'a Loaded,
    hosts: &[HostName],
    reach: &'a Reach,
    consent: &Consent,
    terminal: &Terminal,
) -> Result<Box<dyn Hands + 'a>, Said> {
    let work = Work::new(loaded, hosts, reach, consent.clone(), true, terminal)?;
    Ok(Box::new(work))
}

/// An error that has been said already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said;

/// A connection kept from the look for the change is dropped after this long: firewalls and
/// sshd forget idle ones, and a person may think long before `yes`.
const KEPT_FOR: Duration = Duration::from_secs(45);
/// Connections kept at once: each is an open file here and a process there.
const KEPT_AT_ONCE: usize = 256;

/// Connections of the look, each with when it was made.
type Kept = BTreeMap<HostName, (Instant, Box<dyn Act>)>;

/// Everything that one run needs for any of its hosts.
struct Work<'a> {
    loaded: &'a Loaded,
    compiler: Compiler<'a>,
    reach: &'a Reach,
    consent: Consent,
    secrets: Secrets,
    cache: FactsCache,
    connect: ConnectOptions,
    run: Run,
    kept: Option<Mutex<Kept>>,
}

impl<'a> Work<'a> {
    fn new(
        loaded: &'a Loaded,
        hosts: &[HostName],
        reach: &'a Reach,
        consent: Consent,
        writes: bool,
        terminal: &Terminal,
    ) -> Result<Self, Said> {
        let compiler = compiler(loaded, terminal)?;
        let (secrets, problems) = load::secrets(&loaded.murder, &needed(loaded, hosts, reach));
        say_all(&problems, &loaded.sources, terminal);
        if problems.iter().any(|problem| problem.level == Level::Error) {
            return Err(Said);
        }
        Ok(Self {
            loaded,
            compiler,
            reach,
            consent,
            secrets,
            cache: FactsCache::of_user(),
            connect: ConnectOptions {
                accept_new: reach.accept_new,
                local: reach.local,
                limits: Arc::new(HandshakeLimits::default()),
                passphrases: Arc::new(Passphrases::new(Box::new(ask::passphrase))),
                environment: Environment::of_process(),
            },
            run: provenance::run(SystemTime::now()),
            kept: writes.then(Mutex::default),
        })
    }

    fn host(&self, name: &HostName) -> Result<&Host, MachineError> {
        self.loaded.murder.hosts.get(name).ok_or_else(|| {
            MachineError::Unfit(Failure {
                summary: format!("the manifest has no host `{name}`"),
                detail: None,
                hint: None,
            })
        })
    }

    fn machine(&self, host: &Host) -> Result<Box<dyn Act>, MachineError> {
        if let Some(directory) = &self.reach.sandbox {
            return Ok(Box::new(Sandbox::new(
                directory,
                &host.name,
                host.facts.clone(),
            )));
        }
        let shell = shell::connect(host, &self.connect, &self.secrets)?;
        Ok(Box::new(Remote::new(shell)))
    }

    fn compile(&self, host: &Host, facts: &Facts) -> Result<Desired, Failure> {
        self.compiler
            .compile(&host.name, facts)
            .map(|compiled| compiled.desired)
            .map_err(|problems| Failure {
                summary: "the manifest does not compile with this host's facts".to_owned(),
                detail: Some(
                    problems
                        .iter()
                        .map(|problem| problem.render(&self.loaded.sources, false))
                        .collect::<Vec<_>>()
                        .join("\n"),
                ),
                hint: None,
            })
    }

    fn survey(&self, host: &Host, machine: &mut dyn Look) -> Result<Surveyed, MachineError> {
        // A folder has no upgrades; what a real host of its name once said is not its business.
        let cached = self.reach.sandbox.is_none();
        let known = cached.then(|| self.cache.get(&host.name)).flatten();
        let surveyed = survey(
            machine,
            &|facts| self.compile(host, facts),
            &self.secrets,
            known,
            &host.facts,
        )?;
        if cached && let Some(known) = &surveyed.known {
            self.cache.put(&host.name, known);
        }
        Ok(surveyed)
    }

    fn difference(&self, surveyed: &Surveyed) -> HostVerdict {
        let applied = crate::ledger::Applied {
            by: self.run.by.clone(),
            at: self.run.at.clone(),
            revision: self.loaded.revision.clone(),
        };
        diff(Situation {
            murder: &self.loaded.murder.name,
            desired: &surveyed.desired,
            live: &surveyed.live,
            secrets: &self.secrets,
            permissions: Permissions {
                adopt: self.consent.adopt,
                take_over: self.consent.take_over,
                allow_delete: self.consent.allow_delete,
                allow_overwrite: self.consent.allow_overwrite,
                allow_restart: self.consent.allow_restart,
            },
            applied: &applied,
        })
    }

    fn look_with(&self, name: &HostName) -> Result<(HostVerdict, Box<dyn Act>), MachineError> {
        let host = self.host(name)?;
        let mut machine = self.machine(host)?;
        let surveyed = self.survey(host, &mut *machine)?;
        Ok((self.difference(&surveyed), machine))
    }

    /// The connection of the look, if it is still worth having.
    fn kept(&self, host: &HostName) -> Option<Box<dyn Act>> {
        let mut kept = self
            .kept
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (since, machine) = kept.remove(host)?;
        (since.elapsed() < KEPT_FOR).then_some(machine)
    }

    fn keep(&self, host: &HostName, machine: Box<dyn Act>) {
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT_AT_ONCE {
                kept.insert(host.clone(), (Instant::now(), machine));
            }
        }
    }

    /// Nothing that a host said leaves this file with a secret in it.
    fn scrub(&self, failure: Failure) -> Failure {
        let scrub = |text: String| self.secrets.scrub(&text);
        Failure {
            summary: scrub(failure.summary),
            detail: failure.detail.map(scrub),
            hint: failure.hint.map(scrub),
        }
    }

    fn scrub_verdict(&self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Unreachable { error } => Verdict::Unreachable {
                error: self.scrub(error),
            },
            Verdict::Failed { error } => Verdict::Failed {
                error: self.scrub(error),
            },
            other => other,
        }
    }
}

impl Eyes for Work<'_> {
    fn look(&self, name: &HostName, say: &dyn Fn(&str)) -> HostVerdict {
        say("looking");
        let (verdict, remarks) = match self.look_with(name) {
            Ok((verdict, machine)) => {
                if matches!(verdict.verdict, Verdict::Changes(_)) {
                    self.keep(name, machine);
                }
                (verdict.verdict, verdict.remarks)
            }
            Err(MachineError::Unreachable(error) | MachineError::Detached(error)) => {
                (Verdict::Unreachable { error }, Vec::new())
            }
            Err(MachineError::Unfit(error)) => (Verdict::Failed { error }, Vec::new()),
        };
        HostVerdict {
            verdict: self.scrub_verdict(verdict),
            remarks,
        }
    }
}

impl Hands for Work<'_> {
    fn change(&self, name: &HostName, plan: &HostPlan, say: &dyn Fn(&str)) -> Outcome {
        let machine = match self.kept(name) {
            Some(machine) => Ok(machine),
            None => {
                say("connecting");
                self.host(name).and_then(|host| self.machine(host))
            }
        };
        let mut machine = match machine {
            Ok(machine) => machine,
            Err(error) => return self.scrub_outcome(apply::without_report(error)),
        };
        say("applying");
        let again = |machine: &mut dyn Look| {
            say("looking again");
            let host = self.host(name)?;
            self.survey(host, machine)
                .map(|surveyed| self.difference(&surveyed).verdict)
        };
        self.scrub_outcome(apply::apply(
            &mut *machine,
            plan,
            &self.secrets,
            &self.run,
            self.consent.allow_unverified,
            &again,
        ))
    }
}

impl Work<'_> {
    fn scrub_outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::PutBack { error } => Outcome::PutBack {
                error: self.scrub(error),
            },
            Outcome::Untouched { error } => Outcome::Untouched {
                error: self.scrub(error),
            },
            Outcome::Locked { error } => Outcome::Locked {
                error: self.scrub(error),
            },
            Outcome::HalfWay { error } => Outcome::HalfWay {
                error: self.scrub(error),
            },
            Outcome::Unreachable { error, allowed } => Outcome::Unreachable {
                error: self.scrub(error),
                allowed,
            },
            Outcome::Detached { error } => Outcome::Detached {
                error: self.scrub(error),
            },
            Outcome::Failed { error } => Outcome::Failed {
                error: self.scrub(error),
            },
            Outcome::Done { log } => Outcome::Done {
                log: log.iter().map(|line| self.secrets.scrub(line)).collect(),
            },
            other => other,
        }
    }
}

/// Prepares the compiler and compiles every host once with the facts that the manifest states:
/// every problem is said before anything is contacted.
fn compiler<'a>(loaded: &'a Loaded, terminal: &Terminal) -> Result<Compiler<'a>, Said> {
    let mut problems = Vec::new();
    let compiler = match Compiler::new(&loaded.murder, &loaded.modules) {
        Ok(compiler) => Some(compiler),
        Err(found) => {
            problems = found;
            None
        }
    };
    if let Some(compiler) = &compiler {
        let hosts: Vec<HostName> = loaded.murder.hosts.keys().cloned().collect();
        problems.extend(compiled::problems(compiler, &loaded.murder, &hosts));
    }
    load::tidy(&mut problems);
    say_all(&problems, &loaded.sources, terminal);
    if problems.iter().any(|problem| problem.level == Level::Error) {
        return Err(Said);
    }
    compiler.ok_or(Said)
}

/// The secrets that this run reads: the directory's for the files, and the logins' where there are logins.
fn needed(loaded: &Loaded, hosts: &[HostName], reach: &Reach) -> BTreeSet<SecretName> {
    let mut names = BTreeSet::new();
    for host in hosts
        .iter()
        .filter_map(|name| loaded.murder.hosts.get(name))
    {
        names.extend(host.ldap.as_ref().and_then(|ldap| ldap.bind_pw.clone()));
        if reach.sandbox.is_none() {
            names.extend(host.ssh.password.clone());
            names.extend(host.ssh.passphrase.clone());
            if let Become::Sudo(password) = &host.ssh.become_ {
                names.extend(password.clone());
            }
        }
    }
    names
}
