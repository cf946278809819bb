//! Mail that flows while hosts change, and is counted: none bounced, none lost, none twice.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Tally, times};
use crate::mail::{self, Answer, queue, token};
use crate::world::{HOSTS, World};

/// Hosts that mail goes through.
const WAY: &[&str] = &["mx", "smtp", "backend1", "backend2"];

/// A mailbox: its host and its name.
type Mailbox = (&'static str, &'static str);

const JOHN: Mailbox = ("backend1", "user/john");
const JANE: Mailbox = ("backend2", "user/jane");
const MEMO: Mailbox = ("backend2", "shared/memo");
const NEWS: Mailbox = ("backend1", "news");
/// Where the folder of news@example.org moves to.
const BULLETIN: Mailbox = ("backend2", "bulletin");

/// Who is written to from outside, in turn, and where it must arrive.
const RECIPIENTS: &[(&str, &[Mailbox])] = &[
    ("john@example.org", &[JOHN]),
    ("jane@example.org", &[JANE]),
    ("john.doe@example.org", &[JOHN]),
    ("shared@example.org", &[MEMO]),
    ("staff@example.org", &[JOHN, JANE]),
    ("news@example.org", &[NEWS]),
];

/// Messages that somebody answers for, and those that nobody would take.
#[derive(Default)]
struct Sent {
    accepted: BTreeMap<String, &'static [Mailbox]>,
    later: Vec<String>,
    refused: Vec<String>,
}

/// Offers a message every 200 ms to the edge, and one every 400 ms to sendmail(1) of each backend,
/// while the work is done; then waits for the queues, and counts.
fn while_mail_flows(
    world: &World,
    recipients: &'static [(&str, &[Mailbox])],
    moved: Option<Mailbox>,
    work: impl FnOnce() + Send,
) -> (Vec<String>, String) {
    let bounces = || -> usize {
        HOSTS
            .iter()
            .map(|host| {
                world
                    .lab
                    .sh(host, "grep -c 'status=bounced' /var/log/mail.log || true")
                    .trim()
                    .parse::<usize>()
                    .unwrap()
            })
            .sum()
    };
    let bounced_before = bounces();
    let sent = Mutex::new(Sent::default());
    let stop = AtomicBool::new(false);
    let inside = [
        ("backend1", &recipients[1 % recipients.len()]),
        ("backend2", &recipients[0]),
    ];
    let mut senders: Vec<_> = inside
        .iter()
        .map(|(host, (to, _))| (*host, begin_inside(world, host, to)))
        .collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let edge = world.lab.addr("mx");
            for (to, mailboxes) in recipients.iter().cycle() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let begin = Instant::now();
                let token = token();
                let answer = mail::offer(&edge, to, &token);
                let mut sent = sent.lock().unwrap();
                match answer {
                    Ok(Answer::Taken) => drop(sent.accepted.insert(token, mailboxes)),
                    Ok(Answer::Refused { words, .. }) if words.starts_with('4') => {
                        sent.later.push(format!("{to}: {words}"))
                    }
                    other => sent.refused.push(format!("{to}: {other:?}")),
                }
                drop(sent);
                sleep(Duration::from_millis(200).saturating_sub(begin.elapsed()));
            }
        });
        // Whatever comes of it, the senders end.
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
        stop.store(true, Ordering::Relaxed);
        if let Err(cause) = done {
            std::panic::resume_unwind(cause);
        }
    });
    let mut sent = sent.into_inner().unwrap();
    for ((host, sender), (_, (_, mailboxes))) in senders.iter_mut().zip(&inside) {
        let room = world.lab.root(host).join("root");
        fs::write(room.join("steady.stop"), "").unwrap();
        assert!(sender.wait().unwrap().success());
        let tokens = fs::read_to_string(room.join("steady.sent")).unwrap();
        sent.accepted
            .extend(tokens.lines().map(|token| (token.to_owned(), *mailboxes)));
        let _ = fs::remove_file(room.join("steady.stop"));
        let _ = fs::remove_file(room.join("steady.sent"));
    }
    let queued = drain(world);
    let mut wrong = count(world, &sent, &queued, moved);
    wrong.extend(
        sent.refused
            .iter()
            .map(|words| format!("refused for good: {words}")),
    );
    let bounced = bounces() - bounced_before;
    if bounced > 0 {
        wrong.push(format!("{bounced} bounces in the logs"));
    }
    let said = format!(
        "{} messages accepted ({} more were told to come later{}), {} still queued, {} bounced, {} lost or twice",
        sent.accepted.len(),
        sent.later.len(),
        sent.later
            .first()
            .map_or(String::new(), |words| format!(": {words}")),
        queued.len(),
        bounced,
        wrong.len()
    );
    (wrong, said)
}

