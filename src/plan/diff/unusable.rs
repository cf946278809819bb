//! Lines of main.cf and master.cf that stop Postfix, or that it reads in another way than they look.
//!
//! Lines are named by their text: the host does not send comments, so their numbers are unknown.

use crate::exchange::Failure;
use crate::postfix::{LineProblem, LineProblemKind, MasterEntry};
use crate::service::Service;
use crate::state::{DesiredService, Live, LiveService, PostfixLive, Remark, Running, Want};
use crate::thing::{Field, Thing};

use super::draft::Draft;

/// Why Postfix cannot read its configuration. None if it can. Nothing is edited there: what postconf(1)
/// makes of such a file, and whether mail flows again, cannot be known.
#[must_use]
pub fn unreadable(live: &Live) -> Option<Failure> {
    let mut services = live.services.iter();
    services
        .find_map(|(service, LiveService::Postfix(postfix))| unreadable_postfix(service, postfix))
}

fn unreadable_postfix(service: &Service, live: &PostfixLive) -> Option<Failure> {
    malformed(
        service,
        "main.cf",
        live.main_cf.problems(),
        "every program of Postfix",
    )
    .or_else(|| malformed(service, "master.cf", live.master_cf.problems(), "master(8)"))
}

fn malformed(
    service: &Service,
    file: &str,
    problems: &[LineProblem],
    who: &str,
) -> Option<Failure> {
    let mut lines = problems
        .iter()
        .filter(|problem| problem.kind == LineProblemKind::Malformed)
        .map(|problem| problem.text.as_str());
    let first = lines.next()?;
    let more: Vec<&str> = lines.collect();
    Some(Failure {
        summary: format!("{who} fails on a line of {file}: {first}"),
        detail: (!more.is_empty()).then(|| more.join("\n")),
        hint: Some(format!(
            "correct the line in {}/{file} on the host, and run again",
            service.folder()
        )),
    })
}

/// Programs without which no Postfix delivers mail. Each needs an entry, under whatever service name.
const ESSENTIAL: [&str; 3] = ["cleanup", "qmgr", "trivial-rewrite"];

/// Whether an entry runs a program, on the host or in what is wanted.
fn runs(live: &PostfixLive, desired: &DesiredService, program: &str) -> bool {
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

fn essential_missing(service: &Service, program: &str, empty: bool) -> Failure {
    let summary = if empty {
        "master.cf has no service at all: Postfix stops accepting mail at its next reload"
            .to_owned()
    } else {
        format!(
            "master.cf has no service that runs `{program}`: Postfix cannot deliver mail without it"
        )
    };
    Failure {
        summary,
        detail: None,
        hint: Some(format!(
            "restore the lines of the package in {}/master.cf on the host (a copy is in \
             /usr/share/postfix/master.cf.dist or /etc/postfix/master.cf.proto), and run again",
            service.folder()
        )),
    }
}

impl Draft<'_> {
    /// Checks that Postfix can read its files and run with them.
    pub(super) fn readable(&mut self) -> Result<(), Failure> {
        let live = self.live;
        if let Some(failure) = unreadable_postfix(&self.service, live) {
            return Err(failure);
        }
        let private = live.master_cf.services().iter().find(|entry| {
            entry.kind() == "inet"
                && entry.field(Field::Private) != "n"
                && !mends(self.desired, entry)
        });
        if let Some(entry) = private {
            let service = format!("{}/inet", entry.name());
            return Err(Failure {
                summary: format!(
                    "`{service}` in master.cf is private: master(8) exits on a private inet service"
                ),
                detail: None,
                hint: Some(format!(
                    "set `services: {{{service}: {{private: n}}}}` in the manifest, or run `postconf -F {service}/private=n` on the host"
                )),
            });
        }
        // No mail passes through a sandbox.
        if live.running != Running::NotHere
            && let Some(program) = ESSENTIAL
                .into_iter()
                .find(|program| !runs(live, self.desired, program))
        {
            return Err(essential_missing(
                &self.service,
                program,
                live.master_cf.services().is_empty(),
            ));
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

/// Whether the plan deletes the private entry or makes it public.
fn mends(desired: &DesiredService, entry: &MasterEntry) -> bool {
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
        LineProblemKind::LeadingBlank => "delete the blanks before it, or the whole line",
        LineProblemKind::Duplicate => "delete the line that Postfix does not use",
        LineProblemKind::BadOption | LineProblemKind::Malformed => "correct it on the host",
    };
    Remark {
        text: format!("{file}: {}", problem.text),
        hint: Some(hint.to_owned()),
    }
}
