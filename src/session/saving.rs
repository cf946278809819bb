//! Makes a plan that can be saved: with how its hosts are reached, the order of their waves, and where secrets come from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::SessionError;
use crate::access::Access;
use crate::diagnostic::Diagnostic;
use crate::load::LoadedMurder;
use crate::model::Roster;
use crate::name::{HostName, RemotePath};
use crate::plan::Plan;
use crate::plan::saved::{
    Compared, PlanBody, PlanHeader, SavedAccess, SavedHost, SavedPlan, Texts,
};
use crate::secret::mask::mask_file;
use crate::secret::{MASK, SecretName, SecretSource};
use crate::state::{Remark, Want};

/// The remark about a host without a key, if one of its files holds a secret.
pub const NOT_PINNED: &str = "secret not pinned";

/// A plan of a loaded manifest, to save it; `compared` has the hosts with changes. Paths below `base` become relative.
/// The digest is made when it is written.
///
/// # Errors
/// [`SessionError::Input`] where a secret stands in the manifest itself: the plan would hold it.
pub fn saved_plan(
    loaded: &LoadedMurder,
    plan: &Plan,
    compared: &BTreeMap<HostName, Compared>,
    consents: BTreeMap<String, Vec<String>>,
    base: &Path,
) -> Result<SavedPlan, SessionError> {
    let mut problems = literal_texts(compared);
    let mut texts = Texts::default();
    let mut hosts = BTreeMap::new();
    let mut named = BTreeSet::new();
    for (name, verdict) in &plan.hosts {
        let Some(host) = loaded.murder.hosts.get(name) else {
            continue;
        };
        let compared = compared.get(name);
        let access = SavedAccess::from(&below(base, &host.ssh));
        let mut saved = SavedHost::of(verdict, compared, host.roles.clone(), access, &mut texts);
        named.extend(saved.access.secrets().cloned());
        if let Some(changes) = saved.changes() {
            named.extend(changes.desired.secrets().cloned());
        }
        saved.remarks.extend(compared.and_then(not_pinned));
        hosts.insert(name.clone(), saved);
    }
    let mut secrets = BTreeMap::new();
    for name in named {
        match source(loaded, &name, base) {
            Ok(source) => _ = secrets.insert(name, source),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(SessionError::Input(problems));
    }
    let rollout = loaded.murder.rollout.iter();
    let body = PlanBody {
        murder: plan.murder.clone(),
        roster: Roster::of(&loaded.murder).written().to_vec(),
        after: loaded.after.clone(),
        rollout: rollout
            .map(|(role, rollout)| (role.clone(), rollout.into()))
            .collect(),
        secrets,
        hosts,
        own_names: plan.own_names.clone(),
    };
    Ok(SavedPlan {
        header: header(loaded, consents),
        body,
        texts,
        digest: String::new(),
    })
}

fn header(loaded: &LoadedMurder, consents: BTreeMap<String, Vec<String>>) -> PlanHeader {
    let revision = loaded.revision();
    let commit = revision.strip_suffix("-dirty").unwrap_or(revision);
    PlanHeader {
        made_by: format!("murder {}", env!("CARGO_PKG_VERSION")),
        revision: (!commit.is_empty()).then(|| commit.to_owned()),
        dirty: revision.ends_with("-dirty"),
        consents,
        mail: None,
    }
}

/// How a host is reached, with paths below `base` made relative: the plan may be applied elsewhere.
fn below(base: &Path, access: &Access) -> Access {
    let relative = |path: &PathBuf| relative(base, path);
    Access {
        identity_file: access.identity_file.as_ref().map(relative),
        known_hosts: access.known_hosts.as_ref().map(relative),
        ..access.clone()
    }
}

/// A path from `base` on, if it is below it. `~/` stays: it is the home directory of whoever applies the plan.
fn relative(base: &Path, path: &Path) -> PathBuf {
    if path.starts_with("~") {
        return path.to_owned();
    }
    // A relative path rests on the current folder.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let below = path.strip_prefix(base).map(Path::to_owned);
    below.unwrap_or(path)
}

/// Where a secret comes from.
fn source(
    loaded: &LoadedMurder,
    name: &SecretName,
    base: &Path,
) -> Result<SecretSource, Diagnostic> {
    match loaded.murder.secrets.get(name) {
        Some((SecretSource::Literal(_), at)) => Err(Diagnostic::error(format!(
            "the secret `{name}` stands in the manifest itself, and a saved plan may be published"
        ))
        .at(*at, "a literal secret")
        .hint("write it into a file and say `{file: PATH}`, or say `{env: NAME}`")),
        Some((source, _)) => Ok(source.with_paths(&|path| relative(base, path))),
        None => Err(Diagnostic::error(format!(
            "the manifest does not say where the secret `{name}` comes from"
        ))),
    }
}

/// The literal secrets in texts of files, which the manifest does not mark as secrets: each file once.
fn literal_texts(compared: &BTreeMap<HostName, Compared>) -> Vec<Diagnostic> {
    let mut found: BTreeMap<(&RemotePath, String), Vec<&HostName>> = BTreeMap::new();
    for (host, compared) in compared {
        for (path, want) in compared.desired.files() {
            let Want::Present(file) = want else { continue };
            let text = file.body.masked();
            let masked = mask_file(path.as_str(), &text);
            if let Some(line) = first_difference(&text, &masked) {
                found.entry((path, line)).or_default().push(host);
            }
        }
    }
    let problem = |((path, line), hosts): ((&RemotePath, String), Vec<&HostName>)| {
        let first = hosts.first().map_or(String::new(), ToString::to_string);
        let more = match hosts.len() {
            0 | 1 => String::new(),
            more => format!(" and {} more hosts", more - 1),
        };
        Diagnostic::error(format!(
            "`{path}` of {first}{more} seems to hold a literal secret (`{line}`), and a saved plan may be published"
        ))
        .hint("take the value from a secret: `{file: PATH}` or `{env: NAME}`")
    };
    found.into_iter().map(problem).collect()
}

/// The first line that its mask changes, masked.
fn first_difference(text: &str, masked: &str) -> Option<String> {
    let mut lines = text.lines().zip(masked.lines());
    let (_, masked) = lines.find(|(plain, masked)| plain != masked && masked.contains(MASK))?;
    Some(masked.trim().to_owned())
}

/// The remark of a host with secrets and without a key.
fn not_pinned(compared: &Compared) -> Option<Remark> {
    let mut files = compared.desired.files();
    let holds = files.any(|(_, want)| match want {
        Want::Present(file) => file.body.secrets().next().is_some(),
        Want::Absent => false,
    });
    (holds && !compared.pins.is_keyed()).then(|| Remark {
        text: format!(
            "{NOT_PINNED}: the host has no key before its first apply, so the saved plan does not know the secrets again"
        ),
        hint: None,
    })
}