/// Mail from one backend's own users, as cron or a web mailer sends it.
fn begin_inside(world: &World, host: &str, to: &str) -> std::process::Child {
    let first = token();
    let script = format!(
        "i=0; while [ ! -e /root/steady.stop ]; do i=$((i+1)); t={first}$i.
         printf 'Subject: %s\\nMessage-ID: <%s@{host}>\\n\\n%s\\n' $t $t $t | sendmail -f {to} {to} && echo $t >>/root/steady.sent; sleep 0.4; done"
    );
    Command::new(world.lab.script())
        .args(["exec", host, "sh", "-c", &script])
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

/// Lets what waits be tried again until the queues are empty; gives what stays in them.
fn drain(world: &World) -> Vec<String> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let waiting: Vec<String> = WAY
            .iter()
            .flat_map(|host| {
                queue(world, host)
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        if waiting.is_empty() || Instant::now() > end {
            return waiting;
        }
        for host in WAY {
            world.lab.sh(host, "postqueue -f");
        }
        sleep(Duration::from_secs(1));
    }
}

/// Each message once in each of its mailboxes; where one is queued it may be missing.
fn count(world: &World, sent: &Sent, queued: &[String], moved: Option<Mailbox>) -> Vec<String> {
    let mut mailboxes: BTreeMap<Mailbox, BTreeMap<String, usize>> = BTreeMap::new();
    for mailbox in sent
        .accepted
        .values()
        .flat_map(|mailboxes| mailboxes.iter())
    {
        mailboxes.entry(*mailbox).or_default();
    }
    for (mailbox, found) in &mut mailboxes {
        let places = [Some(*mailbox), moved.filter(|_| *mailbox == NEWS)];
        let folders = places.into_iter().flatten();
        let entries =
            folders.flat_map(|(host, name)| fs::read_dir(mail::spool(world, host, name)).unwrap());
        for entry in entries.filter_map(Result::ok) {
            let message = fs::read(entry.path()).unwrap_or_default();
            let message = String::from_utf8_lossy(&message);
            // The message's own, not that of another which a bounce quotes.
            let id = message
                .lines()
                .take_while(|line| !line.trim().is_empty())
                .find_map(|line| line.strip_prefix("Message-ID: <"));
            if let Some((token, _)) = id.and_then(|id| id.split_once('@')) {
                *found.entry(token.to_owned()).or_default() += 1;
            }
        }
    }
    let mut wrong = Vec::new();
    for (token, wanted) in &sent.accepted {
        for mailbox in *wanted {
            let times = mailboxes[mailbox].get(token).copied().unwrap_or(0);
            if times > 1 || (times == 0 && queued.is_empty()) {
                wrong.push(format!("{token} is {times} times in {mailbox:?}"));
            }
        }
    }
    wrong
}

/// Twenty applies that change the way of every address, and change it back.
pub fn mail_flows_through_applies(world: &mut World) {
    super::secrets::begin_sampling(world);
    let world = &*world;
    let backend = "settings: {local_transport: \"smtp:[smtp.example.org]:25\", relayhost: \"[smtp.example.org]:25\"}";
    world.write(
        "routing.yaml",
        &format!(
            "hosts:\n  backend1.example.org: {{{backend}}}\n  backend2.example.org: {{{backend}}}\n\
             \x20 smtp.example.org: {{settings: {{relayhost: \"[mx.example.org]:25\"}}}}\n\
             \x20 mx.example.org: {{settings: {{relay_transport: \"smtp:[smtp.example.org]:25\"}}}}\n\
             modules: {{internal-mta: {{vars: {{layout: local}}}}, backend: {{vars: {{layout: relay}}}}}}\n\
             ldap: {{timeout: 11s}}\ndefaults: {{settings: {{smtp_destination_concurrency_limit: \"5\"}}}}\n"
        ),
    );
    let mut tally = Tally::default();
    let names: Vec<String> = WAY
        .iter()
        .map(|host| format!("{host}.example.org"))
        .collect();
    let mut words: Vec<&str> = names
        .iter()
        .flat_map(|name| ["--host", name.as_str()])
        .collect();
    words.extend(["--yes", "--allow-delete"]);
    let (wrong, said) = while_mail_flows(world, RECIPIENTS, None, || {
        for round in 0..times(20) {
            let overlay: &[&str] = if round % 2 == 0 {
                &["--overlay", "routing.yaml"]
            } else {
                &[]
            };
            let run = world.murder("apply", &[&words[..], overlay].concat());
            let changed = run.stdout.contains("4 hosts: 4 done");
            tally.add(match run.code {
                0 if changed => Ok(()),
                _ => Err(format!("round {round}: {run}")),
            });
        }
    });
    tally.wrong.extend(wrong);
    tally.notes.push(said);
    tally.tell("applies that change routing to and fro under mail");
}

/// A shared folder goes to another backend, and back, while mail is sent to it.
pub fn a_folder_moves_under_its_mail(world: &mut World) {
    const TO_NEWS: &[(&str, &[Mailbox])] = &[("news@example.org", &[NEWS])];
    super::secrets::begin_sampling(world);
    let world = &*world;
    // XFER breaks Cyrus 3.6 down on a mailbox that is nobody's INBOX, so the new one has another name.
    let made = Command::new(world.lab.script().with_file_name("cyrus"))
        .args(["mailbox", BULLETIN.0, BULLETIN.1])
        .status()
        .unwrap();
    assert!(made.success());
    world.write("moved-folder.yaml", "shared_folders: [{address: news@example.org, backend: backend2.example.org, folder: bulletin}]\n");
    let mut tally = Tally::default();
    let (wrong, said) = while_mail_flows(world, TO_NEWS, Some(BULLETIN), || {
        let ways: [&[&str]; 2] = [&["--overlay", "moved-folder.yaml"], &[]];
        for overlay in ways.into_iter().cycle().take(2 * times(2)) {
            sleep(Duration::from_secs(2));
            let run = world.murder("apply", &[&["--yes", "--allow-delete"], overlay].concat());
            tally.add(if run.code == 0 {
                Ok(())
            } else {
                Err(run.to_string())
            });
        }
    });
    tally.wrong.extend(wrong);
    tally.notes.push(said);
    tally.tell("moves of a shared folder under its mail");
}
