//! Tells whether a text is an earlier one with something removed. The text is a list, a table, or the description of an
//! LDAP table.
//!
//! With a member or line removed, the text matches less than before. If that is not certain, the result is
//! [`Shortening::Other`].

use super::ldap_filter;
use super::lines::logical_lines;
use super::shortening::of_sequences;
use super::text::collapse;
use super::text::lossy;
use super::text::split_name_value;
use super::value::split_list;

pub use super::shortening::Shortening;

/// Braces within braces are compared down to this depth.
const DEPTH: usize = 32;

/// Compares two lists, split as Postfix splits them. The text in braces is a list too (`inline:{ a=b, c=d }`).
#[must_use]
pub fn of_lists(before: &str, after: &str) -> Shortening {
    lists(before, after, DEPTH)
}

fn lists(before: &str, after: &str, depth: usize) -> Shortening {
    // Removing an exception (`!host`, match_list(3)) makes a list match more.
    let may_go = |member: &String| !member.starts_with('!');
    of_sequences(
        &split_list(before),
        &split_list(after),
        may_go,
        |old, new| members(old, new, depth),
    )
}

fn members(before: &str, after: &str, depth: usize) -> Shortening {
    match (group(before), group(after)) {
        _ if before == after => Shortening::Same,
        (Some((name, old)), Some((other, new))) if name == other && depth > 0 => {
            lists(old, new, depth - 1)
        }
        _ => Shortening::Other,
    }
}

/// The text before the braces, and the text in them.
fn group(member: &str) -> Option<(&str, &str)> {
    let (name, rest) = member.split_once('{')?;
    Some((name, rest.strip_suffix('}')?))
}

/// Compares two tables by their logical lines. Comments and layout do not count.
#[must_use]
pub fn of_tables(before: &str, after: &str) -> Shortening {
    of_sequences(&lines(before), &lines(after), |_| true, equal)
}

/// Compares two files of `name = value` lines (ldap_table(5)); none if they are not such files. No line may be removed,
/// because its default may match more. A value may get shorter.
#[must_use]
pub fn of_attributes(before: &str, after: &str) -> Option<Shortening> {
    let (old, new) = (attributes(before)?, attributes(after)?);
    Some(of_sequences(
        &old,
        &new,
        |_| false,
        |(name, old), (other, new)| {
            if name == other {
                of_attribute(name, old, new)
            } else {
                Shortening::Other
            }
        },
    ))
}

fn of_attribute(name: &str, before: &str, after: &str) -> Shortening {
    if before == after {
        Shortening::Same
    } else if name == "query_filter" {
        match ldap_filter::is_narrower(before, after) {
            true => Shortening::Shorter,
            false => Shortening::Other,
        }
    } else if after.is_empty() {
        // An empty value counts as no line.
        Shortening::Other
    } else {
        of_lists(before, after)
    }
}

fn attributes(text: &str) -> Option<Vec<(String, String)>> {
    let attribute = |line: &Vec<u8>| {
        let (name, value) = split_name_value(line).ok()?;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        name.iter()
            .all(is_name)
            .then(|| (lossy(name), lossy(value)))
    };
    lines(text).iter().map(attribute).collect()
}

fn lines(text: &str) -> Vec<Vec<u8>> {
    let lines = logical_lines(text.as_bytes());
    lines.iter().map(|line| collapse(&line.text)).collect()
}

fn equal<T: PartialEq>(before: &T, after: &T) -> Shortening {
    match before == after {
        true => Shortening::Same,
        false => Shortening::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::Shortening::*;
    use super::*;

    #[test]
    fn a_list_gets_shorter_by_losing_members() {
        for (before, after, expected) in [
            ("a, b", "a b,", Same),
            ("a, b", "a", Shorter),
            ("a, b", "b", Shorter),
            ("a", "", Shorter),
            ("", "", Same),
            ("", "a", Other),
            ("a", "b", Other),
            ("a", "a, b", Other),
            ("a, b", "b, a", Other),
            ("a, b", "a, a", Other),
            ("a, a", "a", Shorter),
            ("a, b, c", "a, x, c", Other),
            ("4h", "2h", Other),
            ("!a, b", "b", Other),
            ("b, !a", "b", Other),
            ("!a, b, c", "!a, c", Shorter),
        ] {
            assert_eq!(of_lists(before, after), expected, "{before} → {after}");
        }
    }

    #[test]
    fn what_stands_in_braces_is_a_list_too() {
        let inline = |list: &str| format!("x, inline:{{ {list} }}, y");
        for (before, after, expected) in [
            ("@a=@a, @b=@b", "@a=@a", Shorter),
            ("@a=@a, @b=@b", "@b=@b", Shorter),
            ("@a=@a", "@a=@a, @b=@b", Other),
            ("@a=@a", "@a=@b", Other),
            ("@a=@a, { b = c, d }", "@a=@a, { b = c }", Shorter),
            ("@a=@a, { b = c }", "@a=@a", Shorter),
        ] {
            let (old, new) = (inline(before), inline(after));
            assert_eq!(of_lists(&old, &new), expected, "{old} → {new}");
        }
        assert_eq!(of_lists("inline:{a, b}", "unionmap:{a}"), Other);
        assert_eq!(of_lists("inline:{a, b}", "inline:a"), Other);
        assert_eq!(of_lists("inline:{a, b", "inline:{a"), Other);
    }

    #[test]
    fn a_deep_value_is_no_trouble() {
        let deep = |inside: &str| format!("{}{inside}{}", "{".repeat(9000), "}".repeat(9000));
        assert_eq!(of_lists(&deep("a, b"), &deep("a")), Other);
    }

    #[test]
    fn a_table_gets_shorter_by_losing_lines() {
        let before = "# comment\nexample.org  relay:[a]\nexample.net\n  relay:[a]\n";
        for (after, expected) in [
            ("example.org relay:[a]\nexample.net relay:[a]\n", Same),
            ("# other\nexample.org relay:[a]\n", Shorter),
            ("example.net relay:[a]\n", Shorter),
            ("# nothing left\n", Shorter),
            ("", Shorter),
            ("example.org relay:[b]\n", Other),
            ("example.net relay:[a]\nexample.org relay:[a]\n", Other),
            (
                "example.org relay:[a]\nexample.com relay:[a]\nexample.net relay:[a]\n",
                Other,
            ),
        ] {
            assert_eq!(of_tables(before, after), expected, "{after}");
        }
    }

    #[test]
    fn an_ldap_table_gets_shorter_in_its_lists_and_its_filter_only() {
        let before = "# comment\nsearch_base = dc=x\ndomain = a, b\nquery_filter = (|(mail=%s)(alias=%s))\nbind_pw = ***\n";
        for (from, to, expected) in [
            ("# comment", "# other", Same),
            ("domain = a, b", "domain = a", Shorter),
            ("domain = a, b", "domain = a, c", Other),
            ("domain = a, b", "domain =", Other),
            ("domain = a, b\n", "", Other),
            ("(alias=%s)", "", Shorter),
            ("(alias=%s)", "(uid=%s)", Other),
            ("***", "*** (changed)", Other),
            ("dc=x", "dc=y", Other),
        ] {
            let after = before.replace(from, to);
            let found = of_attributes(before, &after);
            assert_eq!(found, Some(expected), "{from} → {to}");
        }
        assert_eq!(of_attributes("a b\n", "a b\n"), None);
        assert_eq!(
            of_attributes("/a=b/ OK\n", ""),
            None,
            "a pattern is no name"
        );
        assert_eq!(of_attributes("", ""), Some(Same));
    }
}
