//! What failed logins cost, and waiting before they cost too much.
//!
//! sshd of OpenSSH 9.8 and later counts penalties against the address of a client and, above a limit, drops each of its
//! connections until they are over (`PerSourcePenalties` in sshd_config(5), on by default). By default, a connection
//! with refused logins costs 5 s, one that ends before a login (such as after an unknown host key) 1 s, and the limit
//! is 15 s. Who is blocked blocks everyone behind the same address. So each run counts as sshd does, and waits while one
//! more refused login would reach the limit. Logins that are not decided yet count as refused ones, until a login of the
//! same user has succeeded there. The count is kept between runs, one small file for each server. A server that says that
//! it is another one, or an older OpenSSH, is not counted. Runs at the same moment do not know of each other's open logins.

use std::collections::{BTreeMap, BTreeSet};
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

/// How often to look whether another login to the same server is decided.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The first release of OpenSSH with penalties.
const FIRST_RELEASE: (u32, u32) = (9, 8);

/// Penalties of this client, by server. Without a folder they are forgotten at the end of the run.
#[derive(Debug, Default)]
pub struct Penalties {
    folder: Option<PathBuf>,
    servers: Mutex<BTreeMap<String, Server>>,
}

/// What is known of a server.
#[derive(Debug, Default)]
struct Server {
    /// When it will have forgotten.
    over: Option<SystemTime>,
    /// Logins that are not decided yet, and that may be refused.
    open: u32,
    /// How many failures were counted in this run.
    failures: u64,
    /// The users whose login succeeded in this run.
    proven: BTreeSet<String>,
    /// Whether it counts no penalties.
    is_lenient: bool,
}

/// A connection that may fail. It is open until it has succeeded or failed, or is dropped.
#[derive(Debug)]
pub(in crate::transport) struct Attempt<'a> {
    penalties: &'a Penalties,
    server: String,
    user: String,
    is_open: bool,
    /// How long the client waited before it.
    pub(in crate::transport) waited: Duration,
}

impl Attempt<'_> {
    /// The login has succeeded.
    pub(in crate::transport) fn succeeded(self) {
        let mut servers = self.penalties.lock();
        let server = servers.entry(self.server.clone()).or_default();
        server.proven.insert(self.user.clone());
    }

    /// The connection has failed, which costs so much at a server with penalties. `greeting` is the server's, if it is known.
    pub(in crate::transport) fn failed(self, cost: Duration, greeting: Option<&str>) {
        let is_lenient = greeting.is_some_and(|text| !counts_penalties(text));
        let mut servers = self.penalties.lock();
        let server = servers.entry(self.server.clone()).or_default();
        server.is_lenient = is_lenient;
        server.proven.remove(&self.user);
        drop(servers);
        if !is_lenient {
            self.penalties.charge(&self.server, cost);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_open {
            let mut servers = self.penalties.lock();
            let server = servers.entry(self.server.clone()).or_default();
            server.open = server.open.saturating_sub(1);
        }
    }
}

/// Whether a server with this greeting (`SSH-2.0-OpenSSH_10.0p2 Debian-7`) counts penalties: OpenSSH of 9.8 and later, and one
/// whose release cannot be read.
fn counts_penalties(greeting: &str) -> bool {
    let Some((_, version)) = greeting.split_once("OpenSSH_") else {
        return false;
    };
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next()?.parse().ok();
    match (number(), number()) {
        (Some(major), Some(minor)) => (major, minor) >= FIRST_RELEASE,
        _ => true,
    }
}

