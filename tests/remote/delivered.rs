//! What the model of mail says of copies, masquerading and a chroot, against the Postfix of a host.

use super::host::Host;
use super::until;

/// The last status of each recipient in the log: `recipient status`.
fn statuses(host: &Host) -> String {
    host.run(
        "sed -n 's/.*: to=<\\([^>]*\\)>.*dsn=\\([0-9.]*\\), status=\\([a-z]*\\).*/\\1 \\3 \\2/p' /var/log/pf.log | sort | uniq -c | sed 's/^ *//'",
    )
}

#[test]
fn copies_masquerading_and_a_socket_outside_of_a_chroot_are_as_the_model_has_them() {
    let host = Host::running();
    host.run(
        "postconf -e maillog_file=/var/log/pf.log relayhost= mydestination=localhost default_transport=discard:ok \
         'transport_maps=inline:{ { x@example.org = lmtp:unix:/run/cyrus/socket/lmtp } }' always_bcc=archive@outside.example \
         'recipient_bcc_maps=inline:{ y@example.org=boss@outside.example }' 'virtual_alias_maps=inline:{ alias@example.org=y@example.org }' \
         masquerade_domains=example.org masquerade_classes=envelope_recipient; \
         postconf -F lmtp/unix/chroot=y; postfix stop; rm -f /var/log/pf.log; postfix start",
    );
    host.run("for to in x y alias; do echo | sendmail $to@example.org; done; echo | sendmail z@sub.example.org");
    let expected = "4 archive@outside.example sent 2.0.0\n1 boss@outside.example sent 2.0.0\n1 x@example.org deferred 4.4.1\n\
                    2 y@example.org sent 2.0.0\n1 z@example.org sent 2.0.0\n";
    until(|| statuses(&host).trim() == expected.trim());
    let why = host.run("grep 'to=<x@example.org>' /var/log/pf.log");
    assert!(why.contains("No such file or directory"), "{why}");
    // The same socket without the chroot.
    host.run(
        "mkdir -p /run/cyrus/socket; chmod 755 /run/cyrus /run/cyrus/socket; \
         smtp-sink -u postfix -L unix:/run/cyrus/socket/lmtp 10 >/dev/null 2>&1 & \
         sleep 1; chmod 777 /run/cyrus/socket/lmtp; postconf -F lmtp/unix/chroot=n; postfix reload; sleep 1; postqueue -f",
    );
    until(|| statuses(&host).contains("1 x@example.org sent 2."));
}

/// Where smtpd(8) listens on loopback addresses only, mail for another address of the machine waits.
#[test]
fn a_host_that_listens_on_loopback_addresses_refuses_connections_to_others() {
    let host = Host::running();
    host.run(
        "ip addr add 192.0.2.11/32 dev lo; postconf -e maillog_file=/var/log/pf.log inet_interfaces=loopback-only relayhost= mydestination=localhost \
         'transport_maps=inline:{ { ann@example.org = smtp:[192.0.2.11]:25 } }'; postfix stop; rm -f /var/log/pf.log; postfix start; echo | sendmail ann@example.org",
    );
    until(|| statuses(&host).contains("1 ann@example.org deferred 4.4.1"));
    let why = host.run("grep 'to=<ann@example.org>' /var/log/pf.log");
    assert!(why.contains("Connection refused"), "{why}");
}
