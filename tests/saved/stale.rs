//! Changes between plan and apply: those on which a step rests are refused and named, others are not stale.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use murder::exchange::NotDone;
use murder::name::HostName;
use murder::outcome::Outcome;
use murder::plan::Verdict;
use murder::plan::saved::SavedPlan;
use murder::session::options::{Consent, Reach};
use murder::session::path_policy::PathPolicy;
use murder::session::saved::{PlanApplier, PlanUse};
use murder::session::worker::Applier as _;
use serde_json::{Value, json};

use super::{Desk, MANIFEST, random};

/// How many of each kind: `MURDER_STALE`, for a shorter run.
fn rounds() -> usize {
    let wanted = std::env::var("MURDER_STALE").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(1000)
}

const HOST: &str = "backend1.example.org";

/// A saved plan for a host that has a ledger and drifted, and the host as it was then.
struct Moment {
    desk: Desk,
    plan: SavedPlan,
    document: Value,
    host: HostName,
}

impl Moment {
    fn new() -> Self {
        let desk = Desk::new();
        let first = MANIFEST.replace(
            "hosts:",
            "defaults: {settings: {delay_warning_time: 4h}, files: {/etc/postfix/gone.cf: {content: \"x = y\\n\"}, /etc/postfix/stays: {content: \"a\\n\"}}}\nhosts:",
        );
        desk.write("manifest/murder.yaml", &first);
        desk.expect(
            0,
            &[
                "apply",
                "manifest",
                "--sandbox",
                "sandbox",
                "--yes",
                "--adopt",
            ],
        );
        let second = MANIFEST
            .replace("ESMTP", "ESMTP second")
            .replace("base: dc=example", "base: ou=People,dc=example")
            .replace(
                "hosts:",
                "defaults: {settings: {mailbox_size_limit: \"0\"}, services: {smtp/inet: {chroot: n, options: {smtpd_client_restrictions: permit}}}, files: {/etc/postfix/stays: {content: \"b\\n\"}, /etc/postfix/new: {content: \"c\\n\"}}}\nhosts:",
            );
        desk.write("manifest/murder.yaml", &second);
        desk.plan(&["--allow-delete", "--allow-overwrite"]);
        let bytes = fs::read(desk.path("plan.json")).unwrap();
        let moment = Self {
            plan: SavedPlan::from_bytes(&bytes).unwrap(),
            document: serde_json::from_slice(&bytes).unwrap(),
            host: HostName::new(HOST).unwrap(),
            desk,
        };
        copy(&moment.root(), &moment.desk.path("kept"));
        moment
    }

    fn root(&self) -> PathBuf {
        self.desk.path("sandbox").join(HOST)
    }

    fn restore(&self) {
        fs::remove_dir_all(self.root()).unwrap();
        copy(&self.desk.path("kept"), &self.root());
    }

    fn apply(&self) -> Outcome {
        let reach = Reach {
            sandbox: Some(self.desk.path("sandbox")),
            local: false,
            accept_new: false,
            parallel: 1,
            untrusted: false,
            files_unread: false,
            from_live_file: false,
            seen: None,
            without_holds: false,
            reason: None,
            paths: PathPolicy::default(),
            sources: murder::secret_source::SourceOptions { commands: false },
        };
        let how = PlanUse {
            base: self.desk.path("."),
            consent: Consent::default(),
            trusted: false,
        };
        let hosts = [self.host.clone()];
        let ask = Box::new(|_: &Path| None);
        let (applier, _) = PlanApplier::new(&self.plan, &hosts, &reach, how, ask).unwrap();
        let shown = self.plan.shown().unwrap();
        let Verdict::Changes(plan) = &shown.hosts[&self.host].verdict else {
            panic!("no changes");
        };
        applier.change(&self.host, plan, &|_| {})
    }

    fn steps(&self) -> &[Value] {
        let host = &self.document["body"]["hosts"][HOST];
        host["verdict"]["changes"]["steps"].as_array().unwrap()
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .arg(from)
        .arg(to)
        .status();
    assert!(copied.unwrap().success());
}

/// Sets or removes a parameter of main.cf by hand.
fn set(root: &Path, name: &str, value: Option<&str>) {
    let path = root.join("etc/postfix/main.cf");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        inside = match line.split_once('=') {
            Some((key, _)) if key.trim() == name && !line.starts_with(' ') => true,
            _ => inside && line.starts_with([' ', '\t']),
        };
        if !inside {
            lines.push(line.to_owned());
        }
    }
    lines.extend(value.map(|value| format!("{name} = {value}")));
    fs::write(&path, lines.join("\n") + "\n").unwrap();
}

