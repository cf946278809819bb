//! Who changed a host: the best explanation that one look at its logs gives for each thing that drifted.
//!
//! The change time of a file (ctime of stat(2)) says when it was last changed. A package manager that was at work then, a
//! tool that logged the change or signed the file, and a session of a person are evidence, in this order. What fits nothing is
//! unknown: no guess is made.

mod notes;
mod package;
mod session;
#[cfg(test)]
mod tests;
mod time;
mod tool;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use notes::HostNotes;
pub use time::rfc3339;

use crate::exchange::{Evidence, EvidenceQuestion, FileTrace};
use crate::name::RemotePath;
use crate::plan::{Cause, HostPlan, IndexReason, RefusalKind, Step};
use crate::service::Service;
use crate::thing::Thing;

/// Who changed one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attribution {
    /// The thing, or the index, with its service where that is not the default instance.
    pub thing: String,
    /// When its file was last changed, RFC 3339 in UTC. None if that is not known.
    pub at: Option<String>,
    /// By whom.
    #[serde(flatten)]
    pub by: ChangedBy,
}

/// What was at work when a file was last changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ChangedBy {
    /// A package manager.
    Package {
        /// The package.
        package: String,
        /// What was done to it: `upgrade`, `configure`.
        action: String,
    },
    /// Another tool that manages configurations.
    Tool {
        /// Its name.
        tool: String,
        /// How it is known.
        evidence: String,
    },
    /// A login or a call of sudo(8) or su(1).
    Session {
        /// The users.
        users: Vec<String>,
        /// The program that sudo(8) ran.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<String>,
        /// `sudo`, `su` or `login`.
        session: String,
    },
    /// Nothing explains it.
    Unknown,
}

impl Attribution {
    /// `main.cf:relayhost was changed on the host at …, in a sudo session of alice (postconf)`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let at = self
            .at
            .as_deref()
            .map_or(String::new(), |at| format!(" at {at}"));
        let by = match &self.by {
            ChangedBy::Package { package, action } => {
                format!("by the package manager ({action} of {package})")
            }
            ChangedBy::Tool { tool, evidence } => format!("by {tool} ({evidence} says so)"),
            ChangedBy::Session {
                users,
                program,
                session,
            } => {
                let program = program
                    .as_ref()
                    .map_or(String::new(), |program| format!(" ({program})"));
                format!("in a {session} session of {}{program}", users.join(" or "))
            }
            ChangedBy::Unknown => "by whom is unknown".to_owned(),
        };
        format!("{}: changed on the host{at}, {by}", self.thing)
    }
}

/// A thing that drifted: what it is called, its file, and the name of its line there.
struct Drifted {
    thing: String,
    path: RemotePath,
    line: Option<String>,
}

/// The question to a host with drift. Empty if nothing drifted.
#[must_use]
pub fn question(plan: &HostPlan) -> EvidenceQuestion {
    let mut question = EvidenceQuestion::default();
    for one in drifted(plan) {
        let names: &mut BTreeSet<String> = question.files.entry(one.path).or_default();
        names.extend(one.line);
    }
    question
}

/// Who changed each thing that drifted, in the order of the plan's steps.
#[must_use]
pub fn attribute(plan: &HostPlan, evidence: &Evidence) -> Vec<Attribution> {
    let things = drifted(plan).into_iter();
    let absent = FileTrace::default();
    things
        .map(|one| {
            let trace = evidence.traces.get(&one.path).unwrap_or(&absent);
            Attribution {
                at: trace.changed.map(rfc3339),
                by: judge(&one, trace, evidence),
                thing: one.thing,
            }
        })
        .collect()
}

fn judge(one: &Drifted, trace: &FileTrace, evidence: &Evidence) -> ChangedBy {
    let of_tool = |found: tool::OtherTool| ChangedBy::Tool {
        tool: found.name,
        evidence: found.how,
    };
    let Some(time) = trace.changed else {
        return ChangedBy::Unknown;
    };
    if let Some(run) = package::at(time, evidence) {
        return ChangedBy::Package {
            package: run.name,
            action: run.action,
        };
    }
    if let Some(found) = tool::by_log(time, &one.path, evidence) {
        return of_tool(found);
    }
    let sessions = session::at(time, evidence);
    if let Some(found) = sessions
        .iter()
        .find_map(|one| tool::by_command(&one.command))
    {
        return of_tool(found);
    }
    if let Some(found) = tool::by_marker(trace, one.line.as_deref()) {
        return of_tool(found);
    }
    let users: BTreeSet<&str> = sessions.iter().map(|one| one.user.as_str()).collect();
    let Some(first) = sessions.first() else {
        return ChangedBy::Unknown;
    };
    ChangedBy::Session {
        users: users.into_iter().map(str::to_owned).collect(),
        program: first.program.clone().filter(|_| sessions.len() == 1),
        session: match first.way {
            session::Way::Sudo => "sudo".to_owned(),
            session::Way::Su => "su".to_owned(),
            session::Way::Login => "login".to_owned(),
        },
    }
}

/// The things that drifted, each once.
fn drifted(plan: &HostPlan) -> Vec<Drifted> {
    let overwrites = |thing: &Thing| {
        let quoted = format!("`{thing}`");
        let mut refusals = plan.refusals.iter();
        refusals.any(|one| one.kind == RefusalKind::Overwrite && one.summary.contains(&quoted))
    };
    let counts = |cause: Cause, thing: &Thing| cause == Cause::Drift || overwrites(thing);
    let mut found = Vec::new();
    for step in &plan.steps {
        match step {
            Step::File {
                service,
                path,
                cause,
                ..
            }
            | Step::Delete {
                service,
                path,
                cause,
                ..
            } => {
                let thing = Thing::File(path.clone());
                if counts(*cause, &thing) {
                    found.push(of_thing(service, &thing));
                }
            }
            Step::Value {
                service,
                thing,
                cause,
                ..
            } if counts(*cause, thing) => found.push(of_thing(service, thing)),
            Step::Index {
                source,
                table_type,
                reason,
                ..
            } if plan.is_drifted() => {
                found.extend(of_index(source, table_type.index_suffix(), *reason))
            }
            _ => {}
        }
    }
    found.into_iter().flatten().collect()
}

fn of_thing(service: &Service, thing: &Thing) -> Option<Drifted> {
    let in_folder = |name: &str| RemotePath::new(format!("{}/{name}", service.folder())).ok();
    let (path, line) = match thing {
        Thing::File(path) => (path.clone(), None),
        Thing::Parameter(name) => (in_folder("main.cf")?, Some(name.to_string())),
        Thing::Service(entry) | Thing::Field(entry, _) | Thing::Option(entry, _) => {
            (in_folder("master.cf")?, Some(entry.parts().0.to_owned()))
        }
    };
    Some(Drifted {
        thing: service.shown(thing),
        path,
        line,
    })
}

/// An index that is missing or older than its source: the file that was changed.
fn of_index(
    source: &RemotePath,
    suffix: Option<&str>,
    reason: IndexReason,
) -> Option<Option<Drifted>> {
    let path = match reason {
        IndexReason::SourceChanges => return None,
        IndexReason::Stale => source.clone(),
        IndexReason::Missing | IndexReason::OtherEntries => {
            RemotePath::new(format!("{source}{}", suffix?)).ok()?
        }
    };
    Some(Some(Drifted {
        thing: format!("the index of {source}"),
        path,
        line: None,
    }))
}
