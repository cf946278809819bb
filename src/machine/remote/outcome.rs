//! Reads the report of an apply, which may hold any bytes.

use memchr::memmem::find;

use super::apply::program;
use super::errors::{excerpt, wrong_answer};
use super::frame::{Broken, unframe};
use crate::exchange::{Failure, Found};
use crate::machine::{Ending, MachineError, NotDone, Performed};
use crate::secret::Secrets;
use crate::transport::{ProgramExit, ProgramResponse};

/// Reads the answer to a payload; no word of it shows one of the secrets.
pub(super) fn understand(
    response: &ProgramResponse,
    nonce: &str,
    secrets: &Secrets,
) -> Result<Performed, MachineError> {
    match unframe(&response.stdout, nonce) {
        Ok(frame) => report(&String::from_utf8_lossy(frame.head), secrets),
        Err(broken) => silence(broken, response, nonce, secrets),
    }
}

fn report(text: &str, secrets: &Secrets) -> Result<Performed, MachineError> {
    let fields = |prefix: &'static str| {
        text.lines()
            .filter_map(move |line| line.strip_prefix(prefix))
            .filter(|rest| !rest.is_empty())
    };
    // The program's own words, with names and answers among them that only the host knows.
    let mixed = |line: &str| secrets.scrub_beside(line, program());
    let one = |prefix| fields(prefix).next().map(mixed);
    let detail: Vec<&str> = fields("| ").collect();
    let summary = one("summary ").unwrap_or_default();
    let failure = Failure {
        summary: summary.clone(),
        detail: (!detail.is_empty()).then(|| secrets.scrub(&detail.join("\n"))),
        hint: one("hint "),
    };
    let ending = match one("ending ").as_deref() {
        Some("done") => Ending::Done,
        Some("stale") => NotDone::Stale { thing: summary }.into(),
        Some("untouched") => NotDone::Untouched { error: failure }.into(),
        Some("putback") => NotDone::PutBack { error: failure }.into(),
        Some("locked") => NotDone::Locked { error: failure }.into(),
        Some("halfway") => NotDone::HalfWay { error: failure }.into(),
        _ => return Err(wrong_answer("it does not say how the apply ended", &[])),
    };
    Ok(Performed {
        ending,
        log: fields("- ").map(mixed).collect(),
        found: Found {
            not_probed: fields("unprobed ").map(mixed).collect(),
            faults: fields("fault ").map(mixed).collect(),
        },
        seen: None,
    })
}

/// The ending where the host printed one of its last words in place of a report.
fn last_word(says: impl Fn(&str) -> bool, detail: Option<String>) -> Option<NotDone> {
    let failure = |summary: &str, hint: &str| Failure {
        summary: summary.to_owned(),
        detail,
        hint: Some(hint.to_owned()),
    };
    if says("DIED") {
        Some(NotDone::HalfWay {
            error: failure(
                "the apply was killed on the host before its end",
                "run `murder apply` again: it completes what is unfinished",
            ),
        })
    } else if says("UNTOUCHED") {
        Some(NotDone::Untouched {
            error: failure(
                "the apply was killed on the host before it had changed anything",
                "run again",
            ),
        })
    } else if says("REFUSED") {
        Some(NotDone::Untouched {
            error: failure(
                "the host cannot store the payload; nothing was changed",
                "make /var/lib/murder writable on the host, with room for the files that are written",
            ),
        })
    } else {
        None
    }
}

/// What is known of the host where no report came.
fn silence(
    broken: Broken,
    response: &ProgramResponse,
    nonce: &str,
    secrets: &Secrets,
) -> Result<Performed, MachineError> {
    let says = |word: &str| find(&response.stdout, format!("{nonce} {word}").as_bytes()).is_some();
    let detail = Some(excerpt(
        secrets
            .scrub(&String::from_utf8_lossy(&response.stderr))
            .as_bytes(),
    ))
    .filter(|text| !text.is_empty());
    if let Some(why) = last_word(says, detail.clone()) {
        return Ok(Performed::without_log(why));
    }
    let lost = match &response.exit {
        ProgramExit::Lost(why) | ProgramExit::Overrun(why) => why.clone(),
        ProgramExit::Signal(signal) => format!("its shell was killed by signal {signal}"),
        ProgramExit::Code(_) if says("ACCEPTED") => broken.why().to_owned(),
        ProgramExit::Code(code) => {
            return Err(wrong_answer(
                &format!("{} (its shell ended with code {code})", broken.why()),
                &response.stderr,
            ));
        }
    };
    if says("ACCEPTED") {
        return Err(MachineError::Detached(Failure {
            summary: format!(
                "the connection was lost after the host had received the whole plan: {lost}"
            ),
            detail,
            hint: Some(
                "run `murder plan` later: the host completes the apply on its own".to_owned(),
            ),
        }));
    }
    Err(MachineError::Unreachable(Failure {
        summary: format!("the connection was lost before the host confirmed the plan: {lost}"),
        detail,
        hint: Some(
            "run again; if the host had received the whole plan, it completes the apply on its own, and the next plan shows the result"
                .to_owned(),
        ),
    }))
}
