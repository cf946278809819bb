//! Whether Postfix can read its configuration and reach its sockets, computed from modes and owners.
//!
//! No `su` is needed on the host.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::head::Stat;
use crate::name::RemotePath;
use crate::state::Remark;

/// One remark for each directory that user postfix cannot enter, and for each socket that does not exist.
pub(super) fn remarks(
    folder: &str,
    sockets: &BTreeSet<RemotePath>,
    stats: &BTreeMap<String, Stat>,
    identity: &str,
) -> Vec<Remark> {
    let groups = groups(identity);
    let mut remarks = configuration(folder, stats, &groups);
    let mut seen = BTreeSet::new();
    for socket in sockets {
        if !stats.contains_key(socket.as_str()) {
            remarks.push(Remark {
                text: format!("the socket {socket} does not exist: no LMTP server listens on it"),
                hint: Some(format!(
                    "start Cyrus, or set `cyrus: {{lmtp_socket: …}}` to what `lmtpunix` in /etc/cyrus.conf has (here {socket})"
                )),
            });
        }
        for directory in ancestors(socket) {
            let Some(stat) = stats.get(directory) else {
                continue;
            };
            if may_enter(stat, &groups) || !seen.insert(directory) {
                continue;
            }
            remarks.push(shut_out(directory, stat));
        }
    }
    remarks
}

/// Remarks about modes and owners below the folder of an instance of Postfix. The daemons read main.cf as root and open many tables as user
/// postfix. sendmail(1) and postdrop(1) read main.cf as the user who calls them. A user who may write it controls
/// what root runs.
fn configuration(
    folder: &str,
    stats: &BTreeMap<String, Stat>,
    groups: &BTreeSet<&str>,
) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let read_by_all = read_by_all(folder);
    for (path, stat) in stats
        .iter()
        .filter(|(path, _)| is_configuration(folder, path))
    {
        let directory = stat.other() == Some("a directory");
        if !directory && !read_by_all.contains(path) {
            continue;
        }
        let mode = stat.mode & 0o7777;
        let seen = format!("({mode:04o} {}:{})", stat.owner, stat.group);
        let mut say = |text: String, command: String| {
            remarks.push(Remark {
                text,
                hint: Some(command),
            });
        };
        if directory && path != folder && !may_enter(stat, groups) {
            say(
                format!(
                    "user postfix cannot enter {path} {seen}: it cannot open the files there that it needs at run time, as behind `proxy:`"
                ),
                format!("chmod a+rx {path}"),
            );
        }
        if *path == read_by_all[0] && mode & 0o004 == 0 {
            say(
                format!(
                    "users cannot read {path} {seen}: sendmail(1) fails for all users but root"
                ),
                format!("chmod a+r {path}"),
            );
        }
        if stat.user != 0 || mode & 0o022 != 0 {
            say(
                format!(
                    "users other than root can write {path} {seen}: they control what Postfix runs"
                ),
                format!("chown root {path}; chmod go-w {path}"),
            );
        }
    }
    remarks
}

/// The files that every user must read and only root may write.
fn read_by_all(folder: &str) -> [String; 2] {
    ["main.cf", "master.cf"].map(|name| format!("{folder}/{name}"))
}

/// Mode and owner of a configuration folder if user postfix cannot search it. Running daemons keep the configuration that they
/// have read; mail stops at the next reload.
pub(super) fn is_shut(
    folder: &str,
    stats: &BTreeMap<String, Stat>,
    identity: &str,
) -> Option<String> {
    let stat = stats.get(folder)?;
    let mode = stat.mode & 0o7777;
    let shut = !may_enter(stat, &groups(identity));
    shut.then(|| format!("{mode:04o} {}:{}", stat.owner, stat.group))
}

fn is_configuration(folder: &str, path: &str) -> bool {
    let below = path.strip_prefix(folder);
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// The first ancestor of a file that exists and is no directory, and its kind.
pub(super) fn no_directory<'q>(
    files: impl Iterator<Item = &'q RemotePath>,
    stats: &BTreeMap<String, Stat>,
) -> Option<(&'q str, &'static str)> {
    files.flat_map(ancestors).find_map(|directory| {
        let stat = stats.get(directory)?;
        let kind = stat.other().unwrap_or("a plain file");
        (kind != "a directory").then_some((directory, kind))
    })
}

/// The paths whose modes [`remarks`] needs: the configuration folder, the directories of `files` below it, and the
/// files that every user must read.
pub(super) fn checked_paths<'q>(
    folder: &'q str,
    files: impl Iterator<Item = &'q RemotePath>,
) -> BTreeSet<String> {
    files
        .flat_map(ancestors)
        .filter(|directory| is_configuration(folder, directory))
        .chain([folder])
        .map(str::to_owned)
        .chain(read_by_all(folder))
        .collect()
}

fn ancestors(path: &RemotePath) -> impl Iterator<Item = &str> {
    path.as_str()
        .match_indices('/')
        .skip(1)
        .map(|(at, _)| &path.as_str()[..at])
}

/// Whether user postfix may search a directory.
pub(super) fn may_enter(stat: &Stat, groups: &BTreeSet<&str>) -> bool {
    may(stat, groups, 0o1)
}

/// Whether user postfix may read a file.
pub(super) fn may_read(stat: &Stat, groups: &BTreeSet<&str>) -> bool {
    may(stat, groups, 0o4)
}

/// Whether user postfix has the permission of a bit of `rwx`.
fn may(stat: &Stat, groups: &BTreeSet<&str>, bit: u32) -> bool {
    // As the kernel decides: the first class that fits, and no other (path_resolution(7)).
    let class = if stat.owner == "postfix" {
        6
    } else if groups.contains(stat.group.as_str()) {
        3
    } else {
        0
    };
    stat.mode & (bit << class) != 0
}

fn shut_out(directory: &str, stat: &Stat) -> Remark {
    let mode = stat.mode & 0o7777;
    // Membership opens what the group may enter; only a mode opens the rest.
    let hint = if mode & 0o010 != 0 && stat.group != "root" {
        format!("usermod -a -G {} postfix && postfix reload", stat.group)
    } else {
        format!("chmod o+x {directory}")
    };
    Remark {
        text: format!(
            "user postfix cannot enter {directory} ({mode:04o} {}:{}): mail for the socket behind it is deferred",
            stat.owner, stat.group
        ),
        hint: Some(hint),
    }
}

/// The group names of `id postfix`: `uid=101(postfix) gid=103(postfix) groups=103(postfix),8(mail)`.
pub(super) fn groups(identity: &str) -> BTreeSet<&str> {
    identity
        .split(['(', ')'])
        .skip(3)
        .step_by(2)
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_names_come_from_id() {
        let groups = groups("uid=101(postfix) gid=103(postfix) groups=103(postfix),8(mail)");
        assert_eq!(groups.into_iter().collect::<Vec<_>>(), ["mail", "postfix"]);
    }
}
