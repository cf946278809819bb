//! A message in the form of each kind of target.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::notice::Notice;
use super::outbox::Message;

/// Notices that a text lists; the others are counted.
const LISTED: usize = 20;

/// The version of the JSON form.
const FORMAT_VERSION: &str = "1.0";

/// The first line: `murder example.org: 2 new, 1 clean again`.
pub(super) fn subject(message: &Message) -> String {
    let mut parts = Vec::new();
    for (number, words) in [
        (message.new.len(), "new"),
        (message.cleared.len(), "clean again"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    }
    format!("murder {}: {}", message.murder, parts.join(", "))
}

/// The message as text for people.
pub(super) fn text(message: &Message) -> String {
    let mut lines = vec![subject(message)];
    let mut list = |notices: &[Notice], mark: &str, again: bool| {
        for notice in notices.iter().take(LISTED) {
            let what = if again {
                format!("{} is as it must be again", notice.thing)
            } else {
                notice.text.clone()
            };
            lines.push(format!("{mark} {}: {what}", notice.host));
        }
        if let Some(more) = notices.len().checked_sub(LISTED).filter(|more| *more > 0) {
            lines.push(format!("{mark} and {more} more"));
        }
    };
    list(&message.new, "!", false);
    list(&message.cleared, "=", true);
    lines.push(message.summary.clone());
    lines.join("\n") + "\n"
}

/// What a target `json:URL` is told.
#[derive(Serialize, JsonSchema)]
struct Notification<'a> {
    /// The version of this form.
    format_version: &'static str,
    /// The same for a message and its repeats.
    key: &'a str,
    /// The murder.
    murder: &'a str,
    /// When it was made: RFC 3339, UTC.
    at: &'a str,
    /// The figures of the run, as a sentence.
    summary: &'a str,
    /// What is new.
    new: &'a [Notice],
    /// What is clean again.
    cleared: &'a [Notice],
}

/// The JSON Schema of what a target `json:URL` is told (`murder schema notification`).
#[must_use]
pub fn notification_schema() -> Value {
    schemars::schema_for!(Notification<'_>).to_value()
}

/// The message as JSON.
///
/// # Errors
/// None that a message can cause; serde's, passed on.
pub(super) fn json(message: &Message) -> Result<Value, serde_json::Error> {
    serde_json::to_value(Notification {
        format_version: FORMAT_VERSION,
        key: &message.key,
        murder: &message.murder,
        at: &message.at,
        summary: &message.summary,
        new: &message.new,
        cleared: &message.cleared,
    })
}

/// For Slack's incoming webhooks: the three signs that have a meaning there are escaped, and no other markup counts.
pub(super) fn slack(message: &Message) -> Value {
    json!({"text": html(&text(message)), "mrkdwn": false})
}

/// For the generic webhooks of Matrix' hookshot.
pub(super) fn matrix(message: &Message) -> Value {
    let text = text(message);
    json!({"text": text, "html": html(text.trim_end()).replace('\n', "<br>")})
}

/// For Alertmanager: an alert for each notice. One that is clean again ends now; the others stay until then.
pub(super) fn alerts(message: &Message) -> Value {
    let alert = |notice: &Notice, ends: Option<&str>| {
        let mut alert = json!({
            "labels": {
                "alertname": "MurderDrift",
                "murder": message.murder,
                "host": notice.host,
                "thing": notice.thing,
                "kind": notice.kind,
            },
            "annotations": {"summary": notice.text},
            // Alertmanager ends an alert that is not repeated unless it says when it ends.
            "endsAt": ends.unwrap_or("9999-12-31T23:59:59Z"),
        });
        if let (None, Some(fields)) = (ends, alert.as_object_mut()) {
            fields.insert("startsAt".to_owned(), message.at.as_str().into());
        }
        alert
    };
    let new = message.new.iter().map(|notice| alert(notice, None));
    let cleared = message
        .cleared
        .iter()
        .map(|notice| alert(notice, Some(&message.at)));
    Value::Array(new.chain(cleared).collect())
}

/// For sendmail(1): a message with its header.
pub(super) fn mail(message: &Message, to: &str) -> String {
    format!(
        "To: {to}\nSubject: {}\nMessage-ID: <{}@murder.invalid>\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\n\n{}",
        subject(message).replace(['\r', '\n'], " "),
        message.key,
        text(message)
    )
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
