//! Logins and calls of sudo(8) and su(1), by the lines of sshd(8), sudo(8) and pam_unix(8), or by last(1).

use super::time;
use crate::exchange::Evidence;

/// The mark in the command by which `murder` itself becomes root.
const OWN_COMMAND: &str = "murder-ready-";

/// Seconds between the login of `murder` and its call of sudo(8).
const OWN_LOGIN: i64 = 30;

/// How root was reached; the nearer to the change goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// sudo(8).
    Sudo,
    /// su(1).
    Su,
    /// A login: sshd(8), login(1), a terminal.
    Login,
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoginSession {
    /// How.
    pub way: Way,
    /// The user who logged in or called.
    pub user: String,
    /// The program that sudo(8) ran, without its arguments, which may hold a secret.
    pub program: Option<String>,
    /// The whole command, for comparisons.
    pub command: String,
    begin: i64,
    end: Option<i64>,
    process: String,
    port: Option<String>,
}

impl LoginSession {
    fn new(way: Way, user: &str, process: &str, begin: i64) -> Self {
        Self {
            way,
            user: user.to_owned(),
            program: None,
            command: String::new(),
            begin,
            end: None,
            process: process.to_owned(),
            port: None,
        }
    }

    fn holds(&self, time: i64) -> bool {
        self.begin <= time && self.end.is_none_or(|end| time <= end)
    }
}

/// The sessions that lasted at a time, of the nearest way: without those of `murder` itself.
pub(super) fn at(time: i64, evidence: &Evidence) -> Vec<LoginSession> {
    let mut sessions = of_logs(evidence);
    if sessions.is_empty() {
        sessions = of_last(evidence);
    }
    let own: Vec<(String, i64)> = sessions
        .iter()
        .filter(|one| one.command.contains(OWN_COMMAND))
        .map(|one| (one.user.clone(), one.begin))
        .collect();
    let is_own = |one: &LoginSession| {
        let by_port = one.port.is_some() && one.port == evidence.own_port;
        let before = |(user, begin): &(String, i64)| {
            *user == one.user && (one.begin..=one.begin + OWN_LOGIN).contains(begin)
        };
        by_port
            || one.command.contains(OWN_COMMAND)
            || (one.way == Way::Login && own.iter().any(before))
    };
    sessions.retain(|one| one.holds(time) && !is_own(one));
    let nearest = sessions.iter().map(|one| one.way).min();
    sessions.retain(|one| Some(one.way) == nearest);
    sessions
}

/// The sessions of the logs, in the order of their begin.
fn of_logs(evidence: &Evidence) -> Vec<LoginSession> {
    let mut lines: Vec<(i64, &str)> = evidence
        .logs
        .iter()
        .filter_map(|line| time::of_log(line, evidence.now, evidence.offset))
        .collect();
    // The same line may be in a file and in the journal.
    lines.sort_by_key(|(time, _)| *time);
    lines.dedup();
    let mut sessions = Vec::new();
    for (time, rest) in lines {
        let Some((tag, message)) = rest
            .split_once(' ')
            .and_then(|(_, rest)| rest.split_once(": "))
        else {
            continue;
        };
        let (program, process) = tag.split_once('[').map_or((tag, ""), |(program, rest)| {
            (program, rest.trim_end_matches(']'))
        });
        line(time, program, process, message.trim_start(), &mut sessions);
    }
    sessions
}

/// What one line says.
fn line(time: i64, program: &str, process: &str, said: &str, sessions: &mut Vec<LoginSession>) {
    if let Some(rest) = said.strip_prefix("Accepted ") {
        // `publickey for root from 192.0.2.1 port 50022 ssh2: …`
        let words: Vec<&str> = rest.split_whitespace().collect();
        let after = |word| {
            let at = words.iter().position(|one| *one == word)?;
            words.get(at + 1).copied()
        };
        let mut session =
            LoginSession::new(Way::Login, after("for").unwrap_or_default(), process, time);
        session.port = after("port").map(str::to_owned);
        sessions.push(session);
    } else if program.starts_with("sudo")
        && let Some((user, rest)) = said.split_once(" : ")
    {
        let command = rest
            .split_once("COMMAND=")
            .map_or("", |(_, command)| command);
        let mut session = LoginSession::new(Way::Sudo, user.trim(), process, time);
        let called = command.split_whitespace().next().unwrap_or_default();
        session.program = called.rsplit('/').next().map(str::to_owned);
        command.clone_into(&mut session.command);
        sessions.push(session);
    } else if let Some(rest) = said.split_once(":session): session ").map(|(_, rest)| rest) {
        let opens = rest.starts_with("opened");
        let by = rest
            .rsplit_once(" by ")
            .and_then(|(_, by)| by.split('(').next())
            .unwrap_or_default();
        let user = rest
            .split_once("for user ")
            .map(|(_, rest)| rest.split(['(', ' ']).next().unwrap_or_default())
            .unwrap_or_default();
        match way(program) {
            None => {}
            Some(way) if opens => opened(way, user, by, process, time, sessions),
            Some(way) => closed(way, process, time, sessions),
        }
    }
}

/// The way of a program that opens sessions. None for others, such as cron(8).
fn way(program: &str) -> Option<Way> {
    match program {
        "sudo" => Some(Way::Sudo),
        "su" | "su-l" | "runuser" => Some(Way::Su),
        "sshd" | "sshd-session" | "login" => Some(Way::Login),
        _ => None,
    }
}

fn opened(
    way: Way,
    user: &str,
    by: &str,
    process: &str,
    time: i64,
    sessions: &mut Vec<LoginSession>,
) {
    // sshd(8) and sudo(8) have said so already, with more.
    let mut known = sessions.iter().rev();
    let is_known = known.any(|one| {
        one.way == way && one.process == process && one.end.is_none() && time - one.begin <= 60
    });
    if !is_known {
        let who = if by.is_empty() { user } else { by };
        sessions.push(LoginSession::new(way, who, process, time));
    }
}

fn closed(way: Way, process: &str, time: i64, sessions: &mut [LoginSession]) {
    let mut open = sessions.iter_mut().rev();
    let session = open.find(|one| one.way == way && one.process == process && one.end.is_none());
    if let Some(session) = session {
        session.end = Some(time);
    }
}

/// `alice pts/0 192.0.2.9 2026-11-29T10:00:00+00:00 - 2026-11-29T10:30:00+00:00 (00:30)`, or `still logged in`.
fn of_last(evidence: &Evidence) -> Vec<LoginSession> {
    let session = |line: &String| {
        let user = line.split_whitespace().next()?;
        if matches!(user, "reboot" | "shutdown" | "runlevel" | "wtmp") {
            return None;
        }
        let mut times = line
            .split_whitespace()
            .filter_map(|word| time::iso(word, evidence.offset));
        let mut session = LoginSession::new(Way::Login, user, "", times.next()?);
        session.end = times.next();
        let lasts = session.end.is_some() || line.contains("still logged in");
        lasts.then_some(session)
    };
    evidence.logins.iter().filter_map(session).collect()
}
