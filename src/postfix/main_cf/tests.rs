//! Tests of reading main.cf.

use super::*;

fn get(text: &str, name: &str) -> Option<String> {
    MainCf::parse(text.as_bytes()).get(name).map(str::to_owned)
}

#[test]
fn folded_lines_are_joined_and_blanks_collapsed() {
    let text = "transport_maps = hash:/a,\n# why\n\n\t  ldap:/b   ldap:/c \r\nx = 1\n";
    assert_eq!(
        get(text, "transport_maps").as_deref(),
        Some("hash:/a, ldap:/b ldap:/c")
    );
    assert_eq!(get(text, "x").as_deref(), Some("1"));
}

#[test]
fn a_value_may_begin_on_the_next_line() {
    assert_eq!(get("a =\n b\n", "a").as_deref(), Some("b"));
}

#[test]
fn the_last_of_two_entries_wins_and_is_reported() {
    let main = MainCf::parse(b"a = 1\nb = 2\na = 3\nb=2\n");
    assert_eq!(main.get("a"), Some("3"));
    let problems: Vec<_> = main.problems().iter().map(|p| (p.line, p.kind)).collect();
    assert_eq!(problems, [(3, LineProblemKind::Duplicate)]);
}

#[test]
fn lines_without_equals_and_with_leading_blanks_are_problems() {
    let main = MainCf::parse(b" a = 1\n b\nhello world\nc = d");
    assert_eq!(main.iter().collect::<Vec<_>>(), [("c", "d")]);
    let problems: Vec<_> = main.problems().iter().map(|p| (p.line, p.kind)).collect();
    assert_eq!(
        problems,
        [
            (1, LineProblemKind::LeadingBlank),
            (3, LineProblemKind::Malformed)
        ]
    );
}

#[test]
fn problems_do_not_print_values() {
    let main = MainCf::parse(b"pw = secret1\npw = secret2\n");
    assert!(!format!("{:?}", main.problems()).contains("secret"));
    let main = MainCf::parse(b" pw = secret\n");
    assert!(!format!("{:?}", main.problems()).contains("secret"));
}

#[test]
fn there_are_no_comments_after_text_and_no_backslash_continuations() {
    let main = MainCf::parse(b"a = 1 # x\nb = 2 \\\n 3\n");
    assert_eq!(main.get("a"), Some("1 # x"));
    assert_eq!(main.get("b"), Some("2 \\ 3"));
}

#[test]
fn empty_is_not_unset() {
    let main = MainCf::parse(b"a =\n");
    assert_eq!((main.get("a"), main.get("b")), (Some(""), None));
}

#[test]
fn names_come_in_order() {
    let main = MainCf::parse(b"b = 1\na = 2\nc = 3\n");
    let names: Vec<_> = main.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "c"]);
}
