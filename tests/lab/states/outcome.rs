//! What becomes of mail, in words that a log and a trace have in common.

use std::collections::BTreeSet;

use serde_json::Value;

/// What becomes of mail, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    Delivered,
    Discarded,
    Deferred,
    /// The first host refuses it.
    Refused,
    Bounced,
    Looped,
}

/// An end of a mail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    pub host: String,
    pub recipient: String,
    pub action: Action,
    pub code: String,
}

/// What becomes of a mail that is sent to one address at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What the first host answers, as `550 5.1.1`; none if sendmail(1) takes it.
    pub reply: Option<String>,
    pub ends: BTreeSet<End>,
}

impl Outcome {
    /// The worst of it.
    pub fn worst(&self) -> Action {
        if self
            .reply
            .as_ref()
            .is_some_and(|reply| !reply.starts_with("25"))
        {
            return Action::Refused;
        }
        let worst = self.ends.iter().map(|end| end.action).max();
        worst.unwrap_or(Action::Discarded)
    }

    /// Whether the first host refuses it for good.
    pub fn is_refused_for_good(&self) -> bool {
        self.reply
            .as_ref()
            .is_some_and(|reply| reply.starts_with('5'))
    }

    /// The outcome that a trace in JSON says. It must be modelled.
    #[track_caller]
    pub fn of_trace(trace: &Value) -> Self {
        let unknown = trace["not_modelled"].as_array().unwrap();
        assert!(unknown.is_empty(), "not modelled: {trace:#}");
        let reply = &trace["reply"];
        let reply = reply["code"].as_u64().map(|code| {
            let enhanced = reply["enhanced"].as_str().unwrap_or_default();
            format!("{code} {enhanced}")
        });
        let is_refused = reply.as_ref().is_some_and(|reply| !reply.starts_with("25"));
        let ends = trace["ends"].as_array().unwrap().iter();
        let ends = ends.filter(|_| !is_refused);
        Self {
            reply,
            ends: ends.map(end).collect(),
        }
    }
}

/// An end in a trace.
#[track_caller]
fn end(end: &Value) -> End {
    let word = |key: &str| end[key].as_str().unwrap_or_default().to_owned();
    let action = match word("action").as_str() {
        "delivered" => Action::Delivered,
        "discarded" => Action::Discarded,
        "deferred" => Action::Deferred,
        "bounced" => Action::Bounced,
        "loop" => Action::Looped,
        other => panic!("{other}: {end:#}"),
    };
    let reason = word("reason");
    let code = reason.split(' ').next().unwrap_or_default();
    End::new(&word("host"), &word("recipient"), action, code)
}

impl End {
    /// An end: a loop counts alike wherever it is stopped, and what is delivered has no code. What no host could expand may stay in
    /// maildrop, where it has no code either.
    pub fn new(host: &str, recipient: &str, action: Action, code: &str) -> Self {
        let (host, code) = match action {
            Action::Looped => ("", ""),
            Action::Delivered | Action::Discarded => (host, ""),
            Action::Deferred if code == "4.3.0" => (host, ""),
            _ => (host, code),
        };
        let host = host.strip_suffix(".example.org").unwrap_or(host);
        Self {
            host: host.to_owned(),
            recipient: recipient.to_lowercase(),
            action,
            code: code.to_owned(),
        }
    }
}
