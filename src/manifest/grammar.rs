//! Every key of a manifest, with what may stand under it and what it is for.

use crate::manifest::rule;
use crate::manifest::shape::Shape::{
    Any, Block, Duration, Either, Integer, List, Map, Nullable, OneOf, Record as Rec, Secret,
    Switch, Text,
};
use crate::manifest::shape::{Field, Record, Shape};

pub(super) const fn key(key: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field {
        key,
        shape,
        doc,
        required: false,
    }
}

pub(super) const fn must(key: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field {
        key,
        shape,
        doc,
        required: true,
    }
}

pub(super) const fn record(name: &'static str, fields: &'static [Field]) -> Record {
    Record {
        name,
        fields,
        traps: &[],
        alternatives: &[],
        extensions: false,
    }
}

/// A whole manifest.
pub static MANIFEST: Record = Record {
    extensions: true,
    traps: &[(
        "remove",
        "`remove` takes keys away, and only an overlay can do that",
        "leave the keys out here, or give the file with `--overlay`",
    )],
    ..record(
        "manifest",
        &[
            must(
                "version",
                Integer(1, 1),
                "The version of the manifest's form: 1.",
            ),
            must(
                "murder",
                Text(&rule::LINE),
                "A name for people, and the owner's name in each host's ledger.",
            ),
            key(
                "topology",
                OneOf(&[
                    ("discrete", "frontends apart from backends"),
                    ("unified", "every node is both; not in this version"),
                    ("replicated", "backends share a spool; not in this version"),
                ]),
                "How the Cyrus servers share the work (imapd.conf `mupdate_config`). Default: discrete.",
            ),
            must(
                "domains",
                Either(&[
                    List(&Text(&rule::DOMAIN)),
                    Map(&rule::DOMAIN, &Nullable("", &Rec(&DOMAIN))),
                ]),
                "The mail domains: a list, or a map where one needs more.",
            ),
            key("ldap", Rec(&LDAP), "The directory."),
            key(
                "cyrus",
                Rec(&CYRUS),
                "What Postfix must know of Cyrus IMAP.",
            ),
            key(
                "smart_host",
                Text(&rule::HOST),
                "Where hosts send what is not their own. Default: the one internal MTA; required where there are several.",
            ),
            key(
                "external",
                List(&Text(&rule::HOST)),
                "Names used in the manifest that are no hosts of ours, such as a virtual IP's.",
            ),
            key(
                "recipient_delimiter",
                Text(&rule::DELIMITER),
                "What parts `user` from `folder` in an address; one for the whole murder. Default: `+`.",
            ),
            key(
                "shared_folders",
                List(&Rec(&SHARED_FOLDER)),
                "Shared folders with a mail address, beside those in the directory.",
            ),
            key(
                "modules",
                Map(&rule::ROLE, &Rec(&MODULE)),
                "What a role is on this site.",
            ),
            key(
                "sites",
                Map(&rule::SITE, &Rec(&SITE)),
                "What hosts of one place have in common: any key of a host, and `ldap`.",
            ),
            key(
                "rollout",
                Map(&rule::ROLE, &Rec(&ROLLOUT)),
                "How the hosts of a role are taken in turn.",
            ),
            key(
                "history",
                Rec(&HISTORY),
                "What each host remembers of its applies.",
            ),
            key(
                "probe",
                Rec(&PROBE),
                "Addresses that are asked over SMTP after an apply.",
            ),
            key(
                "facts",
                Rec(&FACTS),
                "What hosts are like where nothing is observed. Default: Debian 12's.",
            ),
            key(
                "defaults",
                Rec(&DEFAULTS),
                "Any key of a host, for all hosts.",
            ),
            must(
                "hosts",
                Map(&rule::HOSTS, &Rec(&HOST)),
                "The hosts by name; ranges as in `backend[001:400].example.org`.",
            ),
        ],
    )
};

static DOMAIN: Record = record(
    "domain",
    &[
        key(
            "base",
            Text(&rule::DN),
            "The LDAP base of its entries, where it is not `ldap.base`.",
        ),
        key(
            "alias_of",
            Text(&rule::DOMAIN),
            "The domain that it is another name of.",
        ),
    ],
);

static LDAP: Record = record(
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
            "How deep searches go. Default: sub.",
        ),
        key(
            "bind_dn",
            Text(&rule::DN),
            "Who asks; anonymous where none is given.",
        ),
        key("bind_pw", Secret, "The password of `bind_dn`."),
        key("tls", Rec(&TLS), "How the connection is protected."),
        key("timeout", Duration, "For each search. Default: 10s."),
    ],
);

static TLS: Record = record(
    "tls",
    &[
        key(
            "mode",
            OneOf(&[
                ("none", "in clear, unless the URI is `ldaps://`"),
                ("starttls", "StartTLS on `ldap://`"),
                ("ldaps", "`ldaps://` only"),
            ]),
            "Default: none.",
        ),
        key(
            "ca_file",
            Text(&rule::REMOTE_PATH),
            "CA certificates on the hosts (ldap_table(5) `tls_ca_cert_file`).",
        ),
        key(
            "require_cert",
            Switch,
            "Whether the server's certificate must be right. Default: true.",
        ),
    ],
);

