//! What the hosts on the way answered to the lookups of a trace, as text and JSON.

use serde_json::{Value, json};

use crate::mail::LookupAgreement;
use crate::visible::visible;

/// A line for each host, and one for each lookup that differs.
#[must_use]
pub fn text(agreements: &[LookupAgreement]) -> String {
    let mut text = String::new();
    for one in agreements {
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

/// The same as JSON.
#[must_use]
pub fn json(agreements: &[LookupAgreement]) -> Value {
    let hosts = agreements.iter().map(|one| {
        let differing = one.differing.iter().map(|lookup| {
            json!({
                "table": lookup.table,
                "key": lookup.key,
                "host": lookup.live,
                "model": lookup.model,
                "modelled": lookup.is_modelled,
            })
        });
        json!({
            "host": one.host,
            "agreed": one.agreed,
            "differing": differing.collect::<Vec<_>>(),
            "failure": one.failure,
        })
    });
    hosts.collect()
}
