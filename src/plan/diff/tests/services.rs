//! Entries of master.cf: a command and its options, from one apply to the next.

use super::*;
use crate::name::ServiceName;
use crate::plan::{Run, orders};
use crate::postfix::apply_edits;

fn service(name: &str) -> ServiceName {
    ServiceName::new(name).unwrap()
}

fn field(name: &str, field: Field) -> Thing {
    Thing::Field(service(name), field)
}

fn option(name: &str, option: &str) -> Thing {
    Thing::Option(service(name), Parameter::new(option).unwrap())
}

impl Bench {
    fn on(master: &str) -> Self {
        let mut bench = Self::new("");
        bench.postfix_live().master_cf = master_cf(master).into();
        bench
    }

    fn wants(mut self, thing: Thing, value: &str) -> Self {
        self.desired
            .postfix_mut()
            .values
            .insert(thing, Want::Present(value.to_owned()));
        self
    }

    fn forgets(mut self, thing: &Thing) -> Self {
        self.desired.postfix_mut().values.remove(thing);
        self
    }

    /// What changes, as `thing: before → after`.
    fn shown(&self) -> Vec<String> {
        let steps = match self.verdict().verdict {
            Verdict::Changes(plan) => plan.steps,
            Verdict::Converged => Vec::new(),
            other => panic!("{other:?}"),
        };
        let values = steps.iter().filter_map(|step| match step {
            Step::Value { thing, change, .. } => Some(match change {
                Change::Create { after } => format!("{thing}: {after}"),
                Change::Update { before, after } => format!("{thing}: {before} → {after}"),
                Change::Delete { before } => format!("{thing}: {before} → nothing"),
            }),
            _ => None,
        });
        values.collect()
    }

    /// The host after an apply, which must leave nothing to do.
    fn apply(mut self) -> Self {
        let plan = self.plan();
        assert!(
            plan.refusals
                .iter()
                .all(|one| one.kind == RefusalKind::Adopt),
            "{:?}",
            plan.refusals
        );
        let run = Run {
            revision: String::new(),
            reason: None,
            id: "r".into(),
            by: String::new(),
            at: String::new(),
            ..Run::default()
        };
        let orders = orders(&plan, &self.secrets, &run, None, false).unwrap();
        let before = self.postfix_live().master_cf.bytes();
        let (_, master) =
            apply_edits(b"", before, &orders.service(&Service::POSTFIX).edits).unwrap();
        self.postfix_live().master_cf = MasterCf::parse(&master).into();
        assert_eq!(self.postfix_live().master_cf.problems(), []);
        self.live.ledger = Some(plan.ledger);
        assert_eq!(self.verdict().verdict, Verdict::Converged);
        self
    }

    fn line(&self, name: &str) -> String {
        let entry = self
            .live
            .postfix()
            .unwrap()
            .master_cf
            .service(&service(name))
            .unwrap();
        entry.line()
    }
}

#[test]
fn a_command_and_its_options_change_each_by_itself() {
    let (command, reject) = (
        field("submission/inet", Field::Command),
        option("submission/inet", "smtpd_reject_unlisted_recipient"),
    );
    let bench = Bench::on(MASTER)
        .wants(command.clone(), "smtpd")
        .wants(reject.clone(), "no")
        .apply();
    assert_eq!(
        bench.line("submission/inet"),
        "submission inet n - - - - smtpd -o smtpd_reject_unlisted_recipient=no",
        "an inet service is not private, or master(8) dies"
    );

    let bench = bench.wants(command.clone(), "smtpd -v");
    assert_eq!(
        bench.shown(),
        ["master.cf:submission/inet/command: smtpd → smtpd -v"]
    );
    let bench = bench.apply().wants(reject.clone(), "yes");
    assert_eq!(
        bench.shown(),
        ["master.cf:submission/inet:smtpd_reject_unlisted_recipient: no → yes"]
    );
    let bench = bench.apply().wants(option("submission/inet", "a"), "b c");
    let bench = bench.apply().forgets(&reject).apply();
    assert_eq!(
        bench.line("submission/inet"),
        "submission inet n - - - - smtpd -v -o {a=b c}"
    );

    // Whatever it went through, it is ours, and goes without a word.
    let bench = bench
        .forgets(&command)
        .forgets(&option("submission/inet", "a"));
    let bench = bench.apply();
    assert_eq!(
        bench
            .live
            .postfix()
            .unwrap()
            .master_cf
            .service(&service("submission/inet")),
        None
    );
}

