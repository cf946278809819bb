//! Our postconf against the real one: the same bytes after every edit, the same output and
//! exit code of every reading.
//!
//! The cases are made by a generator with a fixed seed from nasty fragments, and by hand.
//! Each is one run of the real program on a folder of its own. Where it dies it sleeps a
//! second first, so there are many more threads than processors.

// What is asked of both.
mod cases;
mod defaults;
mod limits;
mod tables;
// The generator.
mod generator;

use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::SystemTime;

use murder::postfix::configuration::Release;
use murder::postfix::postconf::Files;
use murder::postfix::postconf::Request;

const REAL: &str = "/usr/sbin/postconf";
/// The root of another release of Debian, whose postconf takes the place of this machine's.
const OTHER_ROOT: &str = "MURDER_POSTCONF_ROOT";
/// The version of the real postconf.
static RELEASE: OnceLock<String> = OnceLock::new();
const THREADS: usize = 64;
/// What the issue asks for, at least.
const LEAST: usize = 2_000;

/// Two files, and the arguments of postconf after `-c DIR`.
#[derive(Debug, Clone, Default)]
struct Case {
    main: Vec<u8>,
    master: Vec<u8>,
    arguments: Vec<Vec<u8>>,
}

/// What came of it.
#[derive(PartialEq, Eq)]
struct Outcome {
    code: i32,
    stdout: Vec<u8>,
    main: Vec<u8>,
    master: Vec<u8>,
}

impl Outcome {
    fn show(&self, stderr: &str) -> String {
        format!(
            "exit {}\nstdout:\n{}\nmain.cf:\n{}\nmaster.cf:\n{}\nstderr: {stderr}",
            self.code,
            self.stdout.escape_ascii(),
            self.main.escape_ascii(),
            self.master.escape_ascii()
        )
    }
}

