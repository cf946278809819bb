//! The keys of a secret that is a map: where it comes from; and what the sources have in common.

use crate::manifest::grammar::defaults;
use crate::manifest::rule;
use crate::manifest::shape::Shape::{Block, Duration, Either, Integer, List, Record as Rec, Text};
use crate::manifest::shape::{DefaultValue as Value, KeySpec, Record, Shape, key, must, record};

/// Where a secret comes from, written as a map of one key.
pub static SECRET: Record = record(
    "secret",
    &[
        FILE,
        ENV,
        key(
            "command",
            Either(&[List(&Text(&rule::LINE)), Rec(&COMMAND)]),
            "A program of the client that prints the secret, as a list of words; run only with `--allow-commands`.",
        ),
        CREDENTIAL,
        key(
            "age",
            Either(&[Text(&rule::LOCAL_PATH), Rec(&AGE)]),
            "A file beside the manifest that is encrypted by age(1), or such a text.",
        ),
        key(
            "sops",
            Rec(&SOPS),
            "A value of a file that is encrypted by sops.",
        ),
        key(
            "vault",
            Rec(&VAULT),
            "A value of a KV v2 store of HashiCorp Vault or OpenBao.",
        ),
    ],
);

const FILE: KeySpec = key(
    "file",
    LOCAL_FILE,
    "A file beside the manifest that only its owner may read; `{env: NAME}` where a variable holds its path.",
);

const ENV: KeySpec = key(
    "env",
    Text(&rule::ENVIRONMENT),
    "An environment variable of `murder`.",
);

const CREDENTIAL: KeySpec = key(
    "credential",
    Text(&rule::CREDENTIAL),
    "A credential of the systemd unit (`LoadCredential=`), by its name.",
);

/// A file of the client: its path, or the variable that holds its path.
const LOCAL_FILE: Shape = Either(&[Text(&rule::LOCAL_PATH), Rec(&FILE_OF_VARIABLE)]);

static FILE_OF_VARIABLE: Record = record(
    "file_of_variable",
    &[must(
        "env",
        Text(&rule::ENVIRONMENT),
        "The environment variable that holds the path, as GitLab's variables of the type file do.",
    )],
);

static COMMAND: Record = record(
    "secret_command",
    &[
        must(
            "argv",
            List(&Text(&rule::LINE)),
            "The program and its arguments; no shell reads them.",
        ),
        key("timeout", Duration, "How long it may run.")
            .or(Value::Seconds(defaults::SECRET_COMMAND_TIMEOUT)),
    ],
);

const IDENTITIES: Shape = List(&LOCAL_FILE);

static AGE: Record = record(
    "age",
    &[
        key("file", Text(&rule::LOCAL_PATH), "The encrypted file."),
        key("text", Block, "The encrypted text, armored."),
        key(
            "identities",
            IDENTITIES,
            "Files of identities, tried in order. Default: those of `secret_sources.age`.",
        ),
    ],
);

static SOPS: Record = record(
    "sops",
    &[
        must(
            "file",
            Text(&rule::SOPS_FILE),
            "The encrypted file: YAML or JSON.",
        ),
        must(
            "key",
            Either(&[Text(&rule::KEY_PATH), List(&Text(&rule::LINE))]),
            "The keys that lead to the value, with dots between them, or as a list.",
        ),
    ],
);

static VAULT: Record = record(
    "vault",
    &[
        must(
            "path",
            Text(&rule::KV_PATH),
            "The path of the secret in the store, such as `mail/ldap`.",
        ),
        must("key", Text(&rule::LINE), "The key of the value."),
        key(
            "mount",
            Text(&rule::KV_PATH),
            "Where the KV v2 store is mounted. Default: that of `secret_sources.vault`.",
        ),
        key(
            "version",
            Integer(1, u32::MAX as u64),
            "The version of the secret. Default: the newest.",
        ),
    ],
);

/// What the sources of secrets have in common.
pub(super) static SECRET_SOURCES: Record = record(
    "secret_sources",
    &[
        key(
            "age",
            Rec(&AGE_IDENTITIES),
            "What decrypts the sources of the kind `age`.",
        ),
        key(
            "vault",
            Rec(&VAULT_SERVER),
            "The server of the sources of the kind `vault`.",
        ),
    ],
);

static AGE_IDENTITIES: Record = record(
    "age_identities",
    &[must(
        "identities",
        IDENTITIES,
        "Files of identities, tried in order.",
    )],
);

static VAULT_SERVER: Record = Record {
    alternatives: &["token", "approle", "jwt"],
    ..record(
        "vault_server",
        &[
            key(
                "address",
                Text(&rule::HTTPS),
                "The server, as `https://HOST:PORT`. Default: `VAULT_ADDR` or `BAO_ADDR` of the environment.",
            ),
            key("namespace", Text(&rule::KV_PATH), "The namespace."),
            key(
                "ca_file",
                LOCAL_FILE,
                "Certificates (PEM) that the server's must be signed by. Default: the system's.",
            ),
            key(
                "mount",
                Text(&rule::KV_PATH),
                "Where the KV v2 store is mounted.",
            )
            .or(Value::Text(defaults::VAULT_MOUNT)),
            key(
                "token",
                Rec(&TOKEN),
                "Log in by a token. Default: `VAULT_TOKEN` or `BAO_TOKEN` of the environment.",
            ),
            key("approle", Rec(&APPROLE), "Log in by AppRole."),
            key(
                "jwt",
                Rec(&JWT),
                "Log in by a JWT, such as GitLab's `id_tokens`.",
            ),
        ],
    )
};

/// What opens the way to other secrets; it cannot come from such a way itself.
static TOKEN: Record = Record {
    alternatives: &["file", "env", "credential"],
    ..record("token", &[FILE, ENV, CREDENTIAL])
};

static APPROLE: Record = record(
    "approle",
    &[
        must("role_id", Text(&rule::LINE), "The ID of the role."),
        must("secret_id", Rec(&TOKEN), "The secret ID of the role."),
        key(
            "mount",
            Text(&rule::KV_PATH),
            "Where the method is mounted.",
        )
        .or(Value::Text(defaults::APPROLE_MOUNT)),
    ],
);

static JWT: Record = record(
    "jwt",
    &[
        must("role", Text(&rule::LINE), "The role."),
        must("token", Rec(&TOKEN), "The JWT."),
        key(
            "mount",
            Text(&rule::KV_PATH),
            "Where the method is mounted.",
        )
        .or(Value::Text(defaults::JWT_MOUNT)),
    ],
);
