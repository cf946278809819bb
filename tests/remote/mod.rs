//! The sh programs on hosts of their own: Debian's Postfix behind dash, bash and BusyBox.

mod adopted;
mod applying;
mod bounces;
mod delivered;
mod doubts;
mod evidence;
mod exposed;
mod facts;
mod faults;
mod former;
pub mod host;
mod hostile;
mod instance_faults;
mod instances;
mod judged;
mod lookups;
mod mailed;
mod memory;
mod observing;
mod opened;
mod references;
mod relays;
mod released;
mod services;
mod shut;
mod stale;
mod surprises;
mod taint;
mod unsound;
mod world;

use std::collections::BTreeMap;

use murder::exchange::IndexOrder;
use murder::machine::{MachineError, Questions};
use murder::name::{RemotePath, TableType};

fn path(text: &str) -> RemotePath {
    RemotePath::new(text).unwrap()
}

/// An order for the index of a table.
fn index_of(source: &str) -> IndexOrder {
    IndexOrder {
        source: path(source),
        table_type: TableType::new("hash").unwrap(),
        aliases: false,
    }
}

/// Questions for these files, with nothing expected of them.
fn asking(paths: &[&str]) -> Questions {
    Questions {
        files: paths.iter().map(|text| (path(text), None)).collect(),
        ..Questions::default()
    }
}

/// Waits until something holds.
#[track_caller]
fn until(holds: impl Fn() -> bool) {
    for _ in 0..300 {
        if holds() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("it did not come to hold within 30 s");
}

fn summary(error: &MachineError) -> String {
    error.to_string()
}

/// The names of everything that an apply may have forgotten; its last words are no such thing.
fn leftovers(host: &host::Host) -> Vec<String> {
    let found = host.run("find /etc -name '.murder.*'; find /var/lib/murder -type f | grep -v -e /adopted/ -e /before/ -e /history/ -e /ledger.json -e /paths -e /references -e /lock -e /last");
    found.lines().map(str::to_owned).collect()
}

/// Everything below /etc/postfix with inode, times, owner, mode: what an untouched host keeps.
fn fingerprint(host: &host::Host) -> BTreeMap<String, String> {
    host.run("find -L /etc/postfix -type f -exec stat -c '%n %i %Y %Z %U %G %a %s' {} + ; find /etc/postfix -type l -exec stat -c '%n.link %i %N' {} +")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name.to_owned(), rest.to_owned()))
        .collect()
}
