//! The grammar of a `module.yaml`: its keys, with what each takes. [`judge`] reads a text, and finds every fault of
//! its form in one walk, as in a manifest. `module` then reads the values from the tree.

use crate::diagnostic::{Diagnostic, SourceId};
use crate::manifest::shape::Shape::{
    Any, Block, Either, List, Map, Nullable, OneOf, Record as Rec, Switch, Text,
};
use crate::manifest::shape::{self, KeySpec, Record, Rule, Shape, must};
use crate::manifest::{Node, checker, rule, yaml};
use crate::name::Mode;

const fn key(key: &'static str, shape: Shape) -> KeySpec {
    shape::key(key, shape, "")
}

const fn record(fields: &'static [KeySpec]) -> Record {
    shape::record("", fields)
}

/// A condition or a text: a template, so nothing is known of it here.
const TEMPLATE: Shape = Block;

/// What the texts of a variable may be, each with what it means.
pub const WORDS: &[(&str, &str)] = &[
    ("network", "an IP address or network"),
    ("address", "a mail address"),
    (
        "address-or-domain",
        "a mail address, or `@domain` for a whole domain",
    ),
    (
        "recipients",
        "mail addresses or local parts with commas between them; or nothing",
    ),
    ("domain", "a mail domain"),
    ("local-part", "the local part of an address"),
    (
        "descriptor",
        "the name of an LDAP attribute or object class",
    ),
];

/// What a host's own configuration may say of its role, each with its meaning.
pub const SIGNS: &[(&str, &str)] = &[
    (
        "delivers-over-lmtp",
        "mail for mailboxes goes to Cyrus on the host itself, over LMTP",
    ),
    (
        "delivers-to-cyrus-servers",
        "mail for mailboxes goes to other hosts, over LMTP",
    ),
    (
        "asks-own-mailhost",
        "an LDAP table asks for entries with the host's own name",
    ),
    (
        "routes-by-directory",
        "an LDAP table gives the host that mail goes to",
    ),
    (
        "relays-mail-domains",
        "a mail domain is relayed to one host",
    ),
    ("null-client", "all mail goes to the relay host"),
    ("cyrus-backend", "imapd.conf is a backend's"),
    ("cyrus-frontend", "imapd.conf is a frontend's"),
    ("cyrus-mupdate-master", "cyrus.conf runs the mupdate master"),
];

/// The mode of a file of a module.
static MODE: Rule = Rule {
    what: "a file mode",
    hint: "write octal digits in quotes, such as `\"0640\"`",
    check: |text| match text.parse::<Mode>() {
        Ok(_) => Ok(()),
        Err(error) => Err(error.why.to_owned()),
    },
};

static MODULE: Record = record(&[
    must("summary", Block, "What the role does, in a sentence."),
    key("after", List(&Text(&rule::ROLE))),
    key("provides", List(&Block)),
    key("at_most_one", Switch),
    key("recognized_by", List(&List(&OneOf(SIGNS)))),
    key(
        "listens",
        OneOf(&[("smtp", "Other hosts send mail to port 25 of the host.")]),
    ),
    key("probes", List(&OneOf(&[("accept", ""), ("refuse", "")]))),
    key("vars", Map(&rule::VARIABLE, &Rec(&VARIABLE))),
    key(
        "settings",
        Map(
            &rule::PARAMETER,
            &Nullable(
                "must not be set in main.cf",
                &Either(&[TEMPLATE, Rec(&SETTING)]),
            ),
        ),
    ),
    key(
        "services",
        Map(
            &rule::SERVICE,
            &Nullable("must not be in master.cf", &Rec(&SERVICE)),
        ),
    ),
    key("files", Map(&rule::REMOTE_PATH, &Rec(&FILE))),
    key("checks", List(&Rec(&CHECK))),
]);

static VARIABLE: Record = record(&[
    must(
        "type",
        OneOf(&[
            ("bool", ""),
            ("integer", ""),
            ("string", ""),
            ("list", ""),
            ("map", ""),
            ("one-of", ""),
        ]),
        "What it takes.",
    ),
    key("values", List(&Block)),
    key("of", OneOf(WORDS)),
    key("keys", OneOf(WORDS)),
    must("default", Any, "Its value where no layer gives one."),
    must("doc", Block, "What it is for."),
]);

static SETTING: Record = record(&[
    key("value", Nullable("", &TEMPLATE)),
    key("when", TEMPLATE),
    key("dropped", Block),
    key("class", Block),
]);

static SERVICE: Record = record(&[
    key("private", TEMPLATE),
    key("unprivileged", TEMPLATE),
    key("chroot", TEMPLATE),
    key("wakeup", TEMPLATE),
    key("process_limit", TEMPLATE),
    key("command", TEMPLATE),
    key(
        "options",
        Map(
            &rule::PARAMETER,
            &Nullable("must not stand there", &TEMPLATE),
        ),
    ),
    key("when", TEMPLATE),
]);

static FILE: Record = record(&[
    key("template", Block),
    key("content", TEMPLATE),
    key("owner", Text(&rule::USER)),
    key("group", Text(&rule::USER)),
    key("mode", Text(&MODE)),
    key("table", Switch),
    key(
        "per",
        OneOf(&[("directories", ""), ("alias_directories", "")]),
    ),
    key("when", TEMPLATE),
]);

static CHECK: Record = record(&[
    must(
        "level",
        OneOf(&[("error", ""), ("warning", "")]),
        "`error` or `warning`.",
    ),
    key("about", Text(&rule::PARAMETER)),
    must("when", TEMPLATE, "The condition under which it is said."),
    must("text", TEMPLATE, "What is said."),
    key("hint", Block),
]);

/// Reads a `module.yaml`. Gives its tree, and everything that is wrong with its form. There is no tree where the text is
/// not YAML.
#[must_use]
pub fn judge(source: SourceId, text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    let mut problems = Vec::new();
    let tree = yaml::parse(source, text, &mut problems);
    if let Some(tree) = &tree {
        problems.extend(checker::check(tree, &Rec(&MODULE), "the module", true));
    }
    (tree, problems)
}
