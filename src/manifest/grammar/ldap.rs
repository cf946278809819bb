//! The keys of `ldap:`, of the murder and of a site.

use crate::manifest::grammar::defaults;
use crate::manifest::rule;
use crate::manifest::shape::Shape::{
    Duration, Integer, List, Map, OneOf, Record as Rec, Secret, Switch, Text,
};
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
            "filter",
            Text(&rule::FILTER),
            "A condition of the site's own (RFC 4515), which each query has besides its own.",
        ),
        key(
            "prefixes",
            Map(&rule::ATTRIBUTE, &Text(&rule::PREFIX)),
            "What stands before each address in the values of an attribute, as `smtp:` in Active Directory's `proxyAddresses`.",
        ),
        key(
            "bind",
            OneOf(&[
                ("none", "anonymous"),
                ("simple", "by `bind_dn` and `bind_pw`"),
                ("sasl", "by a mechanism of `sasl`"),
            ]),
            "How hosts log in. Default: `simple` with a `bind_dn`, else `none`.",
        ),
        key(
            "bind_dn",
            Text(&rule::DN),
            "Who asks; anonymous where none is given.",
        ),
        key(
            "bind_pw",
            Secret,
            "The password of `bind_dn`, or of `sasl.user`.",
        ),
        key("sasl", Rec(&SASL), "What `bind: sasl` logs in with."),
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
            "ca_dir",
            Text(&rule::REMOTE_PATH),
            "A folder of CA certificates on the hosts (`tls_ca_cert_dir`).",
        ),
        key(
            "cert_file",
            Text(&rule::REMOTE_PATH),
            "The client's certificate on the hosts (`tls_cert`).",
        ),
        key(
            "key_file",
            Text(&rule::REMOTE_PATH),
            "Its key on the hosts (`tls_key`), which user postfix can read.",
        ),
        key(
            "cipher_suite",
            Text(&rule::LINE),
            "The ciphers, as the LDAP library's TLS names them (`tls_cipher_suite`).",
        ),
        key(
            "require_cert",
            Switch,
            "Whether the server's certificate must be right.",
        )
        .or(Value::Switch(defaults::TLS_REQUIRE_CERT)),
    ],
);

static SASL: Record = record(
    "sasl",
    &[
        key(
            "mechanisms",
            List(&Text(&rule::MECHANISM)),
            "Mechanisms, tried in order: `GSSAPI`, `EXTERNAL`, `SCRAM-SHA-256`.",
        ),
        key(
            "user",
            Text(&rule::LINE),
            "Who logs in, for mechanisms with a password.",
        ),
        key("realm", Text(&rule::LINE), "The realm of the user."),
        key(
            "authz_id",
            Text(&rule::LINE),
            "The identity that searches, if it is another one: `dn:…` or `u:…` (RFC 4513).",
        ),
        key(
            "min_ssf",
            Integer(0, 65_535),
            "The least strength of the connection's encryption (`sasl_minssf`), in bits.",
        ),
    ],
);