static CYRUS: Record = record(
    "cyrus",
    &[
        key(
            "lmtp_socket",
            Text(&rule::REMOTE_PATH),
            "The LMTP socket. The nearest wins: host, site, defaults, here, the host's packaging.",
        ),
        key(
            "postuser",
            Text(&rule::LOCAL_PART),
            "imapd.conf `postuser`; must not be the local part of any address. Default: folder.",
        ),
    ],
);

static SHARED_FOLDER: Record = record(
    "shared_folder",
    &[
        must("address", Text(&rule::ADDRESS), "Its mail address."),
        must("backend", Text(&rule::HOST), "The host that holds it."),
        must(
            "folder",
            Text(&rule::FOLDER),
            "Its path, with `/` between the parts.",
        ),
    ],
);

static ROLLOUT: Record = record(
    "rollout",
    &[
        key(
            "serial",
            Integer(1, 100_000),
            "How many hosts at once. Default: all.",
        ),
        key(
            "pause",
            Duration,
            "How long to wait between batches. Default: 0s.",
        ),
        key("canary", Integer(1, 100_000), "How many go first, alone."),
    ],
);

static HISTORY: Record = record(
    "history",
    &[key(
        "keep",
        Integer(1, 1000),
        "How many generations; the oldest go at the next apply that changes something. Default: 20.",
    )],
);

static PROBE: Record = record(
    "probe",
    &[
        key("accept", List(&Text(&rule::ADDRESS)), "Must be accepted."),
        key("refuse", List(&Text(&rule::ADDRESS)), "Must be refused."),
    ],
);

static FACTS: Record = record(
    "facts",
    &[
        key(
            "postfix_version",
            Text(&rule::LINE),
            "As `postconf -dh mail_version` says.",
        ),
        key(
            "table_types",
            List(&Text(&rule::TABLE_TYPE)),
            "As `postconf -m` says.",
        ),
        key(
            "default_database_type",
            Text(&rule::TABLE_TYPE),
            "As `postconf -dh default_database_type` says.",
        ),
        key("distribution", Text(&rule::LINE), "`ID` of os-release(5)."),
        key(
            "lmtp_socket",
            Text(&rule::REMOTE_PATH),
            "Where its Cyrus packages put the LMTP socket.",
        ),
        key(
            "index_type",
            Text(&rule::TABLE_TYPE),
            "The type of indexed tables.",
        ),
    ],
);

/// The keys that a host, a site and the defaults share.
macro_rules! host_keys {
    ($($more:expr),* $(,)?) => {
        &[
            key("roles", List(&Text(&rule::ROLE)), "What the host is: at least one role."),
            key(
                "state",
                OneOf(&[
                    ("joining", "configured; nothing routes to it yet"),
                    ("active", "in service"),
                    ("draining", "keeps relaying, takes no new mailboxes"),
                    ("retired", "its managed things go"),
                ]),
                "Where the host is in its life. Default: active.",
            ),
            key(
                "addresses",
                List(&Text(&rule::NETWORK)),
                "IP addresses or networks that the host sends from.",
            ),
            key("ssh", Rec(&SSH), "How the host is reached."),
            key("lmtp_socket", Text(&rule::REMOTE_PATH), "The LMTP socket of Cyrus."),
            key("probe", Rec(&PROBE), "Addresses that are asked over SMTP after an apply."),
            key("facts", Rec(&FACTS), "What the host is like where nothing is observed."),
            key("vars", VARS, "Variables of the modules."),
            key("settings", SETTINGS, "main.cf parameters."),
            key("services", SERVICES, "master.cf entries, merged field by field with the live line."),
            key("files", FILES, "Whole files."),
            key("leave", LEAVE, "Things that a module would manage, and shall not here."),
            $($more),*
        ]
    };
}

static HOST: Record = record(
    "host",
    host_keys![
        key(
            "site",
            Text(&rule::SITE),
            "The site that the host belongs to."
        ),
        key(
            "mailhost",
            Text(&rule::HOST),
            "imapd.conf `servername`, which is the LDAP mailHost value. Default: the host's name.",
        ),
    ],
);

static SITE: Record = record(
    "site",
    host_keys![key(
        "ldap",
        Rec(&LDAP),
        "The directory, for the hosts of this site; laid over the murder's."
    )],
);

static DEFAULTS: Record = Record {
    traps: &[(
        "mailhost",
        "one `mailhost` cannot be every host's",
        "give it on the host",
    )],
    ..record(
        "defaults",
        host_keys![key(
            "site",
            Text(&rule::SITE),
            "The site of hosts that name none."
        )],
    )
};

static MODULE: Record = record(
    "module",
    &[
        key("vars", VARS, "Variables of the module."),
        key("settings", SETTINGS, "main.cf parameters."),
        key(
            "services",
            SERVICES,
            "master.cf entries, merged field by field with the live line.",
        ),
        key("files", FILES, "Whole files."),
        key(
            "leave",
            LEAVE,
            "Things that the module would manage, and shall not here.",
        ),
    ],
);

