//! Which files a manifest may manage: those of the services' folders and of aliases(5), and what the operator allows.
//! A manifest under review must not reach for the rest of a host, so it cannot give this word itself.

use crate::compile::Compiled;
use crate::diagnostic::{Diagnostic, Span};
use crate::glob::matches;
use crate::name::RemotePath;
use crate::service::Service;
use crate::state::{Desired, Want};
use crate::thing::Thing;

/// What the operator allows beyond the services' own folders.
#[derive(Debug, Clone, Default)]
pub struct PathPolicy {
    /// Patterns of whole paths, as `--allow-path` gives them; `*` also matches `/`.
    pub allow: Vec<String>,
}

/// Files that give power over the whole host, or hold what opens it: the begin of a path, or its end after a `*`.
const POWERFUL: &[(&str, &str)] = &[
    ("/etc/sudoers", "says who may become root"),
    ("/etc/doas.conf", "says who may become root"),
    ("/etc/polkit-1/", "says who may become root"),
    ("*/.ssh/authorized_keys", "says who may log in"),
    ("*/.ssh/authorized_keys2", "says who may log in"),
    ("*/.ssh/rc", "is run when a user logs in"),
    ("/etc/ssh/", "says who may log in"),
    ("/etc/cron", "says what root runs"),
    ("/var/spool/cron", "says what root runs"),
    ("/etc/systemd/", "says what root runs"),
    ("/lib/systemd/", "says what root runs"),
    ("/usr/lib/systemd/", "says what root runs"),
    ("/etc/anacrontab", "says what root runs"),
    ("/etc/apt/", "says what root runs"),
    ("/etc/logrotate", "says what root runs"),
    ("/etc/udev/", "says what root runs"),
    ("/etc/network/", "says what root runs"),
    ("/etc/default/", "says what root runs"),
    ("/etc/modprobe.d/", "says what root runs"),
    ("/etc/modules", "says which code the kernel loads"),
    ("/etc/update-motd.d/", "says what root runs"),
    ("/etc/init.d/", "says what root runs"),
    ("/etc/rc.local", "says what root runs"),
    ("/etc/profile", "is run when users log in"),
    ("/etc/bash", "is run when users log in"),
    ("/etc/environment", "is set when users log in"),
    ("/etc/nsswitch.conf", "says who is root"),
    ("/root/", "is root's own"),
    ("/etc/shadow", "holds the passwords of the users"),
    ("/etc/gshadow", "holds the passwords of the groups"),
    ("/etc/passwd", "says who is root"),
    ("/etc/group", "says who is in which group"),
    ("/etc/pam.d/", "says how users log in"),
    ("/etc/security/", "says how users log in"),
    ("/etc/ld.so", "says which code every program loads"),
    ("/usr/", "holds the programs of the host"),
    ("/bin/", "holds the programs of the host"),
    ("/sbin/", "holds the programs of the host"),
    ("/lib", "holds the code of the host"),
    ("/boot/", "starts the host"),
    ("/var/lib/murder/", "is the record of `murder` itself"),
    ("/proc/", "is the kernel's"),
    ("/sys/", "is the kernel's"),
    ("/dev/", "is the kernel's"),
];

impl PathPolicy {
    /// Adds to what compiling a host says: an error for each file that no flag allows, and a warning for each allowed
    /// one that gives power over the whole host.
    ///
    /// # Errors
    /// Those of `compiled`, and those errors.
    pub fn judge(
        &self,
        compiled: Result<Compiled, Vec<Diagnostic>>,
    ) -> Result<Compiled, Vec<Diagnostic>> {
        let mut compiled = compiled?;
        let at = |path: &RemotePath| {
            let origins = compiled.any_origins(&Thing::File(path.clone()));
            origins.and_then(|origins| Some(origins.first()?.at))
        };
        // A policy of the operator allows paths as the command line does.
        let allowed = Self {
            allow: [&self.allow[..], &compiled.allow_paths].concat(),
        };
        let warnings = allowed.judge_files(&compiled.desired, at)?;
        compiled.warnings.extend(warnings);
        Ok(compiled)
    }

