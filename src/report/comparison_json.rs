//! The difference of two manifests as JSON, and its JSON Schema.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::comparison::{Figures, action};
use super::json::FORMAT_VERSION;
use super::schema::written;
use crate::comparison::{
    CausePlace, Comparison, Handling, HostComparison, HostFate, ThingChange, WhatChanges,
};
use crate::name::{HostName, RoleName, TableType};
use crate::plan::mail_change::MailChange;
use crate::plan::{Change, FileState};
use crate::secret::mask;
use crate::service::{InstanceName, Service};
use crate::state::Probes;
use crate::thing::Thing;

/// The difference of two manifests (`murder diff --format json`).
#[derive(Serialize, JsonSchema)]
#[schemars(title = "murder diff")]
struct DiffDocument<'a> {
    /// `MAJOR.MINOR`: a new field raises the minor number, a removed or changed one the major number.
    format_version: &'a str,
    /// The newer manifest's `murder`.
    murder: &'a str,
    summary: DiffSummary,
    /// The hosts that differ, by name.
    hosts: BTreeMap<&'a str, HostView<'a>>,
    /// What differs in how `murder` handles hosts, and changes nothing on them.
    #[serde(skip_serializing_if = "Option::is_none")]
    handling: Option<HandlingView<'a>>,
    /// What it means for mail, with `--ldif`. Addresses are in it only with `--show-addresses`.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<&'a MailChange>,
}

/// How `murder` handles hosts.
#[derive(Serialize, JsonSchema)]
struct HandlingView<'a> {
    /// The hosts that are reached in another way.
    ssh: &'a BTreeSet<HostName>,
    /// The hosts whose maintenance differs.
    maintenance: &'a BTreeSet<HostName>,
    /// The roles whose rollout differs.
    rollout: &'a BTreeSet<RoleName>,
    /// Whether rules or freezes differ.
    policies: bool,
}

impl<'a> HandlingView<'a> {
    fn of(handling: &'a Handling) -> Self {
        Self {
            ssh: &handling.ssh,
            maintenance: &handling.maintenance,
            rollout: &handling.rollout,
            policies: handling.policies,
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct DiffSummary {
    /// Hosts that differ.
    hosts: usize,
    /// Hosts that are the same in both manifests.
    same: usize,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Serialize, JsonSchema)]
struct HostView<'a> {
    /// What becomes of the host: it `stays`, `comes`, `goes` (it is no longer in the manifest), or `retires`.
    fate: &'static str,
    /// The lines that let the host come, go or retire.
    causes: Vec<CauseView<'a>>,
    /// What changes on it, in the order of a plan.
    changes: Vec<ChangeView<'a>>,
}

#[derive(Serialize, JsonSchema)]
struct ChangeView<'a> {
    service: &'static str,
    /// The instance of Postfix, where it is not the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    /// A file's path, `main.cf:NAME`, a part of an entry of master.cf, or `probes`.
    thing: String,
    /// `create`, `update` or `delete`.
    action: &'static str,
    /// Whether the newer manifest does not manage the thing any more.
    unmanaged: bool,
    /// As the older manifest wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<ContentView>,
    /// As the newer manifest wants it.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<ContentView>,
    /// The lines that cause it, the likeliest first.
    causes: Vec<CauseView<'a>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
enum ContentView {
    /// A value.
    Value(String),
    /// A file; its text is masked.
    File {
        text: String,
        owner: String,
        group: String,
        /// Permission bits, octal: `0640`.
        mode: String,
        /// The type of its index.
        #[serde(skip_serializing_if = "Option::is_none")]
        index: Option<String>,
    },
    /// Addresses that are asked after an apply.
    Probes(Probes),
}

#[derive(Serialize, JsonSchema)]
struct CauseView<'a> {
    /// As in messages; that of a revision begins with the revision: `main:hosts.yaml`.
    file: &'a str,
    /// From 1.
    line: usize,
    /// Whether it is a line of the older manifest.
    is_old: bool,
}

/// The JSON Schema of the document (`murder schema diff`).
#[must_use]
pub fn diff_schema() -> serde_json::Value {
    written::<DiffDocument<'_>>()
}

