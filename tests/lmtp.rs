//! Cyrus over LMTP on TCP: what the shipped modules write for each way to say it.

use std::fs;
use std::path::Path;
use std::process::Command;

const HEAD: &str = "version: 1\nmurder: example.org\ndomains: [example.org]\nldap: {uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\"}\n";
const BACKENDS: &str = "smart_host: smtp.example.org\nhosts:\n  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n  backend1.example.org: {roles: [backend], site: east, addresses: [192.0.2.11]}\n  backend2.example.org: {roles: [backend], addresses: [192.0.2.12], lmtp: \"inet:[2001:db8::12]:2003\"}\n  backend3.example.org: {roles: [backend], addresses: [192.0.2.13]}\n";
const ALONE: &str = "hosts:\n  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.5]}\n";

/// What `murder render` gives for a host of the manifest, with `more` at the top and an overlay; `check` has no word
/// about the manifest.
#[track_caller]
fn rendered(host: &str, parts: &[&str], overlay: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("murder.yaml"), parts.concat()).unwrap();
    fs::write(folder.path().join("overlay"), overlay).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_murder"));
        command.current_dir(folder.path()).args(words);
        command.args(["murder.yaml", "--overlay", "overlay"]);
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words:?}: {stderr}");
        (String::from_utf8(output.stdout).unwrap(), stderr)
    };
    let (_, said) = run(&["check"]);
    assert!(!said.contains("warning"), "{said}");
    run(&["render", "--host", host]).0
}

#[track_caller]
fn has(text: &str, line: &str) {
    assert!(text.lines().any(|known| known == line), "{line}\n{text}");
}

#[test]
fn a_backend_delivers_where_the_nearest_layer_says() {
    let cyrus = "cyrus: {lmtp: \"inet:cyrus.example.org:24\"}\n";
    let sites = "sites: {east: {lmtp: \"unix:/run/east\"}}\n";
    for (host, parts, overlay, nexthop) in [
        (
            "backend3",
            &[cyrus, sites][..],
            "",
            "inet:[cyrus.example.org]:24",
        ),
        ("backend1", &[cyrus, sites], "", "unix:/run/east"),
        ("backend2", &[cyrus, sites], "", "inet:[2001:db8::12]:2003"),
        ("backend3", &[sites], "", "unix:/run/cyrus/socket/lmtp"),
        (
            "backend3",
            &[cyrus, sites],
            "defaults: {lmtp_socket: \"inet:127.0.0.1:24\"}\n",
            "inet:127.0.0.1:24",
        ),
        // An overlay may use the other name of the key.
        (
            "backend2",
            &[cyrus, sites],
            "hosts: {backend2.example.org: {lmtp_socket: /run/lmtp}}\n",
            "unix:/run/lmtp",
        ),
        (
            "backend3",
            &[cyrus, sites],
            "cyrus: {lmtp_socket: \"inet:192.0.2.9:24\"}\n",
            "inet:192.0.2.9:24",
        ),
    ] {
        let mut all = vec![HEAD];
        all.extend(parts);
        all.push(BACKENDS);
        let out = rendered(&format!("{host}.example.org"), &all, overlay);
        has(&out, &format!("result_format = lmtp:{nexthop}"));
        has(&out, &format!("folder@example.org lmtp:{nexthop}"));
    }
    // The internal MTA relays to the Postfix of a backend, wherever that delivers.
    let out = rendered("smtp.example.org", &[HEAD, cyrus, sites, BACKENDS], "");
    has(&out, "result_format = relay:[%s]:25");
    assert!(
        !out.contains("lmtp:") && !out.contains("mailhosts"),
        "{out}"
    );
}

#[test]
fn servers_without_postfix_get_their_mail_from_the_internal_mta() {
    let servers = "cyrus:\n  servers:\n    imap[1:2].example.org: {}\n    imap3.example.org: {lmtp: \"inet:192.0.2.33:2003\", mailhost: store3.example.org}\nshared_folders:\n  - {address: memo@example.org, backend: imap3.example.org, folder: a memo}\n";
    for hosts in [ALONE, BACKENDS] {
        let out = rendered(
            "smtp.example.org",
            &[HEAD, servers, hosts],
            "sites: {east: {}}\n",
        );
        for line in [
            "imap1.example.org lmtp:inet:[imap1.example.org]:24",
            "imap2.example.org lmtp:inet:[imap2.example.org]:24",
            "store3.example.org lmtp:inet:192.0.2.33:2003",
            "result_format = relay:[%s]:25",
            "memo@example.org \"folder+a memo\"@example.org.store3.example.org",
            "example.org.store3.example.org lmtp:inet:192.0.2.33:2003",
            "@example.org.store3.example.org @example.org",
            "example.org error:5.1.1 Recipient address is unknown here",
        ] {
            has(&out, line);
        }
        assert!(
            out.contains("transport_maps = pipemap:{proxy:ldap:/etc/postfix/ldap/mailhosts.cf, hash:/etc/postfix/cyrus_servers}, proxy:ldap:"),
            "{out}"
        );
    }
}

#[test]
fn one_address_for_all_mailboxes_needs_no_mailhost() {
    let cyrus = "cyrus: {lmtp: \"inet:cyrus.example.org:24\"}\n";
    let out = rendered("smtp.example.org", &[HEAD, cyrus, ALONE], "");
    has(&out, "main.cf:transport_maps = hash:/etc/postfix/transport");
    has(&out, "example.org lmtp:inet:[cyrus.example.org]:24");
    assert!(
        !out.contains("error:5.1.1") && !out.contains("mailHost"),
        "{out}"
    );
    // Its own loopback address is the host's Cyrus, not the murder's.
    let cyrus = "cyrus: {lmtp: \"inet:127.0.0.1:24\"}\n";
    let out = rendered("smtp.example.org", &[HEAD, cyrus, ALONE], "");
    has(&out, "result_format = relay:[%s]:25");
}

#[test]
fn the_example_with_containers_is_right() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/containers");
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .arg("check")
        .arg(manifest)
        .envs([("MURDER_LDAP_PW", "x"), ("MURDER_LMTP_PW", "y")])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && !said.contains("warning"),
        "{said}"
    );
}
