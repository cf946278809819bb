//! known_hosts against what OpenSSH writes and finds.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

fn key(kind: &str, seed: u8) -> HostKey {
    let mut blob = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
    blob.extend_from_slice(kind.as_bytes());
    blob.extend_from_slice(&[0, 0, 0, 32]);
    blob.extend_from_slice(&[seed; 32]);
    HostKey(blob)
}

fn shown(key: &HostKey) -> String {
    format!("{} {}", key.kind(), STANDARD.encode(&key.0))
}

fn known(text: &str) -> KnownHosts {
    KnownHosts::from_text(Path::new("known_hosts"), text)
}

fn at(line: usize) -> LineLocation {
    LineLocation {
        file: PathBuf::from("known_hosts"),
        line,
    }
}

#[test]
fn names_ports_wildcards_and_negation() {
    let (mine, other) = (key("ssh-ed25519", 1), key("ssh-ed25519", 2));
    let text = format!(
        "# comment\n\ngarbage\nmx.example.org,192.0.2.1 {0} me@here\n\
         *.example.net,!bad.example.net {0}\n[mx.example.com]:2222 {0}\nb?r {0}\n",
        shown(&mine)
    );
    let known = known(&text);
    for (name, port) in [
        ("mx.example.org", 22),
        ("MX.Example.org", 22),
        ("192.0.2.1", 22),
        ("mx.example.org", 2222),
        ("a.b.example.net", 22),
        ("mx.example.com", 2222),
        ("bar", 22),
    ] {
        assert_eq!(known.check(name, port, &mine), KeyTrust::Trusted, "{name}");
    }
    for (name, port) in [
        ("bad.example.net", 22),
        ("mx.example.com", 22),
        ("bear", 22),
        ("garbage", 22),
    ] {
        assert_eq!(known.check(name, port, &mine), KeyTrust::Unknown, "{name}");
    }
    assert_eq!(
        known.check("mx.example.org", 22, &other),
        KeyTrust::Changed(at(4))
    );
    // Another service of the host may have another key.
    assert_eq!(
        known.check("mx.example.org", 2222, &other),
        KeyTrust::Unknown
    );
}

#[test]
fn revoked_refuses_wherever_it_stands_and_authorities_trust_nothing() {
    let (mine, other) = (key("ssh-ed25519", 1), key("ssh-ed25519", 2));
    let text = format!(
        "mx {0}\n@revoked * {0}\n@cert-authority * {1}\n@future mx {1}\n",
        shown(&mine),
        shown(&other)
    );
    assert_eq!(
        known(&text).check("mx", 22, &mine),
        KeyTrust::Revoked(at(2))
    );
    assert_eq!(
        known(&text).check("mx", 22, &other),
        KeyTrust::Changed(at(1))
    );
    assert_eq!(
        known(&text).check("elsewhere", 22, &other),
        KeyTrust::Unknown
    );
    assert_eq!(
        known(&text).check("mx", 2222, &mine),
        KeyTrust::Revoked(at(2))
    );
}

#[test]
fn several_keys_and_their_kinds() {
    let (rsa, ed) = (key("ssh-rsa", 1), key("ssh-ed25519", 2));
    let text = format!("mx {}\nmx {}\n", shown(&rsa), shown(&ed));
    assert_eq!(known(&text).kinds("mx", 22), ["ssh-rsa", "ssh-ed25519"]);
    assert_eq!(known(&text).check("mx", 22, &rsa), KeyTrust::Trusted);
    assert_eq!(known(&text).check("mx", 22, &ed), KeyTrust::Trusted);
}

#[test]
fn a_line_whose_kind_is_not_its_keys_is_no_line() {
    let mine = key("ssh-ed25519", 1);
    let text = format!("mx ssh-rsa {}\n", STANDARD.encode(&mine.0));
    assert_eq!(known(&text).check("mx", 22, &mine), KeyTrust::Unknown);
    assert!(HostKey::parse(&format!("ssh-rsa {}", STANDARD.encode(&mine.0))).is_none());
    assert_eq!(HostKey::parse(&shown(&mine)), Some(mine));
}

