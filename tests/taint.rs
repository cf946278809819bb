//! No secret, and nothing to guess one by, is in what `murder` prints or keeps: each verb in each format, saved plans, ledger,
//! history, the state of the client.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use clap::CommandFactory as _;

use super::sandbox::server::Server;
use super::secrets::tools;

const HOST: &str = "smtp.example.org";

/// Random numbers: the same in each run, or by `MURDER_TEST_SEED` (splitmix64).
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = std::env::var("MURDER_TEST_SEED").ok();
        Self(seed.and_then(|seed| seed.parse().ok()).unwrap_or(7))
    }

    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
    }

    /// A secret of so many characters: letters, digits, and every odd character that one line of a table can have.
    fn secret(&mut self, length: usize) -> String {
        const ODD: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ äß€𝄞\u{a0}";
        let odd: Vec<char> = ODD.chars().collect();
        let mut secret = String::new();
        for place in 0..length {
            let plain = char::from(b"abcXYZ0189"[self.next(10)]);
            let inside = place > 0 && place + 1 < length;
            let character = if inside && self.next(2) == 0 {
                odd[self.next(odd.len())]
            } else {
                plain
            };
            secret.push(character);
        }
        secret
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The digests of some bytes, in hexadecimal digits.
pub fn digests(bytes: &[u8]) -> Vec<(String, String)> {
    ["sha256sum", "sha1sum", "md5sum"]
        .map(|program| {
            let said = tools::run(program, &[], bytes);
            (
                program.to_owned(),
                said.split(' ').next().unwrap().to_owned(),
            )
        })
        .into()
}

/// Every form of a secret of at least 8 bytes that must not occur, each with its name.
pub fn forms(secret: &str) -> Vec<(String, String)> {
    let bytes = secret.as_bytes();
    let url: String = bytes.iter().fold(String::new(), |mut text, byte| {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(byte) {
            true => text.push(char::from(*byte)),
            false => write!(text, "%{byte:02X}").unwrap(),
        }
        text
    });
    let json = serde_json::to_string(secret).unwrap();
    let named = |name: &str, text: String| (name.to_owned(), text);
    let mut forms = vec![
        named("itself", secret.to_owned()),
        named("base64", STANDARD_NO_PAD.encode(bytes)),
        named(
            "base64 with its line end",
            STANDARD.encode([bytes, b"\n"].concat()),
        ),
        named("base64 for URLs", URL_SAFE_NO_PAD.encode(bytes)),
        named("hex", hex(bytes)),
        named("HEX", hex(bytes).to_uppercase()),
        named("URL", url.clone()),
        named("url", url.to_lowercase()),
        named("form", url.replace("%20", "+")),
        named("shell", secret.replace('\'', "'\\''")),
        named("JSON", json[1..json.len() - 1].to_owned()),
        named("Rust", format!("{secret:?}").trim_matches('"').to_owned()),
        named("lower case", secret.to_lowercase()),
        named(
            "XML",
            secret
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;"),
        ),
    ];
    forms.extend(digests(bytes));
    forms.extend(digests(&[bytes, b"\n"].concat()));
    forms
}

struct Site {
    folder: tempfile::TempDir,
    /// What was printed or kept, by what it is.
    seen: BTreeMap<String, Vec<u8>>,
}

impl Site {
    fn new(secrets: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut files = String::new();
        for (number, secret) in secrets.iter().enumerate() {
            let path = folder.path().join(format!("pw{number}"));
            fs::write(&path, format!("{secret}\n")).unwrap();
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&path, mode).unwrap();
            let table = number % 2 == 0;
            files += &format!(
                "      /etc/postfix/sasl{number}: {{content: \"[mx{number}.example.net]:587 me:{{{{ secret.s }}}}\", \
                 secrets: {{s: {{file: pw{number}}}}}, table: {table}}}\n"
            );
        }
        let manifest = format!(
            "version: 1\nmurder: example.org\ndomains: [example.org]\n\
             ldap: {{uris: [\"ldap://ldap.example.org\"], base: \"dc=example,dc=org\", bind_dn: \"cn=x\", bind_pw: {{file: pw0}}}}\n\
             hosts:\n  {HOST}:\n    roles: [internal-mta]\n    addresses: [192.0.2.1]\n    files:\n{files}"
        );
        fs::write(folder.path().join("murder.yaml"), manifest).unwrap();
        Self {
            folder,
            seen: BTreeMap::new(),
        }
    }

    /// Runs the program, keeps what it says, and gives what it prints.
    fn run(&mut self, arguments: &[&str]) -> Vec<u8> {
        let output = Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(arguments)
            .arg("-v")
            .current_dir(self.folder.path())
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let name = format!("`murder {}` ({})", arguments.join(" "), self.seen.len());
        let said = [&output.stdout[..], b"\n", &output.stderr].concat();
        let text = String::from_utf8_lossy(&said).into_owned();
        assert!(!text.contains("panicked"), "{name}: {text}");
        assert!(
            !text.contains("error: unexpected argument"),
            "{name}: {text}"
        );
        self.seen.insert(name, said);
        output.stdout
    }

    /// All files below a folder, as seen.
    fn keep(&mut self, folder: &str) {
        let mut folders = vec![self.folder.path().join(folder)];
        let mut files: Vec<PathBuf> = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path().is_dir() {
                    true => folders.push(entry.path()),
                    false => files.push(entry.path()),
                }
            }
        }
        for file in files {
            let name = file
                .strip_prefix(self.folder.path())
                .unwrap()
                .display()
                .to_string();
            let number = self.seen.len();
            self.seen
                .insert(format!("{name} ({number})"), fs::read(&file).unwrap());
        }
    }

    fn postfix(&self) -> PathBuf {
        self.folder
            .path()
            .join("box")
            .join(HOST)
            .join("etc/postfix")
    }
}

