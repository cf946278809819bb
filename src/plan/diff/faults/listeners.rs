//! Ports on which other hosts must reach the host, and cannot.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::postfix::configuration::{ListensOn, PortReach};
use crate::postfix::split_list;
use crate::state::Listens;

use super::{Fault, Faults, Side};

/// What the keys of these faults begin with.
pub(super) const KEY: &str = "listen ";

pub(super) fn unreachable(listens: &Listens, side: &Side<'_>) -> Faults {
    let mut faults = Faults::new();
    for port in &listens.ports {
        let fault = match side.configuration.port_reach(port) {
            Some(PortReach::Nothing) => Some(nothing(port)),
            Some(PortReach::LoopbackOnly(listeners)) => {
                let by_address = listeners.iter().find_map(|listener| match &listener.on {
                    ListensOn::Address(_) => Some(listener.service.as_str()),
                    ListensOn::Interfaces(_) => None,
                });
                Some(loopback(port, by_address, side))
            }
            Some(PortReach::Others) => other_protocol(port, listens, side),
            None => None,
        };
        faults.extend(fault.map(|fault| (format!("{KEY}{port}"), fault)));
    }
    faults
}

fn new(text: String, hint: String) -> Fault {
    Fault {
        text,
        hint,
        is_default: false,
        about: BTreeSet::new(),
        stays: false,
    }
}

fn nothing(port: &str) -> Fault {
    new(
        format!(
            "no service of master.cf listens on port `{port}`: no other host can send mail to this one"
        ),
        format!("add it with `services: {{{port}/inet: {{command: smtpd}}}}`"),
    )
}

fn loopback(port: &str, service: Option<&str>, side: &Side<'_>) -> Fault {
    let (what, hint) = match service {
        Some(service) => (
            format!("`{service}` in master.cf"),
            format!(
                "name the service `{port}/inet` in master.cf of the host, so that it listens on all of `inet_interfaces`"
            ),
        ),
        None => {
            let main = side.configuration.main();
            let value = main.expanded("inet_interfaces").text;
            (
                format!("`inet_interfaces = {}`", value.unwrap_or_default()),
                "set `settings: {inet_interfaces: all}`, or the addresses on which it must listen"
                    .to_owned(),
            )
        }
    };
    new(
        format!(
            "{what} listens on port `{port}` of the loopback interface only: no other host can send mail to this one"
        ),
        hint,
    )
}

/// The fault of a host whose addresses in the manifest are all of a family that `inet_protocols` leaves out.
fn other_protocol(port: &str, listens: &Listens, side: &Side<'_>) -> Option<Fault> {
    let protocols = side
        .configuration
        .main()
        .expanded("inet_protocols")
        .text
        .ok()?;
    let words = split_list(&protocols);
    let has = |family: &str| words.iter().any(|word| word == family || word == "all");
    let addresses: Vec<IpAddr> = listens
        .addresses
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    let is_served = |address: &IpAddr| has(if address.is_ipv4() { "ipv4" } else { "ipv6" });
    if addresses.is_empty() || addresses.iter().any(is_served) {
        return None;
    }
    Some(new(
        format!(
            "`inet_protocols = {protocols}` leaves out every address that the manifest gives the host ({}): no other host can reach its port `{port}` there",
            listens.addresses.join(", ")
        ),
        "set `settings: {inet_protocols: all}`".to_owned(),
    ))
}
