//! The answer of smtpd(8) to RCPT: access restrictions, then the recipient tables of the address class.

use std::net::IpAddr;

use super::address::split;
use super::maps::{AddressLookup, Hit, Keys, Known, Maps, QueryForm};
use super::reader::ParameterReader;
use super::reply::{Reply, split_status};
use super::resolve::{RecipientClass, Resolver, Route};
use super::restrictions::{self, AccessAction, Restriction};
use super::table::{HostTables, LookupError, MatchStyle, Network};
use crate::directory::Directory;
use crate::postfix::split_list;

/// A client of an SMTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpClient {
    /// A client with this address.
    Address(IpAddr),
    /// A host whose address is not known.
    Unknown,
}

/// The parameters of smtpd(8).
#[derive(Debug)]
pub struct Smtpd {
    lookup: AddressLookup,
    /// The tables that make an address valid, in their order.
    rewriting: [Maps; 3],
    local_recipient_maps: Maps,
    relay_recipient_maps: Maps,
    virtual_mailbox_maps: Maps,
    /// The lists in the order in which they are evaluated at RCPT.
    restrictions: Vec<Vec<Restriction>>,
    mynetworks: Known<Vec<(Network, bool)>>,
    rejects_unlisted: bool,
    soft_bounce: bool,
    codes: Codes,
    bare_parents: bool,
    /// A content filter, which takes the mail another way.
    pub content_filter: String,
    /// Whether addresses are rewritten (`receive_override_options`).
    pub maps_addresses: bool,
}

#[derive(Debug)]
struct Codes {
    local: u16,
    relay: u16,
    alias: u16,
    mailbox: u16,
    relay_access: u16,
    access: u16,
    reject: u16,
    defer: u16,
    non_fqdn: u16,
    unverified: u16,
    unverified_defer: u16,
}

/// The result of a list of restrictions.
#[derive(Debug)]
enum Verdict {
    Dunno,
    Permit,
    Reject(Reply, Option<Hit>),
}

/// What decides about one recipient.
pub struct RcptQuestion<'a> {
    /// The recipient in internal form.
    pub recipient: &'a str,
    /// The client.
    pub client: SmtpClient,
    /// The resolver of the host.
    pub resolver: &'a Resolver,
    /// The directory.
    pub directory: &'a Directory,
    /// The answer of the next host to the recipient, for `reject_unverified_recipient`.
    pub verify: &'a dyn Fn(&Route) -> Known<Reply>,
}

/// The answer to RCPT, and the table entry that decided, if one did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RcptAnswer {
    /// The answer.
    pub reply: Reply,
    /// The entry.
    pub hit: Option<Hit>,
}

impl Smtpd {
    /// Reads the parameters of the service that listens on port 25.
    pub fn read(reader: &mut ParameterReader<'_, '_>) -> Self {
        let code = |name: &str, reader: &ParameterReader<'_, '_>| {
            u16::try_from(reader.number(name, 550)).unwrap_or(550)
        };
        let options = split_list(&reader.text_or_empty("receive_override_options"));
        let has = |option: &str| options.iter().any(|word| word == option);
        Self {
            lookup: reader.address_lookup(),
            rewriting: [
                reader.maps("recipient_canonical_maps"),
                reader.maps("canonical_maps"),
                reader.maps("virtual_alias_maps"),
            ],
            local_recipient_maps: reader.maps("local_recipient_maps"),
            relay_recipient_maps: reader.maps("relay_recipient_maps"),
            virtual_mailbox_maps: reader.maps("virtual_mailbox_maps"),
            restrictions: lists(reader),
            mynetworks: networks(reader),
            rejects_unlisted: reader.is_on("smtpd_reject_unlisted_recipient"),
            soft_bounce: reader.is_on("soft_bounce"),
            codes: Codes {
                local: code("unknown_local_recipient_reject_code", reader),
                relay: code("unknown_relay_recipient_reject_code", reader),
                alias: code("unknown_virtual_alias_reject_code", reader),
                mailbox: code("unknown_virtual_mailbox_reject_code", reader),
                relay_access: code("relay_domains_reject_code", reader),
                access: code("access_map_reject_code", reader),
                reject: code("reject_code", reader),
                defer: code("defer_code", reader),
                non_fqdn: code("non_fqdn_reject_code", reader),
                unverified: code("unverified_recipient_reject_code", reader),
                unverified_defer: code("unverified_recipient_defer_code", reader),
            },
            bare_parents: reader.style("smtpd_access_maps") == MatchStyle::Parents,
            content_filter: reader.text_or_empty("content_filter"),
            maps_addresses: !has("no_address_mappings"),
        }
    }

