//! Hosts with several instances of Postfix, and hosts with unfinished work.

use std::fs;
use std::path::Path;

use super::{murder, steps, succeeds, text};

/// Debian's services that the modules need.
const MASTER_CF: &str = "smtp inet n - y - - smtpd\nrewrite unix - - y - - trivial-rewrite\nlmtp unix - - y - - lmtp\nrelay unix - - y - - smtp\n\
    proxymap unix - - n - - proxymap\nretry unix - - y - - error\nerror unix - - y - - error\nlocal unix - n n - - local\n";

fn host(folder: &Path, name: &str, etc: &str, main_cf: &str) {
    let etc = folder.join("sb").join(name).join(etc);
    fs::create_dir_all(&etc).unwrap();
    fs::write(etc.join("main.cf"), main_cf).unwrap();
    fs::write(etc.join("master.cf"), MASTER_CF).unwrap();
}

#[test]
fn a_host_whose_other_instance_is_managed_is_left_out_and_loses_nothing() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let mx = "mx1.example.org";
    host(
        folder,
        mx,
        "etc/postfix",
        "compatibility_level = 3.6\nmulti_instance_directories = /etc/postfix-out\n",
    );
    host(
        folder,
        mx,
        "etc/postfix-out",
        "compatibility_level = 3.6\nmulti_instance_name = postfix-out\n",
    );
    host(
        folder,
        "smtp.example.org",
        "etc/postfix",
        "compatibility_level = 3.6\n",
    );
    let manifest = "version: 1\nmurder: example.org\ndomains: [example.org]\nldap: {uris: [\"ldaps://ldap.example.org\"], base: o=x}\n\
        modules: {internet-mta: {instance: postfix-out}}\n\
        hosts:\n  mx1.example.org: {roles: [internet-mta]}\n  smtp.example.org: {roles: [internal-mta]}\n";
    fs::write(folder.join("m.yaml"), manifest).unwrap();
    succeeds(folder, &["apply", "m.yaml", "--sandbox", "sb", "--yes"]);

    let output = murder(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains(
            "mx1.example.org: not imported: an earlier apply manages its instance postfix-out"
        ),
        "{said}"
    );
    let found = fs::read_to_string(folder.join("found/murder.yaml")).unwrap();
    assert!(
        !found.contains("  mx1.example.org:") && found.contains("  smtp.example.org:"),
        "{found}"
    );
    assert_eq!(steps(folder, "found", "sb"), Vec::<String>::new());
}

#[test]
fn where_no_host_can_be_imported_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    host(folder, "a.example.org", "etc/postfix", "no equals sign\n");
    let output = murder(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    let said = text(&output);
    assert!(
        said.contains("no host was imported, and nothing was written"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(!folder.join("found").exists());
}

#[test]
fn only_a_host_with_an_old_index_has_something_in_its_next_plan() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    for name in ["good", "old"] {
        host(
            folder,
            &format!("{name}.example.org"),
            "etc/postfix",
            "canonical_maps = hash:/etc/postfix/canonical\n",
        );
        let source = folder.join(format!("sb/{name}.example.org/etc/postfix/canonical"));
        fs::write(&source, "x@example.org y@example.org\n").unwrap();
        let index = source.with_extension("db");
        fs::write(&index, "an index").unwrap();
        let ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
        let earlier = ago - std::time::Duration::from_secs(3600);
        let old = name == "old";
        for (path, time) in [
            (&source, if old { ago } else { earlier }),
            (&index, if old { earlier } else { ago }),
        ] {
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(time)
                .unwrap();
        }
    }
    let said = succeeds(folder, &["import", "--sandbox", "sb", "--out", "found"]);
    assert_eq!(
        said.matches("the next plan is not empty: ").count(),
        1,
        "{said}"
    );
    let row = said.split("old.example.org: ").nth(1).unwrap();
    assert!(row.contains("builds the index of `/etc/postfix/canonical`, which is missing or older than its source"), "{said}");
    let steps = steps(folder, "found", "sb");
    assert!(
        steps
            .iter()
            .all(|step| step.starts_with("old.example.org: ")),
        "{steps:#?}"
    );
    assert!(!steps.is_empty());
}
