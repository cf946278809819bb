//! The addresses that a saved plan names and that this client does not know: a stranger may have written them.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::name::HostName;
use crate::plan::saved::{SavedAccess, SavedPlan};
use crate::secret::{SecretName, SecretSource, VaultLogin};
use crate::transport::known_hosts::KnownHosts;
use crate::transport::ssh_config::Environment;

/// What to do with a plan that names what this client does not know.
const VERIFY: &str = "verify who made the plan with `--require-signature`, or say `--trust-plan`";

/// An error for each address that a plan would connect to and that neither the user's ssh configuration nor known_hosts has.
#[must_use]
pub fn unknown_addresses(plan: &SavedPlan, hosts: &[HostName]) -> Vec<Diagnostic> {
    let known = Known::of(&Environment::of_process());
    let mut problems = Vec::new();
    for name in hosts {
        let Some(host) = plan
            .body
            .hosts
            .get(name)
            .filter(|host| host.changes().is_some())
        else {
            continue;
        };
        for (address, port) in endpoints(name, &host.access) {
            if !known.has(&address, port) {
                problems.push(
                    Diagnostic::error(format!(
                        "the plan connects to `{address}` for {name}, and neither your ssh configuration nor known_hosts \
                         has this address"
                    ))
                    .hint(VERIFY),
                );
            }
        }
    }
    problems
}

/// An error for a source that would run a program, or ask a server of the plan's own.
#[must_use]
pub fn untrusted_source(name: &SecretName, source: &SecretSource) -> Option<Diagnostic> {
    let does = match source {
        SecretSource::Command(_) => "runs a program",
        SecretSource::Vault(vault) => {
            let inner = match &vault.server.login {
                VaultLogin::Environment => None,
                VaultLogin::Token(inner)
                | VaultLogin::AppRole {
                    secret_id: inner, ..
                }
                | VaultLogin::Jwt { token: inner, .. } => untrusted_source(name, inner),
            };
            if inner.is_some() || vault.server.address.is_none() {
                return inner;
            }
            "sends a login to a server that the plan names"
        }
        SecretSource::File(_)
        | SecretSource::Env(_)
        | SecretSource::Credential(_)
        | SecretSource::Age(_)
        | SecretSource::Sops(_)
        | SecretSource::Literal(_) => return None,
    };
    let problem = Diagnostic::error(format!(
        "reading the secret `{name}` {does}, and the plan has no verified signature"
    ));
    Some(problem.hint(VERIFY))
}

/// The addresses and ports of a host and of its jump hosts.
fn endpoints(name: &HostName, access: &SavedAccess) -> Vec<(String, u16)> {
    let address = access.address.clone().unwrap_or_else(|| name.to_string());
    let mut endpoints = vec![(address, access.port.unwrap_or(22))];
    for jump in access.jump.iter().flat_map(|jumps| jumps.split(',')) {
        let place = jump.rsplit_once('@').map_or(jump, |(_, place)| place);
        let place = place.strip_prefix("ssh://").unwrap_or(place);
        let (host, port) = match place.rsplit_once(':') {
            // `::1` has no port, `[::1]:22` has one.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().unwrap_or(22))
            }
            _ => (place, 22),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if !host.is_empty() && host != "none" {
            endpoints.push((host.to_owned(), port));
        }
    }
    endpoints
}

/// What this client knows of addresses.
struct Known {
    hosts: Option<KnownHosts>,
    /// The texts of ssh_config(5).
    configurations: Vec<String>,
}

impl Known {
    fn of(environment: &Environment) -> Self {
        let ssh = environment.home.join(".ssh");
        let files: Vec<PathBuf> = [
            ssh.join("known_hosts"),
            ssh.join("known_hosts2"),
            "/etc/ssh/ssh_known_hosts".into(),
            "/etc/ssh/ssh_known_hosts2".into(),
        ]
        .into_iter()
        .filter(|file| file.exists())
        .collect();
        let configurations = [ssh.join("config"), Path::new("/etc/ssh/ssh_config").into()];
        Self {
            hosts: KnownHosts::load(&files).ok(),
            configurations: configurations
                .iter()
                .filter_map(|file| std::fs::read_to_string(file).ok())
                .collect(),
        }
    }

    fn has(&self, address: &str, port: u16) -> bool {
        let hosts = self.hosts.as_ref();
        hosts.is_some_and(|hosts| !hosts.kinds(address, port).is_empty())
            || self.configurations.iter().any(|text| names(text, address))
    }
}

/// Whether a text of ssh_config(5) names an address in a `Host` or `HostName` line, as it is.
fn names(text: &str, address: &str) -> bool {
    text.lines().any(|line| {
        let mut words = line
            .split([' ', '\t', '=', '"'])
            .filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default().to_ascii_lowercase();
        matches!(keyword.as_str(), "host" | "hostname")
            && words.any(|word| word.eq_ignore_ascii_case(address))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_no_address() {
        let text = "Host *\n User root\nhost=mx1 mx2.example.org\n\tHostName 192.0.2.7\n# Host c\n";
        for (address, named) in [
            ("mx1", true),
            ("mx2.example.org", true),
            ("192.0.2.7", true),
            ("c", false),
            ("root", false),
            ("*x", false),
        ] {
            assert_eq!(names(text, address), named, "{address}");
        }
    }
}
