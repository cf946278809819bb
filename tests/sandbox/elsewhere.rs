//! A sandbox folder belongs to another machine, and its author may be a stranger: nothing of this machine decides there,
//! nothing of the folder runs here, and no link leads out of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Bench, MANIFEST, SECRET};

const HOST: &str = "backend1.example.org";

/// A sandbox that was applied once, and the folder of a host's Postfix in it.
fn applied() -> (Bench, PathBuf) {
    let bench = Bench::new(MANIFEST);
    bench.expect(0, "apply", &["--yes"]);
    let postfix = bench.root(HOST).join("etc/postfix");
    (bench, postfix)
}

/// Makes the next apply build an index.
fn spoil(postfix: &Path) {
    let table = postfix.join("transport");
    let text = fs::read_to_string(&table).unwrap();
    fs::write(table, text + "# by hand\n").unwrap();
}

fn add(file: PathBuf, lines: &str) {
    let text = fs::read_to_string(&file).unwrap();
    fs::write(file, text + lines).unwrap();
}

#[test]
fn what_this_machine_does_not_have_stops_no_apply() {
    let (bench, postfix) = applied();
    let main_cf = fs::read_to_string(postfix.join("main.cf")).unwrap();
    for lines in [
        "inet_interfaces = 192.0.2.6\n",
        "inet_protocols = ipv6\ninet_interfaces = 2001:db8::6\n",
        "setgid_group = maildrop-of-another-distribution\n",
        "mail_owner = postfix-of-another-distribution\n",
        "default_privs = nobody-of-another-distribution\n",
        "myorigin = /etc/mailname-of-another-distribution\n",
        "mynetworks_style = class\ninet_interfaces = 192.0.2.6\n",
    ] {
        fs::write(postfix.join("main.cf"), main_cf.clone() + lines).unwrap();
        spoil(&postfix);
        bench.expect(0, "apply", &["--yes", "--host", HOST]);
        let text = bench.read(HOST, "etc/postfix/main.cf");
        assert!(text.ends_with(lines), "{text}");
    }
}

#[test]
fn postmap_gets_neither_the_folders_configuration_nor_this_environment() {
    let real = "/usr/sbin/postmap";
    if !Path::new(real).exists() {
        return; // No index is built, so nothing runs.
    }
    let (bench, postfix) = applied();
    add(
        postfix.join("main.cf"),
        "shlib_directory = /tmp/evil\nmeta_directory = /tmp/evil\ndaemon_directory = /tmp/evil\n\
         import_environment = LD_PRELOAD=/tmp/evil.so\n",
    );
    fs::write(postfix.join("dynamicmaps.cf"), "hash evil.so dict_hash\n").unwrap();
    spoil(&postfix);
    let spy = bench.home.path().join("spy");
    fs::create_dir(&spy).unwrap();
    let script = format!(
        "#!/bin/sh\n{{ env; ls \"$2\"; cat \"$2/main.cf\"; }} >>{}/seen\nexec {real} \"$@\"\n",
        spy.display()
    );
    fs::write(spy.join("postmap"), script).unwrap();
    fs::set_permissions(spy.join("postmap"), fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_murder"))
        .arg("apply")
        .arg(bench.home.path().join("manifest"))
        .arg("--sandbox")
        .arg(bench.home.path().join("sandbox"))
        .arg("--yes")
        .env("SANDBOX_BIND_PW", SECRET)
        .env("MAIL_CONFIG", &postfix)
        .env("PATH", format!("{}:/usr/bin:/bin", spy.display()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let seen = fs::read_to_string(spy.join("seen")).unwrap();
    for word in ["evil", "dynamicmaps", "MAIL_CONFIG", SECRET] {
        assert!(!seen.contains(word), "{word}: {seen}");
    }
}

#[test]
fn a_folder_without_master_cf_gets_one() {
    let (bench, postfix) = applied();
    fs::remove_dir_all(bench.root(HOST).join("var")).unwrap();
    fs::remove_file(postfix.join("master.cf")).unwrap();
    let said = bench.expect(0, "apply", &["--yes", "--adopt"]);
    assert!(!said.contains("stale"), "{said}");
    bench.expect(0, "plan", &["--detailed-exitcode"]);
}

#[test]
fn a_link_stays_one_and_what_it_leads_to_is_written() {
    let (bench, postfix) = applied();
    fs::create_dir(postfix.join("site")).unwrap();
    for name in ["main.cf", "transport"] {
        let target = postfix.join("site").join(name);
        fs::rename(postfix.join(name), &target).unwrap();
        symlink(format!("site/{name}"), postfix.join(name)).unwrap();
    }
    add(postfix.join("site/main.cf"), "smtpd_banner = drift\n");
    spoil(&postfix);
    bench.expect(0, "apply", &["--yes"]);
    bench.expect(0, "plan", &["--detailed-exitcode"]);
    for (name, word) in [("main.cf", "drift"), ("transport", "by hand")] {
        assert!(postfix.join(name).is_symlink(), "{name}");
        let text = fs::read_to_string(postfix.join("site").join(name)).unwrap();
        assert!(!text.contains(word), "{text}");
    }
}

#[test]
fn a_link_that_leaves_the_folder_is_neither_read_nor_written() {
    for name in ["transport", "main.cf"] {
        let (bench, postfix) = applied();
        let outside = bench.home.path().join("outside");
        fs::write(&outside, "word_of_this_machine = 1\n").unwrap();
        fs::remove_file(postfix.join(name)).unwrap();
        symlink(&outside, postfix.join(name)).unwrap();
        for (verb, more) in [("plan", &[][..]), ("apply", &["--yes"])] {
            let output = bench.run(verb, more);
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(!said.contains("word_of_this_machine"), "{said}");
        }
        let text = fs::read_to_string(&outside).unwrap();
        assert_eq!(text, "word_of_this_machine = 1\n", "{name}");
    }
}
