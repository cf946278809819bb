//! Where a secret comes from: the keys of its map as a [`SecretSource`].

use std::sync::Arc;
use std::time::Duration;

use super::secrets::local_path;
use crate::diagnostic::Diagnostic;
use crate::manifest::{Kind, Node, defaults, duration, integer};
use crate::model::resolve::Resolver;
use crate::secret::{
    AgeContent, AgeSource, CommandSource, LocalFile, SecretSource, SopsSource, VaultLogin,
    VaultServer, VaultSource,
};

/// How age's form for text begins (age(1) `--armor`).
const ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";

impl Resolver<'_> {
    /// The source that a map of one key names. Where the map is wrong, the grammar has said so, or this says it.
    pub(super) fn source(&mut self, node: &Node) -> Option<SecretSource> {
        let [entry] = node.entries() else {
            return None;
        };
        let value = &entry.value;
        let text = || value.text().map(str::to_owned);
        match entry.key.as_str() {
            "file" => self.local_file(value).map(SecretSource::File),
            "env" => text().map(SecretSource::Env),
            "credential" => text().map(SecretSource::Credential),
            "command" => self.command(value),
            "age" => self.age(value),
            "sops" => self.sops(value),
            "vault" => self.vault(value),
            _ => None,
        }
    }

    /// A path, or the variable that holds one.
    fn local_file(&self, node: &Node) -> Option<LocalFile> {
        match node.text() {
            Some(path) => Some(LocalFile::Path(local_path(self.context.folder, path))),
            None => Some(LocalFile::Variable {
                env: node.get("env")?.text()?.to_owned(),
            }),
        }
    }

    fn command(&mut self, node: &Node) -> Option<SecretSource> {
        let list = match &node.kind {
            Kind::List(_) => node,
            _ => node.get("argv")?,
        };
        let argv: Vec<String> = texts(list);
        if argv.is_empty() {
            self.say(
                Diagnostic::error("the command of a secret has no words")
                    .at(list.span, "this list is empty")
                    .hint("write the program and its arguments, as in `[pass, show, mail/ldap]`"),
            );
            return None;
        }
        let timeout = node.get("timeout").and_then(|node| duration(node.text()?));
        Some(SecretSource::Command(CommandSource {
            argv,
            timeout: timeout.unwrap_or(Duration::from_secs(defaults::SECRET_COMMAND_TIMEOUT)),
        }))
    }

    fn age(&mut self, node: &Node) -> Option<SecretSource> {
        let path = |node: &Node| {
            let path = local_path(self.context.folder, node.text()?);
            Some(AgeContent::File(path))
        };
        let content = match (node.text(), node.get("file"), node.get("text")) {
            (Some(_), ..) => path(node)?,
            (None, Some(file), None) => path(file)?,
            (None, None, Some(text)) => self.age_text(text)?,
            _ => {
                self.say(
                    Diagnostic::error("`age` takes either `file` or `text`")
                        .at(node.span, "here")
                        .hint("write `age: PATH`, or `age: {text: …}` with the armored text"),
                );
                return None;
            }
        };
        let common = self.root.get("secret_sources");
        let common = common.and_then(|common| common.get("age")?.get("identities"));
        let identities = node.get("identities").or(common);
        Some(SecretSource::Age(AgeSource {
            content,
            identities: identities
                .map_or(&[][..], Node::list)
                .iter()
                .filter_map(|node| self.local_file(node))
                .collect(),
        }))
    }

    fn age_text(&mut self, node: &Node) -> Option<AgeContent> {
        let text = node.text()?;
        if !text.trim_start().starts_with(ARMOR) {
            self.say(
                Diagnostic::error("the text of `age` is not in age's form for text")
                    .at(node.span, format!("it does not begin with `{ARMOR}`"))
                    .hint("encrypt it by `age --armor`, and write the whole text below `|`"),
            );
            return None;
        }
        Some(AgeContent::Text(text.to_owned()))
    }

    fn sops(&self, node: &Node) -> Option<SecretSource> {
        let key = node.get("key")?;
        Some(SecretSource::Sops(SopsSource {
            file: local_path(self.context.folder, node.get("file")?.text()?),
            key: match key.text() {
                Some(text) => text.split('.').map(str::to_owned).collect(),
                None => texts(key),
            },
        }))
    }

    fn vault(&mut self, node: &Node) -> Option<SecretSource> {
        let common = self.root.get("secret_sources");
        let common = common.and_then(|common| common.get("vault"));
        let mount = node
            .get("mount")
            .or_else(|| common.and_then(|common| common.get("mount")));
        Some(SecretSource::Vault(VaultSource {
            server: Arc::new(self.vault_server(common)?),
            mount: mount
                .and_then(Node::text)
                .unwrap_or(defaults::VAULT_MOUNT)
                .to_owned(),
            path: node.get("path")?.text()?.to_owned(),
            key: node.get("key")?.text()?.to_owned(),
            version: node
                .get("version")
                .and_then(|version| integer(version.text()?)),
        }))
    }

    fn vault_server(&mut self, node: Option<&Node>) -> Option<VaultServer> {
        let text = |key: &str| Some(node?.get(key)?.text()?.to_owned());
        Some(VaultServer {
            address: text("address").map(|address| address.trim_end_matches('/').to_owned()),
            namespace: text("namespace"),
            ca_file: node
                .and_then(|node| node.get("ca_file"))
                .and_then(|node| self.local_file(node)),
            login: self.vault_login(node)?,
        })
    }

    fn vault_login(&mut self, node: Option<&Node>) -> Option<VaultLogin> {
        let entries = node.map_or(&[][..], Node::entries).iter();
        let mut logins =
            entries.filter(|entry| matches!(entry.key.as_str(), "token" | "approle" | "jwt"));
        let Some(entry) = logins.next() else {
            return Some(VaultLogin::Environment);
        };
        if let Some(second) = logins.next() {
            self.say(
                Diagnostic::error("`vault` has two ways to log in")
                    .at(entry.at, "one")
                    .related(second.at, "the other")
                    .hint("keep one of `token`, `approle` and `jwt`"),
            );
            return None;
        }
        let value = &entry.value;
        let mount = |default: &str| {
            let given = value.get("mount").and_then(Node::text);
            given.unwrap_or(default).to_owned()
        };
        match entry.key.as_str() {
            "token" => Some(VaultLogin::Token(Box::new(self.way_in(value)?))),
            "approle" => Some(VaultLogin::AppRole {
                mount: mount(defaults::APPROLE_MOUNT),
                role_id: value.get("role_id")?.text()?.to_owned(),
                secret_id: Box::new(self.way_in(value.get("secret_id")?)?),
            }),
            _ => Some(VaultLogin::Jwt {
                mount: mount(defaults::JWT_MOUNT),
                role: value.get("role")?.text()?.to_owned(),
                token: Box::new(self.way_in(value.get("token")?)?),
            }),
        }
    }

    /// The source of what opens Vault.
    fn way_in(&mut self, node: &Node) -> Option<SecretSource> {
        if node.entries().len() != 1 && matches!(node.kind, Kind::Map(_)) {
            self.say(
                Diagnostic::error("a way into Vault takes exactly one source")
                    .at(node.span, format!("this has {}", node.entries().len()))
                    .hint("write one of `file`, `env`, `credential`"),
            );
        }
        self.source(node)
    }
}

fn texts(list: &Node) -> Vec<String> {
    let texts = list.list().iter().filter_map(Node::text);
    texts.map(str::to_owned).collect()
}
