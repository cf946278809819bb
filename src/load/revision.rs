//! The git commit that a manifest was read from: for ledgers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::git::Git;

/// The git commit of the manifest's folder, with `-dirty` where git does not keep what the manifest was read from: a file
/// that git tracks in the folder is changed, one of the `files` that were read is new, or that cannot be found out;
/// empty where git keeps nothing of it, be there no repository or one that ignores the folder.
#[must_use]
pub fn revision(folder: &Path, files: &BTreeSet<PathBuf>) -> String {
    let git = Git::new(folder);
    let Some(commit) = git.text(&["rev-parse", "--verify", "HEAD"]) else {
        return String::new();
    };
    if git.says_something(&["ls-files", "--", "."]) != Some(true) {
        return String::new();
    }
    let status = [
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--ignore-submodules=dirty",
        "--",
        ".",
    ];
    let clean = git.without_filters();
    let changed = clean.and_then(|git| git.says_something(&status));
    match changed == Some(false) && reads_nothing_new(folder, files) {
        true => commit,
        false => commit + "-dirty",
    }
}

/// Whether git tracks all of these files that are in the folder and that it does not ignore. What else is there, such as the
/// output of a job, changes nothing.
fn reads_nothing_new(folder: &Path, files: &BTreeSet<PathBuf>) -> bool {
    let list = [
        "ls-files",
        "-z",
        "--others",
        "--exclude-standard",
        "--",
        ".",
    ];
    let Some(new) = Git::new(folder).text(&list) else {
        return false;
    };
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let read: BTreeSet<PathBuf> = files.iter().map(|path| real(path)).collect();
    let mut new = new.split('\0').filter(|path| !path.is_empty());
    // A link of the manifest's own is read by its name, and what it leads to by git.
    !new.any(|path| {
        let path = folder.join(path);
        files.contains(&path) || read.contains(&real(&path))
    })
}

/// How the commit of a folder relates to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ancestry {
    /// It is that commit, or descends from it.
    Descends,
    /// It does not descend from it.
    Apart,
    /// git does not know: the clone is shallow, or git keeps nothing of the folder.
    Unknown,
}

