//! The mails in the queue folders of a sandbox, counted as a host counts them.

use std::path::{Path, PathBuf};

use super::Sandbox;
use crate::postfix::MainCf;
use crate::root_folder::RootFolder;
use crate::state::Queue;

/// What Postfix takes for `queue_directory` where main.cf does not set it.
const DEFAULT: &str = "/var/spool/postfix";

/// The mails in the queue of an instance. A sandbox without queue folders has none. None where the path of the queue is
/// not known.
pub(super) fn count(sandbox: &Sandbox, main_cf: &MainCf) -> Option<Queue> {
    let directory = main_cf.get("queue_directory").unwrap_or(DEFAULT);
    if directory.contains('$') {
        return None;
    }
    let Ok(Some(root)) = sandbox.folder() else {
        return Some(Queue::EMPTY);
    };
    let of_kind = |kind| {
        let mut count = 0;
        count_beneath(root, &Path::new(directory).join(kind), &mut count);
        count
    };
    Some(Queue {
        deferred: of_kind("deferred"),
        active: of_kind("active"),
    })
}

/// Counts the mails beneath a folder. The names of hashed folders have one character, and those of mails have more.
fn count_beneath(root: &RootFolder, folder: &Path, count: &mut u32) {
    for name in root.list(folder).unwrap_or_default() {
        if *count > Queue::COUNTED {
            return;
        }
        if name.len() == 1 {
            let inner: PathBuf = folder.join(name);
            count_beneath(root, &inner, count);
        } else {
            *count += 1;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::name::HostName;
    use crate::state::Facts;

    #[test]
    fn mails_in_hashed_folders_are_counted() {
        let home = tempfile::tempdir().unwrap();
        let host = HostName::new("a.example.org").unwrap();
        let sandbox = Sandbox::new(
            home.path(),
            &host,
            Facts::debian(),
            std::sync::Arc::default(),
        );
        let main_cf = MainCf::parse(b"");
        assert_eq!(count(&sandbox, &main_cf), Some(Queue::EMPTY));
        let spool = sandbox.inside("/var/spool/postfix");
        for (folder, name) in [
            ("deferred/A", "4FqA12"),
            ("deferred/B/C", "4FqB1"),
            ("active", "4FqD7"),
        ] {
            std::fs::create_dir_all(spool.join(folder)).unwrap();
            std::fs::write(spool.join(folder).join(name), "").unwrap();
        }
        let queue = Queue {
            deferred: 2,
            active: 1,
        };
        assert_eq!(count(&sandbox, &main_cf), Some(queue));
        let elsewhere = MainCf::parse(b"queue_directory = /var/spool/postfix-out\n");
        assert_eq!(count(&sandbox, &elsewhere), Some(Queue::EMPTY));
        let by_name = MainCf::parse(b"queue_directory = $x/spool\n");
        assert_eq!(count(&sandbox, &by_name), None);
    }
}