    /// The answer to RCPT.
    ///
    /// # Errors
    /// If the answer is not modelled.
    pub fn rcpt(&self, question: &RcptQuestion<'_>) -> Known<RcptAnswer> {
        let answer = match self.decide(question) {
            Err(LookupError::Temporary(what)) => {
                let reply = Reply {
                    text: format!("Temporary lookup failure: {what}"),
                    ..Reply::lookup_failure()
                };
                RcptAnswer { reply, hit: None }
            }
            other => other?,
        };
        let RcptAnswer { reply, hit } = answer;
        let reply = match reply.code {
            code if code >= 500 && self.soft_bounce => {
                Reply::new(code - 100, &reply.enhanced, reply.text)
            }
            _ => reply,
        };
        Ok(RcptAnswer { reply, hit })
    }

    fn decide(&self, question: &RcptQuestion<'_>) -> Known<RcptAnswer> {
        let refused = |reply| Ok(RcptAnswer { reply, hit: None });
        let recipient = question.recipient;
        let (local, domain) = split(recipient);
        if recipient.eq_ignore_ascii_case("postmaster") {
            return refused(Reply::accepted());
        }
        // allow_min_user: a program behind may take the dash for an option.
        if local.starts_with('-') || recipient.is_empty() || domain == Some("") {
            return refused(Reply::new(501, "5.1.3", "Bad recipient address syntax"));
        }
        let mut is_listed = false;
        for list in &self.restrictions {
            match self.evaluate(list, question, &mut is_listed)? {
                Verdict::Reject(reply, hit) => return Ok(RcptAnswer { reply, hit }),
                Verdict::Dunno | Verdict::Permit => {}
            }
        }
        if self.rejects_unlisted && !is_listed {
            let answer = self.listed(question)?;
            return Ok(answer);
        }
        refused(Reply::accepted())
    }

    fn evaluate(
        &self,
        list: &[Restriction],
        question: &RcptQuestion<'_>,
        is_listed: &mut bool,
    ) -> Known<Verdict> {
        for restriction in list {
            let verdict = self.evaluate_one(restriction, question, is_listed)?;
            if !matches!(verdict, Verdict::Dunno) {
                return Ok(verdict);
            }
        }
        Ok(Verdict::Dunno)
    }

    fn evaluate_one(
        &self,
        restriction: &Restriction,
        question: &RcptQuestion<'_>,
        is_listed: &mut bool,
    ) -> Known<Verdict> {
        let codes = &self.codes;
        let reject =
            |code, enhanced, text: &str| Verdict::Reject(Reply::new(code, enhanced, text), None);
        Ok(match restriction {
            Restriction::OfOthers => Verdict::Dunno,
            Restriction::Permit => Verdict::Permit,
            Restriction::Reject(false) => reject(codes.reject, "5.7.1", "Access denied"),
            Restriction::Reject(true) => reject(codes.defer, "4.7.1", "Access denied"),
            Restriction::PermitMynetworks => match self.is_trusted(question) {
                Ok(true) => Verdict::Permit,
                Ok(false) => Verdict::Dunno,
                // Where the destination is ours, it does not matter whether the client may relay.
                Err(_) if self.is_authorized(question)? => Verdict::Dunno,
                Err(error) => return Err(error),
            },
            Restriction::PermitAuthDestination if self.is_authorized(question)? => Verdict::Permit,
            Restriction::PermitAuthDestination => Verdict::Dunno,
            Restriction::UnauthDestination(_) if self.is_authorized(question)? => Verdict::Dunno,
            Restriction::UnauthDestination(true) => reject(
                codes.relay_access.saturating_sub(100),
                "4.7.1",
                "Relay access denied",
            ),
            Restriction::UnauthDestination(false) => {
                reject(codes.relay_access, "5.7.1", "Relay access denied")
            }
            Restriction::UnlistedRecipient => {
                *is_listed = true;
                let answer = self.listed(question)?;
                if answer.reply.is_accepted() {
                    Verdict::Dunno
                } else {
                    Verdict::Reject(answer.reply, answer.hit)
                }
            }
            Restriction::UnverifiedRecipient => self.verified(question)?,
            Restriction::NonFqdnRecipient => {
                let domain = split(question.recipient).1.unwrap_or_default();
                if domain.contains('.') || domain.starts_with('[') {
                    Verdict::Dunno
                } else {
                    reject(codes.non_fqdn, "5.5.2", "need fully-qualified address")
                }
            }
            Restriction::RecipientAccess(maps) => {
                let hit = self.access_of_recipient(maps, question)?;
                self.act(hit, question, is_listed)?
            }
            Restriction::ClientAccess(maps) => {
                let hit = access_of_client(maps, question)?;
                self.act(hit, question, is_listed)?
            }
            Restriction::Class(list) => self.evaluate(list, question, is_listed)?,
            Restriction::Unknown(word) => {
                return Err(LookupError::NotModelled(format!(
                    "the restriction `{word}` is not modelled"
                )));
            }
        })
    }

