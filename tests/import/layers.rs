//! Where the words of an import stand: at the layer after which the fewest are left to read.

use std::fs;
use std::path::Path;

use super::{steps, succeeds};

/// A host of a sandbox with a line in its main.cf.
fn host(folder: &Path, name: &str, line: &str) {
    let etc = folder.join("sb").join(name).join("etc/postfix");
    fs::create_dir_all(&etc).unwrap();
    let main_cf = format!("myhostname = {name}\nmydestination = $myhostname\n{line}\n");
    fs::write(etc.join("main.cf"), main_cf).unwrap();
    fs::write(etc.join("master.cf"), "smtp inet n - y - - smtpd\n").unwrap();
}

/// The manifest of the hosts of a sandbox; its next plan is empty.
fn imported(folder: &Path) -> String {
    let said = succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    assert_eq!(steps(folder, "found", "sb"), Vec::<String>::new(), "{said}");
    fs::read_to_string(folder.join("found/murder.yaml")).unwrap()
}

#[test]
fn hosts_whose_names_say_where_they_are_have_a_site() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for (site, line) in [
        ("west", "syslog_name = west"),
        ("east", "syslog_name = east"),
    ] {
        for name in ["a", "store7", "zeus"] {
            host(folder, &format!("{name}.{site}.example.org"), line);
        }
    }
    host(folder, "smtp.example.org", "syslog_name = hub");
    let manifest = imported(folder);
    for part in [
        "west: {settings: {syslog_name: west}}",
        "east: {settings: {syslog_name: east}}",
    ] {
        assert!(manifest.contains(part), "{manifest}");
    }
    assert!(manifest.contains("site: west"), "{manifest}");
    assert_eq!(manifest.matches("syslog_name").count(), 3, "{manifest}");
}

#[test]
fn places_without_a_word_of_their_own_are_no_sites() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for name in ["a.west", "b.west", "a.east", "b.east"] {
        host(folder, &format!("{name}.example.org"), "syslog_name = one");
    }
    let manifest = imported(folder);
    assert!(!manifest.contains("site"), "{manifest}");
    assert_eq!(manifest.matches("syslog_name").count(), 1, "{manifest}");
}

#[test]
fn what_one_role_has_is_said_of_the_role_and_undone_nowhere() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for number in 1..=9 {
        let name = format!("store{number}.example.org");
        host(folder, &name, "message_size_limit = 20480000");
    }
    for number in 1..=2 {
        let name = format!("front{number}.example.org");
        host(folder, &name, "relayhost = [smtp.example.org]");
    }
    let manifest = imported(folder);
    assert!(manifest.contains("[frontend]"), "{manifest}");
    assert!(
        manifest.contains("plain: {settings: {message_size_limit: \"20480000\"}}"),
        "{manifest}"
    );
    assert!(!manifest.contains("[message_size_limit]"), "{manifest}");
    assert_eq!(
        manifest.matches("message_size_limit").count(),
        1,
        "{manifest}"
    );
}
