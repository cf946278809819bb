//! The public part of a plan: each field by name, and every text masked. Plans are masked when they
//! are made; what leaves the program is masked again, because logs and other programs keep it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::name::{HostName, Mode, Parameter, RemotePath, TableType};
use crate::plan::{
    Cause, Change, Condition, Failure, FileState, HeldThing, HostPlan, HostVerdict, IndexReason,
    OwnNames, Refusal, RefusalKind, ReloadReason, Step, Verdict, Withheld,
};
use crate::secret::mask;
use crate::service::{InstanceName, Service};
use crate::state::{Maintenance, Probes, Queue, Remark};
use crate::thing::Thing;

/// The plan of one host.
#[derive(Serialize, JsonSchema)]
pub(super) struct HostView<'a> {
    #[serde(flatten)]
    verdict: VerdictView<'a>,
    /// Its names and addresses besides its name, as its manifest has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_names: Option<&'a OwnNames>,
    /// Whether the manifest is ahead (`pending`) or the host was changed (`drifted`).
    condition: Condition,
    /// The things that stay as they are, each with `until`, `reason`, `by` and `at`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    held: Vec<HeldThing>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    orphans: &'a [HostName],
    remarks: Vec<Remark>,
    stopped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<Queue>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "verdict", rename_all = "snake_case")]
enum VerdictView<'a> {
    Converged,
    Changes(HostPlanView<'a>),
    Maintenance(Maintenance),
    Unreachable { error: Failure },
    Failed { error: Failure },
}

/// A service: its program, and its instance where that is not the default one.
#[derive(Serialize, JsonSchema)]
pub(in crate::report) struct ServiceView<'a> {
    service: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
}

impl<'a> ServiceView<'a> {
    pub(in crate::report) fn of(service: &'a Service) -> Self {
        let Service::Postfix(_) = service;
        Self {
            service: "postfix",
            instance: service.named_instance().map(InstanceName::as_str),
        }
    }
}

/// The steps of a host and their refusals.
#[derive(Serialize, JsonSchema)]
pub(super) struct HostPlanView<'a> {
    steps: Vec<StepView<'a>>,
    refusals: Vec<RefusalView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "step", rename_all = "snake_case")]
enum StepView<'a> {
    Sweep {
        run: &'a str,
    },
    File {
        #[serde(flatten)]
        service: ServiceView<'a>,
        path: &'a RemotePath,
        change: Change<FileView<'a>>,
        cause: Cause,
        /// Whether the two texts differ in values that are masked, and in nothing else.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        masked_differs: bool,
    },
    Index {
        #[serde(flatten)]
        service: ServiceView<'a>,
        source: &'a RemotePath,
        table_type: &'a TableType,
        /// Whether its source is an alias file (aliases(5)), so that postalias(1) builds it.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        aliases: bool,
        reason: IndexReason,
    },
    Value {
        #[serde(flatten)]
        service: ServiceView<'a>,
        thing: &'a Thing,
        change: Change<String>,
        cause: Cause,
    },
    Check {
        #[serde(flatten)]
        service: ServiceView<'a>,
    },
    Reload {
        #[serde(flatten)]
        service: ServiceView<'a>,
        reason: ReloadReason,
    },
    Restart {
        #[serde(flatten)]
        service: ServiceView<'a>,
        parameters: &'a [Parameter],
    },
    Probe {
        #[serde(flatten)]
        service: ServiceView<'a>,
        probes: &'a Probes,
    },
    Delete {
        #[serde(flatten)]
        service: ServiceView<'a>,
        path: &'a RemotePath,
        before: FileView<'a>,
        cause: Cause,
        index_suffix: Option<&'static str>,
    },
    TakeOver {
        #[serde(flatten)]
        service: ServiceView<'a>,
        thing: &'a Thing,
    },
    Release {
        #[serde(flatten)]
        service: ServiceView<'a>,
        thing: &'a Thing,
    },
}

#[derive(Serialize, JsonSchema)]
struct FileView<'a> {
    text: Option<String>,
    owner: &'a str,
    group: &'a str,
    mode: Mode,
    secret: bool,
    /// Why the text is null although the host has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<Withheld>,
    /// Where the path leads to, if it is a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RefusalView<'a> {
    kind: RefusalKind,
    summary: &'a str,
    flag: Option<&'static str>,
}

impl<'a> HostView<'a> {
    /// The public part of a host's verdict, and what else is the host's own.
    pub(super) fn of(host: &'a HostVerdict, own_names: Option<&'a OwnNames>) -> Self {
        let remark = |remark: &Remark| Remark {
            text: mask::mask_secrets(&remark.text),
            hint: remark.hint.clone(),
        };
        Self {
            verdict: match &host.verdict {
                Verdict::Converged => VerdictView::Converged,
                Verdict::Changes(plan) => VerdictView::Changes(HostPlanView::of(plan)),
                Verdict::Maintenance(one) => VerdictView::Maintenance(one.masked()),
                Verdict::Unreachable { error } => VerdictView::Unreachable {
                    error: masked(error),
                },
                Verdict::Failed { error } => VerdictView::Failed {
                    error: masked(error),
                },
            },
            own_names,
            condition: host.condition(),
            held: host.held.iter().map(shown).collect(),
            orphans: &host.orphans,
            remarks: host.remarks.iter().map(remark).collect(),
            stopped: host.stopped,
            queue: host.queue,
        }
    }
}

