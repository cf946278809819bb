//! Changes that another tool made: by what it logs, or by its mark in the file.

use super::time;
use crate::exchange::{Evidence, FileTrace, signature};
use crate::name::RemotePath;

/// Seconds between the change and the line that a tool logs: before it, as Ansible, or after it, as Puppet. With more, a
/// change by a person just after the tool would count as the tool's.
const NEAR: i64 = 1;

/// Another tool, and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OtherTool {
    /// Its name.
    pub name: String,
    /// How it is known.
    pub how: String,
}

/// The tool that logs near the time that it does something to the file.
pub(super) fn by_log(time: i64, path: &RemotePath, evidence: &Evidence) -> Option<OtherTool> {
    let mut lines = evidence.logs.iter().filter_map(|line| {
        let (at, rest) = time::of_log(line, evidence.now, evidence.offset)?;
        let near = (time - NEAR..=time + NEAR).contains(&at);
        near.then_some(rest)
    });
    lines.find_map(|line| {
        let name = logger(line)?;
        let concerns = line.contains(path.as_str())
            || (line.contains("postconf") && path.directory().starts_with("/etc/postfix"));
        concerns.then(|| OtherTool {
            name: name.to_owned(),
            how: "its log".to_owned(),
        })
    })
}

/// The tool that wrote a line of a log. Ansible's modules log under the name of the interpreter.
fn logger(line: &str) -> Option<&'static str> {
    let mut words = line.split_whitespace().skip(1);
    let tag = words.next()?;
    let first = words.next().unwrap_or_default();
    let begins = |name: &str| tag.starts_with(name);
    if begins("ansible-") || first.starts_with("ansible-") {
        Some("Ansible")
    } else if begins("puppet") {
        Some("Puppet")
    } else if begins("chef-client") {
        Some("Chef")
    } else if begins("salt-minion") {
        Some("Salt")
    } else if begins("cf-agent") {
        Some("CFEngine")
    } else {
        None
    }
}

/// The tool whose commands sudo(8) ran.
pub(super) fn by_command(command: &str) -> Option<OtherTool> {
    let is_ansible = command.contains("BECOME-SUCCESS-") || command.contains("AnsiballZ");
    is_ansible.then(|| OtherTool {
        name: "Ansible".to_owned(),
        how: "the command that sudo ran".to_owned(),
    })
}

/// The tool that signs the whole file, or the block that the named line is in. A mark at the head of main.cf or master.cf
/// may be older than the first apply, and proves nothing.
pub(super) fn by_marker(trace: &FileTrace, name: Option<&str>) -> Option<OtherTool> {
    let marked = |text: &str| {
        signature(text).map(|name| OtherTool {
            name: name.to_owned(),
            how: "its mark in the file".to_owned(),
        })
    };
    let Some(name) = name else {
        return trace.markers.iter().find_map(|(_, text)| marked(text));
    };
    let at = *trace.lines.get(name)?;
    let before = trace.markers.iter().rev().find(|(line, _)| *line < at);
    let after = trace.markers.iter().find(|(line, _)| *line > at);
    let is = |mark: Option<&(usize, String)>, word: &str| {
        mark.is_some_and(|(_, text)| text.to_ascii_uppercase().contains(word))
    };
    let (_, text) = before?;
    (is(before, "BEGIN ") && is(after, "END ")).then(|| marked(text))?
}
