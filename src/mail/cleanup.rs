//! The rewriting by cleanup(8): canonical addresses and virtual aliases of recipients, and the sender of bounces.

use std::collections::HashSet;

use super::address::{list, quoted, split, unquoted, with_extension};
use super::maps::{AddressLookup, Hit, Keys, Known, Maps, QueryForm};
use super::masquerade::Masquerade;
use super::reader::ParameterReader;
use super::resolve::Resolver;
use super::table::LookupError;
use crate::directory::Directory;
use crate::postfix::split_list;

/// The parameters of cleanup(8).
#[derive(Debug)]
pub struct Cleanup {
    lookup: AddressLookup,
    recipient_canonical_maps: Maps,
    canonical_maps: Maps,
    masquerade: Known<Masquerade>,
    senders: SenderRewriting,
    virtual_alias_maps: Maps,
    always_bcc: Known<String>,
    recipient_bcc_maps: Maps,
    sender_bcc_maps: Maps,
    propagates_canonical: bool,
    propagates_virtual: bool,
    expansion_limit: usize,
    recursion_limit: usize,
    length_limit: usize,
}

/// What cleanup(8) does with the sender of a message.
#[derive(Debug)]
struct SenderRewriting {
    /// `sender_canonical_maps`, then `canonical_maps`.
    maps: [Maps; 2],
    masquerade: Known<Masquerade>,
}

/// The recipients of a message after cleanup(8), in internal form, and the table entries that rewrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rewritten {
    /// The recipients.
    pub recipients: Vec<String>,
    /// The entries, in the order of the rewriting.
    pub hits: Vec<Hit>,
    /// Further recipients that get a copy.
    pub copies: Vec<BlindCopy>,
}

/// A recipient that cleanup(8) adds. It adds it with `NOTIFY=NEVER`: nobody learns of a copy that is not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlindCopy {
    /// Who gets the copy; none if that depends on the sender.
    pub recipient: Option<String>,
    /// The parameter that says so.
    pub parameter: &'static str,
    /// The table entry, if a table says so.
    pub hit: Option<Hit>,
}

impl Cleanup {
    /// Reads the parameters of the service `cleanup/unix`.
    pub fn read(reader: &mut ParameterReader<'_, '_>) -> Self {
        let (recipient, sender) = ("envelope_recipient", "envelope_sender");
        Self {
            lookup: reader.address_lookup(),
            recipient_canonical_maps: canonical("recipient_canonical", recipient, reader),
            canonical_maps: canonical("canonical", recipient, reader),
            masquerade: Masquerade::read(recipient, reader),
            senders: SenderRewriting {
                maps: ["sender_canonical", "canonical"].map(|name| canonical(name, sender, reader)),
                masquerade: Masquerade::read(sender, reader),
            },
            virtual_alias_maps: reader.maps("virtual_alias_maps"),
            always_bcc: reader.text("always_bcc"),
            recipient_bcc_maps: reader.maps("recipient_bcc_maps"),
            sender_bcc_maps: reader.maps("sender_bcc_maps"),
            propagates_canonical: reader.propagates("canonical"),
            propagates_virtual: reader.propagates("virtual"),
            expansion_limit: reader.number("virtual_alias_expansion_limit", 1000),
            recursion_limit: reader.number("virtual_alias_recursion_limit", 1000),
            length_limit: reader.number("virtual_alias_address_length_limit", 1000),
        }
    }

    /// Rewrites one recipient. `with_copies` is off for messages that the host itself makes, such as those of local(8)'s aliases.
    ///
    /// # Errors
    /// If a table on the way has no answer, or an alias expands without end: cleanup(8) does not take the message, and its
    /// client tries again later.
    pub fn rewrite(
        &self,
        recipient: &str,
        with_copies: bool,
        resolver: &Resolver,
        directory: &Directory,
    ) -> Known<Rewritten> {
        let mut rewriting = Rewriting {
            cleanup: self,
            resolver,
            directory,
            hits: Vec::new(),
        };
        let address = resolver.canonical(recipient)?;
        let address = rewriting.one_to_one(&address, &self.recipient_canonical_maps)?;
        let address = rewriting.one_to_one(&address, &self.canonical_maps)?;
        let masquerade = self.masquerade.as_ref().map_err(Clone::clone)?;
        let address = masquerade.applied(address, directory)?;
        let mut recipients = rewriting.one_to_many(&address)?;
        let mut seen = HashSet::new();
        recipients.retain(|recipient| seen.insert(recipient.to_lowercase()));
        Ok(Rewritten {
            recipients,
            hits: rewriting.hits,
            copies: match with_copies {
                true => self.copies(&address, resolver, directory)?,
                false => Vec::new(),
            },
        })
    }

    /// The sender that cleanup(8) gives a message without one, such as a bounce, and the table entries that say so; none if
    /// the sender stays empty. The key of an empty sender is `""`, so that only patterns and `static:` have it.
    ///
    /// # Errors
    /// If a table on the way has no answer.
    pub fn sender_of_bounces(
        &self,
        resolver: &Resolver,
        directory: &Directory,
    ) -> Known<Option<(String, Vec<Hit>)>> {
        let mut rewriting = Rewriting {
            cleanup: self,
            resolver,
            directory,
            hits: Vec::new(),
        };
        let mut sender = String::new();
        for maps in &self.senders.maps {
            sender = rewriting.one_to_one(&sender, maps)?;
        }
        if sender.is_empty() {
            return Ok(None);
        }
        let masquerade = self.senders.masquerade.as_ref().map_err(Clone::clone)?;
        Ok(Some((
            masquerade.applied(sender, directory)?,
            rewriting.hits,
        )))
    }

