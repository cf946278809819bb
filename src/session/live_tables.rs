//! Asks the hosts on the way of mail what their tables have, one exchange for each instance of Postfix.

use std::collections::{BTreeMap, BTreeSet};

use super::SessionError;
use super::histories::not_run;
use super::murder::MurderSession;
use super::options::Reach;
use super::routes::CompiledMurder;
use crate::diagnostic::Diagnostic;
use crate::exchange::{MachineError, PostmapAnswer, TableQuestion};
use crate::fleet::{self, Stop, Width};
use crate::load::LoadedMurder;
use crate::mail::LookupAgreement;
use crate::mail::table::TableLookup;
use crate::name::HostName;
use crate::transport::AskPassphrase;

/// The lookups of one trace, by the host's name in the model.
pub type HostLookups = BTreeMap<String, Vec<TableLookup>>;

/// The answers of a host to its lookups; or why there are none.
type HostAnswers = Result<BTreeMap<(String, String), PostmapAnswer>, String>;

/// What the hosts answered.
#[derive(Debug, Default)]
pub struct LiveTables(BTreeMap<String, HostAnswers>);

/// Records the lookups of all traces from now on.
pub fn record(murder: &CompiledMurder) {
    for host in &murder.mail.hosts {
        host.lookups.start();
    }
}

/// The lookups since the last time.
#[must_use]
pub fn recorded(murder: &CompiledMurder) -> HostLookups {
    let hosts = murder.mail.hosts.iter();
    let lookups = hosts.map(|host| (host.name.clone(), host.lookups.take()));
    lookups.filter(|(_, lookups)| !lookups.is_empty()).collect()
}

impl LiveTables {
    /// Asks each host for all its lookups. Gives the answers with warnings about the secrets of logins.
    ///
    /// # Errors
    /// If a secret of a login cannot be read. No host was contacted.
    pub fn ask(
        loaded: &LoadedMurder,
        murder: &CompiledMurder,
        reach: &Reach,
        lookups: &[HostLookups],
        ask_passphrase: Box<AskPassphrase>,
    ) -> Result<(Self, Vec<Diagnostic>), SessionError> {
        let mut wanted: BTreeMap<&str, BTreeSet<(String, String)>> = BTreeMap::new();
        for (host, lookups) in lookups.iter().flatten() {
            let keys = lookups
                .iter()
                .map(|one| (one.table.clone(), one.key.clone()));
            wanted.entry(host).or_default().extend(keys);
        }
        let places = wanted.keys().filter_map(|label| murder.places.get(*label));
        let hosts: BTreeSet<HostName> = places.map(|(host, _)| host.clone()).collect();
        let hosts: Vec<HostName> = hosts.into_iter().collect();
        let mut session =
            MurderSession::new(loaded, &hosts, reach, BTreeSet::new(), ask_passphrase)?;
        let warnings = std::mem::take(&mut session.warnings);
        let mut questions: BTreeMap<&HostName, Vec<(String, TableQuestion)>> = BTreeMap::new();
        for (label, keys) in wanted {
            if let Some((host, service)) = murder.places.get(label) {
                let question = TableQuestion {
                    service: service.clone(),
                    lookups: keys.into_iter().collect(),
                };
                let of_host = questions.entry(host).or_default();
                of_host.push((label.to_owned(), question));
            }
        }
        let width = Width {
            parallel: reach.parallel,
            threads: reach.parallel.min(hosts.len()),
        };
        // Nothing requests a stop: a host is only read.
        let answers = fleet::run_tasks(
            &hosts,
            width,
            &Stop::new(),
            |host, _| Box::pin(of_host(&session, host, questions.get(host))),
            None,
        );
        let answers = answers.into_iter().flat_map(|(host, answers)| {
            answers.unwrap_or_else(|why| {
                let labels = questions.get(&host).into_iter().flatten();
                let failed = |(label, _): &(String, TableQuestion)| {
                    (label.clone(), Err(not_run(why.clone()).summary))
                };
                labels.map(failed).collect()
            })
        });
        Ok((Self(answers.collect()), warnings))
    }

    /// Whether the hosts agree with the lookups of one trace, host by host.
    #[must_use]
    pub fn agreements(&self, lookups: &HostLookups) -> Vec<LookupAgreement> {
        let all = lookups
            .iter()
            .map(|(host, lookups)| match self.0.get(host) {
                Some(Ok(answers)) => {
                    let own = lookups.iter().map_while(|one| {
                        let key = (one.table.clone(), one.key.clone());
                        answers.get(&key).cloned()
                    });
                    LookupAgreement::of(host, lookups, &own.collect::<Vec<_>>())
                }
                Some(Err(why)) => LookupAgreement::failed(host, why.clone()),
                None => LookupAgreement::failed(host, "it was not asked".to_owned()),
            });
        all.collect()
    }
}

/// What a host answers for each of its instances of Postfix, one exchange for each.
async fn of_host(
    session: &MurderSession<'_>,
    host: &HostName,
    questions: Option<&Vec<(String, TableQuestion)>>,
) -> Vec<(String, HostAnswers)> {
    let mut all = Vec::new();
    for (label, question) in questions.into_iter().flatten() {
        let answers = answers(session, host, question).await;
        let answers = answers.map_err(|error| words(session, error));
        all.push((label.clone(), answers));
    }
    all
}

async fn answers(
    session: &MurderSession<'_>,
    host: &HostName,
    question: &TableQuestion,
) -> Result<BTreeMap<(String, String), PostmapAnswer>, MachineError> {
    let host = session.host(host)?;
    let mut machine = session.connect(host).await?;
    let answers = machine.looking_up(question).await?;
    Ok(question.lookups.iter().cloned().zip(answers).collect())
}

fn words(session: &MurderSession<'_>, error: MachineError) -> String {
    session.session.scrub(error.into_failure()).summary
}
