//! Whether a manifest is older than what its host has: a plan of an old checkout would undo what others applied since.

use crate::history::manifest_revision;
use crate::load::{Ancestry, LoadedMurder};
use crate::name::HostName;
use crate::plan::{HostVerdict, Plan, Refusal, RefusalKind, Verdict};
use crate::state::{Live, Remark};

/// What the remark about a manifest begins with of which git does not know whether it is older.
const UNKNOWN: &str = "it is unknown whether the manifest's revision descends from ";

/// The hosts of a plan of which it was unknown, when the plan was made, whether it is older than what they have.
#[must_use]
pub fn unknown(plan: &Plan) -> Vec<&HostName> {
    let hosts = plan.hosts.iter();
    let unknown = hosts.filter(|(_, verdict)| {
        let mut remarks = verdict.remarks.iter();
        remarks.any(|remark| remark.text.starts_with(UNKNOWN))
    });
    unknown.map(|(name, _)| name).collect()
}

/// Adds a refusal to a plan with changes whose manifest does not descend from the revision of the host's generation, and a
/// remark where that is not known.
pub(super) fn older(loaded: &LoadedMurder, live: &Live, verdict: &mut HostVerdict) {
    let Verdict::Changes(plan) = &mut verdict.verdict else {
        return;
    };
    let applied = live
        .ledger
        .as_ref()
        .and_then(|ledger| ledger.applied.as_ref());
    let Some(applied) = applied.filter(|_| !loaded.revision().is_empty()) else {
        return;
    };
    let revision = manifest_revision(&applied.revision);
    let commit = revision.strip_suffix("-dirty").unwrap_or(revision);
    if commit.is_empty() {
        return;
    }
    let short = commit.get(..12).unwrap_or(commit);
    match loaded.ancestry(commit) {
        Ancestry::Descends => {}
        Ancestry::Apart => plan.refusals.push(Refusal {
            kind: RefusalKind::Older,
            summary: format!(
                "the manifest's revision does not descend from {short}, which {} applied to the host at {}",
                applied.by, applied.at
            ),
        }),
        Ancestry::Unknown => verdict.remarks.push(Remark {
            text: format!(
                "{UNKNOWN}{short}, which the host has: git has not the whole history"
            ),
            hint: Some("fetch it with `git fetch --unshallow`".to_owned()),
        }),
    }
}