const VARS: Shape = Map(&rule::VARIABLE, &Any);
const LEAVE: Shape = List(&Text(&rule::THING));

const SETTINGS: Shape = Map(
    &rule::PARAMETER,
    &Nullable(
        "must not be set in main.cf",
        &Either(&[Text(&rule::VALUE), Rec(&LIST_EDIT)]),
    ),
);

static LIST_EDIT: Record = Record {
    traps: &[
        ("file", SECRET_SETTING, SECRET_SETTING_HINT),
        ("env", SECRET_SETTING, SECRET_SETTING_HINT),
    ],
    ..record(
        "list_edit",
        &[
            key(
                "prepend",
                List(&Text(&rule::MEMBER)),
                "Put before the list, in this order.",
            ),
            key("append", List(&Text(&rule::MEMBER)), "Put after the list."),
            key(
                "remove",
                List(&Text(&rule::MEMBER)),
                "Taken out of the list.",
            ),
        ],
    )
};

const SECRET_SETTING: &str = "a secret cannot be a main.cf value: everybody may read main.cf";
const SECRET_SETTING_HINT: &str =
    "put it into a table under `files` by `secrets`, and name the table here";

const SERVICES: Shape = Map(
    &rule::SERVICE,
    &Nullable("must not be in master.cf", &Rec(&SERVICE)),
);

static SERVICE: Record = record(
    "service",
    &[
        key(
            "private",
            Text(&rule::YES_NO),
            "Whether access is restricted to the mail system.",
        ),
        key(
            "unprivileged",
            Text(&rule::YES_NO),
            "Whether it runs without root privileges.",
        ),
        key(
            "chroot",
            Text(&rule::YES_NO),
            "Whether it runs in the chroot jail.",
        ),
        key("wakeup", Text(&rule::WAKEUP), "Wake-up timer in seconds."),
        key(
            "process_limit",
            Text(&rule::PROCESS_LIMIT),
            "Most processes at once.",
        ),
        key(
            "command",
            Text(&rule::COMMAND),
            "Command and arguments, without `-o` options.",
        ),
        key(
            "options",
            Map(
                &rule::PARAMETER,
                &Nullable("must not stand on the line", &Text(&rule::VALUE)),
            ),
            "`-o name=value` options.",
        ),
    ],
);

const FILES: Shape = Map(
    &rule::FILE_PATH,
    &Nullable("must not be there", &Rec(&FILE)),
);

static FILE: Record = Record {
    alternatives: &["content", "template"],
    ..record(
        "file",
        &[
            key("content", Block, "The file's text."),
            key(
                "secrets",
                Map(&rule::VARIABLE, &Secret),
                "Secrets by name, for the places `{{ secret.NAME }}` of `content`.",
            ),
            key(
                "template",
                Text(&rule::LOCAL_PATH),
                "A Tera template beside the manifest that gives the text.",
            ),
            key("owner", Text(&rule::USER), "Default: root."),
            key(
                "group",
                Text(&rule::USER),
                "Default: root; postfix where the text holds a secret.",
            ),
            key(
                "mode",
                Text(&rule::MODE),
                "Default: 0644; 0640 where the text holds a secret.",
            ),
            key(
                "table",
                Switch,
                "Whether it is an indexed table (postmap(1)). Default: false.",
            ),
        ],
    )
};

static SSH: Record = record(
    "ssh",
    &[
        key(
            "client",
            OneOf(&[
                ("ssh2", "our own"),
                ("openssh", "the system's `ssh`, for what our own has not"),
            ]),
            "What makes the connection. Default: ssh2.",
        ),
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
        key("become", Rec(&BECOME), "How root is become."),
        key(
            "connect_timeout",
            Duration,
            "For the connection and the handshake. Default: 10s.",
        ),
        key(
            "command_timeout",
            Duration,
            "Silence of this long ends an exchange. Default: 120s.",
        ),
    ],
);

static BECOME: Record = record(
    "become",
    &[
        must(
            "method",
            OneOf(&[
                ("none", "the login is root already"),
                ("sudo", "sudo(8), with a password where the host wants one"),
                ("doas", "doas(1), without a password"),
            ]),
            "How.",
        ),
        key("password", Secret, "The password that sudo asks for."),
    ],
);

/// Where a secret comes from, written as a map.
pub static SECRET: Record = Record {
    traps: &[
        ("command", LATER, LATER_HINT),
        ("age", LATER, LATER_HINT),
        ("sops", LATER, LATER_HINT),
        ("vault", LATER, LATER_HINT),
    ],
    ..record(
        "secret",
        &[
            key(
                "file",
                Text(&rule::LOCAL_PATH),
                "A file beside the manifest that nobody but its owner may read.",
            ),
            key(
                "env",
                Text(&rule::ENVIRONMENT),
                "An environment variable of `murder`.",
            ),
        ],
    )
};

const LATER: &str = "this version has no such source of secrets";
const LATER_HINT: &str = "use `{file: PATH}` or `{env: NAME}`";
