//! The keys of `ssh:`, how a host is reached.

use crate::manifest::grammar::defaults;
use crate::manifest::rule;
use crate::manifest::shape::Shape::{Duration, Integer, OneOf, Record as Rec, Secret, Text};
use crate::manifest::shape::{DefaultValue as Value, Record, key, must, record};

pub(super) static SSH: Record = record(
    "ssh",
    &[
        key(
            "client",
            OneOf(&[
                ("ssh2", "our own"),
                ("openssh", "the system's `ssh`, for what our own has not"),
            ]),
            "What makes the connection.",
        )
        .or(Value::Text(defaults::SSH_CLIENT)),
        key(
            "address",
            Text(&rule::ENDPOINT),
            "What is connected to. Default: the host's name.",
        ),
        key("user", Text(&rule::USER), "The login name."),
        key("port", Integer(1, 65535), "The TCP port."),
        key(
            "jump",
            Text(&rule::JUMP),
            "Jump host, `[user@]host[:port]`; several by commas.",
        ),
        key(
            "identity_file",
            Text(&rule::LOCAL_PATH),
            "A private key file.",
        ),
        key("passphrase", Secret, "The passphrase of `identity_file`."),
        key("password", Secret, "The login password."),
        key(
            "host_key",
            Text(&rule::HOST_KEY),
            "The host's key, where there is no known_hosts.",
        ),
        key(
            "known_hosts",
            Text(&rule::LOCAL_PATH),
            "A known_hosts file in place of the user's own.",
        ),
        key("become", Rec(&BECOME), "How the login becomes root."),
        key(
            "connect_timeout",
            Duration,
            "For the connection and the handshake.",
        )
        .or(Value::Seconds(defaults::CONNECT_TIMEOUT)),
        key(
            "command_timeout",
            Duration,
            "Silence of this long ends an exchange, and so does five times as long altogether.",
        )
        .or(Value::Seconds(defaults::COMMAND_TIMEOUT)),
    ],
);

pub(super) static BECOME: Record = record(
    "become",
    &[
        must(
            "method",
            OneOf(&[
                ("none", "the login is root already"),
                ("sudo", "sudo(8), with a password where the host wants one"),
                ("doas", "doas(1), without a password"),
            ]),
            "How the login becomes root.",
        ),
        key("password", Secret, "The password that sudo asks for."),
    ],
);
