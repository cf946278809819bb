//! A second instance of Postfix on a host, as postmulti(1) makes it.

use std::sync::Arc;

use murder::machine::Ending;
use murder::machine::remote::Remote;
use murder::machine::{Apply, NotDone, Observe};
use murder::name::{Mode, Parameter, TableType, UserName};
use murder::plan::{
    DiffInput, Failure, HostPlan, HostVerdict, Run, Step, Verdict, diff, orders, questions,
};
use murder::secret::{Body, Secrets};
use murder::service::Service;
use murder::state::{Desired, DesiredService, File, Want};
use murder::thing::Thing;

use super::host::{Counting, Host};
use super::{fingerprint, leftovers, path};

const TABLE: &str = "/etc/postfix-out/transport";

/// The instance of these tests.
pub fn out() -> Service {
    "postfix-out".parse().unwrap()
}

/// A host with a default instance on 127.0.0.1 and another one on 127.0.0.2, both of which run.
pub fn host() -> Host {
    let host = Host::running();
    host.run("ip address add 127.0.0.2/8 dev lo; postconf -e inet_interfaces=127.0.0.1; postfix stop; postfix start; postmulti -e init; postmulti -I postfix-out -e create; postmulti -i postfix-out -e enable");
    host.run("postconf -c /etc/postfix-out -e master_service_disable= inet_interfaces=127.0.0.2 inet_protocols=ipv4 myhostname=out.example.org mydestination= local_recipient_maps=; postmulti -i postfix-out -p start");
    let status = host.run("postmulti -i postfix-out -p status && echo runs");
    assert_eq!(status, "runs\n", "the instance does not run");
    host
}

/// What a service must have: relay domains, and a table of routes in the folder of its configuration.
pub fn wanted(service: &Service, domain: &str) -> Desired {
    let hash = TableType::new("hash").unwrap();
    let folder = service.folder();
    let file = File {
        body: Body::from_rendered(&format!("{domain} relay:[inner.example.org]:25\n")),
        owner: UserName::new("root").unwrap(),
        group: UserName::new("root").unwrap(),
        mode: Mode::from_bits(0o644),
        index: Some(hash.clone()),
        table: Some(hash),
    };
    let parameter = |name: &str| Thing::Parameter(Parameter::new(name).unwrap());
    let value = |text: String| Want::Present(text);
    let mut one = DesiredService::default();
    one.files
        .insert(path(&format!("{folder}/transport")), Want::Present(file));
    one.values.insert(
        parameter("transport_maps"),
        value(format!("hash:{folder}/transport")),
    );
    one.values
        .insert(parameter("relay_domains"), value(domain.to_owned()));
    Desired {
        retired: false,
        services: [(service.clone(), one)].into(),
    }
}

fn verdict(host: &Host, desired: &Desired) -> HostVerdict {
    let asked = questions(desired, &Secrets::default(), None).unwrap();
    let observed = Remote::new(host.shell()).observe(&asked).unwrap();
    diff(DiffInput {
        known: observed.known.as_ref(),
        murder: "example.org",
        desired,
        live: &observed.live,
        secrets: &Secrets::default(),
        hosts: &[],
        keep: murder::history::KEPT,
        rollback: None,
    })
}

pub fn plan(host: &Host, desired: &Desired) -> Option<Box<HostPlan>> {
    match verdict(host, desired).verdict {
        Verdict::Converged => None,
        Verdict::Changes(plan) => Some(plan),
        other => panic!("{other:?}"),
    }
}

fn failure(host: &Host, desired: &Desired) -> Failure {
    match verdict(host, desired).verdict {
        Verdict::Failed { error } => error,
        other => panic!("{other:?}"),
    }
}

pub fn perform(host: &Host, plan: &HostPlan, run: &str, fault: &str) -> murder::machine::Performed {
    let run = Run {
        id: run.to_owned(),
        by: "ann@desk".to_owned(),
        at: "2026-11-23T00:00:00Z".to_owned(),
        revision: String::new(),
        ..Run::default()
    };
    let orders = orders(plan, &Secrets::default(), &run, None, false).unwrap();
    Remote::new(host.shell())
        .with_fault(fault)
        .perform(&orders, None)
        .unwrap()
}

