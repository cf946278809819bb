//! Warnings of live values that the plan does not change, and at which Postfix programs stop with a fatal error.

use crate::postfix::catalogue;
use crate::postfix::catalogue::restrictions;
use crate::postfix::catalogue::tables;
use crate::state::Remark;
use crate::thing::Thing;

use super::draft::Draft;

impl Draft<'_> {
    /// Warns of wrong live values that the plan does not change. The host may have another version of Postfix than the
    /// catalogue knows, so that these are only warnings.
    pub(super) fn live_warnings(&mut self) {
        let mut remarks = Vec::new();
        for (name, value) in self.live.main_cf.iter() {
            let said = if value.contains('$') {
                self.unexpandable(name, value)
            } else {
                catalogue::check(name, value).err().map(|problem| Remark {
                    text: format!("main.cf of this host: {}", problem.summary),
                    hint: problem.hint,
                })
            };
            let said = said.or_else(|| self.unknown_words(name, value));
            remarks.extend(said.filter(|_| self.is_unmanaged(name)));
        }
        remarks.extend(self.option_warnings());
        self.remarks.append(&mut remarks);
    }

    /// Whether neither the manifest nor the ledger has a parameter.
    fn is_unmanaged(&self, name: &str) -> bool {
        name.parse().is_ok_and(|name| {
            let thing = Thing::Parameter(name);
            !self.desired.values.contains_key(&thing) && self.ownership.managed(&thing).is_none()
        })
    }

    /// Warns of a table type that no Postfix release has, or of a misspelt restriction.
    fn unknown_words(&self, name: &str, value: &str) -> Option<Remark> {
        let slip = |list: restrictions::List| {
            let mut unknown = list.unknown.into_iter();
            unknown.find_map(|word| Some((restrictions::nearest(&word)?, word)))
        };
        let is_list = restrictions::is_list(name);
        if let Some((near, word)) = is_list.then(|| restrictions::read(value)).and_then(slip) {
            return Some(Remark {
                text: format!(
                    "main.cf of this host: unknown restriction `{word}` in `{name}`: smtpd(8) answers 451 to every client"
                ),
                hint: Some(format!("did you mean `{near}`?")),
            });
        }
        let known = &self.input.live.facts.table_types;
        let unknown = tables::types_of(name, value)
            .into_iter()
            .find(|kind| !known.contains(kind) && !tables::is_type(kind))?;
        Some(Remark {
            text: format!(
                "main.cf of this host: unknown table type `{unknown}` in `{name}`: every program that opens the table stops with a fatal error"
            ),
            hint: tables::nearest(&unknown).map(|near| format!("did you mean `{near}:`?")),
        })
    }

    /// Warns of wrong values of options in master.cf, at which the service stops with a fatal error.
    fn option_warnings(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for entry in self.live.master_cf.services() {
            let service = format!("{}/{}", entry.name(), entry.kind());
            for name in entry.option_names() {
                let Some(problem) = entry
                    .option(&name)
                    .and_then(|value| catalogue::check(name.as_str(), &value).err())
                else {
                    continue;
                };
                let wanted = service.parse().is_ok_and(|service| {
                    let thing = Thing::Option(service, name.clone());
                    self.desired.values.contains_key(&thing)
                });
                if !wanted {
                    remarks.push(Remark {
                        text: format!("master.cf of this host, `{service}`: {}", problem.summary),
                        hint: problem.hint,
                    });
                }
            }
        }
        remarks
    }

    /// Warns of a value with `$name` that Postfix cannot expand.
    fn unexpandable(&self, name: &str, value: &str) -> Option<Remark> {
        let settings = self.live_settings();
        let problem = self.configuration(&settings).main().expand(value).syntax?;
        catalogue::is_expanded(name).then(|| Remark {
            text: format!("main.cf of this host: `{name} = {value}` cannot be expanded, and every program that reads it stops with a fatal error: {problem}"),
            hint: Some(format!("write the value of `{name}` without the wrong reference")),
        })
    }
}
