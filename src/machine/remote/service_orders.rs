//! What is ordered of each service, as variables and functions of the host's program.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::errors::unsayable;
use super::observe::quote;
use super::values::{self, lines};
use crate::exchange::{Failure, ServiceOrders};
use crate::machine::{Activation, Orders};
use crate::postfix::Edit;
use crate::service::Service;

/// The services that the orders concern, in the order of work: those whose configuration they expect, and those that
/// they change. Orders of neither kind stand in for the default instance of Postfix.
fn services(orders: &Orders) -> BTreeSet<Service> {
    let expected = orders.expects.services.keys();
    let mut all: BTreeSet<Service> = expected.chain(orders.services.keys()).cloned().collect();
    if all.is_empty() {
        all.insert(Service::POSTFIX);
    }
    all
}

/// The assignments of all services: plain names for the first one, and `NAME_NUMBER` for each other.
///
/// # Errors
/// A [`Failure`] where an address contains characters that a shell would change.
pub(super) fn assignments(orders: &Orders) -> Result<String, Failure> {
    let mut text = String::new();
    let (mut numbers, mut folders) = (Vec::new(), Vec::new());
    for (number, service) in (1..).zip(services(orders)) {
        let suffix = match number {
            1 => String::new(),
            number => format!("_{number}"),
        };
        let folder = service.folder();
        for (name, value) in words(orders.service(&service))? {
            let _ = writeln!(text, "{name}{suffix}={}", quote(&value));
        }
        let _ = writeln!(text, "CF{suffix}={folder}");
        numbers.push(number.to_string());
        folders.push(folder);
    }
    let _ = writeln!(text, "SERVICES={}", quote(&numbers.join(" ")));
    let _ = writeln!(text, "FOLDERS={}", quote(&folders.join(" ")));
    Ok(text)
}

/// The variables of one service.
fn words(orders: &ServiceOrders) -> Result<Vec<(&'static str, String)>, Failure> {
    let flag = |truth: bool| if truth { "1" } else { "" }.to_owned();
    let activation = match orders.activation {
        Activation::Nothing => "not",
        Activation::Reload => "reload",
        Activation::Restart => "restart",
    };
    let indexes = lines(&orders.indexes, |index| {
        let (kind, path) = (&index.table_type, &index.source);
        let suffix = kind.index_suffix().unwrap_or("-");
        format!("{kind} {path} {suffix} {}", index.program())
    });
    let tables = lines(&orders.tables, |(path, kind)| format!("{kind} {path}"));
    Ok(vec![
        ("INDEXES", indexes),
        ("TABLES", tables),
        ("TYPES", values::table_types(orders)),
        ("EDITS", flag(!orders.edits.is_empty())),
        ("CHECK", flag(orders.check)),
        ("ACTIVATION", activation.to_owned()),
        ("ACCEPT", addresses(&orders.probes.accept)?),
        ("REFUSE", addresses(&orders.probes.refuse)?),
        ("NUMBERS", values::numbers(orders)),
        ("DIRECT", values::direct(orders)),
    ])
}

fn addresses(addresses: &[String]) -> Result<String, Failure> {
    for address in addresses {
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>');
        if address.is_empty() || !address.bytes().all(plain) {
            return Err(unsayable("an address to probe", address));
        }
    }
    Ok(addresses.join(" "))
}

/// The functions that edit main.cf and master.cf, one for each service.
pub(super) fn edits(orders: &Orders) -> String {
    let numbered = (1..).zip(services(orders));
    let functions =
        numbered.map(|(number, service)| edits_of(number, &orders.service(&service).edits));
    functions.collect()
}

/// One call of postconf(1) for each run of edits of one kind: every call rewrites the whole file.
fn edits_of(number: usize, edits: &[Edit]) -> String {
    let mut text = format!("orders_edits_{number}() {{\n:\n");
    let mut last = "";
    for edit in edits {
        let (option, word) = edit_words(edit);
        if option != last {
            let _ = write!(
                text,
                "{}edit {option}",
                if last.is_empty() { "" } else { "\n" }
            );
            last = option;
        }
        let _ = write!(text, " {}", quote(&word));
    }
    text.push_str("\n}\n");
    text
}

fn edit_words(edit: &Edit) -> (&'static str, String) {
    match edit {
        Edit::Set(name, value) => ("-e", format!("{name}={value}")),
        Edit::Unset(name) => ("-X", name.to_string()),
        Edit::SetService(service, entry) => ("-M", format!("{service}={entry}")),
        Edit::UnsetService(service) => ("-MX", service.to_string()),
        Edit::SetField(service, field, value) => {
            ("-F", format!("{service}/{}={value}", field.as_str()))
        }
        Edit::SetOption(service, name, value) => ("-P", format!("{service}/{name}={value}")),
        Edit::UnsetOption(service, name) => ("-PX", format!("{service}/{name}")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::name::{Parameter, ServiceName};

    #[test]
    fn edits_of_one_kind_share_a_call() {
        let parameter = |text: &str| Parameter::new(text).unwrap();
        let service = ServiceName::new("lmtp/unix").unwrap();
        let edits = [
            Edit::SetOption(service, parameter("a"), "b".to_owned()),
            Edit::Set(parameter("relayhost"), "it's".to_owned()),
            Edit::Set(parameter("biff"), "no".to_owned()),
            Edit::Unset(parameter("x")),
        ];
        let text = edits_of(1, &edits);
        assert_eq!(
            text,
            "orders_edits_1() {\n:\nedit -P 'lmtp/unix/a=b'\nedit -e 'relayhost=it'\\''s' 'biff=no'\nedit -X 'x'\n}\n"
        );
    }
}
