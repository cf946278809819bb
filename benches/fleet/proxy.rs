//! A TCP proxy that delays each way by half of a round trip, and counts how often the client waited for the host.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// A proxy before one host.
pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Microseconds of one way.
    way: AtomicU64,
    /// How often the client spoke after the host had spoken.
    turns: AtomicUsize,
    host_spoke: AtomicBool,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1.
    pub fn before(host: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(&host).unwrap();
                carry(&client, &server, &shared, true);
                carry(&server, &client, &shared, false);
            }
        });
        Self { port, state }
    }

    /// From now on a round trip takes so long, and counting begins anew.
    pub fn delay(&self, round_trip: Duration) {
        let way = u64::try_from(round_trip.as_micros()).unwrap() / 2;
        self.state.way.store(way, Ordering::Relaxed);
        self.state.turns.store(0, Ordering::Relaxed);
        self.state.host_spoke.store(false, Ordering::Relaxed);
    }

    /// How often the client spoke after the host had spoken.
    pub fn turns(&self) -> usize {
        self.state.turns.load(Ordering::Relaxed)
    }
}

/// Two threads: one reads and notes when it read, one writes when it is time.
fn carry(from: &TcpStream, to: &TcpStream, state: &Arc<State>, outward: bool) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    to.set_nodelay(true).unwrap();
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65536];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            if outward && state.host_spoke.swap(false, Ordering::Relaxed) {
                state.turns.fetch_add(1, Ordering::Relaxed);
            }
            let way = Duration::from_micros(state.way.load(Ordering::Relaxed));
            if sender
                .send((Instant::now() + way, buffer[..count].to_vec()))
                .is_err()
            {
                break;
            }
            if !outward {
                state.host_spoke.store(true, Ordering::Relaxed);
            }
        }
    });
    std::thread::spawn(move || {
        for (due, bytes) in receiver {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
