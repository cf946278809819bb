//! Plans that are refused until a flag lifts the refusal.

use super::*;

#[test]
fn going_back_over_somebody_elses_change_needs_a_word() {
    let at = "/etc/postfix/transport";
    let service = "master.cf:new/unix";
    let option = "master.cf:lmtp/unix:syslog_name";
    let thing = |text: &str| text.parse::<Thing>().unwrap();
    let managed = ledger(&[
        (parameter("relayhost"), Origin::Created, Some("[ours]")),
        (parameter("biff"), Origin::Created, None),
        (parameter("myorigin"), Origin::Created, Some("ours.x")),
        (
            thing(service),
            Origin::Created,
            Some("new unix - - - - - x"),
        ),
        (thing(option), Origin::Created, Some("postfix/ours")),
        (
            Thing::File(path(at)),
            Origin::Created,
            Some(&sha256_hex(b"ours\n")),
        ),
    ]);
    // Changed: a value, an absence, an option and a file; taken away: a value and an entry.
    let main_cf = "relayhost = [theirs]\nbiff = no\n";
    let mut bench = Bench::new(main_cf)
        .want("relayhost", "[then]")
        .want("myorigin", "then.x")
        .want_file(at, file(Body::plain("then\n")))
        .has_file(at, state("theirs\n"))
        .ledger(managed);
    for (name, want) in [
        ("main.cf:biff", Want::Absent),
        ("master.cf:new/unix/command", Want::Present("x".to_owned())),
        (option, Want::Present("postfix/then".to_owned())),
    ] {
        bench.desired.postfix_mut().values.insert(thing(name), want);
    }
    assert!(bench.plan().refusals.is_empty(), "an apply puts them right");
    bench.rollback = true;
    let plan = bench.plan();
    assert_eq!(flags(&plan), [Some("--allow-overwrite"); 6], "{plan:?}");
    for name in [at, "relayhost", "biff", "myorigin", service, option] {
        let named = |refusal: &Refusal| {
            refusal.summary.contains(&format!(
                "{name}`, which was changed on the host since generation 1"
            ))
        };
        assert!(plan.refusals.iter().any(named), "{name}: {plan:?}");
    }
    assert!(is_lifted(&plan, RefusalKind::Overwrite));
    // What is as we left it goes back without a word, and what is as it was then needs none.
    let as_left = Bench {
        rollback: true,
        ..Bench::new("relayhost = [ours]\nmyorigin = then.x\n")
            .want("relayhost", "[then]")
            .want("myorigin", "then.x")
            .ledger(ledger(&[
                (parameter("relayhost"), Origin::Created, Some("[ours]")),
                (parameter("myorigin"), Origin::Created, Some("ours.x")),
            ]))
    };
    assert!(as_left.plan().refusals.is_empty());
}

#[test]
fn the_host_has_the_last_word_on_names() {
    let mut bench = Bench::new("x = $my_own\n")
        .want("relayhost", "[a]")
        .want("my_own", "1")
        .want("lmtp_destination_recipient_limit", "1")
        .want("smtpd_new_thing", "1");
    bench.live.facts.parameters = ["relayhost"].into_iter().collect();
    // A service that the plan itself adds has its parameters.
    let filter = crate::name::ServiceName::new("filter/unix").unwrap();
    bench.desired.postfix_mut().values.insert(
        Thing::Field(filter, Field::Command),
        Want::Present("smtp".to_owned()),
    );
    let bench = bench.want("filter_destination_recipient_limit", "1");
    let plan = bench.plan();
    assert_eq!(plan.refusals.len(), 1, "{:?}", plan.refusals);
    assert!(plan.refusals[0].summary.contains("smtpd_new_thing"));
}

#[test]
fn another_murders_host_is_refused() {
    let mut theirs = ledger(&[]);
    theirs.murder = "example.net".into();
    assert_eq!(
        flags(&Bench::new("").ledger(theirs).plan()),
        [Some("--take-over")]
    );
}

