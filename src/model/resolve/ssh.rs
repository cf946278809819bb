//! How a host is reached: the keys of `ssh:`, the nearest layer first.

use std::time::Duration;

use crate::access::{Access, Become, SshClient};
use crate::diagnostic::Diagnostic;
use crate::manifest::{Node, defaults, duration, integer};
use crate::model::resolve::Resolver;
use crate::model::resolve::secrets::local_path;
use crate::secret::SecretName;

/// What one layer says; each key by itself can be said by a nearer layer.
#[derive(Debug, Clone, Default)]
pub(super) struct SshLayer {
    client: Option<SshClient>,
    address: Option<String>,
    user: Option<String>,
    port: Option<u16>,
    jump: Option<String>,
    identity_file: Option<std::path::PathBuf>,
    passphrase: Option<SecretName>,
    password: Option<SecretName>,
    host_key: Option<String>,
    known_hosts: Option<std::path::PathBuf>,
    become_: Option<Become>,
    connect_timeout: Option<Duration>,
    command_timeout: Option<Duration>,
}

impl Resolver<'_> {
    /// Reads one `ssh:`; `place` is the path of the layer, for the names of its secrets.
    pub(super) fn ssh_layer(&mut self, node: &Node, place: &str) -> SshLayer {
        let text = |key: &str| node.get(key).and_then(Node::text).map(str::to_owned);
        let path = |key: &str| text(key).map(|path| local_path(self.context.folder, &path));
        let time = |key: &str| node.get(key).and_then(|node| duration(node.text()?));
        let mut layer = SshLayer {
            client: text("client").map(|word| client(&word)),
            address: text("address"),
            user: text("user"),
            port: text("port")
                .and_then(|port| integer(&port))
                .and_then(|port| u16::try_from(port).ok()),
            jump: text("jump"),
            identity_file: path("identity_file"),
            host_key: text("host_key"),
            known_hosts: path("known_hosts"),
            connect_timeout: time("connect_timeout"),
            command_timeout: time("command_timeout"),
            ..SshLayer::default()
        };
        for key in ["connect_timeout", "command_timeout"] {
            if let (Some(Duration::ZERO), Some(node)) = (time(key), node.get(key)) {
                self.say(
                    Diagnostic::error(format!("`{key}` is zero"))
                        .at(node.span, "no host could answer in time")
                        .hint("write a time such as `10s`, or leave it out"),
                );
            }
        }
        let mut secret = |key: &str| {
            let node = node.get(key)?;
            self.secret(node, format!("{place}.ssh.{key}"))
        };
        layer.passphrase = secret("passphrase");
        layer.password = secret("password");
        layer.become_ = node
            .get("become")
            .and_then(|node| self.become_root(node, place));
        layer
    }

    fn become_root(&mut self, node: &Node, place: &str) -> Option<Become> {
        let method = node.get("method")?.text()?;
        let password = node.entry("password");
        if let (Some(entry), "none" | "doas") = (password, method) {
            self.say(
                Diagnostic::error(format!("`{method}` takes no password"))
                    .at(entry.at, "doas(1) would never read it")
                    .hint(if method == "doas" {
                        "doas(1) asks on a terminal only: allow it `nopass` in doas.conf(5), or use sudo"
                    } else {
                        "use `method: sudo` for a password"
                    }),
            );
            return None;
        }
        match method {
            "none" => Some(Become::No),
            "doas" => Some(Become::Doas),
            "sudo" => {
                let password = password.and_then(|entry| {
                    self.secret(&entry.value, format!("{place}.ssh.become.password"))
                });
                Some(Become::Sudo(password))
            }
            _ => None,
        }
    }
}

fn client(word: &str) -> SshClient {
    match word {
        "openssh" => SshClient::OpenSsh,
        _ => SshClient::Ssh2,
    }
}

/// What all layers say together, the nearest first.
pub(super) fn merge(layers: &[&SshLayer]) -> Access {
    fn nearest<T: Clone>(layers: &[&SshLayer], get: impl Fn(&SshLayer) -> &Option<T>) -> Option<T> {
        layers.iter().find_map(|layer| get(layer).clone())
    }
    Access {
        client: nearest(layers, |layer| &layer.client)
            .unwrap_or_else(|| client(defaults::SSH_CLIENT)),
        address: nearest(layers, |layer| &layer.address),
        user: nearest(layers, |layer| &layer.user),
        port: nearest(layers, |layer| &layer.port),
        jump: nearest(layers, |layer| &layer.jump),
        identity_file: nearest(layers, |layer| &layer.identity_file),
        passphrase: nearest(layers, |layer| &layer.passphrase),
        password: nearest(layers, |layer| &layer.password),
        host_key: nearest(layers, |layer| &layer.host_key),
        known_hosts: nearest(layers, |layer| &layer.known_hosts),
        become_: nearest(layers, |layer| &layer.become_).unwrap_or(Become::No),
        connect_timeout: nearest(layers, |layer| &layer.connect_timeout)
            .unwrap_or(Duration::from_secs(defaults::CONNECT_TIMEOUT)),
        command_timeout: nearest(layers, |layer| &layer.command_timeout)
            .unwrap_or(Duration::from_secs(defaults::COMMAND_TIMEOUT)),
    }
}
