//! Every key of a `module.yaml`, with what may stand under it: what is wrong with its form is found in one walk, as
//! in a manifest. What it means, `module` reads.

use crate::diagnostic::{Diagnostic, SourceId};
use crate::manifest::shape::Shape::{
    Any, Block, Either, List, Map, Nullable, OneOf, Record as Rec, Switch,
};
use crate::manifest::shape::{self, Field, Record, Shape, must};
use crate::manifest::{checker, rule, yaml};

const fn key(key: &'static str, shape: Shape) -> Field {
    shape::key(key, shape, "")
}

const fn record(fields: &'static [Field]) -> Record {
    shape::record("", fields)
}

/// A condition or a text: a template, so nothing is known of it here.
const TEMPLATE: Shape = Block;

static MODULE: Record = record(&[
    must("summary", Block, "What the role does, in a sentence."),
    key("after", List(&Block)),
    key("provides", List(&Block)),
    key("at_most_one", Switch),
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
    key("of", Block),
    key("keys", Block),
    must("default", Any, "Its value where nobody gives one."),
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
    key("owner", Block),
    key("group", Block),
    key("mode", Block),
    key("table", Switch),
    key("per", Block),
    key("when", TEMPLATE),
]);

static CHECK: Record = record(&[
    must(
        "level",
        OneOf(&[("error", ""), ("warning", "")]),
        "`error` or `warning`.",
    ),
    key("about", Block),
    must("when", TEMPLATE, "The condition under which it is said."),
    must("text", TEMPLATE, "What is said."),
    key("hint", Block),
]);

/// Everything that is wrong with the form of a `module.yaml`.
#[must_use]
pub fn problems(source: SourceId, text: &str) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    if let Some(tree) = yaml::parse(source, text, &mut problems) {
        let (found, _) = checker::check(&tree, &Rec(&MODULE), "the module", true);
        problems.extend(found);
    }
    problems
}
