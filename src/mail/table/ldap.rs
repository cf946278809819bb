//! LDAP tables (ldap_table(5)), asked of a directory.

use super::answer::{AnswerPlace, KeyLookup, LookupAnswer, LookupError, LookupResult};
use super::ldap_settings::LdapSettings;
use super::names::ListMember;
use super::part::{AttributeClass, LdapPart, PartVisitor, TablePart};
use super::template::placeholder;
use crate::directory::{
    AttributeId, Directory, EntryId, LdapFilter, SearchError, SearchScope, parse_filter, read_url,
};

/// An LDAP table.
#[derive(Debug)]
pub struct LdapTable(pub LdapSettings);

/// One lookup: what was found so far, and the limits that it has used.
struct Lookup<'a> {
    settings: &'a LdapSettings,
    directory: &'a Directory,
    key: &'a str,
    results: Vec<String>,
    expansions: usize,
    first: Option<EntryId>,
    /// The entries whose special attributes are followed now, from the outermost.
    path: Vec<EntryId>,
}

/// Groups nested deeper than this are not modelled.
const DEEPEST: usize = 200;

impl KeyLookup for LdapTable {
    fn find(&self, key: &str, directory: &Directory) -> LookupResult {
        let settings = &self.0;
        let key = key.to_lowercase();
        if directory.is_empty() {
            let what = format!("`{}` needs the directory, and none is given", settings.file);
            return Err(LookupError::NotModelled(what));
        }
        if let Some(domains) = &settings.domains {
            let domain = key.rsplit_once('@').map_or("", |(_, domain)| domain);
            if domain.is_empty() || !domains.matches(domain, directory)? {
                return Ok(None);
            }
        }
        if !settings.needs.has_key(&key) {
            return Ok(None);
        }
        if directory.are_down(&settings.servers) {
            let what = format!("no LDAP server of `{}` answers", settings.file);
            return Err(LookupError::Temporary(what));
        }
        let filter = settings.filter.as_ref().map_err(Clone::clone)?;
        let value = |letter: char| placeholder(letter, &key, &key);
        let base = settings
            .search_base
            .fill(&|letter| dn_escaped(&value(letter)));
        let search = || directory.search(&base, settings.scope, filter, &value);
        let entries = match directory.ask(settings.question.0, &key, search) {
            Ok(entries) => entries,
            Err(SearchError::NoSuchObject) if settings.search_base.is_dynamic() => return Ok(None),
            Err(_) => {
                return Err(LookupError::Temporary(format!(
                    "search base `{base}` not found"
                )));
            }
        };
        let mut lookup = Lookup {
            settings,
            directory,
            key: &key,
            results: Vec::new(),
            expansions: 0,
            first: None,
            path: Vec::new(),
        };
        let wanted: Vec<usize> = (0..settings.attributes.len()).collect();
        lookup.take(&entries, &wanted, 1)?;
        Ok(lookup.answer())
    }

    fn parts(&self, is_piped: bool, visit: PartVisitor<'_>) {
        let settings = &self.0;
        let domains = settings.domains.as_ref().map(|list| {
            let names = list.members.iter().filter_map(|member| match member {
                (ListMember::Name(name), false) => Some(name.as_str()),
                _ => None,
            });
            names.collect()
        });
        visit(TablePart::Ldap(LdapPart {
            file: &settings.file,
            servers: &settings.servers,
            search_base: &settings.search_base,
            scope: settings.scope,
            filter: match &settings.filter {
                Ok(filter) => Ok(filter),
                Err(error) => Err(matches!(error, LookupError::Temporary(_))),
            },
            result_format: &settings.result_format,
            attributes: &settings.attributes,
            domains,
            is_piped,
        }));
    }
}

/// A text as a value within the name of an entry (RFC 2253, 2.4).
fn dn_escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let is_edge = at == 0 && matches!(c, ' ' | '#') || at == last && c == ' ';
        if is_edge || ",+\"\\<>;".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

