//! From the hosts that were seen to a manifest whose next plan is empty.
//!
//! The manifest begins with roles and what the whole murder has in common. It is compiled for each host, and where the
//! result differs from what the host has, a word of the host says so. That is repeated until nothing differs.

use std::collections::{BTreeMap, BTreeSet};

use super::compiled::{DraftMurder, Shipped};
use super::differences::{Difference, NotManaged};
use super::draft::{Draft, HostDraft};
use super::evidence::{self, Recognized};
use super::infer;
use super::own_files::OwnFiles;
use super::seen::SeenHost;
use super::targets::Login;
use super::word::WordKey;
use super::word_things::{contradict, left_alone, thing_of};
use super::wrong_words::{self, Wrong};
use super::yaml::Yaml;
use crate::diagnostic::Diagnostic;
use crate::every_core::on_every_core;
use crate::name::{HostName, RoleName};
use crate::state::DesiredService;

/// Rounds of compiling and comparing. Each settles what the one before has brought about.
const ROUNDS: usize = 8;
/// How many words that a manifest cannot hold are taken out one after the other.
const MOST_WRONG: usize = 200;

/// A manifest in the making, with all that belongs to it.
pub struct Assembly<'a> {
    /// The hosts.
    pub hosts: &'a [SeenHost],
    /// The shipped modules.
    pub shipped: &'a Shipped,
    /// The manifest.
    pub draft: Draft,
    /// The files beside it.
    pub files: OwnFiles,
    /// Why each host has its role.
    pub recognized: BTreeMap<HostName, Recognized>,
    /// What is not managed on a host.
    pub not_managed: BTreeMap<HostName, BTreeSet<NotManaged>>,
    /// What else there is to say of a host.
    pub notes: BTreeMap<HostName, Vec<String>>,
}

impl<'a> Assembly<'a> {
    /// Begins a manifest: roles, and what the murder has in common. `given` are the roles that the user gives, and
    /// `wide` is how hosts are reached that say nothing else.
    #[must_use]
    pub fn new(
        hosts: &'a [SeenHost],
        shipped: &'a Shipped,
        given: &BTreeMap<HostName, Vec<RoleName>>,
        wide: &Login,
    ) -> Self {
        let mut assembly = Self {
            hosts,
            shipped,
            draft: Draft::default(),
            files: OwnFiles::default(),
            recognized: BTreeMap::new(),
            not_managed: BTreeMap::new(),
            notes: BTreeMap::new(),
        };
        assembly.draft.domains = infer::domains(hosts);
        assembly.draft.murder = assembly.name();
        assembly.roles(given, wide);
        assembly.draft.ssh = wide.keys(&Login::PLAIN);
        infer::fill(&mut assembly.draft, hosts);
        assembly.smart_host();
        assembly.passwords();
        assembly
    }

    /// The owner's name in the ledgers; otherwise the first mail domain.
    fn name(&self) -> String {
        let ledgers = self
            .hosts
            .iter()
            .filter_map(|host| host.live.ledger.as_ref());
        let name = super::connection::most_common(ledgers.map(|ledger| ledger.murder.clone()));
        let domain = self.draft.domains.first().map(|domain| domain.name.clone());
        name.or(domain).unwrap_or_default()
    }

    fn roles(&mut self, given: &BTreeMap<HostName, Vec<RoleName>>, wide: &Login) {
        let domains: Vec<String> = self
            .draft
            .domains
            .iter()
            .map(|domain| domain.name.clone())
            .collect();
        let mut masters = BTreeSet::new();
        for host in self.hosts {
            let mut draft = HostDraft {
                ssh: host.login.keys(wide),
                ..HostDraft::default()
            };
            if let Some(roles) = given.get(&host.name) {
                draft.roles.clone_from(roles);
                if let Some(role) = roles.first() {
                    let recognized = Recognized {
                        role: role.clone(),
                        reasons: vec!["given by `--role`".to_owned()],
                    };
                    self.recognized.insert(host.name.clone(), recognized);
                }
            } else if let Some(found) = evidence::recognize(host, &self.shipped.modules, &domains) {
                let found = self.at_most_one(found, &mut masters);
                draft.roles.push(found.role.clone());
                self.recognized.insert(host.name.clone(), found);
            }
            self.draft.hosts.insert(host.name.clone(), draft);
        }
    }

