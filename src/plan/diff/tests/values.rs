//! Parameters, and fields and options of master.cf entries.

use super::*;

#[test]
fn commas_of_a_list_are_layout() {
    let same = |live: &str, wanted: &str| {
        let main_cf = format!("mydestination = {live}\n");
        Bench::new(&main_cf).want("mydestination", wanted).plan()
    };
    let plan = same("$myhostname,localhost", "$myhostname, localhost");
    assert!(
        plan.steps
            .iter()
            .all(|step| matches!(step, Step::TakeOver { .. }))
    );
    // The recorded value and the host's own differ in layout: the next plan has nothing to do, not even a reload.
    let converged = Bench::new("mydestination = $myhostname,localhost\n")
        .want("mydestination", "$myhostname, localhost")
        .ledger(plan.ledger);
    assert_eq!(converged.verdict().verdict, Verdict::Converged);
    let changed = same("$myhostname,localhost,x", "$myhostname, localhost");
    assert!(
        matches!(changed.steps[0], Step::Value { .. }),
        "{changed:?}"
    );
}

#[test]
fn a_parameter_is_created_updated_and_left_alone() {
    let plan = Bench::new("relayhost = [old]\nbiff = no\n")
        .want("relayhost", "[new]")
        .want("myorigin", "example.org")
        .want("biff", "no")
        .plan();
    let values: Vec<_> = plan
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Value {
                thing,
                change,
                cause,
                ..
            } => Some((thing.to_string(), change.clone(), *cause)),
            _ => None,
        })
        .collect();
    assert_eq!(
        values,
        [
            (
                "main.cf:myorigin".to_owned(),
                Change::Create {
                    after: "example.org".to_owned()
                },
                Cause::Wanted
            ),
            (
                "main.cf:relayhost".to_owned(),
                Change::Update {
                    before: "[old]".to_owned(),
                    after: "[new]".to_owned()
                },
                Cause::FirstContact
            ),
        ]
    );
    assert!(plan.steps.contains(&Step::TakeOver {
        service: Service::POSTFIX,
        thing: parameter("biff")
    }));
    assert!(plan.steps.contains(&Step::Reload {
        service: Service::POSTFIX,
        reason: ReloadReason::ConfigurationChanges
    }));
    assert!(is_lifted(&plan, RefusalKind::Adopt), "{:?}", plan.refusals);
    assert!(
        plan.refusals[0]
            .summary
            .ends_with("1 value that the host had before the first apply: `main.cf:relayhost`")
    );
    assert_eq!(
        postfix(&plan.ledger).managed[&parameter("relayhost")].origin,
        Origin::Adopted(crate::ledger::Previous::Value("[old]".into()))
    );
}

#[test]
fn layout_is_not_drift() {
    let bench = Bench::new("mynetworks =\n  127.0.0.0/8\n# a comment inside\n  [::1]/128\n")
        .want("mynetworks", "127.0.0.0/8 [::1]/128")
        .ledger(ledger(&[(
            parameter("mynetworks"),
            Origin::Created,
            Some("127.0.0.0/8   [::1]/128"),
        )]));
    assert_eq!(bench.verdict().verdict, Verdict::Converged);
}

#[test]
fn a_ledger_of_format_1_is_no_change_by_itself() {
    let now = ledger(&[(parameter("relayhost"), Origin::Created, Some("[ours]"))]);
    let of_postfix = postfix(&now);
    let first = serde_json::json!({
        "version": 1,
        "murder": now.murder,
        "generation": 1,
        "managed": of_postfix.managed,
        "told": of_postfix.activated,
    });
    let read = Ledger::from_bytes(first.to_string().as_bytes()).unwrap();
    let bench = Bench::new("relayhost = [ours]\n").ledger(read);
    let same = bench.want("relayhost", "[ours]");
    assert_eq!(same.verdict().verdict, Verdict::Converged);
    let plan = same.want("biff", "no").plan();
    assert_eq!(plan.ledger.version, LEDGER_VERSION);
    assert_eq!(postfix(&plan.ledger).managed.len(), 2);
}

