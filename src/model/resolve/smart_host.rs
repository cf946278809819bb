//! Where hosts send what is not their own: the host that the manifest names, or the only one that can be it.

use crate::diagnostic::Diagnostic;
use crate::manifest::Node;
use crate::model::resolve::hints::provider_hint;
use crate::model::resolve::hosts::Hosts;
use crate::model::resolve::{Resolver, rules};
use crate::model::role::SMART_HOST;
use crate::model::{Host, HostState};
use crate::name::HostName;
use crate::nearest;

impl<'a> Resolver<'a> {
    /// The smart host: the one of the key `smart_host`, or the only host that can be it. None where the manifest
    /// leaves it open, with a diagnostic where hosts need one.
    pub(super) fn smart_host(
        &mut self,
        hosts: &Hosts<'a>,
        external: &[HostName],
    ) -> Option<HostName> {
        if let Some(node) = self.root.get("smart_host") {
            return self.named_smart_host(node, hosts, external);
        }
        // A role whose module could not be read may be the one, or not.
        if self.context.roles.values().any(|role| role.unusable) {
            return None;
        }
        let able = |state: &[HostState]| -> Vec<&Host> {
            hosts
                .built
                .values()
                .filter(|host| state.contains(&host.state))
                .filter(|host| hosts.provides(host, SMART_HOST, self.context.roles))
                .collect()
        };
        let staying = able(&[HostState::Active, HostState::Draining]);
        let joining = able(&[HostState::Joining]);
        let retired = able(&[HostState::Retired]);
        match staying.as_slice() {
            [only] => Some(only.name.clone()),
            [first, second, ..] => {
                self.say(several(first, second));
                None
            }
            [] => match (joining.first(), retired.first()) {
                (Some(only), _) => self.joining_smart_host(only, hosts),
                (None, Some(last)) if hosts.any_living() => {
                    self.say(retired_smart_host(last, hosts));
                    None
                }
                (None, _) => None,
            },
        }
    }

    /// The host of the key `smart_host`: one of the murder that routes for others, or an external name.
    fn named_smart_host(
        &mut self,
        node: &Node,
        hosts: &Hosts<'a>,
        external: &[HostName],
    ) -> Option<HostName> {
        let name = HostName::new(node.text()?).ok()?;
        if let Some(host) = hosts.built.get(&name) {
            if !hosts.provides(host, SMART_HOST, self.context.roles) {
                self.say(
                    Diagnostic::error(format!("`{name}` is not a smart host"))
                        .at(node.span, "mail sent there would come back")
                        .related(host.at, "has no role that routes for others")
                        .hint(provider_hint(self.context.roles, SMART_HOST)),
                );
            }
        } else if !external.contains(&name) && !hosts.named.contains_key(&name) {
            let names = hosts.named.keys().map(HostName::as_str);
            let problem = Diagnostic::error(format!("`{name}` is not a host of this murder"))
                .at(node.span, "neither in `hosts` nor in `external`");
            self.say(match nearest::nearest(name.as_str(), names) {
                Some(near) => problem.hint(format!("did you mean `{near}`?")),
                None => problem.hint("add it to `external` if it is a virtual name"),
            });
        }
        Some(name)
    }

    /// The only smart host is joining: right where no other host sends mail to it.
    fn joining_smart_host(&mut self, only: &Host, hosts: &Hosts<'a>) -> Option<HostName> {
        let mut others = hosts.built.values().filter(|host| host.name != only.name);
        if others.all(|host| host.state == HostState::Retired) {
            return Some(only.name.clone());
        }
        self.say(
            rules::joining(only, hosts.state_place(only))
                .detail("it is the only smart host, so the other hosts send their mail there"),
        );
        None
    }
}

fn retired_smart_host(last: &Host, hosts: &Hosts<'_>) -> Diagnostic {
    Diagnostic::error(format!(
        "`{}` is retired, and no smart host is left",
        last.name
    ))
    .at(
        hosts.state_place(last),
        "the other hosts still send their mail there",
    )
    .hint("add another smart host first, or set `smart_host`")
}

fn several(first: &Host, second: &Host) -> Diagnostic {
    Diagnostic::error("several hosts could be the smart host")
        .at(second.at, "this one too")
        .related(first.at, "this one")
        .hint(format!(
            "set `smart_host: {}`, or set it to a virtual name of both and add that name to `external`",
            first.name
        ))
}
