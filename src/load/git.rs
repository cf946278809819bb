//! git(1), asked about a repository that a stranger may have made.
//!
//! A repository can name programs that git runs as soon as it looks at a file: a monitor of the file system, hooks,
//! filters, helpers of a transport. The manifest's author must not run programs on this client, so none of them runs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::bounded::{self, Bounds, Printed};

/// What each call of git may use. A repository can be made so that git works on it for hours.
pub(super) const BOUNDS: Bounds = Bounds {
    time: Duration::from_secs(30),
    bytes: 1 << 20,
};

/// Settings that precede those of the repository (git-config(1)). With the first, git also passes over a repository
/// that lies in the working tree as ordinary files, with a configuration of its own.
const SETTINGS: [&str; 12] = [
    "safe.bareRepository=explicit",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.sshCommand=false",
    "diff.external=",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "protocol.file.allow=never",
    "protocol.ssh.allow=never",
    "protocol.http.allow=never",
    "protocol.https.allow=never",
];

/// git(1) in a folder, with settings that precede those of its repository.
pub(super) struct Git<'a> {
    pub(super) folder: &'a Path,
    pub(super) settings: Vec<String>,
    pub(super) bounds: Bounds,
}

impl<'a> Git<'a> {
    /// git in a folder, with the limits of a question about it.
    pub(super) fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            settings: SETTINGS.map(str::to_owned).to_vec(),
            bounds: BOUNDS,
        }
    }

    /// The output of a command; `None` where it fails, or has no end.
    pub(super) fn text(&self, arguments: &[&str]) -> Option<String> {
        match self.run(arguments)? {
            Printed::Whole(bytes) => Some(String::from_utf8_lossy(&bytes).trim().to_owned()),
            Printed::TooMuch => None,
        }
    }

    /// Whether a command prints anything; `None` where it fails.
    pub(super) fn says_something(&self, arguments: &[&str]) -> Option<bool> {
        match self.run(arguments)? {
            Printed::Whole(bytes) => Some(!bytes.is_empty()),
            Printed::TooMuch => Some(true),
        }
    }

    fn run(&self, arguments: &[&str]) -> Option<Printed> {
        self.run_with(arguments, b"")
    }

    /// Runs a command with `input` on its standard input.
    pub(super) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Option<Printed> {
        let mut command = Command::new("git");
        // Looking at a repository must not write into it, not even what it remembers of times.
        command.args(["--no-optional-locks", "--no-pager"]);
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.arg("-C").arg(self.folder).args(arguments);
        // A git hook sets these for its own repository, which need not be the manifest's (githooks(5)); others name
        // programs.
        let of_git = |name: &OsStr| name.as_bytes().starts_with(b"GIT_");
        for (name, _) in std::env::vars_os().filter(|(name, _)| of_git(name)) {
            command.env_remove(name);
        }
        command
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0");
        bounded::run(&mut command, input, self.bounds)
    }

    /// The same without the filters that the repository's own configuration names (gitattributes(5)). Those of the
    /// user's configuration stay, since the files are compared as they filter them. `None` where they are not all known.
    pub(super) fn without_filters(self) -> Option<Self> {
        let list = ["config", "--show-scope", "--name-only", "--list"];
        let keys = self.text(&list)?;
        let mut settings = self.settings;
        for line in keys.lines() {
            if let Some(("local" | "worktree", key)) = line.split_once('\t')
                && key.starts_with("filter.")
            {
                // `-c` splits at the first one, so the setting would be another.
                if key.contains('=') {
                    return None;
                }
                let value = if key.ends_with(".required") {
                    "false"
                } else {
                    ""
                };
                settings.push(format!("{key}={value}"));
            }
        }
        Some(Self { settings, ..self })
    }
}
