//! Wrong manifests, each with the message it must give, and right ones with what they mean.
//!
//! `tests/cases/wrong/NAME/` is a manifest folder (with `overlay.yaml`, laid over it) and
//! `expected.txt`, what `murder check` says. `BLESS=1` writes the latter anew: read the diff.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use murder::diagnostic::{Severity, Sources};
use murder::load::{self, Loaded};
use murder::manifest::{self, Text};
use murder::model::{HostState, Murder, SettingSpec, TlsMode};
use murder::name::{HostName, Mode, Parameter, RemotePath};
use murder::secret::SecretName;
use murder::secret_source::{SourceOptions, read_secrets};
use proptest::prelude::*;

#[test]
fn every_wrong_manifest_says_what_is_wrong() {
    let bless = std::env::var_os("BLESS").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = fs::read_dir(root.join("tests/cases/wrong"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    assert!(folders.len() >= 60, "{} cases", folders.len());
    let mut wrong = String::new();
    for folder in &folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        let short = format!("tests/cases/wrong/{name}");
        let mut program = Command::new(env!("CARGO_BIN_EXE_murder"));
        program.current_dir(root).args(["check", &short]);
        if folder.join("overlay.yaml").exists() {
            program.args(["--overlay", &format!("{short}/overlay.yaml")]);
        }
        let output = program.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap().replace(
            concat!("this is `murder` ", env!("CARGO_PKG_VERSION")),
            "this is `murder` VERSION",
        );
        if output.status.code() != Some(1) {
            wrong += &format!("\n=== {name} ends with {}:\n{said}", output.status);
            continue;
        }
        assert!(output.stdout.is_empty(), "{name}");
        assert!(
            said.contains("error: ") && !said.contains("panicked"),
            "{name}: {said}"
        );
        for problem in said
            .split("\n\n")
            .filter(|part| part.starts_with("error: "))
        {
            assert!(
                problem.contains("= help: "),
                "{name} helps nobody:\n{problem}"
            );
        }
        assert!(!said.contains("hunter"), "{name} shows a secret: {said}");
        let expected = folder.join("expected.txt");
        if bless {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong += &format!("\n=== {name} says:\n{said}");
        }
    }
    assert!(wrong.is_empty(), "BLESS=1 accepts these:{wrong}");
}

fn good(name: &str, overlays: &[&str]) -> Murder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases/good")
        .join(name);
    let overlays: Vec<PathBuf> = overlays
        .iter()
        .map(|overlay| folder.join(overlay))
        .collect();
    accept(load::load(&folder, &overlays))
}

fn accept(loaded: Loaded) -> Murder {
    let said: Vec<String> = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.level == Severity::Error)
        .map(|diagnostic| diagnostic.render(&loaded.sources, false))
        .collect();
    assert!(said.is_empty(), "{}", said.join("\n"));
    loaded.murder.unwrap()
}

fn host(name: &str) -> HostName {
    HostName::new(name).unwrap()
}

fn setting(murder: &Murder, name: &str, parameter: &str) -> SettingSpec {
    let parameter = Parameter::new(parameter).unwrap();
    murder.hosts[&host(name)].settings[&parameter][0]
        .value
        .clone()
}

#[test]
fn the_example_of_the_design_means_what_it_says() {
    let murder = good("design", &[]);
    assert_eq!(murder.hosts.len(), 7);
    assert_eq!(murder.smart_host, Some(host("smtp.example.org")));
    let backend3 = &murder.hosts[&host("backend3.example.org")];
    assert_eq!(backend3.mailhost, host("store3.example.org"));
    assert_eq!(
        murder.hosts[&host("backend2.example.org")].mailhost,
        host("backend2.example.org")
    );
    // A site says only what differs; an `ldaps://` server is checked without being asked to.
    let west = backend3.ldap.as_ref().unwrap();
    assert_eq!(west.uris, ["ldaps://ldap-west.example.org"]);
    assert_eq!(west.base, "dc=example,dc=org");
    assert_eq!(west.tls.mode, TlsMode::Ldaps);
    assert_eq!(west.bind_pw, Some(SecretName("ldap.bind_pw".to_owned())));
    assert_eq!(
        setting(&murder, "frontend1.example.org", "biff"),
        SettingSpec::Unset
    );
    let mupdate = &murder.hosts[&host("mupdate.example.org")].ssh;
    assert_eq!(mupdate.user.as_deref(), Some("admin"));
    assert_eq!(mupdate.port, Some(22));
    assert_eq!(murder.secrets.len(), 2);
}

