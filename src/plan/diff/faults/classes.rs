//! Domains in two address classes: Postfix uses the first class that has them, and the role counts on the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::diff::draft::Draft;
use crate::postfix::configuration::{AddressClass, Membership};
use crate::state::{Remark, Running, Want};
use crate::thing::Thing;

use super::{Fault, Faults, Side};

impl Draft<'_> {
    /// The domains of managed classes that an earlier class has as well.
    pub(super) fn class_conflicts(&self, side: &Side<'_>) -> Faults {
        let main = side.configuration.main();
        let classes = main.classes();
        let mut found: BTreeMap<(AddressClass, AddressClass), BTreeSet<String>> = BTreeMap::new();
        // A default that follows another class (`relay_domains = $mydestination`) has no domains of its own.
        for class in self
            .managed_classes()
            .filter(|class| main.is_set(class.parameter()))
        {
            for domain in classes.named(class) {
                let first = earlier(class)
                    .find(|one| classes.has(*one, &domain, side.ask) == Membership::Yes);
                if let Some(first) = first {
                    found.entry((first, class)).or_default().insert(domain);
                }
            }
        }
        let faults = found.into_iter().map(|((first, class), domains)| {
            let key = format!("class {} {}", first.parameter(), class.parameter());
            (key, fault(first, class, &domains))
        });
        faults.collect()
    }

    /// The tables of earlier classes that may have a managed domain, and that neither the host's answers nor a file of the
    /// manifest decides about.
    pub(super) fn unjudged_classes(&self, side: &Side<'_>) -> Vec<Remark> {
        let main = side.configuration.main();
        let classes = main.classes();
        let mut found: BTreeMap<(AddressClass, String), BTreeSet<String>> = BTreeMap::new();
        for class in self.managed_classes() {
            for one in earlier(class) {
                // A list that is there by default has tables of addresses, not of domains. Those of a role are known for
                // that, and a folder lacks most tables of its host.
                let is_default = !main.is_set(one.parameter());
                let is_folder = self.live.running == Running::NotHere;
                let is_ours = |table: &str| is_default && (is_folder || self.is_managed(table));
                for domain in classes.named(class) {
                    if let Membership::Unknown(table) = classes.has(one, &domain, side.ask)
                        && !is_ours(&table)
                    {
                        found.entry((one, table)).or_default().insert(domain);
                    }
                }
            }
        }
        let remarks = found.into_iter().map(|((class, table), domains)| Remark {
            text: format!(
                "not judged: whether `{table}` in `{}` has {}, which would be in two address classes then",
                class.parameter(),
                list(&domains)
            ),
            hint: Some(format!(
                "ask it on the host: `postmap -q {} {table}`",
                domains.first().map_or("DOMAIN", String::as_str)
            )),
        });
        remarks.collect()
    }

    /// The classes whose lists the manifest sets.
    fn managed_classes(&self) -> impl Iterator<Item = AddressClass> {
        AddressClass::ALL.into_iter().filter(|class| {
            let thing = class.parameter().parse().map(Thing::Parameter);
            thing.is_ok_and(|thing| {
                matches!(self.desired.values.get(&thing), Some(Want::Present(_)))
            })
        })
    }
}

/// The classes that Postfix tries before one.
fn earlier(class: AddressClass) -> impl Iterator<Item = AddressClass> {
    AddressClass::ALL
        .into_iter()
        .take_while(move |one| *one < class)
}

fn list(domains: &BTreeSet<String>) -> String {
    let names: Vec<String> = domains.iter().map(|domain| format!("`{domain}`")).collect();
    names.join(", ")
}

fn fault(first: AddressClass, class: AddressClass, domains: &BTreeSet<String>) -> Fault {
    let (winner, loser) = (first.parameter(), class.parameter());
    let refused = match first {
        AddressClass::Local => {
            "mail for it goes to `local_transport`, and recipients that `local_recipient_maps` lacks are refused"
        }
        AddressClass::VirtualAlias => {
            "each recipient that `virtual_alias_maps` lacks is refused (550, `User unknown in virtual alias table`)"
        }
        AddressClass::VirtualMailbox | AddressClass::Relay => {
            "mail for it goes to `virtual_transport`, and recipients that `virtual_mailbox_maps` lacks are refused"
        }
    };
    Fault {
        text: format!(
            "`{winner}` has {} as well as `{loser}`, and Postfix uses `{winner}`: {refused}",
            list(domains)
        ),
        hint: format!("take it out of `{winner}` on the host, or set `{winner}` under `settings`"),
        is_default: false,
        about: domains.clone(),
        stays: false,
    }
}
