//! Connecting along a route: each jump host in turn, the host last, and again where an sshd is too busy.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_io::Timer;

use super::connection::Connection;
use super::errors;
use super::handshake::{DialError, Trust, handshake};
use super::hop::Hop;
use super::login::login;
use super::route::Route;
use super::tunnel;
use super::wire::Wire;
use crate::exchange::MachineError;
use crate::transport::options::ConnectOptions;
use crate::transport::penalties;

/// How many times to connect to an sshd that closes the connection before its greeting.
const TRIES: u32 = 10;

/// The first pause between two tries. It doubles each time, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(150);

/// The longest pause. All pauses together take about 25 seconds.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Connects and logs in along the whole route. It starts again, after a pause, where an sshd on the route closes the
/// connection before its greeting (`MaxStartups`).
///
/// # Errors
/// The first hop that fails, and why.
pub(super) async fn dial(
    route: &Route,
    options: &ConnectOptions,
) -> Result<Connection, MachineError> {
    let mut pause = FIRST_PAUSE;
    let mut tried = 1;
    loop {
        let (hop, detail) = match dial_once(route, options).await {
            Ok(connection) => return Ok(connection),
            Err((_, DialError::Final(error))) => return Err(error),
            Err((hop, DialError::Closed(detail))) => (hop, detail),
        };
        if tried >= TRIES {
            return Err(errors::closed_before_handshake(hop, tried, &detail));
        }
        Timer::after(pause + jitter(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        tried += 1;
    }
}

async fn dial_once<'a>(
    route: &'a Route,
    options: &ConnectOptions,
) -> Result<Connection, (&'a Hop, DialError)> {
    let mut hop = &route.first;
    let first = connect_hop(hop, None, options).await;
    let mut connection = first.map_err(|error| (hop, error))?;
    for next in &route.rest {
        let connected = connect_hop(next, Some((connection, hop)), options).await;
        connection = connected.map_err(|error| (next, error))?;
        hop = next;
    }
    Ok(connection)
}

/// Connects to one hop, through the one `before` it if any: connection, handshake, check of the host key, login.
async fn connect_hop(
    hop: &Hop,
    before: Option<(Connection, &Hop)>,
    options: &ConnectOptions,
) -> Result<Connection, DialError> {
    let trust = Trust::load(hop, options.accept_new).map_err(DialError::Final)?;
    let _turn = options.limits.turn(&hop.to_string()).await;
    let server = format!("{}:{}", hop.address, hop.port);
    let attempt = options.penalties.begin(&server, &hop.user).await;
    let waited = attempt.waited;
    let deadline = Instant::now() + hop.timeout;
    let wire = match before {
        None => Wire::connect(&hop.address, hop.port, deadline).await,
        Some((connection, jump)) => tunnel::open(jump, hop, connection, deadline).await,
    };
    let wire = wire.map_err(DialError::Final)?;
    let (cost, error) = match handshake(hop, &wire, &trust, deadline).await {
        Ok(session) => {
            let connection = Connection {
                session,
                wire: Arc::clone(&wire),
            };
            match login(hop, &connection.session, &connection.wire, options).await {
                Ok(()) => {
                    connection.wire.logged_in();
                    attempt.succeeded();
                    return Ok(connection);
                }
                Err(error) => (penalties::REFUSED_LOGIN, error),
            }
        }
        Err(error) => {
            wire.cut();
            match error {
                DialError::Final(error) => (penalties::NO_LOGIN, error),
                closed @ DialError::Closed(_) => return Err(closed),
            }
        }
    };
    attempt.failed(cost, wire.greeting());
    Err(DialError::Final(penalties::explained(error, waited)))
}

/// A random addition to a pause, up to the pause itself: hosts that were refused together must not return together.
fn jitter(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let share = u32::try_from(random % 1000).unwrap_or_default();
    pause * share / 1000
}