impl Lookup<'_> {
    fn answer(self) -> Option<LookupAnswer> {
        let entry = self.first.map_or("", |entry| self.directory.dn(entry));
        (!self.results.is_empty()).then(|| LookupAnswer {
            value: self.results.join(","),
            place: AnswerPlace::Entry(self.settings.file.clone(), entry.to_owned()),
        })
    }

    /// Takes the results of entries: their values, and those of the entries that special attributes name.
    fn take(
        &mut self,
        entries: &[EntryId],
        wanted: &[usize],
        depth: usize,
    ) -> Result<(), LookupError> {
        let limit = self.settings.size_limit;
        if limit > 0 && entries.len() > limit {
            return Err(self.temporary("size limit exceeded"));
        }
        // Postfix keeps these from one entry to the next where an entry has none of the attributes.
        let (mut is_leaf, mut is_terminal) = (true, false);
        let directory = self.directory;
        for &entry in entries {
            let groups = groups_of(directory, entry, self.settings, wanted);
            let has = |class| groups.iter().any(|(of, _)| *of == class);
            is_terminal |= has(AttributeClass::Terminal);
            if !is_terminal && self.settings.has_leaves && has(AttributeClass::Special) {
                is_leaf = false;
            }
            for (class, values) in groups {
                match class {
                    AttributeClass::Special if !is_terminal => {
                        // A group that contains itself is followed until a limit is reached.
                        if self.path.contains(&entry) {
                            return Err(self.temporary("recursion limit exceeded"));
                        }
                        self.path.push(entry);
                        self.follow(&values, wanted, depth)?;
                        self.path.pop();
                    }
                    AttributeClass::Special => {}
                    AttributeClass::Terminal => self.add(entry, &values)?,
                    AttributeClass::Leaf if is_terminal || !is_leaf => {}
                    AttributeClass::Result if is_terminal => {}
                    AttributeClass::Leaf | AttributeClass::Result => self.add(entry, &values)?,
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, entry: EntryId, values: &[&str]) -> Result<(), LookupError> {
        for value in values {
            if !self.settings.needs.has_value(value) {
                continue;
            }
            let key = self.key;
            let result = self
                .settings
                .result_format
                .fill(&|letter| placeholder(letter, value, key));
            self.results.push(result);
            self.first.get_or_insert(entry);
            self.expansions += 1;
            let limit = self.settings.expansion_limit;
            if limit > 0 && self.expansions > limit {
                return Err(self.temporary("expansion limit exceeded"));
            }
        }
        Ok(())
    }

    /// Follows names and URLs of other entries.
    fn follow(
        &mut self,
        values: &[&str],
        wanted: &[usize],
        depth: usize,
    ) -> Result<(), LookupError> {
        if depth >= self.settings.recursion_limit {
            return Err(self.temporary("recursion limit exceeded"));
        }
        if depth >= DEEPEST {
            let what = format!("groups nested deeper than {DEEPEST} are not modelled");
            return Err(LookupError::NotModelled(what));
        }
        for value in values {
            let (found, wanted) = match read_url(value) {
                None => {
                    let any = LdapFilter::And(Vec::new());
                    (self.search(value, SearchScope::Base, &any), wanted.to_vec())
                }
                Some(Err(_)) => return Err(self.temporary("malformed URL")),
                Some(Ok(url)) => {
                    let wanted = self.wanted_by(&url.attributes);
                    if wanted.is_empty() {
                        continue;
                    }
                    let filter = match &url.filter {
                        None => LdapFilter::And(Vec::new()),
                        Some(text) => parse_filter(text, false)
                            .map_err(|error| self.settings.error_of(&error))?,
                    };
                    (self.search(&url.base, url.scope, &filter), wanted)
                }
            };
            match found {
                Ok(entries) => self.take(&entries, &wanted, depth + 1)?,
                // Postfix skips names that do not exist.
                Err(SearchError::NoSuchObject) => {}
                Err(SearchError::BadName) => return Err(self.temporary("invalid DN syntax")),
            }
        }
        Ok(())
    }

    fn search(
        &self,
        base: &str,
        scope: SearchScope,
        filter: &LdapFilter,
    ) -> Result<Vec<EntryId>, SearchError> {
        self.directory
            .search(base, scope, filter, &|_| String::new())
    }

    /// The attributes of the table that a URL asks for; all if it names none.
    fn wanted_by(&self, names: &[String]) -> Vec<usize> {
        let attributes = self.settings.attributes.iter().enumerate();
        let is_named = |own: &str| names.iter().any(|name| name.eq_ignore_ascii_case(own));
        attributes
            .filter(|(_, (own, _))| names.is_empty() || is_named(own))
            .map(|(at, _)| at)
            .collect()
    }

    fn temporary(&self, what: &str) -> LookupError {
        LookupError::Temporary(format!("{what} in `ldap:{}`", self.settings.file))
    }
}

/// The values of an entry that a table wants, by attribute in the order of the entry, each with its class.
fn groups_of<'d>(
    directory: &'d Directory,
    entry: EntryId,
    settings: &LdapSettings,
    wanted: &[usize],
) -> Vec<(AttributeClass, Vec<&'d str>)> {
    let mut groups: Vec<(AttributeId, AttributeClass, Vec<&str>)> = Vec::new();
    for (attribute, value) in directory.values(entry) {
        if let Some((_, _, values)) = groups.iter_mut().find(|(of, _, _)| *of == attribute) {
            values.push(value);
            continue;
        }
        let name = directory.attribute_name(attribute);
        let is_of = |own: &str| {
            name.strip_prefix(own)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(';'))
        };
        let found = settings
            .attributes
            .iter()
            .enumerate()
            .find(|(_, (own, _))| is_of(own));
        if let Some((at, (_, class))) = found
            && wanted.contains(&at)
        {
            groups.push((attribute, *class, vec![value]));
        }
    }
    groups
        .into_iter()
        .map(|(_, class, values)| (class, values))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::names::{MatchStyle, NameList};
    use super::*;
    use crate::directory::read_ldif;

    const ENTRIES: &[u8] = b"dn: dc=x\nobjectClass: domain\n\n\
        dn: uid=a,dc=x\nmail: a@x.org\nalias: al@x.org\nmailHost: b1.x.org\n\n\
        dn: uid=b,dc=x\nmail: b@x.org\nmailHost: b1.x.org\nmailHost: b2.x.org\n\n\
        dn: cn=g,dc=x\nmail: g@x.org\nuniqueMember: uid=a,dc=x\nuniqueMember: uid=gone,dc=x\nuniqueMember: cn=h,dc=x\n\n\
        dn: cn=h,dc=x\nmail: h@x.org\nuniqueMember: uid=b,dc=x\n\n\
        dn: cn=self,dc=x\nmail: self@x.org\nuniqueMember: cn=self,dc=x\n\n\
        dn: cn=url,dc=x\nmail: url@x.org\nmemberURL: ldap://any/dc=x??sub?(mailHost=b1.x.org)\n\n\
        dn: cn=bad,dc=x\nmail: bad@x.org\nmemberURL: ldap:///dc=x??sub?(mail=\n\n\
        dn: cn=empty,dc=x\nmail: empty@x.org\nmemberURL: ldap:///ou=no,dc=x??sub?(mail=*)\n";

    fn asked(settings: &str, key: &str) -> LookupResult {
        let text = format!("search_base = dc=x\nversion = 3\n{settings}\n");
        let settings = LdapSettings::read("/t.cf", &text, &|list| {
            let members = vec![(ListMember::Name(list.to_owned()), false)];
            Some(NameList {
                members,
                style: MatchStyle::Exact,
            })
        });
        let directory = read_ldif(ENTRIES).unwrap_or_default();
        settings.and_then(|settings| LdapTable(settings).find(key, &directory))
    }

    /// ldap_table(5), "GENERAL LDAP PARAMETERS" and "SPECIAL RESULT ATTRIBUTES".
    #[test]
    fn tables_answer_as_ldap_table_says() {
        let groups = "query_filter = (mail=%s)\nspecial_result_attribute = uniqueMember, memberURL\n\
                      leaf_result_attribute = mail\nresult_attribute =";
        let route =
            "query_filter = (mail=%s)\nresult_attribute = mailHost\nresult_format = relay:[%s]:25";
        let single = format!("{route}\nexpansion_limit = 1");
        for (settings, key, expected) in [
            (route, "A@x.org", Some("relay:[b1.x.org]:25")),
            (
                route,
                "b@x.org",
                Some("relay:[b1.x.org]:25,relay:[b2.x.org]:25"),
            ),
            (route, "none@x.org", None),
            (&single, "a@x.org", Some("relay:[b1.x.org]:25")),
            (&format!("{route}\ndomain = y.org"), "a@x.org", None),
            (
                &format!("{route}\ndomain = x.org"),
                "a@x.org",
                Some("relay:[b1.x.org]:25"),
            ),
            (&format!("{route}\ndomain = x.org"), "x.org", None),
            (
                "query_filter = (|(alias=%s)(mail=%s))\nresult_attribute = mail",
                "al@x.org",
                Some("a@x.org"),
            ),
            (
                "query_filter = (mail=%u@x.org)\nresult_attribute = mail\nresult_format = %U@%d",
                "a@y.org",
                Some("a@x.org"),
            ),
            (groups, "g@x.org", Some("a@x.org,b@x.org")),
            (groups, "url@x.org", Some("a@x.org,b@x.org")),
            (groups, "empty@x.org", None),
            (
                "query_filter = (mail=%s)\nresult_attribute = maildrop",
                "a@x.org",
                None,
            ),
        ] {
            let found = asked(settings, key).map(|found| found.map(|found| found.value));
            assert_eq!(found, Ok(expected.map(str::to_owned)), "{key}: {settings}");
        }
        for (settings, key) in [
            (single.as_str(), "b@x.org"),
            (groups, "self@x.org"),
            (groups, "bad@x.org"),
            (
                "query_filter = (mail=%s\nresult_attribute = mail",
                "a@x.org",
            ),
            ("query_filter = (mail=%s)\nsearch_base = dc=y", "a@x.org"),
        ] {
            let found = asked(settings, key);
            assert!(
                matches!(found, Err(LookupError::Temporary(_))),
                "{key}: {settings}: {found:?}"
            );
        }
        let place = asked(route, "a@x.org")
            .ok()
            .flatten()
            .map(|found| found.place);
        let entry = AnswerPlace::Entry("/t.cf".to_owned(), "uid=a,dc=x".to_owned());
        assert_eq!(place, Some(entry));
    }
}