    /// Whether `permit_mynetworks` permits the client.
    fn is_trusted(&self, question: &RcptQuestion<'_>) -> Known<bool> {
        let address = match question.client {
            SmtpClient::Unknown => {
                let what = "the address of the host that sends is not in the manifest".to_owned();
                return Err(LookupError::NotModelled(what));
            }
            SmtpClient::Address(address) => address,
        };
        let networks = self.mynetworks.as_ref().map_err(Clone::clone)?;
        let found = networks
            .iter()
            .find(|(network, _)| network.contains(address));
        Ok(found.is_some_and(|(_, is_exception)| !is_exception))
    }

    /// Whether mail for the recipient may be relayed for anyone (`permit_auth_destination`).
    fn is_authorized(&self, question: &RcptQuestion<'_>) -> Known<bool> {
        let route = self.route(question)?;
        Ok(!route.is_routed && route.class != RecipientClass::Default)
    }

    fn route(&self, question: &RcptQuestion<'_>) -> Known<Route> {
        let address = question.resolver.canonical(question.recipient)?;
        question.resolver.resolve(&address, question.directory)
    }

    /// Whether the recipient is listed in the tables of its class (`reject_unlisted_recipient`).
    fn listed(&self, question: &RcptQuestion<'_>) -> Known<RcptAnswer> {
        let route = self.route(question)?;
        let recipient = &route.recipient;
        let find = |maps: &Maps| {
            let (form, keys) = (QueryForm::QuotedFirst, Keys::OfAddresses);
            self.lookup
                .find(maps, recipient, form, keys, question.directory)
        };
        for maps in &self.rewriting {
            if let Some(found) = find(maps)? {
                return Ok(RcptAnswer {
                    reply: Reply::accepted(),
                    hit: Some(found.hit),
                });
            }
        }
        if route.transport == "error" || route.transport == "retry" {
            return Ok(self.undeliverable(&route));
        }
        let (local, _) = split(recipient);
        let is = |name: &str| local.eq_ignore_ascii_case(name);
        let own =
            is("postmaster") || is("mailer-daemon") || is(&self.lookup.extensions.double_bounce);
        let (maps, code, table) = match route.class {
            RecipientClass::Local if own => {
                return Ok(RcptAnswer {
                    reply: Reply::accepted(),
                    hit: None,
                });
            }
            RecipientClass::Local => (&self.local_recipient_maps, self.codes.local, "local"),
            RecipientClass::Relay => (&self.relay_recipient_maps, self.codes.relay, "relay"),
            RecipientClass::VirtualMailbox => (
                &self.virtual_mailbox_maps,
                self.codes.mailbox,
                "virtual mailbox",
            ),
            RecipientClass::VirtualAlias | RecipientClass::Default => {
                return Ok(RcptAnswer {
                    reply: Reply::accepted(),
                    hit: None,
                });
            }
        };
        if maps.is_empty() {
            return Ok(RcptAnswer {
                reply: Reply::accepted(),
                hit: None,
            });
        }
        Ok(match find(maps)? {
            Some(found) => RcptAnswer {
                reply: Reply::accepted(),
                hit: Some(found.hit),
            },
            None => {
                let text = match table {
                    "virtual mailbox" => "User unknown in virtual mailbox table".to_owned(),
                    table => format!("User unknown in {table} recipient table"),
                };
                RcptAnswer {
                    reply: Reply::new(code, "5.1.1", text),
                    hit: None,
                }
            }
        })
    }

    /// The answer for a recipient whose transport is `error` or `retry`.
    fn undeliverable(&self, route: &Route) -> RcptAnswer {
        let (code, status) = if route.transport == "retry" {
            (450, "4.1.1")
        } else if route.class == RecipientClass::VirtualAlias {
            (self.codes.alias, "5.1.1")
        } else {
            (550, "5.1.1")
        };
        let (enhanced, text) = split_status(&route.nexthop, status);
        RcptAnswer {
            reply: Reply::new(code, enhanced, text),
            hit: route.hit.clone(),
        }
    }

    /// `reject_unverified_recipient`: what the next host answers to a probe, once it has.
    fn verified(&self, question: &RcptQuestion<'_>) -> Known<Verdict> {
        let route = self.route(question)?;
        let reply = (question.verify)(&route)?;
        let text = "undeliverable address";
        Ok(if reply.is_accepted() {
            Verdict::Dunno
        } else if reply.is_temporary() {
            Verdict::Reject(Reply::new(self.codes.unverified_defer, "4.1.1", text), None)
        } else {
            Verdict::Reject(Reply::new(self.codes.unverified, "5.1.1", text), None)
        })
    }

