//! Which services of a host an observation looks at, and how its looks become one observation.

use crate::exchange::{Failure, MachineError, Observed, Questions};
use crate::ledger::Ledger;
use crate::service::Service;
use crate::state::Live;

/// The services that are asked for: one, and mostly no others.
pub(super) fn asked(questions: &Questions) -> (Service, Vec<Service>) {
    let mut services = questions.services.iter().cloned();
    let first = services.next().unwrap_or(Service::POSTFIX);
    (first, services.collect())
}

/// The same as one list.
pub(super) fn all_asked(questions: &Questions) -> Vec<Service> {
    let (first, others) = asked(questions);
    [first].into_iter().chain(others).collect()
}

/// The looks at the services of a host as one; none if there are none.
pub(super) fn joined(looks: Vec<Observed>) -> Option<Observed> {
    let mut looks = looks.into_iter();
    let mut observed = looks.next()?;
    for more in looks {
        add(&mut observed, more);
    }
    Some(observed)
}

/// The services that a ledger of the host has something of, and that were not looked at.
pub(super) fn unseen(live: &Live) -> Vec<Service> {
    let ledgers = live.ledger.iter().chain(&live.pending);
    let mut services: Vec<Service> = ledgers
        .flat_map(Ledger::things)
        .map(|(service, _)| service.clone())
        .filter(|service| !live.services.contains_key(service))
        .collect();
    services.sort();
    services.dedup();
    services
}

/// The error for an instance of Postfix that a host does not have.
pub(super) fn missing(service: &Service) -> MachineError {
    let folder = service.folder();
    MachineError::Unfit(Failure {
        summary: format!(
            "the host has no instance `{service}` of Postfix: {folder}/main.cf does not exist"
        ),
        detail: None,
        hint: Some(format!(
            "create it on the host as root: `postmulti -e init; postmulti -I {service} -e create; \
             postmulti -i {service} -e enable`"
        )),
    })
}

/// Adds what a look at another service of the same host found.
pub(super) fn add(observed: &mut Observed, more: Observed) {
    let live = &mut observed.live;
    live.services.extend(more.live.services);
    live.default_instance = live.default_instance.take().or(more.live.default_instance);
    live.files.extend(more.live.files);
    live.indexes.extend(more.live.indexes);
    live.tables.extend(more.live.tables);
    live.references.add(more.live.references);
    for remark in more.live.remarks {
        if !live.remarks.contains(&remark) {
            live.remarks.push(remark);
        }
    }
}
