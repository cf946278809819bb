//! The directories and links on the way to a file, and which of them let a user exchange it.
//!
//! Whoever may write a directory may replace what is in it: a file by a link to one of root's, or a directory by a link
//! to another one. `murder` then shows and overwrites what that user chose. A sticky bit does not help, because the user
//! may own the entry.

use std::collections::BTreeMap;

use super::answer::head::Stat;
use crate::name::Mode;
use crate::state::ExposingDirectory;

/// What Linux allows in one path (path_resolution(7)).
const MOST_LINKS: u32 = 40;

/// How a path resolves on the host.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Way {
    /// Each directory that is searched, in order, once.
    pub directories: Vec<String>,
    /// The path without links. None where a link leads to a path with blanks or signs, or in a circle.
    pub reached: Option<String>,
}

impl Way {
    /// Follows `path` over the links of the host, each with its target as the host read it.
    pub fn of(path: &str, links: &BTreeMap<&str, &str>) -> Self {
        let mut way = Self {
            directories: Vec::new(),
            reached: None,
        };
        let mut reached = String::new();
        let mut rest: Vec<&str> = path.rsplit('/').collect();
        let mut followed = 0;
        while let Some(part) = rest.pop() {
            match part {
                "" | "." => continue,
                ".." => {
                    reached.truncate(reached.rfind('/').unwrap_or(0));
                    continue;
                }
                _ => way.search(&reached),
            }
            let next = format!("{reached}/{part}");
            let Some(target) = links.get(next.as_str()) else {
                reached = next;
                continue;
            };
            followed += 1;
            if *target == "?" || followed > MOST_LINKS {
                return way;
            }
            if target.starts_with('/') {
                reached.clear();
            }
            rest.extend(target.rsplit('/'));
        }
        way.reached = Some(reached);
        way
    }

    fn search(&mut self, directory: &str) {
        let directory = if directory.is_empty() { "/" } else { directory };
        if !self.directories.iter().any(|known| known == directory) {
            self.directories.push(directory.to_owned());
        }
    }

    /// The first directory that a user other than root owns or may write. One that does not exist is made by an apply,
    /// for root.
    pub fn exposing(&self, stats: &BTreeMap<String, Stat>) -> Option<ExposingDirectory> {
        self.directories.iter().find_map(|path| {
            let stat = stats.get(path)?;
            let exposes = stat.user != 0
                || stat.mode & 0o002 != 0
                || (stat.mode & 0o020 != 0 && stat.group_id != 0);
            exposes.then(|| ExposingDirectory {
                path: path.clone(),
                owner: stat.owner.clone(),
                group: stat.group.clone(),
                mode: Mode::from_bits(stat.mode),
            })
        })
    }

    /// Whether every user may search all directories on the way.
    pub fn is_open(&self, stats: &BTreeMap<String, Stat>) -> bool {
        let mut stats = self.directories.iter().filter_map(|path| stats.get(path));
        stats.all(|stat| stat.mode & 0o001 != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(path: &str, links: &[(&'static str, &'static str)]) -> (String, Option<String>) {
        let way = Way::of(path, &links.iter().copied().collect());
        (way.directories.join(" "), way.reached)
    }

    #[test]
    fn every_directory_on_the_way_counts() {
        assert_eq!(
            way("/etc/postfix/x", &[]),
            (
                "/ /etc /etc/postfix".to_owned(),
                Some("/etc/postfix/x".to_owned())
            )
        );
        let links = [
            ("/etc/postfix/maps", "../../srv/./maps"),
            ("/srv/maps", "/home/joe//maps"),
            ("/home/joe/maps/x", "y"),
        ];
        assert_eq!(
            way("/etc/postfix/maps/x", &links),
            (
                "/ /etc /etc/postfix /srv /home /home/joe /home/joe/maps".to_owned(),
                Some("/home/joe/maps/y".to_owned())
            )
        );
        assert_eq!(
            way("/a/../../x", &[("/x", "/x")]).1,
            None,
            "a link to itself"
        );
        assert_eq!(way("/a/b", &[("/a", "?")]), ("/".to_owned(), None));
    }

    #[test]
    fn a_directory_of_a_user_exposes_its_files() {
        let stat = |mode: u32, user: u32, group_id: u32| Stat {
            mode: 0o040_000 | mode,
            owner: "o".to_owned(),
            group: "g".to_owned(),
            user,
            group_id,
            size: 0,
            mtime: 0,
            ctime: 0,
            inode: 0,
        };
        for (mode, user, group, exposes) in [
            (0o755, 0, 0, false),
            (0o755, 0, 1000, false),
            (0o775, 0, 0, false),
            (0o775, 0, 50, true),
            (0o2775, 0, 50, true),
            (0o757, 0, 0, true),
            (0o1777, 0, 0, true),
            (0o755, 1000, 0, true),
            (0o500, 1000, 1000, true),
        ] {
            let stats = [
                ("/".to_owned(), stat(0o755, 0, 0)),
                ("/srv".to_owned(), stat(mode, user, group)),
            ];
            let way = Way::of("/srv/new/x", &BTreeMap::new());
            let exposing = way.exposing(&stats.into());
            assert_eq!(exposing.is_some(), exposes, "{mode:o} {user} {group}");
        }
    }
}
