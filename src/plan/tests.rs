//! Plans of any kind for property tests. Any plan, written and read back, is the same plan.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use super::{
    Cause, Change, Expects, Failure, FileState, HostPlan, HostVerdict, IndexReason, Plan, Refusal,
    RefusalKind, ReloadReason, Step, Verdict,
};
use crate::exchange::ExpectedService;
use crate::history::{ServiceSnapshot, Snapshot};
use crate::ledger::{
    FileAccess, KeptFacts, LEDGER_VERSION, Ledger, Managed, Origin, Previous, ServiceLedger,
};
use crate::name::{HostName, Mode, Parameter, RemotePath, ServiceName, TableType, UserName};
use crate::secret::{Body, Piece, SecretName};
use crate::service::Service;
use crate::state::{File, Probes, Queue, References, Remark};
use crate::thing::{Field, Thing};

fn words() -> impl Strategy<Value = String> {
    any::<String>()
}

fn hash() -> impl Strategy<Value = String> {
    "[0-9a-f]{64}"
}

fn path() -> impl Strategy<Value = RemotePath> {
    "/etc/postfix/[a-z]{1,8}".prop_filter_map("a path", |text| RemotePath::new(text).ok())
}

fn parameter() -> impl Strategy<Value = Parameter> {
    "[a-z][a-z_]{0,12}".prop_filter_map("a parameter", |text| Parameter::new(text).ok())
}

fn service() -> impl Strategy<Value = ServiceName> {
    "(smtp|[a-z]{1,6})/(inet|unix)".prop_filter_map("a service", |text| ServiceName::new(text).ok())
}

fn table_type() -> impl Strategy<Value = TableType> {
    prop::sample::select(vec!["hash", "lmdb", "cdb", "ldap"])
        .prop_filter_map("a table type", |text| TableType::new(text).ok())
}

fn user() -> impl Strategy<Value = UserName> {
    "[a-z]{1,8}".prop_filter_map("a user", |text| UserName::new(text).ok())
}

fn mode() -> impl Strategy<Value = Mode> {
    (0_u32..0o1000).prop_map(Mode::from_bits)
}

fn thing() -> impl Strategy<Value = Thing> {
    prop_oneof![
        path().prop_map(Thing::File),
        parameter().prop_map(Thing::Parameter),
        service().prop_map(Thing::Service),
        (service(), prop::sample::select(Field::ALL.to_vec()))
            .prop_map(|(service, field)| Thing::Field(service, field)),
        (service(), parameter()).prop_map(|(service, name)| Thing::Option(service, name)),
    ]
}

fn probes() -> impl Strategy<Value = Probes> {
    (vec(words(), 0..3), vec(words(), 0..3)).prop_map(|(accept, refuse)| Probes { accept, refuse })
}

fn file() -> impl Strategy<Value = File> {
    let piece = prop_oneof![
        words().prop_map(Piece::Text),
        words().prop_map(|name| Piece::Secret(SecretName(name))),
    ];
    let types = (option::of(table_type()), option::of(table_type()));
    (vec(piece, 0..4), user(), user(), mode(), types).prop_map(
        |(pieces, owner, group, mode, (index, table))| File {
            body: Body(pieces),
            owner,
            group,
            mode,
            index,
            table,
        },
    )
}

fn state() -> impl Strategy<Value = FileState> {
    let who = (words(), words(), mode());
    let shown = (any::<bool>(), option::of(words()));
    (option::of(words()), hash(), who, any::<bool>(), shown).prop_map(
        |(text, sha256, (owner, group, mode), secret, (private, link))| FileState {
            text,
            withheld: private.then_some(super::Withheld::Private),
            link,
            sha256,
            owner,
            group,
            mode,
            secret,
        },
    )
}

fn change<T: Clone + std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Change<T>> {
    let value = value.boxed();
    prop_oneof![
        value.clone().prop_map(|after| Change::Create { after }),
        (value.clone(), value.clone()).prop_map(|(before, after)| Change::Update { before, after }),
        value.prop_map(|before| Change::Delete { before }),
    ]
}

