//! One run without a terminal: it reaches hosts, reads secrets, compiles ahead, observes, compares, and rolls out.
//!
//! It knows no command line and prints nothing. What it finds is returned: warnings and errors as values
//! ([`SessionError`]), progress as events of [`crate::fleet`]. What only a person can answer is asked by the
//! functions that the caller gives.

pub mod apply;
mod deferred;
pub mod diff_mail;
pub mod directory;
mod early_removal;
pub mod facts_cache;
mod file_secrets;
pub mod forget;
mod forgetting;
pub mod freeze;
pub mod histories;
pub mod hold;
mod in_force;
pub mod live_file;
pub mod live_tables;
pub mod mail_change;
pub mod mail_judgement;
pub mod mail_states;
mod maintenance;
pub mod murder;
pub mod notes;
pub mod observe;
pub mod older;
pub mod one_host;
pub mod options;
pub mod own_fault;
pub mod path_policy;
pub mod plan;
pub mod precompile;
pub mod provenance;
pub mod release;
pub mod remaining;
mod retired;
pub mod rollback;
pub mod rollout;
pub mod rollout_order;
pub mod routes;
pub mod saved;
pub mod saving;
pub mod signature;
pub mod so_far;
pub mod trust;
pub mod verify;
mod waiting;
pub mod watched_hosts;
pub mod worker;

use std::sync::Arc;
use std::time::SystemTime;

use crate::access::Access;
use crate::diagnostic::Diagnostic;
use crate::machine::remote::Remote;
use crate::machine::sandbox::{Indexer, Sandbox};
use crate::machine::{Apply, KnownFacts, MachineError};
use crate::name::HostName;
use crate::outcome::Outcome;
use crate::plan::{Failure, Run, Verdict};
use crate::secret::Secrets;
use crate::state::Facts;
use crate::transport::AskPassphrase;
use crate::transport::ssh::HandshakeLimits;
use crate::transport::ssh_config::Environment;
use crate::transport::{self, ConnectOptions, Passphrases, Penalties};
use facts_cache::{FactsCache, cache_folder, facts_cache};
use in_force::HoldsInForce;
use options::Reach;

/// No hold ends later.
const LAST_MOMENT: &str = "9999-12-31T23:59:59Z";

/// Why a run cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionError {
    /// The manifest, its secrets or the options are wrong, or what was asked for cannot be done. Warnings that were
    /// found before are among these.
    Input(Vec<Diagnostic>),
    /// A host gave no answer; its words are scrubbed of secrets.
    Host(HostName, MachineError),
}

impl SessionError {
    /// What was asked for cannot be done; in one line.
    #[must_use]
    pub fn refused(text: impl Into<String>) -> Self {
        Self::Input(vec![Diagnostic::error(text)])
    }
}

/// One run, ready to reach hosts, with or without a manifest.
pub struct Session {
    /// The secrets that have been read.
    pub secrets: Secrets,
    /// Who runs this, and when.
    pub run: Run,
    sandbox: Option<std::path::PathBuf>,
    /// Builds the indexes of sandboxes.
    indexer: Arc<Indexer>,
    cache: Option<FactsCache>,
    /// See [`Reach::without_holds`].
    without_holds: bool,
    connect: ConnectOptions,
}

impl Session {
    /// A run that begins now, by this user, with this process's environment. It has read no secret yet.
    /// `ask_passphrase` is asked for the passphrase of a key, once for each key.
    #[must_use]
    pub fn new(reach: &Reach, ask_passphrase: Box<AskPassphrase>) -> Self {
        Self {
            secrets: match reach.files_unread {
                true => Secrets::default().without_those_of_files(),
                false => Secrets::default(),
            },
            run: Run {
                reason: reach.reason.as_deref().and_then(provenance::reason),
                ..provenance::run(SystemTime::now())
            },
            sandbox: reach.sandbox.clone(),
            indexer: Arc::default(),
            cache: facts_cache(reach),
            without_holds: reach.without_holds,
            connect: ConnectOptions {
                accept_new: reach.accept_new,
                local: reach.local,
                limits: Arc::new(HandshakeLimits::default()),
                penalties: Arc::new(Penalties::kept_in(cache_folder("logins"))),
                passphrases: Arc::new(Passphrases::new(ask_passphrase)),
                environment: Environment::of_process(),
                files: Arc::default(),
            },
        }
    }

    /// Connects to a host and logs in. With `--sandbox` it opens the host's folder instead; `assumed` are the
    /// facts of such a folder, which has no Postfix to ask.
    ///
    /// # Errors
    /// [`MachineError`] where the host cannot be reached, or a secret of its login has not been read.
    pub async fn connect(
        &self,
        name: &HostName,
        access: &Access,
        assumed: &Facts,
    ) -> Result<Box<dyn Apply>, MachineError> {
        let in_force = |machine: Box<dyn Apply>| HoldsInForce {
            machine,
            now: match self.without_holds {
                true => LAST_MOMENT.to_owned(),
                false => self.run.at.clone(),
            },
        };
        if let Some(directory) = &self.sandbox {
            let sandbox = Sandbox::new(directory, name, assumed.clone(), self.indexer.clone());
            return Ok(Box::new(in_force(Box::new(sandbox))));
        }
        let shell = transport::connecting(name, access, &self.connect, &self.secrets)
            .await
            .map_err(|error| error.map(|failure| failure.scrubbed_whole(&self.secrets)))?;
        let remote = Remote::new(shell)
            .with_secrets(self.secrets.clone())
            .with_command_timeout(access.command_timeout);
        Ok(Box::new(in_force(Box::new(remote))))
    }

    /// The facts that a host had when it was last observed.
    #[must_use]
    pub fn known(&self, host: &HostName) -> Option<KnownFacts> {
        self.cache.as_ref()?.get(host)
    }

    /// Keeps a host's facts for the next run.
    pub fn keep_facts(&self, host: &HostName, known: &KnownFacts) {
        if let Some(cache) = &self.cache {
            cache.put(host, known);
        }
    }

    /// A failure without secrets in the host's own words.
    #[must_use]
    pub fn scrub(&self, failure: Failure) -> Failure {
        failure.scrubbed(&self.secrets)
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
    pub fn scrub_outcome(&self, mut outcome: Outcome) -> Outcome {
        if let Some(failure) = outcome.failure_mut() {
            *failure = self.scrub(failure.clone());
        }
        outcome
    }
}
