//! The parameters of an LDAP table, read once.

use std::fmt;

use super::answer::LookupError;
use super::names::NameList;
use super::part::AttributeClass;
use super::template::{KeyTemplate, Needs};
use crate::directory::{Directory, FilterError, LdapFilter, SearchScope, parse_filter};
use crate::postfix::{MainCf, split_list};

/// The number of a question to the directory. Its text is that of the fields from which it is made.
#[derive(Clone, Copy)]
pub struct QuestionNumber(pub u64);

impl fmt::Debug for QuestionNumber {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("_")
    }
}

/// The parameters of an LDAP table.
#[derive(Debug)]
pub struct LdapSettings {
    /// The file that sets them.
    pub file: String,
    /// The names of the servers in `server_host`, in lower case.
    pub servers: Vec<String>,
    /// `search_base`.
    pub search_base: KeyTemplate,
    /// `scope`.
    pub scope: SearchScope,
    /// `query_filter`, or why each search fails.
    pub filter: Result<LdapFilter, LookupError>,
    /// A number that tables have in common that search for the same.
    pub question: QuestionNumber,
    /// `result_format`.
    pub result_format: KeyTemplate,
    /// What the three templates need of keys and results.
    pub needs: Needs,
    /// `domain`.
    pub domains: Option<NameList>,
    /// The attributes in lower case, in Postfix's order.
    pub attributes: Vec<(String, AttributeClass)>,
    /// Whether one of them is a leaf attribute.
    pub has_leaves: bool,
    /// `recursion_limit`.
    pub recursion_limit: usize,
    /// `expansion_limit`; 0 is no limit.
    pub expansion_limit: usize,
    /// `size_limit`; 0 is no limit.
    pub size_limit: usize,
}

/// The attributes of each class, with the parameter that lists them and its default.
const ATTRIBUTES: [(&str, &str, AttributeClass); 4] = [
    ("terminal_result_attribute", "", AttributeClass::Terminal),
    ("leaf_result_attribute", "", AttributeClass::Leaf),
    ("result_attribute", "maildrop", AttributeClass::Result),
    ("special_result_attribute", "", AttributeClass::Special),
];

impl LdapSettings {
    /// Reads the file of a table. `domains` makes the list of `domain`.
    ///
    /// # Errors
    /// If a template is wrong or a number is none: Postfix programs that open the table stop with a fatal error, so that
    /// each lookup fails.
    pub fn read(
        file: &str,
        text: &str,
        domains: &dyn Fn(&str) -> Option<NameList>,
    ) -> Result<Self, LookupError> {
        let parameters = MainCf::parse(text.as_bytes());
        let get = |name: &str, default: &'static str| -> String {
            parameters.get(name).unwrap_or(default).to_owned()
        };
        let fatal = |what: &str| LookupError::Temporary(format!("{what} in `{file}`"));
        let template = |name: &str, default: &'static str| {
            KeyTemplate::read(&get(name, default)).ok_or_else(|| fatal(&format!("wrong `{name}`")))
        };
        let number = |name: &str, default: usize| match parameters.get(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| fatal(&format!("wrong `{name}`"))),
        };
        let query = template("query_filter", "(mailacceptinggeneralid=%s)")?;
        let search_base = template("search_base", "")?;
        let older = parameters.get("result_filter").unwrap_or("%s").to_owned();
        let result_format = parameters.get("result_format").unwrap_or(&older);
        let result_format =
            KeyTemplate::read(result_format).ok_or_else(|| fatal("wrong `result_format`"))?;
        let mut needs = Needs::default();
        needs.add(&search_base, true);
        needs.add(&query, true);
        needs.add(&result_format, false);
        let expansion_limit = number("expansion_limit", 0)?;
        let attributes = attributes(&parameters);
        let mut settings = Self {
            file: file.to_owned(),
            servers: servers(&get("server_host", "")),
            scope: match get("scope", "sub").to_ascii_lowercase().as_str() {
                "one" => SearchScope::One,
                "base" => SearchScope::Base,
                _ => SearchScope::Subtree,
            },
            filter: Ok(LdapFilter::And(Vec::new())),
            question: QuestionNumber(0),
            domains: parameters
                .get("domain")
                .filter(|list| !list.is_empty())
                .and_then(domains),
            has_leaves: attributes
                .iter()
                .any(|(_, class)| *class == AttributeClass::Leaf),
            attributes,
            recursion_limit: number("recursion_limit", 1000)?,
            size_limit: number("size_limit", expansion_limit)?,
            search_base,
            result_format,
            needs,
            expansion_limit,
        };
        let filter = parse_filter(&get("query_filter", "(mailacceptinggeneralid=%s)"), true);
        settings.filter = filter.map_err(|error| settings.error_of(&error));
        let question = (&settings.search_base, settings.scope, &settings.filter);
        settings.question = QuestionNumber(Directory::question(&format!("{question:?}")));
        Ok(settings)
    }

    /// Why a search with a filter has no answer.
    #[must_use]
    pub fn error_of(&self, error: &FilterError) -> LookupError {
        let file = &self.file;
        match error {
            FilterError::Syntax => LookupError::Temporary(format!("bad search filter in `{file}`")),
            FilterError::NotModelled(what) => {
                LookupError::NotModelled(format!("the filter `{what}` of `{file}` is not modelled"))
            }
        }
    }
}

/// The names of the servers in a list of hosts and URIs, in lower case.
fn servers(list: &str) -> Vec<String> {
    let names = split_list(list).into_iter().map(|word| {
        let word = word.to_lowercase();
        let rest = word
            .split_once("://")
            .map_or(word.as_str(), |(_, rest)| rest);
        let rest = rest.split('/').next().unwrap_or_default();
        match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address.to_owned(),
            None => rest.split(':').next().unwrap_or_default().to_owned(),
        }
    });
    names.filter(|name| !name.is_empty()).collect()
}

/// The attributes of a table with their classes.
fn attributes(parameters: &MainCf) -> Vec<(String, AttributeClass)> {
    let classes = ATTRIBUTES.iter().flat_map(|(name, default, class)| {
        let names = split_list(parameters.get(name).unwrap_or(default)).into_iter();
        names.map(|name| (name.to_ascii_lowercase(), *class))
    });
    classes.collect()
}
