//! Secrets within a file's text: `{{ secret.NAME }}` in `content`, with `secrets` beside it.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Node;
use crate::model::resolve::Resolver;
use crate::nearest;
use crate::secret::Body;

/// The text before and after the name of a secret.
const OPEN: &str = "{{ secret.";
const CLOSE: &str = " }}";

impl Resolver<'_> {
    /// The text with a token for each secret that it names. Text without `secrets` beside it stays
    /// as it is: not every `{{` is ours.
    pub(super) fn place_secrets(
        &mut self,
        text: &str,
        at: Span,
        secrets: Option<&Node>,
        place: &str,
    ) -> String {
        let Some(node) = secrets else {
            if text.contains(OPEN) {
                self.say(
                    Diagnostic::error("the text uses a secret, but the file has no `secrets`")
                        .at(at, "used in this text")
                        .hint("write `secrets: {NAME: {file: PATH}}` beside `content`"),
                );
            }
            return text.to_owned();
        };
        let mut out = String::with_capacity(text.len());
        let mut used: BTreeSet<&str> = BTreeSet::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(OPEN) {
            let Some((name, tail)) = after.split_once(CLOSE) else {
                break;
            };
            out.push_str(before);
            match node.get(name) {
                Some(source) => {
                    used.insert(name);
                    if let Some(secret) = self.secret(source, format!("{place}.{name}")) {
                        out.push_str(&Body::token(&secret));
                    }
                }
                None => self.unknown_secret(name, at, node),
            }
            rest = tail;
        }
        out.push_str(rest);
        for entry in node.entries() {
            if !used.contains(entry.key.as_str()) {
                self.say(
                    Diagnostic::error(format!("the secret `{}` is not used", entry.key))
                        .at(entry.at, "`content` does not use it")
                        .hint(format!(
                            "write `{OPEN}{}{CLOSE}` in `content`, or remove it here",
                            entry.key
                        )),
                );
            }
        }
        out
    }

    fn unknown_secret(&mut self, name: &str, at: Span, node: &Node) {
        let problem =
            Diagnostic::error(format!("there is no secret `{name}`")).at(at, "used in this text");
        let known = node.entries().iter().map(|entry| entry.key.as_str());
        self.say(match nearest::hint(name, known) {
            Some(hint) => problem.hint(hint),
            None => problem,
        });
    }
}
