//! Facts that change only with an upgrade: a host keeps them for whoever has never asked it.

use murder::machine::remote::Remote;
use murder::machine::{Observe, Observed};
use murder::plan::questions;

use super::host::Host;
use super::world::{desired, host, plan, secrets};

/// What a client without a cache hears.
fn first_look(host: &Host) -> Observed {
    let asked = questions(&desired(false), &secrets(), None).unwrap();
    Remote::new(host.shell()).observe(&asked).unwrap()
}

/// Puts a program in the place of `postconf` that tells when it is called: as large and as old as the real one.
fn watch(host: &Host) {
    host.run(
        "cd /usr/sbin; mv postconf postconf.real
         printf '#!/bin/sh\\necho asked >>/tmp/asked\\nexec /usr/sbin/postconf.real \"$@\"\\n' >postconf
         truncate -s $(stat -c %s postconf.real) postconf; chmod 755 postconf; touch -r postconf.real postconf",
    );
}

#[test]
fn a_client_without_a_cache_is_told_by_the_ledger() {
    let host = host();
    let ledger = host.read("/var/lib/murder/ledger.json");
    assert!(ledger.len() < 16 * 1024, "{} bytes", ledger.len());
    watch(&host);
    let asked = || host.run("cat /tmp/asked 2>/dev/null; rm -f /tmp/asked; true");
    let kept = first_look(&host);
    assert_eq!(asked(), "", "Postfix was asked all the same");
    assert!(plan(&host, &desired(false)).is_none());
    assert_eq!(asked(), "");
    // An upgrade makes them stale.
    host.run("touch /usr/sbin/postconf");
    let fresh = first_look(&host);
    assert_eq!(asked(), "asked\nasked\n");
    let (kept, fresh) = (kept.live.facts, fresh.live.facts);
    assert_eq!(kept.table_types, fresh.table_types);
    assert_eq!(kept.postfix_version, fresh.postfix_version);
    assert_eq!(kept.index_type, fresh.index_type);
    assert_eq!(kept.lmtp_socket, fresh.lmtp_socket);
    let unknown: Vec<&str> = fresh
        .parameters
        .iter()
        .filter(|name| !kept.parameters.contains(name))
        .filter(|name| murder::postfix::catalogue::service_parameter(name).is_none())
        .collect();
    assert_eq!(unknown, [""; 0]);
    let invented = kept
        .parameters
        .iter()
        .find(|name| !fresh.parameters.contains(name));
    assert_eq!(invented, None);
    // Whoever has a cache of his own is no worse off: the same answer, and the same plan.
    assert!(plan(&host, &desired(false)).is_none());
}
