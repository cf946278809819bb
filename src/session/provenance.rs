//! Who runs this, and when: for ledgers and locks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::rand::GetRandomFlags;

use crate::ledger::PinningKey;
use crate::plan::Run;

/// The last second that RFC 3339 can write, 9999-12-31T23:59:59Z.
const LAST: Duration = Duration::from_secs(253_402_300_799);

/// This run; its revision is not known yet.
#[must_use]
pub fn run(now: SystemTime) -> Run {
    // A client whose clock is wrong may say a time that no text can hold.
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default().min(LAST);
    let now = UNIX_EPOCH + since;
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
        plan_digest: None,
        reason: None,
        job: job(),
    }
}

/// The URL of the pipeline's job that runs this, if GitLab, GitHub or Jenkins says so.
fn job() -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let of_github = || {
        let (server, repository) = (set("GITHUB_SERVER_URL")?, set("GITHUB_REPOSITORY")?);
        let run = set("GITHUB_RUN_ID")?;
        Some(format!("{server}/{repository}/actions/runs/{run}"))
    };
    let url = set("CI_JOB_URL")
        .or_else(of_github)
        .or_else(|| set("BUILD_URL"))?;
    Some(
        url.chars()
            .filter(char::is_ascii_graphic)
            .take(500)
            .collect(),
    )
}

/// The longest reason that a generation keeps, in characters.
const LONGEST_REASON: usize = 500;

/// A reason as a generation keeps it: one line, without hidden characters. None if nothing is left.
#[must_use]
pub fn reason(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    let line: String = words.join(" ").chars().take(LONGEST_REASON).collect();
    (!line.is_empty()).then_some(line)
}

/// A new key for a host that has none. None if the system gives no random bytes: the host gets its key at a later apply.
#[must_use]
pub fn new_key() -> Option<PinningKey> {
    let mut bytes = [0; 32];
    let filled = rustix::rand::getrandom(&mut bytes, GetRandomFlags::empty()).ok()?;
    (filled == bytes.len()).then(|| PinningKey::of_bytes(&bytes))
}

fn by() -> String {
    // In a pipeline, the user of the runner says nothing.
    let user = [
        "GITLAB_USER_LOGIN",
        "GITHUB_ACTOR",
        "BUILD_USER_ID",
        "SUDO_USER",
        "USER",
        "LOGNAME",
    ]
    .into_iter()
    .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
    .unwrap_or_else(|| "unknown".to_owned());
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    // A shell reads these words from files, line by line.
    format!("{user}@{host}")
        .chars()
        .filter(|c| c.is_ascii_graphic() && !matches!(c, '\'' | '"' | '\\' | '`' | '$'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_by_ages_names_the_nearest_time() {
        let century = Duration::from_secs(100 * 365 * 86_400);
        assert_eq!(run(UNIX_EPOCH - century).at, "1970-01-01T00:00:00Z");
        assert_eq!(run(UNIX_EPOCH + century * 100).at, "9999-12-31T23:59:59Z");
        let now = UNIX_EPOCH + Duration::from_secs(86_400);
        assert_eq!(run(now).at, "1970-01-02T00:00:00Z");
    }
}
