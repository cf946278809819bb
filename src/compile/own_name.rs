//! The name of a host's Postfix: tables name the host as its `myhostname` does.

use std::collections::BTreeMap;

use super::check::fixed_value;
use super::work::Work;
use crate::diagnostic::{Diagnostic, Span};
use crate::model::{Host, HostState, Layer, Level, Murder, SMART_HOST, SettingSpec};
use crate::module::Modules;
use crate::name::{HostName, Parameter};
use crate::service::Service;
use crate::state::{Facts, Want};
use crate::thing::Thing;

const PARAMETER: &str = "myhostname";

/// The hosts of a murder by the names of their Postfix. Where several have one name, the first by host name.
pub(super) type Owners = BTreeMap<HostName, HostName>;

/// What a manifest says of a host's `myhostname`.
enum OwnName<'a> {
    /// Nothing, so that modules set it to the host's name.
    OfHost,
    /// This name, with the place.
    Set(HostName, Span),
    /// Something that is no name, or that only the host knows.
    Unclear(&'a str, Span),
    /// The host's own default, because `myhostname` must not be set.
    Unset(Span),
}

/// The hosts that are not retired, by the names of their Postfix.
pub(super) fn owners(murder: &Murder) -> Owners {
    let mut owners = Owners::new();
    for host in murder.hosts.values() {
        if host.state == HostState::Retired {
            continue;
        }
        for service in host.roles_on() {
            let name = of_host(&host.part(service), &host.facts);
            // A host that has its own name is never the one at fault.
            if name == host.name {
                owners.insert(name, host.name.clone());
            } else {
                owners.entry(name).or_insert_with(|| host.name.clone());
            }
        }
    }
    owners
}

/// The name of a host's Postfix: its `myhostname` in the manifest, else the name of the host.
pub(super) fn of_host(host: &Host, facts: &Facts) -> HostName {
    match read(host, facts) {
        OwnName::Set(name, _) => name,
        _ => host.name.clone(),
    }
}

/// The service that a host's name means to others: the one with the smart host's role where the host is the smart host,
/// else the main one.
#[must_use]
pub fn service_of_name(murder: &Murder, modules: &Modules, host: &Host) -> Service {
    let is_smart = murder.smart_host.as_ref() == Some(&host.name);
    let smart = modules.placed(host, SMART_HOST).filter(|_| is_smart);
    smart.cloned().unwrap_or_else(|| host.main_service())
}

/// The name under which others reach the role of a host that has a capability: the host's, or that of the instance where
/// another instance has the host's.
pub(super) fn of_capability(
    murder: &Murder,
    modules: &Modules,
    host: &Host,
    capability: &str,
) -> HostName {
    match modules.placed(host, capability) {
        Some(service) if *service != service_of_name(murder, modules, host) => {
            of_host(&host.part(service), &host.facts)
        }
        _ => host.name.clone(),
    }
}

fn read<'a>(host: &'a Host, facts: &Facts) -> OwnName<'a> {
    let Some(layer) = Parameter::new(PARAMETER)
        .ok()
        .and_then(|name| nearest(host, &name))
    else {
        return OwnName::OfHost;
    };
    match &layer.value {
        SettingSpec::Unset => OwnName::Unset(layer.at),
        SettingSpec::Edit(_) => OwnName::OfHost,
        SettingSpec::Value(text) => {
            let value = if text.contains('$') {
                fixed_value(&values(host), facts, text)
            } else {
                Some(text.trim().to_owned())
            };
            match value.map(HostName::new) {
                Some(Ok(name)) => OwnName::Set(name, layer.at),
                _ => OwnName::Unclear(text, layer.at),
            }
        }
    }
}

/// The nearest layer that sets a parameter on this host.
fn nearest<'h>(host: &'h Host, name: &Parameter) -> Option<&'h Layer<SettingSpec>> {
    let layers = host.settings.get(name)?;
    layers.iter().find(|layer| match &layer.level {
        Level::Role(role) => host.roles.contains(role),
        _ => true,
    })
}

/// The plain values of the manifest's parameters on this host.
fn values(host: &Host) -> BTreeMap<Thing, Want<String>> {
    let named = host.settings.keys().filter_map(|name| {
        let want = match &nearest(host, name)?.value {
            SettingSpec::Value(text) => Want::Present(text.clone()),
            SettingSpec::Unset => Want::Absent,
            SettingSpec::Edit(_) => return None,
        };
        Some((Thing::Parameter(name.clone()), want))
    });
    named.collect()
}

impl Work<'_> {
    /// Checks that the tables can name the host, and that no other host of the murder has its name.
    pub(super) fn check_own_name(&mut self, murder: &Murder, owners: &Owners) {
        let host = self.host;
        match read(host, self.facts) {
            OwnName::OfHost => {}
            OwnName::Set(name, at) => {
                if let Some(problem) = misused(host, &name, at, murder, owners) {
                    self.problems.push(problem);
                }
            }
            OwnName::Unclear(text, at) => self.problems.push(
                Diagnostic::error(format!("`{PARAMETER}` of `{}` is not known", host.name))
                    .at(at, "")
                    .detail(format!(
                        "tables of this host must name it, and `{text}` is no host name that is known without the host"
                    ))
                    .hint("write the whole name, as in `myhostname: imap1.example.org`"),
            ),
            OwnName::Unset(at) => self.compiled.warnings.push(
                Diagnostic::warning(format!("`{PARAMETER}` of `{}` is not set", host.name))
                    .at(at, "")
                    .detail(format!(
                        "tables of this host name it `{}`; mail for root at another name would leave the host",
                        host.name
                    ))
                    .hint("write the name, or check that `hostname` gives it on the host"),
            ),
        }
    }
}

/// The problem with a name that has another meaning in the murder.
fn misused(
    host: &Host,
    name: &HostName,
    at: Span,
    murder: &Murder,
    owners: &Owners,
) -> Option<Diagnostic> {
    if murder
        .domains
        .iter()
        .any(|domain| domain.name.as_str() == name.as_str())
    {
        return Some(
            Diagnostic::error(format!(
                "`{PARAMETER}` of `{}` is a mail domain: `{name}`",
                host.name
            ))
            .at(at, "the host would deliver the domain's mail as local mail")
            .hint("write a name of the host's own, such as the one in its MX record"),
        );
    }
    let owner = owners.get(name).filter(|owner| **owner != host.name)?;
    Some(
        Diagnostic::error(format!(
            "`{owner}` and `{}` have the same `{PARAMETER}`: `{name}`",
            host.name
        ))
        .at(at, "")
        .detail("Postfix refuses to send mail to a host that greets it with its own name: `mail loops back to myself`")
        .hint("give each host a name of its own, or leave the setting out for the host's name"),
    )
}