fn cause() -> impl Strategy<Value = Cause> {
    prop::sample::select(vec![
        Cause::Wanted,
        Cause::Drift,
        Cause::Unnamed,
        Cause::FirstContact,
        Cause::Retired,
        Cause::Restored,
        Cause::AbsentInGeneration,
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let index_reason = prop::sample::select(vec![
        IndexReason::SourceChanges,
        IndexReason::Missing,
        IndexReason::Stale,
        IndexReason::OtherEntries,
    ]);
    let reload_reason = prop::sample::select(vec![
        ReloadReason::ConfigurationChanges,
        ReloadReason::NotToldYet,
    ]);
    prop_oneof![
        words().prop_map(|run| Step::Sweep { run }),
        (path(), change(state()), cause(), option::of(file())).prop_map(
            |(path, change, cause, file)| Step::File {
                service: Service::POSTFIX,
                path,
                change,
                cause,
                file
            }
        ),
        (path(), table_type(), index_reason).prop_map(|(source, table_type, reason)| {
            Step::Index {
                service: Service::POSTFIX,
                aliases: source.as_str().len() % 2 == 0,
                source,
                table_type,
                reason,
            }
        }),
        (thing(), change(words()), cause()).prop_map(|(thing, change, cause)| Step::Value {
            service: Service::POSTFIX,
            thing,
            change,
            cause
        }),
        Just(Step::Check {
            service: Service::POSTFIX
        }),
        reload_reason.prop_map(|reason| Step::Reload {
            service: Service::POSTFIX,
            reason
        }),
        vec(parameter(), 0..3).prop_map(|parameters| Step::Restart {
            service: Service::POSTFIX,
            parameters
        }),
        probes().prop_map(|probes| Step::Probe {
            service: Service::POSTFIX,
            probes
        }),
        (path(), state(), cause(), option::of(table_type())).prop_map(
            |(path, before, cause, index_type)| Step::Delete {
                service: Service::POSTFIX,
                path,
                before,
                cause,
                index_type
            }
        ),
        thing().prop_map(|thing| Step::TakeOver {
            service: Service::POSTFIX,
            thing
        }),
        thing().prop_map(|thing| Step::Release {
            service: Service::POSTFIX,
            thing
        }),
    ]
}

fn refusal() -> impl Strategy<Value = Refusal> {
    let kind = prop::sample::select(vec![
        RefusalKind::Adopt,
        RefusalKind::TakeOver,
        RefusalKind::Delete,
        RefusalKind::Overwrite,
        RefusalKind::Restart,
        RefusalKind::UnknownParameter,
        RefusalKind::ExposedFile,
    ]);
    (kind, words()).prop_map(|(kind, summary)| Refusal { kind, summary })
}

fn managed() -> impl Strategy<Value = Managed> {
    let previous = prop_oneof![
        words().prop_map(Previous::Value),
        (hash(), words(), words(), mode()).prop_map(|(sha256, owner, group, mode)| {
            Previous::File {
                sha256,
                owner,
                group,
                mode,
            }
        }),
    ];
    let origin = prop_oneof![Just(Origin::Created), previous.prop_map(Origin::Adopted),];
    let access = (words(), words(), mode());
    let access = access.prop_map(|(owner, group, mode)| FileAccess { owner, group, mode });
    (origin, option::of(words()), option::of(access)).prop_map(|(origin, value, access)| Managed {
        origin,
        value,
        access,
    })
}

fn facts() -> impl Strategy<Value = KeptFacts> {
    let texts = (words(), words(), words());
    let lists = (vec(words(), 0..3), vec(words(), 0..3), vec(words(), 0..3));
    (texts, lists, table_type(), path()).prop_map(
        |(
            (identity, postfix_version, distribution),
            (table_types, more_parameters, fewer_parameters),
            default_database_type,
            lmtp_socket,
        )| KeptFacts {
            identity,
            postfix_version,
            table_types,
            default_database_type,
            distribution,
            lmtp_socket,
            more_parameters,
            fewer_parameters,
        },
    )
}

fn service_ledger() -> impl Strategy<Value = ServiceLedger> {
    let managed = btree_map(thing(), managed(), 0..4);
    let indexes = btree_map(path(), hash(), 0..3);
    (managed, indexes, option::of(hash())).prop_map(|(managed, indexes, activated)| ServiceLedger {
        managed,
        indexes,
        activated,
        ..ServiceLedger::default()
    })
}

fn of_services<T: std::fmt::Debug>(
    one: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeMap<Service, T>> {
    btree_map(Just(Service::POSTFIX), one, 0..2)
}

fn ledger() -> impl Strategy<Value = Ledger> {
    let rest = (vec(words(), 0..3), option::of(facts()));
    (words(), any::<u64>(), of_services(service_ledger()), rest).prop_map(
        |(murder, generation, services, (hosts, facts))| Ledger {
            version: LEDGER_VERSION,
            murder,
            generation,
            services,
            applied: None,
            hosts,
            facts,
            host_key: None,
        },
    )
}

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let files = btree_map(path(), option::of(file()), 0..3);
    let values = btree_map(thing(), option::of(words()), 0..3);
    let one = (files, values, probes()).prop_map(|(files, values, probes)| ServiceSnapshot {
        files,
        values,
        probes,
    });
    of_services(one).prop_map(|services| Snapshot { services })
}

fn expects() -> impl Strategy<Value = Expects> {
    let files = btree_map(path(), option::of(hash()), 0..3);
    let configuration = btree_map("(main|master)\\.cf", hash(), 0..3);
    let one = configuration.prop_map(|configuration| ExpectedService { configuration });
    (of_services(one), option::of(hash()), files).prop_map(|(services, ledger, files)| Expects {
        services,
        ledger,
        files,
    })
}

fn host_plan() -> impl Strategy<Value = HostPlan> {
    let shown = (vec(step(), 0..6), vec(refusal(), 0..3));
    let written = (
        ledger(),
        any::<bool>(),
        option::of(snapshot()),
        any::<u32>(),
        option::of(references()),
    );
    let entries = of_services(btree_map(service(), words(), 0..2));
    (shown, written, entries, vec(path(), 0..2), expects()).prop_map(
        |(
            (steps, refusals),
            (ledger, keeps_ledger, snapshot, keep, references),
            entries,
            adopts,
            expects,
        )| {
            HostPlan {
                steps,
                refusals,
                keeps_ledger,
                entries,
                adopts,
                snapshot: snapshot.map(Box::new),
                keep,
                references,
                ..HostPlan::empty(ledger, expects)
            }
        },
    )
}

fn references() -> impl Strategy<Value = References> {
    let files = || btree_set(path(), 0..3);
    let tables = btree_map(words(), btree_set(words(), 0..3), 0..2);
    (files(), files(), tables).prop_map(|(files, of_postfix, asked)| References {
        read: asked.keys().cloned().collect(),
        files,
        of_postfix,
        asked,
    })
}

fn host() -> impl Strategy<Value = HostVerdict> {
    let failure = || {
        (words(), option::of(words()), option::of(words())).prop_map(|(summary, detail, hint)| {
            Failure {
                summary,
                detail,
                hint,
            }
        })
    };
    let verdict = prop_oneof![
        Just(Verdict::Converged),
        host_plan().prop_map(|plan| Verdict::Changes(Box::new(plan))),
        failure().prop_map(|error| Verdict::Unreachable { error }),
        failure().prop_map(|error| Verdict::Failed { error }),
    ];
    let remark = (words(), option::of(words())).prop_map(|(text, hint)| Remark { text, hint });
    let queue = option::of(Just(Queue::EMPTY));
    let parts = (verdict, vec(remark, 0..3), any::<bool>(), queue);
    parts.prop_map(|(verdict, remarks, stopped, queue)| HostVerdict {
        remarks,
        stopped,
        queue,
        ..HostVerdict::of(verdict)
    })
}

/// A plan of any hosts.
pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let name =
        "[a-z]{1,8}\\.example\\.org".prop_filter_map("a host", |text| HostName::new(text).ok());
    (words(), btree_map(name, host(), 0..4)).prop_map(|(murder, hosts)| Plan::new(murder, hosts))
}

proptest! {
    #[test]
    fn a_plan_that_is_written_is_read_back_equal(plan in plan()) {
        let text = serde_json::to_string(&plan).unwrap();
        let read: Plan = serde_json::from_str(&text).unwrap();
        prop_assert_eq!((&read, serde_json::to_string(&read).unwrap()), (&plan, text));
    }
}