    /// The entry of an access table for the recipient (access(5), "EMAIL ADDRESS PATTERNS").
    fn access_of_recipient(&self, maps: &Maps, question: &RcptQuestion<'_>) -> Known<Option<Hit>> {
        let recipient = self.route(question)?.recipient;
        let keys = Keys::OfDomains {
            bare_parents: self.bare_parents,
        };
        let (form, directory) = (QueryForm::QuotedFirst, question.directory);
        if let Some(found) = self.lookup.find(maps, &recipient, form, keys, directory)? {
            return Ok(Some(found.hit));
        }
        let (local, _) = split(&recipient);
        if let Some(hit) = maps.find_key(&format!("{local}@"), true, directory)? {
            return Ok(Some(hit));
        }
        match self.lookup.extensions.split(&recipient) {
            Some((bare, _)) => maps.find_key(&format!("{}@", split(&bare).0), true, directory),
            None => Ok(None),
        }
    }

    fn act(
        &self,
        hit: Option<Hit>,
        question: &RcptQuestion<'_>,
        is_listed: &mut bool,
    ) -> Known<Verdict> {
        let Some(hit) = hit else {
            return Ok(Verdict::Dunno);
        };
        Ok(match restrictions::action(&hit.answer.value)? {
            AccessAction::Permit => Verdict::Permit,
            AccessAction::Dunno => Verdict::Dunno,
            AccessAction::Answer {
                code,
                is_temporary,
                text,
            } => {
                let own = if is_temporary {
                    self.codes.defer
                } else {
                    self.codes.access
                };
                let status = if is_temporary { "4.7.1" } else { "5.7.1" };
                let (enhanced, text) = split_status(&text, status);
                Verdict::Reject(Reply::new(code.unwrap_or(own), enhanced, text), Some(hit))
            }
            AccessAction::Discard => {
                let what = "the access action `DISCARD` is not modelled".to_owned();
                return Err(LookupError::NotModelled(what));
            }
            AccessAction::Restrictions(text) => {
                let none = |_: &str| None;
                let parameter = hit.parameter.clone();
                let list = restrictions::read(&parameter, &text, &none, &mut HostTables::default());
                match self.evaluate(&list, question, is_listed)? {
                    Verdict::Reject(reply, None) => Verdict::Reject(reply, Some(hit)),
                    other => other,
                }
            }
        })
    }
}

/// The entry of an access table for the client's address and its networks (access(5), "HOST ADDRESS PATTERNS").
fn access_of_client(maps: &Maps, question: &RcptQuestion<'_>) -> Known<Option<Hit>> {
    let SmtpClient::Address(address) = question.client else {
        // The tables name clients that the murder knows; those of names need DNS.
        return Ok(None);
    };
    let text = address.to_string();
    let mut key = text.as_str();
    loop {
        if let Some(hit) = maps.find_key(key, key != text, question.directory)? {
            return Ok(Some(hit));
        }
        let separator = if address.is_ipv4() { '.' } else { ':' };
        match key.rsplit_once(separator) {
            Some((rest, _)) => key = rest,
            None => return Ok(None),
        }
    }
}

/// The lists of restrictions in the order in which smtpd(8) evaluates them at RCPT.
fn lists(reader: &mut ParameterReader<'_, '_>) -> Vec<Vec<Restriction>> {
    let relay_first = reader.is_on("smtpd_relay_before_recipient_restrictions")
        || reader
            .text_or_empty("smtpd_relay_before_recipient_restrictions")
            .is_empty();
    let (relay, recipient) = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions");
    let mut names = vec![
        "smtpd_client_restrictions",
        "smtpd_helo_restrictions",
        "smtpd_sender_restrictions",
    ];
    names.extend(if relay_first {
        [relay, recipient]
    } else {
        [recipient, relay]
    });
    let classes = split_list(&reader.text_or_empty("smtpd_restriction_classes"));
    let lists = names.into_iter().map(|name| match reader.text(name) {
        Ok(text) => {
            let view = reader.view;
            let class = |class: &str| {
                let is_class = classes.iter().any(|known| known == class);
                is_class.then(|| view.expanded(class).text.ok()).flatten()
            };
            restrictions::read(name, &text, &class, reader.tables)
        }
        Err(LookupError::NotModelled(why) | LookupError::Temporary(why)) => {
            vec![Restriction::Unknown(why)]
        }
    });
    lists.collect()
}

/// The networks of `mynetworks`.
fn networks(reader: &ParameterReader<'_, '_>) -> Known<Vec<(Network, bool)>> {
    let words = split_list(&reader.text("mynetworks")?).into_iter();
    let networks = words.map(|word| {
        let network = Network::read(word.trim_start_matches('!'));
        let network = network.ok_or_else(|| {
            LookupError::NotModelled(format!("`{word}` in `mynetworks` is not modelled"))
        })?;
        Ok((network, word.starts_with('!')))
    });
    networks.collect()
}
