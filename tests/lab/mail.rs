//! Messages sent over SMTP or by sendmail, and looked for where they should arrive.

use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::world::{World, text, until};

/// More hops than any way through this murder has: edge, internal MTA, backend, LMTP, and one for a forward or a group.
pub const MOST_HOPS: usize = 8;

/// A word that stands in one message only.
pub fn token() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "story-{}-{}.",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A refusal, in the server's words.
#[derive(Debug)]
pub struct Refused(pub String);

/// Sends a message over SMTP from outside the murder. Refusals of the recipient are the answer.
pub fn send(world: &World, server: &str, to: &str, token: &str) -> Result<(), Refused> {
    match offer(&world.lab.addr(server), to, token).unwrap() {
        Answer::Taken => Ok(()),
        Answer::Refused {
            stage: "RCPT",
            words,
        } => Err(Refused(words)),
        Answer::Refused { stage, words } => panic!("{to}: {stage}: {words}"),
    }
}

/// What a server makes of a message.
#[derive(Debug)]
pub enum Answer {
    /// It answers for it from now on.
    Taken,
    /// It does not, in its own words.
    Refused { stage: &'static str, words: String },
}

/// Offers a message to the server at an address, as a client outside does.
pub fn offer(address: &str, to: &str, token: &str) -> io::Result<Answer> {
    let stream = TcpStream::connect((address, 25))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let message = format!(
        "From: somebody@outside.example\r\nTo: {to}\r\nSubject: {token}\r\nMessage-ID: <{token}@outside.example>\r\n\r\n{token}\r\n."
    );
    let stages = [
        ("greeting", String::new(), "220"),
        ("EHLO", "EHLO client.outside.example".to_owned(), "250"),
        (
            "MAIL",
            "MAIL FROM:<somebody@outside.example>".to_owned(),
            "250",
        ),
        ("RCPT", format!("RCPT TO:<{to}>"), "25"),
        ("DATA", "DATA".to_owned(), "354"),
        ("message", message, "250"),
    ];
    for (stage, line, good) in stages {
        if !line.is_empty() {
            writer.write_all(format!("{line}\r\n").as_bytes())?;
        }
        let words = reply(&mut reader)?;
        if !words.starts_with(good) {
            return Ok(Answer::Refused {
                stage,
                words: words.trim().to_owned(),
            });
        }
    }
    // What it says to this does not matter any more.
    let _ = writer.write_all(b"QUIT\r\n");
    Ok(Answer::Taken)
}

/// All lines of one reply.
fn reply(reader: &mut impl BufRead) -> io::Result<String> {
    let mut whole = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("the server hung up: {whole}"),
            ));
        }
        let last = line.as_bytes().get(3) != Some(&b'-');
        whole.push_str(&line);
        if last {
            return Ok(whole);
        }
    }
}

/// Sends a message by sendmail(1) on a host.
pub fn sendmail(world: &World, host: &str, from: &str, to: &str, token: &str) {
    world.lab.sh(
        host,
        &format!("printf 'Subject: {token}\\nMessage-ID: <{token}@{host}>\\n\\n{token}\\n' | sendmail -f {from} {to}"),
    );
}

/// The folder that a Cyrus mailbox is kept in, from outside.
pub fn spool(world: &World, host: &str, mailbox: &str) -> std::path::PathBuf {
    let path = world.lab.sh(
        host,
        &format!(
            "setpriv --reuid=cyrus --regid=mail --init-groups /usr/sbin/cyrus mbpath {mailbox}"
        ),
    );
    world
        .lab
        .root(host)
        .join(path.trim().trim_start_matches('/'))
}

/// Messages below a folder that hold the token.
fn messages(folder: &Path, token: &str) -> Vec<String> {
    let output = Command::new("grep")
        .args(["-rlsF", "--exclude=cyrus.*", token])
        .arg(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    text(&output.stdout)
        .lines()
        .map(|path| text(&fs::read(path).unwrap_or_default()))
        .filter(|message| message.contains(token))
        .collect()
}

/// Waits for a message in a mailbox: there is one, and it did not wander about.
#[track_caller]
pub fn arrives(world: &World, host: &str, mailbox: &str, token: &str) {
    arrives_within(world, host, mailbox, token, MOST_HOPS);
}

/// The same with another number of hops: a content filter adds two on each host.
#[track_caller]
pub fn arrives_within(world: &World, host: &str, mailbox: &str, token: &str, hops: usize) {
    let folder = spool(world, host, mailbox);
    let found = until(&format!("{token} in {mailbox} on {host}"), 30, || {
        let found: Vec<String> = messages_here(&folder, token);
        (!found.is_empty()).then_some(found)
    });
    assert_eq!(
        found.len(),
        1,
        "{token} arrived in {mailbox} more than once"
    );
    assert_few_hops(&found[0], token, hops);
}

/// Messages in a folder itself, not below it: `user/john`, not `user/john/lists`.
fn messages_here(folder: &Path, token: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?;
            let is_message = name.ends_with('.')
                && name
                    .trim_end_matches('.')
                    .bytes()
                    .all(|b| b.is_ascii_digit());
            is_message.then(|| text(&fs::read(&path).unwrap_or_default()))
        })
        .filter(|message| message.contains(token))
        .collect()
}

/// Waits for a message in a folder of plain files (`/var/mail`, the sink of the outside world).
#[track_caller]
pub fn lands_in(world: &World, host: &str, folder: &str, token: &str) {
    let folder = world.lab.root(host).join(folder.trim_start_matches('/'));
    let found = until(&format!("{token} in {}", folder.display()), 30, || {
        let found = messages(&folder, token);
        (!found.is_empty()).then_some(found)
    });
    assert_few_hops(&found[0], token, MOST_HOPS);
}

/// Whether a message is nowhere: not in a mailbox, not in a local one, not outside.
pub fn is_nowhere(world: &World, hosts: &[&str], token: &str) -> bool {
    hosts.iter().all(|host| {
        let root = world.lab.root(host);
        ["var/spool/cyrus/mail", "var/mail", "var/outside"]
            .iter()
            .all(|folder| messages(&root.join(folder), token).is_empty())
    })
}

#[track_caller]
fn assert_few_hops(message: &str, token: &str, most: usize) {
    let at = message.find(token).unwrap_or(message.len());
    let hops = message
        .lines()
        .filter(|line| line.starts_with("Received:"))
        .count();
    assert!(
        (1..=most).contains(&hops),
        "{token} took {hops} hops:\n{}",
        &message[..at]
    );
}

/// The queue of a host, as postqueue(1) `-j` gives it.
pub fn queue(world: &World, host: &str) -> String {
    world.lab.sh(host, "postqueue -j")
}
