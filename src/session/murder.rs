//! A session over a loaded manifest: its hosts compared with what they must have.

use std::collections::BTreeSet;

use super::observe::{Answered, ObservedHost, complete, observe_host};
use super::older::older;
use super::options::Reach;
use super::path_policy::PathPolicy;
use super::watched_hosts::WatchedHosts;
use super::{Session, SessionError};
use crate::access::Become;
use crate::diagnostic::{Diagnostic, Severity};
use crate::ledger::Ledger;
use crate::load::LoadedMurder;
use crate::machine::{Apply, KnownFacts, MachineError, Observe};
use crate::model::{Host, Roster};
use crate::name::HostName;
use crate::plan::{DiffInput, Failure, HostVerdict, Run, compare};
use crate::secret::SecretName;
use crate::secret_source::{SourceOptions, read_secrets};
use crate::state::{Desired, Facts, References, Want};
use crate::transport::AskPassphrase;

/// One run, ready to reach the hosts of a murder.
pub struct MurderSession<'a> {
    /// The manifest.
    pub loaded: &'a LoadedMurder,
    /// What reaches hosts.
    pub session: Session,
    /// Warnings about the manifest's secrets.
    pub warnings: Vec<Diagnostic>,
    roster: Roster<'a>,
    untrusted: bool,
    /// Which sources of secrets the operator allows.
    sources: SourceOptions,
    /// Which files the operator lets the host's generations name.
    pub(super) paths: PathPolicy,
    /// Where what is seen of hosts is kept.
    seen: Option<WatchedHosts>,
}

impl<'a> MurderSession<'a> {
    /// Reads the secrets of these names, and those of the hosts' logins. See [`Session::new`] for `ask_passphrase`.
    ///
    /// # Errors
    /// [`SessionError::Input`] where one of them cannot be read, or `--local` is given for more than one host.
    pub fn new(
        loaded: &'a LoadedMurder,
        hosts: &[HostName],
        reach: &Reach,
        mut needed: BTreeSet<SecretName>,
        ask_passphrase: Box<AskPassphrase>,
    ) -> Result<Self, SessionError> {
        if reach.sandbox.is_none() && !reach.from_live_file {
            needed.extend(of_logins(loaded, hosts));
        }
        one_if_local(reach, hosts)?;
        let mut session = Self {
            loaded,
            session: Session::new(reach, ask_passphrase),
            warnings: Vec::new(),
            roster: Roster::of(&loaded.murder),
            untrusted: reach.untrusted,
            sources: reach.sources,
            paths: reach.paths.clone(),
            seen: reach.seen.clone(),
        };
        session.warnings = session.read_secrets(&needed)?;
        Ok(session)
    }

    /// Reads more secrets, and gives the warnings about them.
    ///
    /// # Errors
    /// [`SessionError::Input`] where one of them cannot be read.
    pub fn read_secrets(
        &mut self,
        names: &BTreeSet<SecretName>,
    ) -> Result<Vec<Diagnostic>, SessionError> {
        let names = &self.readable(names);
        let (secrets, problems) = read_secrets(&self.loaded.murder, names, self.sources);
        if problems.iter().any(is_error) {
            return Err(SessionError::Input(problems));
        }
        for name in names {
            if let Some(secret) = secrets.get(name) {
                self.session.secrets.insert(name.clone(), secret.clone());
            }
        }
        Ok(problems)
    }

    /// The secrets that may be read: of a manifest that may be a stranger's, those that it holds itself.
    fn readable(&self, names: &BTreeSet<SecretName>) -> BTreeSet<SecretName> {
        let secrets = &self.loaded.murder.secrets;
        let held = |name: &&SecretName| {
            !self.untrusted
                || secrets
                    .get(*name)
                    .is_some_and(|(source, _)| source.is_in_manifest())
        };
        names.iter().filter(held).cloned().collect()
    }

    /// The hosts that a ledger names, and that the manifest has as retired.
    #[must_use]
    pub fn retired(&self, ledger: &Ledger) -> Vec<HostName> {
        self.roster.retired(ledger)
    }