    /// Who else gets a message for a recipient, which is rewritten already but for its aliases.
    fn copies(
        &self,
        address: &str,
        resolver: &Resolver,
        directory: &Directory,
    ) -> Known<Vec<BlindCopy>> {
        let (form, keys, maps) = (
            QueryForm::Quoted,
            Keys::OfAddresses,
            &self.recipient_bcc_maps,
        );
        let found = self.lookup.find(maps, address, form, keys, directory)?;
        let mut copies = Vec::new();
        if let Some(found) = found {
            copies.push(BlindCopy {
                recipient: Some(resolver.canonical(found.hit.answer.value.trim())?),
                parameter: "recipient_bcc_maps",
                hit: Some(found.hit),
            });
        }
        let always = self.always_bcc.clone()?;
        if !always.is_empty() {
            copies.push(BlindCopy {
                recipient: Some(resolver.canonical(&always)?),
                parameter: "always_bcc",
                hit: None,
            });
        }
        if !self.sender_bcc_maps.is_empty() {
            copies.push(BlindCopy {
                recipient: None,
                parameter: "sender_bcc_maps",
                hit: None,
            });
        }
        Ok(copies)
    }
}

/// The tables of `NAME_maps`, if `NAME_classes` has a class of addresses.
fn canonical(name: &str, class: &str, reader: &mut ParameterReader<'_, '_>) -> Maps {
    let classes = split_list(&reader.text_or_empty(&format!("{name}_classes")));
    let mut maps = reader.maps(&format!("{name}_maps"));
    if !classes.iter().any(|other| other == class) && maps.tables.is_ok() {
        maps.tables = Ok(Vec::new());
    }
    maps
}

struct Rewriting<'a> {
    cleanup: &'a Cleanup,
    resolver: &'a Resolver,
    directory: &'a Directory,
    hits: Vec<Hit>,
}

impl Rewriting<'_> {
    /// The addresses that a table has for an address; none if it has none (`mail_addr_map` of Postfix).
    fn map(&mut self, maps: &Maps, address: &str, propagates: bool) -> Known<Option<Vec<String>>> {
        let (lookup, form) = (&self.cleanup.lookup, QueryForm::Quoted);
        let found = lookup.find(maps, address, form, Keys::OfAddresses, self.directory)?;
        let Some(found) = found else { return Ok(None) };
        let mut value = found.hit.answer.value.clone();
        if value.starts_with('@') {
            // The user stays, and loses an extension that the key had not.
            let (local, _) = split(address);
            let extension = found.extension.as_deref().unwrap_or_default();
            let local = local.strip_suffix(extension).unwrap_or(local);
            value = quoted(&format!("{local}{value}"));
        }
        let addresses = list(&value).ok_or_else(|| {
            LookupError::NotModelled(format!(
                "the form of `{value}` in `{}` is not modelled",
                found.hit.table
            ))
        })?;
        if addresses.is_empty() {
            let what = format!(
                "`{}` has no address for `{}`",
                found.hit.table, found.hit.key
            );
            return Err(LookupError::Temporary(what));
        }
        let mut results = Vec::with_capacity(addresses.len());
        for address in addresses {
            let address = self.resolver.canonical(&address)?;
            results.push(match &found.extension {
                Some(extension) if propagates => with_extension(&address, extension),
                _ => address,
            });
        }
        self.hits.push(found.hit);
        Ok(Some(results))
    }

    /// Applies `canonical_maps` until the address stays the same. After ten times Postfix warns, and goes on with what it has.
    fn one_to_one(&mut self, address: &str, maps: &Maps) -> Known<String> {
        const MOST: usize = 10;
        let mut address = address.to_owned();
        if maps.is_empty() {
            return Ok(address);
        }
        for _ in 0..MOST {
            let mapped = self.map(maps, &address, self.cleanup.propagates_canonical)?;
            let Some(new) = mapped.and_then(|new| new.into_iter().next()) else {
                break;
            };
            let is_same = new.eq_ignore_ascii_case(&address);
            address = new;
            if is_same {
                break;
            }
        }
        Ok(address)
    }

    /// Expands virtual aliases until no alias is left (`cleanup_map1n` of Postfix).
    fn one_to_many(&mut self, address: &str) -> Known<Vec<String>> {
        let maps = &self.cleanup.virtual_alias_maps;
        let mut addresses = vec![address.to_owned()];
        if maps.is_empty() {
            return Ok(addresses);
        }
        let too_much = |what: &str| {
            Err(LookupError::Temporary(format!(
                "4.6.0 Alias expansion error: {what}"
            )))
        };
        // An address that an entry maps to itself is not looked up again.
        let mut seen: HashSet<String> = HashSet::new();
        let mut at = 0;
        while let Some(current) = addresses.get(at).cloned() {
            if addresses.len() > self.cleanup.expansion_limit {
                return too_much("too many addresses");
            }
            let mut current = current;
            for count in 0.. {
                if seen.contains(&current.to_lowercase()) {
                    break;
                }
                if count >= self.cleanup.recursion_limit {
                    return too_much("the alias expands without end");
                }
                let mapped = self.map(maps, &current, self.cleanup.propagates_virtual)?;
                let Some(mapped) = mapped else { break };
                if mapped
                    .iter()
                    .any(|new| new.len() > self.cleanup.length_limit)
                {
                    return too_much("an address is too long");
                }
                if mapped.iter().any(|new| new.eq_ignore_ascii_case(&current)) {
                    seen.insert(current.to_lowercase());
                }
                let mut mapped = mapped.into_iter();
                current = mapped.next().unwrap_or(current);
                addresses.extend(mapped);
            }
            addresses[at] = current;
            at += 1;
        }
        Ok(addresses
            .iter()
            .map(|address| unquoted(&quoted(address)))
            .collect())
    }
}
