//! The keys of `ldap:`, of the murder and of a site.

use crate::manifest::grammar::defaults;
use crate::manifest::rule;
use crate::manifest::shape::Shape::{Duration, List, OneOf, Record as Rec, Secret, Switch, Text};
use crate::manifest::shape::{DefaultValue as Value, Record, key, record};

pub(super) static LDAP: Record = record(
    "ldap",
    &[
        key(
            "uris",
            List(&Text(&rule::LDAP_URI)),
            "Servers, tried in order: `ldap://`, `ldaps://` or `ldapi://`.",
        ),
        key("base", Text(&rule::DN), "The search base."),
        key(
            "scope",
            OneOf(&[
                ("sub", "the whole tree"),
                ("one", "one level"),
                ("base", "the base itself"),
            ]),
            "How deep searches go.",
        )
        .or(Value::Text(defaults::LDAP_SCOPE)),
        key(
            "bind_dn",
            Text(&rule::DN),
            "Who asks; anonymous where none is given.",
        ),
        key("bind_pw", Secret, "The password of `bind_dn`."),
        key("tls", Rec(&TLS), "How the connection is protected."),
        key("timeout", Duration, "For each search.").or(Value::Seconds(defaults::LDAP_TIMEOUT)),
    ],
);

pub(super) static TLS: Record = record(
    "tls",
    &[
        key(
            "mode",
            OneOf(&[
                ("none", "in clear, unless the URI is `ldaps://`"),
                ("starttls", "StartTLS on `ldap://`"),
                ("ldaps", "`ldaps://` only"),
            ]),
            "Which TLS; `ldaps://` URIs have it in any case.",
        )
        .or(Value::Text(defaults::TLS_MODE)),
        key(
            "ca_file",
            Text(&rule::REMOTE_PATH),
            "CA certificates on the hosts (ldap_table(5) `tls_ca_cert_file`).",
        ),
        key(
            "require_cert",
            Switch,
            "Whether the server's certificate must be right.",
        )
        .or(Value::Switch(defaults::TLS_REQUIRE_CERT)),
    ],
);
