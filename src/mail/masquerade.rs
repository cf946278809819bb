//! Address masquerading by cleanup(8) (ADDRESS_REWRITING_README, "Address masquerading").

use super::address::split;
use super::maps::Known;
use super::reader::ParameterReader;
use super::table::LookupError;
use crate::postfix::split_list;

/// The domains whose subdomains cleanup(8) strips from recipients.
#[derive(Debug)]
pub struct Masquerade {
    /// Each domain, and whether its subdomains are stripped; the first one that matches decides. Empty if recipients are not masqueraded.
    domains: Vec<(String, bool)>,
    has_exceptions: bool,
}

impl Masquerade {
    /// Reads `masquerade_domains`, which counts for recipients only with `envelope_recipient` in `masquerade_classes`.
    pub fn read(reader: &mut ParameterReader<'_, '_>) -> Known<Self> {
        let classes = split_list(&reader.text("masquerade_classes")?);
        let is_on = classes.iter().any(|class| class == "envelope_recipient");
        let words = split_list(&reader.text("masquerade_domains")?);
        let domains = words.into_iter().filter(|_| is_on).map(|word| {
            let name = word.trim_start_matches('!');
            let strips = (word.len() - name.len()) % 2 == 0;
            (name.to_lowercase(), strips)
        });
        Ok(Self {
            domains: domains.collect(),
            has_exceptions: !reader.text("masquerade_exceptions")?.is_empty(),
        })
    }

    /// The address after masquerading (cleanup_masquerade.c).
    ///
    /// # Errors
    /// If its domain is stripped unless `masquerade_exceptions` has its user.
    pub fn applied(&self, address: String) -> Known<String> {
        let (local, Some(domain)) = split(&address) else {
            return Ok(address);
        };
        let domain = domain.to_lowercase();
        let mut domains = self.domains.iter();
        let decides = domains.find(|(name, strips)| {
            name.is_empty() && !strips
                || domain == *name
                || domain
                    .strip_suffix(name.as_str())
                    .is_some_and(|rest| !name.is_empty() && rest.ends_with('.'))
        });
        match decides {
            Some((name, true)) if *name != domain => {
                if self.has_exceptions {
                    let what = "`masquerade_exceptions` is not modelled";
                    return Err(LookupError::NotModelled(what.to_owned()));
                }
                Ok(format!("{local}@{name}"))
            }
            _ => Ok(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// postconf(5), `masquerade_domains`: "foo.example.com !example.com", and "!" for a host by itself.
    #[test]
    fn the_first_domain_that_matches_decides() {
        let masquerade = |words: &[(&str, bool)]| Masquerade {
            domains: words
                .iter()
                .map(|(name, strips)| ((*name).to_owned(), *strips))
                .collect(),
            has_exceptions: false,
        };
        let one = [("example.com", true)];
        let foo_first = [("foo.example.com", true), ("example.com", false)];
        let but_foo = [("foo.example.com", false), ("example.com", true)];
        for (domains, address, expected) in [
            (&one[..], "x@any.thing.Example.com", "x@example.com"),
            (&one, "x@example.com", "x@example.com"),
            (&one, "x@anexample.com", "x@anexample.com"),
            (&one, "x", "x"),
            (&foo_first, "x@any.foo.example.com", "x@foo.example.com"),
            (&foo_first, "x@any.example.com", "x@any.example.com"),
            (&but_foo, "x@foo.example.com", "x@foo.example.com"),
            (&but_foo, "x@bar.example.com", "x@example.com"),
            (&[], "x@bar.example.com", "x@bar.example.com"),
        ] {
            let applied = masquerade(domains).applied(address.to_owned());
            assert_eq!(applied.as_deref(), Ok(expected), "{address}");
        }
    }
}
