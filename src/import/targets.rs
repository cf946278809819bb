//! Which hosts an import reads, and how it logs in: names, ranges and patterns of the command line, and inventories of Ansible.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::access::{Access, Become, SshClient};
use crate::glob;
use crate::manifest::{defaults, range};
use crate::name::HostName;

/// How hosts are logged in to, as far as `~/.ssh/config` does not say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// What is connected to, if it is not the host's name.
    pub address: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// How root is become.
    pub become_: Become,
}

impl Login {
    /// By the host's name as root, as far as `~/.ssh/config` does not say otherwise.
    pub const PLAIN: Self = Self {
        address: None,
        user: None,
        port: None,
        become_: Become::No,
    };

    /// The access to a host.
    #[must_use]
    pub fn access(&self) -> Access {
        Access {
            client: SshClient::Ssh2,
            address: self.address.clone(),
            user: self.user.clone(),
            port: self.port,
            jump: None,
            identity_file: None,
            passphrase: None,
            password: None,
            host_key: None,
            known_hosts: None,
            become_: self.become_.clone(),
            connect_timeout: Duration::from_secs(defaults::CONNECT_TIMEOUT),
            command_timeout: Duration::from_secs(defaults::COMMAND_TIMEOUT),
        }
    }

    /// The keys of `ssh` that a manifest needs beside those of `wide`.
    #[must_use]
    pub fn keys(&self, wide: &Self) -> Vec<(String, String)> {
        let mut keys = Vec::new();
        let mut add = |key: &str, value: Option<String>, known: bool| {
            if let Some(value) = value.filter(|_| !known) {
                keys.push((key.to_owned(), value));
            }
        };
        add("address", self.address.clone(), false);
        add(
            "port",
            self.port.map(|port| port.to_string()),
            self.port == wide.port,
        );
        add("user", self.user.clone(), self.user == wide.user);
        let method = match self.become_ {
            Become::No => None,
            Become::Sudo(_) => Some("sudo".to_owned()),
            Become::Doas => Some("doas".to_owned()),
        };
        add("become.method", method, self.become_ == wide.become_);
        keys
    }
}

/// The hosts of an import with how each is reached.
pub type Targets = BTreeMap<HostName, Login>;

/// The hosts that words of the command line mean. A pattern (`*`, `?`) is one of `known` names.
///
/// # Errors
/// What is wrong with a word.
pub fn of_words(words: &[String], known: &[String], login: &Login) -> Result<Targets, String> {
    let mut found = Targets::new();
    for word in words {
        let names = if word.contains(['*', '?']) {
            matching(word, known)?
        } else if range::is_range(word) {
            range::expand(word).map_err(|why| format!("`{word}` is no range of hosts: {why}"))?
        } else {
            let name = HostName::new(word.as_str());
            vec![name.map_err(|error| format!("`{word}` is no host: {}", error.why))?]
        };
        for name in names {
            found.insert(name, login.clone());
        }
    }
    Ok(found)
}

fn matching(pattern: &str, known: &[String]) -> Result<Vec<HostName>, String> {
    let names = known.iter().filter(|name| glob::matches(pattern, name));
    let names: BTreeSet<HostName> = names
        .filter_map(|name| HostName::new(name.as_str()).ok())
        .collect();
    match names.is_empty() {
        true => Err(format!("no host matches `{pattern}`")),
        false => Ok(names.into_iter().collect()),
    }
}

/// The hosts of an Ansible inventory, in its INI or YAML form.
///
/// # Errors
/// What is wrong with it.
pub fn of_inventory(text: &str, login: &Login) -> Result<Targets, String> {
    let first = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    let is_yaml =
        first.is_some_and(|line| line == "---" || (line.ends_with(':') && !line.starts_with('[')));
    let mut found = Targets::new();
    match is_yaml {
        true => {
            let tree: serde_yaml::Value =
                serde_yaml::from_str(text).map_err(|error| format!("it is no YAML: {error}"))?;
            of_group(&tree, login, &mut found)?;
        }
        false => of_lines(text, login, &mut found)?,
    }
    match found.is_empty() {
        true => Err("it has no hosts".to_owned()),
        false => Ok(found),
    }
}

/// `[group]`, and below it a host on each line with variables behind it.
fn of_lines(text: &str, login: &Login, found: &mut Targets) -> Result<(), String> {
    let mut lists_hosts = true;
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            lists_hosts = !section.contains(':');
            continue;
        }
        if !lists_hosts {
            continue;
        }
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else {
            continue;
        };
        let variables = words.filter_map(|word| word.split_once('='));
        let variables = variables
            .map(|(key, value)| (key.to_owned(), value.trim_matches(['"', '\'']).to_owned()));
        add(name, variables.collect(), login, found)?;
    }
    Ok(())
}

