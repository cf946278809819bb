//! The git commit that a manifest was read from: for ledgers.

use std::path::Path;
use std::process::{Command, Stdio};

/// What a git hook sets for its own repository, which need not be the manifest's (githooks(5)).
const OF_HOOKS: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// The git commit of the manifest's folder, with `-dirty` where files in it are not committed;
/// empty where git keeps nothing of it, be there no repository or one that ignores the folder.
#[must_use]
pub fn revision(folder: &Path) -> String {
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        // Looking at a repository must not write into it, not even what it remembers of times.
        command.arg("--no-optional-locks").arg("-C").arg(folder);
        command.args(arguments).stdin(Stdio::null());
        for variable in OF_HOOKS {
            command.env_remove(variable);
        }
        let output = command.output().ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--verify", "HEAD"]) else {
        return String::new();
    };
    if git(&["ls-files", "--", "."]).is_none_or(|files| files.is_empty()) {
        return String::new();
    }
    match git(&["status", "--porcelain", "--", "."]) {
        Some(changes) if changes.is_empty() => commit,
        _ => commit + "-dirty",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

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
        assert_eq!(revision(&site), commit, "another folder is nobody's matter");
        std::fs::write(site.join("hosts.yaml"), "hosts: {}\n").unwrap();
        assert_eq!(revision(&site), format!("{commit}-dirty"), "a new file");
        std::fs::remove_file(site.join("hosts.yaml")).unwrap();
        std::fs::write(site.join("murder.yaml"), "version: 2\n").unwrap();
        assert_eq!(revision(&site), format!("{commit}-dirty"), "a changed file");
        git(&site, &["commit", "-qam", "committed from within"]);
        assert_eq!(revision(&site), git(root, &["rev-parse", "HEAD"]));
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
}
