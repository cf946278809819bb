//! What is no longer in the manifest.

use super::*;

#[test]
fn what_nobody_names_goes_or_goes_back() {
    let managed = ledger(&[
        (parameter("relayhost"), Origin::Created, Some("[ours]")),
        (
            parameter("myorigin"),
            Origin::Adopted(crate::ledger::Previous::Value("/etc/mailname".into())),
            Some("example.org"),
        ),
    ]);
    let plan = Bench::new("relayhost = [ours]\nmyorigin = example.org\n")
        .ledger(managed.clone())
        .plan();
    assert!(plan.refusals.is_empty());
    assert!(postfix(&plan.ledger).managed.is_empty());
    assert!(plan.steps.contains(&Step::Value {
        service: Service::POSTFIX,
        thing: parameter("relayhost"),
        change: Change::Delete {
            before: "[ours]".into()
        },
        cause: Cause::Unnamed,
    }));
    assert!(plan.steps.contains(&Step::Value {
        service: Service::POSTFIX,
        thing: parameter("myorigin"),
        change: Change::Update {
            before: "example.org".into(),
            after: "/etc/mailname".into()
        },
        cause: Cause::Unnamed,
    }));
    // Somebody else changed it since: a word is needed.
    let bench = Bench::new("relayhost = [theirs]\nmyorigin = /etc/mailname\n").ledger(managed);
    assert_eq!(flags(&bench.plan()), [Some("--allow-overwrite")]);
    assert!(bench.plan().steps.contains(&Step::Release {
        service: Service::POSTFIX,
        thing: parameter("myorigin")
    }));
}

#[test]
fn an_unnamed_table_goes_with_the_index_that_we_built() {
    let transport = path("/etc/postfix/transport");
    let text = state("ours\n");
    let mut managed = ledger(&[(
        Thing::File(transport.clone()),
        Origin::Created,
        Some(&text.sha256),
    )]);
    postfix_mut(&mut managed)
        .indexes
        .insert(transport.clone(), text.sha256.clone());
    // Nobody asks for the index by name any more: only the ledger knows of it.
    let plan = Bench::new("")
        .ledger(managed)
        .has_file("/etc/postfix/transport", text)
        .plan();
    assert!(plan.steps.iter().any(|step| matches!(
        step,
        Step::Delete { path, index_type: Some(kind), .. } if *path == transport && kind.index_suffix() == Some(".db")
    )));
}

#[test]
fn what_is_left_alone_is_released() {
    let mut bench = Bench::new("content_filter = x\n").ledger(ledger(&[(
        parameter("content_filter"),
        Origin::Created,
        Some("x"),
    )]));
    bench
        .desired
        .postfix_mut()
        .leave
        .insert(parameter("content_filter"));
    let plan = bench.plan();
    assert_eq!(
        plan.steps,
        [Step::Release {
            service: Service::POSTFIX,
            thing: parameter("content_filter")
        }]
    );
    assert!(!plan.changes_host());
}
