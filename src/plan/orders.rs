//! Turns a host's plan into the orders that are sent to it. It decides nothing.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::exchange::{
    Activation, AdoptOrder, FileOrder, HistoryOrder, IndexOrder, LedgerOrder, Orders, RestoreOrder,
    Run, ServiceOrders,
};
use crate::history::KEPT_BYTES;
use crate::ledger::{Applied, Ledger, PinningKey};
use crate::name::{RemotePath, ServiceName, TableType};
use crate::postfix::Edit;
use crate::secret::{MissingSecret, SecretName, Secrets};
use crate::state::References;
use crate::thing::Thing;

use super::generation::generation;
use super::reload_hash::key_ledger;
use super::{Change, HostPlan, Step};
use crate::digest::sha256_hex;

/// The orders that carry out `plan`. `run` says who applies it, when, and from which revision;
/// `host_key` is the key that the host's ledger keeps, which the new ledger takes over.
///
/// # Errors
/// [`MissingSecret`] where a file holds a secret that has not been read.
pub fn orders(
    plan: &HostPlan,
    secrets: &Secrets,
    run: &Run,
    host_key: Option<&PinningKey>,
    allow_unverified: bool,
) -> Result<Orders, MissingSecret> {
    let mut orders = Orders {
        adopts: adopts(plan, host_key),
        allow_unverified,
        ledger: LedgerOrder::Remove,
        references: plan.references.clone(),
        ..Orders::empty(run, plan.expects.clone())
    };
    for step in &plan.steps {
        add(step, plan, secrets, &mut orders)?;
    }
    let applied = Applied {
        by: run.by.clone(),
        at: run.at.clone(),
        revision: run.revision.clone(),
        plan_digest: run.plan_digest.clone(),
        reason: run.reason.clone(),
        job: run.job.clone(),
    };
    orders.history = generation(plan, &applied).map(|generation| HistoryOrder {
        generation: generation.entry.generation,
        bytes: generation.to_bytes(),
        keep: plan.keep,
        keep_bytes: KEPT_BYTES,
    });
    let is_told = |service: &ServiceOrders| service.activation != Activation::Nothing;
    if orders.services.values().any(is_told) {
        orders.opens = opens(plan);
    }
    if let Some(key) = host_key.filter(|_| plan.keeps_ledger) {
        let name = SecretName("murder: key of the host".to_owned());
        orders.secrets.insert(name, key.secret());
    }
    if plan.keeps_ledger {
        let ledger = Ledger {
            applied: Some(applied),
            ..plan.ledger.clone()
        };
        order_ledger(ledger, host_key, &mut orders);
    }
    if let Some(key) = host_key {
        for restore in &mut orders.restores {
            let keyed = key.keyed(&restore.kept);
            let plain = std::mem::replace(&mut restore.kept, keyed);
            if plain != restore.kept {
                orders.renames.push((plain, restore.kept.clone()));
            }
        }
    }
    Ok(orders)
}

/// The files that parameters name and that could be opened when the plan was made.
fn opens(plan: &HostPlan) -> References {
    let mut opens = References::default();
    if let Some(references) = &plan.references {
        let could = |path: &&RemotePath| !plan.unopened.contains(path.as_str());
        opens.files = references.files.iter().filter(could).cloned().collect();
        let of_postfix = references.of_postfix.iter();
        opens.of_postfix = of_postfix.filter(could).cloned().collect();
    }
    opens
}

/// Orders that this ledger is written, with keyed hashes, and that the kept texts of adopted files get the keyed names.
pub fn order_ledger(mut ledger: Ledger, key: Option<&PinningKey>, orders: &mut Orders) {
    if let Some(key) = key {
        let plain = ledger
            .adopted_hashes()
            .map(|hash| (hash.to_owned(), key.keyed(hash)));
        orders
            .renames
            .extend(plain.filter(|(plain, keyed)| plain != keyed));
        orders.renames.sort();
        orders.renames.dedup();
        key_ledger(&mut ledger, key);
    }
    orders.ledger = LedgerOrder::WriteKeyed(ledger.to_bytes());
}

/// The files whose content is kept, each with the name that the ledger will know it by.
fn adopts(plan: &HostPlan, key: Option<&PinningKey>) -> Vec<AdoptOrder> {
    let of_file = |path: &RemotePath| {
        let sha256 = plan.expects.files.get(path)?.as_ref()?;
        Some(AdoptOrder {
            path: path.clone(),
            kept: key.map_or_else(|| sha256.clone(), |key| key.keyed(sha256)),
        })
    };
    plan.adopts.iter().filter_map(of_file).collect()
}

