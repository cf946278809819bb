//! Comments, as a renderer of CommonMark reads them.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::name::{Mode, RemotePath};
use crate::plan::{Cause, Change, Failure, FileState, HostPlan, Refusal, RefusalKind, Step};
use crate::service::Service;
use crate::state::Remark;

#[test]
fn a_text_is_no_markup() {
    assert_eq!(code("example.org"), "`example.org`");
    assert_eq!(code("a`b\n"), "`` a`b\\n ``");
    assert_eq!(html("<img> & \"x\""), "&lt;img&gt; &amp; &quot;x&quot;");
    assert_eq!(shortened("äöü", 2), "äö…");
}

#[test]
fn no_text_of_a_host_closes_the_fence() {
    assert_eq!(fence(&[Line::new(Tone::Plain, "a")]), "```");
    assert_eq!(fence(&[Line::new(Tone::Plain, "a ```` b `")]), "`````");
}

/// Words that mean something in Markdown, in HTML, or to a forge.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "`",
            "```",
            "````",
            "~~~",
            "\n",
            "\n\n",
            "\r",
            "@admin",
            "#1",
            "!1",
            "<!--",
            "-->",
            "<b>",
            "</details>",
            "</summary>",
            "</code>",
            "<script>",
            "&lt;",
            "&#64;",
            "[x](http://y)",
            "![x](y)",
            "http://evil.example",
            "    ",
            "\t",
            "> ",
            "- ",
            "# ",
            "|",
            "\\",
            "*",
            "_",
            "$",
            "\u{202e}",
            "\u{0}",
            "]: x",
            "---",
            "===",
        ])
        .prop_map(str::to_owned),
        "[a-z ]{0,4}",
    ]
}

fn hostile() -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 0..12).prop_map(|words| words.concat())
}

/// Changes whose texts are those of a stranger: of a file, of a value, of an entry that goes, and of a refusal.
fn hostile_changes(texts: &Failure) -> HostPlan {
    let [one, two, three] = [
        Some(&texts.summary),
        texts.detail.as_ref(),
        texts.hint.as_ref(),
    ]
    .map(|text| text.cloned().unwrap_or_default());
    let state = |text: &str| FileState {
        text: Some(text.to_owned()),
        sha256: String::new(),
        owner: "root".to_owned(),
        group: "root".to_owned(),
        mode: Mode::from_bits(0o644),
        secret: false,
        withheld: None,
        link: Some(text.to_owned()),
    };
    let mut plan = empty_plan();
    plan.steps.push(Step::File {
        service: Service::POSTFIX,
        path: RemotePath::new("/etc/postfix/x").unwrap(),
        change: Change::Update {
            before: state(&one),
            after: state(&two),
        },
        cause: Cause::Drift,
        file: None,
    });
    for (name, change) in [
        (
            "main.cf:relayhost",
            Change::Update {
                before: one.clone(),
                after: two,
            },
        ),
        (
            "main.cf:mydomain",
            Change::Delete {
                before: three.clone(),
            },
        ),
    ] {
        plan.steps.push(Step::Value {
            service: Service::POSTFIX,
            thing: name.parse().unwrap(),
            change,
            cause: Cause::Unnamed,
        });
    }
    plan.refusals.push(Refusal {
        kind: RefusalKind::Overwrite,
        summary: three,
    });
    plan
}

/// A plan without a step.
fn empty_plan() -> HostPlan {
    HostPlan::empty(
        crate::ledger::Ledger {
            version: crate::ledger::LEDGER_VERSION,
            murder: "x".to_owned(),
            generation: 0,
            services: BTreeMap::new(),
            applied: None,
            hosts: Vec::new(),
            facts: None,
            host_key: None,
        },
        crate::plan::Expects::default(),
    )
}

/// A plan of hosts that fail, are refused, or have a remark, all in words of a stranger.
fn plan() -> impl Strategy<Value = Plan> {
    let host = (hostile(), hostile(), hostile(), 0..4).prop_map(|(one, two, three, kind)| {
        let failure = Failure {
            summary: one.clone(),
            detail: Some(two),
            hint: Some(three.clone()),
        };
        let remark = Remark {
            text: one,
            hint: Some(three),
        };
        HostVerdict {
            remarks: vec![remark],
            ..HostVerdict::of(match kind {
                0 => Verdict::Converged,
                1 => Verdict::Unreachable { error: failure },
                2 => Verdict::Changes(Box::new(hostile_changes(&failure))),
                _ => Verdict::Failed { error: failure },
            })
        }
    });
    (hostile(), prop::collection::vec(host, 1..6)).prop_map(|(murder, hosts)| {
        let name = |number| HostName::new(format!("b{number}.x")).unwrap();
        let hosts = hosts.into_iter().enumerate();
        Plan::new(murder, hosts.map(|(at, it)| (name(at), it)).collect())
    })
}

fn written(plan: &Plan, forge: Option<Forge>) -> String {
    let mut text = String::new();
    let how = Markdown {
        mail: None,
        detail: Detail::Full,
        forge,
        command: "murder plan '@x `y`'",
    };
    write_plan(plan, &how, &mut text).unwrap();
    text
}

