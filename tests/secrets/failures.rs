//! Ways in which a source fails. `tests/cases/sources/NAME.txt` is what `murder plan` says; `BLESS=1` writes it anew.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use super::{Place, SECRET, identity, said, tools};

/// The name of the case, the source, what is at the top of the manifest.
const CASES: &[(&str, &str, &str)] = &[
    ("file-missing", "{file: no-such-file}", ""),
    ("file-open-to-others", "{file: open}", ""),
    ("file-empty", "{file: empty}", ""),
    ("file-of-two-lines", "{file: lines}", ""),
    ("file-is-a-folder", "{file: folder}", ""),
    ("file-variable-not-set", "{file: {env: NOT_SET}}", ""),
    (
        "file-variable-holds-the-secret",
        "{file: {env: HOLDS_SECRET}}",
        "",
    ),
    (
        "file-variable-open-to-others",
        "{file: {env: OPEN_FILE}}",
        "",
    ),
    ("env-not-set", "{env: NOT_SET}", ""),
    ("env-empty", "{env: EMPTY}", ""),
    ("command-not-allowed", "{command: [sh, -c, \"echo x\"]}", ""),
    (
        "command-fails",
        "{command: [sh, -c, \"echo $HOLDS_SECRET >&2; exit 3\"]}",
        "",
    ),
    ("command-not-installed", "{command: [no-such-program]}", ""),
    (
        "command-too-slow",
        "{command: {argv: [sleep, \"60\"], timeout: 200ms}}",
        "",
    ),
    (
        "command-prints-too-much",
        "{command: [head, -c, \"100000\", /dev/zero]}",
        "",
    ),
    ("credential-without-systemd", "{credential: ldap-pw}", ""),
    ("age-without-identity", "{age: sealed.age}", ""),
    (
        "age-missing",
        "{age: no-such-file.age}",
        "secret_sources: {age: {identities: [mine.txt]}}\n",
    ),
    (
        "age-no-identity-fits",
        "{age: sealed.age}",
        "secret_sources: {age: {identities: [other.txt, broken.txt, open, no-such-file]}}\n",
    ),
    (
        "age-broken",
        "{age: broken.age}",
        "secret_sources: {age: {identities: [mine.txt]}}\n",
    ),
    (
        "sops-missing",
        "{sops: {file: no-such-file.yaml, key: a.b}}",
        "",
    ),
    (
        "sops-no-such-key",
        "{sops: {file: sealed.yaml, key: ldap.pasword}}",
        "",
    ),
    (
        "sops-not-encrypted",
        "{sops: {file: plain.yaml, key: ldap.password}}",
        "",
    ),
    ("sops-a-map", "{sops: {file: sealed.yaml, key: ldap}}", ""),
    (
        "vault-no-address",
        "{vault: {path: mail/ldap, key: password}}",
        "",
    ),
    (
        "vault-no-token",
        "{vault: {path: mail/ldap, key: password}}",
        "secret_sources: {vault: {address: \"https://127.0.0.1:1\"}}\n",
    ),
    (
        "vault-nothing-listens",
        "{vault: {path: mail/ldap, key: password}}",
        "secret_sources: {vault: {address: \"https://127.0.0.1:1\", token: {env: HOLDS_SECRET}}}\n",
    ),
    (
        "vault-speaks-no-tls",
        "{vault: {path: mail/ldap, key: password}}",
        "secret_sources: {vault: {address: \"https://127.0.0.1:PLAIN\", token: {env: HOLDS_SECRET}}}\n",
    ),
    (
        "vault-no-certificates",
        "{vault: {path: mail/ldap, key: password}}",
        "secret_sources: {vault: {address: \"https://127.0.0.1:1\", ca_file: lines, token: {env: HOLDS_SECRET}}}\n",
    ),
];

fn prepared() -> Place {
    let mut place = Place::new();
    let recipient = identity(&place, "mine.txt");
    identity(&place, "other.txt");
    let path = |name: &str| place.path(name).display().to_string();
    let sealed = path("sealed.age");
    tools::run("age", &["-r", &recipient, "-o", &sealed], SECRET.as_bytes());
    let mut broken = fs::read(&sealed).unwrap();
    let last = broken.len() - 1;
    broken[last] ^= 1;
    fs::write(place.path("broken.age"), broken).unwrap();
    place.write(
        "plain.yaml",
        &format!("ldap:\n  password: {SECRET}\n  other: x\n"),
        0o600,
    );
    let yaml = tools::run(
        "sops",
        &["--encrypt", "--age", &recipient, &path("plain.yaml")],
        b"",
    );
    place.write("sealed.yaml", &yaml, 0o644);
    place.write("open", &format!("{SECRET}\n"), 0o644);
    place.write("empty", "", 0o600);
    place.write("lines", &format!("{SECRET}\n{SECRET}\n"), 0o600);
    place.write("broken.txt", "rubbish\n", 0o600);
    fs::create_dir(place.path("folder")).unwrap();
    let (open, keys) = (path("open"), path("mine.txt"));
    place.set("OPEN_FILE", &open);
    place.set("SOPS_AGE_KEY_FILE", &keys);
    place.set("HOLDS_SECRET", SECRET);
    place.set("EMPTY", "");
    place
}

#[test]
fn each_way_in_which_a_source_fails_has_its_message() {
    const { assert!(CASES.len() >= 20) };
    let bless = std::env::var_os("BLESS").is_some();
    let place = prepared();
    // It answers each connection with what is no TLS.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let _ = std::io::Write::write_all(&mut connection.unwrap(), b"HTTP/1.0 400 no\r\n\r\n");
        }
    });
    let folder = place.folder.path().display().to_string();
    let mut wrong = String::new();
    for (name, source, more) in CASES {
        place.manifest(&[source], &more.replace("PLAIN", &port));
        let mut arguments = vec!["plan", "murder.yaml", "--sandbox=box"];
        if name.starts_with("command") && *name != "command-not-allowed" {
            arguments.push("--allow-commands");
        }
        let output = place.run(&arguments);
        let text = said(&output).replace(&folder, "DIR").replace(&port, "PORT");
        assert_eq!(output.status.code(), Some(1), "{name}: {text}");
        assert!(!text.contains(SECRET), "{name}: {text}");
        // Key, place, and what to do.
        for part in ["secret0", "--> murder.yaml:", "= help: "] {
            assert!(text.contains(part), "{name} lacks `{part}`: {text}");
        }
        let expected =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/sources/{name}.txt"));
        if bless {
            fs::create_dir_all(expected.parent().unwrap()).unwrap();
            fs::write(&expected, &text).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != text {
            wrong += &format!("\n=== {name} says:\n{text}");
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 accepts these:{wrong}");
}
