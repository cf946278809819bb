//! `host.ldap`, as templates see it.

use std::collections::BTreeMap;

use tera::Value;
use tera::value::Key;

use super::Map;
use crate::model::{Ldap, Sasl, Tls, TlsMode};
use crate::name::RemotePath;
use crate::secret::Body;

/// The value of `host.ldap`; nothing where the host has no directory.
pub(super) fn ldap(ldap: Option<&Ldap>) -> Value {
    let Some(ldap) = ldap else {
        return Value::from(());
    };
    let password = ldap.bind_pw.as_ref().map(Body::token).unwrap_or_default();
    let prefixes: BTreeMap<Key<'static>, Value> = ldap
        .prefixes
        .iter()
        .map(|(attribute, prefix)| (Key::from(attribute.clone()), Value::from(prefix.as_str())))
        .collect();
    Value::from(Map::from([
        ("uris", Value::from(ldap.uris.clone())),
        ("base", Value::from(ldap.base.as_str())),
        ("scope", Value::from(ldap.scope.as_str())),
        ("filter", text(ldap.filter.as_deref())),
        ("prefixes", Value::from(prefixes)),
        ("bind_dn", text(ldap.bind_dn.as_deref())),
        ("bind_pw", Value::from(password)),
        ("sasl", ldap.sasl.as_ref().map_or(Value::from(()), sasl)),
        ("tls", tls(&ldap.tls)),
        ("timeout", Value::from(ldap.timeout.as_secs().max(1))),
    ]))
}

fn text(text: Option<&str>) -> Value {
    Value::from(text.unwrap_or_default())
}

fn sasl(sasl: &Sasl) -> Value {
    let min_ssf = sasl.min_ssf.map(|bits| bits.to_string());
    Value::from(Map::from([
        ("mechanisms", Value::from(sasl.mechanisms.clone())),
        ("realm", text(sasl.realm.as_deref())),
        ("authz_id", text(sasl.authz_id.as_deref())),
        ("min_ssf", text(min_ssf.as_deref())),
    ]))
}

fn tls(tls: &Tls) -> Value {
    let mode = match tls.mode {
        TlsMode::None => "none",
        TlsMode::StartTls => "starttls",
        TlsMode::Ldaps => "ldaps",
    };
    let path = |path: &Option<RemotePath>| text(path.as_ref().map(RemotePath::as_str));
    Value::from(Map::from([
        ("mode", Value::from(mode)),
        ("ca_file", path(&tls.ca_file)),
        ("ca_dir", path(&tls.ca_dir)),
        ("cert_file", path(&tls.cert_file)),
        ("key_file", path(&tls.key_file)),
        ("cipher_suite", text(tls.cipher_suite.as_deref())),
        ("require_cert", Value::from(tls.require_cert)),
    ]))
}
