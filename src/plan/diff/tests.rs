//! Desired against live, case by case.
#![allow(clippy::unwrap_used, clippy::panic)]

// What Postfix cannot read, and a Postfix that does not run.
mod adopted;
mod unusable;
// What an apply that did not end leaves to the next one.
mod unfinished;
// The generation that a plan carries.
mod recorded;
// What is let go.
mod released;
// Entries of master.cf, from one apply to the next.
mod services;
// What becomes of the members of lists.
mod members;

use std::collections::BTreeMap;

use super::*;
use crate::digest::sha256_hex;
use crate::name::{Mode, Parameter, RemotePath, TableType, UserName};
use crate::plan::{Change, IndexReason, ReloadReason};
use crate::postfix::{MainCf, MasterCf};
use crate::secret::{Body, Secret, SecretName};
use crate::state::{Facts, File, LiveState, Running, Want};
use crate::thing::Field;

const MASTER: &str = "smtp inet n - y - - smtpd\nlmtp unix - - y - - lmtp\n  -o syslog_name=postfix/x\n\
     cleanup unix n - y - 0 cleanup\nqmgr unix n - n 300 1 qmgr\nrewrite unix - - y - - trivial-rewrite\n";

/// A master.cf with these lines, and those that no Postfix can do without.
fn master_cf(lines: &str) -> MasterCf {
    let needed = &MASTER[MASTER.find("cleanup").unwrap()..];
    let own = lines.replace(needed, "");
    MasterCf::parse(format!("{own}{needed}").as_bytes())
}

fn parameter(name: &str) -> Thing {
    Thing::Parameter(Parameter::new(name).unwrap())
}

fn path(text: &str) -> RemotePath {
    RemotePath::new(text).unwrap()
}

fn file(body: Body) -> File {
    File {
        body,
        owner: UserName::new("root").unwrap(),
        group: UserName::new("postfix").unwrap(),
        mode: Mode::from_bits(0o640),
        index: None,
        table: None,
    }
}

fn state(text: &str) -> LiveState {
    LiveState {
        sha256: sha256_hex(text.as_bytes()),
        owner: "root".into(),
        group: "postfix".into(),
        mode: Mode::from_bits(0o640),
        size: text.len() as u64,
        mtime: 100,
        link: None,
        text: Some(text.to_owned()),
    }
}

/// A host and what is wanted of it, to be bent by each test.
struct Bench {
    desired: Desired,
    live: Live,
    secrets: Secrets,
    rollback: bool,
}

impl Bench {
    fn new(main_cf: &str) -> Self {
        Self {
            desired: Desired::default(),
            live: Live {
                facts: Facts::debian(),
                main_cf: MainCf::parse(main_cf.as_bytes()),
                master_cf: MasterCf::parse(MASTER.as_bytes()).into(),
                main_cf_sha256: sha256_hex(main_cf.as_bytes()),
                master_cf_sha256: sha256_hex(MASTER.as_bytes()),
                files: BTreeMap::new(),
                indexes: BTreeMap::new(),
                running: Running::Yes,
                ledger: None,
                ledger_sha256: None,
                journal: None,
                pending: None,
                lock: None,
                leftovers: Vec::new(),
                last_words: false,
                remarks: Vec::new(),
            },
            secrets: Secrets::default(),
            rollback: false,
        }
    }

    fn want(mut self, name: &str, value: &str) -> Self {
        self.desired
            .values
            .insert(parameter(name), Want::Present(value.to_owned()));
        self
    }

    fn want_file(mut self, at: &str, file: File) -> Self {
        self.desired.files.insert(path(at), Want::Present(file));
        self
    }

    fn has_file(mut self, at: &str, state: LiveState) -> Self {
        self.live.files.insert(path(at), LiveFile::Present(state));
        self
    }

    fn ledger(mut self, ledger: Ledger) -> Self {
        self.live.ledger = Some(ledger);
        self
    }

    fn verdict(&self) -> HostVerdict {
        diff(DiffInput {
            known: None,
            murder: "example.org",
            desired: &self.desired,
            live: &self.live,
            secrets: &self.secrets,
            hosts: &[],
            keep: crate::history::KEPT,
            rollback: self.rollback.then_some(1),
        })
    }

    fn plan(&self) -> HostPlan {
        match self.verdict().verdict {
            Verdict::Changes(plan) => *plan,
            other => panic!("no changes: {other:?}"),
        }
    }
}

fn ledger(managed: &[(Thing, Origin, Option<&str>)]) -> Ledger {
    let mut postfix = ServiceLedger {
        managed: managed
            .iter()
            .map(|(thing, origin, value)| {
                (
                    thing.clone(),
                    Managed {
                        origin: origin.clone(),
                        value: value.map(str::to_owned),
                        access: None,
                    },
                )
            })
            .collect(),
        ..ServiceLedger::default()
    };
    postfix.activated = Some(activation_after(&postfix));
    Ledger {
        version: LEDGER_VERSION,
        murder: "example.org".into(),
        generation: 1,
        services: [(Service::POSTFIX, postfix)].into(),
        applied: None,
        hosts: Vec::new(),
        facts: None,
        host_key: None,
    }
}

/// What a ledger says of Postfix.
fn postfix(ledger: &Ledger) -> &ServiceLedger {
    ledger.service(&Service::POSTFIX)
}

/// The same, to be changed.
fn postfix_mut(ledger: &mut Ledger) -> &mut ServiceLedger {
    ledger.services.get_mut(&Service::POSTFIX).unwrap()
}

/// Whether a flag that lifts refusals of this kind lifts all that a plan has.
fn is_lifted(plan: &HostPlan, kind: RefusalKind) -> bool {
    !plan.refusals.is_empty() && plan.refusals.iter().all(|refusal| refusal.kind == kind)
}

fn flags(plan: &HostPlan) -> Vec<Option<&'static str>> {
    plan.refusals
        .iter()
        .map(|refusal| refusal.kind.flag())
        .collect()
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
    assert!(plan.refusals.is_empty());
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
        bench.desired.values.insert(thing(name), want);
    }
    assert!(bench.plan().refusals.is_empty(), "an apply puts them right");
    bench.rollback = true;
    let plan = bench.plan();
    assert_eq!(flags(&plan), [Some("--allow-overwrite"); 6], "{plan:?}");
    for name in [at, "relayhost", "biff", "myorigin", service, option] {
        let named = |refusal: &Refusal| {
            refusal
                .summary
                .contains(&format!("{name}` is to be rolled back"))
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
    bench.desired.leave.insert(parameter("content_filter"));
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
        .values
        .remove(&Thing::Field(new, Field::Command));
    assert!(matches!(bench.verdict().verdict, Verdict::Failed { .. }));
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
    bench.desired.values.insert(
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
    let other = routed(maps, Origin::Created).want("transport_maps", "inline:{ a=b }");
    assert!(other.plan().refusals.is_empty());
    // Where there was none, none goes; and what was never ours is only shown.
    let none = kept(routed("", Origin::Created));
    assert!(none.plan().refusals.is_empty());
    let first = Bench::new("transport_maps = hash:/x\n").want("transport_maps", "");
    assert!(first.plan().refusals.is_empty());
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
    bench.desired.values.insert(
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
