//! Values in main.cf that somebody else gave, and that Postfix's programs die of: nobody's difference, and no mail.

use crate::postfix::catalogue;
use crate::postfix::catalogue::restrictions::{self, lacks_guard};
use crate::postfix::catalogue::tables;
use crate::postfix::configuration::{Configuration, ConfigurationFiles, HostEnvironment, Release};
use crate::state::{Remark, Want};
use crate::thing::Thing;

use super::Draft;

impl Draft<'_> {
    /// Looks at what the plan leaves as it is. The catalogue may know another version of Postfix than the
    /// host has, so these are remarks.
    pub(super) fn foreign_values(&mut self) {
        let (live, desired) = (self.at.live, self.at.desired);
        let mut remarks = Vec::new();
        for (name, value) in live.main_cf.iter() {
            let said = if value.contains('$') {
                self.unexpandable(name, value)
            } else {
                catalogue::check(name, value).err().map(|problem| Remark {
                    text: format!("main.cf of this host: {}", problem.summary),
                    hint: problem.hint,
                })
            };
            let said = said.or_else(|| self.unknown_words(name, value));
            remarks.extend(said.filter(|_| self.is_foreign(name)));
        }
        remarks.extend(self.foreign_options());
        // Where the manifest says it, compiling has looked at it.
        let value = |name: &str| {
            let thing = name.parse().ok().map(Thing::Parameter)?;
            match desired.values.get(&thing) {
                Some(Want::Present(value)) => Some(value.as_str()),
                Some(Want::Absent) => None,
                None => live.main_cf.get(name),
            }
        };
        let classes =
            crate::postfix::split_list(value("smtpd_restriction_classes").unwrap_or_default());
        let (relay, recipient) = (
            value("smtpd_relay_restrictions"),
            value("smtpd_recipient_restrictions"),
        );
        if relay.is_some_and(|list| lacks_guard(list, &classes))
            && lacks_guard(recipient.unwrap_or_default(), &classes)
        {
            remarks.push(Remark {
                text: "neither `smtpd_relay_restrictions` nor `smtpd_recipient_restrictions` of this host stops relaying: smtpd(8) ends each session with a fatal error".to_owned(),
                hint: Some("write `reject_unauth_destination` after the restrictions that permit relaying".to_owned()),
            });
        }
        self.remarks.append(&mut remarks);
    }

    /// Whether neither the manifest nor the ledger names a parameter.
    fn is_foreign(&self, name: &str) -> bool {
        name.parse().is_ok_and(|name| {
            let thing = Thing::Parameter(name);
            !self.at.desired.values.contains_key(&thing) && self.ours.managed(&thing).is_none()
        })
    }

    /// Table types that no Postfix has, and restrictions that are surely misspelt.
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
        let known = &self.at.live.facts.table_types;
        let stranger = tables::types_of(name, value)
            .into_iter()
            .find(|kind| !known.contains(kind) && !tables::is_type(kind))?;
        Some(Remark {
            text: format!(
                "main.cf of this host: unknown table type `{stranger}` in `{name}`: every program that opens the table stops with a fatal error"
            ),
            hint: tables::nearest(&stranger).map(|near| format!("did you mean `{near}:`?")),
        })
    }

    /// Values of options in master.cf that the service dies of.
    fn foreign_options(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for entry in self.at.live.master_cf.services() {
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
                    self.at.desired.values.contains_key(&thing)
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

    /// What there is to say of a value with `$name` in it that Postfix cannot expand.
    fn unexpandable(&self, name: &str, value: &str) -> Option<Remark> {
        let live = self.at.live;
        let files = ConfigurationFiles {
            main_cf: &live.main_cf,
            master_cf: &live.master_cf,
        };
        let release = Release::new(&live.facts.postfix_version);
        let environment = HostEnvironment::default();
        let configuration = Configuration::new(&files, release, &environment);
        let problem = configuration.main().expand(value).syntax?;
        catalogue::is_expanded(name).then(|| Remark {
            text: format!("main.cf of this host: `{name} = {value}` cannot be expanded, and every program that reads it stops with a fatal error: {problem}"),
            hint: Some(format!("write the value of `{name}` without the wrong reference")),
        })
    }
}
