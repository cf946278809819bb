//! Expansion: references, conditions, errors, and where it ends.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

fn expanded(text: &str) -> Result<String, String> {
    let mut lookup = |name: &[u8]| match name {
        b"a" => Some(b"A".to_vec()),
        b"b" => Some(b"[$a]".to_vec()),
        b"empty" => Some(Vec::new()),
        b"level" => Some(b"3.6".to_vec()),
        b"loop" => Some(b"x$loop".to_vec()),
        _ => None,
    };
    expand(text.as_bytes(), &mut lookup).map(|text| lossy(&text))
}

#[test]
fn references_are_expanded_to_the_end() {
    assert_eq!(
        expanded("$a ${b} $(a) $none $$a").as_deref(),
        Ok("A [A] A  $a")
    );
}

#[test]
fn conditions() {
    for (text, result) in [
        ("${a?yes}${a:no}", "yes"),
        ("${none?yes}${empty:no}", "no"),
        ("${a?{$b}:{no}}", "[A]"),
        ("${{$a} == {A} ? {same} : {other}}", "same"),
        ("${{$a} != {A}}", ""),
        ("${{9} < {10} ? {n} : {s}}", "n"),
        ("${{$level} <level {3.10} ? {old} : {new}}", "old"),
    ] {
        assert_eq!(expanded(text).as_deref(), Ok(result), "{text}");
    }
}

#[test]
fn syntax_does_not_depend_on_what_names_stand_for() {
    for text in [
        "$a ${none?{x}:{y}}",
        "${{$level} <level {3.6} ? {old} : {new}}",
        "$$",
    ] {
        assert_eq!(syntax(text.as_bytes()), Ok(()), "{text}");
    }
    for text in ["${unclosed", "$", "${a-b}", "${{a} = {b}}"] {
        assert!(syntax(text.as_bytes()).is_err(), "{text}");
    }
}

/// What `p0` comes to where each of forty-five names stands for `value` with the number of the next one.
fn chain(value: impl Fn(usize) -> String) -> Result<String, String> {
    let mut lookup = |name: &[u8]| {
        let number = lossy(name).strip_prefix('p')?.parse::<usize>().ok()?;
        (number < 45).then(|| value(number + 1).into_bytes())
    };
    expand(b"$p0", &mut lookup).map(|text| lossy(&text))
}

#[test]
fn doubling_references_end_with_an_error() {
    let conditions: [fn(usize) -> String; 4] = [
        |next| format!("$p{next} $p{next}"),
        |next| format!("$p{next}$p{next}"),
        |next| format!("${{p{next}?{{$p{next}}}}}x$p{next}"),
        |next| format!("${{{{$p{next}}} == {{$p{next}}} ? {{$p{next}}} : {{x}}}}"),
    ];
    for value in conditions {
        let error = chain(value).unwrap_err();
        assert!(
            is_too_far(&error) && error.contains("more than 10000 references"),
            "{error}"
        );
    }
    assert_eq!(
        chain(|next| format!("$p{next}")).as_deref(),
        Ok(""),
        "forty-five names in a row are no problem"
    );
}

#[test]
fn a_long_value_is_expanded() {
    let text = "$a ".repeat(10_000);
    assert_eq!(expanded(&text).map(|text| text.len()), Ok(20_000));
    let text = "x".repeat(1 << 19);
    let mut lookup = |_: &[u8]| Some(text.clone().into_bytes());
    assert!(expand(b"$a", &mut lookup).is_ok());
    let error = expand(b"$a $a $a", &mut lookup).unwrap_err();
    assert!(
        is_too_far(&error) && error.contains("more than 1048576 bytes"),
        "{error}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        failure_persistence: None,
        ..Default::default()
    })]
    #[test]
    fn whatever_names_stand_for_an_expansion_ends(
        values in proptest::collection::vec("([$]([{]?)p[0-9][?:{}]{0,2}|[a-z {}$=<>!?:]|[$][{][{][$]p[0-9][}] == [{]x[}][}]){0,12}", 10)
    ) {
        let mut lookups = 0_usize;
        let mut lookup = |name: &[u8]| {
            lookups += 1;
            let number = lossy(name).strip_prefix('p')?.parse::<usize>().ok()?;
            values.get(number).map(|value| value.clone().into_bytes())
        };
        let result = expand(b"$p0 $p1 $p2", &mut lookup);
        proptest::prop_assert!(lookups <= MOST_BYTES);
        proptest::prop_assert!(result.map_or(0, |text| text.len()) <= MOST_BYTES);
    }
}

#[test]
fn wrong_syntax_is_an_error_and_a_loop_ends() {
    for text in [
        "$",
        "${",
        "${}",
        "${a-b}",
        "${{a} = {b}}",
        "$loop",
        "${a?{b}c}",
    ] {
        assert!(expanded(text).is_err(), "{text}");
    }
}

#[test]
fn functions_of_3_11_are_known_and_others_are_an_error() {
    let expanded = |text: &str, functions| {
        let mut lookup = |name: &[u8]| (name == b"a").then(|| b"A.example".to_vec());
        expand_with(text.as_bytes(), functions, &mut lookup).map(|text| lossy(&text))
    };
    for (text, result) in [
        ("x${domain_to_ascii{$a}}y", "xA.exampley"),
        ("${domain_to_ascii {a b}}", "a b"),
        ("${domain_to_utf8{${a}}}", "A.example"),
    ] {
        assert_eq!(expanded(text, Functions::Domains).as_deref(), Ok(result));
        assert!(expanded(text, Functions::None).is_err(), "{text}");
    }
    for text in [
        "${domain_to_ascii{}}",
        "${domain_to_ascii{\u{e9}.example}}",
        "${domain_to_utf8{xn--9ca.example}}",
        "${domain_to_ascii{a}{b}}",
        "${domain_to_ascii{a}?{x}:{y}}",
        "${nosuch{a}}",
    ] {
        assert!(expanded(text, Functions::Domains).is_err(), "{text}");
    }
    assert_eq!(names(b"${domain_to_ascii{$a}} $b").len(), 2);
}