impl Penalties {
    /// Penalties that later runs find in this folder, which only its user may read.
    #[must_use]
    pub fn kept_in(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            servers: Mutex::default(),
        }
    }

    /// Waits until a connection to `server` (`address:port`) may fail without reaching the limit.
    pub(in crate::transport) async fn begin(&self, server: &str, user: &str) -> Attempt<'_> {
        let mut attempt = Attempt {
            penalties: self,
            server: server.to_owned(),
            user: user.to_owned(),
            is_open: false,
            waited: Duration::ZERO,
        };
        let (mut patience, mut failures) = (LONGEST, 0);
        loop {
            let kept = self.kept(server);
            let wait = {
                let mut servers = self.lock();
                let known = servers.entry(server.to_owned()).or_default();
                // A clock that was set back, and not a new failure: it must not stop all logins.
                if known.failures != failures {
                    (patience, failures) = (LONGEST, known.failures);
                }
                let may_fail = !known.is_lenient && !known.proven.contains(user);
                let wait = owed(known.over, kept).checked_sub(MAY_BE_OWED);
                let wait = wait.filter(|wait| !wait.is_zero() && !known.is_lenient);
                let left = MAY_BE_OWED.saturating_sub(owed(known.over, kept));
                match wait {
                    Some(wait) if !patience.is_zero() => wait,
                    _ if may_fail && known.open > 0 && REFUSED_LOGIN * known.open > left => {
                        LOOK_AGAIN
                    }
                    _ => {
                        known.open += u32::from(may_fail);
                        attempt.is_open = may_fail;
                        return attempt;
                    }
                }
            };
            Timer::after(wait).await;
            if wait != LOOK_AGAIN {
                attempt.waited += wait;
                patience = patience.saturating_sub(wait);
            }
        }
    }

    /// Counts the penalty of a connection that failed.
    fn charge(&self, server: &str, cost: Duration) {
        let kept = self.kept(server);
        let mut servers = self.lock();
        let known = servers.entry(server.to_owned()).or_default();
        let over = SystemTime::now() + owed(known.over, kept) + cost;
        known.over = Some(over);
        known.failures += 1;
        drop(servers);
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

    /// When the server will have forgotten what earlier runs did.
    fn kept(&self, server: &str) -> Option<SystemTime> {
        let path = self.folder.as_ref()?.join(file_name(server));
        let bytes = read_regular(&path, 32).ok()?;
        let millis = String::from_utf8(bytes).ok()?.trim().parse().ok()?;
        UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Server>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a server still counts, by this run and by earlier ones.
fn owed(here: Option<SystemTime>, kept: Option<SystemTime>) -> Duration {
    let now = SystemTime::now();
    let both = here.into_iter().chain(kept);
    let left = both.filter_map(|over| over.duration_since(now).ok()).max();
    left.unwrap_or_default().min(LONGEST)
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

    const NEW: &str = "SSH-2.0-OpenSSH_10.0p2 Debian-7";

    fn fail(penalties: &Penalties, server: &str, cost: Duration) {
        block_on(penalties.begin(server, "root")).failed(cost, Some(NEW));
    }

    fn owes(penalties: &Penalties, server: &str) -> Duration {
        let here = penalties.lock().get(server).and_then(|known| known.over);
        owed(here, penalties.kept(server))
    }

    #[test]
    fn no_row_of_failures_reaches_the_limit() {
        let penalties = Penalties::default();
        fail(&penalties, "a:22", REFUSED_LOGIN);
        for _ in 0..3 {
            fail(&penalties, "a:22", NO_LOGIN);
        }
        assert!(block_on(penalties.begin("a:22", "root")).waited.is_zero());
        fail(&penalties, "a:22", NO_LOGIN);
        fail(&penalties, "a:22", NO_LOGIN);
        let waited = block_on(penalties.begin("a:22", "root")).waited;
        assert!(waited > Duration::from_millis(500) && waited < Duration::from_secs(2));
        assert!(owes(&penalties, "a:22") + REFUSED_LOGIN < LIMIT);
        let other = block_on(penalties.begin("b:22", "root"));
        assert!(other.waited.is_zero(), "another server");
    }

    #[test]
    fn logins_at_once_do_not_reach_it_either() {
        let penalties = Penalties::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let attempt = block_on(penalties.begin("jump:22", "root"));
                    assert!(owes(&penalties, "jump:22") + REFUSED_LOGIN < LIMIT);
                    std::thread::sleep(Duration::from_millis(100));
                    attempt.failed(REFUSED_LOGIN, Some(NEW));
                    assert!(owes(&penalties, "jump:22") < LIMIT);
                });
            }
        });
        // One that succeeded shows that the others of its user will.
        let penalties = Penalties::default();
        block_on(penalties.begin("jump:22", "root")).succeeded();
        let open: Vec<Attempt<'_>> = (0..20)
            .map(|_| block_on(penalties.begin("jump:22", "root")))
            .collect();
        assert!(open.iter().all(|one| one.waited.is_zero()));
    }

    #[test]
    fn other_servers_are_not_counted() {
        for (greeting, counts) in [
            (NEW, true),
            ("SSH-2.0-OpenSSH_9.8", true),
            ("SSH-2.0-OpenSSH_9.10p1", true),
            ("SSH-2.0-OpenSSH_for_Windows_9.5", true),
            ("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7", false),
            ("SSH-2.0-OpenSSH_8.4p1", false),
            ("SSH-2.0-dropbear_2022.83", false),
            ("SSH-2.0-libssh_0.10.6", false),
        ] {
            assert_eq!(counts_penalties(greeting), counts, "{greeting}");
        }
        let penalties = Penalties::default();
        for _ in 0..30 {
            let attempt = block_on(penalties.begin("a:22", "root"));
            assert!(attempt.waited.is_zero());
            attempt.failed(REFUSED_LOGIN, Some("SSH-2.0-dropbear_2022.83"));
        }
    }

    #[test]
    fn the_next_run_goes_on_counting_and_believes_no_nonsense() {
        let folder = tempfile::tempdir().unwrap();
        let here = || Penalties::kept_in(Some(folder.path().to_owned()));
        fail(&here(), "[::1]:22", REFUSED_LOGIN);
        fail(&here(), "[::1]:22", REFUSED_LOGIN);
        let owed = owes(&here(), "[::1]:22");
        assert!(owed > Duration::from_secs(8) && owed <= Duration::from_secs(10));
        for nonsense in ["", "x", "99999999999999999999", "18446744073709551615"] {
            std::fs::write(folder.path().join("c_22"), nonsense).unwrap();
            assert!(owes(&here(), "c:22") <= LONGEST, "{nonsense}");
        }
    }
}
