//! Whether user postfix can come to a socket: arithmetic over modes and owners, no `su`.

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
    let mut remarks = Vec::new();
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
