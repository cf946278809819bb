//! The keys of `cyrus:`: what Postfix must know of Cyrus IMAP.

use crate::manifest::grammar::defaults;
use crate::manifest::grammar::host::LMTP_KEYS;
use crate::manifest::rule;
use crate::manifest::shape::Shape::{Map, Nullable, Record as Rec, Text};
use crate::manifest::shape::{DefaultValue as Value, Record, key, record};

pub(super) static CYRUS: Record = Record {
    alternatives: LMTP_KEYS,
    ..record(
        "cyrus",
        &[
            key(
                "lmtp",
                Text(&rule::LMTP),
                "Where Cyrus takes LMTP: `inet:HOST:PORT`, or the path of its socket. The nearest wins: host, site, defaults, here, the host's packaging.",
            ),
            key("lmtp_socket", Text(&rule::LMTP), "Another name of `lmtp`."),
            key(
                "servers",
                Map(&rule::HOSTS, &Nullable("", &Rec(&SERVER))),
                "Cyrus servers without a Postfix of their own: the internal MTA delivers to them by LMTP over TCP. `murder` does not log in there.",
            ),
            key(
                "postuser",
                Text(&rule::LOCAL_PART),
                "imapd.conf `postuser`; must not be the local part of any address.",
            )
            .or(Value::Text(defaults::POSTUSER)),
        ],
    )
};

static SERVER: Record = record(
    "server",
    &[
        key(
            "lmtp",
            Text(&rule::LMTP_TCP),
            "Where it takes LMTP: `inet:HOST:PORT`. Default: port 24 of its name.",
        ),
        key(
            "mailhost",
            Text(&rule::HOST),
            "imapd.conf `servername`, which is the LDAP mailHost value. Default: the server's name.",
        ),
    ],
);
