//! A host that the real core plans for: two states of it, with every kind of step between them.

use murder::ledger::{Ledger, PinningKey};
use murder::machine::remote::Remote;
use murder::machine::{Apply, LedgerOrder, Observe, Observed, Performed};
use murder::name::{Mode, Parameter, ServiceName, TableType, UserName};
use murder::plan::{
    DiffInput, Failure, HostPlan, HostVerdict, RefusalKind, Run, Verdict, diff, orders, questions,
};
use murder::secret::{Body, Secret, SecretName, Secrets};
use murder::state::{Desired, File, Want};
use murder::thing::{Field, Thing};

use super::host::Host;
use super::path;

pub const PASSWORD: &str = "Welcome2KolabSystems";

pub fn secrets() -> Secrets {
    let mut secrets = Secrets::default();
    secrets.insert(
        SecretName("bind_pw".to_owned()),
        Secret::new(PASSWORD.to_owned()),
    );
    secrets
}

fn file(text: &str, group: &str, mode: u32, index: bool) -> Want<File> {
    let hash = index.then(|| TableType::new("hash").unwrap());
    Want::Present(File {
        body: Body::from_rendered(text),
        owner: UserName::new("root").unwrap(),
        group: UserName::new(group).unwrap(),
        mode: Mode::from_bits(mode),
        index: hash.clone(),
        table: hash,
    })
}

fn parameter(name: &str) -> Thing {
    Thing::Parameter(Parameter::new(name).unwrap())
}

/// A state of the host: the first, or the second.
pub fn desired(second: bool) -> Desired {
    let mut desired = Desired::default();
    let mut files: Vec<(&str, Want<File>)> = Vec::new();
    let mut values: Vec<(Thing, &str)> = Vec::new();
    let lmtp = ServiceName::new("lmtp/unix").unwrap();
    let service = |name: &str| ServiceName::new(name).unwrap();
    let secret = format!(
        "# {}\nbind_pw = {}\n",
        if second { "two" } else { "one" },
        Body::token(&SecretName("bind_pw".to_owned()))
    );
    files.push((
        "/etc/postfix/murder/secret.cf",
        file(&secret, "postfix", 0o640, false),
    ));
    if second {
        files.push((
            "/etc/postfix/transport",
            file("a.example relay:[two.example]:25\n", "root", 0o644, true),
        ));
        files.push((
            "/etc/postfix/new",
            file("n.example relay:[n.example]\n", "root", 0o644, true),
        ));
        files.push(("/etc/postfix/found", file("ours\n", "root", 0o644, false)));
        values.push((
            parameter("transport_maps"),
            "hash:/etc/postfix/transport, hash:/etc/postfix/new",
        ));
        values.push((
            Thing::Option(lmtp, Parameter::new("soft_bounce").unwrap()),
            "yes",
        ));
        values.push((Thing::Field(service("made/unix"), Field::Command), "smtp"));
        let timeout = Parameter::new("smtp_helo_timeout").unwrap();
        values.push((Thing::Option(service("made/unix"), timeout), "9s"));
    } else {
        files.push((
            "/etc/postfix/transport",
            file("a.example relay:[one.example]:25\n", "root", 0o644, true),
        ));
        files.push((
            "/etc/postfix/old",
            file("o.example relay:[o.example]\n", "root", 0o644, true),
        ));
        files.push(("/etc/postfix/given", file("ours\n", "root", 0o644, false)));
        values.push((
            parameter("transport_maps"),
            "hash:/etc/postfix/transport, hash:/etc/postfix/old",
        ));
        values.push((parameter("maximal_queue_lifetime"), "4d"));
        values.push((Thing::Field(lmtp, Field::Chroot), "n"));
        values.push((Thing::Field(service("gone/unix"), Field::Command), "smtp"));
    }
    desired.postfix_mut().files = files
        .into_iter()
        .map(|(name, want)| (path(name), want))
        .collect();
    desired.postfix_mut().values = values
        .into_iter()
        .map(|(thing, value)| (thing, Want::Present(value.to_owned())))
        .collect();
    desired
}

/// Looks at a host for a state.
pub fn look(host: &Host, desired: &Desired) -> Observed {
    let mut asked = questions(desired, &secrets(), None).unwrap();
    // What a ledger names and the manifest does not any more is looked at with its index.
    for name in [
        "/etc/postfix/old.db",
        "/etc/postfix/new.db",
        "/etc/postfix/transport.db",
    ] {
        asked.indexes.insert(path(name));
    }
    Remote::new(host.shell()).observe(&asked).unwrap()
}