#[track_caller]
fn apply(host: &Host, desired: &Desired, run: &str) {
    let plan = plan(host, desired).expect("something to do");
    let performed = perform(host, &plan, run, "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(self::plan(host, desired).is_none(), "not converged");
}

/// The process of the default instance's master(8).
fn master_of_default(host: &Host) -> String {
    host.run("postfix -c /etc/postfix status 2>&1; cat /var/spool/postfix/pid/master.pid")
}

/// Everything below /etc/postfix-out with inode and times.
fn traces(host: &Host) -> String {
    host.run("find /etc/postfix-out /var/lib/murder -exec stat -c '%n %i %Y %Z %s' {} + | sort")
}

#[test]
fn all_instances_are_looked_at_by_one_program() {
    let host = host();
    let mut desired = wanted(&out(), "a.example");
    let default = wanted(&Service::POSTFIX, "b.example");
    desired.services.extend(default.services);
    let questions = questions(&desired, &Secrets::default(), None).unwrap();
    for sh in ["dash", "bash", "busybox sh"] {
        let count = Arc::default();
        let shell = Box::new(Counting(host.shell(), Arc::clone(&count)));
        let live = Remote::new(shell)
            .with_sh(sh)
            .observe(&questions)
            .unwrap()
            .live;
        assert_eq!(*count.lock().unwrap(), 1, "{sh}");
        for (service, address) in [(Service::POSTFIX, "127.0.0.1"), (out(), "127.0.0.2")] {
            let one = live.services.get(&service).unwrap();
            let murder::state::LiveService::Postfix(one) = one;
            assert_eq!(one.running, murder::state::Running::Yes, "{sh}: {service}");
            let interfaces = one.main_cf.get("inet_interfaces");
            assert_eq!(interfaces, Some(address), "{sh}: {service}");
        }
    }
    // One that the host does not have is named, as before.
    let missing = wanted(&"postfix-in".parse().unwrap(), "c.example");
    desired.services.extend(missing.services);
    let questions = murder::plan::questions(&desired, &Secrets::default(), None).unwrap();
    let error = Remote::new(host.shell()).observe(&questions).unwrap_err();
    assert!(
        format!("{error:?}").contains("the host has no instance `postfix-in`"),
        "{error:?}"
    );
}

#[test]
fn an_instance_is_changed_and_the_default_one_is_not_touched() {
    let host = host();
    let (default, master) = (fingerprint(&host), master_of_default(&host));
    let desired = wanted(&out(), "a.example");
    apply(&host, &desired, "r1");
    assert_eq!(
        host.run("postconf -c /etc/postfix-out -h relay_domains"),
        "a.example\n"
    );
    assert_eq!(
        host.run(&format!(
            "postmap -c /etc/postfix-out -q a.example hash:{TABLE}"
        )),
        "relay:[inner.example.org]:25\n"
    );
    let before = traces(&host);
    assert!(plan(&host, &desired).is_none());
    assert_eq!(traces(&host), before, "a converged host was written to");

    // Drift is seen, and put right.
    host.run("postconf -c /etc/postfix-out -e relay_domains=b.example");
    apply(&host, &desired, "r2");
    assert_eq!(
        host.run("postconf -c /etc/postfix-out -h relay_domains"),
        "a.example\n"
    );

    // A step that fails after the reload is put back, and the instance runs as before.
    let next = wanted(&out(), "c.example");
    let planned = plan(&host, &next).unwrap();
    let counted = perform(&host, &planned, "count", "count");
    assert_eq!(counted.ending, Ending::Done);
    let points: u32 = counted
        .log
        .iter()
        .find_map(|line| line.strip_prefix("points ")?.parse().ok())
        .unwrap();
    apply(&host, &desired, "r3");
    let planned = plan(&host, &next).unwrap();
    let failed = perform(&host, &planned, "r4", &format!("fail:{}", points - 2));
    assert!(
        matches!(failed.ending, Ending::NotDone(NotDone::PutBack { .. })),
        "{failed:?}"
    );
    assert_eq!(
        host.run("postconf -c /etc/postfix-out -h relay_domains"),
        "a.example\n"
    );
    assert!(plan(&host, &desired).is_none());
    assert_eq!(leftovers(&host), [""; 0]);

    assert_eq!(
        fingerprint(&host),
        default,
        "a file of the default instance changed"
    );
    assert_eq!(
        master_of_default(&host),
        master,
        "the default instance was restarted"
    );
    assert_eq!(
        host.run("postmulti -i postfix-out -p status && echo runs"),
        "runs\n"
    );
}

#[test]
fn roles_that_move_to_another_instance_leave_the_first_one_as_it_was() {
    let host = host();
    let before = host.run("cd /etc/postfix; sort main.cf; cat master.cf; ls");
    apply(&host, &wanted(&Service::POSTFIX, "a.example"), "r1");
    let moved = wanted(&out(), "a.example");
    let planned = plan(&host, &moved).unwrap();
    assert!(
        planned
            .steps
            .iter()
            .any(|step| matches!(step, Step::Reload { service, .. } if *service == out()))
    );
    let performed = perform(&host, &planned, "r2", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(plan(&host, &moved).is_none());
    assert_eq!(
        host.run("cd /etc/postfix; sort main.cf; cat master.cf; ls"),
        before
    );
    let ledger = host.read("/var/lib/murder/ledger.json");
    assert!(
        ledger.contains("\"postfix-out\": {") && !ledger.contains("\"postfix\": {"),
        "{ledger}"
    );
    // And a fault in a plan of two instances puts both back.
    let back = wanted(&Service::POSTFIX, "a.example");
    let planned = plan(&host, &back).unwrap();
    let failed = perform(&host, &planned, "r3", "fail:9");
    assert!(
        matches!(
            failed.ending,
            Ending::NotDone(NotDone::PutBack { .. } | NotDone::Untouched { .. })
        ),
        "{failed:?}"
    );
    assert_eq!(
        host.run("cd /etc/postfix; sort main.cf; cat master.cf; ls"),
        before
    );
    let table = host.run(&format!(
        "postmap -c /etc/postfix-out -q a.example hash:{TABLE}"
    ));
    assert_eq!(table, "relay:[inner.example.org]:25\n");
    let performed = perform(&host, &plan(&host, &back).unwrap(), "r4", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert!(plan(&host, &back).is_none());
    assert_eq!(
        host.run("ls /etc/postfix-out/transport* 2>&1 | grep -c 'No such'"),
        "1\n"
    );
}

#[test]
fn an_instance_that_postmulti_does_not_know_is_a_failure_with_its_command() {
    let host = Host::running();
    let desired = wanted(&out(), "a.example");
    let asked = questions(&desired, &Secrets::default(), None).unwrap();
    let missing = Remote::new(host.shell())
        .observe(&asked)
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("has no instance `postfix-out`"),
        "{missing}"
    );
    // The commands of the help make it.
    host.run("postmulti -e init; postmulti -I postfix-out -e create");
    let verdict = verdict(&host, &desired);
    let remarks: Vec<&str> = verdict
        .remarks
        .iter()
        .map(|remark| remark.text.as_str())
        .collect();
    assert!(
        remarks
            .iter()
            .any(|text| text.contains("`postfix-out` is not enabled")),
        "{remarks:?}"
    );
    assert!(
        verdict.stopped,
        "an instance that does not run is said to run"
    );
    // It is changed all the same, and not started.
    apply(&host, &desired, "r1");
    assert_eq!(
        host.run("postmulti -i postfix-out -p status 2>/dev/null || echo stopped"),
        "stopped\n"
    );
    // One that is taken out of the list, and the command of the help.
    host.run("postconf -e multi_instance_directories=");
    let unlisted = failure(&host, &desired);
    assert!(
        unlisted.summary.contains("multi_instance_directories"),
        "{unlisted:?}"
    );
    let hint = unlisted.hint.unwrap();
    let command = hint.split('`').nth(1).unwrap();
    host.run(command);
    assert!(plan(&host, &desired).is_none());
    // One that was destroyed is forgotten where the manifest does not name it any more.
    host.run("postmulti -i postfix-out -e disable; postconf -e multi_instance_directories=; rm -r /etc/postfix-out");
    let elsewhere = Desired {
        services: [(Service::POSTFIX, DesiredService::default())].into(),
        ..Desired::default()
    };
    apply(&host, &elsewhere, "r2");
}

#[test]
fn a_port_of_another_instance_is_found_before_anything_changes() {
    let host = host();
    let mut desired = wanted(&out(), "a.example");
    let interfaces = Thing::Parameter(Parameter::new("inet_interfaces").unwrap());
    let one = desired.services.get_mut(&out()).unwrap();
    one.values
        .insert(interfaces, Want::Present("127.0.0.1".to_owned()));
    let plan = plan(&host, &desired).expect("a plan");
    let refusals: Vec<&str> = plan
        .refusals
        .iter()
        .map(|refusal| refusal.summary.as_str())
        .collect();
    assert!(
        refusals.iter().any(
            |text| text.contains("`smtp/inet` of the default instance listen on the same port")
        ),
        "{refusals:?}"
    );
    // One that the host has already is no work of this plan.
    host.run("postconf -c /etc/postfix-out -e inet_interfaces=127.0.0.1");
    let verdict = verdict(&host, &wanted(&out(), "a.example"));
    let remarks: Vec<&str> = verdict
        .remarks
        .iter()
        .map(|remark| remark.text.as_str())
        .collect();
    assert!(
        remarks
            .iter()
            .any(|text| text.contains("listen on the same port")),
        "{remarks:?}"
    );
    host.run("postconf -c /etc/postfix-out -e inet_interfaces=127.0.0.2");
    let right = self::verdict(&host, &wanted(&out(), "a.example"));
    assert!(right.remarks.is_empty(), "{:?}", right.remarks);
}