/// Every map under a key `hosts`, wherever groups and `children` have it.
fn of_group(tree: &serde_yaml::Value, login: &Login, found: &mut Targets) -> Result<(), String> {
    let Some(map) = tree.as_mapping() else {
        return Ok(());
    };
    for (key, value) in map {
        if key.as_str() != Some("hosts") {
            of_group(value, login, found)?;
            continue;
        }
        for (name, variables) in value.as_mapping().into_iter().flatten() {
            let Some(name) = name.as_str() else {
                continue;
            };
            let variables = variables.as_mapping().into_iter().flatten();
            let variables = variables
                .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), scalar(value)?)));
            add(name, variables.collect(), login, found)?;
        }
    }
    Ok(())
}

fn scalar(value: &serde_yaml::Value) -> Option<String> {
    match value {
        serde_yaml::Value::String(text) => Some(text.clone()),
        serde_yaml::Value::Number(number) => Some(number.to_string()),
        serde_yaml::Value::Bool(word) => Some(word.to_string()),
        _ => None,
    }
}

fn add(
    name: &str,
    variables: BTreeMap<String, String>,
    login: &Login,
    found: &mut Targets,
) -> Result<(), String> {
    let names = match range::is_range(name) {
        true => range::expand(name),
        false => HostName::new(name)
            .map(|name| vec![name])
            .map_err(|error| error.why.to_owned()),
    };
    let names = names.map_err(|why| format!("`{name}` is no host: {why}"))?;
    let get = |keys: [&str; 2]| keys.iter().find_map(|key| variables.get(*key)).cloned();
    let becomes = get(["ansible_become", "ansible_sudo"]).is_some_and(|word| {
        ["true", "yes", "1"]
            .iter()
            .any(|yes| word.eq_ignore_ascii_case(yes))
    });
    let by_doas = get(["ansible_become_method", ""]).is_some_and(|word| word == "doas");
    for name in names {
        let address =
            get(["ansible_host", "ansible_ssh_host"]).filter(|text| *text != name.as_str());
        let known = found.entry(name).or_insert_with(|| login.clone());
        known.address = address.or(known.address.take());
        known.user = get(["ansible_user", "ansible_ssh_user"]).or(known.user.take());
        known.port = get(["ansible_port", "ansible_ssh_port"])
            .and_then(|port| port.parse().ok())
            .or(known.port);
        if becomes {
            known.become_ = match by_doas {
                true => Become::Doas,
                false => Become::Sudo(None),
            };
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn names(targets: &Targets) -> Vec<&str> {
        targets.keys().map(HostName::as_str).collect()
    }

    #[test]
    fn an_inventory_is_read_in_both_forms() {
        let ini = "smtp.example.org ansible_host=192.0.2.5\n\n[backends]\nbackend[1:2].example.org ansible_user=admin ansible_become=true\n\
                   [backends:vars]\nansible_port=22\n[all:children]\nbackends\n";
        let yaml = "---\nall:\n  hosts:\n    smtp.example.org: {ansible_host: 192.0.2.5}\n  children:\n    backends:\n      hosts:\n        \
                    backend1.example.org: {ansible_user: admin, ansible_become: true}\n        backend2.example.org:\n          \
                    ansible_user: admin\n          ansible_become: yes\n";
        for text in [ini, yaml] {
            let found = of_inventory(text, &Login::PLAIN).unwrap();
            assert_eq!(
                names(&found),
                [
                    "backend1.example.org",
                    "backend2.example.org",
                    "smtp.example.org"
                ]
            );
            let keys: Vec<_> = found
                .values()
                .map(|login| login.keys(&Login::PLAIN))
                .collect();
            let admin = [("user", "admin"), ("become.method", "sudo")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()));
            assert_eq!(keys[0], admin, "{text}");
            assert_eq!(keys[1], admin, "{text}");
            assert_eq!(keys[2], [("address".to_owned(), "192.0.2.5".to_owned())]);
        }
        assert!(of_inventory("[backends]\n", &Login::PLAIN).is_err());
        assert!(of_inventory("---\na: [\n", &Login::PLAIN).is_err());
        assert!(of_inventory("-x y\n", &Login::PLAIN).is_err());
    }

    #[test]
    fn words_are_names_ranges_and_patterns() {
        let known = ["backend1", "backend2", "smtp"].map(str::to_owned);
        let of = |word: &str| of_words(&[word.to_owned()], &known, &Login::PLAIN);
        assert_eq!(names(&of("backend*").unwrap()), ["backend1", "backend2"]);
        assert_eq!(names(&of("mx[1:2].example.org").unwrap()).len(), 2);
        assert_eq!(names(&of("192.0.2.5").unwrap()), ["192.0.2.5"]);
        assert_eq!(of("mx*").unwrap_err(), "no host matches `mx*`");
        assert!(of("a b").is_err());
    }
}
