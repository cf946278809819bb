//! What one run needs to reach hosts and to tell how they differ: ways, secrets, facts, its own name.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use super::reach::Reach;
use super::terminal::Terminal;
use super::wiring::{AlreadyReported, Loaded, say_all};
use super::{ask, provenance};
use crate::access::Become;
use crate::cache::FactsCache;
use crate::diagnostic::{Diagnostic, Level};
use crate::load;
use crate::machine::remote::Remote;
use crate::machine::sandbox::Sandbox;
use crate::machine::{Apply, KnownFacts, MachineError, Observe};
use crate::model::{Host, Roster};
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::{DiffInput, Failure, HostVerdict, Run, Verdict, diff};
use crate::secret::{SecretName, Secrets};
use crate::state::{Desired, Facts, Remark};
use crate::survey::{Surveyed, survey};
use crate::transport::ssh::HandshakeLimits;
use crate::transport::ssh_config::Environment;
use crate::transport::{self, ConnectOptions, Passphrases};

/// One run, ready to reach the hosts of a murder.
pub struct Session<'a> {
    /// The manifest.
    pub loaded: &'a Loaded,
    /// The secrets that have been read.
    pub secrets: Secrets,
    /// Who runs this, and when.
    pub run: Run,
    roster: Roster<'a>,
    reach: &'a Reach,
    cache: Option<FactsCache>,
    connect: ConnectOptions,
}

/// What hosts said of themselves last time. A folder has no upgrades; what a real host of its name once said is
/// not its business.
pub fn facts_cache(reach: &Reach) -> Option<FactsCache> {
    reach.sandbox.is_none().then(FactsCache::of_user)
}

impl<'a> Session<'a> {
    /// Reads the secrets of these names, and those of the hosts' logins.
    ///
    /// # Errors
    /// Where one of them cannot be read; it has been said.
    pub fn new(
        loaded: &'a Loaded,
        hosts: &[HostName],
        reach: &'a Reach,
        mut needed: BTreeSet<SecretName>,
        terminal: &Terminal,
    ) -> Result<Self, AlreadyReported> {
        if reach.sandbox.is_none() {
            needed.extend(of_logins(loaded, hosts));
        }
        if reach.local && hosts.len() > 1 {
            let problem = Diagnostic::error(format!(
                "`--local` is this one machine, and {} hosts are meant",
                hosts.len()
            ))
            .hint("choose the host that this machine is by `--host NAME`");
            say_all(&[problem], &loaded.sources, terminal);
            return Err(AlreadyReported);
        }
        let mut contact = Self {
            loaded,
            secrets: Secrets::default(),
            run: provenance::run(SystemTime::now()),
            roster: Roster::of(&loaded.murder),
            reach,
            cache: facts_cache(reach),
            connect: ConnectOptions {
                accept_new: reach.accept_new,
                local: reach.local,
                limits: Arc::new(HandshakeLimits::default()),
                passphrases: Arc::new(Passphrases::new(Box::new(ask::passphrase))),
                environment: Environment::of_process(),
                files: Arc::default(),
            },
        };
        contact.read_secrets(&needed, terminal)?;
        Ok(contact)
    }

    /// Reads more secrets.
    ///
    /// # Errors
    /// Where one of them cannot be read; it has been said.
    pub fn read_secrets(
        &mut self,
        names: &BTreeSet<SecretName>,
        terminal: &Terminal,
    ) -> Result<(), AlreadyReported> {
        let (secrets, problems) = load::secrets(&self.loaded.murder, names);
        say_all(&problems, &self.loaded.sources, terminal);
        if problems.iter().any(is_error) {
            return Err(AlreadyReported);
        }
        for name in names {
            if let Some(secret) = secrets.get(name) {
                self.secrets.insert(name.clone(), secret.clone());
            }
        }
        Ok(())
    }