/// Adds what one step orders.
fn add(
    step: &Step,
    plan: &HostPlan,
    secrets: &Secrets,
    orders: &mut Orders,
) -> Result<(), MissingSecret> {
    match step {
        Step::File {
            service,
            path,
            file: Some(file),
            ..
        } => {
            let text = file.body.reveal(secrets)?;
            for name in file.body.secrets() {
                if let Some(secret) = secrets.get(name) {
                    orders.secrets.insert(name.clone(), secret.clone());
                }
            }
            if let Some(table) = &file.table {
                let tables = &mut orders.service_mut(service).tables;
                tables.push((path.clone(), table.clone()));
            }
            orders.files.push(FileOrder {
                path: path.clone(),
                sha256: sha256_hex(text.as_bytes()),
                bytes: Zeroizing::new(text.as_bytes().to_vec()),
                owner: file.owner.clone(),
                group: file.group.clone(),
                mode: file.mode,
            });
        }
        Step::File {
            path,
            change: Change::Create { after } | Change::Update { after, .. },
            ..
        } => orders.restores.push(RestoreOrder {
            path: path.clone(),
            kept: after.sha256.clone(),
            owner: after.owner.clone(),
            group: after.group.clone(),
            mode: after.mode,
        }),
        Step::File {
            path,
            change: Change::Delete { .. },
            ..
        } => orders.deletes.push((path.clone(), None)),
        Step::Index {
            service,
            source,
            table_type,
            aliases,
            ..
        } => {
            let indexes = &mut orders.service_mut(service).indexes;
            indexes.push(IndexOrder {
                source: source.clone(),
                table_type: table_type.clone(),
                aliases: *aliases,
            });
        }
        Step::Value {
            service,
            thing,
            change,
            ..
        } => {
            let whole = plan.entries.get(service);
            let edits = &mut orders.service_mut(service).edits;
            // An entry that is written whole is one edit, whichever of its parts change.
            let new = edit(thing, change, whole).filter(|edit| !edits.contains(edit));
            edits.extend(new);
        }
        Step::Check { service } => orders.service_mut(service).check = true,
        Step::Reload { service, .. } => {
            orders.service_mut(service).activation = Activation::Reload;
        }
        Step::Restart { service, .. } => {
            orders.service_mut(service).activation = Activation::Restart;
        }
        Step::Probe { service, probes } => {
            orders.service_mut(service).probes = probes.clone();
        }
        Step::Delete {
            path, index_type, ..
        } => {
            let suffix = index_type.as_ref().and_then(TableType::index_suffix);
            orders.deletes.push((path.clone(), suffix));
        }
        // The host sweeps at the beginning of every apply.
        Step::Sweep { .. } | Step::TakeOver { .. } | Step::Release { .. } => {}
    }
    Ok(())
}

/// The edit that postconf(1) makes for one step; `whole` has the lines of entries that are written whole.
fn edit(
    thing: &Thing,
    change: &Change<String>,
    whole: Option<&BTreeMap<ServiceName, String>>,
) -> Option<Edit> {
    if let Thing::Field(service, _) | Thing::Option(service, _) = thing
        && let Some(line) = whole.and_then(|lines| lines.get(service))
    {
        return Some(Edit::SetService(service.clone(), line.clone()));
    }
    let after = match change {
        Change::Create { after } | Change::Update { after, .. } => Some(after.clone()),
        Change::Delete { .. } => None,
    };
    Some(match (thing.clone(), after) {
        (Thing::Parameter(name), Some(value)) => Edit::Set(name, value),
        (Thing::Parameter(name), None) => Edit::Unset(name),
        (Thing::Service(service), Some(line)) => Edit::SetService(service, line),
        (Thing::Service(service), None) => Edit::UnsetService(service),
        (Thing::Field(service, field), value) => {
            // A field has no absence, only its default.
            let value = value.unwrap_or_else(|| field.default_of(service.parts().1).to_owned());
            Edit::SetField(service, field, value)
        }
        (Thing::Option(service, name), Some(value)) => Edit::SetOption(service, name, value),
        (Thing::Option(service, name), None) => Edit::UnsetOption(service, name),
        (Thing::File(_), _) => return None,
    })
}