#[test]
fn a_command_keeps_the_options_that_nobody_names_and_is_given_back() {
    let relay = "relay unix - - n - - smtp\n  -o syslog_name=relay -o soft_bounce=yes\n";
    let command = field("relay/unix", Field::Command);
    let soft_bounce = option("relay/unix", "soft_bounce");
    let bench = Bench::on(relay)
        .wants(command.clone(), "smtp -v")
        .wants(soft_bounce.clone(), "no");
    assert_eq!(
        bench.shown(),
        [
            "master.cf:relay/unix/command: smtp → smtp -v",
            "master.cf:relay/unix:soft_bounce: yes → no",
        ]
    );
    let bench = bench.apply();
    assert_eq!(
        bench.line("relay/unix"),
        "relay unix - - n - - smtp -v -o syslog_name=relay -o soft_bounce=no"
    );
    let bench = bench.forgets(&command).forgets(&soft_bounce).apply();
    assert_eq!(
        bench.line("relay/unix"),
        "relay unix - - n - - smtp -o syslog_name=relay -o soft_bounce=yes"
    );
}

#[test]
fn a_value_with_blanks_is_written_in_braces() {
    let helo = option("lmtp/unix", "smtp_helo_name");
    let bench = Bench::on(MASTER).wants(helo.clone(), "a  b").apply();
    assert_eq!(
        bench.line("lmtp/unix"),
        "lmtp unix - - y - - lmtp -o syslog_name=postfix/x -o {smtp_helo_name=a  b}"
    );
    let bench = bench.forgets(&helo).apply();
    assert_eq!(
        bench.line("lmtp/unix"),
        "lmtp unix - - y - - lmtp -o syslog_name=postfix/x"
    );
}

#[test]
fn options_stand_before_the_arguments_of_a_new_command() {
    let bench = Bench::on(MASTER)
        .wants(field("x/unix", Field::Command), "pipe flags=R argv=/x")
        .wants(option("x/unix", "a"), "b")
        .apply();
    assert_eq!(
        bench.line("x/unix"),
        "x unix - - - - - pipe -o a=b flags=R argv=/x"
    );
}

#[test]
fn an_entry_that_somebody_else_changed_is_not_deleted_without_a_word() {
    let command = field("x/unix", Field::Command);
    let mut bench = Bench::on(MASTER).wants(command.clone(), "smtp").apply();
    let changed = format!("{MASTER}x unix - - - - - smtp -o a=b\n");
    bench.postfix_live().master_cf = MasterCf::parse(changed.as_bytes()).into();
    assert_eq!(bench.verdict().verdict, Verdict::Converged);
    let bench = bench.want("relayhost", "[a]");
    let ledger = bench.plan().ledger;
    let plan = bench.ledger(ledger).forgets(&command).plan();
    assert_eq!(flags(&plan), [Some("--allow-overwrite")]);
}

#[test]
fn a_column_of_an_inet_service_goes_back_to_what_master_survives() {
    let (command, private) = (
        field("26/inet", Field::Command),
        field("26/inet", Field::Private),
    );
    let bench = Bench::on(MASTER)
        .wants(command.clone(), "smtpd")
        .wants(private.clone(), "n")
        .apply();
    let line = bench.line("26/inet");
    // The plan says nothing of it where it stays as it is.
    let bench = bench.forgets(&private);
    assert_eq!(bench.shown(), Vec::<String>::new());
    assert_eq!(bench.apply().line("26/inet"), line);
}

/// What every Debian has needs no command to be put back; it is as it was, but for what is wanted.
#[test]
fn an_entry_of_debians_that_was_deleted_is_put_back() {
    let chroot = field("lmtp/unix", Field::Chroot);
    let syslog = option("relay/unix", "syslog_name");
    let host = Bench::on("smtp inet n - y - - smtpd\nlmtp unix - - y - - lmtp\n")
        .wants(chroot.clone(), "n")
        .apply();
    assert_eq!(host.line("lmtp/unix"), "lmtp unix - - n - - lmtp");
    let mut host = host;
    host.postfix_live().master_cf = master_cf("smtp inet n - y - - smtpd\n").into();
    assert_eq!(
        host.shown(),
        ["master.cf:lmtp/unix: lmtp unix - - n - - lmtp"]
    );
    let Verdict::Changes(plan) = host.verdict().verdict else {
        panic!("it is missed")
    };
    let drift = |step: &Step| {
        matches!(
            step,
            Step::Value {
                cause: Cause::Drift,
                ..
            }
        )
    };
    assert!(plan.steps.iter().any(drift), "{:?}", plan.steps);
    let host = host.apply().forgets(&chroot);
    // What it had before is what it gets back.
    let host = host.apply();
    assert_eq!(host.line("lmtp/unix"), "lmtp unix - - y - - lmtp");
    // And where it was never there while we looked, it is Debian's own that it goes back to.
    let host = Bench::on("smtp inet n - y - - smtpd\n")
        .wants(chroot.clone(), "n")
        .wants(syslog.clone(), "x")
        .apply();
    assert_eq!(
        host.line("relay/unix"),
        "relay unix - - y - - smtp -o syslog_name=x"
    );
    let host = host.forgets(&chroot).forgets(&syslog).apply();
    assert_eq!(host.line("lmtp/unix"), "lmtp unix - - y - - lmtp");
    assert!(
        host.line("relay/unix")
            .contains("syslog_name=postfix/$service_name")
    );
}