/// A held thing, with a reason that names no secret.
fn shown(held: &HeldThing) -> HeldThing {
    let mut held = held.clone();
    held.hold.reason = mask::mask_secrets(&held.hold.reason);
    held
}

impl<'a> HostPlanView<'a> {
    pub(super) fn of(plan: &'a HostPlan) -> Self {
        Self {
            steps: plan.steps.iter().map(StepView::of).collect(),
            refusals: plan.refusals.iter().map(RefusalView::of).collect(),
        }
    }
}

impl<'a> RefusalView<'a> {
    pub(super) fn of(refusal: &'a Refusal) -> Self {
        Self {
            kind: refusal.kind,
            summary: &refusal.summary,
            flag: refusal.kind.flag(),
        }
    }
}

impl<'a> StepView<'a> {
    fn of(step: &'a Step) -> Self {
        match step {
            Step::Sweep { run } => Self::Sweep { run },
            Step::File {
                service,
                path,
                change,
                cause,
                ..
            } => Self::File {
                service: ServiceView::of(service),
                path,
                change: change.map(|state| FileView::of(path, state)),
                cause: *cause,
                masked_differs: masked_differs(path, change),
            },
            Step::Index {
                service,
                source,
                table_type,
                aliases,
                reason,
            } => Self::Index {
                service: ServiceView::of(service),
                source,
                table_type,
                aliases: *aliases,
                reason: *reason,
            },
            Step::Value {
                service,
                thing,
                change,
                cause,
            } => Self::Value {
                service: ServiceView::of(service),
                thing,
                change: change.map(|value| mask::mask_value(name_of(thing), value)),
                cause: *cause,
            },
            Step::Check { service } => Self::Check {
                service: ServiceView::of(service),
            },
            Step::Reload { service, reason } => Self::Reload {
                service: ServiceView::of(service),
                reason: *reason,
            },
            Step::Restart {
                service,
                parameters,
            } => Self::Restart {
                service: ServiceView::of(service),
                parameters,
            },
            Step::Probe { service, probes } => Self::Probe {
                service: ServiceView::of(service),
                probes,
            },
            Step::Delete {
                service,
                path,
                before,
                cause,
                index_type,
            } => Self::Delete {
                service: ServiceView::of(service),
                path,
                before: FileView::of(path, before),
                cause: *cause,
                index_suffix: index_type.as_ref().and_then(TableType::index_suffix),
            },
            Step::TakeOver { service, thing } => Self::TakeOver {
                service: ServiceView::of(service),
                thing,
            },
            Step::Release { service, thing } => Self::Release {
                service: ServiceView::of(service),
                thing,
            },
        }
    }
}

impl<'a> FileView<'a> {
    fn of(path: &RemotePath, state: &'a FileState) -> Self {
        let text = state.text.as_deref();
        Self {
            text: text.map(|text| mask::mask_file(path.as_str(), text)),
            owner: &state.owner,
            group: &state.group,
            mode: state.mode,
            secret: state.secret,
            withheld: state.withheld,
            link: state.link.as_deref(),
        }
    }
}

/// Whether two texts of a file differ where both are masked.
fn masked_differs(path: &RemotePath, change: &Change<FileState>) -> bool {
    let Change::Update { before, after } = change else {
        return false;
    };
    let shown = |state: &FileState| {
        let text = state.text.as_deref();
        text.map(|text| mask::mask_file(path.as_str(), text))
    };
    before.sha256 != after.sha256 && shown(before).is_some() && shown(before) == shown(after)
}

/// The name that decides whether a value is masked.
fn name_of(thing: &Thing) -> &str {
    match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => name.as_str(),
        Thing::File(_) | Thing::Service(_) | Thing::Field(..) => "",
    }
}

pub(super) fn masked(failure: &Failure) -> Failure {
    let detail = failure.detail.as_deref();
    Failure {
        summary: mask::mask_secrets(&failure.summary),
        detail: detail.map(mask::mask_secrets),
        hint: failure.hint.clone(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::plan::tests as any_plan;

    proptest! {
        #[test]
        fn no_hash_is_public(plan in any_plan::plan()) {
            let text = crate::report::json::of_plan(&plan).unwrap();
            for host in plan.hosts.values() {
                let Verdict::Changes(plan) = &host.verdict else { continue };
                for (_, sha256) in plan.expects.configuration() {
                    prop_assert!(!text.contains(sha256));
                }
                for step in &plan.steps {
                    let states = match step {
                        Step::Delete { before, .. } => vec![before],
                        Step::File { change, .. } => match change {
                            Change::Create { after: state } | Change::Delete { before: state } => vec![state],
                            Change::Update { before, after } => vec![before, after],
                        },
                        _ => vec![],
                    };
                    for state in states {
                        prop_assert!(!text.contains(&state.sha256));
                    }
                }
            }
        }
    }
}
