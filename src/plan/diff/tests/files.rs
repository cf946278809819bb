//! Files and indexes.

use super::*;

#[test]
fn a_mode_that_somebody_else_set_is_drift_and_one_that_the_manifest_sets_is_not() {
    let cause = |bench: &Bench| match &bench.plan().steps[0] {
        Step::File { cause, .. } => *cause,
        other => panic!("{other:?}"),
    };
    let wanted = file(Body::plain("x\n".to_owned()));
    let bench = Bench::new("").want_file("/etc/postfix/x", wanted.clone());
    let applied = bench.plan().ledger;
    let open = LiveState {
        mode: Mode::from_bits(0o666),
        ..state("x\n")
    };
    let bench = bench
        .ledger(applied.clone())
        .has_file("/etc/postfix/x", state("x\n"));
    assert_eq!(bench.verdict().verdict, Verdict::Converged);
    let bench = bench.has_file("/etc/postfix/x", open);
    assert_eq!(cause(&bench), Cause::Drift);

    let tighter = File {
        mode: Mode::from_bits(0o600),
        ..wanted
    };
    let bench = bench
        .has_file("/etc/postfix/x", state("x\n"))
        .want_file("/etc/postfix/x", tighter);
    assert_eq!(cause(&bench), Cause::Wanted);
    // A ledger of before knows no modes, and goes on being read.
    let mut old = applied;
    for managed in postfix_mut(&mut old).managed.values_mut() {
        managed.access = None;
    }
    let text = serde_json::to_string(&old).unwrap();
    assert!(!text.contains("access"));
    let bench = bench.ledger(serde_json::from_str(&text).unwrap());
    assert_eq!(cause(&bench), Cause::Wanted);
}

#[test]
fn a_first_contact_replaces_no_text_without_a_word() {
    let bench = |text: &str| {
        Bench::new("")
            .want_file("/etc/postfix/transport", file(Body::plain("ours\n")))
            .has_file("/etc/postfix/transport", state(text))
    };
    assert_eq!(flags(&bench("theirs\n").plan()), [Some("--adopt")]);
    assert!(bench("").plan().refusals.is_empty());
    // Equal bytes are taken over, ledger only.
    let plan = bench("ours\n").plan();
    assert_eq!(
        plan.steps,
        [Step::TakeOver {
            service: Service::POSTFIX,
            thing: Thing::File(path("/etc/postfix/transport"))
        }]
    );
    let adopted = bench("# Ansible managed\ntheirs\n");
    let verdict = adopted.verdict();
    assert!(verdict.remarks[0].text.contains("ansible managed"));
    let plan = adopted.plan();
    assert!(is_lifted(&plan, RefusalKind::Adopt));
    assert_eq!(plan.adopts, [path("/etc/postfix/transport")]);
}

#[test]
fn no_secret_is_in_a_plan() {
    let name = SecretName("ldap.bind_pw".into());
    let body = Body(vec![
        crate::secret::Piece::Text("bind_pw = ".into()),
        crate::secret::Piece::Secret(name.clone()),
        crate::secret::Piece::Text("\nscope = sub\n".into()),
    ]);
    let mut bench = Bench::new("")
        .want_file("/etc/postfix/ldap/x.cf", file(body))
        .has_file(
            "/etc/postfix/ldap/x.cf",
            state("bind_pw = handmade\nscope = one\n"),
        );
    bench.secrets.insert(name, Secret::new("hunter2".into()));
    let text = format!(
        "{:?}{}",
        bench.verdict(),
        serde_json::to_string(&bench.verdict()).unwrap()
    );
    assert!(
        !text.contains("hunter2") && !text.contains("handmade"),
        "{text}"
    );
    assert!(text.contains("*** (changed)"));
}

#[test]
fn an_index_is_built_when_its_source_changes_when_it_is_missing_and_when_it_is_old() {
    let mut table = file(Body::plain("a b\n"));
    table.index = Some(TableType::new("hash").unwrap());
    let source = "/etc/postfix/transport";
    let sha = sha256_hex(b"a b\n");
    let bench = |index: LiveFile| {
        let mut managed = ledger(&[(Thing::File(path(source)), Origin::Created, Some(&sha))]);
        let of_postfix = postfix_mut(&mut managed);
        of_postfix.indexes.insert(path(source), sha.clone());
        of_postfix.activated = Some(activation_after(of_postfix));
        let mut bench = Bench::new("")
            .want_file(source, table.clone())
            .has_file(source, state("a b\n"))
            .ledger(managed);
        bench
            .live
            .indexes
            .insert(path("/etc/postfix/transport.db"), index);
        bench
    };
    let fresh = LiveFile::Present(state("binary"));
    assert_eq!(bench(fresh.clone()).verdict().verdict, Verdict::Converged);
    let reason = |plan: &HostPlan| {
        plan.steps.iter().find_map(|step| match step {
            Step::Index { reason, .. } => Some(*reason),
            _ => None,
        })
    };
    assert_eq!(
        reason(&bench(LiveFile::Absent).plan()),
        Some(IndexReason::Missing)
    );
    let mut old = state("binary");
    old.mtime = 99;
    assert_eq!(
        reason(&bench(LiveFile::Present(old)).plan()),
        Some(IndexReason::Stale)
    );
    let mut other = bench(fresh);
    postfix_mut(other.live.ledger.as_mut().unwrap())
        .indexes
        .insert(path(source), "0".repeat(64));
    assert_eq!(reason(&other.plan()), Some(IndexReason::Stale));
}
