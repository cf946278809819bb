//! What the running program lets others see of it.

use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Command, Stdio};

/// A user that is not root: its process belongs to root only where it cannot be dumped (proc(5)).
const NOBODY: u32 = 65534;

#[test]
fn a_run_leaves_no_core_dump_and_shows_no_memory() {
    let home = tempfile::tempdir().unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(home.path(), open).unwrap();
    let program = home.path().join("murder");
    // cp(1) writes it: a child of another test could hold a file open that this process writes, and then nobody can execute it.
    let mut copy = Command::new("cp");
    copy.arg(env!("CARGO_BIN_EXE_murder")).arg(&program);
    assert!(copy.status().unwrap().success());
    // It takes the connection and never speaks, so that the run lasts.
    let hole = TcpListener::bind("127.0.0.1:0").unwrap();
    let manifest = home.path().join("murder.yaml");
    let text = format!(
        "version: 1\nmurder: example.org\ndomains: [example.org]\nsmart_host: smtp.example.org\n\
         external: [smtp.example.org]\nhosts:\n  mx.example.org:\n    roles: [internet-mta]\n    \
         ssh: {{address: 127.0.0.1, port: {}, connect_timeout: 60s}}\n    \
         vars: {{recipient_check: table, recipients: [\"joe@example.org\"]}}\n",
        hole.local_addr().unwrap().port()
    );
    std::fs::write(&manifest, text).unwrap();
    let root = rustix::process::getuid().is_root();
    let mut command = Command::new(if root { "setpriv" } else { "env" });
    if root {
        command.args(["--reuid", &NOBODY.to_string(), "--clear-groups"]);
    }
    let mut child = command
        .arg(&program)
        .arg("plan")
        .arg(&manifest)
        .env("HOME", home.path())
        .env("SSH_AUTH_SOCK", "")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Once it has connected, it has long begun.
    let (_connection, _) = hole.accept().unwrap();
    let at = format!("/proc/{}", child.id());
    let limits = std::fs::read_to_string(format!("{at}/limits")).unwrap();
    let owner = std::fs::metadata(format!("{at}/mem")).unwrap().uid();
    child.kill().unwrap();
    child.wait().unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{limits}");
    assert_eq!(owner, 0, "another process of its user can read its memory");
}

/// A panic in a process of its own: the text of a secret that was sliced at a wrong place.
#[test]
fn a_panic_is_reported_by_its_place_and_not_by_its_text() {
    const SECRET: &str = "hunter2-and-€";
    const NAME: &str = "guard::a_panic_is_reported_by_its_place_and_not_by_its_text";
    if std::env::var_os("MURDER_TEST_PANICS").is_some() {
        murder::cli::panics::report_by_place();
        let inside = SECRET.len() - 1;
        panic!("{}", &SECRET[..inside]);
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("MURDER_TEST_PANICS", "1")
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(!said.contains("hunter2"), "{said}");
    for words in [
        "internal error of `murder` at tests/guard.rs:",
        "= help: please report this as a bug",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}