#[test]
fn our_postconf_does_what_postfix_s_does() {
    assert!(
        Path::new(REAL).exists(),
        "{REAL} is not here, and this test compares with it: apt-get install postfix"
    );
    let version = real_postconf()
        .args(["-dh", "mail_version"])
        .output()
        .unwrap();
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    assert!(
        std::env::var_os(OTHER_ROOT).is_some() || version.starts_with("3.7."),
        "this is the postconf of Postfix {version}, and the cases are tried with that of 3.7: run the test on Debian 12"
    );
    RELEASE.set(version.clone()).unwrap();
    let cases = cases::all();
    let folder = tempfile::tempdir().unwrap();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let directory = folder.path().join(thread.to_string());
            let (cases, next, failures) = (&cases, &next, &failures);
            scope.spawn(move || {
                fs::create_dir(&directory).unwrap();
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = compare(case, &directory) {
                        failures.lock().unwrap().push(difference);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    println!(
        "{} cases compared with {REAL} {version}, {} differ",
        cases.len(),
        failures.len()
    );
    assert!(cases.len() >= LEAST, "only {} cases", cases.len());
    let mut shown = String::new();
    for failure in failures.iter().take(8) {
        writeln!(shown, "{failure}\n").unwrap();
    }
    assert!(
        failures.is_empty(),
        "{} cases differ\n{shown}",
        failures.len()
    );
}

/// The real postconf: that of this machine, or of the root of another Debian.
fn real_postconf() -> Command {
    let Some(root) = std::env::var_os(OTHER_ROOT) else {
        return Command::new(REAL);
    };
    let at = |path: &str| Path::new(&root).join(path).display().to_string();
    let libraries = [
        "lib/x86_64-linux-gnu",
        "usr/lib/x86_64-linux-gnu",
        "usr/lib/postfix",
    ];
    let loader = at("lib64/ld-linux-x86-64.so.2");
    // Older ones have an absolute link there.
    let loader = match fs::read_link(&loader) {
        Ok(link) if link.is_absolute() => at(&link.display().to_string()[1..]),
        _ => loader,
    };
    let mut command = Command::new(loader);
    command.args([
        "--library-path",
        &libraries.map(at).join(":"),
        &at("usr/sbin/postconf"),
    ]);
    command
}

fn compare(case: &Case, directory: &Path) -> Option<String> {
    let (real, real_stderr) = real(case, directory);
    let (ours, our_stderr) = ours(case, directory);
    (real != ours && !same_but_for_order(case, &real, &ours)).then(|| {
        let arguments: Vec<String> = case
            .arguments
            .iter()
            .map(|argument| argument.escape_ascii().to_string())
            .collect();
        format!(
            "=== {arguments:?}\nmain.cf: {}\nmaster.cf: {}\n--- real: {}\n--- ours: {}",
            case.main.escape_ascii(),
            case.master.escape_ascii(),
            real.show(&real_stderr),
            ours.show(&our_stderr)
        )
    })
}

/// Postfix 3.7 appends new parameters in the order of a hash table with a seed of its own,
/// another one each time. Where both append the same lines, any order will do.
fn same_but_for_order(case: &Case, real: &Outcome, ours: &Outcome) -> bool {
    let lines: Vec<Vec<u8>> = case
        .arguments
        .iter()
        .filter_map(|argument| {
            let at = argument.iter().position(|byte| *byte == b'=')?;
            let name = argument[..at].trim_ascii();
            // Vertical tabs are blank to Postfix, and not to Rust.
            let mut value = argument[at + 1..].trim_ascii();
            while let [0x0b, rest @ ..] = value {
                value = rest;
            }
            Some([name, b" = ", value, b"\n"].concat())
        })
        .collect();
    let apart = |outcome: &Outcome| {
        let mut rest = outcome.main.clone();
        let mut appended = Vec::new();
        while let Some(line) = lines.iter().find(|line| rest.ends_with(line)) {
            rest.truncate(rest.len() - line.len());
            appended.push(line.clone());
        }
        appended.sort();
        (rest, appended)
    };
    real.code == ours.code
        && real.stdout == ours.stdout
        && real.master == ours.master
        && apart(real) == apart(ours)
}

fn real(case: &Case, directory: &Path) -> (Outcome, String) {
    // A file that was changed this second makes postconf wait for it to cool down.
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let files = [("main.cf", &case.main), ("master.cf", &case.master)];
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
    }
    let output = real_postconf()
        .env_remove("MAIL_CONFIG")
        .arg("-c")
        .arg(directory)
        .args(
            case.arguments
                .iter()
                .map(|text| std::ffi::OsStr::from_bytes(text)),
        )
        .output()
        .unwrap();
    let outcome = Outcome {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        main: fs::read(directory.join("main.cf")).unwrap(),
        master: fs::read(directory.join("master.cf")).unwrap(),
    };
    (
        outcome,
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

fn ours(case: &Case, directory: &Path) -> (Outcome, String) {
    let mut arguments = vec![b"-c".to_vec(), directory.as_os_str().as_bytes().to_vec()];
    arguments.extend(case.arguments.iter().cloned());
    let files = Files {
        main: Some(case.main.clone()),
        master: Some(case.master.clone()),
    };
    let unchanged = |code| Outcome {
        code,
        stdout: Vec::new(),
        main: case.main.clone(),
        master: case.master.clone(),
    };
    let request = match Request::parse(&arguments) {
        Ok(request) => request.of_release(Release::new(RELEASE.get().unwrap())),
        Err(why) => return (unchanged(1), why),
    };
    let answer = request.answer(&files);
    let outcome = Outcome {
        stdout: answer.stdout,
        main: answer.main.unwrap_or_else(|| case.main.clone()),
        master: answer.master.unwrap_or_else(|| case.master.clone()),
        ..unchanged(i32::from(answer.error.is_some()))
    };
    let mut said = answer.warnings;
    said.extend(answer.error);
    (outcome, said.join("\n"))
}

/// The program itself, and not only the library, edits files and prints.
#[test]
fn the_program_reads_and_writes_files() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_murder"))
            .args(["postconf", "-c"])
            .arg(folder.path())
            .args(arguments)
            .output()
            .unwrap()
    };
    assert_eq!(run(&["-n"]).status.code(), Some(1), "no main.cf");
    fs::write(folder.path().join("main.cf"), "# mine\nbiff = no\n").unwrap();
    fs::write(
        folder.path().join("master.cf"),
        "lmtp unix - - y - - lmtp\n",
    )
    .unwrap();
    assert_eq!(run(&["-e", "relayhost=[a]:25"]).status.code(), Some(0));
    assert_eq!(run(&["-F", "lmtp/unix/chroot=n"]).status.code(), Some(0));
    assert_eq!(
        fs::read_to_string(folder.path().join("main.cf")).unwrap(),
        "# mine\nbiff = no\nrelayhost = [a]:25\n"
    );
    assert_eq!(run(&["-h", "relayhost"]).stdout, b"[a]:25\n");
    assert_eq!(run(&["-hx", "virtual_alias_maps"]).stdout, b"\n");
    assert_eq!(
        run(&["-F", "lmtp/unix/chroot"]).stdout,
        b"lmtp/unix/chroot = n\n"
    );
    let unknown = run(&["no_such_name"]);
    assert_eq!(unknown.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("unknown parameter"));
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        names.len(),
        2,
        "nothing is left beside the files: {names:?}"
    );
}
