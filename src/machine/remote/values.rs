//! What a host is to verify of values before anything changes, in words of its program.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::machine::Orders;
use crate::name::Parameter;
use crate::postfix::catalogue::{self, Takes};
use crate::postfix::{Edit, Entry};

/// Changed parameters, and options of services, whose value must be a number, a time, or `yes` or `no`, each with
/// its limits. A line break stands before each, so that a name is found whole.
pub(super) fn numbers(orders: &Orders) -> String {
    let mut text = "\n".to_owned();
    for (name, parameter) in changed(&orders.edits) {
        let Some(takes) = catalogue::takes(parameter.as_str()) else {
            continue;
        };
        let kind = match takes {
            Takes::Number => "number",
            Takes::Time => "time",
            Takes::YesOrNo => "boolean",
        };
        let (least, most) = catalogue::limits(parameter.as_str());
        let most = most.map_or_else(|| "-".to_owned(), |most| most.to_string());
        let _ = writeln!(text, "{name} {kind} {least} {most}");
    }
    text
}

/// The names of what is changed by itself, and not by something that it refers to.
pub(super) fn direct(orders: &Orders) -> String {
    let names: Vec<String> = changed(&orders.edits).map(|(name, _)| name).collect();
    format!(" {} ", names.join(" "))
}

/// Whether master(8) is made to listen where it may not have before.
pub(super) fn opens_doors(orders: &Orders) -> bool {
    let opens =
        |edit: &Edit| matches!(edit, Edit::SetService(service, _) if service.parts().1 == "inet");
    orders.edits.iter().any(opens)
}

/// Parameters and options of services that are set, each as postconf(1) lists it.
fn changed(edits: &[Edit]) -> impl Iterator<Item = (String, Parameter)> {
    edits.iter().flat_map(|edit| match edit {
        Edit::Set(name, _) => vec![(name.to_string(), name.clone())],
        Edit::SetOption(service, name, _) => vec![(format!("{service}/{name}"), name.clone())],
        // Written whole, an entry has options that no edit of their own sets.
        Edit::SetService(service, line) => Entry::of_line(line)
            .iter()
            .flat_map(Entry::option_names)
            .map(|name| (format!("{service}/{name}"), name))
            .collect(),
        _ => Vec::new(),
    })
}

/// The table types that the host must have: of indexes, tables, and values of main.cf.
pub(super) fn table_types(orders: &Orders) -> String {
    let mut types = BTreeSet::new();
    let tables = orders.indexes.iter().chain(&orders.tables);
    types.extend(tables.map(|(_, kind)| kind.as_str()));
    for edit in &orders.edits {
        if let Edit::Set(name, value) = edit
            && holds_tables(name)
        {
            types.extend(
                value
                    .split([',', ' ', '\t'])
                    .map(|word| word.trim_start_matches("proxy:"))
                    .filter_map(|word| word.split_once(':'))
                    .filter(|(kind, rest)| {
                        rest.starts_with(['/', '{', '$'])
                            && kind
                                .bytes()
                                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
                    })
                    .map(|(kind, _)| kind),
            );
        }
    }
    types.into_iter().collect::<Vec<_>>().join(" ")
}

/// Parameters whose values are lookup tables; in others `lmtp:unix:/path` is no table.
fn holds_tables(name: &Parameter) -> bool {
    catalogue::tables::holds_tables(name.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::name::ServiceName;

    #[test]
    fn the_options_of_an_entry_that_is_written_whole_are_validated_too() {
        let service = ServiceName::new("x/unix").unwrap();
        let line = "x unix - - n - - smtp -v -o {a=b c} -o smtp_connect_timeout=$mytime";
        let edits = [Edit::SetService(service, line.to_owned())];
        let names: Vec<String> = changed(&edits).map(|(name, _)| name).collect();
        assert_eq!(names, ["x/unix/a", "x/unix/smtp_connect_timeout"]);
    }
}
