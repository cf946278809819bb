//! Whether the hosts that run have what the model has: their tables, and the routes by their own configuration.

use std::collections::BTreeSet;

use super::table::{LookupError, TableLookup};
use super::trace::{EndAction, MailTrace};
use crate::exchange::PostmapAnswer;

/// What became of the lookups of one trace on one host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LookupAgreement {
    /// The host.
    pub host: String,
    /// How many lookups have the same answer.
    pub agreed: usize,
    /// The lookups that have another one, and those that are not modelled.
    pub differing: Vec<LookupDifference>,
    /// Why the host gave no answers.
    pub failure: Option<String>,
}

/// One lookup, as the model and as the host answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupDifference {
    /// The table.
    pub table: String,
    /// The key.
    pub key: String,
    /// What the model has, in words.
    pub model: String,
    /// What the host has, in words.
    pub live: String,
    /// Whether the model has an answer: without one, it is no disagreement.
    pub is_modelled: bool,
}

impl LookupAgreement {
    /// Compares the lookups of a host with its answers to them, in the same order.
    #[must_use]
    pub fn of(host: &str, lookups: &[TableLookup], answers: &[PostmapAnswer]) -> Self {
        let mut all = Self {
            host: host.to_owned(),
            ..Self::default()
        };
        for (lookup, answer) in lookups.iter().zip(answers) {
            if agrees(lookup, answer) {
                all.agreed += 1;
                continue;
            }
            all.differing.push(LookupDifference {
                table: lookup.table.clone(),
                key: lookup.key.clone(),
                model: model_words(lookup),
                live: live_words(answer),
                is_modelled: !matches!(lookup.answer, Err(LookupError::NotModelled(_))),
            });
        }
        if answers.len() < lookups.len() {
            let missing = lookups.len() - answers.len();
            all.failure = Some(format!("{missing} lookups have no answer"));
        }
        all
    }

    /// A host that gave no answers.
    #[must_use]
    pub fn failed(host: &str, why: String) -> Self {
        Self {
            host: host.to_owned(),
            failure: Some(why),
            ..Self::default()
        }
    }

    /// Whether the host was asked, and disagrees in nothing.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let mut differing = self.differing.iter();
        self.failure.is_none() && !differing.any(|one| one.is_modelled)
    }
}

/// What the hosts on the way have for one trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveTrace {
    /// What they answer to its lookups.
    pub agreements: Vec<LookupAgreement>,
    /// The route by their own configuration, if it is another one.
    pub route: Option<MailTrace>,
    /// Whether it is known that mail ends in another way: a route that is not modelled has at most another answer to RCPT.
    pub differs: bool,
}

impl LiveTrace {
    /// Compares a trace with the route by what the hosts have.
    #[must_use]
    pub fn new(trace: &MailTrace, live: MailTrace, agreements: Vec<LookupAgreement>) -> Self {
        let (own, other) = (outcome(trace), outcome(&live));
        let is_modelled = live.verdict() != EndAction::NotModelled;
        let differs = own.0 != other.0 || own.1 != other.1 && is_modelled;
        let is_other = own != other;
        Self {
            agreements,
            route: is_other.then_some(live),
            differs,
        }
    }

    /// Whether all hosts were asked, and disagree in nothing.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let mut agreements = self.agreements.iter();
        agreements.all(LookupAgreement::is_whole) && !self.differs
    }
}

/// What a route comes to: the answer to RCPT, and each end.
fn outcome(trace: &MailTrace) -> (Option<(u16, &str)>, BTreeSet<[&str; 4]>) {
    let reply = trace.reply.as_ref();
    let ends = trace.ends.iter();
    let ends = ends.map(|end| [&*end.host, &*end.recipient, end.action.word(), &*end.via]);
    let reply = reply.map(|reply| (reply.code, reply.enhanced.as_str()));
    (reply, ends.collect())
}

fn agrees(lookup: &TableLookup, answer: &PostmapAnswer) -> bool {
    match (&lookup.answer, answer) {
        // The accounts of a host have other values than those that each system has.
        (Ok(Some(_)), PostmapAnswer::Found(_)) if lookup.table.contains("unix:") => true,
        (Ok(Some(model)), PostmapAnswer::Found(live)) => values(model) == values(live),
        (Ok(None), PostmapAnswer::Absent) => true,
        (Err(LookupError::Temporary(_)), PostmapAnswer::Failed(_)) => true,
        _ => false,
    }
}

/// The values of an answer; an LDAP server gives several in any order.
fn values(answer: &str) -> Vec<&str> {
    let mut values: Vec<&str> = answer.split(',').map(str::trim).collect();
    values.sort_unstable();
    values
}

fn model_words(lookup: &TableLookup) -> String {
    match &lookup.answer {
        Ok(Some(value)) => format!("`{value}`"),
        Ok(None) => "nothing".to_owned(),
        Err(LookupError::Temporary(why)) => format!("no answer: {why}"),
        Err(LookupError::NotModelled(why)) => format!("not modelled: {why}"),
    }
}

fn live_words(answer: &PostmapAnswer) -> String {
    match answer {
        PostmapAnswer::Found(value) => format!("`{value}`"),
        PostmapAnswer::Absent => "nothing".to_owned(),
        PostmapAnswer::Failed(why) => format!("no answer: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_agree_where_postfix_does_the_same() {
        let lookup = |table: &str, answer: Result<Option<&str>, LookupError>| TableLookup {
            table: table.to_owned(),
            key: "k".to_owned(),
            answer: answer.map(|value| value.map(str::to_owned)),
        };
        let found = |text: &str| PostmapAnswer::Found(text.to_owned());
        let failed = || PostmapAnswer::Failed("x".to_owned());
        let temporary = || Err(LookupError::Temporary("y".to_owned()));
        for (lookup, answer, expected) in [
            (lookup("hash:/t", Ok(Some("a,b"))), found("b, a"), true),
            (lookup("hash:/t", Ok(Some("a"))), found("b"), false),
            (
                lookup("hash:/t", Ok(Some("a"))),
                PostmapAnswer::Absent,
                false,
            ),
            (lookup("hash:/t", Ok(None)), PostmapAnswer::Absent, true),
            (lookup("hash:/t", Ok(None)), found("a"), false),
            (lookup("hash:/t", temporary()), failed(), true),
            (lookup("hash:/t", temporary()), PostmapAnswer::Absent, false),
            (
                lookup("proxy:unix:passwd.byname", Ok(Some("root"))),
                found("root:x:0"),
                true,
            ),
        ] {
            let whole = LookupAgreement::of(
                "h",
                std::slice::from_ref(&lookup),
                std::slice::from_ref(&answer),
            );
            assert_eq!(whole.is_whole(), expected, "{lookup:?} {answer:?}");
        }
        let unknown = lookup("hash:/t", Err(LookupError::NotModelled("z".to_owned())));
        let one = LookupAgreement::of("h", &[unknown], &[found("a")]);
        assert!(one.is_whole() && one.differing.len() == 1);
        assert!(!LookupAgreement::of("h", &[lookup("t", Ok(None))], &[]).is_whole());
    }
}