#[test]
fn yaml_1_1_surprises_are_taken_as_written() {
    let murder = good("surprises", &[]);
    let value = |parameter: &str| match setting(&murder, "backend1.example.org", parameter) {
        SettingSpec::Value(text) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(value("biff"), "no");
    assert_eq!(value("message_size_limit"), "10240000");
    assert_eq!(value("default_process_limit"), "0100");
    assert_eq!(value("smtpd_banner"), "1e3");
    assert_eq!(value("mail_name"), "0x1f");
    assert_eq!(value("myorigin"), "2026-11-23");
    assert_eq!(value("relayhost"), "");
}

#[test]
fn ranges_aliases_and_merge_keys() {
    let murder = good("merge", &[]);
    assert_eq!(murder.hosts.len(), 401);
    let last = &murder.hosts[&host("backend400.example.org")];
    assert_eq!(last.mailhost, last.name);
    assert_eq!(last.state, HostState::Draining);
    assert_eq!(last.ssh.user.as_deref(), Some("admin"));
    // The host's own word is nearer than the merged one.
    assert_eq!(
        setting(&murder, "backend001.example.org", "biff"),
        SettingSpec::Value("yes".to_owned())
    );
}

#[test]
fn a_folder_is_one_manifest_and_overlays_lie_over_it() {
    let plain = good("folder", &["staging.yaml"]);
    assert_eq!(plain.name, "staging");
    assert_eq!(
        plain.hosts.keys().map(HostName::as_str).collect::<Vec<_>>(),
        [
            "backend1.example.org",
            "backend3.example.org",
            "smtp.example.org"
        ]
    );
    let backend = &plain.hosts[&host("backend1.example.org")];
    assert_eq!(backend.addresses, ["192.0.2.99"]);
    assert!(!backend.settings.contains_key("biff"));
    assert!(backend.settings.contains_key("smtpd_banner"));
}

#[test]
fn an_overlay_has_the_last_word_on_where_a_secret_and_a_text_come_from() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("moved.tera", "moved\n");
    write(
        "manifest.yaml",
        r#"
version: 1
murder: example.org
domains: [example.org]
ldap:
  uris: ["ldap://ldap.example.org"]
  base: dc=example,dc=org
  bind_dn: cn=x
  bind_pw: {file: secrets/no-such-file}
hosts:
  smtp.example.org:
    roles: [internal-mta]
    addresses: [192.0.2.1]
    files:
      /etc/postfix/a: {content: here, mode: "0600"}
      /etc/postfix/b: {template: moved.tera, mode: "0600"}
"#,
    );
    write(
        "overlay.yaml",
        r"
ldap: {bind_pw: {env: OVERLAY_BIND_PW}}
hosts:
  smtp.example.org:
    files:
      /etc/postfix/a: {template: moved.tera}
      /etc/postfix/b: {content: here}
",
    );
    let overlay = folder.path().join("overlay.yaml");
    let murder = accept(load::load(&folder.path().join("manifest.yaml"), &[overlay]));
    let text = format!("{murder:?}");
    assert!(text.contains("OVERLAY_BIND_PW") && !text.contains("no-such-file"));
    let files = &murder.hosts[&host("smtp.example.org")].files;
    for (path, has, mode) in [
        ("/etc/postfix/a", "moved", 0o600),
        ("/etc/postfix/b", "here", 0o600),
    ] {
        let file = format!("{:?}", files[&RemotePath::new(path).unwrap()]);
        assert!(file.contains(has), "{file}");
        let mode = format!("{:?}", Mode::from_bits(mode));
        assert!(
            file.contains(&mode),
            "what the overlay does not say stays: {file}"
        );
    }
}