/// What `ssh-keygen` hashes we find, and what it finds (or not) we find (or not).
#[test]
fn as_ssh_keygen_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("known_hosts");
    let mine = key("ssh-ed25519", 7);
    let lines = [
        "mx.example.org",
        "[mx.example.org]:2222",
        "192.0.2.1,mail",
        "*.wild.example",
        "*.half.example,!no.half.example",
        "2001:db8::1",
        "UPPER.example",
    ];
    let text: String = lines
        .iter()
        .map(|names| format!("{names} {}\n", shown(&mine)))
        .collect();
    let questions = [
        "mx.example.org",
        "mx.example.net",
        "[mx.example.org]:2222",
        "[mail]:2222",
        "192.0.2.1",
        "mail",
        "a.wild.example",
        "wild.example",
        "yes.half.example",
        "no.half.example",
        "2001:db8::1",
        "upper.example",
    ];
    for hashed in [false, true] {
        std::fs::write(&file, &text).unwrap();
        if hashed {
            let done = Command::new("ssh-keygen")
                .arg("-H")
                .arg("-f")
                .arg(&file)
                .output()
                .unwrap();
            assert!(done.status.success(), "{done:?}");
            assert!(std::fs::read_to_string(&file).unwrap().contains("|1|"));
        }
        let known = KnownHosts::load(std::slice::from_ref(&file)).unwrap();
        for question in questions {
            let found = Command::new("ssh-keygen")
                .args(["-F", question, "-f"])
                .arg(&file)
                .output()
                .unwrap();
            let ours = known.lines_of(question).next().is_some();
            assert_eq!(ours, found.status.success(), "{question}, hashed: {hashed}");
        }
    }
}

#[test]
fn a_new_host_is_appended_whole() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(".ssh/known_hosts");
    let mine = key("ssh-ed25519", 1);
    add(&file, &entry("mx.example.org", 2222, &mine)).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    std::fs::write(&file, "old ssh-rsa AAAA").unwrap();
    add(&file, &entry("mx.example.org", 2222, &mine)).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(
        text,
        format!("old ssh-rsa AAAA\n[mx.example.org]:2222 {}\n", shown(&mine))
    );
    let known = KnownHosts::load(&[file]).unwrap();
    assert_eq!(
        known.check("mx.example.org", 2222, &mine),
        KeyTrust::Trusted
    );
}

#[test]
fn a_fingerprint_is_ssh_keygens() {
    let text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    // github.com's published fingerprint.
    assert_eq!(
        HostKey::parse(text).unwrap().fingerprint(),
        "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in "(?s).{0,300}", name in "[a-z.*?!|\\[\\]:0-9]{0,40}") {
        let known = known(&text);
        let mine = key("ssh-ed25519", 1);
        // A key of ours never stands in random text.
        prop_assert_ne!(known.check(&name, 22, &mine), KeyTrust::Trusted);
        let _ = known.kinds(&name, 2222);
    }

    #[test]
    fn nearly_right_lines_are_read_without_harm(
        marker in "(@revoked |@cert-authority |@|)", names in "[a-c*?!,|1\\[\\]:=+/]{0,30}",
        kind in "(ssh-ed25519|ssh-rsa|)", blob in "[A-Za-z0-9+/=]{0,80}", name in "[a-c]{0,6}",
    ) {
        let known = known(&format!("{marker}{names} {kind} {blob}\n"));
        prop_assert_ne!(known.check(&name, 22, &key("ssh-ed25519", 1)), KeyTrust::Trusted);
    }

    #[test]
    fn globs_agree_with_a_plain_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        fn slow(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, rest) => rest.is_none(),
                (Some((b'*', more)), _) => (0..=text.len()).any(|skip| slow(more, &text[skip..])),
                (Some((b'?', more)), Some((_, rest))) => slow(more, rest),
                (Some((a, more)), Some((b, rest))) => a == b && slow(more, rest),
                (Some(_), None) => false,
            }
        }
        prop_assert_eq!(names::glob(&pattern, &text), slow(pattern.as_bytes(), text.as_bytes()));
    }
}

#[test]
fn a_pipe_or_a_device_is_no_known_hosts_and_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for path in [&*pipe, Path::new("/dev/zero"), Path::new("/dev/tty")] {
        let loaded = KnownHosts::load(&[path.to_owned()]);
        assert!(loaded.is_err(), "{}", path.display());
    }
    assert!(add(&pipe, "a b c\n").is_err());
    // Some set it to this, to know no host.
    assert!(KnownHosts::load(&["/dev/null".into()]).is_ok());
}
