//! The keys of hosts, and of what hosts have in common: sites, modules, defaults.

use crate::manifest::grammar::defaults;
use crate::manifest::grammar::ldap::LDAP;
use crate::manifest::grammar::ssh::SSH;
use crate::manifest::grammar::things::{FILES, LEAVE, SERVICES, SETTINGS, VARS};
use crate::manifest::rule;
use crate::manifest::shape::Shape::{List, Map, OneOf, Record as Rec, Text};
use crate::manifest::shape::{DefaultValue as Value, KeySpec, Record, key, must, record};

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
                "Where the host is in its life.",
            )
            .or(Value::Text(defaults::STATE)),
            key(
                "addresses",
                List(&Text(&rule::NETWORK)),
                "IP addresses or networks that the host sends from.",
            ),
            key("ssh", Rec(&SSH), "How the host is reached."),
            key("lmtp", Text(&rule::LMTP), "Where Cyrus takes LMTP: `inet:HOST:PORT`, or the path of its socket."),
            key("lmtp_socket", Text(&rule::LMTP), "Another name of `lmtp`."),
            key("probe", Rec(&PROBE), "Addresses that are asked over SMTP after an apply."),
            key("facts", Rec(&FACTS), "What the host is like where nothing is observed."),
            INSTANCE,
            key("vars", VARS, "Variables of the modules."),
            key("settings", SETTINGS, "main.cf parameters."),
            key("services", SERVICES, "master.cf entries, merged field by field with the live line."),
            key("files", FILES, "Whole files."),
            key("leave", LEAVE, "Things that a module would manage, and that are left alone here."),
            $($more),*
        ]
    };
}

const INSTANCE: KeySpec = key(
    "instance",
    Text(&rule::INSTANCE),
    "The instance of Postfix (postmulti(1)) that has the host's roles. Default: `postfix`, the one in /etc/postfix.",
);

/// Two names of one key.
pub(super) const LMTP_KEYS: &[&str] = &["lmtp", "lmtp_socket"];

pub(super) static HOST: Record = Record {
    alternatives: LMTP_KEYS,
    ..record(
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
            key(
                "maintenance",
                Rec(&MAINTENANCE),
                "A time during which `murder` does not contact the host."
            ),
            key(
                "instances",
                Map(&rule::INSTANCE, &Rec(&ON_INSTANCE)),
                "What holds on one instance of Postfix of the host alone, where its roles are on several.",
            ),
        ],
    )
};

pub(super) static SITE: Record = Record {
    alternatives: LMTP_KEYS,
    ..record(
        "site",
        host_keys![key(
            "ldap",
            Rec(&LDAP),
            "The directory, for the hosts of this site; laid over the murder's."
        )],
    )
};

pub(super) static DEFAULTS: Record = Record {
    alternatives: LMTP_KEYS,
    traps: &[(
        "mailhost",
        "`mailhost` cannot be a default: each host has its own",
        "set it on the host",
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

pub(super) static MODULE: Record = record(
    "module",
    &[
        INSTANCE,
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
            "Things that the module would manage, and that are left alone here.",
        ),
    ],
);

pub(super) static ON_INSTANCE: Record = record(
    "on_instance",
    &[
        key("settings", SETTINGS, "main.cf parameters."),
        key(
            "services",
            SERVICES,
            "master.cf entries, merged field by field with the live line.",
        ),
        key(
            "leave",
            LEAVE,
            "Things that a module would manage, and that are left alone there.",
        ),
    ],
);

static MAINTENANCE: Record = record(
    "maintenance",
    &[
        must(
            "until",
            Text(&rule::MOMENT),
            "When it is due to end: `2026-12-18T16:00Z`, or the begin of a day (UTC). Afterwards `murder` warns, and \
             still does not contact the host, until the key is removed.",
        ),
        must("reason", Text(&rule::LINE), "Why, for all who read a plan."),
    ],
);

pub(super) static PROBE: Record = record(
    "probe",
    &[
        key("accept", List(&Text(&rule::ADDRESS)), "Must be accepted."),
        key("refuse", List(&Text(&rule::ADDRESS)), "Must be refused."),
    ],
);

pub(super) static FACTS: Record = record(
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
