//! Asks a host who changed it, and reads the answer.

use std::fmt::Write as _;
use std::sync::LazyLock;

use super::errors::excerpt;
use super::observe::{quote, without_comments};
use crate::exchange::{Evidence, EvidenceQuestion, FileTrace};
use crate::name::RemotePath;
use crate::secret::Secrets;

static PROGRAM: LazyLock<String> = LazyLock::new(|| without_comments(include_str!("evidence.sh")));

/// The program that answers the question, for the standard input of `sh -s`.
pub(super) fn program(question: &EvidenceQuestion, nonce: &str) -> String {
    let mut program = PROGRAM.clone();
    // In halves, so that a host that echoes its input does not appear to answer.
    let (left, right) = nonce.split_at(nonce.len() / 2);
    let _ = writeln!(program, "N={left}\nN=${{N}}{right}");
    let mut asked = String::new();
    for (path, names) in &question.files {
        asked.push_str(path.as_str());
        // The names become patterns of grep(1).
        for name in names.iter().filter(|name| is_plain(name)) {
            asked.push(' ');
            asked.push_str(name);
        }
        asked.push('\n');
    }
    let _ = writeln!(program, "ASKED={}", quote(&asked));
    program.push_str("murder_witness </dev/null\nexit\n");
    program
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !name.is_empty() && name.bytes().all(plain)
}

/// Reads the head of an answer. What cannot be read is left out: it proves nothing.
pub(super) fn understand(head: &[u8], secrets: &Secrets) -> Evidence {
    let text = String::from_utf8_lossy(head);
    let mut evidence = Evidence::default();
    let mut section = Section::None;
    for line in text.lines() {
        match line.strip_prefix('=') {
            Some(title) => section = Section::begin(title, &section, &mut evidence),
            None => section.add(line, secrets, &mut evidence),
        }
    }
    evidence
}

/// Where in the answer a line stands.
enum Section {
    None,
    Dpkg,
    Rpm,
    Logs,
    Logins,
    /// A file that exists.
    File(RemotePath),
    /// A file that does not, with the time of its folder.
    Gone(RemotePath, Option<i64>),
}

impl Section {
    fn begin(title: &str, now: &Self, evidence: &mut Evidence) -> Self {
        let mut words = title.split_whitespace();
        let word = words.next().unwrap_or_default();
        let mut next = || words.next().unwrap_or_default();
        match word {
            "now" => {
                evidence.now = next().parse().unwrap_or_default();
                evidence.offset = offset(next()).unwrap_or_default();
                Self::None
            }
            // SSH_CONNECTION is `CLIENT PORT SERVER PORT`, and SSH_CLIENT is `CLIENT PORT PORT`.
            "port" => {
                next();
                evidence.own_port = Some(next().to_owned()).filter(|port| !port.is_empty());
                Self::None
            }
            "dpkg" => Self::Dpkg,
            "rpm" => Self::Rpm,
            "logs" => Self::Logs,
            "logins" => Self::Logins,
            "file" | "gone" => {
                let Ok(path) = RemotePath::new(next()) else {
                    return Self::None;
                };
                let changed = next().parse().ok();
                let exists = word == "file";
                let trace = FileTrace {
                    changed,
                    exists,
                    ..FileTrace::default()
                };
                evidence.traces.insert(path.clone(), trace);
                match exists {
                    true => Self::File(path),
                    false => Self::Gone(path, changed),
                }
            }
            "name" => {
                let name = next().to_owned();
                if let (Self::File(path), Ok(line)) = (now, next().parse())
                    && let Some(trace) = evidence.traces.get_mut(path)
                {
                    trace.lines.insert(name, line);
                }
                match now {
                    Self::File(path) => Self::File(path.clone()),
                    _ => Self::None,
                }
            }
            _ => Self::None,
        }
    }

    fn add(&self, line: &str, secrets: &Secrets, evidence: &mut Evidence) {
        let scrubbed = || secrets.scrub(line);
        match self {
            Self::None => {}
            Self::Dpkg => evidence.dpkg.push(scrubbed()),
            Self::Rpm => evidence.rpm.push(scrubbed()),
            Self::Logs => evidence.logs.push(scrubbed()),
            Self::Logins => evidence.logins.push(scrubbed()),
            Self::File(path) => {
                let Some(trace) = evidence.traces.get_mut(path) else {
                    return;
                };
                if let Some((number, text)) = line.split_once(':')
                    && let Ok(number) = number.parse()
                {
                    let text = excerpt(secrets.scrub(text.trim()).as_bytes());
                    trace.markers.push((number, text));
                }
            }
            Self::Gone(path, folder) => {
                // Something else in the folder was changed at the same time: the folder's time proves nothing.
                let time = line.split_once(' ').and_then(|(time, _)| time.parse().ok());
                if let (Some(time), Some(folder)) = (time, folder)
                    && (folder - 1i64..=folder + 1).contains(&time)
                    && let Some(trace) = evidence.traces.get_mut(path)
                {
                    trace.changed = None;
                }
            }
        }
    }
}

/// The seconds of `+0130`.
fn offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let number: i64 = digits.parse().ok()?;
    Some(sign * (number / 100 * 3600 + number % 100 * 60))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn path(text: &str) -> RemotePath {
        RemotePath::new(text).unwrap()
    }

    #[test]
    fn an_answer_is_read_section_by_section() {
        let head = "=now 1000 +0130\n=port 192.0.2.9 50022 192.0.2.1 22\n=file /etc/postfix/main.cf 900\n\
                    3:# BEGIN ANSIBLE MANAGED BLOCK\n=name relayhost 4\n=name biff \n\
                    =gone /etc/postfix/a 800\n700 /etc/postfix/b\n=gone /etc/postfix/x/c 600\n600 /etc/postfix/x/d\n\
                    =dpkg\none\n=rpm\n=logs\ntwo\n=logins\nthree\n";
        let evidence = understand(head.as_bytes(), &Secrets::default());
        assert_eq!((evidence.now, evidence.offset), (1000, 5400));
        assert_eq!(evidence.own_port.as_deref(), Some("50022"));
        let main_cf = &evidence.traces[&path("/etc/postfix/main.cf")];
        assert_eq!((main_cf.changed, main_cf.exists), (Some(900), true));
        assert_eq!(main_cf.markers.len(), 1);
        assert_eq!(main_cf.lines["relayhost"], 4);
        assert!(!main_cf.lines.contains_key("biff"));
        assert_eq!(
            evidence.traces[&path("/etc/postfix/a")].changed,
            Some(800),
            "nothing else was changed then"
        );
        assert_eq!(evidence.traces[&path("/etc/postfix/x/c")].changed, None);
        assert_eq!(evidence.dpkg, ["one"]);
        assert_eq!(evidence.logs, ["two"]);
        assert_eq!(evidence.logins, ["three"]);
    }

    #[test]
    fn names_that_are_patterns_are_not_asked() {
        let names = ["relayhost", "a.*b", "[::1]:smtp"].map(str::to_owned);
        let question = EvidenceQuestion {
            files: BTreeMap::from([(path("/etc/postfix/main.cf"), BTreeSet::from(names))]),
        };
        let program = program(&question, "0123456789abcdef");
        assert!(program.contains("ASKED='/etc/postfix/main.cf relayhost\n'"));
        assert!(!program.contains("0123456789abcdef"));
    }
}
