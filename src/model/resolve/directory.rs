//! The LDAP directory: the murder's, and a site's laid over it key by key.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::{Node, defaults, duration, switch};
use crate::model::resolve::Resolver;
use crate::model::resolve::merged::Merged;
use crate::model::{Ldap, Sasl, Tls, TlsMode};

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
        let sasl = self.bind(&merged);
        let anonymous = merged.text("bind") == Some("none");
        let bind_pw = merged
            .get("bind_pw")
            .filter(|_| !anonymous)
            .and_then(|(node, place)| self.secret(node, format!("{place}.bind_pw")));
        let mode = self.tls_mode(&merged, &uris);
        self.client_certificate(&merged);
        self.in_clear(&merged, &uris, mode, sasl.as_ref());
        let user = merged.within("sasl", "user").filter(|_| sasl.is_some());
        Some(Ldap {
            base: merged.text("base")?.to_owned(),
            scope: merged
                .text("scope")
                .unwrap_or(defaults::LDAP_SCOPE)
                .to_owned(),
            filter: merged.text("filter").map(str::to_owned),
            prefixes: prefixes(nodes),
            bind_dn: user
                .and_then(Node::text)
                .or_else(|| merged.text("bind_dn"))
                .filter(|_| !anonymous)
                .map(str::to_owned),
            bind_pw,
            sasl,
            tls: tls(&merged, mode),
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

    /// A password in clear, and TLS keys that nothing reads.
    fn in_clear(
        &mut self,
        merged: &Merged<'_, '_>,
        uris: &[String],
        mode: TlsMode,
        sasl: Option<&Sasl>,
    ) {
        if mode != TlsMode::None {
            return;
        }
        for key in ["ca_file", "ca_dir", "cert_file", "cipher_suite"] {
            if let Some(node) = merged.tls(key) {
                self.say(
                    Diagnostic::warning(format!("`{key}` has no effect without TLS"))
                        .at(node.span, "the connection is not encrypted")
                        .hint("write `mode: starttls`, or use `ldaps://` URIs"),
                );
            }
        }
        // Other mechanisms do not send the password itself.
        let sends = |mechanism: &String| matches!(mechanism.as_str(), "PLAIN" | "LOGIN");
        if merged.text("bind") == Some("none")
            || sasl.is_some_and(|sasl| !sasl.mechanisms.iter().any(sends))
        {
            return;
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

/// How the connection is protected.
fn tls(merged: &Merged<'_, '_>, mode: TlsMode) -> Tls {
    let path = |key: &str| merged.tls(key).and_then(|node| node.text()?.parse().ok());
    Tls {
        mode,
        ca_file: path("ca_file"),
        ca_dir: path("ca_dir"),
        cert_file: path("cert_file"),
        key_file: path("key_file"),
        cipher_suite: merged
            .tls("cipher_suite")
            .and_then(|node| node.text().map(str::to_owned)),
        require_cert: merged
            .tls("require_cert")
            .and_then(switch)
            .unwrap_or(defaults::TLS_REQUIRE_CERT),
    }
}

/// The prefixes of all layers, the nearest of each attribute.
fn prefixes(nodes: &[(&Node, &str)]) -> BTreeMap<String, String> {
    let mut prefixes = BTreeMap::new();
    for (node, _) in nodes.iter().rev() {
        let entries = node.get("prefixes").map_or(&[][..], Node::entries);
        prefixes.extend(
            entries
                .iter()
                .filter_map(|entry| Some((entry.key.clone(), entry.value.text()?.to_owned()))),
        );
    }
    prefixes
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