/// Changes one thing on which a step rests, and gives a word that the message must have.
fn disturb(moment: &Moment, round: usize, random: &mut impl FnMut(usize) -> usize) -> String {
    let root = moment.root();
    let ledger = root.join("var/lib/murder/ledger.json");
    let steps = moment.steps();
    loop {
        let step = &steps[random(steps.len())];
        let thing = step["thing"].as_str().unwrap_or_default();
        let file = step["path"].as_str().or(step["before"]["path"].as_str());
        if let Some(path) = file {
            let local = root.join(path.trim_start_matches('/'));
            match (local.exists(), random(4)) {
                (false, _) => fs::write(&local, format!("text {round}\n")).unwrap(),
                (true, 0) => fs::remove_file(&local).unwrap(),
                (true, 1) => {
                    use std::os::unix::fs::PermissionsExt as _;
                    let mode =
                        fs::Permissions::from_mode(0o600 + u32::try_from(random(8)).unwrap());
                    if fs::metadata(&local).unwrap().permissions().mode() & 0o777 == mode.mode() {
                        continue;
                    }
                    fs::set_permissions(&local, mode).unwrap();
                }
                (true, _) => {
                    let mut bytes = fs::read(&local).unwrap();
                    let line = format!("x{round} = {}\n", random(1 << 20));
                    let at = [0, bytes.len()][random(2)];
                    bytes.splice(at..at, line.bytes());
                    fs::write(&local, bytes).unwrap();
                }
            }
            return path.to_owned();
        }
        if let Some(name) = thing.strip_prefix("main.cf:") {
            let there = step["change"]["action"] != "create";
            let value = format!("host{round}.example.org");
            let value = (!there || random(3) > 0).then_some(value.as_str());
            set(&root, name, value);
            return name.to_owned();
        }
        if thing.starts_with("master.cf:smtp/inet") && random(2) == 0 {
            let path = root.join("etc/postfix/master.cf");
            let text = fs::read_to_string(&path).unwrap();
            let changed = match thing.contains("chroot") {
                true => continue,
                false => text.replacen(
                    "smtpd\n",
                    &format!("smtpd\n  -o smtpd_client_restrictions=reject{round}\n"),
                    1,
                ),
            };
            if changed == text {
                continue;
            }
            fs::write(&path, changed).unwrap();
            return "smtpd_client_restrictions".to_owned();
        }
        // An entry of the ledger.
        let mut document: Value = serde_json::from_slice(&fs::read(&ledger).unwrap()).unwrap();
        let managed = document["services"]["postfix"]["managed"]
            .as_object_mut()
            .unwrap();
        let number = random(managed.len());
        let (thing, entry) = managed.iter_mut().nth(number).unwrap();
        let thing = thing.clone();
        match random(2) {
            0 => entry["value"] = json!(format!("another {round}")),
            _ => entry["origin"] = json!({"adopted": {"value": format!("another {round}")}}),
        }
        fs::write(&ledger, document.to_string()).unwrap();
        return thing;
    }
}

#[test]
fn a_thousand_changes_of_what_a_step_rests_on_are_refused_and_named() {
    let moment = Moment::new();
    let mut random = random(1);
    let mut named = BTreeSet::new();
    for round in 0..rounds() {
        let word = disturb(&moment, round, &mut random);
        let before = super::tree(&moment.root());
        match moment.apply() {
            Outcome::NotDone(NotDone::Stale { thing }) => {
                assert!(
                    thing.contains(&word),
                    "round {round}: {word} is named as {thing}"
                );
            }
            other => panic!("round {round}, {word}: {other:?}"),
        }
        assert_eq!(before, super::tree(&moment.root()), "round {round}, {word}");
        named.insert(word);
        moment.restore();
    }
    assert!(named.len() > 15, "{named:?}");
    // Without a change it is applied.
    assert!(moment.apply().is_applied());
}

/// Changes what no step rests on.
fn touch(moment: &Moment, round: usize, random: &mut impl FnMut(usize) -> usize) -> &'static str {
    let root = moment.root();
    let postfix = root.join("etc/postfix");
    let main_cf = postfix.join("main.cf");
    let text = fs::read_to_string(&main_cf).unwrap();
    match random(6) {
        0 => {
            fs::write(&main_cf, format!("# {round}\n\n{text}")).unwrap();
            "a comment"
        }
        1 => {
            let spaced = text.replace(" = ", &format!(" ={}", " ".repeat(1 + random(9))));
            fs::write(&main_cf, spaced).unwrap();
            "blanks"
        }
        2 => {
            let names = [
                "mail_name",
                "queue_run_delay",
                "bounce_size_limit",
                "berkeley_db_read_buffer_size",
            ];
            set(
                &root,
                names[random(names.len())],
                Some(&format!("{}", 1 + random(1 << 20))),
            );
            "a parameter that nothing manages"
        }
        3 => {
            fs::write(postfix.join(format!("own.{round}")), "mine\n").unwrap();
            "a file that nothing manages"
        }
        4 => {
            let master = postfix.join("master.cf");
            let text = fs::read_to_string(&master).unwrap();
            fs::write(
                &master,
                format!("{text}# {round}\nown{round} unix - - n - 1 pickup\n"),
            )
            .unwrap();
            "an entry that nothing manages"
        }
        _ => {
            let ledger = root.join("var/lib/murder/ledger.json");
            let document: Value = serde_json::from_slice(&fs::read(&ledger).unwrap()).unwrap();
            fs::write(
                &ledger,
                format!("{document:#}{}", "\n".repeat(1 + random(9))),
            )
            .unwrap();
            "the layout of the ledger"
        }
    }
}

#[test]
fn a_thousand_changes_that_no_step_rests_on_are_not_stale() {
    let moment = Moment::new();
    let mut random = random(2);
    for round in 0..rounds() {
        let what = touch(&moment, round, &mut random);
        let outcome = moment.apply();
        assert!(outcome.is_applied(), "round {round}, {what}: {outcome:?}");
        moment.restore();
    }
}
