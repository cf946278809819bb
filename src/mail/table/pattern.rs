//! Tables of regular expressions: `regexp:` and `pcre:` (regexp_table(5), pcre_table(5)).

use regex::Regex;

use super::answer::{AnswerPlace, KeyLookup, LookupAnswer, LookupError, LookupResult};
use super::part::{PartVisitor, TablePart};
use crate::directory::Directory;
use crate::postfix::logical_lines;

/// The syntax of the expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternSyntax {
    /// POSIX extended regular expressions.
    Posix,
    /// Perl-compatible ones.
    Perl,
}

/// A table of patterns.
#[derive(Debug)]
pub struct PatternTable {
    file: String,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    line: usize,
    /// The expression, or the text of a line that is not modelled.
    pattern: Result<Regex, String>,
    is_negated: bool,
    action: Action,
}

#[derive(Debug)]
enum Action {
    Value(String),
    If,
    EndIf,
}

impl PatternTable {
    /// Reads the text of a table.
    #[must_use]
    pub fn read(file: &str, text: &str, syntax: PatternSyntax) -> Self {
        let lines = logical_lines(text.as_bytes()).into_iter();
        let rules = lines.filter(|line| !line.dropped).map(|line| {
            rule(
                String::from_utf8_lossy(&line.text).trim(),
                line.first,
                syntax,
            )
        });
        Self {
            file: file.to_owned(),
            rules: rules.filter(Rule::is_kept).collect(),
        }
    }
}

fn rule(line: &str, number: usize, syntax: PatternSyntax) -> Rule {
    let unknown = |action| Rule {
        line: number,
        pattern: Err(line.to_owned()),
        is_negated: false,
        action,
    };
    if line.eq_ignore_ascii_case("endif") {
        return unknown(Action::EndIf);
    }
    let after_if = line
        .get(..2)
        .filter(|word| word.eq_ignore_ascii_case("if"))
        .map(|_| &line[2..]);
    let is_if = after_if.is_some_and(|rest| rest.starts_with([' ', '\t', '!', '/']));
    let rest = after_if.filter(|_| is_if).unwrap_or(line).trim_start();
    let is_negated = rest.starts_with('!');
    let rest = rest.trim_start_matches('!').trim_start();
    let Some((pattern, flags, value)) = split(rest) else {
        return unknown(Action::Value(String::new()));
    };
    let action = if is_if {
        Action::If
    } else {
        Action::Value(value.to_owned())
    };
    // Which part of the text a group matches may differ.
    let differs = syntax == PatternSyntax::Posix && may_differ(pattern, value);
    match compiled(pattern, flags, syntax).filter(|_| !differs) {
        Some(pattern) => Rule {
            line: number,
            pattern: Ok(pattern),
            is_negated,
            action,
        },
        None => unknown(action),
    }
}

impl Rule {
    /// Whether Postfix keeps the line: its value names only groups of its expression, and none of a negated one.
    fn is_kept(&self) -> bool {
        let (Ok(pattern), Action::Value(value)) = (&self.pattern, &self.action) else {
            return true;
        };
        let last = last_group(value);
        last == 0 || !self.is_negated && (last as usize) < pattern.captures_len()
    }
}

/// The highest group that a value names; 0 for none.
fn last_group(value: &str) -> u32 {
    let value = value.replace("$$", "");
    let names = value.split('$').skip(1).filter_map(|rest| {
        let rest = rest.trim_start_matches(['{', '(']);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        rest[..digits].parse().ok()
    });
    names.max().unwrap_or(0)
}

/// The pattern, the flags and the value of `/pattern/flags value`.
fn split(line: &str) -> Option<(&str, &str, &str)> {
    let delimiter = line
        .chars()
        .next()
        .filter(|c| !c.is_alphanumeric() && *c != '\\')?;
    let rest = &line[delimiter.len_utf8()..];
    let mut is_escaped = false;
    let end = rest.char_indices().find_map(|(at, c)| {
        let is_end = c == delimiter && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end.then_some(at)
    })?;
    let (pattern, rest) = (&rest[..end], &rest[end + delimiter.len_utf8()..]);
    let flags = rest.find(char::is_whitespace).unwrap_or(rest.len());
    Some((pattern, &rest[..flags], rest[flags..].trim()))
}

/// The expression, where it means the same here as in Postfix.
fn compiled(pattern: &str, flags: &str, syntax: PatternSyntax) -> Option<Regex> {
    let (mut ignores_case, mut is_extended, mut multi_line, mut dot_all) =
        (true, true, false, true);
    for flag in flags.chars() {
        match (flag, syntax) {
            ('i', _) => ignores_case = !ignores_case,
            ('x', PatternSyntax::Posix) => is_extended = !is_extended,
            ('m', _) => multi_line = !multi_line,
            ('s', PatternSyntax::Perl) => dot_all = !dot_all,
            _ => return None,
        }
    }
    let pattern = match syntax {
        PatternSyntax::Perl => pattern.to_owned(),
        PatternSyntax::Posix if is_extended => super::posix::translated(pattern)?,
        PatternSyntax::Posix => return None,
    };
    // The flags stay with the text, so that it can be compiled into a set.
    let flags = [(ignores_case, 'i'), (multi_line, 'm'), (dot_all, 's')];
    let flags: String = flags.iter().filter(|(on, _)| *on).map(|(_, c)| c).collect();
    let flags = if flags.is_empty() {
        flags
    } else {
        format!("(?{flags})")
    };
    Regex::new(&format!("{flags}{pattern}")).ok()
}