#[test]
fn drift_is_named_as_such_and_put_right() {
    let plan = Bench::new("relayhost = [somebody]\n")
        .want("relayhost", "[ours]")
        .ledger(ledger(&[(
            parameter("relayhost"),
            Origin::Created,
            Some("[ours]"),
        )]))
        .plan();
    assert!(plan.steps.iter().any(|step| matches!(
        step,
        Step::Value {
            cause: Cause::Drift,
            ..
        }
    )));
    assert_eq!(
        postfix(&plan.ledger).managed[&parameter("relayhost")].origin,
        Origin::Created
    );
    assert_eq!(plan.ledger.generation, 2);
}

#[test]
fn a_service_is_edited_by_field_and_option_or_created_whole() {
    let lmtp = crate::name::ServiceName::new("lmtp/unix").unwrap();
    let new = crate::name::ServiceName::new("10025/inet").unwrap();
    let mut bench = Bench::new("");
    for (thing, value) in [
        (Thing::Field(lmtp.clone(), Field::Chroot), "n"),
        (
            Thing::Option(lmtp.clone(), Parameter::new("syslog_name").unwrap()),
            "postfix/x",
        ),
        (Thing::Field(new.clone(), Field::Command), "smtpd"),
        (Thing::Field(new.clone(), Field::Private), "n"),
        (
            Thing::Option(new.clone(), Parameter::new("content_filter").unwrap()),
            "",
        ),
    ] {
        bench
            .desired
            .postfix_mut()
            .values
            .insert(thing, Want::Present(value.to_owned()));
    }
    let plan = bench.plan();
    assert!(plan.steps.contains(&Step::Value {
        service: Service::POSTFIX,
        thing: Thing::Field(lmtp, Field::Chroot),
        change: Change::Update {
            before: "y".into(),
            after: "n".into()
        },
        cause: Cause::FirstContact,
    }));
    assert!(plan.steps.contains(&Step::Value {
        service: Service::POSTFIX,
        thing: Thing::Service(new.clone()),
        change: Change::Create {
            after: "10025 inet n - - - - smtpd -o content_filter=".into()
        },
        cause: Cause::Wanted,
    }));
    assert_eq!(
        plan.steps
            .iter()
            .filter(|step| matches!(step, Step::Value { .. }))
            .count(),
        2
    );
    // Without a command there is nothing to create.
    bench
        .desired
        .postfix_mut()
        .values
        .remove(&Thing::Field(new, Field::Command));
    assert!(matches!(bench.verdict().verdict, Verdict::Failed { .. }));
}

#[test]
fn what_a_package_wrote_is_no_setting_of_the_host() {
    let refused = |main_cf: &str, name: &str, wanted: Want<String>| {
        let mut bench = Bench::new(main_cf);
        let environment = &mut bench.postfix_live().environment;
        environment.hostname = Some("mx.example.org".to_owned());
        environment.mail_name = Some("mx.example.org".to_owned());
        let values = &mut bench.desired.postfix_mut().values;
        values.insert(parameter(name), wanted);
        let plan = bench.plan();
        plan.refusals
            .iter()
            .any(|one| one.kind == RefusalKind::Adopt)
    };
    let to = |value: &str| Want::Present(value.to_owned());
    for (line, wanted, expected) in [
        ("biff = no", Want::Absent, false),
        ("biff = yes", to("no"), false),
        (
            "mydestination = $myhostname, mx.example.org, localhost.example.org, , localhost",
            to("$myhostname"),
            false,
        ),
        (
            "mydestination = $myhostname, example.net",
            to("$myhostname"),
            true,
        ),
        (
            "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128",
            to("10.0.0.0/8"),
            false,
        ),
        (
            "mynetworks = 127.0.0.0/8 192.0.2.0/24",
            to("10.0.0.0/8"),
            true,
        ),
        ("myhostname = mx", to("a.example.org"), false),
        ("myhostname = mail.example.net", to("a.example.org"), true),
        ("inet_interfaces = localhost", to("all"), false),
        ("relayhost =", to("[a]"), false),
        ("relayhost = [b]", Want::Absent, true),
        ("message_size_limit = 1000", Want::Absent, true),
        ("compatibility_level = 2", to("3.6"), false),
        ("my_own = 1", to("2"), true),
    ] {
        let name = line.split(' ').next().unwrap();
        assert_eq!(
            refused(&format!("{line}\n"), name, wanted),
            expected,
            "{line}"
        );
    }
}
