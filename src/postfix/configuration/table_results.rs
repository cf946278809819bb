//! The results that a lookup table may give, as far as its text says so.

use crate::postfix::catalogue::tables::Table;
use crate::postfix::{logical_texts, split_list};

/// Gives the text of a table: its lines, or the description of an LDAP table. None if the text is not known.
pub type TableTexts<'a> = &'a dyn Fn(&Table) -> Option<String>;

/// The results of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Results {
    /// The results as they are, with the `%` of an LDAP table's `result_format`.
    pub(super) results: Vec<String>,
    /// The destinations of its `FILTER` actions.
    pub(super) filters: Vec<String>,
}

/// The results of a table; empty if its text is not known.
pub(super) fn of(table: &Table, texts: TableTexts<'_>) -> Results {
    let results: Vec<String> = match table.kind.as_str() {
        "static" => vec![table.name.clone()],
        "inline" => pairs(&table.name),
        "randmap" => braced(&table.name),
        kind => {
            let text = texts(table).unwrap_or_default();
            match kind {
                "ldap" | "mysql" | "pgsql" | "sqlite" | "memcache" => formats(&text),
                "regexp" | "pcre" => logical(&text)
                    .filter_map(|line| of_pattern(&line))
                    .collect(),
                _ => logical(&text).filter_map(|line| of_line(&line)).collect(),
            }
        }
    };
    let filters = results.iter().filter_map(|result| filter_of(result));
    Results {
        filters: filters.collect(),
        results,
    }
}

fn logical(text: &str) -> impl Iterator<Item = String> {
    logical_texts(text.as_bytes()).into_iter()
}

/// The results in `inline:{ key=value, { key = value } }`.
fn pairs(text: &str) -> Vec<String> {
    let result = |pair: String| {
        let pair = pair
            .trim_start_matches('{')
            .trim_end_matches('}')
            .to_owned();
        let (_, value) = pair.split_once('=')?;
        Some(value.trim().to_owned())
    };
    braced(text).into_iter().filter_map(result).collect()
}

/// The members of `{ … }`.
fn braced(text: &str) -> Vec<String> {
    let inner = text.trim().strip_prefix('{');
    let inner = inner.and_then(|text| text.strip_suffix('}'));
    inner.map_or_else(Vec::new, split_list)
}

/// The `result_format` of a table of a database, whose results come from entries.
fn formats(text: &str) -> Vec<String> {
    let format = |line: String| {
        let (name, value) = line.split_once('=')?;
        (name.trim() == "result_format").then(|| value.trim().to_owned())
    };
    logical(text).filter_map(format).collect()
}

/// The result in a line of an indexed table.
fn of_line(line: &str) -> Option<String> {
    let (_, value) = line.trim().split_once([' ', '\t'])?;
    Some(value.trim().to_owned())
}

/// The result in a line of regexp_table(5) or pcre_table(5): the text after the pattern and its flags.
fn of_pattern(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches('!');
    let delimiter = line
        .chars()
        .next()
        .filter(|first| !first.is_alphanumeric())?;
    let mut is_escaped = false;
    let end = line.char_indices().skip(1).find(|(_, letter)| {
        let ends = *letter == delimiter && !is_escaped;
        is_escaped = *letter == '\\' && !is_escaped;
        ends
    });
    of_line(line.get(end?.0..)?)
}

/// The destination of a `FILTER transport:destination` action.
fn filter_of(result: &str) -> Option<String> {
    let mut words = result.split_whitespace();
    let is_filter = words.next()?.eq_ignore_ascii_case("filter");
    words.next().filter(|_| is_filter).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::postfix::catalogue::tables;

    #[test]
    fn results_are_read_as_each_type_writes_them() {
        for (table, text, results, filters) in [
            (
                "hash:/t",
                "a  relay:[x]\nb\n  smtp:y\n# no\n",
                &["relay:[x]", "smtp:y"][..],
                &[][..],
            ),
            (
                "ldap:/t",
                "result_attribute = a\nresult_format = relay:[%s]:25\n",
                &["relay:[%s]:25"],
                &[],
            ),
            (
                "inline:{ a=smtp:x, { b = lmtp:unix:/y } }",
                "",
                &["smtp:x", "lmtp:unix:/y"],
                &[],
            ),
            ("static:error:no", "", &["error:no"], &[]),
            ("randmap:{a:x, b:y}", "", &["a:x", "b:y"], &[]),
            (
                "regexp:/t",
                "/^a b\\/c/i FILTER scan:[::1]:1\nif /x/\nendif\n!/z/ OK\n",
                &["FILTER scan:[::1]:1", "OK"],
                &["scan:[::1]:1"],
            ),
            (
                "cidr:/t",
                "10.0.0.0/8 filter scan:x\n",
                &["filter scan:x"],
                &["scan:x"],
            ),
        ] {
            let read = tables::read(table);
            let found = of(&read[0], &|_| Some(text.to_owned()));
            assert_eq!(found.results, results, "{table}");
            assert_eq!(found.filters, filters, "{table}");
        }
    }
}
