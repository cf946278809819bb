//! TCP connections that no thread waits for: the addresses of a name, and each of them in turn.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use async_io::Async;
use blocking::unblock;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::errors;
use crate::exchange::MachineError;
use crate::transport::deadline::until;

/// How long a connection is quiet before the kernel sends a keepalive probe. A firewall forgets quiet connections,
/// and a person may read a plan for long before the answer.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long sent bytes may stay without acknowledgement before the peer counts as dead.
const USER_TIMEOUT_MILLISECONDS: u32 = 60_000;

/// Connects to each address of the name in turn.
///
/// # Errors
/// `Unreachable` where the name has no address, or none of them accepts the connection before `deadline`.
pub(super) async fn connect(
    host: &str,
    port: u16,
    deadline: Instant,
) -> Result<TcpStream, MachineError> {
    let addresses = addresses(host, port, deadline)
        .await
        .map_err(|error| errors::name_not_resolved(host, &error))?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        if Instant::now() >= deadline {
            last = io::ErrorKind::TimedOut.into();
            break;
        }
        match connect_to(&address, deadline).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(errors::connection_failed(host, port, &last))
}

/// The addresses of a name. A text that is an address needs no resolver.
///
/// # Errors
/// That of the resolver, or `TimedOut` where it has no answer at `deadline`.
async fn addresses(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = host.to_owned();
    let asked = unblock(move || Ok((host.as_str(), port).to_socket_addrs()?.collect()));
    until(deadline, asked).await.unwrap_or_else(|| {
        let why = "the resolver has not answered in time";
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    })
}

/// Connects without blocking the thread, which the standard library cannot do.
async fn connect_to(address: &SocketAddr, deadline: Instant) -> io::Result<TcpStream> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    let begun = rustix::net::connect(&socket, address);
    let stream = TcpStream::from(socket);
    tune(&stream);
    match begun {
        Ok(()) => return Ok(stream),
        Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let stream = Async::new(stream)?;
    loop {
        let waited = until(deadline, stream.writable()).await;
        rustix::net::sockopt::socket_error(&stream)??;
        // A socket without an error may still be connecting.
        match rustix::net::getpeername(&stream) {
            Ok(_) => return stream.into_inner(),
            Err(Errno::NOTCONN) if waited.is_some() => {}
            Err(Errno::NOTCONN) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "connection timed out",
                ));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Sets `TCP_NODELAY`, as each step of the handshake would otherwise wait for a delayed acknowledgement, and
/// keepalives. Errors are ignored: a socket without these options works too.
fn tune(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_socket_keepalive(stream, true);
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::net::sockopt::set_tcp_keepidle(stream, KEEPALIVE);
        let _ = rustix::net::sockopt::set_tcp_keepintvl(stream, KEEPALIVE);
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, USER_TIMEOUT_MILLISECONDS);
    }
}