/// The values of a flag of a verb, as `--help` has them; empty where the verb has no such flag.
fn values(verb: &str, flag: &str) -> Vec<String> {
    let command = murder::cli::Cli::command();
    let verb = command.find_subcommand(verb);
    let flag = verb.and_then(|verb| {
        verb.get_arguments()
            .find(|one| one.get_long() == Some(flag))
    });
    let values = flag
        .map(|flag| flag.get_possible_values())
        .unwrap_or_default();
    values
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect()
}

fn has(verb: &str, flag: &str) -> bool {
    let command = murder::cli::Cli::command();
    let verb = command.find_subcommand(verb);
    verb.is_some_and(|verb| verb.get_arguments().any(|one| one.get_long() == Some(flag)))
}

/// Runs a verb in each format, and with each amount of texts where it has them.
fn in_each_form(site: &mut Site, verb: &str, more: &[&str]) {
    let formats = values(verb, "format");
    assert!(!formats.is_empty(), "{verb}");
    let diffs = values(verb, "diff");
    for format in &formats {
        let format = format!("--format={format}");
        let base = [&[verb][..], more, &[&format]].concat();
        let mut printed = Vec::new();
        if diffs.is_empty() {
            printed = site.run(&base);
        }
        for diff in &diffs {
            let diff = format!("--diff={diff}");
            printed = site.run(&[&base[..], &[&diff]].concat());
        }
        if format == "--format=json" && ["plan", "drift", "apply"].contains(&verb) {
            merged(site, &printed);
        }
    }
}

/// Merges a report, in each form.
fn merged(site: &mut Site, report: &[u8]) {
    fs::write(site.folder.path().join("report.json"), report).unwrap();
    for format in values("plan", "format") {
        for diff in values("plan", "diff") {
            let (format, diff) = (format!("--format={format}"), format!("--diff={diff}"));
            let printed = site.run(&["report", "merge", "report.json", &format, &diff]);
            assert!(!printed.is_empty(), "{format}");
        }
    }
}

/// The verbs that contact no host, and the one that looks at a lock.
fn offline(site: &mut Site) {
    let folder = site.folder.path();
    let other = fs::read_to_string(folder.join("murder.yaml")).unwrap() + "\n# Another one.\n";
    fs::write(folder.join("other.yaml"), other).unwrap();
    let ldif = "dn: dc=example,dc=org\nobjectClass: domain\ndc: example\n";
    fs::write(folder.join("d.ldif"), ldif).unwrap();
    in_each_form(site, "diff", &["murder.yaml", "other.yaml"]);
    in_each_form(site, "verify", &["murder.yaml", "--ldif=d.ldif"]);
    let trace = [
        "--manifest=murder.yaml",
        "--ldif=d.ldif",
        "root@example.org",
    ];
    in_each_form(site, "trace", &trace);
    in_each_form(site, "unlock", &[HOST, "murder.yaml", BOX]);
}

const BOX: &str = "--sandbox=box";

