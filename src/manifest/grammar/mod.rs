//! Every key of a manifest, with the values that it takes and what it is for.

mod cyrus;
pub mod defaults;
mod host;
mod ldap;
mod policy;
mod secret;
mod ssh;
mod things;

use policy::POLICY;
pub use policy::POLICY_FILE;
pub use secret::SECRET;
use secret::SECRET_SOURCES;

use crate::manifest::grammar::cyrus::CYRUS;
use crate::manifest::grammar::host::{DEFAULTS, FACTS, HOST, MODULE, PROBE, SITE};
use crate::manifest::grammar::ldap::LDAP;
use crate::manifest::rule;
use crate::manifest::shape::Shape::{
    Duration, Either, Integer, List, Map, Nullable, OneOf, Record as Rec, Switch, Text,
};
use crate::manifest::shape::{DefaultValue as Value, Record, key, must, record};

/// A whole manifest.
pub static MANIFEST: Record = Record {
    extensions: true,
    traps: &[(
        "remove",
        "only an overlay can use `remove`",
        "delete the keys here, or pass the file with `--overlay`",
    )],
    ..record(
        "manifest",
        &[
            must(
                "version",
                Integer(1, 1),
                "The version of the manifest's form: 1.",
            ),
            key(
                "requires",
                Text(&rule::REQUIREMENT),
                "Which versions of `murder` may read the manifest: comparisons such as `>=0.2`, with commas between them.",
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
                    ("unified", "every node is both; refused, because it is broken in Cyrus 3.6 and 3.10"),
                    ("replicated", "backends share a spool; refused, because it is broken in Cyrus 3.6 and 3.10"),
                ]),
                "How the Cyrus servers share the work (imapd.conf `mupdate_config`).",
            )
            .or(Value::Text(defaults::TOPOLOGY)),
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
                "Names used in the manifest that are not hosts of this murder, such as a virtual IP's.",
            ),
            key(
                "recipient_delimiter",
                Text(&rule::DELIMITER),
                "The character between `user` and `folder` in an address; one for the whole murder.",
            )
            .or(Value::Text(defaults::RECIPIENT_DELIMITER)),
            key(
                "shared_folders",
                List(&Rec(&SHARED_FOLDER)),
                "Shared folders with a mail address, beside those in the directory.",
            ),
            key(
                "secret_sources",
                Rec(&SECRET_SOURCES),
                "What the sources of secrets have in common: identities of age, the Vault server.",
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
                Rec(&ROLLOUTS),
                "How the hosts of a role are taken in turn, by role; and `max_deferred` for all roles.",
            ),
            key(
                "policies",
                Rec(&POLICY),
                "Rules that the configuration of every host must keep, and times without changes.",
            ),
            key(
                "history",
                Rec(&HISTORY),
                "What each host remembers of its applies.",
            ),
            key(
                "verify",
                Rec(&VERIFY),
                "What is proved about mail.",
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

static ROLLOUTS: Record = Record {
    others: Some((&rule::ROLE, &Rec(&ROLLOUT))),
    ..record(
        "rollouts",
        &[key(
            "max_deferred",
            Integer(0, 10_000),
            "That of each role which sets no other.",
        )],
    )
};

static ROLLOUT: Record = record(
    "rollout",
    &[
        key(
            "serial",
            Integer(1, 100_000),
            "How many hosts at once. Default: all.",
        ),
        key("pause", Duration, "How long to wait between batches.")
            .or(Value::Seconds(defaults::ROLLOUT_PAUSE)),
        key("canary", Integer(1, 100_000), "How many go first, alone."),
        key(
            "max_deferred",
            Integer(0, 10_000),
            "No further hosts begin once a host of the role has more deferred mails than when the plan was made, by more than this. Default: not counted.",
        ),
    ],
);

static VERIFY: Record = record(
    "verify",
    &[key(
        "in_plan",
        Switch,
        "Whether `plan` and `apply` ask the LDAP servers what the plan means for mail, as with `--directory`.",
    )
    .or(Value::Switch(defaults::VERIFY_IN_PLAN))],
);

static HISTORY: Record = record(
    "history",
    &[key(
        "keep",
        Integer(1, 1000),
        "How many generations; the oldest go at the next apply that changes something.",
    )
    .or(Value::Number(defaults::HISTORY_KEEP))],
);