    /// A host of the manifest.
    ///
    /// # Errors
    /// Where there is none of this name.
    pub fn host(&self, name: &HostName) -> Result<&'a Host, MachineError> {
        self.loaded.murder.hosts.get(name).ok_or_else(|| {
            MachineError::Unfit(Failure {
                summary: format!("the manifest has no host `{name}`"),
                detail: None,
                hint: None,
            })
        })
    }

    /// A host's machine, connected.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub async fn machine(&self, host: &Host) -> Result<Box<dyn Apply>, MachineError> {
        if let Some(directory) = &self.reach.sandbox {
            return Ok(Box::new(Sandbox::new(
                directory,
                &host.name,
                host.facts.clone(),
            )));
        }
        let shell =
            transport::connecting(&host.name, &host.ssh, &self.connect, &self.secrets).await?;
        Ok(Box::new(Remote::new(shell)))
    }

    /// What a host said of itself last time.
    #[must_use]
    pub fn known(&self, host: &Host) -> Option<KnownFacts> {
        self.cache.as_ref()?.get(&host.name)
    }

    /// Looks at a host, about which this is [`known`](Self::known), until what it has and what it must have
    /// speak of the same facts.
    ///
    /// # Errors
    /// [`survey`]'s.
    pub async fn survey(
        &self,
        host: &Host,
        known: Option<KnownFacts>,
        machine: &mut dyn Observe,
        compile: &dyn Fn(&Facts) -> Result<Desired, Failure>,
    ) -> Result<Surveyed, MachineError> {
        let surveyed = survey(machine, compile, &self.secrets, known.clone(), &host.facts).await?;
        if surveyed.known != known
            && let (Some(cache), Some(known)) = (&self.cache, &surveyed.known)
        {
            cache.put(&host.name, known);
        }
        Ok(surveyed)
    }

    /// This run, as the ledger and history will have it; `revision` is the manifest's.
    #[must_use]
    pub fn run_of(&self, revision: &str) -> Run {
        Run {
            revision: revision.to_owned(),
            ..self.run.clone()
        }
    }

    /// The difference of what a host has and must have.
    #[must_use]
    pub fn difference(&self, surveyed: &Surveyed) -> HostVerdict {
        self.compare(surveyed, None)
    }

    /// The difference of what a host has and had in a generation.
    #[must_use]
    pub fn way_back(&self, surveyed: &Surveyed, generation: u64) -> HostVerdict {
        self.compare(surveyed, Some(generation))
    }

    fn compare(&self, surveyed: &Surveyed, rollback: Option<u64>) -> HostVerdict {
        let mut verdict = diff(DiffInput {
            known: surveyed.known.as_ref(),
            murder: &self.loaded.murder.name,
            desired: &surveyed.desired,
            live: &surveyed.live,
            secrets: &self.secrets,
            hosts: self.roster.written(),
            keep: self.loaded.murder.keep,
            rollback,
        });
        // The plan that rewrites the ledger is the last one that can tell.
        if let (Verdict::Changes(_), Some(ledger)) = (&verdict.verdict, &surveyed.live.ledger) {
            let missed = self.roster.missed(ledger);
            verdict.remarks.extend(missed.iter().map(vanished));
        }
        verdict
    }

    /// Nothing that a host said leaves the program with a secret in it.
    #[must_use]
    pub fn scrub(&self, failure: Failure) -> Failure {
        let scrub = |text: String| self.secrets.scrub(&text);
        Failure {
            summary: scrub(failure.summary),
            detail: failure.detail.map(scrub),
            hint: failure.hint.map(scrub),
        }
    }

    /// See [`Self::scrub`].
    #[must_use]
    pub fn scrub_verdict(&self, verdict: Verdict) -> Verdict {
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

    /// See [`Self::scrub`].
    #[must_use]
    pub fn scrub_outcome(&self, outcome: Outcome) -> Outcome {
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
            Outcome::Done { log, stopped } => Outcome::Done {
                log: log.iter().map(|line| self.secrets.scrub(line)).collect(),
                stopped,
            },
            other => other,
        }
    }
}

/// What the flags of the user permit a plan.
fn vanished(host: &HostName) -> Remark {
    Remark {
        text: format!(
            "`{host}` was a host of this murder at the last apply here, and is not in the manifest any more"
        ),
        hint: Some(format!(
            "unless it is retired or gone already, put it back with `state: retired`: as it is, `{host}` \
             keeps its configuration, and nobody looks at it"
        )),
    }
}

fn is_error(problem: &Diagnostic) -> bool {
    problem.level == Level::Error
}

/// The secrets of the hosts' logins.
fn of_logins(loaded: &Loaded, hosts: &[HostName]) -> BTreeSet<SecretName> {
    let mut names = BTreeSet::new();
    for host in hosts
        .iter()
        .filter_map(|name| loaded.murder.hosts.get(name))
    {
        names.extend(host.ssh.password.clone());
        names.extend(host.ssh.passphrase.clone());
        if let Become::Sudo(password) = &host.ssh.become_ {
            names.extend(password.clone());
        }
    }
    names
}
