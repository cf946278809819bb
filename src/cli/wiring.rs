//! Where `plan`, `apply` and `drift` meet the machines: a manifest's hosts, looked at and changed.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::contact::Session;
use super::foreseen::{Precompiled, precompile};
use super::forget::Forgetting;
use super::reach::{Consent, Reach};
use super::terminal::Terminal;
use super::{Selection, provenance};
use crate::access::SshClient;
use crate::apply;
use crate::compile::Compiler;
use crate::diagnostic::{Diagnostic, Level, Sources};
use crate::fleet;
use crate::load;
use crate::machine::{Apply, MachineError, Observe};
use crate::model::{ContentSpec, FileSpec, Host, Murder};
use crate::module::Modules;
use crate::name::{HostName, RoleName};
use crate::outcome::Outcome;
use crate::plan::{Failure, HostPlan, HostVerdict, Verdict};
use crate::secret::{Body, SecretName};
use crate::state::{Desired, Facts};
use crate::tasks::{Task, block_on};

/// A manifest that was read without errors.
#[derive(Debug)]
pub struct Loaded {
    /// What it means.
    pub murder: Murder,
    /// Each module's `after`.
    pub after: BTreeMap<RoleName, Vec<RoleName>>,
    /// The texts that it was read from.
    pub sources: Sources,
    pub(super) modules: Modules,
    folder: PathBuf,
    revision: OnceLock<String>,
}

impl Loaded {
    /// Its git commit, see [`provenance::revision`]. Asked for when the first ledger or history needs it:
    /// git costs more than looking at a host, and a plan needs none.
    #[must_use]
    pub fn revision(&self) -> &str {
        self.revision
            .get_or_init(|| provenance::revision(&self.folder))
    }

    /// What the manifest wants of a host, by the facts that it states; none where it does not compile.
    #[must_use]
    pub fn desired(&self, host: &HostName) -> Option<Desired> {
        let facts = &self.murder.hosts.get(host)?.facts;
        let compiler = Compiler::new(&self.murder, &self.modules).ok()?;
        Some(compiler.compile(host, facts).ok()?.desired)
    }
}

/// Reads hosts. Called from many threads, for one host each.
pub trait Planner: Sync {
    /// Observes a host and compares; `say` tells what it is at.
    fn look<'a>(&'a self, host: &'a HostName, say: &'a dyn Fn(&str)) -> Task<'a, HostVerdict>;

    /// On how many threads so many looks go on at once.
    fn threads(&self, at_once: usize) -> usize;
}

/// Changes hosts.
pub trait Applier: Planner {
    /// Does what the plan says, looks again, and says how the host stands. Words of the host come scrubbed.
    fn change(&self, host: &HostName, plan: &HostPlan, say: &dyn Fn(&str)) -> Outcome;

    /// Has hosts on which there is nothing to do forget the failure that the plan has told of; which did.
    fn forget(&self) -> Vec<HostName>;
}

/// Reads and resolves the manifest; its problems and warnings go to standard error.
///
/// # Errors
/// Where there is an error among them; it has been said.
pub fn load(selection: &Selection, terminal: &Terminal) -> Result<Loaded, AlreadyReported> {
    let loaded = load::load(&selection.path, &selection.overlay);
    say_all(&loaded.diagnostics, &loaded.sources, terminal);
    let failed = loaded.failed();
    let Some(murder) = loaded.murder.filter(|_| !failed) else {
        return Err(AlreadyReported);
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
        modules: loaded.modules,
        folder: loaded.folder,
        revision: OnceLock::new(),
        sources: loaded.sources,
    })
}

/// Says problems and warnings of the manifest.
pub(super) fn say_all(diagnostics: &[Diagnostic], sources: &Sources, terminal: &Terminal) {
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
) -> Result<Box<dyn Planner + 'a>, AlreadyReported> {
    let work = Worker::new(loaded, hosts, reach, Consent::default(), false, terminal)?;
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
) -> Result<Box<dyn Applier + 'a>, AlreadyReported> {
    let work = Worker::new(loaded, hosts, reach, consent.clone(), true, terminal)?;
    Ok(Box::new(work))
}

/// An error that has been said already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyReported;

/// A connection kept from the look for the change is dropped after this long: firewalls and
/// sshd forget idle ones, and a person may think long before `yes`.
const KEPT_FOR: Duration = Duration::from_secs(45);
/// Connections kept at once: each is an open file here and a process there.
const KEPT_AT_ONCE: usize = 256;

/// Connections of the look, each with when it was made.
type Kept = BTreeMap<HostName, (Instant, Box<dyn Apply>)>;

/// Everything that one run over the manifest's own desired state needs for any of its hosts.
struct Worker<'a> {
    contact: Session<'a>,
    compiler: Compiler<'a>,
    foreseen: Mutex<BTreeMap<HostName, Precompiled>>,
    consent: Consent,
    kept: Option<Mutex<Kept>>,
    forgetting: Forgetting,
    /// Whether all hosts are reached in a way that holds up no thread.
    waits: bool,
}

