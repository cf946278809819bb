//! main.cf and master.cf that Postfix dies of, or that mean something else to it than they seem to.
//!
//! Lines are told by their text: comments do not come over from a host, so that nobody here knows
//! their numbers.

use crate::exchange::Failure;
use crate::postfix::{Entry, LineProblem, LineProblemKind};
use crate::state::{Desired, Live, Remark, Want};
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