/// The difference as a JSON document that ends with a line end.
///
/// # Errors
/// None that a comparison can cause; serde's, passed on.
pub fn of_comparison(
    comparison: &Comparison,
    mail: Option<&MailChange>,
) -> Result<String, serde_json::Error> {
    let hosts = comparison.hosts.iter();
    let document = DiffDocument {
        format_version: FORMAT_VERSION,
        murder: &comparison.murder,
        summary: DiffSummary {
            hosts: comparison.hosts.len(),
            same: comparison.same,
            figures: Figures::of(comparison),
        },
        hosts: hosts
            .map(|(name, host)| (HostName::as_str(name), HostView::of(host)))
            .collect(),
        handling: Some(&comparison.handling)
            .filter(|one| !one.is_empty())
            .map(HandlingView::of),
        mail,
    };
    serde_json::to_string_pretty(&document).map(|text| text + "\n")
}

impl<'a> HostView<'a> {
    fn of(host: &'a HostComparison) -> Self {
        Self {
            fate: match host.fate {
                HostFate::Stays => "stays",
                HostFate::Comes => "comes",
                HostFate::Goes => "goes",
                HostFate::Retires => "retires",
            },
            causes: host.causes.iter().map(CauseView::of).collect(),
            changes: host.changes.iter().map(ChangeView::of).collect(),
        }
    }
}

impl<'a> ChangeView<'a> {
    fn of(change: &'a ThingChange) -> Self {
        let (before, after, unmanaged) = match &change.what {
            WhatChanges::File {
                path,
                change,
                index,
                unmanaged,
                ..
            } => {
                let (before, after) = sides(change);
                let view = |file: Option<&FileState>, index: &Option<TableType>| {
                    file.map(|file| ContentView::of_file(path.as_str(), file, index.as_ref()))
                };
                let (before, after) = (view(before, &index.0), view(after, &index.1));
                (before, after, *unmanaged)
            }
            WhatChanges::Value {
                thing,
                change,
                unmanaged,
            } => {
                let (before, after) = sides(change);
                let view = |value: Option<&String>| value.map(|value| of_value(thing, value));
                (view(before), view(after), *unmanaged)
            }
            WhatChanges::Forbidden(_) => (None, None, false),
            WhatChanges::Allowed(_) => (None, None, true),
            WhatChanges::Probes { before, after } => {
                let view = |probes: &Probes| Some(ContentView::Probes(probes.clone()));
                (view(before), view(after), false)
            }
        };
        let Service::Postfix(_) = &change.service;
        Self {
            service: "postfix",
            instance: change.service.named_instance().map(InstanceName::as_str),
            thing: match &change.what {
                WhatChanges::Value { thing, .. } => thing.to_string(),
                _ => change.name(),
            },
            action: action(&change.what),
            unmanaged,
            before,
            after,
            causes: change.causes.iter().map(CauseView::of).collect(),
        }
    }
}

fn sides<T>(change: &Change<T>) -> (Option<&T>, Option<&T>) {
    match change {
        Change::Create { after } => (None, Some(after)),
        Change::Update { before, after } => (Some(before), Some(after)),
        Change::Delete { before } => (Some(before), None),
    }
}

fn of_value(thing: &Thing, value: &str) -> ContentView {
    let name = match thing {
        Thing::Parameter(name) | Thing::Option(_, name) => name.as_str(),
        Thing::File(_) | Thing::Service(_) | Thing::Field(..) => "",
    };
    ContentView::Value(mask::mask_value(name, value))
}

impl ContentView {
    fn of_file(path: &str, file: &FileState, index: Option<&TableType>) -> Self {
        let text = file.text.as_deref().unwrap_or_default();
        Self::File {
            text: mask::mask_file(path, text),
            owner: file.owner.clone(),
            group: file.group.clone(),
            mode: file.mode.to_string(),
            index: index.map(ToString::to_string),
        }
    }
}

impl<'a> CauseView<'a> {
    fn of(place: &'a CausePlace) -> Self {
        Self {
            file: &place.file,
            line: place.line,
            is_old: place.is_old,
        }
    }
}
