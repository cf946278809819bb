//! The resolver of trivial-rewrite(8): transport, next hop and recipient of an address.

use super::address::{has_mail_domain, is_mail_domain, split};
use super::maps::{AddressHit, AddressLookup, Hit, Keys, Known, Maps, QueryForm};
use super::reader::ParameterReader;
use super::table::{LookupError, MatchStyle, NameList};
use crate::directory::Directory;
use crate::postfix::configuration::AddressClass;

/// Where a recipient goes from a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The recipient, after routing operators such as `user%domain@here`.
    pub recipient: String,
    /// Its address class; none if it is in the default class.
    pub class: Option<AddressClass>,
    /// The service of master.cf that delivers.
    pub transport: String,
    /// Where it delivers to; a text with `error` and `retry`.
    pub nexthop: String,
    /// Whether the local part has `@`, `%` or `!`.
    pub is_routed: bool,
    /// Whether smtpd(8) refuses and qmgr(8) bounces the address for its form.
    pub is_malformed: bool,
    /// The table entry that decided, if one did.
    pub hit: Option<Hit>,
    /// The parameters that decided where no table did.
    pub parameters: Vec<&'static str>,
}

/// The parameters of trivial-rewrite(8).
#[derive(Debug)]
pub struct Resolver {
    lookup: AddressLookup,
    myhostname: Known<String>,
    mydomain: Known<String>,
    virtual_alias_domains: Known<NameList>,
    virtual_mailbox_domains: Known<NameList>,
    relay_domains: Known<NameList>,
    local_transport: Known<String>,
    virtual_transport: Known<String>,
    relay_transport: Known<String>,
    default_transport: Known<String>,
    relayhost: Known<String>,
    transport_maps: Maps,
    bare_parents: bool,
    relocated_maps: Maps,
    /// The tables that depend on the sender.
    sender_maps: [Maps; 2],
    appends_mydomain: bool,
    swaps_bang: bool,
    has_percent_hack: bool,
    resolves_dequoted: bool,
    /// `allow_min_user`.
    allows_dash: bool,
    /// `resolve_numeric_domain`.
    resolves_numeric: bool,
}

impl Route {
    /// An address that no table is asked for.
    fn malformed(recipient: String) -> Self {
        Self {
            recipient,
            class: None,
            transport: "error".to_owned(),
            nexthop: "5.1.3 bad address syntax".to_owned(),
            is_routed: false,
            is_malformed: true,
            hit: None,
            parameters: Vec::new(),
        }
    }
}

impl Resolver {
    /// Reads the parameters of the service `rewrite/unix`.
    pub fn read(reader: &mut ParameterReader<'_, '_>) -> Self {
        let relay_style = reader.style("relay_domains");
        Self {
            lookup: reader.address_lookup(),
            myhostname: reader.text("myhostname"),
            mydomain: reader.text("mydomain"),
            virtual_alias_domains: reader.names("virtual_alias_domains", MatchStyle::Exact),
            virtual_mailbox_domains: reader.names("virtual_mailbox_domains", MatchStyle::Exact),
            relay_domains: reader.names("relay_domains", relay_style),
            local_transport: reader.text("local_transport"),
            virtual_transport: reader.text("virtual_transport"),
            relay_transport: reader.text("relay_transport"),
            default_transport: reader.text("default_transport"),
            relayhost: reader.text("relayhost"),
            transport_maps: reader.maps("transport_maps"),
            bare_parents: reader.style("transport_maps") == MatchStyle::Parents,
            relocated_maps: reader.maps("relocated_maps"),
            sender_maps: [
                reader.maps("sender_dependent_default_transport_maps"),
                reader.maps("sender_dependent_relayhost_maps"),
            ],
            appends_mydomain: reader.is_on("append_dot_mydomain"),
            swaps_bang: reader.is_on("swap_bangpath"),
            has_percent_hack: reader.is_on("allow_percent_hack"),
            resolves_dequoted: reader.is_on("resolve_dequoted_address"),
            allows_dash: reader.is_on("allow_min_user"),
            resolves_numeric: reader.is_on("resolve_numeric_domain"),
        }
    }

