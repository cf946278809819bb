//! Who runs this, and when: for ledgers and locks.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::plan::Run;

/// This run; its revision is not known yet.
#[must_use]
pub fn run(now: SystemTime) -> Run {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Run {
        // Time and process together name a run among all workstations well enough: the host's lock
        // is what keeps two apart.
        id: format!(
            "{:x}{:05x}{:x}",
            since.as_secs(),
            since.subsec_micros(),
            std::process::id()
        ),
        by: by(),
        at: humantime::format_rfc3339_seconds(now).to_string(),
        revision: String::new(),
    }
}

fn by() -> String {
    let user = ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| "unknown".to_owned());
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    // These words end up in files that a shell reads line by line.
    format!("{user}@{host}")
        .chars()
        .filter(|c| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '\\' | '`' | '$'))
        .collect()
}
