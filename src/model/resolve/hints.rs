//! What to do about a name that the manifest does not have.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::model::role::Role;
use crate::name::RoleName;
use crate::nearest;

/// Proposes the candidate that is near to `word`, or else says what `otherwise` says.
pub(super) fn with_nearest<'n>(
    problem: Diagnostic,
    word: &str,
    candidates: impl IntoIterator<Item = &'n str>,
    otherwise: &str,
) -> Diagnostic {
    match nearest::hint(word, candidates) {
        Some(hint) => problem.hint(hint),
        None => problem.hint(otherwise),
    }
}

/// Which roles have a capability, for a hint.
pub(super) fn provider_hint(roles: &BTreeMap<RoleName, Role>, capability: &str) -> String {
    let names: Vec<String> = roles
        .iter()
        .filter(|(_, role)| role.provides.contains(capability))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if names.is_empty() {
        format!("no role provides `{capability}`")
    } else {
        format!("use a host with the role {}", names.join(" or "))
    }
}