/// How the commit of the manifest's folder relates to `commit`, which is in hexadecimal digits.
#[must_use]
pub fn ancestry(folder: &Path, commit: &str) -> Ancestry {
    let git = Git::new(folder);
    let is_commit = commit.len() >= 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(shallow) = git.text(&["rev-parse", "--is-shallow-repository"]) else {
        return Ancestry::Unknown;
    };
    if !is_commit {
        return Ancestry::Unknown;
    }
    let base = git.text(&["merge-base", commit, "HEAD"]);
    match base {
        Some(base) if base == commit => Ancestry::Descends,
        // Without the whole history, a base that git does not find may exist.
        _ if shallow == "true" => Ancestry::Unknown,
        _ => Ancestry::Apart,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::process::Command;
    use std::time::Duration;

    use super::super::bounded::Bounds;
    use super::super::git::BOUNDS;
    use super::*;

    /// The revision of a manifest that was read from every YAML file of the folder.
    fn revision(folder: &Path) -> String {
        let entries = std::fs::read_dir(folder).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let files = paths.filter(|path| path.extension().is_some_and(|end| end == "yaml"));
        super::revision(folder, &files.collect())
    }

    fn git(folder: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .args(["-c", "user.name=Ops", "-c", "user.email=ops@example.org"])
            .arg("-C")
            .arg(folder)
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    #[test]
    fn the_revision_is_of_the_folder_that_the_manifest_stands_in() {
        let home = tempfile::tempdir().unwrap();
        let (root, site) = (home.path(), home.path().join("site"));
        std::fs::create_dir(&site).unwrap();
        std::fs::write(site.join("murder.yaml"), "version: 1\n").unwrap();
        assert_eq!(revision(&site), "", "no repository");
        git(root, &["init", "-q"]);
        assert_eq!(revision(&site), "", "no commit");
        std::fs::write(root.join("README"), "x\n").unwrap();
        git(root, &["add", "README"]);
        git(root, &["commit", "-qm", "without the manifest"]);
        assert_eq!(revision(&site), "", "git keeps nothing of the folder");
        git(root, &["add", "site"]);
        git(root, &["commit", "-qm", "with it"]);
        let commit = git(root, &["rev-parse", "HEAD"]);
        assert_eq!(revision(&site), commit);
        std::fs::write(root.join("README"), "y\n").unwrap();
        assert_eq!(
            revision(&site),
            commit,
            "changes of another folder do not count"
        );
        std::fs::write(site.join("hosts.yaml"), "hosts: {}\n").unwrap();
        assert_eq!(revision(&site), format!("{commit}-dirty"), "a new file");
        std::fs::remove_file(site.join("hosts.yaml")).unwrap();
        std::fs::write(site.join("plan.md"), "# plan\n").unwrap();
        std::fs::create_dir(site.join("reports")).unwrap();
        std::fs::write(site.join("reports/x.json"), "{}\n").unwrap();
        assert_eq!(revision(&site), commit, "new files that nothing reads");
        std::fs::write(site.join("murder.yaml"), "version: 2\n").unwrap();
        assert_eq!(revision(&site), format!("{commit}-dirty"), "a changed file");
        git(&site, &["commit", "-qam", "committed from within"]);
        assert_eq!(revision(&site), git(root, &["rev-parse", "HEAD"]));
    }

    #[test]
    fn an_older_commit_and_one_of_another_branch_are_apart() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path();
        let commit = |text: &str| {
            std::fs::write(root.join("murder.yaml"), text).unwrap();
            git(root, &["add", "."]);
            git(root, &["commit", "-qm", text]);
            git(root, &["rev-parse", "HEAD"])
        };
        assert_eq!(ancestry(root, &"0".repeat(40)), Ancestry::Unknown);
        git(root, &["init", "-q"]);
        let (first, second) = (commit("1"), commit("2"));
        assert_eq!(ancestry(root, &first), Ancestry::Descends);
        assert_eq!(ancestry(root, &second), Ancestry::Descends);
        git(root, &["checkout", "-q", &first]);
        assert_eq!(ancestry(root, &second), Ancestry::Apart);
        let third = commit("3");
        assert_eq!(ancestry(root, &second), Ancestry::Apart);
        assert_eq!(ancestry(root, &third), Ancestry::Descends);
        assert_eq!(ancestry(root, &"0".repeat(40)), Ancestry::Apart);
        for no_commit in ["", "HEAD", "--help"] {
            assert_eq!(ancestry(root, no_commit), Ancestry::Unknown, "{no_commit}");
        }
        let shallow = tempfile::tempdir().unwrap();
        let url = format!("file://{}", root.display());
        git(shallow.path(), &["clone", "-q", "--depth", "1", &url, "."]);
        assert_eq!(ancestry(shallow.path(), &first), Ancestry::Unknown);
    }

    #[test]
    fn a_folder_that_git_ignores_has_no_revision() {
        let home = tempfile::tempdir().unwrap();
        let site = home.path().join("site");
        std::fs::create_dir(&site).unwrap();
        std::fs::write(site.join("murder.yaml"), "version: 1\n").unwrap();
        std::fs::write(home.path().join(".gitignore"), "site/\n").unwrap();
        git(home.path(), &["init", "-q"]);
        git(home.path(), &["add", "."]);
        git(home.path(), &["commit", "-qm", "x"]);
        assert_eq!(revision(&site), "");
    }

    /// A program that leaves a mark when it runs.
    fn trap(home: &Path) -> (std::path::PathBuf, String) {
        use std::os::unix::fs::PermissionsExt as _;
        let (mark, trap) = (home.join("mark"), home.join("trap"));
        let script = format!("#!/bin/sh\ntouch {}\ncat\n", mark.display());
        std::fs::write(&trap, script).unwrap();
        std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o755)).unwrap();
        (mark, trap.display().to_string())
    }

    #[test]
    fn a_repository_inside_the_folder_runs_nothing() {
        let home = tempfile::tempdir().unwrap();
        let (mark, trap) = trap(home.path());
        let site = home.path().join("site");
        std::fs::create_dir_all(site.join("refs/heads")).unwrap();
        std::fs::create_dir(site.join("objects")).unwrap();
        std::fs::write(site.join("murder.yaml"), "version: 1\n").unwrap();
        std::fs::write(site.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        let config = format!(
            "[core]\nrepositoryformatversion = 0\nbare = false\nworktree = .\nfsmonitor = {trap}\n"
        );
        std::fs::write(site.join("config"), config).unwrap();
        git(&site, &["add", "murder.yaml"]);
        git(&site, &["commit", "-qm", "x"]);
        let _ = std::fs::remove_file(&mark);
        assert_eq!(revision(&site), "");
        assert!(!mark.exists(), "the program of the repository ran");
        git(&site, &["status"]);
        assert!(mark.exists(), "the trap does not work");
    }

    #[test]
    fn the_configuration_of_a_repository_runs_nothing() {
        let home = tempfile::tempdir().unwrap();
        let (mark, trap) = trap(home.path());
        let site = home.path().join("site");
        std::fs::create_dir(&site).unwrap();
        std::fs::write(site.join("murder.yaml"), "version: 1\n").unwrap();
        std::fs::write(site.join(".gitattributes"), "*.yaml filter=x diff=x\n").unwrap();
        git(&site, &["init", "-q"]);
        git(&site, &["add", "."]);
        git(&site, &["commit", "-qm", "x"]);
        let commit = git(&site, &["rev-parse", "HEAD"]);
        for (key, value) in [
            ("core.fsmonitor", &trap),
            ("core.pager", &trap),
            ("diff.external", &trap),
            ("diff.x.textconv", &trap),
            ("filter.x.clean", &trap),
            ("filter.x.process", &trap),
            ("filter.x.required", &"true".to_owned()),
            ("core.hooksPath", &home.path().display().to_string()),
        ] {
            git(&site, &["config", key, value]);
        }
        std::fs::copy(&trap, home.path().join("post-index-change")).unwrap();
        let _ = std::fs::remove_file(&mark);
        // The content must be compared: its size is the same, its time is not.
        std::fs::write(site.join("murder.yaml"), "version: 2\n").unwrap();
        assert_eq!(revision(&site), format!("{commit}-dirty"));
        std::fs::write(site.join("murder.yaml"), "version: 1\n").unwrap();
        assert_eq!(revision(&site), commit);
        assert!(!mark.exists(), "a program of the repository ran");
        let _ = Command::new("git")
            .arg("-C")
            .arg(&site)
            .arg("status")
            .output();
        assert!(mark.exists(), "the traps do not work");
    }

    #[test]
    fn a_filter_that_no_option_can_switch_off_does_not_run() {
        let home = tempfile::tempdir().unwrap();
        let (mark, trap) = trap(home.path());
        let site = home.path().join("site");
        std::fs::create_dir(&site).unwrap();
        std::fs::write(site.join("murder.yaml"), "version: 1\n").unwrap();
        std::fs::write(site.join(".gitattributes"), "*.yaml filter=a=b\n").unwrap();
        git(&site, &["init", "-q"]);
        git(&site, &["add", "."]);
        git(&site, &["commit", "-qm", "x"]);
        let commit = git(&site, &["rev-parse", "HEAD"]);
        let config = format!("[filter \"a=b\"]\n\tclean = {trap}\n");
        let place = site.join(".git/config");
        let before = std::fs::read_to_string(&place).unwrap();
        std::fs::write(&place, before + &config).unwrap();
        std::fs::write(site.join("murder.yaml"), "version: 2\n").unwrap();
        assert_eq!(revision(&site), format!("{commit}-dirty"));
        assert!(!mark.exists(), "the filter ran");
        git(&site, &["status"]);
        assert!(mark.exists(), "the trap does not work");
    }

    #[test]
    fn a_repository_that_git_never_ends_with_is_given_up() {
        let home = tempfile::tempdir().unwrap();
        let site = home.path();
        std::fs::write(site.join("murder.yaml"), "version: 1\n").unwrap();
        git(site, &["init", "-q"]);
        std::fs::remove_file(site.join(".git/HEAD")).unwrap();
        let made = Command::new("mkfifo").arg(site.join(".git/HEAD")).status();
        assert!(made.unwrap().success());
        let began = std::time::Instant::now();
        let short = Git {
            folder: site,
            settings: Vec::new(),
            bounds: Bounds {
                time: Duration::from_millis(500),
                ..BOUNDS
            },
        };
        assert_eq!(short.text(&["rev-parse", "HEAD"]), None);
        assert!(began.elapsed() < Duration::from_secs(20));
    }
}
