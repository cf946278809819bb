//! Where the calls go, what is refused, and that every template ends.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::diagnostic::{SourceId, Span};
use crate::module::Engine;

/// What a template comes to with an empty context, or why it is none.
fn rendered(text: &str) -> Result<String, String> {
    let at = Span {
        source: SourceId(0),
        start: 0,
        end: 0,
    };
    let (mut engine, _) = Engine::new(std::iter::empty(), "/etc/postfix");
    let mut problems = Vec::new();
    engine.add("x", text, at, &Default::default(), &mut problems);
    engine.settle(&mut problems);
    if let Some(problem) = problems.first() {
        return Err(problem.summary.clone());
    }
    let done = engine.render("x", &tera::Context::new());
    done.map_err(|problem| problem.summary)
}

#[test]
fn templates_render_as_before() {
    for (text, expected) in [
        (
            "a {% for x in [1, 2] -%}  {{ x }}, {%- endfor %} b",
            "a 1,2, b",
        ),
        (
            "{% for x in [1, 2] %}{% if x == 2 %}{% break %}{% endif %}{{ x }}{% endfor %}",
            "1",
        ),
        ("{% set x = \"a\" -%}   {{ x ~ \"%}\" }}", "a%}"),
        ("{% raw %}{{ {% for %}{% endraw %}", "{{ {% for %}"),
        ("{# {% for #}{{ \"{% for\" }}", "{% for"),
        ("{{ \"a,b\" | split(pat=\",\") | join(sep=\"-\") }}", "a-b"),
        ("{{ \"a b\" | replace(from=\" \", to=\"--\") }}", "a--b"),
        ("{{ \"a\\nb\\n\" | indent(width=2) }}", "a\n  b\n"),
        ("{{ [1, 2, 1] | unique | length }}", "2"),
        (
            "{% for x in range(start=3, end=0, step_by=-1) %}{{ x }}{% endfor %}",
            "321",
        ),
    ] {
        assert_eq!(rendered(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_would_not_end_is_an_error() {
    let nested = |depth: usize| {
        let begin = "{% for x in range(end=100000) %}".repeat(depth);
        format!("{begin}{}", "{% endfor %}".repeat(depth))
    };
    let doubled = |times: usize| {
        format!(
            "{{% set x = \"ab\" %}}{}",
            "{% set x = x ~ x %}".repeat(times)
        )
    };
    let percent = format!("{{{{ \"%\"{} }}}}", " | ldap_table".repeat(30));
    let texts = [
        nested(2),
        nested(5),
        doubled(60),
        format!("{{% for y in range(end=60) %}}{}{{% endfor %}}", doubled(60)),
        "{% set_global x = \"ab\" %}{% for y in range(end=60) %}{% set_global x = x ~ x %}{% endfor %}".to_owned(),
        "{% set_global x = [] %}{% for y in range(end=90000) %}{% set_global x = [x] %}{% endfor %}".to_owned(),
        "{% for y in range(end=100000) %}{% for z in range(end=100000) %}{% break %}{% endfor %}{% endfor %}".to_owned(),
        percent,
        "{% set x = range(end=9000) | join(sep=\"a\") %}{{ x | replace(from=\"a\", to=x) }}".to_owned(),
        "{{ [y for y in [z for z in range(end=100000)]] }}".to_owned(),
        "{% set x %}{% for y in range(end=9) %}a{% endfor %}{% endset %}".to_owned(),
        "{% filter upper %}a{% endfilter %}".to_owned(),
        "{{ {\"a\": 1} }}".to_owned(),
        format!("{{{{ \"a\"{} }}}}", " ~ \"a\"".repeat(40)),
    ];
    for text in texts {
        let short: String = text.chars().take(120).collect();
        assert!(rendered(&text).is_err(), "{short}");
    }
}

#[test]
fn places_are_those_of_the_template_as_it_is_written() {
    let text = "ä{% for x in [1] %}{{ y }}{% endfor %}\n{% set z = 1 %}{{ w }}";
    let guarded = guard(text).unwrap();
    for name in ["{{ y }}", "{{ w }}", "{% set"] {
        let (made, written) = (guarded.text.find(name).unwrap(), text.find(name).unwrap());
        assert_eq!(guarded.original(made), written, "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]
    #[test]
    fn every_template_ends_and_renders_visible_text(
        parts in proptest::collection::vec(
            "(\\{% for [xy] in (range\\(end=[1-9]0{0,4}\\)|\\[x, y\\]|x) -?%\\}|\\{% endfor %\\}|\\{% set(_global)? [xy] = [xy] ~ [xy] %\\}\
             |\\{% set [xy] = \\[[xy], [xy]\\] %\\}|\\{\\{ [xy]( \\| (ldap_table|join\\(sep=y\\)|upper))? \\}\\}|[a-z%{}\"#-]{0,3})",
            0..12)
    ) {
        let begin = "{% set x = \"ab\" %}{% set y = \"%\" %}";
        let ends = rendered(&format!("{begin}{}", parts.concat()));
        if let Ok(text) = ends {
            prop_assert!(text.len() <= 32 << 20);
            prop_assert!(!text.contains(|c| crate::name::is_hidden(c) && c != '\n'));
        }
    }
}
