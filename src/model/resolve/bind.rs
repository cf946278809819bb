//! How hosts log in to the directory: with a password, by a SASL mechanism, with a certificate.

use crate::diagnostic::Diagnostic;
use crate::manifest::{Node, integer};
use crate::model::Sasl;
use crate::model::resolve::Resolver;
use crate::model::resolve::merged::Merged;

impl Resolver<'_> {
    /// The SASL bind, if there is one; says what the keys of a bind lack.
    pub(super) fn bind(&mut self, merged: &Merged<'_, '_>) -> Option<Sasl> {
        match merged.text("bind") {
            Some("sasl") => return self.sasl(merged),
            Some("none") => {
                self.unused(merged, "bind_dn", "leave it out, or write `bind: simple`");
                self.unused(merged, "bind_pw", "leave it out, or write `bind: simple`");
            }
            Some(_) if merged.get("bind_dn").is_none() && merged.get("bind_pw").is_none() => {
                if let Some((node, _)) = merged.get("bind") {
                    self.say(
                        Diagnostic::error("`bind: simple` needs `bind_dn` and `bind_pw`")
                            .at(node.span, "there is no name to bind as")
                            .hint("add both, or write `bind: none`"),
                    );
                }
            }
            _ => self.simple(merged),
        }
        self.unused(merged, "sasl", "leave it out, or write `bind: sasl`");
        None
    }

    /// Refuses a key that has no effect with the `bind` beside it. What a wider layer says for another bind is no mistake.
    fn unused(&mut self, merged: &Merged<'_, '_>, key: &str, hint: &str) {
        let Some((node, place)) = merged.get(key) else {
            return;
        };
        let problem = match merged.get("bind") {
            Some((_, of_bind)) if of_bind != place => return,
            Some((bind, _)) => {
                let word = bind.text().unwrap_or_default();
                Diagnostic::error(format!("`{key}` has no effect with `bind: {word}`"))
                    .at(node.span, "not used")
                    .related(bind.span, "how hosts log in")
            }
            None => Diagnostic::error(format!("`{key}` has no effect without `bind: sasl`"))
                .at(node.span, "not used"),
        };
        self.say(problem.hint(hint));
    }

    /// A name without a password is an anonymous bind (RFC 4513 §5.1.2); a password needs a name.
    fn simple(&mut self, merged: &Merged<'_, '_>) {
        let problem = match (merged.get("bind_dn"), merged.get("bind_pw")) {
            (Some((dn, _)), None) => Diagnostic::error("`bind_dn` needs `bind_pw`")
                .at(dn.span, "servers refuse a name without a password")
                .hint("add `bind_pw: {file: PATH}`, or leave both out for anonymous searches"),
            (None, Some((password, _))) => Diagnostic::error("`bind_pw` needs `bind_dn`")
                .at(password.span, "this password has no name to bind as")
                .hint("add `bind_dn`, or leave both out for anonymous searches"),
            _ => return,
        };
        self.say(problem);
    }

    /// A mechanism is needed: without one, the LDAP library takes the strongest that the server offers, and fails where
    /// that is one without credentials.
    fn sasl(&mut self, merged: &Merged<'_, '_>) -> Option<Sasl> {
        let (bind, _) = merged.get("bind")?;
        let node = merged.within("sasl", "mechanisms");
        let mechanisms: Vec<String> = node
            .map_or(&[][..], Node::list)
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect();
        if mechanisms.is_empty() {
            self.say(
                Diagnostic::error("`bind: sasl` needs a mechanism")
                    .at(node.map_or(bind.span, |node| node.span), "none is named")
                    .hint("add `sasl: {mechanisms: [GSSAPI]}`, or another mechanism of the server"),
            );
        }
        let user = merged.within("sasl", "user");
        let beside = merged
            .get("bind_dn")
            .filter(|(_, place)| merged.is_of("bind", place));
        if let (Some(user), Some((dn, _))) = (user, beside) {
            self.say(
                Diagnostic::error("`sasl.user` and `bind_dn` both say who logs in")
                    .at(user.span, "the user")
                    .related(dn.span, "the DN")
                    .hint("keep the one that the mechanism takes, mostly `sasl.user`"),
            );
        }
        if let Some((password, _)) = merged.get("bind_pw")
            && user.is_none()
            && merged.get("bind_dn").is_none()
        {
            self.say(
                Diagnostic::error("`bind_pw` needs `sasl.user`")
                    .at(password.span, "this password has no user")
                    .hint("add `user` to `sasl`, or leave the password out"),
            );
        }
        let text = |key: &str| {
            let node = merged.within("sasl", key)?;
            node.text().map(str::to_owned)
        };
        Some(Sasl {
            mechanisms,
            realm: text("realm"),
            authz_id: text("authz_id"),
            min_ssf: text("min_ssf")
                .and_then(|text| integer(&text))
                .and_then(|number| u32::try_from(number).ok()),
        })
    }

    /// A client's certificate and its key belong together (ldap_table(5) `tls_cert`, `tls_key`).
    pub(super) fn client_certificate(&mut self, merged: &Merged<'_, '_>) {
        let (cert, key) = (merged.tls("cert_file"), merged.tls("key_file"));
        let (node, has, lacks) = match (cert, key) {
            (Some(node), None) => (node, "cert_file", "key_file"),
            (None, Some(node)) => (node, "key_file", "cert_file"),
            _ => return,
        };
        self.say(
            Diagnostic::error(format!("`{has}` needs `{lacks}`"))
                .at(node.span, "a certificate is used with its key")
                .hint(format!("add `{lacks}`; it may be the same file")),
        );
    }
}
