//! What failed logins cost, and waiting before they cost too much.
//!
//! sshd of OpenSSH 9.8 and later counts penalties against the address of a client and, above a limit, drops each of its
//! connections until they are over (`PerSourcePenalties` in sshd_config(5), on by default). By default, a connection
//! with refused logins costs 5 s, one that ends before a login (such as after an unknown host key) 1 s, and the limit
//! is 15 s. Who is blocked blocks everyone behind the same address. So each run counts as sshd does, and waits while one
//! more refused login would reach the limit. The count is kept between runs, one small file for each server.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_io::Timer;

use crate::exchange::{Failure, MachineError};
use crate::root_folder::read_regular;

/// `authfail`: a connection with refused logins.
pub(in crate::transport) const REFUSED_LOGIN: Duration = Duration::from_secs(5);

/// `noauth`: a connection that ended before a login.
pub(in crate::transport) const NO_LOGIN: Duration = Duration::from_secs(1);

/// `min`: penalties above this block the client.
const LIMIT: Duration = Duration::from_secs(15);

/// What may be owed before a connection: one more refused login, and a second for the clocks, stay below the limit.
const MAY_BE_OWED: Duration = Duration::from_secs(9);

/// The longest that a count is believed: a clock that was set back must not stop all logins.
const LONGEST: Duration = Duration::from_secs(60);

/// Penalties of this client, by server. Without a folder they are forgotten at the end of the run.
#[derive(Debug, Default)]
pub struct Penalties {
    folder: Option<PathBuf>,
    /// When each server will have forgotten.
    over: Mutex<BTreeMap<String, SystemTime>>,
}

impl Penalties {
    /// Penalties that later runs find in this folder, which only its user may read.
    #[must_use]
    pub fn kept_in(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            over: Mutex::default(),
        }
    }

    /// Waits until a connection to `server` (`address:port`) may fail without reaching the limit; gives how long it
    /// waited.
    pub(in crate::transport) async fn wait(&self, server: &str) -> Duration {
        let mut waited = Duration::ZERO;
        loop {
            let Some(wait) = self.owed(server).checked_sub(MAY_BE_OWED) else {
                return waited;
            };
            if wait.is_zero() || waited > LONGEST {
                return waited;
            }
            Timer::after(wait).await;
            waited += wait;
        }
    }

    /// Counts the penalty of a connection that failed.
    pub(in crate::transport) fn charge(&self, server: &str, cost: Duration) {
        let over = SystemTime::now() + self.owed(server) + cost;
        self.lock().insert(server.to_owned(), over);
        let Some(folder) = &self.folder else {
            return;
        };
        let since = over.duration_since(UNIX_EPOCH).unwrap_or_default();
        // Where it cannot be kept, the next run begins at zero.
        if let Ok(mut file) = tempfile::NamedTempFile::new_in(folder)
            && write!(file, "{}", since.as_millis()).is_ok()
        {
            let _ = file.persist(folder.join(file_name(server)));
        }
    }

    /// What the server still counts.
    fn owed(&self, server: &str) -> Duration {
        let here = self.lock().get(server).copied();
        let kept = self.folder.as_ref().and_then(|folder| {
            let bytes = read_regular(&folder.join(file_name(server)), 32).ok()?;
            let millis = String::from_utf8(bytes).ok()?.trim().parse().ok()?;
            UNIX_EPOCH.checked_add(Duration::from_millis(millis))
        });
        let now = SystemTime::now();
        here.into_iter()
            .chain(kept)
            .filter_map(|over| over.duration_since(now).ok())
            .max()
            .unwrap_or_default()
            .min(LONGEST)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, SystemTime>> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a connection, with a remark where `murder` waited before it.
pub(in crate::transport) fn explained(error: MachineError, waited: Duration) -> MachineError {
    if waited.is_zero() {
        return error;
    }
    let remark = format!(
        "waited {} s before this connection, after failed ones: sshd of OpenSSH 9.8 and later blocks an address whose failed logins add up to {} s (`PerSourcePenalties`)",
        waited.as_secs().max(1),
        LIMIT.as_secs()
    );
    error.map(|failure| Failure {
        detail: Some(match &failure.detail {
            Some(detail) => format!("{detail}\n{remark}"),
            None => remark,
        }),
        ..failure
    })
}

fn file_name(server: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    server
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_io::block_on;

    use super::*;

    #[test]
    fn no_row_of_failures_reaches_the_limit() {
        let penalties = Penalties::default();
        penalties.charge("a:22", REFUSED_LOGIN);
        for _ in 0..3 {
            penalties.charge("a:22", NO_LOGIN);
        }
        assert!(block_on(penalties.wait("a:22")).is_zero());
        penalties.charge("a:22", NO_LOGIN);
        penalties.charge("a:22", NO_LOGIN);
        let waited = block_on(penalties.wait("a:22"));
        assert!(waited > Duration::from_millis(500) && waited < Duration::from_secs(2));
        assert!(penalties.owed("a:22") + REFUSED_LOGIN < LIMIT);
        assert!(block_on(penalties.wait("b:22")).is_zero(), "another server");
    }

    #[test]
    fn the_next_run_goes_on_counting_and_believes_no_nonsense() {
        let folder = tempfile::tempdir().unwrap();
        let here = || Penalties::kept_in(Some(folder.path().to_owned()));
        here().charge("[::1]:22", REFUSED_LOGIN);
        here().charge("[::1]:22", REFUSED_LOGIN);
        let owed = here().owed("[::1]:22");
        assert!(owed > Duration::from_secs(8) && owed <= Duration::from_secs(10));
        for nonsense in ["", "x", "99999999999999999999", "18446744073709551615"] {
            std::fs::write(folder.path().join("c_22"), nonsense).unwrap();
            assert!(here().owed("c:22") <= LONGEST, "{nonsense}");
        }
    }
}
