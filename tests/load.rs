//! Loading opens each file and folder once, and parses each text once: for a right manifest and for a wrong one.

use std::collections::BTreeMap;
use std::fs;
use std::mem::MaybeUninit;
use std::path::{Path, PathBuf};

use murder::diagnostic::SourceId;
use murder::load;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

const MANIFEST: &str = r#"
version: 1
requires: ">=0.1"
murder: example.org
domains: [example.org]
ldap: {uris: ["ldap://ldap.example.org"], base: "dc=example,dc=org"}
modules:
  frontend:
    files:
      /etc/postfix/x: {template: texts/x.tera}
"#;
const HOSTS: &str = r#"
hosts:
  smtp.example.org: {roles: [internal-mta], addresses: [192.0.2.1]}
  www.example.org: {roles: [frontend, archive], addresses: [192.0.2.2]}
"#;
const MODULE: &str = "
summary: Keeps a copy of everything.
after: [internal-mta]
settings: {always_bcc: archive@example.org}
files:
  /etc/postfix/archive: {template: archive.tera}
";

/// How often each path below `root` is opened while `work` is done.
fn opened(root: &Path, work: impl FnOnce()) -> BTreeMap<PathBuf, usize> {
    fn folders(folder: &Path, found: &mut Vec<PathBuf>) {
        found.push(folder.to_owned());
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders(&path, found);
            }
        }
    }
    let mut all = Vec::new();
    folders(root, &mut all);
    let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
    let mut paths = BTreeMap::new();
    for folder in all {
        let number = inotify::add_watch(&watch, &folder, WatchFlags::OPEN).unwrap();
        paths.insert(number, folder);
    }
    work();
    let mut counts = BTreeMap::new();
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = inotify::Reader::new(&watch, &mut buffer);
    // It ends where nothing more is there to read.
    while let Ok(event) = events.next() {
        let folder = &paths[&event.wd()];
        let path = match event.file_name() {
            // A folder in a folder has a watch of its own.
            Some(_) if event.events().contains(ReadFlags::ISDIR) => continue,
            Some(name) => folder.join(name.to_str().unwrap()),
            None => folder.clone(),
        };
        *counts.entry(path).or_default() += 1;
    }
    counts
}

/// Loads a folder with that text of `hosts.yaml`, and gives what was wrong.
fn load_once(hosts: &str, module: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("murder.yaml", MANIFEST);
    write("hosts.yaml", hosts);
    write("staging.yaml", "murder: staging\n");
    write("texts/x.tera", "x\n");
    write("modules/archive/module.yaml", module);
    write("modules/archive/templates/archive.tera", "archive\n");
    let overlay = root.join("staging.yaml");
    let mut loaded = None;
    let counts = opened(root, || {
        loaded = Some(load::load(root, std::slice::from_ref(&overlay)));
    });
    let loaded = loaded.unwrap();
    let files = [
        "",
        "hosts.yaml",
        "modules",
        "modules/archive",
        "modules/archive/module.yaml",
        "modules/archive/templates",
        "modules/archive/templates/archive.tera",
        "murder.yaml",
        "staging.yaml",
        "texts/x.tera",
    ];
    let once: BTreeMap<PathBuf, usize> = files
        .iter()
        .map(|name| (root.join(name).components().collect(), 1))
        .collect();
    assert_eq!(counts, once);
    let sources = (0..).map_while(|number| loaded.sources.get(SourceId(number)));
    let mut parsed: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        *parsed.entry(&source.name).or_default() += 1;
    }
    assert!(parsed.len() > 8, "{parsed:?}");
    assert!(parsed.values().all(|times| *times == 1), "{parsed:?}");
    let diagnostics = loaded.diagnostics.into_iter();
    diagnostics.map(|problem| problem.summary).collect()
}

#[test]
fn a_right_manifest_is_read_once() {
    assert_eq!(load_once(HOSTS, MODULE), Vec::<String>::new());
}

#[test]
fn a_wrong_manifest_is_read_once() {
    let hosts = HOSTS.replace("frontend, archive", "frontent, archive");
    assert_eq!(load_once(&hosts, MODULE), ["unknown role `frontent`"]);
}

#[test]
fn a_wrong_module_is_read_once() {
    let module = format!("{MODULE}setings: {{}}\n");
    assert_eq!(load_once(HOSTS, &module), ["unknown key `setings`"]);
}
