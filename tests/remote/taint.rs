//! No secret, and nothing to guess one by, is in what an apply leaves on a host: journal, ledger, history, reports and logs,
//! whether it ended, failed, or was killed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use murder::machine::Ending;

use super::host::Host;
use super::world::{PASSWORD, desired, perform, plan};
use crate::taint::{digests, finds, forms};

/// What lies on a host beside its configuration: what `murder` keeps there, logs, and the room for temporary files.
const FOLDERS: &str = "/var/lib/murder /var/log /tmp /var/tmp /run /root";

/// What must not be found, with a name each: each form of the password, and the digests of the files that hold it.
fn hidden() -> Vec<(String, String)> {
    let mut hidden = forms(PASSWORD);
    for number in ["one", "two"] {
        let text = format!("# {number}\nbind_pw = {PASSWORD}\n");
        hidden.extend(digests(text.as_bytes()));
    }
    hidden
}

/// The files that hold any of it, each with what it holds, and with `!` where others than root may read it.
fn tainted(host: &Host, hidden: &[(String, String)]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut read = 0;
    for path in host.run(&format!("find {FOLDERS} -type f")).lines() {
        let here = host.root().join(path.trim_start_matches('/'));
        let Ok(text) = fs::read(&here) else {
            continue;
        };
        read += 1;
        let held = hidden.iter().find(|(_, needle)| finds(&text, needle));
        if let Some((what, _)) = held {
            let mode = fs::metadata(&here).unwrap().mode();
            let open = if mode & 0o077 == 0 { "" } else { "!" };
            found.insert(path.to_owned(), format!("{open}{what}"));
        }
    }
    assert!(read > 3, "{read}");
    found
}

#[test]
fn an_apply_leaves_no_secret_on_a_host_however_it_ends() {
    let host = Host::running();
    host.write("/etc/postfix/given", "theirs\n");
    host.write("/etc/postfix/found", "theirs\n");
    let hidden = hidden();
    let (first, second) = (desired(false), desired(true));
    let performed = perform(&host, &plan(&host, &first).unwrap(), "first", "");
    assert_eq!(performed.ending, Ending::Done, "{performed:?}");
    assert_eq!(tainted(&host, &hidden), BTreeMap::new());
    // The search finds what it looks for.
    host.run(&format!("printf %s {PASSWORD} | base64 >/var/log/probe"));
    assert_eq!(tainted(&host, &hidden).len(), 1);
    host.run("rm /var/log/probe");
    let mut killed = 0;
    for point in [4, 20, 36, 52] {
        for fault in [format!("kill:{point}"), format!("fail:{point}")] {
            let Some(wanted) = plan(&host, &second) else {
                continue;
            };
            let performed = perform(&host, &wanted, "r1", &fault);
            // What waits to be written is root's alone, and the next apply removes it.
            for (path, what) in tainted(&host, &hidden) {
                let waits = path.starts_with("/var/lib/murder/") && what == "itself";
                assert!(waits, "{fault}: {path}: {what}");
                killed += 1;
            }
            for text in
                performed
                    .log
                    .iter()
                    .map(String::as_str)
                    .chain([format!("{:?}", performed.ending).as_str()])
            {
                let shown = hidden
                    .iter()
                    .find(|(_, needle)| finds(text.as_bytes(), needle));
                assert_eq!(shown, None, "{fault}: {text}");
            }
            for state in [&second, &first] {
                if let Some(next) = plan(&host, state) {
                    let again = perform(&host, &next, "r2", "");
                    assert_eq!(again.ending, Ending::Done, "{fault}: {again:?}");
                }
                assert_eq!(tainted(&host, &hidden), BTreeMap::new(), "{fault}");
            }
        }
    }
    println!("{killed} files waited to be written");
}
