//! Verbs, flags, exit codes and output, through the program itself; reports of hand-made plans.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Output, Stdio};

use murder::cli::exit::Exit;
use murder::exchange::{Found, NotDone};
use murder::ledger::{LEDGER_VERSION, Ledger};
use murder::name::{HostName, Mode, Parameter, RemotePath, TableType};
use murder::outcome::{ApplyResult, Outcome, Postponed};
use murder::plan::{
    Cause, Change, Expects, Failure, FileState, HostPlan, HostVerdict, IndexReason, Plan, Refusal,
    RefusalKind, ReloadReason, Step, Verdict,
};
use murder::report::{self, Detail, Summary};
use murder::service::Service;
use murder::state::Remark;
use murder::thing::Thing;

/// Runs the program without a terminal and with an environment of its own.
fn murder(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn wrong_usage_is_1_and_talks_on_stderr_only() {
    for arguments in [
        &["plan", "--no-such-flag"][..],
        &["plam"],
        &[],
        &["apply", "--parallel", "0", "--yes"],
        &["plan", "--sandbox", "x", "--local"],
        &["plan", "-v", "-q"],
    ] {
        let output = murder(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(text(&output.stdout), "", "{arguments:?}");
        assert_ne!(text(&output.stderr), "", "{arguments:?}");
    }
}

#[test]
fn this_machine_is_one_host() {
    let output = murder(&[
        "plan",
        concat!(env!("CARGO_MANIFEST_DIR"), "/manifests/example.org"),
        "--local",
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr)
            .contains("`--local` reaches one host, and the selection matches 3 hosts"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn help_is_data_and_has_the_table_of_exit_codes() {
    let output = murder(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for words in [
        "2  changes pending",
        "5  a host is left half-way",
        "the first of 5, 3, 4, 130, 1, 2 is returned",
    ] {
        assert!(help.contains(words), "{help}");
    }
    let apply = text(&murder(&["apply", "--help"]).stdout);
    for flag in [
        "--yes",
        "--adopt",
        "--take-over",
        "--allow-delete",
        "--allow-overwrite",
        "--allow-restart",
        "--allow-fault",
        "--allow-unverified",
        "--allow-unreachable",
        "--parallel",
        "--max-fail",
        "--canary",
        "--sandbox",
        "--local",
        "--accept-new",
        "--color",
        "--format",
        "--host",
        "--role",
        "--site",
        "--exclude",
        "--overlay",
    ] {
        assert!(apply.contains(flag), "{flag} is missing:\n{apply}");
    }
    assert!(
        apply.contains("murder-sandbox"),
        "where --sandbox is:\n{apply}"
    );
}

#[test]
fn completions_know_the_verbs_in_every_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = murder(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        let script = text(&output.stdout);
        assert!(
            script.contains("drift") && script.contains("allow-unreachable"),
            "{shell}"
        );
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_panic() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_murder"))
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn apply_without_a_terminal_refuses_before_it_reads_anything() {
    let output = murder(&["apply", "/nonexistent"]);
    assert_eq!(output.status.code(), Some(1));
    let words = text(&output.stderr);
    assert!(
        words.contains("--yes") && !words.contains("/nonexistent"),
        "{words}"
    );
    assert!(
        !words.contains('\u{1b}'),
        "no colour where there is no terminal"
    );
}

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn path(path: &str) -> RemotePath {
    RemotePath::new(path).unwrap()
}

fn parameter(name: &str) -> Thing {
    Thing::Parameter(Parameter::new(name).unwrap())
}

fn file(text: &str, mode: u32) -> FileState {
    FileState {
        text: Some(text.to_owned()),
        sha256: format!("hash of {text}"),
        owner: "root".to_owned(),
        group: "root".to_owned(),
        mode: Mode::from_bits(mode),
        secret: false,
        withheld: None,
        link: None,
    }
}

fn changes(steps: Vec<Step>, refusals: Vec<Refusal>) -> HostVerdict {
    HostVerdict {
        verdict: Verdict::Changes(Box::new(HostPlan {
            steps,
            refusals,
            ..HostPlan::empty(
                Ledger {
                    version: LEDGER_VERSION,
                    murder: "example.org".to_owned(),
                    generation: 1,
                    services: BTreeMap::new(),
                    applied: None,
                    hosts: Vec::new(),
                    facts: None,
                    host_key: None,
                },
                Expects::default(),
            )
        })),
        remarks: Vec::new(),
        stopped: false,
        held: Vec::new(),
        orphans: Vec::new(),
        queue: None,
    }
}

fn set(name: &str, before: &str, after: &str, cause: Cause) -> Step {
    Step::Value {
        service: Service::POSTFIX,
        thing: parameter(name),
        change: Change::Update {
            before: before.to_owned(),
            after: after.to_owned(),
        },
        cause,
    }
}

fn failure(summary: &str) -> Failure {
    Failure {
        summary: summary.to_owned(),
        detail: Some("its own words\u{1b}[2J\nbind_pw = hunter2".to_owned()),
        hint: Some("do this".to_owned()),
    }
}

/// A backend's plan: everything that a plan can have but restarts.
fn backend(name: &str) -> HostVerdict {
    changes(
        vec![
            Step::File {
                service: Service::POSTFIX,
                path: path("/etc/postfix/ldap/transport_maps.cf"),
                change: Change::Update {
                    before: file("server_host = a\nbind_pw = hunter2\n", 0o644),
                    after: file("server_host = b\nbind_pw = ***\n", 0o640),
                },
                cause: Cause::Drift,
                file: None,
            },
            Step::File {
                service: Service::POSTFIX,
                path: path("/etc/postfix/transport"),
                change: Change::Create {
                    after: file(&format!("example.org lmtp:[{name}]\n"), 0o644),
                },
                cause: Cause::Wanted,
                file: None,
            },
            Step::Index {
                aliases: false,
                service: Service::POSTFIX,
                source: path("/etc/postfix/transport"),
                table_type: TableType::new("hash").unwrap(),
                reason: IndexReason::SourceChanges,
            },
            set("myhostname", "localhost", name, Cause::FirstContact),
            Step::Value {
                service: Service::POSTFIX,
                thing: parameter("relayhost"),
                change: Change::Delete {
                    before: "[smtp.example.org]".to_owned(),
                },
                cause: Cause::Unnamed,
            },
            Step::Check {
                service: Service::POSTFIX,
            },
            Step::Reload {
                service: Service::POSTFIX,
                reason: ReloadReason::ConfigurationChanges,
            },
            Step::TakeOver {
                service: Service::POSTFIX,
                thing: parameter("biff"),
            },
        ],
        Vec::new(),
    )
}

fn plan() -> Plan {
    let mut hosts: BTreeMap<HostName, HostVerdict> = ["b1.x", "b2.x", "b3.x", "b4.x", "b5.x"]
        .into_iter()
        .map(|name| (host(name), backend(name)))
        .collect();
    hosts.insert(
        host("down.x"),
        HostVerdict {
            verdict: Verdict::Unreachable {
                error: failure("connection timed out"),
            },
            remarks: Vec::new(),
            stopped: false,
            held: Vec::new(),
            orphans: Vec::new(),
            queue: None,
        },
    );
    hosts.insert(
        host("fine.x"),
        HostVerdict {
            verdict: Verdict::Converged,
            remarks: vec![Remark {
                text: "the socket's directory shuts Postfix out".to_owned(),
                hint: Some("chmod 0755 /run/cyrus/socket".to_owned()),
            }],
            stopped: false,
            held: Vec::new(),
            orphans: Vec::new(),
            queue: None,
        },
    );
    hosts.insert(
        host("mx.x"),
        changes(
            vec![Step::Restart {
                service: Service::POSTFIX,
                parameters: vec![Parameter::new("inet_interfaces").unwrap()],
            }],
            vec![Refusal {
                summary: "`/etc/postfix/transport` was there before and differs".to_owned(),
                kind: RefusalKind::Adopt,
            }],
        ),
    );
    Plan {
        murder: "example.org".to_owned(),
        hosts,
        own_names: BTreeMap::new(),
    }
}

fn comment(detail: Detail) -> report::markdown::Markdown<'static> {
    report::markdown::Markdown {
        mail: None,
        detail,
        forge: None,
        command: "murder plan",
    }
}

fn shown(plan: &Plan, detail: Detail) -> String {
    let mut out = String::new();
    report::text::write_plan(plan, detail, false, &mut out).unwrap();
    out
}

#[test]
fn a_plan_as_text() {
    insta::assert_snapshot!(shown(&plan(), Detail::Context), @r"
    b[1:5].x: 5 hosts, same changes; {host}: each host's own
      ~ update /etc/postfix/ldap/transport_maps.cf, mode 0644 → 0640 (drift: changed on the host since the last apply)
          --- /etc/postfix/ldap/transport_maps.cf
          +++ /etc/postfix/ldap/transport_maps.cf
          @@ -1,2 +1,2 @@
          -server_host = a
          +server_host = b
           bind_pw = ***
      + create /etc/postfix/transport, root:root 0644
          --- /dev/null
          +++ /etc/postfix/transport
          @@ -0,0 +1 @@
          +example.org lmtp:[{host}]
      * build the index of hash:/etc/postfix/transport (its source changes)
      ~ update main.cf:myhostname: localhost → {host} (first apply: replaces the host's own value)
      - delete main.cf:relayhost: [smtp.example.org] → (not set) (no longer in the manifest)
      * check with `postfix check`
      * reload Postfix (its configuration changes)
      = take over main.cf:biff (already correct; only recorded)

    down.x
      ! unreachable: connection timed out
          | its own words\u{1b}[2J
          | bind_pw = ***
          help: do this

    fine.x
      note: the socket's directory shuts Postfix out
          help: chmod 0755 /run/cyrus/socket

    mx.x
      * stop and start Postfix: a reload does not reach inet_interfaces (only with --allow-restart)
      ! refused without --adopt: `/etc/postfix/transport` was there before and differs

    6 hosts: 5 to create, 10 to update, 5 to delete, 5 to take over, 1 converged, 5 drifted, 1 refused, 1 unreachable
    ");
}

#[test]
fn a_summary_shows_no_texts_and_full_shows_all() {
    let summary = shown(&plan(), Detail::Summary);
    assert!(
        !summary.contains("@@") && !summary.contains("server_host"),
        "{summary}"
    );
    assert!(summary.contains("~ update /etc/postfix/ldap/transport_maps.cf"));
    assert!(shown(&plan(), Detail::Full).contains("server_host = b"));
}

#[test]
fn nothing_secret_leaves_in_any_form() {
    let plan = plan();
    let mut markdown = String::new();
    report::markdown::write_plan(&plan, &comment(Detail::Full), &mut markdown).unwrap();
    let json = report::json::of_plan(&plan).unwrap();
    for form in [&shown(&plan, Detail::Full), &markdown, &json] {
        assert!(!form.contains("hunter2"), "{form}");
        assert!(!form.contains('\u{1b}'), "{form}");
        assert!(
            form.contains("***"),
            "the mask shows that there is something"
        );
    }
}

#[test]
fn a_plan_as_json_is_versioned_and_has_every_host() {
    let json: serde_json::Value =
        serde_json::from_str(&report::json::of_plan(&plan()).unwrap()).unwrap();
    assert_eq!(json["format_version"], report::json::FORMAT_VERSION);
    assert_eq!(json["murder"], "example.org");
    assert_eq!(json["summary"]["hosts"], 6);
    assert_eq!(json["summary"]["unreachable"], 1);
    assert_eq!(json["hosts"].as_object().unwrap().len(), 8);
    let step = &json["hosts"]["b1.x"]["steps"][3];
    assert_eq!(step["step"], "value");
    assert_eq!(step["thing"], "main.cf:myhostname");
    assert_eq!(step["change"]["action"], "update");
    assert_eq!(step["change"]["after"], "b1.x");
    assert_eq!(step["cause"], "first_contact");
    assert_eq!(json["hosts"]["down.x"]["verdict"], "unreachable");
    assert_eq!(json["hosts"]["mx.x"]["refusals"][0]["flag"], "--adopt");
}

#[test]
fn a_plan_as_markdown_is_a_heading_and_a_diff_for_each_group() {
    let mut markdown = String::new();
    report::markdown::write_plan(&plan(), &comment(Detail::Context), &mut markdown).unwrap();
    assert!(
        markdown.starts_with("<!-- murder:plan:example.org -->\n\n## Plan for `example.org`\n\n- `down.x`: `unreachable: "),
        "{markdown}"
    );
    assert!(markdown.contains("\n\n6 hosts: "), "{markdown}");
    assert_eq!(markdown.matches("\n<summary>").count(), 4, "{markdown}");
    assert_eq!(markdown.matches("```diff\n").count(), 4);
    assert!(
        markdown.contains("\n-server_host = a\n+server_host = b\n"),
        "{markdown}"
    );
}

#[test]
fn the_summary_never_counts_silence_as_no_change() {
    let mut plan = plan();
    plan.hosts.retain(|host, _| host.as_str() == "fine.x");
    assert_eq!(
        Summary::of(&plan).sentence(),
        "nothing to do: 1 host converged"
    );
    // Programs are told how many hosts there are, too: `hosts` are those with something to do.
    assert_eq!((Summary::of(&plan).total, Summary::of(&plan).hosts), (1, 0));
    plan.hosts.insert(
        host("down.x"),
        HostVerdict {
            verdict: Verdict::Unreachable {
                error: failure("no route"),
            },
            remarks: Vec::new(),
            stopped: false,
            held: Vec::new(),
            orphans: Vec::new(),
            queue: None,
        },
    );
    assert_eq!(
        Summary::of(&plan).sentence(),
        "1 host converged, 1 unreachable"
    );
}

#[test]
fn long_values_stand_below_each_other_and_secret_ones_are_masked() {
    let long = "permit_mynetworks, ".repeat(6);
    let steps = vec![
        set(
            "smtpd_recipient_restrictions",
            &long,
            "reject",
            Cause::Wanted,
        ),
        set("ldap_bind_pw", "hunter2", "hunter3", Cause::Wanted),
    ];
    let plan = Plan {
        murder: "x".to_owned(),
        hosts: BTreeMap::from([(host("a.x"), changes(steps, Vec::new()))]),
        own_names: BTreeMap::new(),
    };
    let text = shown(&plan, Detail::Context);
    assert!(text.contains("\n      + reject\n"), "{text}");
    assert!(
        text.contains("main.cf:ldap_bind_pw: *** → *** (changed)\n"),
        "{text}"
    );
    assert!(!text.contains("hunter"));
}

#[test]
fn an_apply_says_what_was_not_proved_and_nothing_else_of_its_phases() {
    let words = |words: &[&str]| words.iter().map(|words| (*words).to_owned()).collect();
    let nc = "nothing was asked over SMTP: bash, perl and nc are missing";
    let found = |faults: &[&str], not_probed: &[&str], log: &[&str]| {
        let found = Found {
            faults: words(faults),
            not_probed: words(not_probed),
        };
        Outcome::of_applied(found, words(log), Vec::new())
    };
    let refused = |host: &str| {
        format!(
            "the probe a@x should be accepted; it was refused before this apply, and is refused still: 550 {host}"
        )
    };
    let unverified = "not verified: the server of ldap:/x does not answer";
    let applied = ApplyResult {
        murder: "example.org".to_owned(),
        hosts: BTreeMap::from([
            (host("a1.x"), found(&[], &[nc], &["staged"])),
            (host("a2.x"), found(&[], &[nc], &["staged again"])),
            (
                host("b1.x"),
                found(&[], &[], &["staged", "probed: a@x is accepted"]),
            ),
            (host("b2.x"), found(&[], &[], &["staged", "probed"])),
            (host("c1.x"), found(&[&refused("c1.x")], &[], &[unverified])),
            (host("c2.x"), found(&[&refused("c2.x")], &[], &[unverified])),
            (host("d.x"), found(&["it is dead"], &["it hangs up"], &[])),
        ]),
    };
    let shown = |phases: bool| {
        let mut out = String::new();
        report::applied::write_apply(&applied, phases, false, &mut out).unwrap();
        out
    };
    insta::assert_snapshot!(shown(false), @"
    a[1:2].x, 2 hosts: done, not probed: nothing was asked over SMTP: bash, perl and nc are missing
    b[1:2].x, 2 hosts: done
    c[1:2].x: 2 hosts, same report; {host}: each host's own
      done, fault remains: the probe a@x should be accepted; it was refused before this apply, and is refused still: 550 {host}
          help: the host had this fault before, so nothing was put back; see the log of the host, and `probe:` in the manifest
          not verified: the server of ldap:/x does not answer

    d.x
      done, fault remains: it is dead
          help: the host had this fault before, so nothing was put back; see the log of the host, and `probe:` in the manifest
      not probed: it hangs up

    7 hosts: 3 done with a fault that remains, 2 done but not probed, 2 done
    ");
    let verbose = shown(true);
    assert_eq!(verbose.matches(nc).count(), 2, "once a host:\n{verbose}");
    assert!(verbose.contains("      staged again\n"), "{verbose}");
    // Programs find the same words, and the exit code is that of work that was done.
    let json = serde_json::to_value(&applied).unwrap();
    for (host, outcome) in [
        ("a1.x", "not_probed"),
        ("b1.x", "done"),
        ("d.x", "fault_remains"),
    ] {
        assert_eq!(json["hosts"][host]["outcome"], outcome);
    }
    assert_eq!(json["hosts"]["d.x"]["faults"][0], "it is dead");
    for outcome in applied.hosts.values() {
        assert_eq!(Exit::of_outcome(outcome), Exit::Done);
        assert!(!outcome.stops_later_waves());
    }
}

#[test]
fn an_apply_as_text() {
    let HostVerdict {
        verdict: Verdict::Changes(left),
        ..
    } = changes(vec![set("biff", "yes", "no", Cause::Drift)], Vec::new())
    else {
        unreachable!("made so above")
    };
    let done = || Outcome::Done {
        log: vec!["staged".to_owned(), "reloaded".to_owned()],
        stopped: Vec::new(),
    };
    let applied = ApplyResult {
        murder: "example.org".to_owned(),
        hosts: BTreeMap::from([
            (host("a1.x"), done()),
            (host("a2.x"), done()),
            (
                host("b.x"),
                Outcome::NotDone(NotDone::PutBack {
                    error: failure("`postfix check` failed"),
                }),
            ),
            (
                host("c.x"),
                Outcome::NotDone(NotDone::Stale {
                    thing: "/etc/postfix/main.cf".to_owned(),
                }),
            ),
            (
                host("d.x"),
                Outcome::NotDone(NotDone::HalfWay {
                    error: failure("putting back failed"),
                }),
            ),
            (host("e.x"), Postponed::EarlierFailure.outcome()),
            (host("f.x"), Outcome::Remains { plan: left }),
            (host("g.x"), Outcome::Converged),
            (
                host("h.x"),
                Outcome::Done {
                    log: Vec::new(),
                    stopped: vec![Service::POSTFIX, "postfix-out".parse().unwrap()],
                },
            ),
        ]),
    };
    let mut out = String::new();
    report::applied::write_apply(&applied, false, false, &mut out).unwrap();
    insta::assert_snapshot!(out, @r"
    a[1:2].x, 2 hosts: done
    b.x
      ! failed, and the host was restored: `postfix check` failed
          | its own words\u{1b}[2J
          | bind_pw = ***
          help: do this

    c.x
      ! stale: /etc/postfix/main.cf changed after the plan was made; nothing was changed on this host
          help: run `murder plan` again to see what changed on the host

    d.x
      ! LEFT HALF-WAY: putting back failed
          | its own words\u{1b}[2J
          | bind_pw = ***
          help: do this

    e.x: not attempted: an earlier host failed or could not be reached
    f.x
      ! applied, but the host still differs from the plan:
      ~ update main.cf:biff: yes → no (drift: changed on the host since the last apply)
          help: run `murder plan`: another program may be changing this host, or Postfix reads the value differently

    h.x
      done
      note: Postfix does not run here, and `murder` did not start it
          help: start it with `postfix start` or `postmulti -i postfix-out -p start`

    9 hosts: 1 left half-way, 1 not converged, 1 failed and restored, 1 stale, 1 not attempted, 3 done, 1 with nothing to do
    ");
    let json: serde_json::Value =
        serde_json::from_str(&report::json::of_apply(&applied).unwrap()).unwrap();
    assert_eq!(json["hosts"]["b.x"]["outcome"], "put_back");
    assert_eq!(json["hosts"]["f.x"]["plan"]["steps"][0]["cause"], "drift");
    assert!(!json.to_string().contains("hunter2"));
}

#[test]
fn the_text_of_a_private_file_is_in_no_format() {
    let mut before = file("", 0o640);
    before.text = None;
    before.withheld = Some(murder::plan::Withheld::Private);
    before.group = "shadow".to_owned();
    before.link = Some("/etc/shadow".to_owned());
    let steps = vec![Step::File {
        service: Service::POSTFIX,
        path: path("/srv/x"),
        change: Change::Update {
            before,
            after: file("ours\n", 0o640),
        },
        cause: Cause::FirstContact,
        file: None,
    }];
    let plan = Plan {
        murder: "example.org".to_owned(),
        hosts: [(host("b1.example.org"), changes(steps, Vec::new()))].into(),
        own_names: BTreeMap::new(),
    };
    let text = shown(&plan, Detail::Full);
    assert!(text.contains(
        "~ update /srv/x, group shadow → root, a link to /etc/shadow (first apply: replaces the host's own value)
      (the host's text, 0640 root:shadow, is not shown: `murder` does not manage the file, and some users of the host cannot read it)
      --- /dev/null
      +++ /srv/x
      @@ -0,0 +1 @@
      +ours
"), "{text}");
    let json = murder::report::json::of_plan(&plan).unwrap();
    assert!(
        json.contains("\"withheld\": \"private\"") && json.contains("\"text\": null"),
        "{json}"
    );
}

/// A heading of `--help` has the options of its group, and no option of the verb itself that only comes after them.
#[test]
fn each_heading_of_help_has_its_own_options() {
    use clap::{Args, CommandFactory};
    use murder::cli;

    let empty = || clap::Command::new("group");
    let groups = [
        cli::directory::DirectoryArguments::augment_args(empty()),
        cli::diff_mail::DiffMailArguments::augment_args(empty()),
        cli::drift::DriftOutput::augment_args(empty()),
        cli::mail_change::MailArguments::augment_args(empty()),
        cli::notify::NotifyArguments::augment_args(empty()),
        cli::output::PlanOutput::augment_args(empty()),
        cli::plan_file::PlanFileArguments::augment_args(empty()),
        cli::reach::ConsentArguments::augment_args(empty()),
        cli::reach::ReachArguments::augment_args(empty()),
        cli::save::SaveArguments::augment_args(empty()),
    ];
    // Options of single verbs that name their heading.
    let mut known: BTreeSet<(String, String)> = [
        ("Consent", "allow_freeze"),
        ("Reaching hosts", "user"),
        ("Reaching hosts", "become_method"),
    ]
    .map(|(heading, option)| (heading.to_owned(), option.to_owned()))
    .into();
    let under_headings = |command: &clap::Command| -> Vec<(String, String)> {
        let arguments = command.get_arguments();
        arguments
            .filter_map(|one| Some((one.get_help_heading()?.to_owned(), one.get_id().to_string())))
            .collect()
    };
    known.extend(groups.iter().flat_map(under_headings));
    let command = cli::Cli::command();
    let (mut seen, mut misplaced) = (0, Vec::new());
    for verb in command.get_subcommands() {
        for option in under_headings(verb) {
            seen += 1;
            if !known.contains(&option) {
                misplaced.push((verb.get_name().to_owned(), option));
            }
        }
    }
    assert!(misplaced.is_empty(), "{misplaced:?}");
    assert!(seen > 60, "{seen}");
}