#[test]
fn secrets_are_read_by_their_rules() {
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/good/design/manifest.yaml"),
    )
    .unwrap();
    fs::write(folder.path().join("manifest.yaml"), text).unwrap();
    let murder = accept(load::load(folder.path(), &[]));
    let name = SecretName("ldap.bind_pw".to_owned());
    let which: BTreeSet<SecretName> = [name.clone()].into();
    let (_, problems) = read_secrets(&murder, &which, SourceOptions::default());
    assert!(
        problems[0].summary.contains("cannot be read"),
        "{problems:?}"
    );
    fs::create_dir(folder.path().join("secrets")).unwrap();
    let file = folder.path().join("secrets/kolab-service.pw");
    fs::write(&file, "hunter2\n").unwrap();
    let mode = |bits| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(bits);
        fs::set_permissions(&file, mode).unwrap();
    };
    mode(0o644);
    let (_, problems) = read_secrets(&murder, &which, SourceOptions::default());
    assert!(
        problems[0]
            .summary
            .contains("other users have access to it"),
        "{problems:?}"
    );
    mode(0o600);
    let (secrets, problems) = read_secrets(&murder, &which, SourceOptions::default());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(secrets.get(&name).unwrap().expose(), "hunter2");
}

#[test]
fn the_schema_names_every_key_once() {
    let schema = manifest::schema();
    assert_eq!(
        schema["properties"]["hosts"]["additionalProperties"]["$ref"],
        "#/$defs/host"
    );
    assert_eq!(schema["$defs"]["host"]["additionalProperties"], false);
    for record in schema["$defs"].as_object().unwrap().values() {
        for (key, value) in record["properties"].as_object().unwrap() {
            assert!(
                value["description"]
                    .as_str()
                    .is_some_and(|doc| !doc.is_empty()),
                "{key}"
            );
        }
    }
}

/// A folder with a whole manifest in it, and something more that `make` adds.
fn said_of(make: impl Fn(&Path)) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("manifests/example.org/murder.yaml");
    fs::copy(example, folder.path().join("murder.yaml")).unwrap();
    make(folder.path());
    let loaded = load::load(folder.path(), &[]);
    let errors = loaded
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.level == Severity::Error);
    errors
        .map(|diagnostic| {
            assert!(diagnostic.hint.is_some(), "{diagnostic:?}");
            let folder = folder.path().display().to_string();
            diagnostic.summary.replace(&folder, "DIR")
        })
        .collect()
}

#[test]
fn what_looks_like_a_part_of_a_manifest_is_not_passed_over() {
    assert_eq!(said_of(|_| {}), [""; 0]);
    assert_eq!(
        said_of(|folder| fs::write(folder.join(".hosts.yaml"), "x").unwrap()),
        [""; 0]
    );
    assert_eq!(
        said_of(|folder| fs::write(folder.join("hosts.YAML"), "hosts: {}").unwrap()),
        ["`DIR/hosts.YAML` would be ignored"]
    );
    assert_eq!(
        said_of(|folder| fs::create_dir(folder.join("hosts.yaml")).unwrap()),
        ["`DIR/hosts.yaml` is a folder, not a file"]
    );
    assert_eq!(
        said_of(|folder| {
            std::os::unix::fs::symlink("nowhere", folder.join("hosts.yml")).unwrap();
        }),
        ["`DIR/hosts.yml` cannot be read"]
    );
    assert_eq!(
        said_of(|folder| {
            let pipe = folder.join("hosts.yaml");
            assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        }),
        ["`DIR/hosts.yaml` is a pipe, socket or device, not a file"]
    );
    assert_eq!(
        said_of(|folder| {
            fs::create_dir_all(folder.join("modules/web")).unwrap();
            fs::write(folder.join("modules/web/module.yml"), "summary: x").unwrap();
        }),
        ["`DIR/modules/web/module.yml` would be ignored"]
    );
}

/// Reads a text as a manifest, as far as it goes, and shows every problem.
fn read(text: &str) -> Vec<String> {
    let mut sources = Sources::default();
    let source = sources.add("fuzz.yaml", text);
    let parsed = manifest::parse(&[Text { source, text }], &[]);
    sources.mask(&parsed.secrets);
    parsed
        .problems
        .iter()
        .map(|problem| problem.render(&sources, false))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,200}") {
        read(&text);
    }

    #[test]
    fn any_mix_of_yaml_is_read_without_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "hosts", ": ", "\n", "  ", "- ", "[", "]", "{", "}", ", ", "&a ", "*a", "<<", "!!str ",
                "|", ">-", "'", "\"", "#", "? ", "---\n", "version: 1\n", "backend[1:9]", "ssh", "roles",
                "password", "hunter2", "ldap", "é", "\t", "\u{FDD0}", "\r\n", "null", "~", "settings",
            ]),
            0..60,
        )
    ) {
        read(&words.concat());
    }
}
