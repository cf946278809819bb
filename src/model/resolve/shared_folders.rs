//! The shared folders that the manifest names, beside those in the directory.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Span};
use crate::manifest::Node;
use crate::model::resolve::Resolver;
use crate::model::resolve::hosts::Hosts;
use crate::model::{CyrusServer, Domain, SharedFolder};
use crate::name::HostName;

impl<'a> Resolver<'a> {
    pub(super) fn shared_folders(
        &mut self,
        hosts: &Hosts<'a>,
        servers: &[CyrusServer],
        domains: &[Domain],
        postuser: &str,
        delimiter: &str,
    ) -> Vec<SharedFolder> {
        let nodes = self.root.get("shared_folders").map_or(&[][..], Node::list);
        let mut folders = Vec::new();
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for node in nodes {
            let Some(folder) =
                self.shared_folder(node, hosts, servers, domains, postuser, delimiter)
            else {
                continue;
            };
            match seen.insert(folder.address.to_ascii_lowercase(), folder.at) {
                Some(first) => self.say(
                    Diagnostic::error(format!(
                        "two shared folders have the address `{}`",
                        folder.address
                    ))
                    .at(folder.at, "again")
                    .related(first, "first here")
                    .hint("give one of them another address; upper and lower case are the same"),
                ),
                None => folders.push(folder),
            }
        }
        folders
    }

    pub(super) fn shared_folder(
        &mut self,
        node: &Node,
        hosts: &Hosts<'a>,
        servers: &[CyrusServer],
        domains: &[Domain],
        postuser: &str,
        delimiter: &str,
    ) -> Option<SharedFolder> {
        let address = node.get("address");
        if let Some(address) = address {
            self.own_address(address, domains);
            self.address_of_no_alias(address, domains);
            self.postuser_collision(address, postuser, delimiter);
        }
        let backend = node.get("backend");
        if let Some(backend) = backend {
            self.mailbox_host(backend, hosts, servers);
        }
        let address = address?;
        Some(SharedFolder {
            address: address.text()?.to_owned(),
            backend: HostName::new(backend?.text()?).ok()?,
            folder: node.get("folder")?.text()?.to_owned(),
            at: address.span,
        })
    }
}
