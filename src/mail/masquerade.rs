//! Address masquerading by cleanup(8) (ADDRESS_REWRITING_README, "Address masquerading").

use super::address::{quoted, split};
use super::maps::Known;
use super::reader::ParameterReader;
use super::table::{MatchStyle, NameList};
use crate::directory::Directory;
use crate::postfix::split_list;

/// The domains whose subdomains cleanup(8) strips from addresses of a class.
#[derive(Debug)]
pub struct Masquerade {
    /// Each domain, and whether its subdomains are stripped; the first one that matches decides. Empty if the class is not masqueraded.
    domains: Vec<(String, bool)>,
    /// The users that keep their domains (`masquerade_exceptions`).
    exceptions: NameList,
}

impl Masquerade {
    /// Reads `masquerade_domains`, which counts only for the classes of `masquerade_classes`, such as `envelope_recipient`.
    pub fn read(class: &str, reader: &mut ParameterReader<'_, '_>) -> Known<Self> {
        let classes = split_list(&reader.text("masquerade_classes")?);
        let is_on = classes.iter().any(|other| other == class);
        let words = split_list(&reader.text("masquerade_domains")?);
        let domains = words.into_iter().filter(|_| is_on).map(|word| {
            let name = word.trim_start_matches('!');
            let strips = (word.len() - name.len()) % 2 == 0;
            (name.to_lowercase(), strips)
        });
        Ok(Self {
            domains: domains.collect(),
            exceptions: reader.names("masquerade_exceptions", MatchStyle::Exact)?,
        })
    }

    /// The address after masquerading (cleanup_masquerade.c).
    ///
    /// # Errors
    /// If a table of `masquerade_exceptions` has no answer.
    pub fn applied(&self, address: String, directory: &Directory) -> Known<String> {
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
                let is_excepted = self.exceptions.matches(&quoted(local), directory)?;
                Ok(match is_excepted {
                    true => address,
                    false => format!("{local}@{name}"),
                })
            }
            _ => Ok(address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::HostTables;
    use super::*;

    /// postconf(5), `masquerade_domains`: "foo.example.com !example.com", and "!" for a host by itself; `masquerade_exceptions`.
    #[test]
    fn the_first_domain_that_matches_decides() {
        let masquerade = |words: &[(&str, bool)]| Masquerade {
            domains: words
                .iter()
                .map(|(name, strips)| ((*name).to_owned(), *strips))
                .collect(),
            exceptions: HostTables::default().names("root", MatchStyle::Exact),
        };
        let one = [("example.com", true)];
        let foo_first = [("foo.example.com", true), ("example.com", false)];
        let but_foo = [("foo.example.com", false), ("example.com", true)];
        for (domains, address, expected) in [
            (&one[..], "x@any.thing.Example.com", "x@example.com"),
            (&one, "x@example.com", "x@example.com"),
            (&one, "x@anexample.com", "x@anexample.com"),
            (&one, "x", "x"),
            (&one, "ROOT@any.example.com", "ROOT@any.example.com"),
            (&one, "root+x@any.example.com", "root+x@example.com"),
            (&foo_first, "x@any.foo.example.com", "x@foo.example.com"),
            (&foo_first, "x@any.example.com", "x@any.example.com"),
            (&but_foo, "x@foo.example.com", "x@foo.example.com"),
            (&but_foo, "x@bar.example.com", "x@example.com"),
            (&[], "x@bar.example.com", "x@bar.example.com"),
        ] {
            let applied = masquerade(domains).applied(address.to_owned(), &Directory::default());
            assert_eq!(applied.as_deref(), Ok(expected), "{address}");
        }
    }
}
