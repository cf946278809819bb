//! Who a host is: no secret goes to one that cannot prove it.

use std::fs;
use std::process::Command;

use super::sshd::{Sshd, ask, keygen, reach, run, unreachable};

fn fingerprint(sshd: &Sshd, kind: &str) -> String {
    let text = run(Command::new("ssh-keygen")
        .arg("-lf")
        .arg(sshd.path(&format!("host_{kind}.pub"))));
    text.split(' ').nth(1).unwrap().to_owned()
}

#[test]
fn an_unknown_host_is_refused_with_its_fingerprint_until_it_is_accepted() {
    let sshd = Sshd::start();
    let failure = unreachable(reach(&sshd.host(), &sshd.options()));
    assert!(
        failure.summary.contains("is not in any known_hosts file"),
        "{failure:?}"
    );
    assert!(
        failure.summary.contains(&fingerprint(&sshd, "ed25519")),
        "{failure:?}"
    );
    assert!(failure.hint.unwrap().contains("--accept-new"));
    assert_eq!(sshd.logged("Accepted"), 0);

    let mut options = sshd.options();
    options.accept_new = true;
    ask(&mut *reach(&sshd.host(), &options).unwrap(), "true", b"");
    let text = fs::read_to_string(sshd.known_hosts()).unwrap();
    assert_eq!(
        text,
        format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key("ed25519"))
    );
    // Now it is known, and accepting writes nothing more.
    reach(&sshd.host(), &sshd.options()).unwrap();
    reach(&sshd.host(), &options).unwrap();
    assert_eq!(fs::read_to_string(sshd.known_hosts()).unwrap(), text);
}

#[test]
fn hashed_names_are_written_where_the_configuration_wants_them() {
    let sshd = Sshd::start();
    fs::write(
        sshd.path("home/.ssh/config"),
        "Host *\nHashKnownHosts yes\n",
    )
    .unwrap();
    let mut options = sshd.options();
    options.accept_new = true;
    reach(&sshd.host(), &options).unwrap();
    let text = fs::read_to_string(sshd.known_hosts()).unwrap();
    assert!(
        text.starts_with("|1|") && !text.contains("127.0.0.1"),
        "{text}"
    );
    let name = format!("[127.0.0.1]:{}", sshd.port);
    run(Command::new("ssh-keygen")
        .args(["-F", &name, "-f"])
        .arg(sshd.known_hosts()));
    reach(&sshd.host(), &sshd.options()).unwrap();
}

#[test]
fn a_changed_key_is_refused_with_file_and_line_even_where_new_ones_are_accepted() {
    let sshd = Sshd::start().known("ed25519");
    keygen(&sshd.path("other"), "ed25519", "");
    let other = fs::read_to_string(sshd.path("other.pub")).unwrap();
    fs::write(
        sshd.known_hosts(),
        format!("# ours\n[127.0.0.1]:{} {other}", sshd.port),
    )
    .unwrap();
    let mut options = sshd.options();
    options.accept_new = true;
    let failure = unreachable(reach(&sshd.host(), &options));
    assert!(
        failure.summary.contains(&fingerprint(&sshd, "ed25519")),
        "{failure:?}"
    );
    let place = format!("{}:2", sshd.known_hosts().display());
    assert!(failure.summary.contains(&place), "{failure:?}");
    assert_eq!(sshd.logged("Accepted"), 0);
}

#[test]
fn a_revoked_key_is_refused_wherever_else_it_is_trusted() {
    let sshd = Sshd::start().known("ed25519");
    let text = fs::read_to_string(sshd.known_hosts()).unwrap();
    fs::write(
        sshd.known_hosts(),
        format!("{text}@revoked * {}\n", sshd.host_key("ed25519")),
    )
    .unwrap();
    let failure = unreachable(reach(&sshd.host(), &sshd.options()));
    assert!(failure.summary.contains("revokes"), "{failure:?}");
    assert!(failure.summary.contains("known_hosts:2"), "{failure:?}");
}

#[test]
fn the_key_that_is_known_is_the_one_that_is_asked_for() {
    // The server would rather prove ed25519, and also has a certificate for it.
    for kind in ["rsa", "ecdsa"] {
        let sshd = Sshd::on("", "ed25519,rsa,ecdsa").known(kind);
        reach(&sshd.host(), &sshd.options()).unwrap();
    }
}

#[test]
fn a_server_with_a_host_certificate_proves_its_plain_key() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for name in ["ca", "host_ed25519", "id"] {
        keygen(&at(name), "ed25519", "");
    }
    run(Command::new("ssh-keygen")
        .arg("-q")
        .arg("-s")
        .arg(at("ca"))
        .args(["-I", "x", "-h"])
        .arg(at("host_ed25519.pub")));
    fs::copy(at("id.pub"), at("authorized")).unwrap();
    fs::create_dir_all(at("home/.ssh")).unwrap();
    let sshd = Sshd::in_folder("HostCertificate @/host_ed25519-cert.pub", "ed25519", folder)
        .known("ed25519");
    ask(&mut *sshd.connect(), "true", b"");
}

#[test]
fn the_manifests_key_needs_no_known_hosts_and_bears_no_other() {
    let sshd = Sshd::start();
    let mut host = sshd.host();
    host.ssh.host_key = Some(sshd.host_key("ed25519"));
    reach(&host, &sshd.options()).unwrap();
    keygen(&sshd.path("other"), "ed25519", "");
    host.ssh.host_key = Some(fs::read_to_string(sshd.path("other.pub")).unwrap());
    let failure = unreachable(reach(&host, &sshd.options()));
    assert!(failure.summary.contains("`ssh.host_key`"), "{failure:?}");
}
