//! Links that stay are followed, and those that leave are refused, by the kernel's way and by our own.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rustix::fs::OFlags;

use super::*;

/// A folder `in` with files and links, beside a file `secret` that is outside.
fn world() -> (tempfile::TempDir, RootFolder) {
    let home = tempfile::tempdir().unwrap();
    let inside = home.path().join("in");
    fs::create_dir_all(inside.join("a/b")).unwrap();
    fs::write(home.path().join("secret"), "hunter2").unwrap();
    fs::write(inside.join("a/b/file"), "fine").unwrap();
    // As a ConfigMap is mounted: `file` leads over `..data`, which leads to the folder of a version.
    symlink("a", inside.join("..data")).unwrap();
    symlink("..data/b/file", inside.join("file")).unwrap();
    symlink("../b/../../file", inside.join("a/b/round")).unwrap();
    symlink(inside.join("a/b/file"), inside.join("absolute")).unwrap();
    symlink("/etc/passwd", inside.join("passwd")).unwrap();
    symlink("../secret", inside.join("up")).unwrap();
    symlink("..", inside.join("parent")).unwrap();
    symlink("loop", inside.join("loop")).unwrap();
    symlink("/proc/self/root/etc/passwd", inside.join("magic")).unwrap();
    symlink("/proc/self/environ", inside.join("environ")).unwrap();
    let root = RootFolder::open(&inside).unwrap();
    (home, root)
}

/// Both ways to open a path: as the program does, and component by component alone.
fn both(root: &RootFolder, path: &str) -> [io::Result<Vec<u8>>; 2] {
    let walked = root
        .open_by_walking(Path::new(path), OFlags::RDONLY)
        .and_then(|file| read_at_most(File::from(file), 100));
    [root.read(Path::new(path), 100), walked]
}

#[test]
fn links_that_stay_inside_are_followed() {
    let (_home, root) = world();
    for path in [
        "a/b/file",
        "a/../a/./b/file",
        "file",
        "a/b/round",
        "absolute",
    ] {
        for read in both(&root, path) {
            assert_eq!(read.unwrap(), b"fine", "{path}");
        }
    }
}

#[test]
fn nothing_outside_is_read() {
    let (home, root) = world();
    let names = [
        "passwd",
        "up",
        "../secret",
        "a/../../secret",
        "parent/secret",
        "magic",
        "environ",
        "loop",
        "parent/in/file",
    ];
    for path in names {
        for read in both(&root, path) {
            assert!(read.is_err(), "{path}");
        }
        let written = root.write(Path::new(path), b"x", WriteOptions::default());
        assert!(written.is_err(), "{path}");
    }
    for folder in ["parent", "..", "magic/..", "a/../.."] {
        assert!(root.list(Path::new(folder)).is_err(), "{folder}");
        assert!(root.beneath(Path::new(folder)).is_err(), "{folder}");
        assert!(root.create_folders(&Path::new(folder).join("new")).is_err());
        assert!(root.remove(&Path::new(folder).join("secret")).is_err());
    }
    let kept = fs::read(home.path().join("secret")).unwrap();
    assert_eq!(kept, b"hunter2");
    assert!(!home.path().join("new").exists());
    let error = root.read(Path::new("up"), 100).unwrap_err().to_string();
    assert!(error.starts_with("it leads out of the folder `"), "{error}");
}

#[test]
fn only_regular_files_are_read_and_only_so_much() {
    let (home, root) = world();
    let inside = home.path().join("in");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        inside.join("pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).unwrap();
    for path in ["pipe", "socket", "a", ""] {
        let error = root.read(Path::new(path), 100).unwrap_err().to_string();
        assert!(error.contains("not a regular file"), "{path}: {error}");
    }
    let error = root.read(Path::new("file"), 3).unwrap_err().to_string();
    assert!(error.contains("more than 3 bytes"), "{error}");
    assert_eq!(root.read(Path::new("file"), 4).unwrap(), b"fine");
}

#[test]
fn a_write_goes_through_a_link_that_stays() {
    let (home, root) = world();
    let inside = home.path().join("in");
    let options = WriteOptions {
        mode: Some(0o640),
        modified: None,
    };
    root.write(Path::new("/absolute"), b"new", options).unwrap();
    assert!(
        fs::symlink_metadata(inside.join("absolute"))
            .unwrap()
            .is_symlink()
    );
    assert_eq!(fs::read(inside.join("a/b/file")).unwrap(), b"new");
    let mode = fs::metadata(inside.join("a/b/file"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    root.write(Path::new("c/d/e"), b"new", options).unwrap();
    assert_eq!(fs::read(inside.join("c/d/e")).unwrap(), b"new");
    root.create_folders(Path::new("c/x/y")).unwrap();
    assert!(inside.join("c/x/y").is_dir());
    root.create_folders(Path::new("")).unwrap();
    assert_eq!(root.list(Path::new("c")).unwrap(), ["d", "x"]);
    root.remove(Path::new("absolute")).unwrap();
    root.remove(Path::new("absolute")).unwrap();
    assert!(
        inside.join("a/b/file").exists(),
        "the link goes, not its target"
    );
    root.rename(Path::new("c/d/e"), Path::new("file")).unwrap();
    assert!(
        fs::symlink_metadata(inside.join("file"))
            .unwrap()
            .is_symlink()
    );
    root.remove_folder(Path::new("c/d")).unwrap();
    assert!(!inside.join("c/d").exists());
    assert_eq!(
        root.link(Path::new("file")).unwrap(),
        Path::new("..data/b/file")
    );
}