    /// A second host of a role that a murder has once gets another role with the same signs.
    fn at_most_one(&self, found: Recognized, masters: &mut BTreeSet<RoleName>) -> Recognized {
        let module = |role: &RoleName| self.shipped.modules.0.get(role);
        let once = module(&found.role).is_some_and(|module| module.at_most_one);
        if !once || masters.insert(found.role.clone()) {
            return found;
        }
        let own = module(&found.role).map(|module| &module.recognized_by);
        let other = self.shipped.modules.0.values().find(|module| {
            !module.at_most_one
                && own
                    .is_some_and(|own| own.iter().any(|signs| module.recognized_by.contains(signs)))
        });
        match other {
            Some(module) => Recognized {
                role: module.role.clone(),
                ..found
            },
            None => found,
        }
    }

    /// The hosts whose role has a capability.
    fn with(&self, capability: &str) -> Vec<HostName> {
        let provides = |role: &RoleName| {
            let module = self.shipped.modules.0.get(role);
            module.is_some_and(|module| module.provides.contains(capability))
        };
        let hosts = self.draft.hosts.iter();
        hosts
            .filter(|(_, host)| host.roles.iter().any(provides))
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn smart_host(&mut self) {
        let routers = self.with("smart-host");
        let edges = self.with("edge");
        let senders: BTreeSet<HostName> = self
            .draft
            .hosts
            .keys()
            .filter(|name| !routers.contains(name) && !edges.contains(name))
            .cloned()
            .collect();
        infer::smart_host(&mut self.draft, self.hosts, &senders, &routers);
    }

    fn passwords(&mut self) {
        if let Some(password) = self
            .draft
            .ldap
            .as_ref()
            .and_then(|ldap| ldap.bind_pw.clone())
        {
            self.draft.password = Some(self.files.secret(&password, "ldap"));
        }
        for (name, site) in &mut self.draft.sites {
            let ldap = site.ldap.as_ref();
            if let Some(password) = ldap.and_then(|ldap| ldap.bind_pw.as_ref()) {
                site.password = Some(self.files.secret(password, &format!("ldap-{name}")));
            }
        }
    }

    /// The LDAP password of a host.
    pub(super) fn password(&self, host: &HostName) -> Option<String> {
        let site = self.draft.hosts.get(host)?.site.as_ref();
        let site = site.and_then(|site| self.draft.sites.get(site));
        let of_site = site.and_then(|site| site.ldap.as_ref());
        let ldap = of_site.or(self.draft.ldap.as_ref())?;
        ldap.bind_pw.clone()
    }

    /// Adds the words of each host, until every host must have what it has.
    pub fn settle(&mut self) {
        for _ in 0..ROUNDS {
            if !self.round() {
                return;
            }
        }
    }

    /// One round. True if something was added.
    fn round(&mut self) -> bool {
        let Some(murder) = self.compiling() else {
            return false;
        };
        let results = self.compile(&murder);
        // The places of problems are in the texts before this round.
        let texts = self.draft.texts(0);
        let mut changed = false;
        for (host, result) in self.hosts.iter().zip(results) {
            match result {
                Err(problems) => {
                    let places = wrong_words::places(&[&texts.0, &texts.1], &problems);
                    changed |= self.refused(&host.name, &problems, &places);
                }
                Ok(desired) => changed |= self.add(host, &desired, &murder),
            }
        }
        changed
    }

    /// What each host must have by the manifest so far, in the order of the hosts.
    fn compile(&self, murder: &DraftMurder) -> Vec<Result<DesiredService, Vec<Diagnostic>>> {
        let compiler = match self.shipped.compiler(&murder.murder) {
            Ok(compiler) => compiler,
            Err(problems) => return self.hosts.iter().map(|_| Err(problems.clone())).collect(),
        };
        on_every_core(self.hosts, |host| {
            let compiled = compiler.compile(&host.name, &host.live.facts)?;
            Ok(compiled.desired.postfix().clone())
        })
    }

    /// Adds the words that a host needs. True if there were some.
    fn add(&mut self, host: &SeenHost, desired: &DesiredService, murder: &DraftMurder) -> bool {
        let password = self.password(&host.name);
        let difference = Difference::new(host, desired, &murder.secrets, password.as_deref());
        let Some(mut difference) = difference else {
            return false;
        };
        let Some(draft) = self.draft.hosts.get_mut(&host.name) else {
            return false;
        };
        difference.compare(&draft.words, &mut self.files);
        difference.own(&draft.words, &mut self.files);
        let not_managed = self.not_managed.entry(host.name.clone()).or_default();
        not_managed.extend(difference.not_managed);
        let refused: BTreeSet<String> = not_managed.iter().map(|one| one.thing.clone()).collect();
        let mut changed = false;
        for (mut key, mut word) in difference.words {
            // What a manifest could not hold is left alone.
            if refused.contains(&thing_of(&key)) && !matches!(key, WordKey::Leave(_)) {
                let Some(left) = left_alone(&key, desired) else {
                    continue;
                };
                (key, word.value) = (left, Yaml::Null);
            }
            if draft.words.get(&key) == Some(&word) {
                continue;
            }
            contradict(&mut draft.words, &key);
            draft.words.insert(key, word);
            changed = true;
        }
        changed
    }

    /// A host for which the manifest does not compile: the word that is wrong goes, or else its role.
    fn refused(&mut self, host: &HostName, problems: &[Diagnostic], places: &[Wrong]) -> bool {
        let mut changed = false;
        for wrong in places {
            changed |= self.drop_word(wrong);
        }
        if changed {
            return true;
        }
        let Some(draft) = self.draft.hosts.get_mut(host) else {
            return false;
        };
        let why = problems
            .first()
            .map_or("", |problem| problem.summary.as_str());
        let nothing = self.shipped.modules.0.values().find(|module| {
            module.settings.is_empty() && module.files.is_empty() && module.services.is_empty()
        });
        let Some(module) = nothing.filter(|module| draft.roles != [module.role.clone()]) else {
            return false;
        };
        let before: Vec<&str> = draft.roles.iter().map(RoleName::as_str).collect();
        let note = format!("cannot have the role {}: {why}", before.join(", "));
        self.notes.entry(host.clone()).or_default().push(note);
        draft.roles = vec![module.role.clone()];
        draft.words.clear();
        true
    }

    /// The manifest so far as a murder, without the words that a manifest cannot hold.
    pub(super) fn compiling(&mut self) -> Option<DraftMurder> {
        for _ in 0..MOST_WRONG {
            let texts = self.draft.texts(0);
            let texts = [texts.0.as_str(), texts.1.as_str()];
            let result = self
                .shipped
                .murder(&texts, &self.files.templates, &self.files.secrets);
            let problems = match result {
                Ok(murder) => return Some(murder),
                Err(problems) => problems,
            };
            let places = wrong_words::places(&texts, &problems);
            let dropped: Vec<bool> = places.iter().map(|wrong| self.drop_word(wrong)).collect();
            if !dropped.contains(&true) {
                let said: Vec<String> = problems
                    .into_iter()
                    .map(|problem| problem.summary)
                    .collect();
                self.notes
                    .entry(self.hosts.first()?.name.clone())
                    .or_default()
                    .push(format!("no manifest could be made: {}", said.join("; ")));
                return None;
            }
        }
        None
    }

    /// Takes a word out of the manifest. True if it was there.
    fn drop_word(&mut self, wrong: &Wrong) -> bool {
        let Some(host) = &wrong.host else {
            return wrong_words::drop_key(&mut self.draft, &wrong.key);
        };
        let mut changed = false;
        let names: Vec<HostName> = crate::manifest::range::expand(host).unwrap_or_default();
        for name in names {
            let Some(draft) = self.draft.hosts.get_mut(&name) else {
                continue;
            };
            let Some(key) = wrong_words::word(&draft.words, wrong) else {
                changed |= wrong_words::drop_host_key(draft, &wrong.key);
                continue;
            };
            draft.words.remove(&key);
            let not_managed = NotManaged {
                thing: thing_of(&key),
                why: format!("a manifest cannot hold it: {}", wrong.why),
            };
            self.not_managed
                .entry(name)
                .or_default()
                .insert(not_managed);
            changed = true;
        }
        changed
    }
}