/// Fails where a renderer finds more than our own markup.
fn check(markdown: &str) -> Result<(), TestCaseError> {
    let mut code_blocks = 0;
    let mut in_code = false;
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => {
                in_code = true;
                code_blocks += 1;
            }
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Start(
                Tag::Paragraph
                | Tag::Heading { .. }
                | Tag::List(_)
                | Tag::Item
                | Tag::HtmlBlock
                | Tag::Strong,
            )
            | Event::End(_)
            | Event::Code(_)
            | Event::SoftBreak => {}
            Event::Text(text) if in_code => prop_assert!(!text.contains('\r')),
            Event::Text(text) => {
                prop_assert!(
                    !text.contains(['@', '<', '`', '#', '!', '\u{202e}']),
                    "{text:?}"
                );
                prop_assert!(!text.contains("http"), "{text:?}");
            }
            Event::Html(html) => {
                let html = html.trim_end_matches('\n');
                let summary = html
                    .strip_prefix("<summary><code>")
                    .and_then(|rest| rest.strip_suffix("</code></summary>"));
                let ours = match summary {
                    Some(title) => !title.contains(['<', '>', '@', '`']),
                    None => {
                        let marker = html
                            .strip_prefix("<!-- murder:plan:")
                            .and_then(|rest| rest.strip_suffix(" -->"));
                        marker.is_some_and(|name| {
                            name.chars().all(|c| marker_character(c) == c || c == '-')
                        }) || ["<details>", "</details>", ""].contains(&html)
                    }
                };
                prop_assert!(ours, "{html:?}");
            }
            other => prop_assert!(false, "{other:?} in\n{markdown}"),
        }
    }
    prop_assert!(!in_code);
    let ours = markdown.matches("\n<summary><code>").count() + markdown.matches("\n### ").count();
    // Texts of hosts never begin a line outside of a fence, so these are ours, or in a fence.
    prop_assert!(code_blocks <= ours);
    Ok(())
}

proptest! {
    #[test]
    fn a_comment_is_nothing_but_our_own_markup(plan in plan()) {
        for forge in [None, Some(Forge::GitHub), Some(Forge::Bitbucket), Some(Forge::Bytes(4_000))] {
            let text = written(&plan, forge);
            check(&text)?;
            prop_assert!(measure(&text) <= forge.map_or(usize::MAX, Forge::limit));
        }
    }
}

fn failing(hosts: usize, length: usize) -> Plan {
    let host = |number: usize| {
        let error = Failure {
            summary: format!("no. {} failed", number * number),
            detail: Some(format!("{}\n", "→".repeat(60)).repeat(length)),
            hint: None,
        };
        let name = HostName::new(format!("b{number:04}.x")).unwrap();
        (name, HostVerdict::of(Verdict::Failed { error }))
    };
    let hosts: BTreeMap<HostName, HostVerdict> = (0..hosts).map(host).collect();
    Plan::new("x".to_owned(), hosts)
}

#[test]
fn a_comment_is_as_long_as_the_forge_allows_and_says_what_was_cut() {
    for forge in [
        Forge::GitHub,
        Forge::GitLab,
        Forge::Bitbucket,
        Forge::Azure,
        Forge::Bytes(4_000),
    ] {
        for (hosts, length) in [(1, 10_000), (400, 30), (3_000, 1)] {
            let text = written(&failing(hosts, length), Some(forge));
            assert!(
                measure(&text) <= forge.limit(),
                "{forge:?}: {}",
                measure(&text)
            );
            assert!(text.contains("**Cut to "), "{forge:?} {hosts}");
            assert!(text.contains("murder plan '@x `y`'"));
            check(&text).unwrap();
        }
    }
    assert!(!written(&failing(2, 1), Some(Forge::GitHub)).contains("**Cut"));
    assert!(!written(&failing(3_000, 1), None).contains("**Cut"));
}

#[test]
fn what_keeps_a_plan_from_being_applied_comes_first() {
    let mut plan = failing(2, 1);
    let mut refused = empty_plan();
    refused.refusals.push(Refusal {
        kind: RefusalKind::Adopt,
        summary: "`/etc/x` differs".to_owned(),
    });
    let verdict = HostVerdict::of(Verdict::Changes(Box::new(refused)));
    plan.hosts.insert(HostName::new("a.x").unwrap(), verdict);
    insta::assert_snapshot!(written(&plan, None), @"
    <!-- murder:plan:x -->

    ## Plan for `x`

    - `b0000.x`: `failed: no. 0 failed`
    - `b0001.x`: `failed: no. 1 failed`
    - `a.x`: `` refused without --adopt: `/etc/x` differs ``

    1 host: 0 to create, 0 to update, 0 to delete, 0 converged, 1 refused, 2 failed

    <details>
    <summary><code>a.x</code></summary>

    ```diff
    ! refused without --adopt: `/etc/x` differs
    ```

    </details>

    <details>
    <summary><code>b0000.x</code></summary>

    ```diff
    ! failed: no. 0 failed
    | →→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→
    ```

    </details>

    <details>
    <summary><code>b0001.x</code></summary>

    ```diff
    ! failed: no. 1 failed
    | →→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→→
    ```

    </details>
    ");
}
