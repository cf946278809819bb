//! The keys of a policy: rules that every host's configuration must keep, and times without changes.

use crate::manifest::rule;
use crate::manifest::shape::Shape::{Either, List, OneOf, Record as Rec, Text};
use crate::manifest::shape::{KeySpec, Record, Shape, key, must, record};

/// `policies:` of a manifest.
pub static POLICY: Record = record("policies", &[BUILTIN, RULES, FREEZE]);

/// A file of policies, which an operator names by `--policy`.
pub static POLICY_FILE: Record = Record {
    extensions: true,
    ..record(
        "policy_file",
        &[
            BUILTIN,
            RULES,
            FREEZE,
            key(
                "allow_paths",
                List(&Text(&rule::LINE)),
                "Patterns of files outside of Postfix's folder that manifests may manage, as `--allow-path` takes them.",
            ),
        ],
    )
};

const BUILTIN: KeySpec = key(
    "builtin",
    List(&OneOf(&[(
        "safe",
        "no open relay, no bind in clear, TLS on edges, no secret that all users can read, no `mynetworks` of the whole Internet",
    )])),
    "Sets of rules that `murder` has.",
);

const RULES: KeySpec = key(
    "rules",
    List(&RULE),
    "What every host's configuration must keep.",
);

const FREEZE: KeySpec = key(
    "freeze",
    List(&WINDOW),
    "Times in which `apply` needs `--allow-freeze REASON`.",
);

static RULE: Shape = Rec(&POLICY_RULE);

static WINDOW: Shape = Rec(&FREEZE_WINDOW);

/// A value, or several.
const VALUES: Shape = Either(&[List(&Text(&rule::VALUE)), Text(&rule::VALUE)]);

static POLICY_RULE: Record = Record {
    alternatives: &["require", "forbid", "one_of", "at_least", "at_most", "no"],
    ..record(
        "policy_rule",
        &[
            must("name", Text(&rule::LINE), "Its name, for messages."),
            key(
                "roles",
                List(&Text(&rule::ROLE)),
                "Only for hosts with one of these roles.",
            ),
            key(
                "provides",
                List(&Text(&rule::LINE)),
                "Only for hosts with a role whose module provides one of these, such as `edge`.",
            ),
            key(
                "parameter",
                Text(&rule::PARAMETER),
                "The parameter: in main.cf and in the options of every service, or of `service` alone.",
            ),
            key("service", Text(&rule::SERVICE), "The entry of master.cf."),
            key(
                "file",
                Text(&rule::LINE),
                "The files, by a pattern of their paths; `*` also matches `/`.",
            ),
            key(
                "require",
                Either(&[
                    List(&Text(&rule::VALUE)),
                    Text(&rule::VALUE),
                    Rec(&REQUIRED),
                ]),
                "The value, the members that a list must have, or what a service or file must be like.",
            ),
            key(
                "forbid",
                VALUES,
                "Values or members of a list that are forbidden; `present` for a service or file.",
            ),
            key(
                "one_of",
                VALUES,
                "The only values, or the only members of a list.",
            ),
            key("at_least", Text(&rule::VALUE), "The least number or time."),
            key("at_most", Text(&rule::VALUE), "The largest number or time."),
            key(
                "no",
                OneOf(&[
                    ("open_relay", "a host that relays for every client"),
                    (
                        "cleartext_bind",
                        "a password that goes to another host's LDAP server without TLS",
                    ),
                    (
                        "world_readable_secret",
                        "a file with a secret that all users can read",
                    ),
                    (
                        "whole_internet",
                        "`mynetworks` that hold the Internet, or a great part of it",
                    ),
                ]),
                "A mistake that `murder` knows.",
            ),
            key("message", Text(&rule::LINE), "Why, for whoever breaks it."),
            key(
                "reference",
                Text(&rule::LINE),
                "Where to read more, such as a URL.",
            ),
        ],
    )
};

static REQUIRED: Record = record(
    "policy_required",
    &[
        key("owner", Text(&rule::USER), "The owner of the file."),
        key("group", Text(&rule::USER), "The group of the file."),
        key(
            "mode",
            Text(&rule::MODE),
            "The permissions that the file may have at most.",
        ),
        key("private", Text(&rule::YES_NO), "Column of master.cf."),
        key("unprivileged", Text(&rule::YES_NO), "Column of master.cf."),
        key("chroot", Text(&rule::YES_NO), "Column of master.cf."),
        key("wakeup", Text(&rule::WAKEUP), "Column of master.cf."),
        key(
            "process_limit",
            Text(&rule::PROCESS_LIMIT),
            "Column of master.cf.",
        ),
        key("command", Text(&rule::COMMAND), "Column of master.cf."),
    ],
);

static FREEZE_WINDOW: Record = record(
    "freeze",
    &[
        must(
            "from",
            Text(&rule::MOMENT),
            "The first moment: `2026-12-18T16:00:00Z`, or a day (UTC).",
        ),
        must("until", Text(&rule::MOMENT), "The first moment after it."),
        key(
            "reason",
            Text(&rule::LINE),
            "Why, for whoever wants to apply.",
        ),
    ],
);
