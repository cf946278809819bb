//! Whether Postfix can come to its configuration, and user postfix to a socket: arithmetic over modes and owners,
//! no `su`.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::Stat;
use crate::name::RemotePath;
use crate::state::Remark;

/// One remark for each directory that shuts Postfix out, and for each socket that is not there.
pub(super) fn remarks(
    sockets: &BTreeSet<RemotePath>,
    stats: &BTreeMap<String, Stat>,
    identity: &str,
) -> Vec<Remark> {
    let groups = groups(identity);
    let mut remarks = configuration(stats, &groups);
    let mut seen = BTreeSet::new();
    for socket in sockets {
        if !stats.contains_key(socket.as_str()) {
            remarks.push(Remark {
                text: format!("the socket {socket} is not there: no LMTP server listens on it"),
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

/// What of the configuration the programs of Postfix cannot come to. Its daemons read main.cf as root and open tables
/// as user postfix; sendmail(1) and its kin read main.cf as whoever calls them.
fn configuration(stats: &BTreeMap<String, Stat>, groups: &BTreeSet<&str>) -> Vec<Remark> {
    let below = |path: &str| path == CONFIGURATION || path.starts_with("/etc/postfix/");
    let mut remarks = Vec::new();
    for (path, stat) in stats.iter().filter(|(path, _)| below(path)) {
        let mode = stat.mode & 0o7777;
        let shut = format!("({mode:04o} {}:{})", stat.owner, stat.group);
        if stat.other() == Some("a directory")
            && (mode & 0o001 == 0 && path == CONFIGURATION || !may_enter(stat, groups))
        {
            remarks.push(Remark {
                text: format!(
                    "user postfix cannot enter {path} {shut}: it can open no table there"
                ),
                hint: Some(format!("chmod a+rx {path}")),
            });
        } else if path == "/etc/postfix/main.cf" && mode & 0o004 == 0 {
            remarks.push(Remark {
                text: format!(
                    "users cannot read {path} {shut}: sendmail(1) fails for whoever is not root"
                ),
                hint: Some(format!("chmod a+r {path}")),
            });
        }
    }
    remarks
}

/// Where Postfix keeps its configuration.
const CONFIGURATION: &str = "/etc/postfix";

/// What stands where the directory of a file must be, and is none.
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

/// The directories below [`CONFIGURATION`] that files stand in, itself, and main.cf: what [`remarks`] looks at.
pub(super) fn ground<'q>(files: impl Iterator<Item = &'q RemotePath>) -> BTreeSet<&'q str> {
    files
        .flat_map(ancestors)
        .filter(|directory| directory.starts_with(CONFIGURATION))
        .chain([CONFIGURATION, "/etc/postfix/main.cf"])
        .collect()
}

fn ancestors(path: &RemotePath) -> impl Iterator<Item = &str> {
    path.as_str()
        .match_indices('/')
        .skip(1)
        .map(|(at, _)| &path.as_str()[..at])
}

fn may_enter(stat: &Stat, groups: &BTreeSet<&str>) -> bool {
    // As the kernel decides: the first class that fits, and no other (path_resolution(7)).
    let bit = if stat.owner == "postfix" {
        0o100
    } else if groups.contains(stat.group.as_str()) {
        0o010
    } else {
        0o001
    };
    stat.mode & bit != 0
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
fn groups(identity: &str) -> BTreeSet<&str> {
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
