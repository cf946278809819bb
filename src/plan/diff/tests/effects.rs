//! Check, reload, restart, and the order of the steps.

use super::*;

#[test]
fn an_apply_that_did_not_come_to_reload_is_finished() {
    let mut managed = ledger(&[(parameter("relayhost"), Origin::Created, Some("[ours]"))]);
    postfix_mut(&mut managed).activated = Some("the hash of another time".into());
    let plan = Bench::new("relayhost = [ours]\n")
        .want("relayhost", "[ours]")
        .ledger(managed)
        .plan();
    assert!(plan.steps.contains(&Step::Reload {
        service: Service::POSTFIX,
        reason: ReloadReason::NotToldYet
    }));
}

#[test]
fn a_restart_needs_a_word() {
    let bench = Bench::new("inet_interfaces = all\n").want("inet_interfaces", "loopback-only");
    assert_eq!(flags(&bench.plan()), [Some("--allow-restart")]);
    let plan = bench.plan();
    assert!(is_lifted(&plan, RefusalKind::Restart));
    assert!(
        plan.steps
            .iter()
            .any(|step| matches!(step, Step::Restart { .. }))
    );
    assert!(
        !plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::Reload { .. }))
    );
}

#[test]
fn the_steps_stand_in_their_one_safe_order() {
    let mut table = file(Body::plain("a b\n"));
    table.index = Some(TableType::new("hash").unwrap());
    let gone = "/etc/postfix/old";
    let mut bench = Bench::new("")
        .want("transport_maps", "hash:/etc/postfix/transport")
        .want_file("/etc/postfix/transport", table)
        .has_file(gone, state("x\n"))
        .ledger(ledger(&[(
            Thing::File(path(gone)),
            Origin::Created,
            Some(&sha256_hex(b"x\n")),
        )]));
    bench
        .live
        .indexes
        .insert(path("/etc/postfix/transport.db"), LiveFile::Absent);
    bench.desired.postfix_mut().values.insert(
        Thing::Field(
            crate::name::ServiceName::new("lmtp/unix").unwrap(),
            Field::Chroot,
        ),
        Want::Present("n".into()),
    );
    let order: Vec<String> = bench
        .plan()
        .steps
        .iter()
        .map(|step| {
            let text = serde_json::to_value(step).unwrap();
            let thing = text
                .get("thing")
                .and_then(|thing| thing.as_str())
                .unwrap_or("");
            format!("{} {thing}", text["step"].as_str().unwrap())
                .trim()
                .to_owned()
        })
        .collect();
    assert_eq!(
        order,
        [
            "file",
            "index",
            "value master.cf:lmtp/unix/chroot",
            "value main.cf:transport_maps",
            "check",
            "reload",
            "probe",
            "delete"
        ]
    );
}