/// The story of a host: first apply, a change by hand beside the secret, drift, a new secret, and the way back.
fn story(site: &mut Site) {
    in_each_form(site, "check", &["murder.yaml"]);
    in_each_form(site, "plan", &["murder.yaml", BOX]);
    site.run(&["render", "murder.yaml"]);
    site.run(&["render", "murder.yaml", "--out=tree"]);
    site.run(&["explain", HOST, "/etc/postfix/sasl0", "murder.yaml"]);
    saved(site, "first.json");
    site.run(&["apply", "murder.yaml", BOX, "--yes", "--diff=full"]);
    site.keep("box/smtp.example.org/var/lib/murder");
    let sasl = site.postfix().join("sasl0");
    let text = fs::read_to_string(&sasl).unwrap();
    fs::write(&sasl, format!("# by hand\n{text}")).unwrap();
    in_each_form(site, "plan", &["murder.yaml", BOX]);
    in_each_form(site, "drift", &["murder.yaml", BOX]);
    saved(site, "second.json");
    if has("drift", "metrics") {
        fs::create_dir_all(site.folder.path().join("metrics")).unwrap();
        site.run(&["drift", "murder.yaml", BOX, "--metrics=metrics/murder.prom"]);
        assert!(site.folder.path().join("metrics/murder.prom").exists());
    }
    notified(site);
    held(site);
    offline(site);
    in_each_form(site, "apply", &["murder.yaml", BOX, "--yes"]);
    notified(site);
    in_each_form(site, "history", &[HOST, "murder.yaml", BOX]);
    in_each_form(site, "history", &["murder.yaml", BOX]);
    in_each_form(
        site,
        "rollback",
        &[HOST, "murder.yaml", BOX, "--to=0", "--yes", "--no-hold"],
    );
    site.run(&["apply", "murder.yaml", BOX, "--yes"]);
    site.run(&[
        "release",
        HOST,
        "/etc/postfix/sasl0",
        "murder.yaml",
        BOX,
        "--yes",
    ]);
    for folder in [
        "box/smtp.example.org/var/lib/murder",
        "tree",
        "cache",
        "metrics",
        ".cache",
    ] {
        site.keep(folder);
    }
}

/// A file with a secret that was changed by hand: as a manifest, held, and no longer held.
fn held(site: &mut Site) {
    site.run(&["drift", "murder.yaml", BOX, "--as-manifest"]);
    let thing = [HOST, "/etc/postfix/sasl0", "murder.yaml", BOX];
    let why = ["--for=2h", "--reason=test"];
    site.run(&[&["hold"], &thing[..], &why].concat());
    site.keep("box/smtp.example.org/var/lib/murder");
    in_each_form(site, "plan", &["murder.yaml", BOX]);
    in_each_form(site, "drift", &["murder.yaml", BOX]);
    site.run(&["drift", "murder.yaml", BOX, "--as-manifest"]);
    saved(site, "held.json");
    site.run(&[&["unhold"], &thing[..]].concat());
    for words in [
        "/etc/postfix/sasl0` is held until ",
        "is no longer held",
        "= hold /etc/postfix/sasl0 until ",
    ] {
        let said = site.seen.values().any(|text| finds(text, words));
        assert!(said, "{words}: {:?}", site.seen.keys());
    }
}

/// What each kind of target is told of a drift and of its end, the state between the runs, and the log as JSON.
fn notified(site: &mut Site) {
    let server = Server::new();
    let kinds = ["json", "slack", "matrix", "alertmanager", "healthchecks"];
    let targets = kinds.map(|kind| format!("--notify={kind}:{}", server.url(&format!("/{kind}"))));
    let targets = targets.iter().map(String::as_str);
    fs::create_dir_all(site.folder.path().join("told")).unwrap();
    let drift = [
        "drift",
        "murder.yaml",
        BOX,
        "--state=told/state.json",
        "--log=json",
    ];
    let words: Vec<&str> = drift.into_iter().chain(targets).collect();
    // A server that fails leaves the messages in the state.
    server.fails.store(true, Ordering::SeqCst);
    site.run(&words);
    site.keep("told");
    let state = fs::read_to_string(site.folder.path().join("told/state.json")).unwrap();
    assert!(state.contains("/etc/postfix/sasl0"), "{state}");
    server.fails.store(false, Ordering::SeqCst);
    site.run(&words);
    site.keep("told");
    let told = server.told();
    for kind in kinds {
        assert!(
            told.iter().any(|one| one.path.contains(kind)),
            "{kind}: {told:?}"
        );
    }
    for one in told {
        let name = format!("a request to {} ({})", one.path, site.seen.len());
        site.seen
            .insert(name, (one.key + "\n" + &one.body).into_bytes());
    }
}

