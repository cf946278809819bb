//! The values that a host validates before it changes anything, as variables of its program.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::exchange::ServiceOrders;
use crate::name::Parameter;
use crate::postfix::catalogue::{self, Takes};
use crate::postfix::{Edit, MasterEntry};

/// One line for each item, as a shell function reads them.
pub(super) fn lines<T>(items: &[T], line: impl Fn(&T) -> String) -> String {
    let lines: Vec<String> = items.iter().map(line).collect();
    lines.join("\n")
}

/// Changed parameters, and options of services, whose value must be a number, a time, or `yes` or `no`, each with
/// its limits. A line break precedes each, so that the program finds whole names.
pub(super) fn numbers(orders: &ServiceOrders) -> String {
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

/// The names of parameters that change themselves, not only a value that they refer to.
pub(super) fn direct(orders: &ServiceOrders) -> String {
    let names: Vec<String> = changed(&orders.edits).map(|(name, _)| name).collect();
    format!(" {} ", names.join(" "))
}

/// Parameters and options of services that are set, each as postconf(1) lists it.
fn changed(edits: &[Edit]) -> impl Iterator<Item = (String, Parameter)> {
    edits.iter().flat_map(|edit| match edit {
        Edit::Set(name, _) => vec![(name.to_string(), name.clone())],
        Edit::SetOption(service, name, _) => vec![(format!("{service}/{name}"), name.clone())],
        // A whole entry has options without an edit of their own.
        Edit::SetService(service, line) => MasterEntry::of_line(line)
            .iter()
            .flat_map(MasterEntry::option_names)
            .map(|name| (format!("{service}/{name}"), name))
            .collect(),
        _ => Vec::new(),
    })
}

/// The table types that the host must have: of indexes, tables, and values of main.cf.
pub(super) fn table_types(orders: &ServiceOrders) -> String {
    let mut types = BTreeSet::new();
    let indexes = orders.indexes.iter().map(|index| &index.table_type);
    let tables = orders.tables.iter().map(|(_, kind)| kind);
    types.extend(indexes.chain(tables).map(ToString::to_string));
    for edit in &orders.edits {
        if let Edit::Set(name, value) = edit {
            types.extend(catalogue::tables::types_of(name.as_str(), value));
        }
    }
    types.into_iter().collect::<Vec<_>>().join(" ")
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

    /// The program on the host and the client must not disagree on which parameters open tables.
    #[test]
    fn the_patterns_for_awk_say_of_every_parameter_what_the_catalogue_says() {
        let (opening, not_opening) = catalogue::tables::opening_patterns();
        let mut names = catalogue::names();
        names.extend(["relay_clientcerts_x", "x_relay_clientcerts", "my_maps", "x"]);
        let text: String = names.iter().map(|name| format!("{name}\n")).collect();
        let mut child = std::process::Command::new("awk")
            .args(["-v", &format!("opening={opening}")])
            .args(["-v", &format!("not_opening={not_opening}")])
            .arg("{ print ($0 ~ opening && $0 !~ not_opening) }")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let said: Vec<bool> = output.lines().map(|line| line == "1").collect();
        let known: Vec<bool> = names
            .iter()
            .map(|name| catalogue::tables::opens_tables(name))
            .collect();
        for ((name, said), known) in names.iter().zip(&said).zip(&known) {
            assert_eq!(said, known, "{name}");
        }
        assert_eq!(said.len(), known.len());
    }
}
