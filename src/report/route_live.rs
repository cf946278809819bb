//! What the hosts on the way answered to the lookups of a trace, as text and JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::route;
use crate::mail::{LiveTrace, LookupAgreement};
use crate::visible::visible;

/// The route by what the hosts have, if it is another one; a line for each host, and one for each lookup that differs.
#[must_use]
pub fn text(live: &LiveTrace) -> String {
    let mut text = String::new();
    if let Some(route) = &live.route {
        let by = "by the main.cf, master.cf and files that the hosts have";
        text.push_str(&match live.differs {
            true => format!("  live route DIFFERS, {by}:\n"),
            false => format!("  live route, {by}:\n"),
        });
        // The lines of the manifest behind it are those of the other route.
        for line in route::text(route, &|_, _| None).lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    for one in &live.agreements {
        let count = one.agreed + one.differing.len();
        let differ = one.differing.iter().filter(|one| one.is_modelled).count();
        text.push_str(&match &one.failure {
            Some(why) => format!("  live {}: not asked: {}\n", one.host, visible(why)),
            None if differ == 0 => format!(
                "  live {}: agrees in {} of {count} lookups\n",
                one.host, one.agreed
            ),
            None => format!(
                "  live {}: DISAGREES in {differ} of {count} lookups\n",
                one.host
            ),
        });
        for lookup in &one.differing {
            text.push_str(&format!(
                "    `{}` for `{}`: the host has {}, the model {}\n",
                visible(&lookup.table),
                visible(&lookup.key),
                visible(&lookup.live),
                visible(&lookup.model)
            ));
        }
    }
    text
}

/// What a host answered to the lookups of a trace.
#[derive(Serialize, JsonSchema)]
pub(super) struct AgreementView<'a> {
    host: &'a str,
    /// How many lookups it answered as the model does.
    agreed: usize,
    differing: Vec<DifferingView<'a>>,
    /// Why it was not asked.
    failure: Option<&'a str>,
}

/// A lookup that a host answers in another way than the model.
#[derive(Serialize, JsonSchema)]
struct DifferingView<'a> {
    table: &'a str,
    key: &'a str,
    /// What the host has.
    host: &'a str,
    /// What the model has.
    model: &'a str,
    /// Whether the model knows the table.
    modelled: bool,
}

impl<'a> AgreementView<'a> {
    /// The answers of a host.
    pub(super) fn of(one: &'a LookupAgreement) -> Self {
        let differing = one.differing.iter().map(|lookup| DifferingView {
            table: &lookup.table,
            key: &lookup.key,
            host: &lookup.live,
            model: &lookup.model,
            modelled: lookup.is_modelled,
        });
        Self {
            host: &one.host,
            agreed: one.agreed,
            differing: differing.collect(),
            failure: one.failure.as_deref(),
        }
    }
}