/// A saved plan, and what is shown of it.
fn saved(site: &mut Site, name: &str) {
    if !has("plan", "out") {
        return;
    }
    fs::create_dir_all(site.folder.path().join("plans")).unwrap();
    let path = format!("plans/{name}");
    let out = format!("--out={path}");
    site.run(&["plan", "murder.yaml", BOX, &out]);
    assert!(site.folder.path().join(&path).exists());
    in_each_form(site, "show", &[&path]);
    let live = format!("plans/live-{name}");
    site.run(&["observe", "murder.yaml", BOX, &format!("--out={live}")]);
    assert!(site.folder.path().join(&live).exists());
    in_each_form(site, "plan", &["murder.yaml", &format!("--live={live}")]);
    for file in [&path, &live] {
        crate::saved::assert_valid(&site.folder.path().join(file));
    }
    site.keep("plans");
}

/// Whether `needle` is in `text`.
pub fn finds(text: &[u8], needle: &str) -> bool {
    let needle = needle.as_bytes();
    text.windows(needle.len()).any(|window| window == needle)
}

/// The ledger and the history of a host, on the host itself.
fn is_record(name: &str) -> bool {
    name.starts_with("box/")
}

#[test]
fn no_secret_and_nothing_to_guess_one_by_is_printed_or_kept() {
    let mut random = Random::new();
    let lengths = [16, 8, 24, 64, 9, 33];
    let secrets: Vec<String> = lengths
        .iter()
        .map(|length| random.secret(*length))
        .collect();
    let mut site = Site::new(&secrets);
    story(&mut site);
    assert!(site.seen.len() > 40, "{:?}", site.seen.keys());
    // The files that hold a secret are on the host alone.
    let mut hidden: Vec<(String, String)> = Vec::new();
    for (number, secret) in secrets.iter().enumerate() {
        let file = site.postfix().join(format!("sasl{number}"));
        let text = fs::read(&file).unwrap();
        assert!(finds(&text, secret), "secret {number} is not in its file");
        let whole = digests(&text).into_iter();
        hidden.extend(
            whole.map(|(what, text)| (format!("{what} of the file of secret {number}"), text)),
        );
        let named = |(what, text): (String, String)| (format!("secret {number}, {what}"), text);
        hidden.extend(forms(secret).into_iter().map(named));
    }
    let (mut leaks, mut recorded) = (Vec::new(), Vec::new());
    for (name, text) in &site.seen {
        for (what, needle) in &hidden {
            if finds(text, needle) {
                match is_record(name) && what.contains("of the file of") {
                    true => recorded.push(format!("{name}: {what}")),
                    false => leaks.push(format!("{name}: {what}")),
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
    assert_eq!(
        recorded.is_empty(),
        RECORDS_ARE_KEYED,
        "set RECORDS_ARE_KEYED to what is true: {}",
        recorded.join("\n")
    );
}

/// Whether ledger and history on a host have no plain hash of a file with a secret any more. Only root reads them there.
const RECORDS_ARE_KEYED: bool = true;

#[test]
fn a_short_secret_is_not_shown_where_it_stands() {
    let mut random = Random::new();
    let secrets: Vec<String> = [1, 2, 3, 5, 7]
        .iter()
        .map(|length| random.secret(*length))
        .collect();
    let mut site = Site::new(&secrets);
    story(&mut site);
    for (name, text) in &site.seen {
        for (number, secret) in secrets.iter().enumerate() {
            // The text around it, with the secret in it.
            let shown = format!("[mx{number}.example.net]:587 me:{secret}");
            let end = |at: usize| {
                text.get(at + shown.len())
                    .is_none_or(|byte| !byte.is_ascii_graphic())
            };
            let mut places = text.windows(shown.len()).enumerate();
            let found = places.any(|(at, window)| window == shown.as_bytes() && end(at));
            assert!(!found, "{name}: secret {number}");
        }
    }
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let secret = "a'b\"c d%e\\f€g";
    for (what, form) in forms(secret) {
        assert!(finds(format!("x{form}y").as_bytes(), &form), "{what}");
    }
    assert!(Path::new(env!("CARGO_BIN_EXE_murder")).exists());
}
