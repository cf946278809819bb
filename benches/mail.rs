//! `verify` and `trace` on large directories, as whole processes that read LDIF.
//!
//! Run by hand: `cargo bench --bench mail`. It needs no root and no Postfix. `MURDER_PROGRAM` names another build to measure.
//! What a figure must be stands beside it; it is shown, not enforced, because machines are noisy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

// The program as a whole process.
mod process;

use std::fmt::Write as _;
use std::fs;

use process::{Cost, row, run};

/// Backends of the murder.
const BACKENDS: usize = 100;
/// Addresses that one process traces, beside the first one.
const TRACED: usize = 1000;
/// Each figure is the best of so many runs.
const RUNS: usize = 3;

fn manifest() -> String {
    let mut yaml = String::from(
        "version: 1\nmurder: bench\ntopology: discrete\ndomains: [example.org]\n\
         ldap: {uris: ['ldap://ldap1.example.org', 'ldap://ldap2.example.org'], base: 'dc=example,dc=org', tls: {mode: none}}\n\
         cyrus: {lmtp_socket: /run/cyrus/socket/lmtp, postuser: folder}\nhosts:\n  \
         mx.example.org: {roles: [internet-mta], addresses: [192.0.2.1]}\n  \
         smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.2]}\n",
    );
    for number in 1..=BACKENDS {
        let _ = writeln!(
            yaml,
            "  backend{number}.example.org: {{roles: [backend], addresses: [10.0.0.{number}]}}"
        );
    }
    yaml
}

/// A directory with about so many addresses: people with an alias each; of a hundred entries one is a group of eight, one has a forwarding
/// address, and of two hundred one is a shared folder. With `odd`, of a thousand people one has no mailHost, one a short one, one an
/// unknown one, and one an alias that another one has too.
fn directory(addresses: usize, odd: bool) -> String {
    let mut ldif = String::from("dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n\n");
    let people = addresses / 2;
    for number in 0..people {
        let backend = number * 7919 % BACKENDS + 1;
        let host = match number % 1000 {
            1 if odd => String::new(),
            2 if odd => format!("mailHost: backend{backend}\n"),
            3 if odd => "mailHost: gone.example.org\n".to_owned(),
            _ => format!("mailHost: backend{backend}.example.org\n"),
        };
        let of = number - usize::from(odd && number % 1000 == 4);
        let name = ["kim", "ola", "ngoc.anh", "x_y", "li", "de-wit"][number % 6];
        let _ = write!(
            ldif,
            "dn: uid=u{number},ou=People,dc=example,dc=org\nobjectClass: kolabInetOrgPerson\nuid: u{number}\ncn: U\nsn: U\n\
             mail: {name}{number}@example.org\nalias: {name}.{of}.alias@example.org\n{host}"
        );
        if number % 100 == 50 {
            let _ = writeln!(ldif, "mailForwardingAddress: u{number}@outside.example");
        }
        ldif.push('\n');
        if number % 100 == 70 {
            let _ = write!(
                ldif,
                "dn: cn=g{number},ou=Groups,dc=example,dc=org\nobjectClass: kolabGroupOfUniqueNames\ncn: g{number}\nmail: g{number}@example.org\n"
            );
            for member in 0..8 {
                let member = number * 31 % people + member * 101;
                let _ = writeln!(
                    ldif,
                    "uniqueMember: uid=u{},ou=People,dc=example,dc=org",
                    member % people
                );
            }
            ldif.push('\n');
        }
        if number % 200 == 90 {
            let _ = write!(
                ldif,
                "dn: cn=f{number},ou=Folders,dc=example,dc=org\nobjectClass: kolabSharedFolder\ncn: f{number}\nmail: f{number}@example.org\n\
                 kolabTargetFolder: shared/f{number}@example.org\nmailHost: backend{backend}.example.org\n\n"
            );
        }
    }
    ldif
}

/// The best of some runs, as other work on the machine only adds.
fn best(once: impl Fn() -> Cost) -> Cost {
    let costs = (0..RUNS).map(|_| once());
    costs.min().unwrap()
}

fn main() {
    let room = tempfile::tempdir().unwrap();
    let here = room.path();
    fs::write(here.join("m.yaml"), manifest()).unwrap();
    println!("{:<44} {:>12} {:>10}   must", "work", "best", "peak");
    let mut last: Option<[f64; 2]> = None;
    for (addresses, words) in [
        (10_000, "10,000"),
        (100_000, "100,000"),
        (1_000_000, "1,000,000"),
    ] {
        let large = addresses == 1_000_000;
        let must = |words: &'static str| if large { words } else { "" };
        fs::write(here.join("d.ldif"), directory(addresses, false)).unwrap();
        let verify = ["verify", "m.yaml", "--ldif", "d.ldif"];
        let all = best(|| run(&verify, here, 0));
        row(
            &format!("verify, {words} addresses"),
            all,
            must("10 s, 2048 MiB"),
        );
        let failures = [&verify[..], &["--single-failures"]].concat();
        let failures = best(|| run(&failures, here, 0));
        row("  all single failures", failures, must("20 s, 2048 MiB"));
        let ratios = [all, failures].map(|cost| cost.time.as_secs_f64());
        if let Some(last) = last {
            let times = |now: f64, then: f64| format!("{:.1}", now / then);
            println!(
                "{:<44} {:>12} {:>10}   10",
                "  times those of a tenth of the addresses",
                times(ratios[0], last[0]),
                times(ratios[1], last[1])
            );
        }
        last = Some(ratios);
        let trace = |count: usize| {
            let list = (0..=count).map(|number| {
                let name = ["kim", "ola", "ngoc.anh", "x_y", "li", "de-wit"][number % 6];
                format!("{name}{number}@example.org\n")
            });
            fs::write(here.join("a.txt"), list.collect::<String>()).unwrap();
            let words = ["trace", "--manifest", "m.yaml", "--ldif", "d.ldif"];
            let words = [&words[..], &["--addresses", "a.txt"]].concat();
            best(|| run(&words, here, 0))
        };
        let (one, many) = (trace(0), trace(TRACED));
        row("  trace of one address, with loading", one, "");
        let each = many.time.saturating_sub(one.time) / TRACED as u32;
        let each = Cost {
            time: each,
            kib: many.kib,
        };
        row("  trace of one address, after loading", each, "50 ms");
        fs::write(here.join("d.ldif"), directory(addresses, true)).unwrap();
        row(
            "  verify, with odd entries",
            best(|| run(&verify, here, 1)),
            must("10 s, 2048 MiB"),
        );
    }
}
