//! The LDAP directory: the murder's, and a site's laid over it key by key.

use std::time::Duration;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Node, defaults, duration, switch};
use crate::model::resolve::Resolver;
use crate::model::{Ldap, Tls, TlsMode};

/// One key as the nearest of several `ldap:` says it, with the path of that `ldap:`.
struct Merged<'n, 'p>(&'n [(&'n Node, &'p str)]);

impl<'n, 'p> Merged<'n, 'p> {
    fn get(&self, key: &str) -> Option<(&'n Node, &'p str)> {
        self.0
            .iter()
            .find_map(|(node, place)| Some((node.get(key)?, *place)))
    }

    /// `tls` is merged key by key as well.
    fn tls(&self, key: &str) -> Option<&'n Node> {
        self.0
            .iter()
            .find_map(|(node, _)| node.get("tls")?.get(key))
    }

    fn text(&self, key: &str) -> Option<&'n str> {
        self.get(key).and_then(|(node, _)| node.text())
    }
}

impl Resolver<'_> {
    /// The murder's own directory.
    pub(super) fn murder_ldap(&mut self) -> Option<Ldap> {
        let own = self.root.entry("ldap")?;
        self.ldap(&[(&own.value, "ldap")], own.at)
    }

    /// A site's directory: what it says itself, over what the murder says.
    pub(super) fn site_ldap(&mut self, site: &str, node: &Node, at: Span) -> Option<Ldap> {
        let place = format!("sites.{site}.ldap");
        let mut nodes = vec![(node, place.as_str())];
        nodes.extend(self.root.get("ldap").map(|node| (node, "ldap")));
        self.ldap(&nodes, at)
    }

    fn ldap(&mut self, nodes: &[(&Node, &str)], at: Span) -> Option<Ldap> {
        let merged = Merged(nodes);
        let uris: Vec<String> = merged
            .get("uris")
            .map_or(&[][..], |(node, _)| node.list())
            .iter()
            .filter_map(|node| node.text().map(str::to_owned))
            .collect();
        for (key, missing) in [
            ("uris", uris.is_empty()),
            ("base", merged.get("base").is_none()),
        ] {
            if missing {
                self.say(
                    Diagnostic::error(format!("`ldap` lacks `{key}`"))
                        .at(merged.get(key).map_or(at, |(node, _)| node.span), "here")
                        .hint("set at least `uris` and `base`"),
                );
            }
        }
        let timeout = self.ldap_timeout(&merged);
        self.bind(&merged);
        let bind_pw = merged
            .get("bind_pw")
            .and_then(|(node, place)| self.secret(node, format!("{place}.bind_pw")));
        let mode = self.tls_mode(&merged, &uris);
        self.in_clear(&merged, &uris, mode);
        Some(Ldap {
            base: merged.text("base")?.to_owned(),
            scope: merged
                .text("scope")
                .unwrap_or(defaults::LDAP_SCOPE)
                .to_owned(),
            bind_dn: merged.text("bind_dn").map(str::to_owned),
            bind_pw,
            tls: Tls {
                mode,
                ca_file: merged
                    .tls("ca_file")
                    .and_then(|node| node.text()?.parse().ok()),
                require_cert: merged
                    .tls("require_cert")
                    .and_then(switch)
                    .unwrap_or(defaults::TLS_REQUIRE_CERT),
            },
            timeout,
            uris,
        })
    }

    /// The time for each search: whole seconds, as ldap_table(5) `timeout` counts them.
    fn ldap_timeout(&mut self, merged: &Merged<'_, '_>) -> Duration {
        match merged.get("timeout") {
            None => Duration::from_secs(defaults::LDAP_TIMEOUT),
            Some((node, _)) => {
                let time = node.text().and_then(duration).unwrap_or_default();
                // ldap_table(5): `timeout` counts whole seconds.
                if node.text().and_then(duration).is_some()
                    && (time.is_zero() || time.subsec_nanos() != 0)
                {
                    self.say(
                        Diagnostic::error("the LDAP timeout must be whole seconds, at least one")
                            .at(node.span, "ldap_table(5) counts whole seconds")
                            .hint("write whole seconds, such as `10s`"),
                    );
                }
                time
            }
        }
    }

    /// A name without a password is an anonymous bind (RFC 4513 §5.1.2); a password needs a name.
    fn bind(&mut self, merged: &Merged<'_, '_>) {
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

    /// A password in clear, and TLS keys that nothing reads.
    fn in_clear(&mut self, merged: &Merged<'_, '_>, uris: &[String], mode: TlsMode) {
        if mode != TlsMode::None {
            return;
        }
        if let Some(node) = merged.tls("ca_file") {
            self.say(
                Diagnostic::warning("`ca_file` has no effect without TLS")
                    .at(node.span, "no certificate is checked")
                    .hint("write `mode: starttls`, or use `ldaps://` URIs"),
            );
        }
        let Some(uri) = uris.iter().find(|uri| leaves_the_host(uri)) else {
            return;
        };
        if let (Some((password, _)), Some((uris, _))) = (merged.get("bind_pw"), merged.get("uris"))
        {
            self.say(
                Diagnostic::warning(format!(
                    "the password of `bind_dn` goes to `{uri}` unencrypted"
                ))
                .at(uris.span, "no TLS")
                .related(password.span, "the password")
                .hint("use `ldaps://` URIs, or `tls: {mode: starttls}`"),
            );
        }
    }

    /// The URI's scheme decides, and the mode must not contradict it (ldap_table(5) `start_tls`).
    fn tls_mode(&mut self, merged: &Merged<'_, '_>, uris: &[String]) -> TlsMode {
        let secure = uris.iter().any(|uri| uri.starts_with("ldaps://"));
        let clear = uris.iter().any(|uri| uri.starts_with("ldap://"));
        let node = merged.tls("mode");
        let at = node.map(|node| node.span);
        let uris_at = merged.get("uris").map(|(node, _)| node.span);
        let mut contradiction = |summary: &str, hint: &str| {
            let mut problem = Diagnostic::error(summary).hint(hint);
            if let (Some(at), Some(uris_at)) = (at, uris_at) {
                problem = problem.at(at, "the mode").related(uris_at, "the URIs");
            }
            self.say(problem);
        };
        match node.and_then(Node::text).unwrap_or(defaults::TLS_MODE) {
            "starttls" => {
                if secure {
                    contradiction(
                        "StartTLS cannot be used with an `ldaps://` URI",
                        "use `ldap://` URIs, or `mode: ldaps`",
                    );
                }
                TlsMode::StartTls
            }
            "ldaps" => {
                if clear {
                    contradiction(
                        "`mode: ldaps` cannot be used with an `ldap://` URI",
                        "use `ldaps://` URIs, or `mode: starttls`",
                    );
                }
                TlsMode::Ldaps
            }
            // An encrypted connection is checked also without a `mode`.
            _ if secure => TlsMode::Ldaps,
            _ => TlsMode::None,
        }
    }
}

/// Whether what is merged to a server can be heard on a network: not so over a socket or loopback.
fn leaves_the_host(uri: &str) -> bool {
    let Some(rest) = uri.strip_prefix("ldap://") else {
        return false;
    };
    let host = match rest.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => rest.split([':', '/']).next().unwrap_or(rest),
    };
    let address = host.parse::<std::net::IpAddr>();
    host != "localhost" && !address.is_ok_and(|address| address.is_loopback())
}