    /// The warnings about allowed files that give power over the whole host; `at` says where a file is named.
    ///
    /// # Errors
    /// One for each file that no flag allows.
    pub fn judge_files(
        &self,
        desired: &Desired,
        at: impl Fn(&RemotePath) -> Option<Span>,
    ) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let files = desired.services.iter();
        let files =
            files.flat_map(|(service, one)| one.files.keys().map(move |path| (service, path)));
        for (service, path) in files {
            let powerful = powerful(path.as_str());
            let own = is_own(service, path.as_str()) || is_alias_table(desired, path);
            let mut patterns = self.allow.iter();
            if !own && !patterns.any(|pattern| matches(pattern, path.as_str())) {
                errors.push(refused(service, path, powerful, at(path)));
            } else if let Some(why) = powerful {
                let said = format!("`{path}` {why}: whoever writes the manifest decides that");
                warnings.push(placed(Diagnostic::warning(said), at(path)));
            }
        }
        if errors.is_empty() {
            Ok(warnings)
        } else {
            Err(errors)
        }
    }
}

fn refused(
    service: &Service,
    path: &RemotePath,
    powerful: Option<&str>,
    at: Option<Span>,
) -> Diagnostic {
    let folder = service.folder();
    let mut problem = Diagnostic::error(format!("`{path}` is outside of `{folder}`"));
    if let Some(why) = powerful {
        problem = problem.detail(format!("this file {why}"));
    }
    placed(problem, at).hint(format!(
        "if the manifest may manage it, say so on the command line: `--allow-path '{path}'`"
    ))
}

fn placed(problem: Diagnostic, at: Option<Span>) -> Diagnostic {
    match at {
        Some(at) => problem.at(at, "named here"),
        None => problem,
    }
}

/// Whether a path is in the folder of its service, or is the system's aliases(5).
fn is_own(service: &Service, path: &str) -> bool {
    let inside = path.strip_prefix(service.folder().as_str());
    inside.is_some_and(|rest| rest.starts_with('/')) || path == "/etc/aliases"
}

/// Whether `alias_maps` or `alias_database` names the file: `hash:/etc/mail/aliases`. Of a powerful file that says nothing.
fn is_alias_table(desired: &Desired, path: &RemotePath) -> bool {
    if powerful(path.as_str()).is_some() {
        return false;
    }
    desired.values().any(|(thing, want)| {
        let (Thing::Parameter(name), Want::Present(value)) = (thing, want) else {
            return false;
        };
        matches!(name.as_str(), "alias_maps" | "alias_database")
            && value
                .split([',', ' ', '\t', '\n'])
                .any(|table| table.rsplit_once(':').map_or(table, |(_, of)| of) == path.as_str())
    })
}

/// Why a file is powerful; none where it is like others.
fn powerful(path: &str) -> Option<&'static str> {
    let found = POWERFUL
        .iter()
        .find(|(begin, _)| match begin.strip_prefix('*') {
            Some(end) => path.ends_with(end),
            None => path.starts_with(begin),
        });
    found.map(|(_, why)| *why)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn power_over_a_host_is_known_by_its_path() {
        for path in [
            "/etc/sudoers",
            "/etc/sudoers.d/x",
            "/home/a/.ssh/authorized_keys",
            "/etc/cron.d/x",
            "/etc/crontab",
            "/etc/shadow",
            "/etc/ld.so.preload",
            "/usr/local/sbin/x",
        ] {
            assert!(powerful(path).is_some(), "{path}");
        }
        for path in ["/etc/postfix/x", "/etc/aliases", "/etc/mailname", "/srv/x"] {
            assert!(powerful(path).is_none(), "{path}");
        }
        let (default, other) = (Service::POSTFIX, "postfix-out".parse().unwrap());
        for (service, path, own) in [
            (&default, "/etc/postfix/x", true),
            (&default, "/etc/aliases", true),
            (&default, "/etc/postfix-out/x", false),
            (&default, "/etc/postfix", false),
            (&other, "/etc/postfix-out/x", true),
            (&other, "/etc/postfix/x", false),
            (&other, "/etc/postfix-outer/x", false),
        ] {
            assert_eq!(is_own(service, path), own, "{service} {path}");
        }
    }
}