#[test]
fn too_many_deletions_need_a_word() {
    let names: Vec<String> = (0..10).map(|n| format!("p{n}")).collect();
    let managed: Vec<_> = names
        .iter()
        .map(|name| (parameter(name), Origin::Created, Some("1")))
        .collect();
    let main_cf: String = names.iter().map(|name| format!("{name} = 1\n")).collect();
    let bench = |kept: usize| {
        let mut bench = Bench::new(&main_cf).ledger(ledger(&managed));
        for name in &names[..kept] {
            bench = bench.want(name, "1");
        }
        bench
    };
    assert!(bench(7).plan().refusals.is_empty());
    assert_eq!(flags(&bench(6).plan()), [Some("--allow-delete")]);
    let mut retired = bench(0);
    retired.desired.retired = true;
    let plan = retired.plan();
    assert!(plan.refusals.is_empty());
    assert!(!plan.keeps_ledger);
    assert!(plan.only_takes_away());
}

/// A host whose `transport_maps` names tables of ours: two files, in the ledger.
fn routed(maps: &str, origin: Origin) -> Bench {
    let files = ["/etc/postfix/ldap/a.cf", "/etc/postfix/transport"];
    let mut managed = vec![(parameter("transport_maps"), origin, Some(maps))];
    let sha = sha256_hex(b"ours\n");
    for at in files {
        managed.push((Thing::File(path(at)), Origin::Created, Some(&sha)));
    }
    let mut bench = Bench::new(&format!("transport_maps = {maps}\n")).ledger(ledger(&managed));
    for at in files {
        bench = bench.has_file(at, state("ours\n"));
    }
    bench
}

#[test]
fn the_last_transport_map_needs_a_word_however_it_goes() {
    let maps = "ldap:/etc/postfix/ldap/a.cf, proxy:hash:/etc/postfix/transport";
    let ours = |text: &str| file(Body::plain(text));
    let kept = |bench: Bench| {
        bench
            .want_file("/etc/postfix/ldap/a.cf", ours("ours\n"))
            .want_file("/etc/postfix/transport", ours("ours\n"))
    };
    let refused = |bench: &Bench, how: &str| {
        let plan = bench.plan();
        assert_eq!(flags(&plan), [Some("--allow-delete")], "{plan:?}");
        let words = &plan.refusals[0].summary;
        assert!(words.contains(how), "{words}");
    };
    // Nobody names it: deleted, or given back as the nothing that it was.
    refused(&kept(routed(maps, Origin::Created)), "is deleted");
    let nothing = Origin::Adopted(crate::ledger::Previous::Value(String::new()));
    refused(&kept(routed(maps, nothing)), "is emptied");
    let unset = || kept(routed(maps, Origin::Created)).want("transport_maps", "");
    refused(&unset(), "is emptied");
    assert!(is_lifted(&unset().plan(), RefusalKind::Delete));
    // It stays, and every table that it names goes.
    let stays = || routed(maps, Origin::Created).want("transport_maps", maps);
    refused(&stays(), "every table that `transport_maps` names");
    let one = stays().want_file("/etc/postfix/transport", ours("ours\n"));
    assert!(one.plan().refusals.is_empty(), "one is left");
    let less = routed(maps, Origin::Created).want("transport_maps", "hash:/etc/postfix/transport");
    refused(&less, "every table that `transport_maps` names");
    let other = routed(maps, Origin::Created).want("transport_maps", "inline:{ a=lmtp:b }");
    assert!(other.plan().refusals.is_empty());
    // Where there was none, none goes; and what was never ours is only shown.
    let none = kept(routed("", Origin::Created));
    assert!(none.plan().refusals.is_empty());
    let first = Bench::new("transport_maps = hash:/x\n").want("transport_maps", "");
    assert!(is_lifted(&first.plan(), RefusalKind::Adopt));
}