    /// A host of the manifest.
    ///
    /// # Errors
    /// If there is no host of this name.
    pub fn host(&self, name: &HostName) -> Result<&'a Host, MachineError> {
        self.loaded.murder.hosts.get(name).ok_or_else(|| {
            MachineError::Unfit(Failure {
                summary: format!("`{name}` is not a host of this murder"),
                detail: None,
                hint: None,
            })
        })
    }

    /// Connects to a host of the manifest.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn connect(&self, host: &Host) -> Result<Box<dyn Apply>, MachineError> {
        self.session
            .connect(&host.name, &host.ssh, &host.facts)
            .await
    }

    /// Observes a host until its desired and its live state rest on the same facts; `known` are those of the last
    /// time ([`Session::known`]), and `answered` is an observation that came with the report of an apply.
    ///
    /// # Errors
    /// As [`observe_host`].
    async fn observe(
        &self,
        host: &Host,
        known: Option<KnownFacts>,
        machine: &mut dyn Observe,
        compile: &dyn Fn(&Facts) -> Result<Desired, Failure>,
        answered: Option<Answered>,
    ) -> Result<ObservedHost, MachineError> {
        let (secrets, facts) = (&self.session.secrets, &host.facts);
        let offered = host.offered_secrets();
        let compile = |facts: &Facts| {
            compile(facts).and_then(|desired| only_offered(desired, &offered, &host.name))
        };
        let observed =
            observe_host(machine, &compile, secrets, known.clone(), facts, answered).await?;
        if let Some(facts) = observed.known.as_ref().filter(|_| observed.known != known) {
            self.session.keep_facts(&host.name, facts);
        }
        Ok(observed)
    }

    /// This run, for the ledger and the history; `revision` is that of the manifest.
    #[must_use]
    pub fn run_of(&self, revision: &str) -> Run {
        Run {
            revision: revision.to_owned(),
            ..self.session.run.clone()
        }
    }

    /// Observes a host and compares what it has with what it must have, or in a rollback with what it had in a
    /// generation. A host that was not asked about all files and tables that its parameters name is observed once more.
    ///
    /// # Errors
    /// As [`observe_host`].
    pub async fn plan(
        &self,
        host: &Host,
        known: Option<KnownFacts>,
        machine: &mut dyn Observe,
        compile: &dyn Fn(&Facts) -> Result<Desired, Failure>,
        answered: Option<Answered>,
        rollback: Option<u64>,
    ) -> Result<(ObservedHost, HostVerdict), MachineError> {
        let mut observed = self
            .observe(host, known, machine, compile, answered)
            .await?;
        let compare = |observed: &ObservedHost| self.compare(observed, rollback);
        let verdict = complete(&mut observed, machine, &compare).await?;
        if let Some(seen) = &self.seen {
            seen.keep(&host.name, &observed);
        }
        Ok((observed, verdict))
    }

    fn compare(
        &self,
        observed: &ObservedHost,
        rollback: Option<u64>,
    ) -> (HostVerdict, Option<References>) {
        let ledger = observed.live.ledger.as_ref();
        let missed = ledger.map_or_else(Vec::new, |ledger| self.roster.missed(ledger));
        // The ledger goes on to remember them.
        let mut hosts = self.roster.written().to_vec();
        hosts.extend(missed.iter().map(ToString::to_string));
        let (mut verdict, lacking) = compare(DiffInput {
            known: observed.known.as_ref(),
            murder: &self.loaded.murder.name,
            desired: &observed.desired,
            live: &observed.live,
            secrets: &self.session.secrets,
            hosts: &hosts,
            keep: self.loaded.murder.keep,
            rollback,
        });
        if rollback.is_none() {
            older(self.loaded, &observed.live, &mut verdict);
        }
        verdict.orphans = missed;
        (verdict, lacking)
    }
}

/// Checks that `--local` reaches one host.
///
/// # Errors
/// [`SessionError::Input`] where it is given for more.
pub(super) fn one_if_local(reach: &Reach, hosts: &[HostName]) -> Result<(), SessionError> {
    if !reach.local || hosts.len() < 2 {
        return Ok(());
    }
    let problem = Diagnostic::error(format!(
        "`--local` reaches one host, and the selection matches {} hosts",
        hosts.len()
    ))
    .hint("choose the host of this machine with `--host NAME`");
    Err(SessionError::Input(vec![problem]))
}

/// The desired state, unless a file of it names a secret that the manifest does not offer to its host: facts and
/// generations come from the host, and a text of theirs may pass for the name of any secret.
fn only_offered(
    desired: Desired,
    offered: &BTreeSet<SecretName>,
    host: &HostName,
) -> Result<Desired, Failure> {
    for (path, want) in desired.files() {
        let Want::Present(file) = want else { continue };
        if let Some(name) = file.body.secrets().find(|name| !offered.contains(name)) {
            return Err(Failure {
                summary: format!(
                    "`{path}` would hold the secret `{name}`, which the manifest does not offer to `{host}`; nothing \
                     was changed"
                ),
                detail: None,
                hint: Some(
                    "find out what on the host says so: its facts, or its history".to_owned(),
                ),
            });
        }
    }
    Ok(desired)
}

fn is_error(problem: &Diagnostic) -> bool {
    problem.level == Severity::Error
}

/// The secrets of the hosts' logins.
fn of_logins(loaded: &LoadedMurder, hosts: &[HostName]) -> BTreeSet<SecretName> {
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
