//! Round trips, felt and counted: one host behind a proxy that delays by 0, 30 and 150 ms.
//!
//! The proxy takes the connection itself, so the round trip of TCP's own handshake is in no figure.

use std::time::Duration;

use crate::hosts::{Lab, names};
use crate::proxy::Proxy;
use crate::run::{median, run};
use crate::{Options, floor};

/// Milliseconds that a round trip takes longer.
const DELAYS: [u64; 3] = [0, 30, 150];

/// Prints what each piece of work takes at each delay, and how many round trips that is.
pub fn measure(lab: &Lab, options: &Options) {
    let host = names('b', 1);
    lab.up(&host);
    let proxy = Proxy::before(lab.sockets(&host).remove(0));
    let known = std::fs::read_to_string(lab.file("known_hosts")).unwrap();
    let key = known
        .lines()
        .find_map(|line| line.strip_prefix("b1.example.org,")?.split_once(' '))
        .unwrap()
        .1;
    let port = proxy.port;
    let trusted = format!("[127.0.0.1]:{port} {key}\n[b1.example.org]:{port} {key}\n");
    lab.write("latency.known", &trusted);
    let body = format!(
        "roles: [backend], addresses: [{}], ssh: {{address: 127.0.0.1, port: {port}}}",
        lab.address("b1")
    );
    let known = lab.room().join("latency.known");
    lab.manifest("latency.yaml", &known, &[("b1".to_owned(), body)]);
    run(&mut lab.apply("latency.yaml"), &[0]);

    let identity = lab.file("id_ed25519");
    let socket = [format!("127.0.0.1:{port}")];
    println!(
        "{:<44} {:>9} {:>9} {:>9} {:>14} {:>10} {:>16}",
        "work (medians)", "0 ms", "30 ms", "150 ms", "round trips", "counted", "after login"
    );
    let mut login = 0.0;
    for work in [
        "handshake and login alone",
        "floor: with `true`",
        "murder plan, converged",
        "murder plan, everything differs",
        "murder apply, everything differs",
    ] {
        let mut times = Vec::new();
        let mut counted = 0;
        for delay in DELAYS {
            let mut costs = Vec::new();
            for _ in 0..options.rounds {
                if work.ends_with("differs") {
                    proxy.delay(Duration::ZERO);
                    lab.spoil(&host);
                }
                let mut command = match work {
                    "handshake and login alone" => floor::command(&identity, "", &socket),
                    "floor: with `true`" => floor::command(&identity, "true", &socket),
                    "murder apply, everything differs" => lab.apply("latency.yaml"),
                    _ => lab.murder("plan", "latency.yaml", &[]),
                };
                proxy.delay(Duration::from_millis(delay));
                costs.push(run(&mut command, &[0]).0);
                counted = proxy.turns();
            }
            if work == "murder plan, everything differs" {
                proxy.delay(Duration::ZERO);
                run(&mut lab.apply("latency.yaml"), &[0]);
            }
            times.push(median(&costs).time.as_secs_f64());
        }
        let trips = (times[2] - times[0]) / 0.15;
        if work == "handshake and login alone" {
            login = trips;
        }
        println!(
            "{work:<44} {:>7.3} s {:>7.3} s {:>7.3} s {trips:>14.1} {counted:>10} {:>16.1}",
            times[0],
            times[1],
            times[2],
            trips - login
        );
    }
    println!(
        "must be: at most 3 after login for a plan, 3 more for an apply; counted are the client's flights after an answer, at 150 ms"
    );
}
