//! Where secrets come from.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::manifest::{Kind, Node};
use crate::model::resolve::Resolver;
use crate::secret::{Secret, SecretName, SecretSource};

impl Resolver<'_> {
    /// Takes note of the secret at `place` (`ldap.bind_pw`) and gives its name.
    pub(super) fn secret(&mut self, node: &Node, place: String) -> Option<SecretName> {
        let name = SecretName(place);
        // A site without a password of its own meets the murder's again.
        if self.secrets.contains_key(&name) {
            return Some(name);
        }
        let source = match &node.kind {
            Kind::Scalar { text, .. } if !node.is_null() => {
                self.say(
                    Diagnostic::warning(format!("the secret `{name}` is written in the manifest"))
                        .at(node.span, "everyone who can read the manifest can read it")
                        .hint("write `{file: PATH}` or `{env: NAME}`"),
                );
                SecretSource::Literal(Secret::new(text.clone()))
            }
            Kind::Map(_) => self.source(node)?,
            _ => return None,
        };
        self.secrets.insert(name.clone(), (source, node.span));
        Some(name)
    }
}

/// A path of this machine, relative ones from the manifest's folder; `~/` stays for the shell of
/// the program, which knows the home directory.
pub(super) fn local_path(folder: &Path, path: &str) -> PathBuf {
    if path.starts_with("~/") {
        PathBuf::from(path)
    } else {
        folder.join(path)
    }
}