/// What a plan says of a host.
pub fn verdict(host: &Host, desired: &Desired) -> HostVerdict {
    let observed = look(host, desired);
    let live = observed.live;
    diff(DiffInput {
        known: observed.known.as_ref(),
        murder: "example.org",
        desired,
        live: &live,
        secrets: &secrets(),
        hosts: &[],
        keep: murder::history::KEPT,
        rollback: None,
    })
}

/// What a plan remarks of a host.
pub fn remarks(host: &Host, desired: &Desired) -> Vec<String> {
    let remarks = verdict(host, desired).remarks.into_iter();
    remarks.map(|remark| remark.text).collect()
}

/// Why there can be no plan for a host.
pub fn failure(host: &Host, desired: &Desired) -> Failure {
    match verdict(host, desired).verdict {
        Verdict::Failed { error } => error,
        other => panic!("{other:?}"),
    }
}

/// What there is to do on a host, if anything.
pub fn plan(host: &Host, desired: &Desired) -> Option<Box<HostPlan>> {
    match verdict(host, desired).verdict {
        Verdict::Converged => None,
        Verdict::Changes(plan) => {
            let lifted = [RefusalKind::Adopt, RefusalKind::Delete];
            let mut refusals = plan.refusals.iter();
            assert!(
                refusals.all(|refusal| lifted.contains(&refusal.kind)),
                "{:?}",
                plan.refusals
            );
            Some(plan)
        }
        other => panic!("{other:?}"),
    }
}

/// Carries a plan out, and meets a fault. The host gets a key, and its records become keyed.
pub fn perform(host: &Host, plan: &HostPlan, run: &str, fault: &str) -> Performed {
    perform_with(host, plan, run, fault, Some(&key()))
}

/// The key that [`perform`] gives to a host.
pub fn key() -> PinningKey {
    PinningKey::of_bytes(&[7; 32])
}

/// The ledger that [`perform`] writes for a plan.
pub fn keyed_ledger(plan: &HostPlan) -> Ledger {
    let orders = orders(plan, &secrets(), &Run::default(), Some(&key()), false).unwrap();
    match orders.ledger {
        LedgerOrder::WriteKeyed(bytes) => Ledger::from_bytes(&bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

/// The same, by a `murder` of before there were keys if there is none.
fn perform_with(
    host: &Host,
    plan: &HostPlan,
    run: &str,
    fault: &str,
    key: Option<&PinningKey>,
) -> Performed {
    let run = Run {
        id: run.to_owned(),
        by: "ann@desk".to_owned(),
        at: "2026-11-23T00:00:00Z".to_owned(),
        revision: String::new(),
        ..Run::default()
    };
    let orders = orders(plan, &secrets(), &run, key, false).unwrap();
    Remote::new(host.shell())
        .with_fault(fault)
        .perform(&orders, None)
        .unwrap()
}

/// Everything that Postfix reads, with owner and mode; indexes by what they say. Files that a run
/// may leave for its successor are not part of it; nor is the order of lines in main.cf: postconf
/// itself appends several new names in an order of chance.
pub fn contents(host: &Host) -> String {
    host.run(
        "cd /etc/postfix; find . -type f ! -name '*.db' ! -name main.cf ! -name '.murder.*' -exec sha256sum {} + | sort
         sort main.cf | sha256sum
         find . ! -name '.murder.*' -exec stat -c '%n %U %G %a %F' {} + | sort
         for i in *.db; do echo $i; postmap -s hash:${i%.db} | sort; done",
    )
}

/// A host in the first state, with a file that the second state finds there.
pub fn host() -> Host {
    let host = Host::running();
    host.write("/etc/postfix/given", "theirs\n");
    host.write("/etc/postfix/found", "theirs\n");
    let first = desired(false);
    // Its records have plain hashes, and become keyed at its next apply.
    let performed = perform_with(&host, &plan(&host, &first).unwrap(), "first", "", None);
    assert_eq!(
        performed.ending,
        murder::machine::Ending::Done,
        "{performed:?}"
    );
    assert!(plan(&host, &first).is_none());
    host
}
