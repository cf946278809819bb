//! Parameters that the plan does not touch and whose effective values it changes: they refer to a parameter that changes,
//! or their default does.

use std::collections::BTreeSet;

use crate::postfix::catalogue::{lists, tables};
use crate::postfix::configuration::{AddressClass, View};
use crate::postfix::{catalogue, defaults};
use crate::state::Remark;
use crate::thing::Thing;

use super::super::Step;
use super::draft::Draft;

impl Draft<'_> {
    /// Remarks what else changes with a changed parameter.
    pub(super) fn followers(&mut self) {
        let changed = self.changed_parameters();
        if changed.is_empty() || self.input.desired.retired {
            return;
        }
        let (live, planned) = (self.live_settings(), self.planned_settings());
        let (before, after) = (self.configuration(&live), self.configuration(&planned));
        let mut remarks = Vec::new();
        for (name, value) in self.live.main_cf.iter() {
            if value.contains('$') && !changed.contains(name) {
                let says = follows(&before.main(), &after.main(), name, &changed);
                remarks.extend(says.map(|says| remark(&format!("main.cf:{name}"), name, &says)));
            }
        }
        for service in after.services().unwrap_or_default() {
            let (view, then) = (before.service(&service.name), after.service(&service.name));
            for name in self.followable_options(&service.name, &then) {
                let says = follows(&view, &then, &name, &changed);
                let what = format!("master.cf:{}:{name}", service.name);
                remarks.extend(says.map(|says| remark(&what, &name, &says)));
            }
        }
        remarks.extend(self.defaults_that_follow(&before.main(), &after.main(), &changed));
        drop(planned);
        self.remarks.append(&mut remarks);
    }

    fn changed_parameters(&self) -> BTreeSet<String> {
        let changed = self.settings.iter().filter_map(|step| match step {
            Step::Value {
                thing: Thing::Parameter(name),
                ..
            } => Some(name.to_string()),
            _ => None,
        });
        changed.collect()
    }

    /// The options of a service that refer to parameters and that the plan does not change.
    fn followable_options(
        &self,
        service: &crate::name::ServiceName,
        view: &View<'_>,
    ) -> Vec<String> {
        let entry = self.live.master_cf.service(service);
        let names = entry.map(|entry| entry.option_names()).unwrap_or_default();
        let names = names.into_iter().filter(|name| {
            let option = Thing::Option(service.clone(), name.clone());
            let value = view.option(name.as_str());
            value.is_some_and(|value| value.contains('$'))
                && !self.desired.values.contains_key(&option)
        });
        names.map(|name| name.to_string()).collect()
    }

    /// The parameters that nothing sets and whose defaults follow a changed one, in one remark.
    fn defaults_that_follow(
        &self,
        before: &View<'_>,
        after: &View<'_>,
        changed: &BTreeSet<String>,
    ) -> Option<Remark> {
        let mut shown = Vec::new();
        for name in defaults::with_references().filter(|name| is_worth_a_word(name)) {
            if before.is_set(name) || after.is_set(name) {
                continue;
            }
            if let Some(says) = follows(before, after, name, changed) {
                shown.push(format!("`{name}`: {} → {}", says.before, says.after));
            }
        }
        (!shown.is_empty()).then(|| Remark {
            text: format!(
                "with the changed parameters, defaults change: {}",
                shown.join("; ")
            ),
            hint: Some("to keep one of them, set it under `settings`".to_owned()),
        })
    }
}

/// Whether the reader of a plan must know that a default follows. A default that only repeats another list
/// (`fast_flush_domains = $relay_domains`) tells no more than the change of that list, nor do the parameters of address
/// verification; and the lists of address classes are compared by their members.
fn is_worth_a_word(name: &str) -> bool {
    let is_class = AddressClass::ALL
        .iter()
        .any(|class| class.parameter() == name);
    let default = defaults::value(name).unwrap_or_default();
    let repeats = tables::opens_tables(name) && default.starts_with('$') && !default.contains(' ');
    !is_class && !repeats && !name.starts_with("address_verify_") && catalogue::is_expanded(name)
}

/// What becomes of a value that follows another one.
struct Follows {
    of: String,
    before: String,
    after: String,
}

/// What becomes of a parameter that the plan does not touch, if it refers to a changed one and changes with it.
fn follows(
    before: &View<'_>,
    after: &View<'_>,
    name: &str,
    changed: &BTreeSet<String>,
) -> Option<Follows> {
    // The lists of proxymap(8) say which tables it may open. `faults` judges whether that is enough.
    if tables::holds(name) == Some(tables::Holds::Allowed) {
        return None;
    }
    let (was, will) = (before.expanded(name), after.expanded(name));
    let uses = was.uses.iter().chain(&will.uses).map(|(used, _)| used);
    let of: BTreeSet<&String> = uses.filter(|used| changed.contains(*used)).collect();
    let (was, will) = (was.text.ok()?, will.text.ok()?);
    if lists::same(name, &was, &will) {
        return None;
    }
    let of: Vec<String> = of.into_iter().map(|used| format!("`${used}`")).collect();
    let quoted = |text: String| match text.is_empty() {
        true => "nothing".to_owned(),
        false => format!("`{text}`"),
    };
    Some(Follows {
        of: of.join(", "),
        before: quoted(was),
        after: quoted(will),
    })
}

fn remark(what: &str, name: &str, says: &Follows) -> Remark {
    let of = match says.of.is_empty() {
        true => "a changed parameter",
        false => &says.of,
    };
    Remark {
        text: format!(
            "`{what}` refers to {of} and changes with it: from {} to {}",
            says.before, says.after
        ),
        hint: Some(format!(
            "to keep it, set `{name}` to its present value in the manifest"
        )),
    }
}
