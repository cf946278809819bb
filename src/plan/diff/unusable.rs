//! main.cf and master.cf that Postfix dies of, or that mean something else to it than they seem to.
//!
//! Lines are told by their text: comments do not come over from a host, so that nobody here knows
//! their numbers.

use crate::exchange::Failure;
use crate::postfix::{Entry, LineProblem, LineProblemKind};
use crate::state::{Desired, Live, Remark, Running, Want};
use crate::thing::{Field, Thing};

use super::Draft;

/// Why Postfix cannot read its configuration; none where it can. Nothing is edited there: what
/// postconf(1) would make of it, and whether mail comes back, nobody could say.
#[must_use]
pub fn unreadable(live: &Live) -> Option<Failure> {
    dies_of(
        "main.cf",
        live.main_cf.problems(),
        "every program of Postfix",
    )
    .or_else(|| dies_of("master.cf", live.master_cf.problems(), "Postfix's master"))
}

fn dies_of(file: &str, problems: &[LineProblem], who: &str) -> Option<Failure> {
    let mut lines = problems
        .iter()
        .filter(|problem| problem.kind == LineProblemKind::Malformed)
        .map(|problem| problem.text.as_str());
    let first = lines.next()?;
    let more: Vec<&str> = lines.collect();
    Some(Failure {
        summary: format!("{file} has a line that {who} dies of: {first}"),
        detail: (!more.is_empty()).then(|| more.join("\n")),
        hint: Some(format!(
            "correct the line in /etc/postfix/{file} on the host, and run again"
        )),
    })
}

/// Programs without which no mail passes through any Postfix: each has its line, whatever the service is called.
const ESSENTIAL: [&str; 3] = ["cleanup", "qmgr", "trivial-rewrite"];

/// Whether a service runs a program, or will when the plan is done.
fn runs(live: &Live, desired: &Desired, program: &str) -> bool {
    // `oqmgr` and `nqmgr` are queue managers too.
    let is = |line: &str| {
        line.split_whitespace()
            .next()
            .is_some_and(|name| name.trim_start_matches(['o', 'n']) == program)
    };
    let wanted = |(thing, want): (&Thing, &Want<String>)| match (thing, want) {
        (Thing::Field(_, Field::Command), Want::Present(command)) => is(command),
        (Thing::Service(_), Want::Present(line)) => line.split_whitespace().nth(7).is_some_and(is),
        _ => false,
    };
    live.master_cf
        .services()
        .iter()
        .any(|entry| is(&entry.field(Field::Command)))
        || desired.values.iter().any(wanted)
}

fn gutted(program: &str, empty: bool) -> Failure {
    let summary = if empty {
        "master.cf has no service at all: Postfix would stop taking mail as soon as it reads it"
            .to_owned()
    } else {
        format!(
            "master.cf has no service that runs `{program}`: Postfix can pass on no mail without"
        )
    };
    Failure {
        summary,
        detail: None,
        hint: Some(
            "put the lines that Postfix comes with back into /etc/postfix/master.cf on the host (a copy is in \
             /usr/share/postfix/master.cf.dist or /etc/postfix/master.cf.proto), and run again"
                .to_owned(),
        ),
    }
}

impl Draft<'_> {
    /// Looks at what Postfix makes of its files.
    pub(super) fn readable(&mut self) -> Result<(), Failure> {
        let live = self.at.live;
        if let Some(failure) = unreadable(live) {
            return Err(failure);
        }
        let private = live.master_cf.services().iter().find(|entry| {
            entry.kind() == "inet"
                && entry.field(Field::Private) != "n"
                && !mends(self.at.desired, entry)
        });
        if let Some(entry) = private {
            let service = format!("{}/inet", entry.name());
            return Err(Failure {
                summary: format!(
                    "`{service}` in master.cf is private, and Postfix's master dies of an inet service that is"
                ),
                detail: None,
                hint: Some(format!(
                    "write `services: {{{service}: {{private: n}}}}` in the manifest, or run `postconf -F {service}/private=n` there"
                )),
            });
        }
        // A folder may hold as little as it likes: no mail passes through it.
        if live.running != Running::NotHere
            && let Some(program) = ESSENTIAL
                .into_iter()
                .find(|program| !runs(live, self.at.desired, program))
        {
            return Err(gutted(program, live.master_cf.services().is_empty()));
        }
        let files = [
            ("main.cf", live.main_cf.problems()),
            ("master.cf", live.master_cf.problems()),
        ];
        for (file, problems) in files {
            self.remarks
                .extend(problems.iter().map(|problem| remark(file, problem)));
        }
        Ok(())
    }
}

/// Whether the plan makes the entry one that Postfix's master survives.
fn mends(desired: &Desired, entry: &Entry) -> bool {
    let service = |thing: &Thing| match thing {
        Thing::Service(service) | Thing::Field(service, Field::Private) => {
            service.parts() == (entry.name().as_str(), "inet")
        }
        _ => false,
    };
    desired
        .values
        .iter()
        .filter(|(thing, _)| service(thing))
        .any(|(thing, want)| match want {
            Want::Absent => matches!(thing, Thing::Service(_)),
            Want::Present(value) => value == "n",
        })
}

fn remark(file: &str, problem: &LineProblem) -> Remark {
    let hint = match problem.kind {
        LineProblemKind::LeadingBlank => "take the blanks before it away, or the line",
        LineProblemKind::Duplicate => "take away the one that does not count",
        LineProblemKind::BadOption | LineProblemKind::Malformed => "correct it on the host",
    };
    Remark {
        text: format!("{file}: {}", problem.text),
        hint: Some(hint.to_owned()),
    }
}
