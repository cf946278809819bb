//! Ways in which a source fails. `tests/cases/sources/NAME.txt` is what `murder plan` says; `BLESS=1` writes it anew.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Place, SECRET, identity, said, tools};

/// The name of the case, the source, what is at the top of the manifest.
const CASES: &[(&str, &str, &str)] = &[
    ("file-missing", "{file: no-such-file}", ""),
    ("file-open-to-others", "{file: open}", ""),
    ("file-empty", "{file: empty}", ""),
    ("file-of-two-lines", "{file: lines}", ""),
    ("file-is-a-folder", "{file: folder}", ""),
    ("file-of-another-user", "{file: closed}", ""),
    ("file-not-utf-8", "{file: latin}", ""),
    ("file-with-a-blank-at-its-end", "{file: blank}", ""),
    ("file-with-a-control-character", "{file: control}", ""),
    ("file-too-large", "{file: large}", ""),
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
    ("credential-missing", "{credential: ldap-pw}", ""),
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
        "age-not-installed",
        "{age: sealed.age}",
        "secret_sources: {age: {identities: [mine.txt]}}\n",
    ),
    (
        "age-passphrase-without-terminal",
        "{age: passphrase.age}",
        "",
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
        "sops-not-installed",
        "{sops: {file: sealed.yaml, key: ldap.password}}",
        "",
    ),
    (
        "sops-no-key-decrypts",
        "{sops: {file: sealed.yaml, key: ldap.password}}",
        "",
    ),
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
        "vault-too-slow",
        "{vault: {path: mail/ldap, key: password}}",
        "secret_sources: {vault: {address: \"https://127.0.0.1:SILENT\", token: {env: HOLDS_SECRET}}}\n",
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
    place.write("closed", SECRET, 0o000);
    place.write("latin", "", 0o600);
    fs::write(place.path("latin"), [SECRET.as_bytes(), &[0xe4]].concat()).unwrap();
    place.write("blank", &format!("{SECRET} \n"), 0o600);
    place.write("control", &format!("{SECRET}\u{7}\n"), 0o600);
    place.write("large", &SECRET.repeat(4000), 0o600);
    // It is refused before age(1) reads more than this.
    let scrypt = "age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ 18\nx\n";
    place.write("passphrase.age", scrypt, 0o644);
    fs::create_dir(place.path("folder")).unwrap();
    fs::create_dir(place.path("credentials")).unwrap();
    let (open, keys) = (path("open"), path("mine.txt"));
    place.set("OPEN_FILE", &open);
    place.set("SOPS_AGE_KEY_FILE", &keys);
    place.set("HOLDS_SECRET", SECRET);
    place.set("EMPTY", "");
    place
}

/// What is wrong with the machine in a case, beside the source.
fn arrange(name: &str, place: &Place, command: &mut Command) {
    let folder = place.path("folder");
    match name {
        "command-not-allowed" => {}
        _ if name.starts_with("command") => {
            command.arg("--allow-commands");
        }
        // Root may read every file.
        "file-of-another-user" => {
            command.uid(65534).gid(65534);
        }
        "credential-missing" => {
            command.env("CREDENTIALS_DIRECTORY", place.path("credentials"));
        }
        "age-not-installed" | "sops-not-installed" => {
            command.env("PATH", folder);
        }
        "sops-no-key-decrypts" => {
            command.env("SOPS_AGE_KEY_FILE", place.path("other.txt"));
        }
        _ => {}
    }
}

/// A server that treats each connection so, and its port.
fn server(treat: fn(TcpStream) -> Option<TcpStream>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    std::thread::spawn(move || {
        let kept: Vec<TcpStream> = listener
            .incoming()
            .filter_map(|connection| treat(connection.unwrap()))
            .collect();
        drop(kept);
    });
    port
}

#[test]
fn each_way_in_which_a_source_fails_has_its_message() {
    const { assert!(CASES.len() >= 20) };
    let bless = std::env::var_os("BLESS").is_some();
    let place = prepared();
    let plain = server(|mut connection| {
        let _ = std::io::Write::write_all(&mut connection, b"HTTP/1.0 400 no\r\n\r\n");
        None
    });
    let silent = server(Some);
    let folder = place.folder.path().display().to_string();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let mut wrong = String::new();
    for (name, source, more) in CASES {
        let more = more.replace("PLAIN", &plain).replace("SILENT", &silent);
        place.manifest(&[source], &more);
        let mut command = place.command(&["plan", "murder.yaml", "--sandbox=box"]);
        arrange(name, &place, &mut command);
        if name.contains("without-terminal") {
            command = without_terminal(&command);
        }
        let output = command.output().unwrap();
        let text = said(&output).replace(&folder, "DIR");
        let text = text.replace(&plain, "PORT").replace(&silent, "PORT");
        // The recipient is made by chance, and sops breaks the lines about it by its own length.
        let by_chance = ["age1", "| ", "- |"];
        let lines = text.split_inclusive('\n').filter(|line| {
            let line = line.trim_start();
            name != &"sops-no-key-decrypts"
                || !by_chance.iter().any(|begin| line.starts_with(begin))
                || line == "|\n"
        });
        let text: String = lines.collect();
        assert_eq!(output.status.code(), Some(1), "{name}: {text}");
        assert!(!text.contains(SECRET), "{name}: {text}");
        // Key, place with the source, and what to do.
        for part in ["secret0", "--> murder.yaml:", source, "= help: "] {
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

/// The same command in a session that has no terminal.
fn without_terminal(command: &Command) -> Command {
    let mut alone = Command::new("setsid");
    alone.arg("--wait").arg(command.get_program());
    alone.args(command.get_args()).env_clear();
    let set = command.get_envs();
    alone.envs(set.filter_map(|(name, value)| Some((name, value?))));
    if let Some(folder) = command.get_current_dir() {
        alone.current_dir(folder);
    }
    alone.stdin(Stdio::null());
    alone
}
