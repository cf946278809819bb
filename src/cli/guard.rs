//! What the program does for its own safety before anything else.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Open files that the most parallel run needs: each connection has three sockets.
const FILES: u64 = 4096;

/// Keeps secrets out of core dumps, and other processes of the user out of this one's memory: it holds keys and
/// passwords. It also allows as many open files as `--parallel` can need.
///
/// A system that refuses a part of this still runs the program.
pub(super) fn guard() {
    let mut core = getrlimit(Resource::Core);
    core.current = Some(0);
    let _ = setrlimit(Resource::Core, core);
    #[cfg(target_os = "linux")]
    {
        // A core_pattern(5) that names a program gets a dump whatever the limit is.
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    let mut files = getrlimit(Resource::Nofile);
    let wanted = files.maximum.map_or(FILES, |most| most.min(FILES));
    if files.current.is_some_and(|current| current < wanted) {
        files.current = Some(wanted);
        let _ = setrlimit(Resource::Nofile, files);
    }
}
