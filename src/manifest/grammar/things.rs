//! The keys of things on a host: `vars`, `settings`, `services`, `files`, `leave`.

use crate::manifest::grammar::defaults;
use crate::manifest::rule;
use crate::manifest::shape::Shape::{
    Any, Block, Either, List, Map, Nullable, Record as Rec, Secret, Switch, Text,
};
use crate::manifest::shape::{DefaultValue as Value, Record, Shape, key, record};

pub(super) const VARS: Shape = Map(&rule::VARIABLE, &Any);

pub(super) const LEAVE: Shape = List(&Text(&rule::THING));

pub(super) const SETTINGS: Shape = Map(
    &rule::PARAMETER,
    &Nullable(
        "must not be set in main.cf",
        &Either(&[Text(&rule::VALUE), Rec(&LIST_EDIT)]),
    ),
);

pub(super) static LIST_EDIT: Record = Record {
    traps: &[
        ("file", SECRET_SETTING, SECRET_SETTING_HINT),
        ("env", SECRET_SETTING, SECRET_SETTING_HINT),
        ("command", SECRET_SETTING, SECRET_SETTING_HINT),
        ("credential", SECRET_SETTING, SECRET_SETTING_HINT),
        ("age", SECRET_SETTING, SECRET_SETTING_HINT),
        ("sops", SECRET_SETTING, SECRET_SETTING_HINT),
        ("vault", SECRET_SETTING, SECRET_SETTING_HINT),
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

pub(super) const SECRET_SETTING: &str =
    "a secret cannot be a main.cf value: every user of the host can read main.cf";

pub(super) const SECRET_SETTING_HINT: &str =
    "put it into a table under `files` with `secrets`, and set the parameter to that table";

pub(super) const SERVICES: Shape = Map(
    &rule::SERVICE,
    &Nullable("must not be in master.cf", &Rec(&SERVICE)),
);

pub(super) static SERVICE: Record = record(
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

pub(super) const FILES: Shape = Map(
    &rule::FILE_PATH,
    &Nullable("must not be there", &Rec(&FILE)),
);

pub(super) static FILE: Record = Record {
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
            key("owner", Text(&rule::USER), "The user that owns the file.").or(Value::Text(defaults::FILE_OWNER)),
            key(
                "group",
                Text(&rule::USER),
                "The group of the file; `postfix` where the text holds a secret and the manifest gives none.",
            ).or(Value::Text(defaults::FILE_GROUP)),
            key(
                "mode",
                Text(&rule::MODE),
                "The mode of the file; 0640 where the text holds a secret and the manifest gives none.",
            ).or(Value::Mode(defaults::FILE_MODE)),
            key(
                "table",
                Switch,
                "Whether it is an indexed table (postmap(1)).",
            ).or(Value::Switch(defaults::FILE_TABLE)),
        ],
    )
};