impl<'a> Worker<'a> {
    fn new(
        loaded: &'a Loaded,
        hosts: &[HostName],
        reach: &'a Reach,
        consent: Consent,
        writes: bool,
        terminal: &Terminal,
    ) -> Result<Self, AlreadyReported> {
        let (compiler, foreseen) = precompile(loaded, hosts, reach, terminal)?;
        let needed = of_files(loaded, hosts);
        Ok(Self {
            contact: Session::new(loaded, hosts, reach, needed, terminal)?,
            compiler,
            foreseen: Mutex::new(foreseen),
            consent,
            kept: writes.then(Mutex::default),
            forgetting: Forgetting::default(),
            waits: waits(loaded, hosts, reach),
        })
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
                        .map(|problem| problem.render(&self.contact.loaded.sources, false))
                        .collect::<Vec<_>>()
                        .join("\n"),
                ),
                hint: None,
            })
    }

    /// Looks at a host, and compares.
    async fn survey(
        &self,
        host: &Host,
        machine: &mut dyn Observe,
    ) -> Result<HostVerdict, MachineError> {
        let foreseen = self
            .foreseen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&host.name);
        let (known, desired) = match foreseen {
            Some(foreseen) => (foreseen.known, Some(foreseen.desired)),
            None => (self.contact.known(host), None),
        };
        // The look begins with the facts that the host was compiled by.
        let desired = Cell::new(desired);
        let compile = |facts: &Facts| match desired.take() {
            Some(desired) => Ok(desired),
            None => self.compile(host, facts),
        };
        let surveyed = self.contact.survey(host, known, machine, &compile).await?;
        let writes = self.kept.is_some();
        let seen = self.contact.difference(&surveyed);
        if writes {
            // The ledger names the manifest as it was when the plan was made.
            let _ = self.contact.loaded.revision();
            let run = &self.contact.run;
            self.forgetting.note(&host.name, &surveyed.live, &seen, run);
        }
        Ok(seen)
    }

    async fn look_with(
        &self,
        name: &HostName,
    ) -> Result<(HostVerdict, Box<dyn Apply>), MachineError> {
        let host = self.contact.host(name)?;
        let mut machine = self.contact.machine(host).await?;
        let verdict = self.survey(host, &mut *machine).await?;
        Ok((verdict, machine))
    }

    /// The connection of the look, if it is still worth having.
    fn kept(&self, host: &HostName) -> Option<Box<dyn Apply>> {
        let mut kept = self
            .kept
            .as_ref()?
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (since, machine) = kept.remove(host)?;
        (since.elapsed() < KEPT_FOR).then_some(machine)
    }

    fn keep(&self, host: &HostName, machine: Box<dyn Apply>) {
        if let Some(kept) = &self.kept {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT_AT_ONCE {
                kept.insert(host.clone(), (Instant::now(), machine));
            }
        }
    }
}

impl Worker<'_> {
    async fn see(&self, name: &HostName, say: &dyn Fn(&str)) -> HostVerdict {
        say("looking");
        let (verdict, remarks, stopped) = match self.look_with(name).await {
            Ok((verdict, machine)) => {
                if matches!(verdict.verdict, Verdict::Changes(_)) {
                    self.keep(name, machine);
                }
                (verdict.verdict, verdict.remarks, verdict.stopped)
            }
            Err(MachineError::Unreachable(error) | MachineError::Detached(error)) => {
                (Verdict::Unreachable { error }, Vec::new(), false)
            }
            Err(MachineError::Unfit(error)) => (Verdict::Failed { error }, Vec::new(), false),
        };
        HostVerdict {
            verdict: self.contact.scrub_verdict(verdict),
            remarks,
            stopped,
        }
    }
}

impl Planner for Worker<'_> {
    fn look<'a>(&'a self, host: &'a HostName, say: &'a dyn Fn(&str)) -> Task<'a, HostVerdict> {
        Box::pin(self.see(host, say))
    }

    fn threads(&self, at_once: usize) -> usize {
        if self.waits {
            fleet::drivers(at_once)
        } else {
            at_once
        }
    }
}

impl Applier for Worker<'_> {
    fn change(&self, name: &HostName, plan: &HostPlan, say: &dyn Fn(&str)) -> Outcome {
        let machine = match self.kept(name) {
            Some(machine) => Ok(machine),
            None => {
                say("connecting");
                self.contact
                    .host(name)
                    .and_then(|host| block_on(self.contact.machine(host)))
            }
        };
        let mut machine = match machine {
            Ok(machine) => machine,
            Err(error) => return self.contact.scrub_outcome(apply::without_report(error)),
        };
        say("applying");
        let again = |machine: &mut dyn Observe| {
            say("looking again");
            let host = self.contact.host(name)?;
            block_on(self.survey(host, machine))
        };
        self.contact.scrub_outcome(apply::apply(
            &mut *machine,
            plan,
            &self.contact.secrets,
            &self.contact.run_of(self.contact.loaded.revision()),
            self.consent.allow_unverified,
            &again,
        ))
    }

    fn forget(&self) -> Vec<HostName> {
        self.forgetting.carry_out(&self.contact)
    }
}

/// Whether looks at these hosts only ever wait for the network: folders, this host and other programs do not.
fn waits(loaded: &Loaded, hosts: &[HostName], reach: &Reach) -> bool {
    let client = |name| Some(loaded.murder.hosts.get(name)?.ssh.client);
    reach.sandbox.is_none()
        && !reach.local
        && hosts
            .iter()
            .all(|name| client(name) == Some(SshClient::Ssh2))
}

/// The secrets that stand in the hosts' files: those of templates, and those that the manifest
/// places in a text itself.
fn of_files(loaded: &Loaded, hosts: &[HostName]) -> BTreeSet<SecretName> {
    let hosts = hosts
        .iter()
        .filter_map(|name| loaded.murder.hosts.get(name));
    let mut needed = BTreeSet::new();
    for host in hosts {
        needed.extend(host.ldap.as_ref().and_then(|ldap| ldap.bind_pw.clone()));
        for layer in host.files.values().filter_map(|layers| layers.first()) {
            if let FileSpec::Present {
                content: ContentSpec::Literal(text),
                ..
            } = &layer.value
            {
                needed.extend(Body::from_rendered(text).secrets().cloned());
            }
        }
    }
    needed
}
