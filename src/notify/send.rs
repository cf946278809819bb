//! Sends messages: over HTTP, or by the local sendmail(1).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::body;
use super::notice::without_addresses;
use super::outbox::Message;
use super::target::{NotifyTarget, TargetKind};
use crate::http::{HttpClient, HttpLimits};
use crate::program::{self, Bounds, Ended};

/// How long one request or one call may take.
const TIME: Duration = Duration::from_secs(15);

/// Bytes of an answer that are read, and of a report that healthchecks.io keeps.
const BYTES: usize = 100_000;

/// Sends to the targets of a run, by their names.
#[derive(Debug)]
pub struct Sender {
    targets: BTreeMap<String, NotifyTarget>,
    client: HttpClient,
}

impl Sender {
    /// A sender for these targets. A target's name is its kind, with a number from the second one of a kind on.
    ///
    /// # Errors
    /// If no HTTP client can be made.
    pub fn new(targets: &[NotifyTarget]) -> Result<Self, String> {
        let limits = HttpLimits {
            time: TIME,
            bytes: BYTES as u64,
        };
        let client = HttpClient::new(None, limits).map_err(|error| error.to_string())?;
        let mut named = BTreeMap::new();
        for target in targets {
            let word = target.kind.word();
            let numbers = (2..).map(|number: u32| format!("{word}-{number}"));
            let mut names = std::iter::once(word.to_owned()).chain(numbers);
            if let Some(name) = names.find(|name| !named.contains_key(name)) {
                named.insert(name, target.clone());
            }
        }
        Ok(Self {
            targets: named,
            client,
        })
    }

    /// The names of the targets that get messages.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let gets = |(_, target): &(&String, &NotifyTarget)| target.kind != TargetKind::Healthchecks;
        self.targets
            .iter()
            .filter(gets)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// Whether a target is a mail.
    #[must_use]
    pub fn mails(&self) -> bool {
        self.targets
            .values()
            .any(|target| target.kind == TargetKind::Mail)
    }

    /// Sends a message to a target.
    ///
    /// # Errors
    /// Why it was not taken; in words without the address.
    pub fn send(&self, name: &str, message: &Message) -> Result<(), String> {
        let Some(target) = self.targets.get(name) else {
            return Err("this run has no such target".to_owned());
        };
        let address = target.address()?;
        match target.kind {
            TargetKind::Json => {
                let body = body::json(message).map_err(|error| error.to_string())?;
                self.post(&address, &body, message)
            }
            TargetKind::Slack => self.post(&address, &body::slack(message), message),
            TargetKind::Matrix => self.post(&address, &body::matrix(message), message),
            TargetKind::Alertmanager => {
                let url = format!("{}/api/v2/alerts", address.trim_end_matches('/'));
                self.post(&url, &body::alerts(message), message)
            }
            TargetKind::Mail => mail(&address, message),
            TargetKind::Healthchecks => Ok(()),
        }
    }

    /// Says to healthchecks that the run begins, or that it ended with a code, and what it says. Gives what went wrong.
    #[must_use]
    pub fn ping(&self, end: Option<(u8, &str)>) -> Vec<String> {
        let mut failed = Vec::new();
        let checks = self.targets.iter();
        for (name, target) in checks.filter(|(_, one)| one.kind == TargetKind::Healthchecks) {
            let pinged = target.address().and_then(|address| {
                let base = address.trim_end_matches('/');
                let (url, text) = match end {
                    None => (format!("{base}/start"), ""),
                    Some((code, text)) => (format!("{base}/{code}"), text),
                };
                let text = shortened(&without_addresses(text));
                self.request(&url, &[], text.as_bytes())
            });
            if let Err(why) = pinged {
                failed.push(format!("the ping to {name} failed: {why}"));
            }
        }
        failed
    }

    fn post(&self, url: &str, body: &Value, message: &Message) -> Result<(), String> {
        let headers = [
            ("Content-Type", "application/json"),
            ("Idempotency-Key", message.key.as_str()),
        ];
        self.request(url, &headers, body.to_string().as_bytes())
    }

    fn request(&self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<(), String> {
        let answer = self
            .client
            .post(url, headers, body)
            .map_err(|error| error.to_string().replace(url, "its address"))?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(format!("the server answers with status {status}")),
        }
    }
}

/// The first bytes of a report, whole characters.
fn shortened(text: &str) -> String {
    let mut end = text.len().min(BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

fn mail(address: &str, message: &Message) -> Result<(), String> {
    let usual = Path::new("/usr/sbin/sendmail");
    let program = if usual.exists() {
        usual
    } else {
        Path::new("sendmail")
    };
    let mut command = Command::new(program);
    command.args(["-i", "--", address]);
    let bounds = Bounds {
        time: TIME,
        bytes: BYTES as u64,
    };
    match program::run(
        &mut command,
        body::mail(message, address).as_bytes(),
        bounds,
    ) {
        Ended::Done { status, .. } if status.success() => Ok(()),
        Ended::Done { messages, .. } => {
            let said = without_addresses(messages.lines().next().unwrap_or_default());
            Err(format!("sendmail failed: {said}"))
        }
        Ended::NotStarted(error) => Err(format!("sendmail cannot be started: {error}")),
        Ended::TimedOut => Err(format!("sendmail did not end within {TIME:?}")),
        Ended::TooMuch => Err("sendmail prints without end".to_owned()),
    }
}