/// Whether the groups that a value uses may match other parts of the text here than in POSIX expressions, which prefer the
/// longest match of all. Groups before the first choice are the same if the expression matches the whole text.
fn may_differ(pattern: &str, value: &str) -> bool {
    let last = last_group(value);
    if last == 0 {
        return false;
    }
    let is_whole = pattern.starts_with('^') && pattern.ends_with('$');
    let before = match group_end(pattern, last) {
        Some(end) if is_whole => &pattern[..end],
        _ => pattern,
    };
    let optional = if is_whole { "|" } else { ")?" };
    [")*", ")+", "){", "|", optional]
        .iter()
        .any(|part| before.contains(part))
}

/// Where a group ends.
fn group_end(pattern: &str, number: u32) -> Option<usize> {
    let (mut opened, mut open, mut is_escaped) = (0, Vec::new(), false);
    for (at, c) in pattern.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '(' => {
                opened += 1;
                open.push(opened);
            }
            ')' if open.pop() == Some(number) => return Some(at),
            _ => {}
        }
    }
    None
}

impl KeyLookup for PatternTable {
    fn parts(&self, _: bool, visit: PartVisitor<'_>) {
        let patterns = self
            .rules
            .iter()
            .filter_map(|rule| rule.pattern.as_ref().ok());
        visit(TablePart::Patterns(patterns.map(Regex::as_str).collect()));
    }

    fn find(&self, key: &str, _: &Directory) -> LookupResult {
        // How many of the open `if` blocks are skipped, and how many there are.
        let (mut skipped, mut open) = (0_usize, 0_usize);
        for rule in &self.rules {
            if let Action::EndIf = rule.action {
                if skipped > 0 {
                    skipped -= 1;
                } else {
                    open = open.saturating_sub(1);
                }
                continue;
            }
            if skipped > 0 {
                skipped += usize::from(matches!(rule.action, Action::If));
                continue;
            }
            let pattern = rule.pattern.as_ref().map_err(|line| {
                LookupError::NotModelled(format!("`{line}` in `{}` is not modelled", self.file))
            })?;
            let captures = pattern.captures(key);
            let is_match = captures.is_some() != rule.is_negated;
            match (&rule.action, is_match) {
                (Action::If, true) => open += 1,
                (Action::If, false) => skipped += 1,
                (Action::Value(value), true) => {
                    let value = filled(value, captures.as_ref());
                    let place = AnswerPlace::Line(self.file.clone(), rule.line);
                    return Ok(Some(LookupAnswer { value, place }));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn takes_parts(&self) -> bool {
        false
    }
}

/// A value with `$1`, `${1}` and `$(1)` replaced by what the groups of the pattern matched.
fn filled(value: &str, captures: Option<&regex::Captures<'_>>) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some((plain, after)) = rest.split_once('$') {
        text.push_str(plain);
        let inner = after.trim_start_matches(['{', '(']);
        let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if let Some(doubled) = after.strip_prefix('$') {
            text.push('$');
            rest = doubled;
        } else if let Ok(number) = inner[..digits].parse::<usize>() {
            let group = captures.and_then(|captures| captures.get(number));
            text.push_str(group.map_or("", |group| group.as_str()));
            let left = &inner[digits..];
            let is_braced = inner.len() < after.len();
            rest = if is_braced {
                left.get(1..).unwrap_or_default()
            } else {
                left
            };
        } else {
            text.push('$');
            rest = after;
        }
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// regexp_table(5) and pcre_table(5), "TABLE FORMAT".
    #[test]
    fn patterns_match_as_the_manuals_say() {
        let text = "/^5(\\.1\\.1 .*)$/ 4$1\nif /@example\\.org$/\n/^a@/ one\n!/^b/ not b\nendif\n/^B/i exact\n/xz/ ${0}!\n";
        let table = PatternTable::read("/t", text, PatternSyntax::Posix);
        for (key, value) in [
            ("5.1.1 unknown", Some("4.1.1 unknown")),
            ("A@EXAMPLE.org", Some("one")),
            ("c@example.org", Some("not b")),
            ("b@example.org", None),
            ("B", Some("exact")),
            ("yxz", Some("xz!")),
            ("none", None),
        ] {
            let found = table.find(key, &Directory::default());
            assert_eq!(
                found.map(|found| found.map(|found| found.value)),
                Ok(value.map(str::to_owned)),
                "{key}"
            );
        }
    }

    #[test]
    fn groups_before_a_choice_are_the_same() {
        let text = r"/^([^@+]+)([^@]*)?@(b\.org|localhost)$/ $1";
        let table = PatternTable::read("/t", text, PatternSyntax::Posix);
        let found = table
            .find("root+x@b.org", &Directory::default())
            .ok()
            .flatten();
        assert_eq!(found.map(|found| found.value).as_deref(), Some("root"));
    }

    #[test]
    fn what_differs_is_not_modelled() {
        for (pattern, syntax) in [
            (r"/[[.a.]]a/ x", PatternSyntax::Posix),
            (r"/(a|ab)c/ $1", PatternSyntax::Posix),
            (r"/^(a|ab)(c|bcd)$/ $2", PatternSyntax::Posix),
            (r"/(a)?b/ $1", PatternSyntax::Posix),
            (r"/\d/ x", PatternSyntax::Posix),
            (r"/(a)\1/ x", PatternSyntax::Perl),
            ("/(?=a)/ x", PatternSyntax::Perl),
            ("/a/U x", PatternSyntax::Perl),
            ("a x", PatternSyntax::Perl),
        ] {
            let table = PatternTable::read("/t", pattern, syntax);
            let found = table.find("a", &Directory::default());
            assert!(
                matches!(found, Err(LookupError::NotModelled(_))),
                "{pattern}: {found:?}"
            );
        }
    }
}