    /// The domains that its address classes have by name, as far as they are known.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        let lists = [
            &self.lookup.local.mydestination,
            &self.virtual_alias_domains,
            &self.virtual_mailbox_domains,
            &self.relay_domains,
        ];
        lists.into_iter().flatten().flat_map(NameList::domains)
    }

    /// An address in canonical form: with a domain (trivial-rewrite(8), "rewrite local").
    ///
    /// # Errors
    /// If the domain that is added is not known.
    pub fn canonical(&self, address: &str) -> Known<String> {
        let mut full = match split(address) {
            (_, Some(_)) => address.to_owned(),
            (local, None) => match (local.split_once('!'), local.rsplit_once('%')) {
                (Some((site, user)), _) if self.swaps_bang => format!("{user}@{site}"),
                (_, Some((user, site))) if self.has_percent_hack => format!("{user}@{site}"),
                _ => {
                    let origin = self.lookup.local.myorigin.as_ref().map_err(Clone::clone)?;
                    format!("{local}@{origin}")
                }
            },
        };
        let domain = split(&full).1.unwrap_or_default();
        let is_bare = !domain.is_empty() && !domain.contains('.') && !domain.starts_with('[');
        if self.appends_mydomain && is_bare {
            let mydomain = self.mydomain.as_ref().map_err(Clone::clone)?;
            full = format!("{full}.{mydomain}");
        }
        if full.ends_with('.') && !full.ends_with("..") && !full.ends_with("@.") {
            full.pop();
        }
        Ok(full)
    }

    /// Where an address goes.
    ///
    /// # Errors
    /// If a table on the way has no answer.
    pub fn resolve(&self, address: &str, directory: &Directory) -> Known<Route> {
        if !has_mail_domain(address) {
            return Ok(Route::malformed(address.to_owned()));
        }
        let (recipient, is_local) = self.strip_local(address, directory)?;
        let domain = split(&recipient).1.unwrap_or_default().to_owned();
        if !is_mail_domain(&domain) {
            return self.malformed(recipient);
        }
        let (class, transport, parameter) = self.class_of(&domain, is_local, directory)?;
        let mut parameters = vec![parameter];
        let off_host = matches!(class, Some(AddressClass::Relay) | None);
        let mut nexthop = domain.clone();
        if off_host {
            let relayhost = self.relayhost.as_ref().map_err(Clone::clone)?;
            if !relayhost.is_empty() {
                nexthop.clone_from(relayhost);
                parameters.push("relayhost");
            }
        }
        let (mut channel, own) = transport.split_once(':').unwrap_or((&transport, ""));
        if !own.is_empty() {
            own.clone_into(&mut nexthop);
            parameters.truncate(1);
        }
        if class == Some(AddressClass::VirtualAlias) {
            (channel, nexthop) = (
                "error",
                "5.1.1 User unknown in virtual alias table".to_owned(),
            );
        }
        if channel.is_empty() {
            return Err(LookupError::Temporary(format!(
                "`{parameter}` has no transport"
            )));
        }
        // The first separator decides: `user%elsewhere@here`, `elsewhere!user@here`, `user@elsewhere@here`.
        let first = recipient
            .find(['@', '%', '!'])
            .map(|at| &recipient[at + 1..]);
        let mut route = Route {
            is_routed: first != Some(domain.as_str()),
            // A program behind may take the dash for an option.
            is_malformed: recipient.starts_with('-') && !self.allows_dash,
            class,
            transport: channel.to_owned(),
            nexthop,
            hit: None,
            parameters,
            recipient,
        };
        if class != Some(AddressClass::VirtualAlias) {
            self.override_route(&mut route, &domain, directory)?;
        }
        self.relocate(&mut route, directory)?;
        self.not_by_sender(&route, !own.is_empty())?;
        Ok(route)
    }

    /// The route of an address whose domain is no name.
    fn malformed(&self, recipient: String) -> Known<Route> {
        match self.resolves_numeric {
            false => Ok(Route::malformed(recipient)),
            true => Err(LookupError::NotModelled(
                "`resolve_numeric_domain` is not modelled".to_owned(),
            )),
        }
    }

    /// Fails where a parameter decides by the sender about a route; `has_own` says that the transport of the class has a next hop.
    fn not_by_sender(&self, route: &Route, has_own: bool) -> Known<()> {
        let value = route.hit.as_ref().map(|hit| hit.answer.value.as_str());
        let is_moved = route
            .hit
            .as_ref()
            .is_some_and(|hit| hit.parameter == "relocated_maps");
        let (channel, nexthop) = value
            .and_then(|value| value.split_once(':'))
            .unwrap_or((value.unwrap_or_default(), ""));
        if is_moved || !channel.is_empty() {
            return Ok(());
        }
        let [transports, relayhosts] = &self.sender_maps;
        let has_nexthop = has_own || !nexthop.is_empty();
        let parameter = match route.class {
            // It may have a next hop, too.
            None if !transports.is_empty() => "sender_dependent_default_transport_maps",
            None | Some(AddressClass::Relay) if !relayhosts.is_empty() && !has_nexthop => {
                "sender_dependent_relayhost_maps"
            }
            _ => return Ok(()),
        };
        let what = format!("`{parameter}` decides by the sender");
        Err(LookupError::NotModelled(what))
    }

    /// The recipient without local domains and routing operators, and whether its domain is local.
    fn strip_local(&self, address: &str, directory: &Directory) -> Known<(String, bool)> {
        const MOST: usize = 100;
        let mut address = address.to_owned();
        let mut last_domain = None;
        for _ in 0..MOST {
            let (local, domain) = split(&address);
            if let Some(domain) = domain {
                if !domain.is_empty() && !self.lookup.local.is_local(domain, directory)? {
                    return Ok((address, false));
                }
                last_domain = Some(domain.to_owned());
            }
            let local = local.to_owned();
            let operator = |c: char| match c {
                '@' => self.resolves_dequoted,
                '!' => self.swaps_bang,
                '%' => self.has_percent_hack,
                _ => false,
            };
            if local.contains(operator) {
                address = self.canonical(&local)?;
                continue;
            }
            let user = if local.is_empty() {
                "MAILER-DAEMON"
            } else {
                &local
            };
            let domain = match last_domain {
                Some(domain) if !domain.is_empty() => domain,
                _ => self.myhostname.clone()?,
            };
            return Ok((format!("{user}@{domain}"), true));
        }
        Err(LookupError::NotModelled(
            "the address has too many routing operators".to_owned(),
        ))
    }

    fn class_of(
        &self,
        domain: &str,
        is_local: bool,
        directory: &Directory,
    ) -> Known<(Option<AddressClass>, String, &'static str)> {
        let within = |list: &Known<NameList>| {
            list.as_ref()
                .map_err(Clone::clone)?
                .matches(domain, directory)
        };
        if is_local {
            return Ok((
                Some(AddressClass::Local),
                self.local_transport.clone()?,
                "local_transport",
            ));
        }
        if within(&self.virtual_alias_domains)? {
            let class = Some(AddressClass::VirtualAlias);
            return Ok((class, "error".to_owned(), "virtual_alias_domains"));
        }
        if within(&self.virtual_mailbox_domains)? {
            let class = Some(AddressClass::VirtualMailbox);
            return Ok((class, self.virtual_transport.clone()?, "virtual_transport"));
        }
        if within(&self.relay_domains)? {
            return Ok((
                Some(AddressClass::Relay),
                self.relay_transport.clone()?,
                "relay_transport",
            ));
        }
        Ok((None, self.default_transport.clone()?, "default_transport"))
    }

    /// Applies `transport_maps` (transport(5), "RESULT FORMAT").
    fn override_route(&self, route: &mut Route, domain: &str, directory: &Directory) -> Known<()> {
        let keys = Keys::OfDomains {
            bare_parents: self.bare_parents,
        };
        let maps = &self.transport_maps;
        let mut found = self.lookup.find(
            maps,
            &route.recipient,
            QueryForm::QuotedFirst,
            keys,
            directory,
        )?;
        if found.is_none() {
            let any = maps.find_key("*", false, directory)?;
            found = any.map(AddressHit::whole);
        }
        let Some(found) = found else { return Ok(()) };
        let value = found.hit.answer.value.clone();
        let (channel, nexthop) = value.split_once(':').unwrap_or((&value, ""));
        if !channel.is_empty() {
            channel.clone_into(&mut route.transport);
            route.nexthop = match channel {
                "error" | "retry" => "Address is undeliverable".to_owned(),
                _ => domain.to_owned(),
            };
        }
        if !nexthop.is_empty() {
            nexthop.clone_into(&mut route.nexthop);
        }
        route.hit = Some(found.hit);
        Ok(())
    }

    fn relocate(&self, route: &mut Route, directory: &Directory) -> Known<()> {
        let (maps, keys) = (&self.relocated_maps, Keys::OfAddresses);
        let found = self.lookup.find(
            maps,
            &route.recipient,
            QueryForm::QuotedFirst,
            keys,
            directory,
        )?;
        if let Some(found) = found {
            "error".clone_into(&mut route.transport);
            route.nexthop = format!("5.1.6 User has moved to {}", found.hit.answer.value);
            route.hit = Some(found.hit);
        }
        Ok(())
    }
}
